"""What stands on a booking's page before and after the stay: the checklist, reflections, the story."""

from typing import Any

from starlette.requests import Request

from app.policies.actor import Actor
from app.services import agreements, reflections, stories
from app.services.bookings import BookingView
from app.web import pages


async def values(request: Request, actor: Actor, booking: BookingView) -> dict[str, Any]:
    """What the page's parts need: items' whole texts and their marks by key, what was written, the reader's side."""
    is_over = booking.state in ("completed", "reflected")
    written = await pages.read(request, reflections.of_booking, actor, booking) if is_over else ()
    return {
        "terms": {item.key: agreements.statement(booking, item) for item in booking.rules.checklist},
        "marks": {item.key: agreements.mark(booking, item) for item in booking.rules.checklist},
        "side": reflections.side(actor, booking),
        "is_over": is_over,
        "reflections": written,
        "story": await pages.read(request, stories.of_booking, actor, booking) if is_over else None,
    }
