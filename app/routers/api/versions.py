"""What ideas said before, and which ideas are alike, for programs."""

from typing import Annotated

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from app.schemas.versions import SimilarList, VersionList
from app.services import challenges, ideas, search
from app.web import board_items, paging
from app.web.operations import Identifier, base_url, caller, database, operation
from app.web.paging import Cursor, Limit

Title = Annotated[str, Query(max_length=120, description="The title that one is about to post.")]


@operation(
    "GET",
    "/ideas/{idea_id}/versions",
    name="list_idea_versions",
    tag="ideas",
    summary="List what an idea said before",
    scope="read",
    gives=VersionList,
    paged=True,
)
async def index(
    request: Request, idea_id: Identifier, limit: Limit = paging.USUAL, cursor: Cursor = None
) -> Response:
    """The newest first, without the present one."""
    actor = await caller(request)
    page = paging.page(request, limit, cursor)
    view, rows = await database(request).read(lambda connection: ideas.versions(connection, actor, idea_id))
    shown, more = page.cut([row for row in rows if not page.after or row.number < page.after])
    items = [board_items.version(view, row) for row in shown]
    return paging.listing(request, page, items, shown[-1].number if more else None)


@operation(
    "GET",
    "/challenges/{challenge_id}/similar-ideas",
    name="list_similar_ideas",
    tag="ideas",
    summary="Find ideas that are like a title",
    scope="read",
    gives=SimilarList,
    paged=True,
)
async def similar(
    request: Request,
    challenge_id: Identifier,
    limit: Limit = paging.USUAL,
    cursor: Cursor = None,
    title: Title = "",
) -> Response:
    """Open ideas of the board that share words with it, the closest first: to support one instead of posting anew."""
    actor = await caller(request)
    page = paging.page(request, limit, cursor)
    await database(request).read(lambda connection: challenges.find(connection, actor, challenge_id))
    found = await database(request).read(
        lambda connection: search.similar(connection, challenge_id, title, limit=page.after + page.asked)
    )
    shown, more = page.cut(found[page.after :])
    items = [board_items.similar(base_url(request), row) for row in shown]
    return paging.listing(request, page, items, page.after + len(shown) if more else None)
