"""Ideas: posting, editing with history, withdrawing, moving, and writing together."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, delete, exists, func, insert, literal, select, union_all
from sqlalchemy.engine import Connection

from app.database import Transaction
from app.errors import Conflict, FieldError, Invalid, NotFound
from app.lib import markdown
from app.lib.i18n import LANGUAGES, N_
from app.models import CoAuthor, Event, Idea, IdeaVersion, Membership, Person, Sector, Support, Tally
from app.models.base import table
from app.models.challenge import Cluster
from app.models.idea import OPEN, WITHDRAWN
from app.models.support import ALL
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import may, require
from app.schemas import text
from app.services import cards, challenges, notices
from app.services.actors import is_human
from app.services.cards import Card
from app.services.challenges import ChallengeView
from app.services.events import record
from app.services.held import HeldIdea, hold, require_shown

IDEA = table(Idea)
IDEA_VERSION = table(IdeaVersion)
CO_AUTHOR = table(CoAuthor)
CLUSTER = table(Cluster)
PERSON = table(Person)
MEMBERSHIP = table(Membership)
SECTOR = table(Sector)
TALLY = table(Tally)
SUPPORT = table(Support)
EVENT = table(Event)


@dataclass(frozen=True, slots=True)
class IdeaView:
    """An idea with its challenge, as one viewer sees it.

    `supported` is whether the viewer supports it, `event_id` the version of its board when it was read.
    `author_id` is for the policy alone: an anonymous author shows nowhere.
    """

    card: Card
    challenge: ChallengeView
    body: str
    author_id: int
    co_author_ids: tuple[int, ...]
    co_authors: tuple[str, ...]
    co_authors_since: tuple[datetime, ...]
    merged_into_id: int | None
    supported: bool
    event_id: int

    @property
    def id(self) -> int:
        """The idea's id."""
        return self.card.id

    @property
    def programme_id(self) -> int:
        """The programme it belongs to."""
        return self.card.programme_id

    @property
    def challenge_id(self) -> int:
        """The challenge it belongs to."""
        return self.card.challenge_id

    @property
    def state(self) -> str:
        """open, withdrawn, hidden or merged."""
        return self.card.state

    @property
    def version(self) -> int:
        """The number of the newest version."""
        return self.card.version


# queries


def find(connection: Connection, actor: Actor, idea_id: int) -> IdeaView:
    """One idea, through its viewer.

    :raises NotFound: there is none, or the actor may not see it
    """
    row = connection.execute(_selection(actor).where(IDEA.c.id == idea_id)).first()
    if row is None:
        raise NotFound(N_("There is no such idea, or it is not open to you."))
    challenge = _challenge_of(connection, actor, row.challenge_id)
    co_authors = _co_authors(connection, [idea_id]).get(idea_id, ())
    card = cards.from_rows(connection, [row], tallies=challenge.phase.tallies)[0]
    view = _view(row, card, challenge, co_authors)
    if not may(actor, Permission.READ_IDEA, view):
        raise NotFound(N_("There is no such idea, or it is not open to you."))
    return view


def among(connection: Connection, actor: Actor, idea_ids: Collection[int]) -> list[IdeaView]:
    """Those of these ideas that the actor may see, by id. Three statements, and one for each of their challenges."""
    rows = connection.execute(_selection(actor).where(IDEA.c.id.in_(idea_ids)).order_by(IDEA.c.id)).all()
    found = challenges.among(connection, actor, {row.challenge_id for row in rows})
    known = {challenge.id: challenge for challenge in found}
    written_along = _co_authors(connection, [row.id for row in rows])
    tallied = {
        card.id: card
        for challenge in known.values()
        for card in cards.from_rows(
            connection,
            [row for row in rows if row.challenge_id == challenge.id],
            tallies=challenge.phase.tallies,
        )
    }
    views = [
        _view(row, tallied[row.id], known[row.challenge_id], written_along.get(row.id, ()))
        for row in rows
        if row.id in tallied
    ]
    return [view for view in views if may(actor, Permission.READ_IDEA, view)]


def versions(connection: Connection, actor: Actor, idea_id: int) -> tuple[IdeaView, Sequence[Any]]:
    """The idea, and what it said before: number, title, body, written_at, editor (None if anonymous), newest first."""
    view = find(connection, actor, idea_id)
    rows = connection.execute(
        select(IDEA_VERSION, PERSON.c.name.label("editor"))
        .join(PERSON, PERSON.c.id == IDEA_VERSION.c.editor_id)
        .where(IDEA_VERSION.c.idea_id == idea_id)
        .order_by(IDEA_VERSION.c.number.desc())
    ).all()
    return view, rows


