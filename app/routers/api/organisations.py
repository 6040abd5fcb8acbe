"""Organisations and sectors of a programme, for programs."""

from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from app.database import Transaction
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import may
from app.schemas.admission import (
    ClaimDraft,
    DomainDraft,
    OrganisationChange,
    OrganisationDetail,
    OrganisationDraft,
    SectorList,
)
from app.schemas.programmes import OrganisationList
from app.services import joining, orders, organisations, programmes
from app.web import admission_pages, bodies, etags, idempotency, identity_items, including, items, paging
from app.web.idempotency import Answer
from app.web.operations import PREFIX, Identifier, base_url, caller, database, operation
from app.web.paging import Cursor, Limit

Sort = Annotated[
    Literal["created_at", "-created_at", "updated_at", "-updated_at", "name", "-name"] | None,
    Query(description="By what; with `-` the other way round."),
]
OfSector = Annotated[str | None, Query(max_length=40, description="Only of this sector, by its key.")]


@operation(
    "GET",
    "/programmes/{programme_id}/organisations",
    tag="organisations",
    summary="List the organisations of a programme",
    scope="read",
    gives=OrganisationList,
    paged=True,
    includes=("programme",),
)
async def index(  # noqa: PLR0917 -- the framework passes them by name
    request: Request,
    programme_id: Identifier,
    limit: Limit = paging.USUAL,
    cursor: Cursor = None,
    sort: Sort = None,
    sector: OfSector = None,
) -> Response:
    """The ministries, agencies and companies that take part, by id unless sorted."""
    actor = await caller(request)
    page = paging.page(request, limit, cursor)
    order = orders.of(sort, page.position)
    programme = await database(request).read(
        lambda connection: programmes.find(connection, actor, programme_id)
    )
    found = await database(request).read(
        lambda connection: organisations.in_programme(
            connection, programme.id, sector=sector, order=order, limit=page.asked
        )
    )
    shown, more = page.cut(found)
    told = [items.organisation(base_url(request), programme, row) for row in shown]
    included = await including.of_items(request, actor, told)
    return paging.listing(request, page, told, order.place(shown[-1]) if more else None, included)


@operation(
    "GET",
    "/programmes/{programme_id}/sectors",
    tag="organisations",
    summary="List the sectors of a programme",
    scope="read",
    gives=SectorList,
    paged=True,
)
async def sectors(
    request: Request, programme_id: Identifier, limit: Limit = paging.USUAL, cursor: Cursor = None
) -> Response:
    """In each of which every organisation is exactly once, by id."""
    actor = await caller(request)
    page = paging.page(request, limit, cursor)

    def query(connection: Any) -> Any:
        programme = programmes.find(connection, actor, programme_id)
        return organisations.sectors(connection, programme.id)

    found = sorted(await database(request).read(query), key=lambda row: row.id)
    shown, more = page.cut([row for row in found if row.id > page.after])
    told = [{"id": row.id, "programme": programme_id, "key": row.key, "name": row.name} for row in shown]
    return paging.listing(request, page, told, shown[-1].id if more else None)


@operation(
    "POST",
    "/programmes/{programme_id}/organisations",
    tag="organisations",
    summary="Add an organisation",
    scope="admin",
    status=201,
    located="/organisations/{organisation_id}",
    takes=OrganisationDraft,
    gives=OrganisationDetail,
    keyed=True,
)
async def add(request: Request, programme_id: Identifier) -> Response:
    """By those who decide who takes part. Its sector stays for good."""
    actor = await caller(request)
    draft = await bodies.take(request, OrganisationDraft)

    def work(tx: Transaction) -> Answer:
        programme = joining.find(tx.connection, actor, programme_id)
        id = organisations.add(
            tx, actor, programme, name=draft.name, sector_key=draft.sector, number=draft.number
        )
        return _answer(tx, actor, id, base_url(request), created=True)

    return await idempotency.once(request, actor, work)


@operation(
    "GET",
    "/organisations/{organisation_id}",
    tag="organisations",
    summary="Read an organisation",
    scope="read",
    gives=OrganisationDetail,
    tagged=True,
    includes=("programme",),
)
async def show(request: Request, organisation_id: Identifier) -> Response:
    """By what it is known from outside (`known_by`) is told only to those who decide who takes part."""
    actor = await caller(request)
    version, told = await database(request).read(
        lambda connection: _told(connection, actor, organisation_id, base_url(request))
    )
    return etags.item(request, to_json(await including.of_item(request, actor, told)), version)


