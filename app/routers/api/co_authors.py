"""Those who write an idea together, for programs."""

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from app.database import Transaction
from app.lib import clock
from app.schemas.versions import CoAuthorDraft, CoAuthorItem, CoAuthorList
from app.services import ideas
from app.web import board_items, bodies, idempotency, paging
from app.web.idempotency import Answer
from app.web.operations import Identifier, caller, database, operation
from app.web.paging import Cursor, Limit


@operation(
    "GET",
    "/ideas/{idea_id}/co-authors",
    name="list_co_authors",
    tag="ideas",
    summary="List who writes an idea along",
    scope="read",
    gives=CoAuthorList,
    paged=True,
)
async def index(
    request: Request, idea_id: Identifier, limit: Limit = paging.USUAL, cursor: Cursor = None
) -> Response:
    """The first one first; an anonymous idea has none."""
    actor = await caller(request)
    page = paging.page(request, limit, cursor, steps=2)
    view = await database(request).read(lambda connection: ideas.find(connection, actor, idea_id))
    since = map(clock.rfc3339, view.co_authors_since)
    places = list(zip(since, view.co_author_ids, strict=True))
    placed = zip(places, board_items.co_authors(view), strict=True)
    shown, more = page.cut([(place, item) for place, item in placed if place > page.position])
    return paging.listing(request, page, [item for _, item in shown], shown[-1][0] if more else None)


@operation(
    "POST",
    "/ideas/{idea_id}/co-authors",
    name="add_co_author",
    tag="ideas",
    summary="Let someone write an idea along",
    scope="write",
    status=201,
    takes=CoAuthorDraft,
    gives=CoAuthorItem,
    keyed=True,
    conflicts=True,
)
async def add(request: Request, idea_id: Identifier) -> Response:
    """By its author. They are told, and can edit it from then on. Twice is once."""
    actor = await caller(request)
    person_id = (await bodies.take(request, CoAuthorDraft)).person

    def work(tx: Transaction) -> Answer:
        ideas.add_co_author(tx, actor, idea_id, person_id)
        view = ideas.find(tx.connection, actor, idea_id)
        item = next(each for each in board_items.co_authors(view) if each["person"] == person_id)
        return Answer(201, to_json(item))

    return await idempotency.once(request, actor, work)


@operation(
    "DELETE",
    "/ideas/{idea_id}/co-authors/{person_id}",
    name="remove_co_author",
    tag="ideas",
    summary="End someone's writing along",
    scope="write",
    status=204,
)
async def remove(request: Request, idea_id: Identifier, person_id: Identifier) -> Response:
    """By the author of the idea, or by themselves; twice is once."""
    actor = await caller(request)
    await database(request).write(lambda tx: ideas.remove_co_author(tx, actor, idea_id, person_id))
    return Response(status_code=204)
