"""Roles lent in someone's absence, for programs."""

from typing import Any

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from app.database import Transaction
from app.schemas.members import DelegationDraft, DelegationItem, DelegationList
from app.services import delegations
from app.services.delegations import Absence
from app.web import bodies, etags, idempotency, identity_items, paging
from app.web.idempotency import Answer
from app.web.operations import PREFIX, Identifier, base_url, caller, database, operation
from app.web.paging import Cursor, Limit


@operation(
    "GET",
    "/people/me/delegations",
    tag="roles",
    summary="List what you lend and what is lent to you",
    scope="read",
    gives=DelegationList,
    paged=True,
)
async def own(request: Request, limit: Limit = paging.USUAL, cursor: Cursor = None) -> Response:
    """Now and to come, by id."""
    actor = await caller(request)
    found = await database(request).read(lambda connection: delegations.of_person(connection, actor))
    return _listed(request, paging.page(request, limit, cursor), found)


@operation(
    "GET",
    "/programmes/{programme_id}/delegations",
    tag="roles",
    summary="List what is lent in a programme",
    scope="admin",
    gives=DelegationList,
    paged=True,
)
async def index(
    request: Request, programme_id: Identifier, limit: Limit = paging.USUAL, cursor: Cursor = None
) -> Response:
    """Now and to come, by id; for those who give roles there."""
    actor = await caller(request)
    found = await database(request).read(
        lambda connection: delegations.in_programme(connection, actor, programme_id)
    )
    return _listed(request, paging.page(request, limit, cursor), found)


@operation(
    "POST",
    "/programmes/{programme_id}/delegations",
    tag="roles",
    summary="Lend your role while you are away",
    scope="admin",
    status=201,
    located="/delegations/{delegation_id}",
    takes=DelegationDraft,
    gives=DelegationItem,
    keyed=True,
    conflicts=True,
)
async def lend(request: Request, programme_id: Identifier) -> Response:
    """To someone of the same programme, for 90 days at the most. What is lent to you cannot be lent on."""
    actor = await caller(request)
    draft = await bodies.take(request, DelegationDraft)
    absence = Absence(draft.first_day, draft.last_day)

    def work(tx: Transaction) -> Answer:
        id = delegations.lend(tx, actor, programme_id, draft.person, absence, assignment_id=draft.assignment)
        body = to_json(
            identity_items.delegation(base_url(request), delegations.find(tx.connection, actor, id))
        )
        location = f"{base_url(request)}{PREFIX}/delegations/{id}"
        return Answer(201, body, etags.tag(body, 1), location)

    return await idempotency.once(request, actor, work)


@operation(
    "GET",
    "/delegations/{delegation_id}",
    tag="roles",
    summary="Read what is lent",
    scope="read",
    gives=DelegationItem,
    tagged=True,
)
async def show(request: Request, delegation_id: Identifier) -> Response:
    """For the lender, who holds it, and who gives roles there; also when it has ended."""
    actor = await caller(request)
    row = await database(request).read(lambda connection: delegations.find(connection, actor, delegation_id))
    return etags.item(request, to_json(identity_items.delegation(base_url(request), row)), 1)


@operation(
    "DELETE",
    "/delegations/{delegation_id}",
    tag="roles",
    summary="End what is lent",
    scope="write",
    status=204,
)
async def end(request: Request, delegation_id: Identifier) -> Response:
    """Before its last day; by the lender, who holds it, or who gives roles there. Idempotent."""
    actor = await caller(request)
    await database(request).write(lambda tx: delegations.end(tx, actor, delegation_id))
    return Response(status_code=204)


def _listed(request: Request, page: paging.Page, found: Any) -> Response:
    later = sorted((row for row in found if row.id > page.after), key=lambda row: row.id)
    shown, more = page.cut(later)
    return paging.listing(
        request,
        page,
        [identity_items.delegation(base_url(request), row) for row in shown],
        shown[-1].id if more else None,
    )
