"""Taking a stay back: its guest withdraws or cancels it, the host or a coordinator cancels it, with a reason."""

from app.database import Transaction
from app.errors import Conflict, Invalid, NotAllowed
from app.lib.i18n import N_
from app.methods import booking_machine as machine
from app.models.exchange import COORDINATOR, GUEST, HOST
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import require
from app.schemas import text
from app.services import booking_steps, exchange_people, swaps
from app.services.bookings import BookingView, roles_of


def take_back(
    tx: Transaction, actor: Actor, booking_id: int, *, reason: str = "", version: int | None = None
) -> None:
    """End a booking: its guest withdraws it; or cancels what is confirmed, as host and coordinator can, with a reason.

    Its place is free at once, and goes to the next in line.

    :raises NotAllowed: the actor is neither guest, host nor coordinator
    :raises Conflict: it has ended already
    :raises Invalid: no reason where one is due
    """
    booking = booking_steps.hold(tx, actor, booking_id, version=version)
    require(actor, Permission.CANCEL_BOOKING, booking)
    if not booking.is_live:
        raise Conflict(N_("This booking has ended already."))
    roles = roles_of(actor, booking)
    role = next((each for each in (GUEST, HOST, COORDINATOR) if each in roles), None)
    if role is None:
        raise NotAllowed(N_("Your role in this programme does not allow this."))
    action = "withdraw" if machine.can("withdraw", booking.state, role) else "cancel"
    reason, errors = text.passage("reason", reason, most=1000, least=1 if action == "cancel" else 0)
    if errors:
        raise Invalid(*errors)
    end(tx, booking, action, actor=actor, role=role, reason=reason)


def end(
    tx: Transaction,
    booking: BookingView,
    action: str,
    *,
    actor: Actor | None,
    role: str,
    reason: str,
) -> None:
    """Let a booking end by `action`, tell those who had a part in it, and pass its place on; also for the clock."""
    ended = booking_steps.take(
        tx, booking, action, actor, role, reason=reason, expires_at=None, sequence=booking.sequence + 1
    )
    others = (GUEST, *exchange_people.had_part(booking))
    kind = "booking_cancelled" if booking.confirmed_at is not None else "booking_ended"
    # What was confirmed stands in calendars: also in that of whoever takes it back.
    but = actor.person_id if actor and booking.confirmed_at is None else None
    exchange_people.tell(tx, ended, others, kind, reason=reason, but=but)
    swaps.release(tx, ended)