@operation(
    "PATCH",
    "/organisations/{organisation_id}",
    tag="organisations",
    summary="Change an organisation",
    scope="admin",
    takes=OrganisationChange,
    gives=OrganisationDetail,
    conditional=True,
)
async def change(request: Request, organisation_id: Identifier) -> Response:
    """Another `name` or `number`."""
    actor = await caller(request)
    versions = etags.expected(request)
    changes = (await bodies.take(request, OrganisationChange)).given()

    def work(tx: Transaction) -> Answer:
        version = etags.meant(
            versions, lambda: organisations.find(tx.connection, actor, organisation_id).version
        )
        organisations.change(tx, actor, organisation_id, version=version, **changes)
        return _answer(tx, actor, organisation_id, base_url(request))

    return (await database(request).write(work)).response()


@operation(
    "POST",
    "/organisations/{organisation_id}/claims",
    tag="organisations",
    summary="Let what a provider calls an organisation mean it",
    scope="admin",
    status=201,
    located="/organisations/{organisation_id}",
    takes=ClaimDraft,
    gives=OrganisationDetail,
    keyed=True,
)
async def know_by(request: Request, organisation_id: Identifier) -> Response:
    """From then on people come in by it."""
    actor = await caller(request)
    draft = await bodies.take(request, ClaimDraft)

    def work(tx: Transaction) -> Answer:
        slug = organisations.find(tx.connection, actor, organisation_id).programme_slug
        issuers = [issuer for issuer, _ in admission_pages.issuers_of(request, actor, slug, claiming=True)]
        organisations.know_by(
            tx, actor, organisation_id, issuer=draft.issuer, value=draft.value, issuers=issuers
        )
        return _answer(tx, actor, organisation_id, base_url(request), created=True)

    return await idempotency.once(request, actor, work)


@operation(
    "DELETE",
    "/organisations/{organisation_id}/claims/{claim_id}",
    tag="organisations",
    summary="Let what a provider calls an organisation mean nothing any more",
    scope="admin",
    status=204,
)
async def forget_claim(request: Request, organisation_id: Identifier, claim_id: Identifier) -> Response:
    """Who came in by it stays. Idempotent."""
    actor = await caller(request)
    await database(request).write(lambda tx: organisations.forget_claim(tx, actor, organisation_id, claim_id))
    return Response(status_code=204)


@operation(
    "POST",
    "/organisations/{organisation_id}/domains",
    tag="organisations",
    summary="Note a mail domain",
    scope="admin",
    status=201,
    located="/organisations/{organisation_id}",
    takes=DomainDraft,
    gives=OrganisationDetail,
    keyed=True,
)
async def add_domain(request: Request, organisation_id: Identifier) -> Response:
    """It counts for nothing before it is confirmed."""
    actor = await caller(request)
    draft = await bodies.take(request, DomainDraft)

    def work(tx: Transaction) -> Answer:
        organisations.add_domain(tx, actor, organisation_id, domain=draft.domain)
        return _answer(tx, actor, organisation_id, base_url(request), created=True)

    return await idempotency.once(request, actor, work)


@operation(
    "PUT",
    "/organisations/{organisation_id}/domains/{domain_id}/verification",
    name="verify_domain",
    tag="organisations",
    summary="Confirm that a domain is the organisation's",
    scope="admin",
    gives=OrganisationDetail,
)
async def verify_domain(request: Request, organisation_id: Identifier, domain_id: Identifier) -> Response:
    """From then on it suggests the organisation to coordinators; it never lets anyone in. Idempotent."""
    actor = await caller(request)

    def work(tx: Transaction) -> Answer:
        organisations.verify_domain(tx, actor, organisation_id, domain_id)
        return _answer(tx, actor, organisation_id, base_url(request))

    return (await database(request).write(work)).response()


@operation(
    "DELETE",
    "/organisations/{organisation_id}/domains/{domain_id}",
    tag="organisations",
    summary="Take a domain off an organisation",
    scope="admin",
    status=204,
)
async def remove_domain(request: Request, organisation_id: Identifier, domain_id: Identifier) -> Response:
    """Idempotent."""
    actor = await caller(request)
    await database(request).write(
        lambda tx: organisations.remove_domain(tx, actor, organisation_id, domain_id)
    )
    return Response(status_code=204)


def _told(connection: Any, actor: Actor, id: int, base_url: str) -> tuple[int, dict[str, Any]]:
    row = organisations.seen(connection, actor, id)
    decides = may(actor, Permission.DECIDE_JOIN_REQUEST, row)
    known = organisations.find(connection, actor, id) if decides else None
    return row.version, identity_items.organisation(base_url, row, known)


def _answer(tx: Transaction, actor: Actor, id: int, base_url: str, *, created: bool = False) -> Answer:
    version, told = _told(tx.connection, actor, id, base_url)
    body = to_json(told)
    location = f"{base_url}{PREFIX}/organisations/{id}" if created else None
    return Answer(201 if created else 200, body, etags.tag(body, version), location)
