"""Clients of the API: the machines of a programme, made, given other secrets, and ended."""

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.errors import NotFound
from app.lib.i18n import N_
from app.models.membership import ROLES
from app.policies.actor import Actor
from app.services import clients
from app.services.clients import Draft
from app.web import pages

router = APIRouter(include_in_schema=False)


@router.get("/admin/clients")
async def index(request: Request) -> Response:
    """The clients that the reader answers for, and the form for another."""
    return await _index(request, await pages.member(request))


@router.post("/admin/clients")
async def create(request: Request) -> Response:
    """Make a client; its secret is shown once, on the page that answers."""
    actor = await pages.member(request)
    values = await pages.fields_and_lists(request, "scopes")
    try:
        made = await pages.write(request, clients.create, actor, *_room(values), _draft(values))
    except pages.MENDABLE as error:
        return await _index(request, actor, pages.refused(request, actor, error, values), error.status)
    return await _show(request, actor, made.id, status=201, made=made)


@router.get("/admin/clients/{id:key}")
async def show(request: Request, id: int) -> Response:
    """One client: what it may do, when it was last here, and the ways to change it."""
    return await _show(request, await pages.member(request), id)


@router.post("/admin/clients/{id:key}/secret")
async def change_secret(request: Request, id: int) -> Response:
    """Give it another secret; it is shown once, on the page that answers."""
    actor = await pages.member(request)
    made = await pages.write(request, clients.change_secret, actor, id)
    return await _show(request, actor, id, status=201, made=made)


@router.post("/admin/clients/{id:key}/keys")
async def change_keys(request: Request, id: int) -> Response:
    """Replace its public keys."""
    actor = await pages.member(request)
    values = await pages.fields(request)
    try:
        await pages.write(request, clients.change_keys, actor, id, values.get("keys", ""))
    except pages.MENDABLE as error:
        form = pages.refused(request, actor, error, values)
        return await _show(request, actor, id, status=error.status, form=form)
    return pages.back_to(f"/admin/clients/{id}")


@router.post("/admin/clients/{id:key}/tokens")
async def create_token(request: Request, id: int) -> Response:
    """Make a token for its directory; it is shown once, on the page that answers."""
    actor = await pages.member(request)
    values = await pages.fields(request)
    days = pages.number(values.get("days", "")) or 0
    try:
        made = await pages.write(request, clients.make_token, actor, id, days=days)
    except pages.MENDABLE as error:
        form = pages.refused(request, actor, error, values)
        return await _show(request, actor, id, status=error.status, form=form)
    return await _show(request, actor, id, status=201, token=made)


@router.post("/admin/clients/{id:key}/tokens/{token_id:key}/revocation")
async def revoke_token(request: Request, id: int, token_id: int) -> Response:
    """End one of its tokens."""
    actor = await pages.member(request)
    await pages.write(request, clients.revoke_token, actor, id, token_id)
    return pages.back_to(f"/admin/clients/{id}")


@router.post("/admin/clients/{id:key}/revocation")
async def revoke(request: Request, id: int) -> Response:
    """End a client and its tokens, for good."""
    actor = await pages.member(request)
    await pages.write(request, clients.revoke, actor, id)
    return pages.back_to("/admin/clients")


def _room(values: dict[str, Any]) -> tuple[int, int | None]:
    """`3` is a programme, `3-7` one organisation of it."""
    programme_id, _, organisation_id = values.get("room", "").partition("-")
    return pages.number(programme_id) or 0, pages.number(organisation_id) if organisation_id else None


def _draft(values: dict[str, Any]) -> Draft:
    days = values.get("days", "").strip()
    return Draft(
        name=values.get("name", ""),
        role=values.get("role", ""),
        scopes=values["scopes"],
        method=values.get("method", ""),
        keys=values.get("keys", ""),
        days=(pages.number(days) or 0) if days else None,
    )


async def _index(
    request: Request, actor: Actor, form: pages.Form | None = None, status: int = 200
) -> Response:
    rooms = await pages.read(request, clients.rooms, actor)
    if not rooms:
        raise NotFound(N_("There is no such page, or it is not open to you."))
    programmes = {room.programme_id: room.programme for room in rooms}
    roles = {role for room in rooms for role in clients.roles_for(actor, room)}
    return pages.show(
        request,
        actor,
        "clients/index.html",
        status=status,
        programmes=[
            (name, await pages.read(request, clients.in_programme, actor, id))
            for id, name in programmes.items()
        ],
        rooms=rooms,
        roles=[role for role in ROLES if role in roles],
        scopes=clients.SCOPES,
        methods=clients.METHODS,
        form=form or pages.Form({"role": "observer", "scopes": ["read"], "method": clients.SECRET}),
    )


async def _show(request: Request, actor: Actor, id: int, *, status: int = 200, **values: Any) -> Response:
    client = await pages.read(request, clients.find, actor, id)
    return pages.show(
        request,
        actor,
        "clients/show.html",
        status=status,
        client=client,
        tokens=await pages.read(request, clients.tokens, client),
        base_url=pages.context_of(request).settings.base_url,
        **({"form": pages.Form({"days": "366"}), "made": None, "token": None} | values),
    )
