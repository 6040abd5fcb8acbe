"""Webhooks of a programme: made, tried out, looked into and ended by those who coordinate it."""

from datetime import datetime, timedelta
from typing import Any, Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.errors import NotFound
from app.lib import clock
from app.lib.i18n import N_, ZONE
from app.models.webhook import STATES
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import require
from app.services import deliveries, programmes, webhooks
from app.services.webhooks import Draft, WebhookView
from app.web import admin_pages, hook_addresses, pages, paging

router = APIRouter(include_in_schema=False)

ROOT: Final = "/admin/webhooks"
SHOWN: Final = 25
"""Deliveries on one page."""


@router.get(ROOT)
async def index(request: Request) -> Response:
    """The webhooks of a programme, and the form for another."""
    return await _index(request, await pages.member(request))


@router.post(ROOT)
async def create(request: Request) -> Response:
    """Make a webhook; its secret is shown once, on the page that answers."""
    actor = await pages.member(request)
    programme = await admin_pages.programme_of(request, actor)
    values = await pages.fields(request)
    require(actor, Permission.MANAGE_WEBHOOKS, programme)
    try:
        await hook_addresses.require_callable(pages.context_of(request).hooks, values.get("address", ""))
        made = await pages.write(request, webhooks.create, actor, programme, _draft(values))
    except pages.MENDABLE as error:
        return await _index(request, actor, pages.refused(request, actor, error, values), error.status)
    return await _show(request, actor, made.id, status=201, made=made)


@router.get(ROOT + "/{id:key}")
async def show(request: Request, id: int) -> Response:
    """One webhook: whether it gets through, what it sent, and the ways to change it."""
    return await _show(request, await pages.member(request), id)


@router.post(ROOT + "/{id:key}")
async def change(request: Request, id: int) -> Response:
    """Change its name, its address or what it is told of."""
    actor = await pages.member(request)
    hook = await pages.read(request, webhooks.find, actor, id)
    values = await pages.fields(request)
    draft = _draft(values)
    try:
        if draft.address.strip() != hook.address:
            await hook_addresses.require_callable(pages.context_of(request).hooks, draft.address)
        changes = {"name": draft.name, "address": draft.address, "types": draft.types}
        version = pages.number(values.get("version", ""))
        await pages.write(request, webhooks.change, actor, id, version=version, **changes)
    except pages.MENDABLE as error:
        form = pages.refused(request, actor, error, values)
        return await _show(request, actor, id, status=error.status, form=form)
    return pages.back_to(f"{ROOT}/{id}")


@router.post(ROOT + "/{id:key}/stop")
async def stop(request: Request, id: int) -> Response:
    """Switch it off."""
    actor = await pages.member(request)
    await pages.write(request, webhooks.change, actor, id, active=False)
    return pages.back_to(f"{ROOT}/{id}")


@router.post(ROOT + "/{id:key}/start")
async def start(request: Request, id: int) -> Response:
    """Switch it on again; whoever does answers for it."""
    actor = await pages.member(request)
    await pages.write(request, webhooks.change, actor, id, active=True)
    return pages.back_to(f"{ROOT}/{id}")


@router.post(ROOT + "/{id:key}/secret")
async def change_secret(request: Request, id: int) -> Response:
    """Give it another secret; it is shown once, on the page that answers."""
    actor = await pages.member(request)
    made = await pages.write(request, webhooks.change_secret, actor, id)
    return await _show(request, actor, id, status=201, made=made)


@router.post(ROOT + "/{id:key}/tests")
async def test(request: Request, id: int) -> Response:
    """Make a test call, and show its delivery."""
    actor = await pages.member(request)
    delivery_id = await pages.write(request, deliveries.test, actor, id)
    return pages.back_to(f"{ROOT}/{id}/deliveries/{delivery_id}")


