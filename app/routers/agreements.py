"""The checklist of a stay: ticking what concerns oneself."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.errors import FieldError, Invalid
from app.lib.i18n import N_
from app.services import agreements
from app.web import pages
from app.web.booking_pages import show_booking

router = APIRouter(include_in_schema=False)


@router.post("/bookings/{id:key}/agreements")
async def tick(request: Request, id: int) -> Response:
    """Agree to one item."""
    actor = await pages.member(request)
    values = await pages.fields(request)
    item = values.get("item", "")
    try:
        if not values.get("agreed"):
            raise Invalid(FieldError(f"agreed_{item}", N_("Please tick the box if you agree.")))
        answer, seen = values.get(f"answer_{item}", ""), values.get("seen")
        await pages.write(request, agreements.tick, actor, id, item, answer=answer, seen=seen)
    except pages.MENDABLE as error:
        return await show_booking(request, actor, id, error=error, values=values)
    return pages.back_to(f"/bookings/{id}")
