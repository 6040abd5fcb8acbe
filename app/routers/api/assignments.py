"""Roles besides those of places, for programs."""

from typing import Any

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from app.database import Transaction
from app.schemas.members import AssignmentDraft, AssignmentItem, AssignmentList
from app.services import members, memberships, roles
from app.services.roles import Wanted
from app.web import bodies, etags, idempotency, identity_items, paging
from app.web.idempotency import Answer
from app.web.operations import PREFIX, Identifier, base_url, caller, database, operation
from app.web.paging import Cursor, Limit


@operation(
    "GET",
    "/programmes/{programme_id}/assignments",
    tag="roles",
    summary="List roles besides places",
    scope="admin",
    gives=AssignmentList,
    paged=True,
)
async def index(
    request: Request, programme_id: Identifier, limit: Limit = paging.USUAL, cursor: Cursor = None
) -> Response:
    """Those of now and to come, by id; for those who give roles there."""
    actor = await caller(request)
    page = paging.page(request, limit, cursor)
    found = await database(request).read(
        lambda connection: members.assigned_after(
            connection, actor, programme_id, after=page.after, limit=page.asked
        )
    )
    return _listed(request, page, found)


@operation(
    "GET",
    "/people/me/assignments",
    tag="roles",
    summary="List your roles besides your places",
    scope="read",
    gives=AssignmentList,
    paged=True,
)
async def own(request: Request, limit: Limit = paging.USUAL, cursor: Cursor = None) -> Response:
    """Those of now and to come, by id. What is lent to you stands among your delegations."""
    actor = await caller(request)
    page = paging.page(request, limit, cursor)
    found = await database(request).read(lambda connection: members.assigned_to(connection, actor))
    return _listed(request, page, [row for row in found if row.id > page.after])


@operation(
    "POST",
    "/memberships/{membership_id}/assignments",
    tag="roles",
    summary="Give a role besides a place",
    scope="admin",
    status=201,
    located="/assignments/{assignment_id}",
    takes=AssignmentDraft,
    gives=AssignmentItem,
    weighed=True,
    keyed=True,
    conflicts=True,
)
async def give(request: Request, membership_id: Identifier) -> Response:
    """For the whole programme, one challenge or one organisation; `If-Match` names the place's version."""
    actor = await caller(request)
    versions = etags.weighed(request)
    draft = await bodies.take(request, AssignmentDraft)
    wanted = Wanted(draft.role, draft.organisation, draft.challenge, draft.last_day)

    def work(tx: Transaction) -> Answer:
        place = memberships.find(tx.connection, actor, membership_id)
        version = etags.meant(versions, lambda: place.version)
        id = roles.give(tx, actor, place.programme_id, place.person_id, wanted, version=version)
        body = to_json(
            identity_items.assignment(base_url(request), members.assignment(tx.connection, actor, id))
        )
        location = f"{base_url(request)}{PREFIX}/assignments/{id}"
        return Answer(201, body, etags.tag(body, 1), location)

    return await idempotency.once(request, actor, work)


@operation(
    "GET",
    "/assignments/{assignment_id}",
    tag="roles",
    summary="Read a role besides a place",
    scope="read",
    gives=AssignmentItem,
    tagged=True,
)
async def show(request: Request, assignment_id: Identifier) -> Response:
    """Your own, or as one who gives roles there; until it ends."""
    actor = await caller(request)
    row = await database(request).read(
        lambda connection: members.assignment(connection, actor, assignment_id)
    )
    return etags.item(request, to_json(identity_items.assignment(base_url(request), row)), 1)


@operation(
    "DELETE",
    "/assignments/{assignment_id}",
    tag="roles",
    summary="Take a role back, or lay your own down",
    scope="admin",
    status=204,
    conflicts=True,
)
async def take(request: Request, assignment_id: Identifier) -> Response:
    """It ends at once, and so does what was lent of it. Idempotent."""
    actor = await caller(request)
    await database(request).write(lambda tx: roles.take(tx, actor, assignment_id))
    return Response(status_code=204)


def _listed(request: Request, page: paging.Page, found: Any) -> Response:
    shown, more = page.cut(found)
    return paging.listing(
        request,
        page,
        [identity_items.assignment(base_url(request), row) for row in shown],
        shown[-1].id if more else None,
    )
