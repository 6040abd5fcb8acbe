"""People and their places in programmes, for programs of those who run them."""

from typing import Annotated, Any

from fastapi import Query
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from app.database import Transaction
from app.policies.actor import Actor
from app.schemas.base import LARGEST_ID
from app.schemas.members import (
    AdministratorList,
    MoveDraft,
    NameList,
    ParticipantList,
    PersonItem,
    PlaceChange,
    PlaceItem,
    PlaceList,
    PlaceRole,
    PlaceState,
)
from app.services import administrators, members, memberships, programmes, roles
from app.services.members import NOWHERE, Filter
from app.web import bodies, etags, idempotency, identity_items, paging
from app.web.idempotency import Answer
from app.web.operations import PREFIX, Identifier, base_url, caller, database, operation
from app.web.paging import Cursor, Limit
from app.web.validation import DIGITS

OfProgramme = Annotated[int | None, Query(ge=1, le=LARGEST_ID, description="Only in this programme."), DIGITS]
OfOrganisation = Annotated[
    int | None, Query(ge=1, le=LARGEST_ID, description="Only of this organisation."), DIGITS
]
OfRole = Annotated[PlaceRole | None, Query(description="Only who has this role, by the place or besides it.")]
InState = Annotated[PlaceState, Query(description="Who is here, has left, or may not sign in.")]
Words = Annotated[str, Query(max_length=200, description="In name or address.")]


@operation(
    "GET",
    "/programmes/{programme_id}/people",
    tag="people",
    summary="List who takes part",
    scope="read",
    gives=ParticipantList,
    paged=True,
)
async def participants(
    request: Request, programme_id: Identifier, limit: Limit = paging.USUAL, cursor: Cursor = None
) -> Response:
    """For members: name, role, organisation and sector, by the person's number; without addresses."""
    actor = await caller(request)
    page = paging.page(request, limit, cursor)

    def query(connection: Any) -> Any:
        programme = programmes.find(connection, actor, programme_id)
        return programme, programmes.people_after(
            connection, actor, programme, after=page.after, limit=page.asked
        )

    programme, found = await database(request).read(query)
    shown, more = page.cut(found)
    return paging.listing(
        request,
        page,
        [identity_items.participant(base_url(request), programme, row) for row in shown],
        shown[-1].person_id if more else None,
    )


@operation(
    "GET",
    "/memberships",
    tag="people",
    summary="List places",
    scope="admin",
    gives=PlaceList,
    paged=True,
)
async def index(
    request: Request,
    limit: Limit = paging.USUAL,
    cursor: Cursor = None,
    *,
    programme: OfProgramme = None,
    organisation: OfOrganisation = None,
    role: OfRole = None,
    state: InState = "here",
    q: Words = "",
) -> Response:
    """In the programmes that you run and the organisations that you administer, the newest first."""
    actor = await caller(request)
    page = paging.page(request, limit, cursor)
    wanted = Filter(
        words=q, programme_id=programme, organisation_id=organisation, role=role or "", state=state
    )
    found = await database(request).read(
        lambda connection: members.index(
            connection, actor, wanted, before=page.after or None, limit=page.asked
        )
    )
    shown, more = page.cut(found)
    return paging.listing(
        request,
        page,
        [identity_items.place(base_url(request), row) for row in shown],
        shown[-1].position if more else None,
    )


@operation(
    "GET",
    "/memberships/{membership_id}",
    tag="people",
    summary="Read a place",
    scope="admin",
    gives=PlaceItem,
    tagged=True,
)
async def show(request: Request, membership_id: Identifier) -> Response:
    """Also one that has ended."""
    actor = await caller(request)
    row = await database(request).read(lambda connection: members.place(connection, actor, membership_id))
    return etags.item(request, to_json(identity_items.place(base_url(request), row)), row.version)


@operation(
    "PATCH",
    "/memberships/{membership_id}",
    tag="people",
    summary="Change the role of a place",
    scope="admin",
    takes=PlaceChange,
    gives=PlaceItem,
    conditional=True,
    conflicts=True,
)
async def change(request: Request, membership_id: Identifier) -> Response:
    """By those who govern the programme; nobody raises themselves, and somebody has to go on coordinating."""
    actor = await caller(request)
    versions = etags.expected(request)
    draft = await bodies.take(request, PlaceChange)

    def work(tx: Transaction) -> Answer:
        row = members.place(tx.connection, actor, membership_id)
        version = etags.meant(versions, lambda: row.version)
        roles.change(tx, actor, row.programme_id, row.person_id, draft.role, version=version)
        return _answer(tx, actor, membership_id, base_url(request))

    return (await database(request).write(work)).response()


@operation(
    "DELETE",
    "/memberships/{membership_id}",
    tag="people",
    summary="End a place",
    scope="admin",
    status=204,
    conditional=True,
    conflicts=True,
)
async def end(request: Request, membership_id: Identifier) -> Response:
    """With all that someone had by it: roles besides, roles lent, tokens. What they wrote stays. Idempotent."""
    actor = await caller(request)
    versions = etags.expected(request)

    def work(tx: Transaction) -> None:
        version = etags.meant(versions, lambda: memberships.find(tx.connection, actor, membership_id).version)
        memberships.end(tx, actor, membership_id, version=version)

    await database(request).write(work)
    return Response(status_code=204)


