"""Placements, for programs."""

from functools import partial
from typing import Annotated, Literal

from fastapi import Query
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from app.database import Transaction
from app.lib import clock
from app.policies.actor import Actor
from app.schemas.base import LARGEST_ID, Day
from app.schemas.placements import (
    PlacementChange,
    PlacementDraft,
    PlacementItem,
    PlacementList,
    PlacementState,
    ReturnDraft,
)
from app.services import exchange_rules, orders, placement_making, placements, programmes
from app.services.placements import Filter
from app.web import bodies, etags, exchange_bodies, exchange_items, idempotency, including, paging
from app.web.idempotency import Answer
from app.web.operations import PREFIX, Identifier, base_url, caller, database, operation
from app.web.paging import Cursor, Limit
from app.web.validation import DIGITS

Sort = Annotated[
    Literal["created_at", "-created_at", "updated_at", "-updated_at", "title", "-title"] | None,
    Query(description="By what; with `-` the other way round."),
]
FirstDay = Annotated[Day | None, Query(description="Only those with days on it or later.")]
LastDay = Annotated[Day | None, Query(description="Only those with days on it or before.")]
OfSector = Annotated[str, Query(max_length=40, description="Only hosts of this sector.")]
OfHost = Annotated[int | None, Query(ge=1, le=LARGEST_ID, description="Only of this organisation."), DIGITS]
Words = Annotated[str, Query(max_length=200, description="In title, description, place or host.")]
Teaching = Annotated[
    str, Query(max_length=80, description="Only where this can be learnt, as placements name it.")
]
Free = Annotated[bool, Query(description="Only with a free place, on days that are asked for.")]
Where = Annotated[str, Query(max_length=160, description="Only where the place says so.")]
InState = Annotated[PlacementState, Query(description="Only those in this state.")]
Reason = Annotated[str, Query(max_length=4000, description="Why; needed where bookings end with it.")]
Ending = Annotated[bool, Query(description="Whether the bookings on it end as well.")]


@operation(
    "GET",
    "/programmes/{programme_id}/placements",
    tag="placements",
    summary="List the placements of a programme",
    scope="read",
    gives=PlacementList,
    paged=True,
    includes=("programme", "host"),
)
async def index(
    request: Request,
    programme_id: Identifier,
    limit: Limit = paging.USUAL,
    cursor: Cursor = None,
    sort: Sort = None,
    *,
    first_day: FirstDay = None,
    last_day: LastDay = None,
    sector: OfSector = "",
    host: OfHost = None,
    words: Words = "",
    place: Where = "",
    competency: Teaching = "",
    free: Free = False,
    state: InState = "published",
) -> Response:
    """Those that are open to be asked for, by id unless sorted; in another `state` only those that you may change."""
    actor = await caller(request)
    page = paging.page(request, limit, cursor)
    order = orders.of(sort, page.position)
    wanted = Filter(
        words=words,
        first_day=first_day,
        last_day=last_day,
        place=place,
        competency=competency,
        sector=sector,
        host=host,
        free=free,
    )
    programme = await database(request).read(
        lambda connection: programmes.find(connection, actor, programme_id)
    )
    query = placements.published if state == "published" else partial(placements.changeable, state=state)
    if free and state == "published":
        rules = await database(request).read(lambda connection: exchange_rules.find(connection, programme.id))
        query = partial(placements.published, today=rules.today(clock.now()))
    found = await database(request).read(
        lambda connection: query(connection, actor, programme, wanted=wanted, order=order, limit=page.asked)
    )
    shown, more = page.cut(found)
    told = [exchange_items.placement(base_url(request), actor, view) for view in shown]
    included = await including.of_items(request, actor, told)
    return paging.listing(request, page, told, order.place(shown[-1]) if more else None, included)


@operation(
    "POST",
    "/programmes/{programme_id}/placements",
    tag="placements",
    summary="Offer a placement",
    scope="write",
    status=201,
    located="/placements/{placement_id}",
    takes=PlacementDraft,
    gives=PlacementItem,
    keyed=True,
)
async def offer(request: Request, programme_id: Identifier) -> Response:
    """For hosts, sponsors and coordinators. It waits for a coordinator's review."""
    actor = await caller(request)
    draft = exchange_bodies.placement(await bodies.take(request, PlacementDraft))

    def work(tx: Transaction) -> Answer:
        programme = programmes.find(tx.connection, actor, programme_id)
        placement_id = placement_making.offer(tx, actor, programme, **draft)
        return _answer(request, tx, actor, placement_id, created=True)

    with exchange_bodies.places():
        return await idempotency.once(request, actor, work)


