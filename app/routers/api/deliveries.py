"""Deliveries of webhooks, for programs: read, tried out and sent again, by coordinators."""

from typing import Annotated, Any

from fastapi import Query
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from app.database import Transaction
from app.policies.actor import Actor
from app.schemas.webhooks import (
    DeliveryItem,
    DeliveryList,
    DeliveryState,
    ReplayDraft,
    ReplayItem,
    ReplayList,
)
from app.services import deliveries
from app.services.deliveries import DeliveryView
from app.web import bodies, etags, hook_items, idempotency, languages, paging
from app.web.idempotency import Answer
from app.web.operations import PREFIX, Identifier, base_url, caller, database, operation
from app.web.paging import Cursor, Limit

State = Annotated[
    DeliveryState | None, Query(description="Only those that wait, were delivered, or are dead.")
]


@operation(
    "GET",
    "/webhooks/{webhook_id}/deliveries",
    tag="webhooks",
    summary="List the deliveries of a webhook",
    scope="admin",
    gives=DeliveryList,
    paged=True,
)
async def index(
    request: Request,
    webhook_id: Identifier,
    state: State = None,
    limit: Limit = paging.USUAL,
    cursor: Cursor = None,
) -> Response:
    """The newest first, each with request and answer of its last try; for coordinators."""
    actor = await caller(request)
    page = paging.page(request, limit, cursor)
    found = await database(request).read(
        lambda connection: deliveries.of_webhook(
            connection, actor, webhook_id, state=state, before=page.after, limit=page.asked
        )
    )
    shown, more = page.cut(found)
    language = languages.of(request, actor)
    items = [hook_items.delivery(base_url(request), view, language) for view in shown]
    return paging.listing(request, page, items, shown[-1].id if more else None)


@operation(
    "GET",
    "/deliveries/{delivery_id}",
    tag="webhooks",
    summary="Read a delivery",
    scope="admin",
    gives=DeliveryItem,
    tagged=True,
)
async def show(request: Request, delivery_id: Identifier) -> Response:
    """For coordinators: what was sent, what was answered, and when it is tried again."""
    actor = await caller(request)
    view, body = await database(request).read(
        lambda connection: _written(request, connection, actor, delivery_id)
    )
    return etags.item(request, body, view.tries)


@operation(
    "POST",
    "/deliveries/{delivery_id}/replay",
    name="replay_delivery",
    tag="webhooks",
    summary="Send a message again",
    scope="admin",
    gives=DeliveryItem,
    keyed=True,
    conflicts=True,
)
async def replay(request: Request, delivery_id: Identifier) -> Response:
    """For coordinators: under the same `webhook-id`, within seconds, whatever became of it before."""
    actor = await caller(request)

    def work(tx: Transaction) -> Answer:
        deliveries.replay(tx, actor, delivery_id)
        view, body = _written(request, tx.connection, actor, delivery_id)
        return Answer(200, body, etags.tag(body, view.tries))

    return await idempotency.once(request, actor, work)


@operation(
    "POST",
    "/webhooks/{webhook_id}/tests",
    name="test_webhook",
    tag="webhooks",
    summary="Make a test call",
    scope="admin",
    status=201,
    located="/deliveries/{delivery_id}",
    gives=DeliveryItem,
    keyed=True,
    conflicts=True,
)
async def test(request: Request, webhook_id: Identifier) -> Response:
    """For coordinators. A message of type `ping` goes out within seconds and is tried once: read its delivery then."""
    actor = await caller(request)

    def work(tx: Transaction) -> Answer:
        id = deliveries.test(tx, actor, webhook_id)
        view, body = _written(request, tx.connection, actor, id)
        location = f"{base_url(request)}{PREFIX}/deliveries/{id}"
        return Answer(201, body, etags.tag(body, view.tries), location)

    return await idempotency.once(request, actor, work)


@operation(
    "GET",
    "/webhooks/{webhook_id}/replays",
    name="list_webhook_replays",
    tag="webhooks",
    summary="List the replays of a webhook",
    scope="admin",
    gives=ReplayList,
    paged=True,
)
async def replays(
    request: Request, webhook_id: Identifier, limit: Limit = paging.USUAL, cursor: Cursor = None
) -> Response:
    """The newest first, and how far each is; for coordinators."""
    actor = await caller(request)
    page = paging.page(request, limit, cursor)
    found = await database(request).read(
        lambda connection: deliveries.replays(
            connection, actor, webhook_id, before=page.after, limit=page.asked
        )
    )
    shown, more = page.cut(found)
    items = [hook_items.replay(base_url(request), view) for view in shown]
    return paging.listing(request, page, items, shown[-1].id if more else None)


@operation(
    "POST",
    "/webhooks/{webhook_id}/replays",
    name="create_webhook_replay",
    tag="webhooks",
    summary="Send a stretch of the log again",
    scope="admin",
    status=201,
    located="/webhooks/{webhook_id}/replays",
    takes=ReplayDraft,
    gives=ReplayItem,
    keyed=True,
    conflicts=True,
)
async def replay_range(request: Request, webhook_id: Identifier) -> Response:
    """For coordinators. All events of its types that happened `from` … before `to`, whether they were sent before or
    not; those that were keep their `webhook-id`.
    """
    actor = await caller(request)
    asked = await bodies.take(request, ReplayDraft)

    def work(tx: Transaction) -> Answer:
        deliveries.replay_range(tx, actor, webhook_id, from_at=asked.start, to_at=asked.end)
        view = deliveries.replays(tx.connection, actor, webhook_id, limit=1)[0]
        location = f"{base_url(request)}{PREFIX}/webhooks/{webhook_id}/replays"
        return Answer(201, to_json(hook_items.replay(base_url(request), view)), location=location)

    return await idempotency.once(request, actor, work)


def _written(request: Request, connection: Any, actor: Actor, delivery_id: int) -> tuple[DeliveryView, bytes]:
    view = deliveries.find(connection, actor, delivery_id)
    return view, to_json(hook_items.delivery(base_url(request), view, languages.of(request, actor)))