@operation(
    "POST",
    "/memberships/{membership_id}/move",
    name="move_membership",
    tag="people",
    summary="Move someone to another organisation",
    scope="admin",
    status=201,
    located="/memberships/{membership_id}",
    takes=MoveDraft,
    gives=PlaceItem,
    weighed=True,
    keyed=True,
    conflicts=True,
)
async def move(request: Request, membership_id: Identifier) -> Response:
    """As after a change of employer: the place ends, another begins, and the person stays who they are."""
    actor = await caller(request)
    versions = etags.weighed(request)
    draft = await bodies.take(request, MoveDraft)

    def work(tx: Transaction) -> Answer:
        version = etags.meant(versions, lambda: memberships.find(tx.connection, actor, membership_id).version)
        begun = memberships.move(tx, actor, membership_id, draft.organisation, version=version)
        return _answer(tx, actor, begun, base_url(request), created=True)

    return await idempotency.once(request, actor, work)


@operation(
    "GET",
    "/people",
    name="list_people_without_place",
    tag="people",
    summary="List people without a place",
    scope="admin",
    gives=NameList,
    paged=True,
)
async def without_place(
    request: Request, limit: Limit = paging.USUAL, cursor: Cursor = None, *, q: Words = ""
) -> Response:
    """Who has a place nowhere now, the newest first; for instance administrators."""
    actor = await caller(request)
    page = paging.page(request, limit, cursor)
    found = await database(request).read(
        lambda connection: members.without_place(
            connection, actor, Filter(words=q, state=NOWHERE), before=page.after or None, limit=page.asked
        )
    )
    shown, more = page.cut(found)
    return paging.listing(
        request,
        page,
        [identity_items.named(base_url(request), row) for row in shown],
        shown[-1].position if more else None,
    )


@operation(
    "GET",
    "/people/{person_id}",
    tag="people",
    summary="Read a person",
    scope="admin",
    gives=PersonItem,
    tagged=True,
)
async def person(request: Request, person_id: Identifier) -> Response:
    """With those of their places that are your affair, and how much of them is signed in."""
    actor = await caller(request)
    view = await database(request).read(lambda connection: members.find(connection, actor, person_id))
    return etags.item(request, to_json(identity_items.person(base_url(request), view)), view.version)


@operation(
    "PUT",
    "/people/{person_id}/deactivation",
    name="deactivate_person",
    tag="people",
    summary="Put a person out of action",
    scope="admin",
    gives=PersonItem,
    conflicts=True,
)
async def deactivate(request: Request, person_id: Identifier) -> Response:
    """They sign in no more, and their sessions and tokens end at once; for instance administrators. Idempotent."""
    return await _answer_person(request, memberships.deactivate, person_id)


@operation(
    "DELETE",
    "/people/{person_id}/deactivation",
    name="reactivate_person",
    tag="people",
    summary="Let a person sign in again",
    scope="admin",
    gives=PersonItem,
    conflicts=True,
)
async def reactivate(request: Request, person_id: Identifier) -> Response:
    """What ended stays ended; for instance administrators. Idempotent."""
    return await _answer_person(request, memberships.reactivate, person_id)


@operation(
    "GET",
    "/administrators",
    tag="people",
    summary="List the instance administrators",
    scope="admin",
    gives=AdministratorList,
    paged=True,
)
async def all_administrators(
    request: Request, limit: Limit = paging.USUAL, cursor: Cursor = None
) -> Response:
    """By the person's number; for themselves. They are named on the page, after a fresh sign-in."""
    actor = await caller(request)
    page = paging.page(request, limit, cursor)
    found = await database(request).read(lambda connection: administrators.everyone(connection, actor))
    later = sorted((row for row in found if row.id > page.after), key=lambda row: row.id)
    shown, more = page.cut(later)
    return paging.listing(
        request,
        page,
        [identity_items.administrator(base_url(request), row) for row in shown],
        shown[-1].id if more else None,
    )


async def _answer_person(request: Request, verb: Any, person_id: int) -> Response:
    actor = await caller(request)

    def work(tx: Transaction) -> Answer:
        verb(tx, actor, person_id)
        view = members.find(tx.connection, actor, person_id)
        body = to_json(identity_items.person(base_url(request), view))
        return Answer(200, body, etags.tag(body, view.version))

    return (await database(request).write(work)).response()


def _answer(tx: Transaction, actor: Actor, id: int, base_url: str, *, created: bool = False) -> Answer:
    row = members.place(tx.connection, actor, id)
    body = to_json(identity_items.place(base_url, row))
    location = f"{base_url}{PREFIX}/memberships/{id}" if created else None
    return Answer(201 if created else 200, body, etags.tag(body, row.version), location)
