"""The page of a booking, as every form on it shows it again."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from app.errors import DomainError
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import may
from app.services import bookings, placements
from app.services.bookings import BookingView
from app.web import booking_after, pages


async def show_booking(
    request: Request,
    actor: Actor,
    booking_id: int,
    *,
    error: DomainError | None = None,
    values: dict[str, Any] | None = None,
) -> Response:
    """The page of a booking; after a form that could not be taken, with what was typed and what is wrong."""
    booking = await pages.read(request, bookings.find, actor, booking_id)
    form = pages.refused(request, actor, error, values or {}) if error else pages.Form()
    return pages.show(
        request,
        actor,
        "bookings/show.html",
        status=error.status if error else 200,
        subject=booking,
        booking=booking,
        roles=bookings.roles_of(actor, booking),
        steps=await pages.read(request, bookings.steps, booking_id),
        place_in_line=await _place_in_line(request, booking),
        colleagues=await colleagues(request, actor, booking),
        form=form,
        **await booking_after.values(request, actor, booking),
    )


async def colleagues(request: Request, actor: Actor, booking: BookingView) -> list[Any]:
    """Who can be named as the home manager, where the reader may name one and managers decide at all."""
    is_open = booking.state in ("waiting", "offered", "held") and "manager" in booking.rules.approvals
    if not is_open or not may(actor, Permission.MOVE_BOOKING, booking):
        return []
    known = await pages.read(request, placements.contacts, booking.programme_id, booking.organisation_id)
    return [row for row in known if row.id != booking.person_id]


async def _place_in_line(request: Request, booking: BookingView) -> int | None:
    if booking.state != "waiting":
        return None
    place: int = await pages.read(request, bookings.place_in_line, booking)
    return place
