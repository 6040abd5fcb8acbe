"""What waits for the caller, and what is theirs, for programs."""

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from app.schemas.bookings import BookingList
from app.schemas.inbox import InboxItem, OwnIdeaList
from app.services import bookings, ideas, inbox, orders
from app.web import booking_lists, etags, inbox_items, paging
from app.web.booking_lists import InState, Sort
from app.web.operations import base_url, caller, database, operation
from app.web.paging import Cursor, Limit

UNCOUNTED = 0
"""The version of what counts none: its tag differs by the bytes."""


@operation(
    "GET",
    "/people/me/inbox",
    name="get_my_inbox",
    tag="own",
    summary="Read what waits for you",
    scope="read",
    gives=InboxItem,
    tagged=True,
)
async def show(request: Request) -> Response:
    """Merges that ask for your consent, ballots on which you have not voted, stays on which you have to act: to answer,
    to decide, to agree, to reflect.
    """
    actor = await caller(request)
    found = await database(request).read(lambda connection: inbox.of(connection, actor))
    return etags.item(request, to_json(inbox_items.inbox(base_url(request), actor, found)), UNCOUNTED)


@operation(
    "GET",
    "/people/me/bookings",
    name="list_my_bookings",
    tag="own",
    summary="List your own stays",
    scope="read",
    gives=BookingList,
    paged=True,
    includes=booking_lists.INCLUDES,
)
async def own_bookings(
    request: Request,
    limit: Limit = paging.USUAL,
    cursor: Cursor = None,
    sort: Sort = None,
    state: InState = None,
) -> Response:
    """In all programmes in which you take part. By id unless sorted."""
    actor = await caller(request)
    page = paging.page(request, limit, cursor)
    order = orders.of(sort, page.position)
    states = booking_lists.states(state)
    return await booking_lists.listed(
        request,
        actor,
        page,
        order,
        lambda connection: bookings.own(connection, actor, states=states, order=order, limit=page.asked),
    )


@operation(
    "GET",
    "/people/me/ideas",
    name="list_my_ideas",
    tag="own",
    summary="List your own ideas",
    scope="read",
    gives=OwnIdeaList,
    paged=True,
)
async def own_ideas(request: Request, limit: Limit = paging.USUAL, cursor: Cursor = None) -> Response:
    """By id; also those that are anonymous, hidden, withdrawn or merged."""
    actor = await caller(request)
    page = paging.page(request, limit, cursor)
    found = await database(request).read(
        lambda connection: ideas.own(connection, actor, after=page.after, limit=page.asked)
    )
    shown, more = page.cut(found)
    items = [inbox_items.idea(base_url(request), row) for row in shown]
    return paging.listing(request, page, items, shown[-1].id if more else None)
