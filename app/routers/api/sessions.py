"""Where one is signed in, for programs."""

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from app.schemas.own import (
    SessionItem,
    SessionList,
)
from app.services import own_sessions
from app.web import etags, identity_items, paging
from app.web.operations import Identifier, base_url, caller, database, operation
from app.web.paging import Cursor, Limit


@operation(
    "GET",
    "/people/me/sessions",
    tag="own",
    summary="List where you are signed in",
    scope="read",
    gives=SessionList,
    paged=True,
)
async def index(request: Request, limit: Limit = paging.USUAL, cursor: Cursor = None) -> Response:
    """The browser that was opened last stands first."""
    actor = await caller(request)
    found = await database(request).read(lambda connection: own_sessions.of_person(connection, actor))
    return paging.newest_first(request, paging.page(request, limit, cursor), found, identity_items.session)


@operation(
    "DELETE",
    "/people/me/sessions",
    tag="own",
    summary="Sign out everywhere",
    scope="write",
    status=204,
)
async def end_all(request: Request) -> Response:
    """In every browser. Tokens stay. Idempotent."""
    actor = await caller(request)
    await database(request).write(lambda tx: own_sessions.end_others(tx, actor))
    return Response(status_code=204)


@operation(
    "GET",
    "/people/me/sessions/{session_id}",
    tag="own",
    summary="Read where you are signed in",
    scope="read",
    gives=SessionItem,
    tagged=True,
)
async def show(request: Request, session_id: Identifier) -> Response:
    """One browser."""
    actor = await caller(request)
    view = await database(request).read(lambda connection: own_sessions.find(connection, actor, session_id))
    return etags.item(request, to_json(identity_items.session(base_url(request), view)), 1)


@operation(
    "DELETE",
    "/people/me/sessions/{session_id}",
    tag="own",
    summary="Sign one browser out",
    scope="write",
    status=204,
)
async def end(request: Request, session_id: Identifier) -> Response:
    """At once. Idempotent."""
    actor = await caller(request)
    await database(request).write(lambda tx: own_sessions.end(tx, actor, session_id))
    return Response(status_code=204)