@router.post(ROOT + "/{id:key}/replays")
async def replay_range(request: Request, id: int) -> Response:
    """Send again what happened within some time."""
    actor = await pages.member(request)
    await pages.read(request, webhooks.find, actor, id)
    values = await pages.fields(request)
    try:
        from_at = pages.instant("from", values.get("from", ""))
        to_at = pages.instant("to", values["to"]) if values.get("to", "").strip() else None
        await pages.write(request, deliveries.replay_range, actor, id, from_at=from_at, to_at=to_at)
    except pages.MENDABLE as error:
        again = pages.refused(request, actor, error, values)
        return await _show(request, actor, id, status=error.status, again=again)
    return pages.back_to(f"{ROOT}/{id}#replays")


@router.post(ROOT + "/{id:key}/deletion")
async def delete(request: Request, id: int) -> Response:
    """Delete it, with its deliveries."""
    actor = await pages.member(request)
    hook = await pages.read(request, webhooks.find, actor, id)
    await pages.write(request, webhooks.delete, actor, id)
    return pages.back_to(f"{ROOT}?programme={hook.slug}")


@router.get(ROOT + "/{id:key}/deliveries/{delivery:key}")
async def show_delivery(request: Request, id: int, delivery: int) -> Response:
    """One message: what was sent, what was answered, and when it is tried again."""
    actor = await pages.member(request)
    hook = await pages.read(request, webhooks.find, actor, id)
    found = await pages.read(request, deliveries.find, actor, delivery)
    if found.webhook_id != hook.id:
        raise NotFound(N_("There is no such page, or it is not open to you."))
    tries = [{**line, "at": datetime.fromisoformat(line["at"])} for line in found.history]
    return pages.show(request, actor, "webhooks/delivery.html", hook=hook, delivery=found, tries=tries)


@router.post(ROOT + "/{id:key}/deliveries/{delivery:key}/replay")
async def replay(request: Request, id: int, delivery: int) -> Response:
    """Send one message again."""
    actor = await pages.member(request)
    await pages.write(request, deliveries.replay, actor, delivery)
    return pages.back_to(f"{ROOT}/{id}/deliveries/{delivery}")


def _draft(values: dict[str, str]) -> Draft:
    types = values.get("types", "").replace(",", " ").split()
    return Draft(values.get("name", ""), values.get("address", ""), types)


async def _index(
    request: Request, actor: Actor, form: pages.Form | None = None, status: int = 200
) -> Response:
    programme = await admin_pages.programme_of(request, actor)
    found = await pages.read(request, webhooks.in_programme, actor, programme)
    return pages.show(
        request,
        actor,
        "webhooks/index.html",
        status=status,
        programme=programme,
        programmes=[row["programme"] for row in await pages.read(request, programmes.coordinated_by, actor)],
        hooks=found,
        kinds=webhooks.KINDS,
        form=form or pages.Form({"types": "idea comment ballot"}),
    )


async def _show(request: Request, actor: Actor, id: int, *, status: int = 200, **values: Any) -> Response:
    hook = await pages.read(request, webhooks.find, actor, id)
    state = request.query_params.get("state", "")
    page = paging.page(request, SHOWN, request.query_params.get("cursor"))
    found = await pages.read(
        request,
        deliveries.of_webhook,
        actor,
        id,
        state=state if state in STATES else None,
        before=page.after,
        limit=page.asked,
    )
    shown, more = page.cut(found)
    return pages.show(
        request,
        actor,
        "webhooks/show.html",
        status=status,
        hook=hook,
        deliveries=shown,
        following=paging.following_address(request, (shown[-1].id,) if more else None),
        state=state,
        states=STATES,
        replays=await pages.read(request, deliveries.replays, actor, id, limit=5),
        kinds=webhooks.KINDS,
        **({"form": pages.Form(_values_of(hook)), "again": _last_hour(), "made": None} | values),
    )


def _values_of(hook: WebhookView) -> dict[str, str]:
    return {
        "name": hook.name,
        "address": hook.address,
        "types": " ".join(hook.types),
        "version": str(hook.version),
    }


def _last_hour() -> pages.Form:
    """What the form for sending again begins with."""
    since = clock.now() - timedelta(hours=1)
    return pages.Form({"from": f"{since.astimezone(ZONE):%Y-%m-%dT%H:%M}"})
