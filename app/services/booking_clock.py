"""Bookings by the clock: what begins, ends, lapses or is stuck, if anyone looks or not; and who is reminded.

What is due stands in the database; each booking is settled in a transaction of its own, and again changes nothing.
"""

from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Date, and_, case, exists, func, literal, or_, select
from sqlalchemy.engine import Connection
from sqlalchemy.sql import ColumnElement

from app.database import Transaction, present
from app.lib import days
from app.lib.i18n import N_
from app.methods.booking_machine import (
    APPROVED,
    CLOCK,
    COMPLETED,
    CONFIRMED,
    HELD,
    LIVE,
    OFFERED,
    UNDER_WAY,
    WAITING,
)
from app.models import Booking, Membership, Person
from app.models.base import table
from app.models.exchange import COORDINATOR, GUEST, HOST
from app.services import booking_steps, deciding, exchange_people, exchange_rules, swaps, taking_back
from app.services.bookings import BookingView

BOOKING = table(Booking)
MEMBERSHIP = table(Membership)
PERSON = table(Person)
RULES = exchange_rules.RULES
USUAL: Final = exchange_rules.Rules(0)

NEW_RULES_FOR: Final = timedelta(hours=1)
"""How long after a change of rules all that waits for an approval is looked at, which it may no longer need."""

MOST_AT_ONCE: Final = 500
"""How many bookings one look names as due."""

LEFT: Final = N_("The guest is no longer in the organisation for which they asked.")


def due(connection: Connection, *, after: int = 0) -> list[int]:
    """The ids, greater than `after`, of bookings with which something is to be done now, in their order.

    At most `MOST_AT_ONCE`: whoever settles them asks for those after the last, until there are none.
    """
    now: datetime = connection.execute(select(present(connection.dialect.name))).scalar_one()
    today = _today(connection, now)
    has_left = ~exists().where(
        MEMBERSHIP.c.person_id == BOOKING.c.person_id,
        MEMBERSHIP.c.programme_id == BOOKING.c.programme_id,
        MEMBERSHIP.c.organisation_id == BOOKING.c.organisation_id,
        MEMBERSHIP.c.ended_at.is_(None),
        PERSON.c.disabled_at.is_(None),
    )
    state = BOOKING.c.state
    rows = connection.execute(
        select(BOOKING.c.id)
        .join(PERSON, PERSON.c.id == BOOKING.c.person_id)
        .outerjoin(RULES, RULES.c.programme_id == BOOKING.c.programme_id)
        .where(
            BOOKING.c.id > after,
            or_(
                state.in_((OFFERED, HELD)) & (BOOKING.c.expires_at <= now),
                state.in_((WAITING, OFFERED, HELD, APPROVED, CONFIRMED)) & (BOOKING.c.first_day <= today),
                (state == UNDER_WAY) & (BOOKING.c.last_day < today),
                state.in_(LIVE) & (state != UNDER_WAY) & has_left,
                state.in_((HELD, APPROVED)) & (RULES.c.updated_at > now - NEW_RULES_FOR),
                _is_to_remind(now, connection.dialect.name),
            ),
        )
        .order_by(BOOKING.c.id)
        .limit(MOST_AT_ONCE)
    )
    return list(rows.scalars())


def _today(connection: Connection, now: datetime) -> ColumnElement[date]:
    """The day that it is now where the programme of a booking is, as a part of a statement."""
    zones = connection.execute(select(RULES.c.zone).distinct()).scalars()
    days_of = [(RULES.c.zone == zone, days.today(zone, now)) for zone in sorted(zones)]
    usual: Any = literal(days.today(USUAL.zone, now), Date)
    return (
        case(*((is_there, literal(day, Date)) for is_there, day in days_of), else_=usual)
        if days_of
        else usual
    )


def _is_to_remind(now: datetime, dialect: str) -> ColumnElement[bool]:
    """The condition that someone is to be reminded of a booking, or the coordinators told: as `_remind` has it."""
    allowed = func.coalesce(RULES.c.remind_days, USUAL.remind_days)
    waited = _days_from(BOOKING.c.updated_at, literal(now, BOOKING.c.updated_at.type), dialect)
    told_after = _days_from(BOOKING.c.updated_at, BOOKING.c.reminded_at, dialect)
    is_overdue = (BOOKING.c.state != COMPLETED) & (waited >= 2 * allowed) & (told_after < 2 * allowed)
    return and_(
        BOOKING.c.state.in_((HELD, APPROVED, COMPLETED)),
        BOOKING.c.updated_at <= now - timedelta(days=1),
        waited >= allowed,
        or_(BOOKING.c.reminded_at.is_(None), is_overdue),
    )


