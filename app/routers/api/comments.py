"""Comments, for programs."""

from typing import Annotated, Literal

from fastapi import Query
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from app.database import Transaction
from app.schemas.comments import CommentDraft, CommentItem, CommentList
from app.services import comments, ideas, orders
from app.web import bodies, etags, idempotency, including, items, paging
from app.web.idempotency import Answer
from app.web.operations import PREFIX, Identifier, base_url, caller, database, operation
from app.web.paging import Cursor, Limit

Sort = Annotated[
    Literal["created_at", "-created_at", "updated_at", "-updated_at"] | None,
    Query(description="By what; with `-` the newest first."),
]
OfSector = Annotated[str | None, Query(max_length=40, description="Only from this sector, by its key.")]


@operation(
    "GET",
    "/ideas/{idea_id}/comments",
    tag="comments",
    summary="List the comments on an idea",
    scope="read",
    gives=CommentList,
    paged=True,
    includes=("idea",),
)
async def index(  # noqa: PLR0917 -- the framework passes them by name
    request: Request,
    idea_id: Identifier,
    limit: Limit = paging.USUAL,
    cursor: Cursor = None,
    sort: Sort = None,
    sector: OfSector = None,
) -> Response:
    """The oldest first unless sorted. Of a comment that is hidden or was taken back there is no text."""
    actor = await caller(request)
    page = paging.page(request, limit, cursor)
    order = orders.of(sort, page.position)
    await database(request).read(lambda connection: ideas.find(connection, actor, idea_id))
    found = await database(request).read(
        lambda connection: comments.on_idea(connection, idea_id, sector=sector, order=order, limit=page.asked)
    )
    shown, more = page.cut(found)
    told = [items.comment(base_url(request), row) for row in shown]
    included = await including.of_items(request, actor, told)
    return paging.listing(request, page, told, order.place(shown[-1]) if more else None, included)


@operation(
    "POST",
    "/ideas/{idea_id}/comments",
    tag="comments",
    summary="Comment on an idea",
    scope="write",
    status=201,
    located="/comments/{comment_id}",
    takes=CommentDraft,
    gives=CommentItem,
    keyed=True,
    conflicts=True,
)
async def post(request: Request, idea_id: Identifier) -> Response:
    """While the phase is open for commenting. The author of the idea is told."""
    actor = await caller(request)
    draft = await bodies.take(request, CommentDraft)

    def work(tx: Transaction) -> Answer:
        comment_id = comments.post(tx, actor, idea_id, body=draft.body, language=draft.language)
        row = comments.find(tx.connection, comment_id)
        body = to_json(items.comment(base_url(request), row))
        location = f"{base_url(request)}{PREFIX}/comments/{comment_id}"
        return Answer(201, body, etags.tag(body, row.version), location)

    return await idempotency.once(request, actor, work)


@operation(
    "GET",
    "/comments/{comment_id}",
    tag="comments",
    summary="Read a comment",
    scope="read",
    gives=CommentItem,
    tagged=True,
    includes=("idea",),
)
async def show(request: Request, comment_id: Identifier) -> Response:
    """A reply to an idea."""
    actor = await caller(request)
    row = await database(request).read(lambda connection: comments.find(connection, comment_id))
    await database(request).read(lambda connection: ideas.find(connection, actor, row.idea_id))
    told = await including.of_item(request, actor, items.comment(base_url(request), row))
    return etags.item(request, to_json(told), row.version)


@operation(
    "DELETE",
    "/comments/{comment_id}",
    tag="comments",
    summary="Take a comment back",
    scope="write",
    status=204,
    conditional=True,
)
async def withdraw(request: Request, comment_id: Identifier) -> Response:
    """By its author. That it was there still shows, its text does not."""
    actor = await caller(request)
    versions = etags.expected(request)

    def work(tx: Transaction) -> None:
        comment = comments.find(tx.connection, comment_id)
        ideas.find(tx.connection, actor, comment.idea_id)
        version = etags.meant(versions, lambda: comment.version)
        comments.withdraw(tx, actor, comment_id, version=version)

    await database(request).write(work)
    return Response(status_code=204)
