"""The event log: written with every change, read by everything that follows changes."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, func, select
from sqlalchemy.engine import Connection

from app.database import Transaction
from app.models import Event
from app.models.base import table
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import require

EVENT = table(Event)

TYPES = frozenset(
    {
        "ballot.announced",
        "ballot.cancelled",
        "ballot.changed",
        "ballot.closed",
        "ballot.counted",
        "ballot.extended",
        "ballot.made",
        "ballot.reminded",
        "ballot.tallied",
        "challenge.changed",
        "challenge.created",
        "challenge.deleted",
        "cluster.created",
        "cluster.removed",
        "cluster.renamed",
        "comment.hidden",
        "comment.posted",
        "comment.withdrawn",
        "idea.answered",
        "idea.co_authored",
        "idea.edited",
        "idea.hidden",
        "idea.moved",
        "idea.pinned",
        "idea.posted",
        "idea.restored",
        "idea.unpinned",
        "idea.withdrawn",
        "interest.declared",
        "interest.withdrawn",
        "merge.accepted",
        "merge.declined",
        "merge.objected",
        "merge.proposed",
        "merge.undone",
        "notice.read",
        "person.changed",
        "person.joined",
        "phase.changed",
        "programme.created",
        "session.ended",
        "session.started",
        "solution.changed",
        "solution.promoted",
        "solution.withdrawn",
        "support.given",
        "support.withdrawn",
        "token.created",
        "token.revoked",
        "vote.cast",
        "vote.withdrawn",
    }
)
"""Every type there is; `docs/events.md` tells what each means."""


def record(
    tx: Transaction,
    type: str,
    actor: Actor | None,
    *,
    programme_id: int | None = None,
    challenge_id: int | None = None,
    idea_id: int | None = None,
    subject_id: int | None = None,
    data: dict[str, Any] | None = None,
) -> None:
    """Append one event in the transaction of the change; `data` holds ids and words of ours, no text of people.

    :raises ValueError: the type is not in `TYPES`
    """
    if type not in TYPES:
        raise ValueError(f"unknown event type {type}")
    tx.append(
        EVENT,
        {
            "programme_id": programme_id,
            "challenge_id": challenge_id,
            "idea_id": idea_id,
            "subject_id": subject_id,
            "type": type,
            "actor_id": actor.person_id if actor else None,
            "data": data or {},
            "created_at": tx.now,
        },
    )


def in_programme(
    connection: Connection, actor: Actor, programme: Any, *, after: int = 0, limit: int = 50
) -> Sequence[Any]:
    """A programme's (`ProgrammeView`) events with ids greater than `after`, in the order of commits, `limit` at most.

    Who gave or took back support is not told, nor who wrote an anonymous idea.
    """
    require(actor, Permission.READ_EVENTS, programme)
    return connection.execute(
        select(EVENT)
        .where(EVENT.c.programme_id == programme.id, EVENT.c.id > after)
        .order_by(EVENT.c.id)
        .limit(limit)
    ).all()


def latest_on(connection: Connection, challenge_id: int) -> int:
    """The id of the newest event of a challenge, which is the version of its board; 0 before the first."""
    return connection.execute(_LATEST, {"challenge_id": challenge_id}).scalar() or 0


_LATEST = select(func.max(EVENT.c.id)).where(EVENT.c.challenge_id == bindparam("challenge_id"))