def _days_from(earlier: ColumnElement[Any], later: ColumnElement[Any], dialect: str) -> ColumnElement[Any]:
    """How many days lie between two instants, with their fraction."""
    if dialect == "postgresql":
        return func.extract("epoch", later - earlier) / 86_400
    return func.julianday(later) - func.julianday(earlier)


def settle(tx: Transaction, booking_id: int) -> str:
    """Do what is due with a booking now; what that was, in a word."""
    booking = booking_steps.held(tx, booking_id)
    today = booking.rules.today(booking.now)
    if booking.state in LIVE and booking.state != UNDER_WAY and _has_left(tx, booking):
        taking_back.end(tx, booking, "leave", actor=None, role=CLOCK, reason=LEFT)
        return "left"
    is_over = booking.expires_at is not None and booking.expires_at <= booking.now
    has_begun = booking.first_day <= today
    if booking.state == OFFERED and (is_over or has_begun):
        return _end(tx, booking, "pass", "booking_passed_on")
    if booking.state in (HELD, APPROVED) and (is_over or has_begun):
        return _end(tx, booking, "expire", "booking_expired")
    if booking.state == WAITING and has_begun:
        return _end(tx, booking, "expire", "booking_line_over")
    if booking.state == CONFIRMED and has_begun:
        booking = booking_steps.take(tx, booking, "start", None, CLOCK)
    if booking.state == UNDER_WAY and booking.last_day < today:
        completed = booking_steps.take(tx, booking, "complete", None, CLOCK)
        exchange_people.tell(tx, completed, (GUEST, HOST), "booking_to_reflect")
        return "completed"
    return _go_on(tx, booking) or _remind(tx, booking)


def is_stuck(booking: BookingView) -> bool:
    """Whether a booking has waited so long that a coordinator should see to it."""
    waited = booking.now - booking.updated_at
    return booking.state in (HELD, APPROVED) and waited >= 2 * timedelta(days=booking.rules.remind_days)


# within


def _end(tx: Transaction, booking: BookingView, action: str, kind: str) -> str:
    others = (GUEST, *exchange_people.had_part(booking)) if booking.state != WAITING else (GUEST,)
    ended = booking_steps.take(tx, booking, action, None, CLOCK, expires_at=None)
    exchange_people.tell(tx, ended, others, kind)
    swaps.release(tx, ended)
    return ended.state


def _go_on(tx: Transaction, booking: BookingView) -> str:
    """Go on with what nobody is asked for any more, since the programme's rules ask for less than they did."""
    if booking.state == HELD and not booking.asked:
        deciding.open_decisions(tx, booking)
        return "cleared"
    if booking.state == APPROVED and not booking.open_items:
        deciding.settle(tx, booking, None, CLOCK)
        return "confirmed"
    return ""


def _remind(tx: Transaction, booking: BookingView) -> str:
    """Remind those who have to act, once after the days that the programme allows; then tell the coordinators, once.

    A step of the booking begins the days anew. Of a stay that is over, its two sides are reminded once.
    """
    if booking.state not in (HELD, APPROVED, COMPLETED) or not booking.awaited:
        return "nothing"
    allowed = timedelta(days=booking.rules.remind_days)
    last = booking.reminded_at
    if last is None and booking.now - booking.updated_at >= allowed:
        if booking.state == HELD:
            exchange_people.ask(tx, booking, booking.asked, "booking_reminder")
        else:
            exchange_people.tell(tx, booking, booking.awaited, "booking_reminder")
        return _note(tx, booking, "reminded")
    was_told_once = last is not None and last - booking.updated_at < 2 * allowed
    if booking.state != COMPLETED and was_told_once and booking.now - booking.updated_at >= 2 * allowed:
        exchange_people.tell(tx, booking, (COORDINATOR,), "booking_overdue")
        return _note(tx, booking, "overdue")
    return "nothing"


def _note(tx: Transaction, booking: BookingView, what: str) -> str:
    """Keep when someone was reminded; the booking itself is as it was, so its `updated_at` stays."""
    tx.execute(BOOKING.update().where(BOOKING.c.id == booking.id).values(reminded_at=booking.now))
    booking_steps.note(tx, booking, "booking.reminded", None)
    return what


def _has_left(tx: Transaction, booking: BookingView) -> bool:
    row: Any = tx.execute(
        select(MEMBERSHIP.c.id)
        .join(PERSON, PERSON.c.id == MEMBERSHIP.c.person_id)
        .where(
            MEMBERSHIP.c.programme_id == booking.programme_id,
            MEMBERSHIP.c.person_id == booking.person_id,
            MEMBERSHIP.c.organisation_id == booking.organisation_id,
            MEMBERSHIP.c.ended_at.is_(None),
            PERSON.c.disabled_at.is_(None),
        )
    ).first()
    return row is None
