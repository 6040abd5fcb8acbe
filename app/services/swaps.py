"""Swaps of desks hold as a whole: whoever was to sit at the desk of someone who stays at home cannot come either."""

from sqlalchemy import select

from app.database import Transaction
from app.lib.i18n import N_
from app.methods import booking_machine as machine
from app.methods.booking_machine import CLOCK, STATES
from app.models import Booking, Placement
from app.models.base import table
from app.models.exchange import GUEST
from app.services import booking_steps, exchange_people, waiting_lines
from app.services.bookings import BookingView

BOOKING = table(Booking)
PLACEMENT = table(Placement)

STAYS_AT_HOME = N_("The one whose desk it is stays at home, so the swap is off.")


def release(tx: Transaction, ended: BookingView) -> None:
    """Let go of what an ended booking held: its place goes to the next in line, and a swap that it was part of ends.

    Of a swap among four the others follow one after another, each for the desk that is not free. What has begun goes
    on.
    """
    waiting_lines.promote(tx, [ended])
    if ended.match_id is None:
        return
    for booking_id in _at_the_desk_of(tx, ended):
        booking = booking_steps.found(tx.connection, booking_id)
        parted = booking_steps.take(
            tx,
            booking,
            "part",
            None,
            CLOCK,
            reason=STAYS_AT_HOME,
            expires_at=None,
            sequence=booking.sequence + 1,
        )
        kind = "booking_cancelled" if booking.confirmed_at is not None else "booking_ended"
        others = (GUEST, *exchange_people.had_part(booking))
        exchange_people.tell(tx, parted, others, kind, reason=STAYS_AT_HOME)
        release(tx, parted)


def _at_the_desk_of(tx: Transaction, ended: BookingView) -> list[int]:
    """The bookings of the same match, on the same days, at the desk of the one who stays at home now."""
    sources = [state for state in STATES if machine.can("part", state)]
    rows = tx.execute(
        select(BOOKING.c.id)
        .join(PLACEMENT, PLACEMENT.c.id == BOOKING.c.placement_id)
        .where(
            PLACEMENT.c.is_desk.is_(True),
            PLACEMENT.c.contact_id == ended.person_id,
            BOOKING.c.match_id == ended.match_id,
            BOOKING.c.first_day == ended.first_day,
            BOOKING.c.state.in_(sources),
        )
        .order_by(BOOKING.c.id)
    )
    return list(rows.scalars())