def bodies(connection: Connection, idea_ids: Sequence[int]) -> dict[int, str]:
    """The texts of these ideas as they were typed, by id, for a caller who has loaded their cards."""
    rows = connection.execute(select(IDEA.c.id, IDEA.c.body).where(IDEA.c.id.in_(idea_ids)))
    return {row.id: row.body for row in rows}


def written_by(connection: Connection, actor: Actor) -> Sequence[Any]:
    """The actor's own ideas that show (id, title, language, challenge_id, anonymous, state), the newest first."""
    return connection.execute(
        select(IDEA.c.id, IDEA.c.title, IDEA.c.language, IDEA.c.challenge_id, IDEA.c.anonymous, IDEA.c.state)
        .where(IDEA.c.author_id == actor.person_id)
        .order_by(IDEA.c.id.desc())
        .limit(50)
    ).all()


def own(connection: Connection, actor: Actor, *, after: int = 0, limit: int = 50) -> Sequence[Any]:
    """The actor's own ideas in the programmes in which they take part, with ids greater than `after`, by id.

    Each row: id, programme_id, challenge_id, title, language, anonymous, state, version, created_at, updated_at.
    """
    names = "id programme_id challenge_id title language anonymous state version created_at updated_at"
    return connection.execute(
        select(*(IDEA.c[name] for name in names.split()))
        .where(
            IDEA.c.author_id == actor.person_id,
            IDEA.c.programme_id.in_(sorted(actor.memberships)),
            IDEA.c.id > after,
        )
        .order_by(IDEA.c.id)
        .limit(limit)
    ).all()


# verbs


def post(
    tx: Transaction,
    actor: Actor,
    challenge_id: int,
    *,
    title: str,
    body: str = "",
    cluster_id: int | None = None,
    anonymous: bool = False,
    language: str | None = None,
) -> int:
    """Put an idea on the board; its id.

    :raises NotAllowed: the role does not post
    :raises Conflict: the phase does not allow posting
    :raises Invalid: title (1 to 120) or body (up to 10,000 characters), cluster of another board, or `anonymous`
        where the challenge does not allow it
    """
    challenge = challenges.find(tx.connection, actor, challenge_id)
    require(actor, Permission.POST_IDEA, challenge)
    challenges.require_open(challenge, "posting")
    values = _checked(title, body, language or actor.language or challenge.language)
    if anonymous and not challenge.anonymous_allowed:
        raise Invalid(FieldError("anonymous", N_("This challenge wants names with its ideas.")))
    membership = actor.memberships[challenge.programme_id]
    written = tx.execute(
        insert(IDEA)
        .values(
            **values,
            programme_id=challenge.programme_id,
            challenge_id=challenge_id,
            cluster_id=_cluster(cluster_id, challenge_id),
            author_id=actor.person_id,
            organisation_id=membership.organisation_id,
            sector_id=membership.sector_id,
            body_html=markdown.render(values["body"]),
            anonymous=anonymous,
            state=OPEN,
            comments=0,
            version=1,
            created_at=tx.now,
            updated_at=tx.now,
        )
        .returning(IDEA.c.id, IDEA.c.cluster_id)
    ).one()
    _require_cluster(cluster_id, written.cluster_id)
    _open_tallies(tx, challenge.programme_id, challenge_id, written.id)
    record(
        tx,
        "idea.posted",
        None if anonymous else actor,
        programme_id=challenge.programme_id,
        challenge_id=challenge_id,
        idea_id=written.id,
        subject_id=written.id,
    )
    return int(written.id)


def edit(tx: Transaction, actor: Actor, idea_id: int, *, version: int | None = None, **changes: Any) -> int:
    """Change title, body, language or cluster; what was there is kept as a version. The new version's number.

    Where it says all that already, nothing happens.

    :raises NotAllowed: the actor is neither the author nor a co-author
    :raises Moved: `version` is given and someone has changed the idea since
    :raises Conflict: the idea is not open, or its phase is past
    """
    idea = hold(tx, actor, idea_id, version=version)
    require(actor, Permission.EDIT_IDEA, idea)
    require_shown(idea)
    _require_writable(idea)
    values: dict[str, Any] = _checked(
        changes.get("title", idea.title),
        changes.get("body", idea.body),
        changes.get("language", idea.language),
    )
    is_other = any(value != getattr(idea, name) for name, value in values.items())
    is_moved = changes.get("cluster_id", idea.cluster_id) != idea.cluster_id
    if not is_other and not is_moved:
        return idea.version
    if is_moved:
        values["cluster_id"] = _cluster(changes["cluster_id"], idea.challenge_id)
    tx.execute(
        insert(IDEA_VERSION).values(
            programme_id=idea.programme_id,
            idea_id=idea_id,
            number=idea.version,
            title=idea.title,
            body=idea.body,
            editor_id=actor.person_id,
            written_at=idea.updated_at,
        )
    )
    cluster_id = _change(tx, idea, **values, body_html=markdown.render(values["body"]))
    if is_moved:
        _require_cluster(changes["cluster_id"], cluster_id)
    record_on(tx, "idea.edited", actor, idea)
    return idea.version + 1


