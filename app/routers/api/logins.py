"""The logins by which one is known, for programs."""

from starlette.requests import Request
from starlette.responses import Response

from app.schemas.own import (
    LoginList,
)
from app.services import logins
from app.web import identity_items, paging
from app.web.operations import base_url, caller, database, operation
from app.web.paging import Cursor, Limit


@operation(
    "GET",
    "/people/me/logins",
    tag="own",
    summary="List the logins by which you are known",
    scope="read",
    gives=LoginList,
    paged=True,
)
async def index(request: Request, limit: Limit = paging.USUAL, cursor: Cursor = None) -> Response:
    """By id. They are linked and unlinked in a browser alone, after a fresh sign-in."""
    actor = await caller(request)
    page = paging.page(request, limit, cursor)
    found = await database(request).read(lambda connection: logins.of_person(connection, actor))
    shown, more = page.cut([view for view in found if view.id > page.after])
    return paging.listing(
        request,
        page,
        [identity_items.login(base_url(request), view) for view in shown],
        shown[-1].id if more else None,
    )
