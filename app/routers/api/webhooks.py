"""Webhooks, for programs: made, changed, given another secret and deleted, by coordinators."""

from typing import Any

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from app.database import Transaction
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import require
from app.schemas.webhooks import WebhookChange, WebhookDraft, WebhookItem, WebhookList
from app.services import programmes, webhooks
from app.services.webhooks import Draft, WebhookView
from app.web import bodies, etags, hook_addresses, hook_items, idempotency, paging
from app.web.idempotency import Answer
from app.web.operations import PREFIX, Identifier, base_url, caller, database, operation
from app.web.paging import Cursor, Limit


@operation(
    "GET",
    "/programmes/{programme_id}/webhooks",
    tag="webhooks",
    summary="List the webhooks of a programme",
    scope="admin",
    gives=WebhookList,
    paged=True,
)
async def index(
    request: Request, programme_id: Identifier, limit: Limit = paging.USUAL, cursor: Cursor = None
) -> Response:
    """By id; for coordinators."""
    actor = await caller(request)
    page = paging.page(request, limit, cursor)
    programme = await database(request).read(
        lambda connection: programmes.find(connection, actor, programme_id)
    )
    found = await database(request).read(
        lambda connection: webhooks.in_programme(
            connection, actor, programme, after=page.after, limit=page.asked
        )
    )
    shown, more = page.cut(found)
    items = [hook_items.webhook(base_url(request), view) for view in shown]
    return paging.listing(request, page, items, shown[-1].id if more else None)


@operation(
    "POST",
    "/programmes/{programme_id}/webhooks",
    tag="webhooks",
    summary="Make a webhook",
    scope="admin",
    status=201,
    located="/webhooks/{webhook_id}",
    takes=WebhookDraft,
    gives=WebhookItem,
    keyed=True,
    conflicts=True,
)
async def create(request: Request, programme_id: Identifier) -> Response:
    """For coordinators. Its `secret` is told this once: asked again with the same Idempotency-Key, it is null."""
    actor = await caller(request)
    draft = await bodies.take(request, WebhookDraft)
    if not await idempotency.is_known(request, actor):
        await _require_makeable(request, actor, programme_id, draft.address)

    def work(tx: Transaction) -> Answer:
        there = programmes.find(tx.connection, actor, programme_id)
        made = webhooks.create(tx, actor, there, Draft(draft.name, draft.address, draft.types))
        location = f"{base_url(request)}{PREFIX}/webhooks/{made.id}"
        return _telling(request, tx, actor, made, location)

    return await idempotency.once(request, actor, work)


@operation(
    "GET",
    "/webhooks/{webhook_id}",
    tag="webhooks",
    summary="Read a webhook",
    scope="admin",
    gives=WebhookItem,
    tagged=True,
)
async def show(request: Request, webhook_id: Identifier) -> Response:
    """For coordinators: whether it gets through, and if not, since when."""
    actor = await caller(request)
    view, body = await database(request).read(
        lambda connection: _written(request, connection, actor, webhook_id)
    )
    return etags.item(request, body, view.version)


@operation(
    "PATCH",
    "/webhooks/{webhook_id}",
    tag="webhooks",
    summary="Change a webhook",
    scope="admin",
    takes=WebhookChange,
    gives=WebhookItem,
    conditional=True,
)
async def change(request: Request, webhook_id: Identifier) -> Response:
    """For coordinators. `active` switches it off and on; whoever does, or sends it to another
    address, is its owner from then on.
    """
    actor = await caller(request)
    versions = etags.expected(request)
    given = (await bodies.take(request, WebhookChange)).given()
    await database(request).read(lambda connection: webhooks.find(connection, actor, webhook_id))
    if "address" in given:
        await _check(request, given["address"])

    def work(tx: Transaction) -> Answer:
        version = etags.meant(versions, lambda: webhooks.find(tx.connection, actor, webhook_id).version)
        webhooks.change(tx, actor, webhook_id, version=version, **given)
        view, body = _written(request, tx.connection, actor, webhook_id)
        return Answer(200, body, etags.tag(body, view.version))

    return (await database(request).write(work)).response()


@operation(
    "DELETE",
    "/webhooks/{webhook_id}",
    tag="webhooks",
    summary="Delete a webhook",
    scope="admin",
    status=204,
    conditional=True,
)
async def delete(request: Request, webhook_id: Identifier) -> Response:
    """For coordinators. Nothing more is sent; its deliveries go too."""
    actor = await caller(request)
    versions = etags.expected(request)

    def work(tx: Transaction) -> None:
        version = etags.meant(versions, lambda: webhooks.find(tx.connection, actor, webhook_id).version)
        webhooks.delete(tx, actor, webhook_id, version=version)

    await database(request).write(work)
    return Response(status_code=204)


@operation(
    "POST",
    "/webhooks/{webhook_id}/secret",
    tag="webhooks",
    summary="Give a webhook another secret",
    scope="admin",
    status=201,
    located="/webhooks/{webhook_id}",
    gives=WebhookItem,
    keyed=True,
)
async def change_secret(request: Request, webhook_id: Identifier) -> Response:
    """For coordinators. `secret` is told this once; messages are signed by both for 24 hours."""
    actor = await caller(request)

    def work(tx: Transaction) -> Answer:
        made = webhooks.change_secret(tx, actor, webhook_id)
        return _telling(request, tx, actor, made, f"{base_url(request)}{PREFIX}/webhooks/{webhook_id}")

    return await idempotency.once(request, actor, work)


async def _require_makeable(request: Request, actor: Actor, programme_id: int, address: str) -> None:
    programme = await database(request).read(
        lambda connection: programmes.find(connection, actor, programme_id)
    )
    require(actor, Permission.MANAGE_WEBHOOKS, programme)
    await _check(request, address)


async def _check(request: Request, address: str) -> None:
    await hook_addresses.require_callable(request.app.state.context.hooks, address)


def _telling(
    request: Request, tx: Transaction, actor: Actor, made: webhooks.NewSecret, location: str
) -> Answer:
    """The answer that tells a secret; without it, it is kept for those who ask again."""
    view = webhooks.find(tx.connection, actor, made.id)
    told = to_json(hook_items.webhook(base_url(request), view, secret=made.secret))
    kept = to_json(hook_items.webhook(base_url(request), view))
    return Answer(201, told, etags.tag(kept, view.version), location, kept=kept)


def _written(request: Request, connection: Any, actor: Actor, webhook_id: int) -> tuple[WebhookView, bytes]:
    view = webhooks.find(connection, actor, webhook_id)
    return view, to_json(hook_items.webhook(base_url(request), view))