def withdraw(tx: Transaction, actor: Actor, idea_id: int, *, version: int | None = None) -> None:
    """Take an idea off the board, by its author; asked again, nothing more happens."""
    idea = hold(tx, actor, idea_id, version=version)
    require(actor, Permission.WITHDRAW_IDEA, idea)
    if idea.state == WITHDRAWN:
        return
    require_shown(idea)
    _change(tx, idea, state=WITHDRAWN)
    record_on(tx, "idea.withdrawn", actor, idea)


def move(
    tx: Transaction, actor: Actor, idea_id: int, cluster_id: int | None, *, version: int | None = None
) -> None:
    """Put a card into a cluster of its board, or into none; asked again, nothing more happens.

    :raises Moved: `version` is given and someone has changed the idea since
    :raises Invalid: the cluster is of another board
    :raises Conflict: the idea is not open, or its phase is past
    """
    idea = hold(tx, actor, idea_id, version=version)
    require(actor, Permission.MOVE_IDEA, idea)
    require_shown(idea)
    if not may(actor, Permission.ARRANGE_CLUSTERS, idea):
        _require_writable(idea)
    if cluster_id == idea.cluster_id:
        return
    _require_cluster(cluster_id, _change(tx, idea, cluster_id=_cluster(cluster_id, idea.challenge_id)))
    record_on(tx, "idea.moved", actor, idea)


def add_co_author(tx: Transaction, actor: Actor, idea_id: int, person_id: int) -> None:
    """Let someone of the programme write along, by the author; they are told. Twice is once.

    :raises Invalid: the person is not of this programme, or is the author
    :raises Conflict: the idea is anonymous, and a co-author would show who wrote it
    """
    idea = hold(tx, actor, idea_id)
    require(actor, Permission.ADD_CO_AUTHOR, idea)
    require_shown(idea)
    if idea.anonymous:
        raise Conflict(N_("An anonymous idea has no co-authors: they would show who wrote it."))
    member = select(MEMBERSHIP.c.id).where(
        MEMBERSHIP.c.programme_id == idea.programme_id,
        MEMBERSHIP.c.person_id == person_id,
        MEMBERSHIP.c.ended_at.is_(None),
        is_human(MEMBERSHIP.c.person_id),
    )
    if person_id == idea.author_id or tx.execute(member).first() is None:
        raise Invalid(FieldError("person_id", N_("Please choose someone else of this programme.")))
    known = select(CO_AUTHOR.c.person_id).where(
        CO_AUTHOR.c.idea_id == idea_id, CO_AUTHOR.c.person_id == person_id
    )
    if tx.execute(known).first() is not None:
        return
    tx.execute(
        insert(CO_AUTHOR).values(
            idea_id=idea_id, person_id=person_id, programme_id=idea.programme_id, added_at=tx.now
        )
    )
    record_on(tx, "idea.co_authored", actor, idea, subject_id=person_id)
    notices.tell(tx, [person_id], "co_author_added", programme_id=idea.programme_id, idea_id=idea_id)


def remove_co_author(tx: Transaction, actor: Actor, idea_id: int, person_id: int) -> None:
    """End someone's writing along, by the author or by themselves; twice is once."""
    idea = hold(tx, actor, idea_id)
    if person_id != actor.person_id:
        require(actor, Permission.ADD_CO_AUTHOR, idea)
    gone = tx.execute(
        delete(CO_AUTHOR)
        .where(CO_AUTHOR.c.idea_id == idea_id, CO_AUTHOR.c.person_id == person_id)
        .returning(CO_AUTHOR.c.person_id)
    ).first()
    if gone is not None:
        record_on(tx, "idea.co_authored", actor, idea, subject_id=person_id)


def record_on(
    tx: Transaction,
    type: str,
    actor: Actor,
    idea: HeldIdea,
    *,
    subject_id: int | None = None,
    data: dict[str, Any] | None = None,
) -> None:
    """Record an event on an idea, without the actor where that would show who wrote an anonymous one."""
    own = idea.anonymous and actor.person_id == idea.author_id
    record(
        tx,
        type,
        None if own else actor,
        programme_id=idea.programme_id,
        challenge_id=idea.challenge_id,
        idea_id=idea.id,
        subject_id=subject_id or idea.id,
        data=data,
    )


