"""Moderation: facilitators pin ideas, and hide them for a reason that the author is told and can answer."""

from typing import Any

from sqlalchemy import Row, delete, insert, select
from sqlalchemy.engine import Connection

from app.database import Transaction
from app.errors import Conflict, Invalid
from app.lib.i18n import N_
from app.models import CoAuthor, Hiding, Idea, Pin
from app.models.base import table
from app.models.idea import HIDDEN, OPEN
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import require
from app.schemas import text
from app.services import notices
from app.services.held import HeldIdea, hold, require_shown
from app.services.ideas import record_on

IDEA = table(Idea)
PIN = table(Pin)
HIDING = table(Hiding)
CO_AUTHOR = table(CoAuthor)


def hiding_of(connection: Connection, idea_id: int) -> Row[Any] | None:
    """The hiding in force on an idea (reason, hidden_at, answer, answered_at …), if it is hidden."""
    return connection.execute(
        select(HIDING)
        .where(HIDING.c.idea_id == idea_id, HIDING.c.lifted_at.is_(None))
        .order_by(HIDING.c.id.desc())
    ).first()


def pin(tx: Transaction, actor: Actor, idea_id: int) -> None:
    """Put an idea first on its board; twice is once."""
    idea = _moderated(tx, actor, idea_id)
    require_shown(idea)
    if tx.execute(select(PIN.c.idea_id).where(PIN.c.idea_id == idea_id)).first() is None:
        tx.execute(
            insert(PIN).values(
                idea_id=idea_id,
                programme_id=idea.programme_id,
                challenge_id=idea.challenge_id,
                pinned_by=actor.person_id,
                pinned_at=tx.now,
            )
        )
        record_on(tx, "idea.pinned", actor, idea)


def unpin(tx: Transaction, actor: Actor, idea_id: int) -> None:
    """Let an idea stand where its order puts it; twice is once."""
    idea = _moderated(tx, actor, idea_id)
    if tx.execute(delete(PIN).where(PIN.c.idea_id == idea_id).returning(PIN.c.idea_id)).first() is not None:
        record_on(tx, "idea.unpinned", actor, idea)


def hide(tx: Transaction, actor: Actor, idea_id: int, *, reason: str) -> None:
    """Take an idea off the board for a stated reason; its authors are told, and can answer.

    :raises Invalid: no reason, or one longer than 1,000 characters
    :raises Conflict: the idea does not stand on the board
    """
    idea = _moderated(tx, actor, idea_id)
    if idea.state == HIDDEN:
        raise Conflict(N_("Someone has hidden this idea already."))
    require_shown(idea)
    reason, errors = text.passage("reason", reason, most=1000, least=1)
    if errors:
        raise Invalid(*errors)
    tx.execute(
        insert(HIDING).values(
            programme_id=idea.programme_id,
            idea_id=idea_id,
            reason=reason,
            hidden_by=actor.person_id,
            hidden_at=tx.now,
        )
    )
    _turn(tx, idea, HIDDEN)
    record_on(tx, "idea.hidden", actor, idea)
    _tell_authors(tx, actor, idea, "idea_hidden", {"reason": reason})


def restore(tx: Transaction, actor: Actor, idea_id: int) -> None:
    """Put a hidden idea back on the board; its authors are told. Twice is once."""
    idea = _moderated(tx, actor, idea_id)
    if idea.state != HIDDEN:
        return
    tx.execute(
        HIDING.update()
        .where(HIDING.c.idea_id == idea_id, HIDING.c.lifted_at.is_(None))
        .values(lifted_by=actor.person_id, lifted_at=tx.now)
    )
    _turn(tx, idea, OPEN)
    record_on(tx, "idea.restored", actor, idea)
    _tell_authors(tx, actor, idea, "idea_restored", {})


def answer(tx: Transaction, actor: Actor, idea_id: int, *, answer: str) -> None:
    """Answer a hiding, by an author; the facilitator who hid the idea is told. A later answer replaces it.

    :raises Conflict: the idea is not hidden
    :raises Invalid: the answer is empty or longer than 2,000 characters
    """
    idea = hold(tx, actor, idea_id)
    require(actor, Permission.ANSWER_HIDING, idea)
    if idea.state != HIDDEN:
        raise Conflict(N_("This idea is not hidden."))
    answer, errors = text.passage("answer", answer, most=2000, least=1)
    if errors:
        raise Invalid(*errors)
    hidden_by = tx.execute(
        HIDING.update()
        .where(HIDING.c.idea_id == idea_id, HIDING.c.lifted_at.is_(None))
        .values(answer=answer, answered_at=tx.now)
        .returning(HIDING.c.hidden_by)
    ).scalar_one()
    record_on(tx, "idea.answered", actor, idea)
    notices.tell(
        tx,
        [hidden_by],
        "hiding_answered",
        programme_id=idea.programme_id,
        idea_id=idea_id,
        data={"answer": answer},
    )


def _moderated(tx: Transaction, actor: Actor, idea_id: int) -> HeldIdea:
    idea = hold(tx, actor, idea_id)
    require(actor, Permission.MODERATE, idea)
    return idea


def _turn(tx: Transaction, idea: HeldIdea, state: str) -> None:
    tx.execute(
        IDEA.update()
        .where(IDEA.c.id == idea.id)
        .values(state=state, version=idea.version + 1, updated_at=tx.now)
    )


def _tell_authors(tx: Transaction, actor: Actor, idea: HeldIdea, kind: str, data: dict[str, Any]) -> None:
    along = tx.execute(select(CO_AUTHOR.c.person_id).where(CO_AUTHOR.c.idea_id == idea.id)).scalars()
    told = {idea.author_id, *along} - {actor.person_id}
    notices.tell(tx, told, kind, programme_id=idea.programme_id, idea_id=idea.id, data=data)
