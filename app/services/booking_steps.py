"""Steps of a booking: the only place that changes its state, by the table in `methods.booking_machine`.

Whoever changes bookings takes a turn first, so that what is read here of capacity, of waiting lines and of a person's
other stays still holds when it is committed.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import and_, select, text
from sqlalchemy.engine import Connection

from app.database import Transaction
from app.errors import Conflict, Moved, NotFound
from app.lib.days import Span
from app.lib.i18n import N_
from app.methods import booking_machine as machine
from app.methods.booking_machine import HOLDING
from app.models import Booking, BookingStep, DecisionLink, Period
from app.models.base import table
from app.policies.actor import Actor
from app.services import bookings, placements
from app.services.bookings import BookingView
from app.services.events import record
from app.services.exchange_rules import Rules
from app.services.placements import PeriodView

BOOKING = table(Booking)
STEP = table(BookingStep)
LINK = table(DecisionLink)
PERIOD = table(Period)


def take_turn(tx: Transaction) -> None:
    """Let processes change bookings one after another, until the commit.

    All programmes share one turn: a person of two of them is not in two places at once either, and a place given
    back in one may let them be asked in the other. SQLite has one writer at a time anyway.
    """
    if tx.dialect == "postgresql":
        tx.execute(_TURN, {"turn": TURN_LOCK})


TURN_LOCK: Final = 0x706678 << 40
"""The PostgreSQL advisory lock of exchanges."""

_TURN: Final = text("SELECT pg_advisory_xact_lock(:turn)")


def hold(tx: Transaction, actor: Actor, booking_id: int, *, version: int | None = None) -> BookingView:
    """A booking that nobody else changes until the commit.

    :raises NotFound: there is none, or the actor may not see it
    :raises Moved: `version` is given and no longer the newest
    """
    _take_turn_of(tx, booking_id)
    booking = bookings.find(tx.connection, actor, booking_id)
    if version is not None and version != booking.version:
        raise Moved(N_("Someone has changed this booking in the meantime."), current=booking.version)
    return booking


def held(tx: Transaction, booking_id: int) -> BookingView:
    """The same for the clock and for links, which see every booking.

    :raises NotFound: there is none
    """
    _take_turn_of(tx, booking_id)
    return found(tx.connection, booking_id)


def found(connection: Connection, booking_id: int) -> BookingView:
    """A booking, whoever asks.

    :raises NotFound: there is none
    """
    rows = connection.execute(bookings.selection(connection).where(BOOKING.c.id == booking_id)).all()
    if not rows:
        raise NotFound(bookings.UNSEEN)
    return bookings.views(connection, rows)[0]


def take(
    tx: Transaction,
    booking: BookingView,
    action: str,
    actor: Actor | None,
    role: str,
    *,
    to: str | None = None,
    reason: str = "",
    **values: Any,
) -> BookingView:
    """Take one step, with what else of the booking changes in it; the booking after it.

    Decision links that are out end with the state that they were made for, unless it stays `held` in the same round.

    :raises Conflict: the table of states has no such step from here
    """
    try:
        transition = machine.step(action, booking.state, to)
    except machine.Impossible:
        raise Conflict(
            N_("This is no longer possible: the booking has moved on. Please look at it again.")
        ) from None
    state = to or transition.targets[0]
    changed = {
        "state": state,
        "version": booking.version + 1,
        "updated_at": tx.now,
        "reminded_at": None,
        **values,
    }
    tx.execute(
        BOOKING.update().where(BOOKING.c.id == booking.id, BOOKING.c.state == booking.state).values(changed)
    )
    if (state, changed.get("round", booking.round)) != (booking.state, booking.round):
        revoke_links(tx, booking.id)
    first_day, last_day = (changed.get(name, getattr(booking, name)) for name in ("first_day", "last_day"))
    write(
        tx,
        transition,
        actor,
        role,
        programme_id=booking.programme_id,
        booking_id=booking.id,
        source=booking.state,
        state=state,
        period_id=changed.get("period_id", booking.period_id),
        stay=Span(first_day, last_day),
        reason=reason,
    )
    return found(tx.connection, booking.id)


def write(
    tx: Transaction,
    transition: machine.Transition,
    actor: Actor | None,
    role: str,
    *,
    programme_id: int,
    booking_id: int,
    source: str,
    state: str,
    period_id: int,
    stay: Span,
    reason: str = "",
) -> None:
    """Write a step down: with its reason for those whom it concerns, and as an event without words of people."""
    tx.execute(
        STEP.insert(),
        {
            "programme_id": programme_id,
            "booking_id": booking_id,
            "action": transition.action,
            "state": state,
            "role": role,
            "actor_id": actor.person_id if actor else None,
            "reason": reason,
            "first_day": stay.first_day,
            "last_day": stay.last_day,
            "taken_at": tx.now,
        },
    )
    record(
        tx,
        transition.event,
        actor,
        programme_id=programme_id,
        subject_id=booking_id,
        data={
            "from": source,
            "to": state,
            "period": period_id,
            "first_day": stay.first_day.isoformat(),
            "last_day": stay.last_day.isoformat(),
        },
    )


def note(tx: Transaction, booking: BookingView, type: str, actor: Actor | None) -> None:
    """Record an event that changes no state."""
    record(tx, type, actor, programme_id=booking.programme_id, subject_id=booking.id)


def revoke_links(tx: Transaction, booking_id: int) -> None:
    """End the links of a booking that nobody has used yet. One statement."""
    unused = and_(LINK.c.booking_id == booking_id, LINK.c.used_at.is_(None), LINK.c.revoked_at.is_(None))
    tx.execute(LINK.update().where(unused).values(revoked_at=tx.now))


def until(rules: Rules, now: datetime, days: int, stay: Span) -> datetime:
    """When something that is asked now is no longer waited for: after `days`, and never after the stay begins."""
    return min(now + timedelta(days=days), rules.begins(stay.first_day))


def period(connection: Connection, period_id: int, *, without: int = 0) -> PeriodView:
    """A period with what is taken of it, not counting the booking `without`. Two statements.

    :raises NotFound: there is none
    """
    row = connection.execute(select(PERIOD).where(PERIOD.c.id == period_id)).first()
    if row is None:
        raise NotFound(N_("There are no such days at this placement."))
    return placements.period_view(row, taken(connection, period_id, without=without))


def taken(connection: Connection, period_id: int, *, without: int = 0) -> tuple[Span, ...]:
    """The stays that hold a place in a period, not counting the booking `without`. One statement."""
    rows = connection.execute(
        select(BOOKING.c.first_day, BOOKING.c.last_day).where(
            BOOKING.c.period_id == period_id, BOOKING.c.state.in_(HOLDING), BOOKING.c.id != without
        )
    )
    return tuple(Span(first_day, last_day) for first_day, last_day in rows)


def is_elsewhere(connection: Connection, person_id: int, stay: Span, *, without: int = 0) -> bool:
    """Whether a person holds a place anywhere on one of these days, not counting the booking `without`."""
    rows = connection.execute(
        select(BOOKING.c.id)
        .where(
            BOOKING.c.person_id == person_id,
            BOOKING.c.state.in_(HOLDING),
            BOOKING.c.id != without,
            BOOKING.c.first_day <= stay.last_day,
            BOOKING.c.last_day >= stay.first_day,
        )
        .limit(1)
    )
    return rows.first() is not None


def _take_turn_of(tx: Transaction, booking_id: int) -> None:
    programme_id = tx.execute(select(BOOKING.c.programme_id).where(BOOKING.c.id == booking_id)).scalar()
    if programme_id is None:
        raise NotFound(bookings.UNSEEN)
    take_turn(tx)