# within


def _challenge_of(connection: Connection, actor: Actor, challenge_id: int) -> ChallengeView:
    """The idea's challenge; who may not see it hears of the idea what they would hear if there were none."""
    try:
        return challenges.find(connection, actor, challenge_id)
    except NotFound:
        raise NotFound(N_("There is no such idea, or it is not open to you.")) from None


def _selection(actor: Actor) -> Select[Any]:
    """Cards with what is beside them in a view."""
    supported = exists().where(SUPPORT.c.idea_id == IDEA.c.id, SUPPORT.c.person_id == actor.person_id)
    version = select(func.max(EVENT.c.id)).where(EVENT.c.challenge_id == IDEA.c.challenge_id)
    return cards.selection(
        IDEA.c.body, supported.label("supported"), version.scalar_subquery().label("event_id")
    )


def _view(row: Any, card: Card, challenge: ChallengeView, co_authors: Sequence[Any]) -> IdeaView:
    return IdeaView(
        card=card,
        challenge=challenge,
        body=row.body,
        author_id=row.author_id,
        co_author_ids=tuple(each.id for each in co_authors),
        co_authors=tuple(each.name for each in co_authors),
        co_authors_since=tuple(each.added_at for each in co_authors),
        merged_into_id=row.merged_into_id,
        supported=row.supported,
        event_id=row.event_id or 0,
    )


def _co_authors(connection: Connection, idea_ids: Sequence[int]) -> dict[int, list[Any]]:
    """Who writes along, by the ids of these ideas: id, name and added_at of each, in order."""
    found: dict[int, list[Any]] = {}
    if not idea_ids:
        return found
    rows = connection.execute(
        select(CO_AUTHOR.c.idea_id, PERSON.c.id, PERSON.c.name, CO_AUTHOR.c.added_at)
        .select_from(CO_AUTHOR)
        .join(PERSON, PERSON.c.id == CO_AUTHOR.c.person_id)
        .where(CO_AUTHOR.c.idea_id.in_(idea_ids))
        .order_by(CO_AUTHOR.c.added_at, PERSON.c.id)
    )
    for row in rows:
        found.setdefault(row.idea_id, []).append(row)
    return found


def _change(tx: Transaction, idea: HeldIdea, **values: Any) -> int | None:
    """Write the next version of the row; the cluster that it is in afterwards."""
    changed: int | None = tx.execute(
        IDEA.update()
        .where(IDEA.c.id == idea.id)
        .values(**values, version=idea.version + 1, updated_at=tx.now)
        .returning(IDEA.c.cluster_id)
    ).scalar_one()
    return changed


def _checked(title: str, body: str, language: str) -> dict[str, str]:
    title, errors = text.line("title", title, most=120)
    body, more = text.passage("body", body, most=10_000)
    errors += more
    if language not in LANGUAGES:
        errors.append(FieldError("language", N_("Please choose one of the languages in the list.")))
    if errors:
        raise Invalid(*errors)
    return {"title": title, "body": body, "language": language}


def _cluster(cluster_id: int | None, challenge_id: int) -> Any:
    """The cluster as a value to write, locked on PostgreSQL so that it stays: NULL where it is not of this board."""
    if cluster_id is None:
        return None
    return (
        select(CLUSTER.c.id)
        .where(CLUSTER.c.id == cluster_id, CLUSTER.c.challenge_id == challenge_id)
        .with_for_update(read=True, key_share=True)
        .scalar_subquery()
    )


def _require_cluster(asked: int | None, written: int | None) -> None:
    if asked != written:
        raise Invalid(FieldError("cluster", N_("Please choose one of the clusters of this board.")))


def _require_writable(idea: HeldIdea) -> None:
    """Ideas are written and arranged until the vote, while posting or commenting is open."""
    if idea.phase.kind not in ("framing", "ideation", "shaping") or not (
        idea.phase.posting or idea.phase.commenting
    ):
        raise Conflict(N_("Ideas can no longer be changed in this phase."))


def _open_tallies(tx: Transaction, programme_id: int, challenge_id: int, idea_id: int) -> None:
    """A row at nought for every sector and for all, since ideas are sorted by walking these rows."""
    key = (literal(challenge_id), literal(idea_id))
    rows = union_all(
        select(*key, SECTOR.c.id, literal(programme_id), literal(0)).where(
            SECTOR.c.programme_id == programme_id
        ),
        select(*key, literal(ALL), literal(programme_id), literal(0)),
    )
    tx.execute(
        insert(TALLY).from_select(["challenge_id", "idea_id", "sector_id", "programme_id", "people"], rows)
    )
