"""Clients of the API, for programs of those who answer for them."""

from typing import Annotated, Any

from fastapi import Query
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from app.database import Transaction
from app.policies.actor import Actor
from app.schemas.administration import (
    ClientDraft,
    ClientItem,
    ClientList,
    ClientMade,
    ClientTokenList,
    KeysDraft,
)
from app.schemas.base import LARGEST_ID
from app.services import clients
from app.services.clients import Draft, NewClient
from app.web import bodies, etags, idempotency, identity_items, paging
from app.web.idempotency import Answer
from app.web.operations import PREFIX, Identifier, base_url, caller, database, operation
from app.web.paging import Cursor, Limit
from app.web.validation import DIGITS

OfProgramme = Annotated[int | None, Query(ge=1, le=LARGEST_ID, description="Only in this programme."), DIGITS]


@operation(
    "GET",
    "/clients",
    tag="clients",
    summary="List machines",
    scope="admin",
    gives=ClientList,
    paged=True,
)
async def index(
    request: Request, limit: Limit = paging.USUAL, cursor: Cursor = None, *, programme: OfProgramme = None
) -> Response:
    """Those in force that you answer for, by id. For people: a machine looks after no machines."""
    actor = await caller(request)
    page = paging.page(request, limit, cursor)
    found = await database(request).read(
        lambda connection: clients.everywhere(
            connection, actor, programme_id=programme, after=page.after, limit=page.asked
        )
    )
    shown, more = page.cut(found)
    return paging.listing(
        request,
        page,
        [identity_items.client(base_url(request), row) for row in shown],
        shown[-1].id if more else None,
    )


@operation(
    "POST",
    "/programmes/{programme_id}/clients",
    tag="clients",
    summary="Make a machine",
    scope="admin",
    status=201,
    located="/clients/{client_id}",
    takes=ClientDraft,
    gives=ClientMade,
    keyed=True,
    conflicts=True,
    problems=("fresh-sign-in-needed",),
)
async def create(request: Request, programme_id: Identifier) -> Response:
    """Its secret is told this once. One with the scope `admin` or `scim` is made on the page, after a fresh sign-in."""
    actor = await caller(request)
    draft = await bodies.take(request, ClientDraft)
    wanted = Draft(
        name=draft.name,
        role=draft.role,
        scopes=draft.scopes,
        method=draft.method,
        keys=_keys(draft.keys),
        days=draft.days,
    )

    def work(tx: Transaction) -> Answer:
        made = clients.create(tx, actor, programme_id, draft.organisation, wanted)
        return _made(tx, actor, made, base_url(request))

    return await idempotency.once(request, actor, work, secret=True)


@operation(
    "GET",
    "/clients/{client_id}",
    tag="clients",
    summary="Read a machine",
    scope="admin",
    gives=ClientItem,
    tagged=True,
)
async def show(request: Request, client_id: Identifier) -> Response:
    """What it may do and when it was last here; never its secret."""
    actor = await caller(request)
    row = await database(request).read(lambda connection: clients.find(connection, actor, client_id))
    return etags.item(request, to_json(identity_items.client(base_url(request), row)), row.version)


@operation(
    "POST",
    "/clients/{client_id}/secret",
    tag="clients",
    summary="Give a machine another secret",
    scope="admin",
    status=201,
    located="/clients/{client_id}",
    gives=ClientMade,
    keyed=True,
    conflicts=True,
    problems=("fresh-sign-in-needed",),
)
async def change_secret(request: Request, client_id: Identifier) -> Response:
    """Told this once; the one before holds for 24 hours more."""
    actor = await caller(request)

    def work(tx: Transaction) -> Answer:
        return _made(tx, actor, clients.change_secret(tx, actor, client_id), base_url(request))

    return await idempotency.once(request, actor, work, secret=True)


@operation(
    "PUT",
    "/clients/{client_id}/keys",
    tag="clients",
    summary="Replace the public keys of a machine",
    scope="admin",
    takes=KeysDraft,
    gives=ClientItem,
    conditional=True,
    conflicts=True,
    problems=("fresh-sign-in-needed",),
)
async def change_keys(request: Request, client_id: Identifier) -> Response:
    """Those before hold no longer."""
    actor = await caller(request)
    versions = etags.expected(request)
    draft = await bodies.take(request, KeysDraft)

    def work(tx: Transaction) -> Answer:
        version = etags.meant(versions, lambda: clients.find(tx.connection, actor, client_id).version)
        clients.change_keys(tx, actor, client_id, _keys(draft.keys), version=version)
        row = clients.find(tx.connection, actor, client_id)
        body = to_json(identity_items.client(base_url(request), row))
        return Answer(200, body, etags.tag(body, row.version))

    return (await database(request).write(work)).response()


@operation(
    "DELETE",
    "/clients/{client_id}",
    tag="clients",
    summary="Revoke a machine",
    scope="admin",
    status=204,
    conditional=True,
)
async def revoke(request: Request, client_id: Identifier) -> Response:
    """With its tokens and its place, at once and for good. Idempotent."""
    actor = await caller(request)
    versions = etags.expected(request)

    def work(tx: Transaction) -> None:
        version = etags.meant(versions, lambda: clients.find(tx.connection, actor, client_id).version)
        clients.revoke(tx, actor, client_id, version=version)

    await database(request).write(work)
    return Response(status_code=204)


@operation(
    "GET",
    "/clients/{client_id}/tokens",
    name="list_client_tokens",
    tag="clients",
    summary="List the directory tokens of a machine",
    scope="admin",
    gives=ClientTokenList,
    paged=True,
)
async def all_tokens(
    request: Request, client_id: Identifier, limit: Limit = paging.USUAL, cursor: Cursor = None
) -> Response:
    """Those in force that were made by hand, the newest first. They are made on the page, after a fresh sign-in."""
    actor = await caller(request)
    page = paging.page(request, limit, cursor)

    def query(connection: Any) -> Any:
        return clients.tokens(connection, clients.find(connection, actor, client_id))

    found = await database(request).read(query)
    shown, more = page.cut([row for row in found if not page.after or row.id < page.after])
    return paging.listing(
        request,
        page,
        [identity_items.client_token(row) for row in shown],
        shown[-1].id if more else None,
    )


@operation(
    "DELETE",
    "/clients/{client_id}/tokens/{token_id}",
    name="delete_client_token",
    tag="clients",
    summary="Revoke a directory token of a machine",
    scope="admin",
    status=204,
)
async def revoke_token(request: Request, client_id: Identifier, token_id: Identifier) -> Response:
    """At once. Idempotent."""
    actor = await caller(request)
    await database(request).write(lambda tx: clients.revoke_token(tx, actor, client_id, token_id))
    return Response(status_code=204)


def _made(tx: Transaction, actor: Actor, made: NewClient, base_url: str) -> Answer:
    row = clients.find(tx.connection, actor, made.id)
    shown = identity_items.client(base_url, row)
    location = f"{base_url}{PREFIX}/clients/{made.id}"
    kept = Answer(
        201, to_json({**shown, "client_secret": None}), etags.tag(to_json(shown), row.version), location
    )
    return kept.telling(client_secret=made.secret)


def _keys(keys: dict[str, Any] | None) -> str:
    return "" if keys is None else to_json(keys).decode()
