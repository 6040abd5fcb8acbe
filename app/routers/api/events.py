"""The event log, for programs."""

from typing import Annotated

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from app.schemas.base import LARGEST_ID
from app.schemas.events import EventList
from app.services import events, programmes
from app.web import items, paging
from app.web.operations import Identifier, base_url, caller, database, operation
from app.web.paging import Cursor, Limit

After = Annotated[
    int, Query(ge=0, le=LARGEST_ID, description="Only events with a greater id; for the first page.")
]


@operation(
    "GET",
    "/programmes/{programme_id}/events",
    tag="events",
    summary="Follow what happens in a programme",
    scope="read",
    gives=EventList,
    paged=True,
)
async def index(
    request: Request,
    programme_id: Identifier,
    limit: Limit = paging.USUAL,
    cursor: Cursor = None,
    after: After = 0,
) -> Response:
    """The log in the order in which things were saved, the oldest first. To synchronise, keep the `id` of the last
    event that you have seen, and ask later for those `after` it.
    """
    actor = await caller(request)
    page = paging.page(request, limit, cursor, start=after)
    programme = await database(request).read(
        lambda connection: programmes.find(connection, actor, programme_id)
    )
    found = await database(request).read(
        lambda connection: events.in_programme(
            connection, actor, programme, after=page.after, limit=page.asked
        )
    )
    shown, more = page.cut(found)
    told = [items.event(base_url(request), programme, row) for row in shown]
    return paging.listing(request, page, told, shown[-1].id if more else None)
