"""Moving a stay to other days of its placement: it keeps its place in line, and what was decided is decided anew."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import and_, func, or_, select

from app.database import Transaction
from app.errors import Conflict, FieldError, Invalid
from app.lib.days import Span
from app.lib.i18n import N_
from app.methods.booking_machine import HELD, HOLDING, WAITING
from app.models import Booking
from app.models.base import table
from app.models.exchange import COORDINATOR, GUEST
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import require
from app.services import (
    booking_steps,
    deciding,
    exchange_people,
    placements,
    stays,
    waiting_lines,
)
from app.services.bookings import BookingView
from app.services.placements import PeriodView

BOOKING = table(Booking)


def move(
    tx: Transaction,
    actor: Actor,
    booking_id: int,
    *,
    period_id: int,
    first_day: date | None = None,
    last_day: date | None = None,
    version: int | None = None,
) -> None:
    """Move a stay to other days of its placement. It keeps its place in line; what was decided is decided anew.

    :raises NotAllowed: the actor is neither the guest nor a coordinator
    :raises Conflict: it has ended, or its hold has; or no place is free on those days, for a stay that holds one: it
        stays as it was
    :raises Invalid: the days cannot be taken
    """
    booking = booking_steps.hold(tx, actor, booking_id, version=version)
    require(actor, Permission.MOVE_BOOKING, booking)
    is_over = booking.expires_at is not None and booking.expires_at <= booking.now
    if is_over or not booking.can("move"):
        raise Conflict(N_("The days of this stay cannot be changed any more."))
    placement = placements.find(tx.connection, actor, booking.placement_id)
    period, stay = stays.chosen(
        placement,
        booking.rules,
        booking.now,
        period_id=period_id,
        first_day=first_day,
        last_day=last_day,
    )
    if (period.id, stay) == (booking.period_id, booking.stay):
        raise Invalid(FieldError("first_day", N_("These are the days that it has already.")))
    period = booking_steps.period(tx.connection, period.id, without=booking.id)
    is_free = period.fits(stay) and not booking_steps.is_elsewhere(
        tx.connection, booking.person_id, stay, without=booking.id
    )
    if not is_free and booking.state != WAITING:
        raise Conflict(
            N_("No place is free on those days, or you are elsewhere then. Your present place is kept.")
        )
    is_next = is_free and not _is_behind(tx, booking, period, stay)
    target = HELD if booking.state != WAITING or is_next else WAITING
    moved = _moved(tx, actor, booking, _Days(period.id, stay), target)
    kind = "booking_moved" if booking.confirmed_at is None else "booking_unconfirmed"
    others = (GUEST, *exchange_people.had_part(booking))
    # What was confirmed stands in calendars: also in that of whoever moves it.
    but = actor.person_id if booking.confirmed_at is None else None
    exchange_people.tell(tx, moved, others, kind, but=but)
    if target == HELD:
        deciding.open_decisions(tx, moved)
    if booking.state in HOLDING:
        waiting_lines.promote(tx, [booking])
    elif target == WAITING:
        # Whoever stands before it may be elsewhere, or want more days than are free.
        waiting_lines.promote_in(tx, [period.id])


@dataclass(frozen=True, slots=True)
class _Days:
    """Where a stay is moved to."""

    period_id: int
    stay: Span


def _moved(tx: Transaction, actor: Actor, booking: BookingView, days: _Days, target: str) -> BookingView:
    rules = booking.rules
    held_until = booking_steps.until(rules, booking.now, rules.hold_days, days.stay)
    return booking_steps.take(
        tx,
        booking,
        "move",
        actor,
        GUEST if actor.person_id == booking.person_id else COORDINATOR,
        to=target,
        period_id=days.period_id,
        first_day=days.stay.first_day,
        last_day=days.stay.last_day,
        round=booking.round + 1,
        sequence=booking.sequence + 1,
        confirmed_at=None,
        expires_at=held_until if target == HELD else None,
    )


def _is_behind(tx: Transaction, booking: BookingView, period: PeriodView, stay: Span) -> bool:
    """Whether someone with an earlier place in line waits for the same days of a period."""
    rows = tx.execute(
        select(func.count())
        .select_from(BOOKING)
        .where(
            BOOKING.c.period_id == period.id,
            BOOKING.c.id != booking.id,
            BOOKING.c.state == WAITING,
            BOOKING.c.first_day <= stay.last_day,
            BOOKING.c.last_day >= stay.first_day,
            or_(
                BOOKING.c.line_at < booking.line_at,
                and_(BOOKING.c.line_at == booking.line_at, BOOKING.c.id < booking.id),
            ),
        )
    )
    return bool(rows.scalar_one())