@operation(
    "GET",
    "/placements/{placement_id}",
    tag="placements",
    summary="Read a placement",
    scope="read",
    gives=PlacementItem,
    tagged=True,
    includes=("programme", "host"),
)
async def show(request: Request, placement_id: Identifier) -> Response:
    """What a guest will see and do, and what is free."""
    actor = await caller(request)
    view = await database(request).read(lambda connection: placements.find(connection, actor, placement_id))
    told = exchange_items.placement(base_url(request), actor, view)
    return etags.item(request, to_json(await including.of_item(request, actor, told)), view.version)


@operation(
    "PATCH",
    "/placements/{placement_id}",
    tag="placements",
    summary="Change a placement",
    scope="write",
    takes=PlacementChange,
    gives=PlacementItem,
    conditional=True,
    conflicts=True,
)
async def change(request: Request, placement_id: Identifier) -> Response:
    """For its host and coordinators. What people have booked stays: 409 says who is affected, and nothing changes."""
    actor = await caller(request)
    versions = etags.expected(request)
    changes = exchange_bodies.placement(await bodies.take(request, PlacementChange))

    def work(tx: Transaction) -> Answer:
        version = etags.meant(versions, lambda: placements.find(tx.connection, actor, placement_id).version)
        placement_making.change(tx, actor, placement_id, version=version, **changes)
        return _answer(request, tx, actor, placement_id)

    with exchange_bodies.places():
        return (await database(request).write(work)).response()


@operation(
    "DELETE",
    "/placements/{placement_id}",
    tag="placements",
    summary="Take a placement back",
    scope="write",
    status=204,
    conditional=True,
    conflicts=True,
)
async def withdraw(
    request: Request, placement_id: Identifier, *, reason: Reason = "", cancel_bookings: Ending = False
) -> Response:
    """For its host and coordinators. With bookings on it 409, unless `cancel_bookings` says that they end too."""
    actor = await caller(request)
    versions = etags.expected(request)

    def work(tx: Transaction) -> None:
        version = etags.meant(versions, lambda: placements.find(tx.connection, actor, placement_id).version)
        placement_making.withdraw(
            tx, actor, placement_id, reason=reason, cancel_bookings=cancel_bookings, version=version
        )

    await database(request).write(work)
    return Response(status_code=204)


@operation(
    "PUT",
    "/placements/{placement_id}/publication",
    name="publish_placement",
    tag="placements",
    summary="Publish a placement",
    scope="admin",
    gives=PlacementItem,
    weighed=True,
    conflicts=True,
)
async def publish(request: Request, placement_id: Identifier) -> Response:
    """For coordinators. Asked again, nothing more happens. With `If-Match` you publish what you have read."""
    actor = await caller(request)
    versions = etags.weighed(request)

    def work(tx: Transaction) -> Answer:
        version = etags.meant(versions, lambda: placements.find(tx.connection, actor, placement_id).version)
        placement_making.publish(tx, actor, placement_id, version=version)
        return _answer(request, tx, actor, placement_id)

    return (await database(request).write(work)).response()


@operation(
    "POST",
    "/placements/{placement_id}/return",
    name="return_placement",
    tag="placements",
    summary="Return a placement to its host",
    scope="admin",
    takes=ReturnDraft,
    gives=PlacementItem,
    keyed=True,
    conflicts=True,
)
async def send_back(request: Request, placement_id: Identifier) -> Response:
    """For coordinators, with a note on what to mend; once it is changed it waits for review again."""
    actor = await caller(request)
    note = (await bodies.take(request, ReturnDraft)).note

    def work(tx: Transaction) -> Answer:
        placement_making.send_back(tx, actor, placement_id, note=note)
        return _answer(request, tx, actor, placement_id)

    return await idempotency.once(request, actor, work)


def _answer(
    request: Request, tx: Transaction, actor: Actor, placement_id: int, *, created: bool = False
) -> Answer:
    view = placements.find(tx.connection, actor, placement_id)
    body = to_json(exchange_items.placement(base_url(request), actor, view))
    location = f"{base_url(request)}{PREFIX}/placements/{placement_id}" if created else None
    return Answer(201 if created else 200, body, etags.tag(body, view.version), location)
