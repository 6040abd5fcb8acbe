"""Reminders: telling those who may vote that a ballot is open, and those who have not voted that it closes soon.

Whom a reminder goes to shows who has not voted. So nobody is told how many there were, and the event names no one.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import and_, exists, select
from sqlalchemy.engine import Connection

from app.database import Transaction, present
from app.errors import Conflict
from app.lib.i18n import N_
from app.models import Ballot, Membership, RollEntry
from app.models.base import table
from app.policies.actor import ANONYMOUS, Actor
from app.policies.permissions import Permission
from app.policies.rules import require
from app.services import ballots, notices
from app.services.ballots import OPEN, BallotView
from app.services.events import record

BALLOT = table(Ballot)
MEMBERSHIP = table(Membership)
ROLL = table(RollEntry)


def due(connection: Connection) -> list[int]:
    """The ids of ballots that have opened and are not announced, or that close soon and whose reminder is not sent."""
    now = present(connection.dialect.name)
    rows = connection.execute(
        select(
            BALLOT.c.id,
            BALLOT.c.announced_at,
            BALLOT.c.opens_at,
            BALLOT.c.closes_at,
            BALLOT.c.reminder_hours,
            BALLOT.c.reminded_at,
            now.label("now"),
        ).where(
            BALLOT.c.counted_at.is_(None),
            BALLOT.c.cancelled_at.is_(None),
            BALLOT.c.opens_at <= now,
            BALLOT.c.closes_at > now,
        )
    )
    return [row.id for row in rows if row.announced_at is None or _is_due(row, row.now)]


def tell(tx: Transaction, ballot_id: int) -> str:
    """Announce a ballot that has opened, or send its reminder, whichever is due: each once. What it did, in a word."""
    ballot = _held(tx, ballot_id)
    if ballot is None or ballot.state != OPEN:
        return "nothing"
    if ballot.announced_at is None:
        _tell(tx, ballot, "ballot_opened", _people(tx, ballot, only_absent=False))
        tx.execute(BALLOT.update().where(BALLOT.c.id == ballot_id).values(announced_at=tx.now))
        _record(tx, "ballot.announced", None, ballot)
        return "announced"
    if _is_due(ballot, ballot.now):
        _remind(tx, ballot, None)
        return "reminded"
    return "nothing"


def remind(tx: Transaction, actor: Actor, ballot_id: int) -> None:
    """Send the reminder now, in place of the one by the clock.

    :raises NotAllowed: the actor is no coordinator
    :raises Conflict: the ballot is not open, or a reminder was sent in the last hour
    """
    ballots.take_turns(tx, [ballot_id])
    ballot = ballots.find(tx.connection, actor, ballot_id)
    require(actor, Permission.REMIND_VOTERS, ballot)
    if ballot.state != OPEN:
        raise Conflict(N_("This ballot is not open."))
    if ballot.reminded_at is not None and ballot.now - ballot.reminded_at < timedelta(hours=1):
        raise Conflict(N_("A reminder was sent less than an hour ago."))
    _remind(tx, ballot, actor)


def _is_due(row: Any, now: Any) -> bool:
    """Whether the reminder by the clock is due; a ballot that is shorter than that is announced only."""
    before = timedelta(hours=row.reminder_hours)
    is_long = row.closes_at - row.opens_at > before
    return row.reminded_at is None and row.reminder_hours > 0 and is_long and row.closes_at - now <= before


def _held(tx: Transaction, ballot_id: int) -> BallotView | None:
    ballots.take_turns(tx, [ballot_id])
    row = tx.execute(ballots.selection(tx.connection, ANONYMOUS).where(BALLOT.c.id == ballot_id)).first()
    return ballots.view(row) if row else None


def _remind(tx: Transaction, ballot: BallotView, actor: Actor | None) -> None:
    _tell(tx, ballot, "ballot_reminder", _people(tx, ballot, only_absent=True))
    tx.execute(BALLOT.update().where(BALLOT.c.id == ballot.id).values(reminded_at=tx.now))
    _record(tx, "ballot.reminded", actor, ballot)


def _people(tx: Transaction, ballot: BallotView, *, only_absent: bool) -> Sequence[int]:
    """The ids of those who may vote; of those alone who have not, if `only_absent`."""
    chosen = select(MEMBERSHIP.c.person_id).where(ballots.may_vote(ballot))
    if only_absent:
        voted = exists().where(
            and_(ROLL.c.ballot_id == ballot.id, ROLL.c.person_id == MEMBERSHIP.c.person_id)
        )
        chosen = chosen.where(~voted)
    return tx.execute(chosen).scalars().all()


def _tell(tx: Transaction, ballot: BallotView, kind: str, people: Sequence[int]) -> None:
    notices.tell(tx, people, kind, programme_id=ballot.programme_id, ballot_id=ballot.id)


def _record(tx: Transaction, type: str, actor: Actor | None, ballot: BallotView) -> None:
    record(
        tx,
        type,
        actor,
        programme_id=ballot.programme_id,
        challenge_id=ballot.challenge_id,
        subject_id=ballot.id,
    )
