"""Lists of bookings for programs: what they are sorted and narrowed by, and what comes along."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final, Literal

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from app.methods.booking_machine import STATES
from app.policies.actor import Actor
from app.schemas.bookings import State
from app.services import bookings
from app.services.bookings import BookingView
from app.services.orders import Order
from app.web import exchange_items, including, languages, paging
from app.web.operations import base_url, database

Sort = Annotated[
    Literal["created_at", "-created_at", "updated_at", "-updated_at", "first_day", "-first_day"] | None,
    Query(description="By what; with `-` the other way round."),
]
InState = Annotated[State | None, Query(description="Only those in this state.")]

INCLUDES: Final = ("placement", "host", "guest.organisation")


def states(state: str | None) -> Sequence[str]:
    """The states that a list is narrowed to; all of them, unless one is named."""
    return tuple(STATES) if state is None else (state,)


async def listed(
    request: Request,
    actor: Actor,
    page: paging.Page,
    order: Order,
    query: Callable[[Any], Sequence[BookingView]],
) -> Response:
    """A page of the bookings that `query` finds, with their places in line and what is to come along."""

    def work(connection: Any) -> tuple[Sequence[BookingView], bool, Any]:
        shown, more = page.cut(query(connection))
        return shown, more, bookings.places_in_line(connection, shown)

    shown, more, places = await database(request).read(work)
    here, language = base_url(request), languages.of(request, actor)
    told = [exchange_items.booking(here, actor, view, places.get(view.id), language) for view in shown]
    included = await including.of_items(request, actor, told)
    return paging.listing(request, page, told, order.place(shown[-1]) if more else None, included)
