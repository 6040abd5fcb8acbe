"""Waiting lines: who comes next when a place becomes free. In order, and at once: within the change that freed it."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import exists, select

from app.database import Transaction
from app.lib.days import Span
from app.methods import capacity
from app.methods.booking_machine import CLOCK, HOLDING, WAITING
from app.models import Booking, ConflictOfInterest, Period, Placement
from app.models.base import table
from app.models.exchange import GUEST
from app.services import booking_steps, exchange_people
from app.services.bookings import BookingView

BOOKING = table(Booking)
PERIOD = table(Period)
PLACEMENT = table(Placement)
CONFLICT = table(ConflictOfInterest)
OTHER = BOOKING.alias("other")


def promote(tx: Transaction, freed: Iterable[BookingView]) -> None:
    """Offer what `freed` bookings have let go of to those who wait, as long as places last.

    Looked at are the lines of their periods, and those in which their people wait, who were elsewhere until now. The
    programme's turn has been taken.
    """
    freed = list(freed)
    period_ids = {each.period_id for each in freed}
    people = {each.person_id for each in freed}
    waiting = tx.execute(
        select(BOOKING.c.period_id).where(BOOKING.c.person_id.in_(sorted(people)), BOOKING.c.state == WAITING)
    )
    promote_in(tx, period_ids | set(waiting.scalars()))


def promote_for(tx: Transaction, person_id: int) -> None:
    """Offer the free places of the periods for which a person waits, each line in its order."""
    waiting = tx.execute(
        select(BOOKING.c.period_id).where(BOOKING.c.person_id == person_id, BOOKING.c.state == WAITING)
    )
    promote_in(tx, waiting.scalars())


def promote_in(tx: Transaction, period_ids: Iterable[int]) -> None:
    """Offer the free places of some periods to those who wait for them, each line in its order.

    Whoever holds a place elsewhere on the same days, or has declared a conflict of interest with the host, keeps their
    place in line, and the next one is asked.
    """
    for period_id in sorted(set(period_ids)):
        _promote(tx, period_id)


def _promote(tx: Transaction, period_id: int) -> None:
    waiting = _line(tx, period_id)
    if not waiting:
        return
    period = booking_steps.period(tx.connection, period_id)
    taken = list(period.taken)
    offered: list[tuple[int, Span]] = []
    for row in waiting:
        stay = Span(row.first_day, row.last_day)
        is_elsewhere = any(each == row.person_id and span.overlaps(stay) for each, span in offered)
        if is_elsewhere or not capacity.fits(stay, taken, period.places):
            continue
        booking = booking_steps.found(tx.connection, row.id)
        if stay.first_day <= booking.rules.today(booking.now):
            continue
        taken.append(stay)
        offered.append((row.person_id, stay))
        _offer(tx, booking)


def _line(tx: Transaction, period_id: int) -> list[Any]:
    """Those who wait for a period, in order, but who are elsewhere on the same days or must not go. One statement."""
    is_elsewhere = exists().where(
        OTHER.c.person_id == BOOKING.c.person_id,
        OTHER.c.state.in_(HOLDING),
        OTHER.c.first_day <= BOOKING.c.last_day,
        OTHER.c.last_day >= BOOKING.c.first_day,
    )
    is_conflicted = exists().where(
        CONFLICT.c.programme_id == BOOKING.c.programme_id,
        CONFLICT.c.person_id == BOOKING.c.person_id,
        CONFLICT.c.organisation_id == PLACEMENT.c.organisation_id,
    )
    rows = tx.execute(
        select(BOOKING.c.id, BOOKING.c.person_id, BOOKING.c.first_day, BOOKING.c.last_day)
        .join(PERIOD, PERIOD.c.id == BOOKING.c.period_id)
        .join(PLACEMENT, PLACEMENT.c.id == BOOKING.c.placement_id)
        .where(
            BOOKING.c.period_id == period_id,
            BOOKING.c.state == WAITING,
            PERIOD.c.withdrawn_at.is_(None),
            PLACEMENT.c.withdrawn_at.is_(None),
            ~is_elsewhere,
            ~is_conflicted,
        )
        .order_by(BOOKING.c.line_at, BOOKING.c.id)
    )
    return list(rows.all())


def _offer(tx: Transaction, booking: BookingView) -> None:
    rules = booking.rules
    expires_at = booking_steps.until(rules, booking.now, rules.offer_days, booking.stay)
    offered = booking_steps.take(tx, booking, "offer", None, CLOCK, expires_at=expires_at)
    exchange_people.tell(tx, offered, (GUEST,), "booking_offered")
