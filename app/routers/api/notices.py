"""What the caller was told, for programs."""

from typing import Annotated

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from app.schemas.base import LARGEST_ID
from app.schemas.inbox import NoticeList
from app.services import notices
from app.web import inbox_items, languages, paging
from app.web.operations import base_url, caller, database, operation
from app.web.paging import Cursor, Limit
from app.web.validation import DIGITS

UpTo = Annotated[
    int | None,
    Query(
        ge=1, le=LARGEST_ID, description="Only those up to this `id`, so that what came since stays unread."
    ),
    DIGITS,
]


@operation(
    "GET",
    "/people/me/notices",
    name="list_my_notices",
    tag="own",
    summary="List what you were told",
    scope="read",
    gives=NoticeList,
    paged=True,
)
async def index(request: Request, limit: Limit = paging.USUAL, cursor: Cursor = None) -> Response:
    """What is not marked as read, the newest first, in your language. Titles are told only of what you may see now."""
    actor = await caller(request)
    page = paging.page(request, limit, cursor)
    found = await database(request).read(
        lambda connection: notices.waiting(
            connection,
            actor,
            most=page.asked,
            before=page.after or None,
            programme_ids=frozenset(actor.memberships),
        )
    )
    shown, more = page.cut(found)
    here, language = base_url(request), languages.of(request, actor)
    items = [inbox_items.notice(here, view, language) for view in shown]
    return paging.listing(request, page, items, shown[-1].id if more else None)


@operation(
    "PUT",
    "/people/me/notices/reading",
    name="read_my_notices",
    tag="own",
    summary="Mark what you were told as read",
    scope="write",
    status=204,
)
async def read(request: Request, up_to: UpTo = None) -> Response:
    """All of it, or what came until then; asked again, nothing more happens."""
    actor = await caller(request)
    within = frozenset(actor.memberships)
    await database(request).write(lambda tx: notices.read_all(tx, actor, up_to=up_to, programme_ids=within))
    return Response(status_code=204)
