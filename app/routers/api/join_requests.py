"""Join requests, and what becomes of people who are not known, for programs of those who decide."""

from typing import Annotated, Any

from fastapi import Query
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from app.database import Transaction
from app.policies.actor import Actor
from app.schemas.admission import (
    ApprovalDraft,
    JoiningChange,
    JoiningItem,
    JoinRequestItem,
    JoinRequestList,
    RefusalDraft,
    RequestState,
)
from app.services import join_requests, joining
from app.web import bodies, etags, idempotency, identity_items, paging
from app.web.idempotency import Answer
from app.web.operations import Identifier, base_url, caller, database, operation
from app.web.paging import Cursor, Limit

InState = Annotated[RequestState | None, Query(description="Only those in this state.")]


@operation(
    "GET",
    "/programmes/{programme_id}/join-requests",
    tag="invitations",
    summary="List requests to join",
    scope="admin",
    gives=JoinRequestList,
    paged=True,
)
async def index(
    request: Request,
    programme_id: Identifier,
    limit: Limit = paging.USUAL,
    cursor: Cursor = None,
    *,
    state: InState = None,
) -> Response:
    """The newest first; for those who decide who takes part."""
    actor = await caller(request)
    page = paging.page(request, limit, cursor)

    def query(connection: Any) -> Any:
        programme = joining.find(connection, actor, programme_id)
        return join_requests.before(
            connection, actor, programme, state=state, id=page.after or None, limit=page.asked
        )

    shown, more = page.cut(await database(request).read(query))
    return paging.listing(
        request,
        page,
        [identity_items.join_request(base_url(request), view) for view in shown],
        shown[-1].id if more else None,
    )


@operation(
    "GET",
    "/join-requests/{request_id}",
    tag="invitations",
    summary="Read a request to join",
    scope="admin",
    gives=JoinRequestItem,
    tagged=True,
)
async def show(request: Request, request_id: Identifier) -> Response:
    """Who asks, by which provider, and how it was decided."""
    actor = await caller(request)
    view = await database(request).read(lambda connection: join_requests.find(connection, actor, request_id))
    return etags.item(request, to_json(identity_items.join_request(base_url(request), view)), view.version)


@operation(
    "POST",
    "/join-requests/{request_id}/approval",
    name="approve_join_request",
    tag="invitations",
    summary="Let someone in",
    scope="admin",
    takes=ApprovalDraft,
    gives=JoinRequestItem,
    weighed=True,
    keyed=True,
    conflicts=True,
)
async def approve(request: Request, request_id: Identifier) -> Response:
    """As a participant; also after all, where someone had said no."""
    actor = await caller(request)
    chosen = (await bodies.take(request, ApprovalDraft)).organisation
    return await _decided(request, actor, join_requests.approve, request_id, organisation_id=chosen)


@operation(
    "POST",
    "/join-requests/{request_id}/refusal",
    name="refuse_join_request",
    tag="invitations",
    summary="Say no to a request to join",
    scope="admin",
    takes=RefusalDraft,
    gives=JoinRequestItem,
    weighed=True,
    keyed=True,
    conflicts=True,
)
async def decline(request: Request, request_id: Identifier) -> Response:
    """With a `reason`, which the person reads at their next sign-in."""
    actor = await caller(request)
    reason = (await bodies.take(request, RefusalDraft)).reason
    return await _decided(request, actor, join_requests.decline, request_id, reason=reason)


@operation(
    "GET",
    "/programmes/{programme_id}/joining",
    tag="invitations",
    summary="Read what becomes of people who are not known",
    scope="admin",
    gives=JoiningItem,
    tagged=True,
)
async def read_joining(request: Request, programme_id: Identifier) -> Response:
    """For those who decide who takes part."""
    actor = await caller(request)
    row = await database(request).read(lambda connection: joining.find(connection, actor, programme_id))
    return etags.item(request, to_json(identity_items.joining(base_url(request), row)), row.version)


@operation(
    "PATCH",
    "/programmes/{programme_id}/joining",
    tag="invitations",
    summary="Choose what becomes of people who are not known",
    scope="admin",
    takes=JoiningChange,
    gives=JoiningItem,
    conditional=True,
)
async def choose(request: Request, programme_id: Identifier) -> Response:
    """`refuse` them, let them wait for you to `approve`, or let them `join` where their organisation is known."""
    actor = await caller(request)
    versions = etags.expected(request)
    draft = await bodies.take(request, JoiningChange)

    def work(tx: Transaction) -> Answer:
        programme = joining.find(tx.connection, actor, programme_id)
        version = etags.meant(versions, lambda: programme.version)
        joining.choose(tx, actor, programme, draft.joining, version=version)
        row = joining.find(tx.connection, actor, programme_id)
        body = to_json(identity_items.joining(base_url(request), row))
        return Answer(200, body, etags.tag(body, row.version))

    return (await database(request).write(work)).response()


async def _decided(request: Request, actor: Actor, verb: Any, request_id: int, **decision: Any) -> Response:
    versions = etags.weighed(request)

    def work(tx: Transaction) -> Answer:
        version = etags.meant(versions, lambda: join_requests.find(tx.connection, actor, request_id).version)
        verb(tx, actor, request_id, **decision, version=version)
        view = join_requests.find(tx.connection, actor, request_id)
        body = to_json(identity_items.join_request(base_url(request), view))
        return Answer(200, body, etags.tag(body, view.version))

    return await idempotency.once(request, actor, work)
