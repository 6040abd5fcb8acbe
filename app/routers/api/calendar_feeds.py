"""Calendar feeds: secret addresses at which calendars read stays, for programs."""

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from app.database import Transaction
from app.policies.permissions import Permission
from app.policies.rules import require
from app.schemas.calendar_feeds import FeedDraft, FeedList, NewFeedItem
from app.services import calendar_feeds, programmes
from app.web import bodies, idempotency, paging, stay_items
from app.web.idempotency import Answer
from app.web.operations import Identifier, base_url, caller, database, operation
from app.web.paging import Cursor, Limit


@operation(
    "GET",
    "/programmes/{programme_id}/feeds",
    name="list_my_feeds",
    tag="exchanges",
    summary="List your calendar addresses",
    scope="read",
    gives=FeedList,
    paged=True,
)
async def index(
    request: Request, programme_id: Identifier, limit: Limit = paging.USUAL, cursor: Cursor = None
) -> Response:
    """Those that are good now, the newest first; never the secret in them."""
    actor = await caller(request)
    page = paging.page(request, limit, cursor)
    programme = await database(request).read(
        lambda connection: programmes.find(connection, actor, programme_id)
    )
    require(actor, Permission.READ_EXCHANGES, programme)
    found = await database(request).read(
        lambda connection: calendar_feeds.of_person(connection, actor, programme)
    )
    shown, more = page.cut([row for row in found if not page.after or row.id < page.after])
    items = [stay_items.feed(base_url(request), programme, row) for row in shown]
    return paging.listing(request, page, items, shown[-1].id if more else None)


@operation(
    "POST",
    "/programmes/{programme_id}/feeds",
    name="create_feed",
    tag="exchanges",
    summary="Make a calendar address",
    scope="book",
    status=201,
    takes=FeedDraft,
    gives=NewFeedItem,
    keyed=True,
    conflicts=True,
)
async def make(request: Request, programme_id: Identifier) -> Response:
    """For your own stays, or for those of an organisation whose calendar you may read. Whoever has the address reads
    it; it is told this once and kept nowhere, so the same request again gives everything but the address.
    """
    actor = await caller(request)
    organisation_id = (await bodies.take(request, FeedDraft)).organisation

    def work(tx: Transaction) -> Answer:
        programme = programmes.find(tx.connection, actor, programme_id)
        made = calendar_feeds.make(tx, actor, programme, organisation_id=organisation_id)
        rows = calendar_feeds.of_person(tx.connection, actor, programme)
        row = next(each for each in rows if each.id == made.id)
        item = {**stay_items.feed(base_url(request), programme, row), "address": None}
        told = {**item, "address": f"{base_url(request)}/calendars/{made.token}.ics"}
        return Answer(201, to_json(told), kept=to_json(item))

    return await idempotency.once(request, actor, work, secret=True)


@operation(
    "DELETE",
    "/feeds/{feed_id}",
    name="revoke_feed",
    tag="exchanges",
    summary="Revoke a calendar address",
    scope="book",
    status=204,
)
async def revoke(request: Request, feed_id: Identifier) -> Response:
    """One of your own. Whoever reads it finds nothing from then on; twice is once."""
    actor = await caller(request)
    await database(request).write(lambda tx: calendar_feeds.revoke(tx, actor, feed_id))
    return Response(status_code=204)
