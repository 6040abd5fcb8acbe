"""Comments: replies to ideas."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Row, Select, func, insert, select
from sqlalchemy.engine import Connection

from app.database import Transaction
from app.errors import Conflict, FieldError, Invalid, Moved, NotFound
from app.lib import markdown
from app.lib.i18n import LANGUAGES, N_
from app.models import Comment, Idea, Organisation, Person, Sector
from app.models.base import table
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import require
from app.schemas import text
from app.services import notices, orders
from app.services.events import record
from app.services.held import hold, require_shown
from app.services.orders import BY_ID, Order

COMMENT = table(Comment)
IDEA = table(Idea)
PERSON = table(Person)
ORGANISATION = table(Organisation)
SECTOR = table(Sector)


def on_idea(
    connection: Connection,
    idea_id: int,
    *,
    sector: str | None = None,
    order: Order = BY_ID,
    limit: int = 50,
) -> Sequence[Any]:
    """A page of comments, of one `sector` by its key, or of all: the table's columns, `author`, `organisation`,
    `sector_key`, `sector_name`. The caller has loaded the idea through its viewer; the text of a comment that is
    hidden or taken back is left out.
    """
    chosen = _SELECT.where(COMMENT.c.idea_id == idea_id)
    if sector is not None:
        chosen = chosen.where(SECTOR.c.key == sector)
    return connection.execute(orders.page(chosen, order, _SORTED_BY, limit)).all()


def first_on(connection: Connection, idea_ids: Collection[int], most: int) -> Sequence[Any]:
    """The first comments on each of these ideas, `most` of each, by id, with the same columns. One statement.

    The caller has loaded the ideas through their viewer.
    """
    number = func.row_number().over(partition_by=COMMENT.c.idea_id, order_by=COMMENT.c.id).label("number")
    numbered = select(COMMENT.c.id, number).where(COMMENT.c.idea_id.in_(idea_ids)).subquery("numbered")
    chosen = select(numbered.c.id).where(numbered.c.number <= most)
    return connection.execute(_SELECT.where(COMMENT.c.id.in_(chosen)).order_by(COMMENT.c.id)).all()


def on_board(connection: Connection, challenge_id: int, comment_ids: Sequence[int]) -> Sequence[Any]:
    """These comments of one challenge, oldest first, with the same columns."""
    return connection.execute(
        _SELECT.where(COMMENT.c.challenge_id == challenge_id, COMMENT.c.id.in_(comment_ids)).order_by(
            COMMENT.c.id
        )
    ).all()


def find(connection: Connection, comment_id: int) -> Row[Any]:
    """One comment with the same columns; the caller loads its idea through its viewer.

    :raises NotFound: there is none
    """
    row = connection.execute(_SELECT.where(COMMENT.c.id == comment_id)).first()
    if row is None:
        raise NotFound(N_("There is no such comment, or it is not open to you."))
    return row


def post(tx: Transaction, actor: Actor, idea_id: int, *, body: str, language: str | None = None) -> int:
    """Reply to an idea; the comment's id. The idea's author is told.

    :raises NotAllowed: the role does not comment
    :raises Conflict: the phase does not allow it, or the idea is no longer open
    :raises Invalid: the body is empty or longer than 4,000 characters
    """
    idea = hold(tx, actor, idea_id)
    require(actor, Permission.COMMENT, idea)
    require_shown(idea)
    if not idea.phase.commenting:
        raise Conflict(N_("Commenting is closed in this phase."))
    body, errors = text.passage("body", body, most=4000, least=1)
    language = language or actor.language or idea.language
    if language not in LANGUAGES:
        errors.append(FieldError("language", N_("Please choose one of the languages in the list.")))
    if errors:
        raise Invalid(*errors)
    membership = actor.memberships[idea.programme_id]
    comment_id = tx.execute(
        insert(COMMENT)
        .values(
            programme_id=idea.programme_id,
            challenge_id=idea.challenge_id,
            idea_id=idea_id,
            author_id=actor.person_id,
            organisation_id=membership.organisation_id,
            sector_id=membership.sector_id,
            body=body,
            body_html=markdown.render(body),
            language=language,
            version=1,
            created_at=tx.now,
            updated_at=tx.now,
        )
        .returning(COMMENT.c.id)
    ).scalar_one()
    _count(tx, idea_id, 1)
    _record(tx, "comment.posted", actor, idea, comment_id)
    if idea.author_id != actor.person_id:
        notices.tell(
            tx,
            [idea.author_id],
            "comment_posted",
            programme_id=idea.programme_id,
            idea_id=idea_id,
            data={"comment_id": comment_id},
        )
    return int(comment_id)


def withdraw(tx: Transaction, actor: Actor, comment_id: int, *, version: int | None = None) -> int:
    """Take one's own comment back; the idea's id. Asked again, nothing more happens.

    :raises Moved: `version` is given, and the comment has changed since
    :raises NotAllowed: someone else wrote it
    """
    idea = hold(tx, actor, find(tx.connection, comment_id).idea_id)
    comment = find(tx.connection, comment_id)
    if version is not None and version != comment.version:
        raise Moved(N_("This has changed in the meantime. Please read it again."), current=comment.version)
    require(actor, Permission.WITHDRAW_COMMENT, comment)
    if comment.withdrawn_at is None:
        changed = tx.execute(
            COMMENT.update()
            .where(COMMENT.c.id == comment_id, COMMENT.c.withdrawn_at.is_(None))
            .values(withdrawn_at=tx.now, version=COMMENT.c.version + 1, updated_at=tx.now)
            .returning(COMMENT.c.hidden_at)
        ).first()
        if changed is not None and changed.hidden_at is None:
            _count(tx, idea.id, -1)
        _record(tx, "comment.withdrawn", actor, idea, comment_id)
    return int(idea.id)


def hide(tx: Transaction, actor: Actor, comment_id: int, *, reason: str) -> int:
    """Hide a comment for a stated reason, by a facilitator; its author is told. The idea's id.

    :raises NotAllowed: the actor does not moderate
    :raises Invalid: no reason is given
    """
    comment = find(tx.connection, comment_id)
    idea = hold(tx, actor, comment.idea_id)
    require(actor, Permission.MODERATE, idea)
    reason, errors = text.passage("reason", reason, most=1000, least=1)
    if errors:
        raise Invalid(*errors)
    changed = tx.execute(
        COMMENT.update()
        .where(COMMENT.c.id == comment_id, COMMENT.c.hidden_at.is_(None))
        .values(
            hidden_at=tx.now,
            hidden_by=actor.person_id,
            hidden_reason=reason,
            version=COMMENT.c.version + 1,
            updated_at=tx.now,
        )
        .returning(COMMENT.c.withdrawn_at)
    ).first()
    if changed is None:
        return int(idea.id)
    if changed.withdrawn_at is None:
        _count(tx, idea.id, -1)
    _record(tx, "comment.hidden", actor, idea, comment_id)
    notices.tell(
        tx,
        [comment.author_id],
        "comment_hidden",
        programme_id=idea.programme_id,
        idea_id=idea.id,
        data={"reason": reason, "comment_id": comment_id},
    )
    return int(idea.id)


_SELECT: Select[Any] = (
    select(
        COMMENT,
        PERSON.c.name.label("author"),
        ORGANISATION.c.name.label("organisation"),
        SECTOR.c.key.label("sector_key"),
        SECTOR.c.name.label("sector_name"),
    )
    .join(PERSON, PERSON.c.id == COMMENT.c.author_id)
    .join(ORGANISATION, ORGANISATION.c.id == COMMENT.c.organisation_id)
    .join(SECTOR, SECTOR.c.id == COMMENT.c.sector_id)
)


_SORTED_BY = {name: COMMENT.c[name] for name in ("id", "created_at", "updated_at")}


def _count(tx: Transaction, idea_id: int, step: int) -> None:
    tx.execute(IDEA.update().where(IDEA.c.id == idea_id).values(comments=IDEA.c.comments + step))


def _record(tx: Transaction, type: str, actor: Actor, idea: Any, comment_id: int) -> None:
    record(
        tx,
        type,
        actor,
        programme_id=idea.programme_id,
        challenge_id=idea.challenge_id,
        idea_id=idea.id,
        subject_id=comment_id,
    )
