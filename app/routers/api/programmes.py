"""Programmes, for programs."""

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from app.schemas.programmes import ProgrammeItem, ProgrammeList
from app.services import programmes
from app.web import etags, items, paging
from app.web.operations import Identifier, base_url, caller, database, operation
from app.web.paging import Cursor, Limit


@operation(
    "GET",
    "/programmes",
    tag="programmes",
    summary="List programmes",
    scope="read",
    gives=ProgrammeList,
    paged=True,
)
async def index(request: Request, limit: Limit = paging.USUAL, cursor: Cursor = None) -> Response:
    """Those that you take part in, and those that are open to everyone, by id."""
    actor = await caller(request)
    page = paging.page(request, limit, cursor)
    found = await database(request).read(lambda connection: programmes.open_to(connection, actor))
    shown, more = page.cut([programme for programme in found if programme.id > page.after])
    return paging.listing(
        request,
        page,
        [items.programme(base_url(request), programme) for programme in shown],
        shown[-1].id if more else None,
    )


@operation(
    "GET",
    "/programmes/{programme_id}",
    tag="programmes",
    summary="Read a programme",
    scope="read",
    gives=ProgrammeItem,
    tagged=True,
)
async def show(request: Request, programme_id: Identifier) -> Response:
    """One run of a partnership in one place."""
    actor = await caller(request)
    found = await database(request).read(lambda connection: programmes.find(connection, actor, programme_id))
    return etags.item(request, to_json(items.programme(base_url(request), found)), found.version)
