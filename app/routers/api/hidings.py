"""What is hidden on a board, why a merge was objected to, and comments hidden, for programs."""

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from app.database import Transaction
from app.policies.permissions import Permission
from app.policies.rules import require
from app.schemas.comments import CommentItem
from app.schemas.moderation import HiddenList, HidingDraft, ObjectionList
from app.services import boards, challenges, comments, merges
from app.web import board_items, bodies, etags, idempotency, items, paging
from app.web.idempotency import Answer
from app.web.operations import Identifier, base_url, caller, database, operation
from app.web.paging import Cursor, Limit


@operation(
    "GET",
    "/challenges/{challenge_id}/hidings",
    name="list_hidings",
    tag="moderation",
    summary="List the hidden ideas of a board",
    scope="read",
    gives=HiddenList,
    paged=True,
)
async def index(
    request: Request, challenge_id: Identifier, limit: Limit = paging.USUAL, cursor: Cursor = None
) -> Response:
    """For facilitators and coordinators: the last one hidden first, with the reason and what its authors say."""
    actor = await caller(request)
    page = paging.page(request, limit, cursor)
    challenge = await database(request).read(
        lambda connection: challenges.find(connection, actor, challenge_id)
    )
    require(actor, Permission.MODERATE, challenge)
    found = await database(request).read(
        lambda connection: boards.hidden(connection, challenge, before=page.after, limit=page.asked)
    )
    shown, more = page.cut(found)
    told = [board_items.hidden(base_url(request), row) for row in shown]
    return paging.listing(request, page, told, shown[-1].hiding_id if more else None)


@operation(
    "POST",
    "/comments/{comment_id}/hiding",
    name="hide_comment",
    tag="moderation",
    summary="Hide a comment",
    scope="write",
    status=201,
    takes=HidingDraft,
    gives=CommentItem,
    keyed=True,
)
async def hide_comment(request: Request, comment_id: Identifier) -> Response:
    """For facilitators and coordinators. Its author is told the reason; hidden already, it stays as it is."""
    actor = await caller(request)
    draft = await bodies.take(request, HidingDraft)

    def work(tx: Transaction) -> Answer:
        comments.hide(tx, actor, comment_id, reason=draft.reason)
        row = comments.find(tx.connection, comment_id)
        body = to_json(items.comment(base_url(request), row))
        return Answer(201, body, etags.tag(body, row.version))

    return await idempotency.once(request, actor, work)


@operation(
    "GET",
    "/merges/{merge_id}/objections",
    name="list_objections",
    tag="merges",
    summary="List the objections to a merge",
    scope="read",
    gives=ObjectionList,
    paged=True,
)
async def objections(
    request: Request, merge_id: Identifier, limit: Limit = paging.USUAL, cursor: Cursor = None
) -> Response:
    """For facilitators and coordinators: whose support did not go along, and why."""
    actor = await caller(request)
    page = paging.page(request, limit, cursor)
    merge = await database(request).read(lambda connection: merges.find(connection, actor, merge_id))
    require(actor, Permission.MODERATE, merge)
    found = await database(request).read(lambda connection: merges.objections(connection, actor, merge))
    shown, more = page.cut(found[page.after :])
    told = [board_items.objection(row) for row in shown]
    return paging.listing(request, page, told, page.after + len(shown) if more else None)
