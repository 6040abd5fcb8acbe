"""Bookings, for programs."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Path, Query
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from app.database import Transaction
from app.policies.actor import Actor
from app.schemas.bookings import (
    AcceptanceDraft,
    AgreementDraft,
    BookingChange,
    BookingDraft,
    BookingItem,
    BookingList,
    DecisionDraft,
    PassingDraft,
    StepList,
)
from app.services import (
    agreements,
    asking,
    bookings,
    deciding,
    home_managers,
    moving,
    orders,
    placements,
    programmes,
    taking_back,
)
from app.services.bookings import BookingView
from app.web import (
    bodies,
    booking_lists,
    etags,
    exchange_bodies,
    exchange_items,
    idempotency,
    including,
    languages,
    paging,
)
from app.web.booking_lists import InState, Sort
from app.web.idempotency import Answer
from app.web.operations import PREFIX, Identifier, base_url, caller, database, operation
from app.web.paging import Cursor, Limit

Key = Annotated[str, Path(max_length=40, description="The item's key, as in `open_items`.")]
Reason = Annotated[
    str, Query(max_length=4000, description="Why; needed once it is confirmed, and from the host's side.")
]


@operation(
    "GET",
    "/programmes/{programme_id}/bookings",
    tag="bookings",
    summary="List the bookings of a programme that concern you",
    scope="read",
    gives=BookingList,
    paged=True,
    includes=booking_lists.INCLUDES,
)
async def index(  # noqa: PLR0917 -- the framework passes them by name
    request: Request,
    programme_id: Identifier,
    limit: Limit = paging.USUAL,
    cursor: Cursor = None,
    sort: Sort = None,
    state: InState = None,
) -> Response:
    """Your own, those of your placements, those that you manage; for coordinators all of them. By id unless sorted."""
    actor = await caller(request)
    page = paging.page(request, limit, cursor)
    order = orders.of(sort, page.position)
    programme = await database(request).read(
        lambda connection: programmes.find(connection, actor, programme_id)
    )
    states = booking_lists.states(state)
    return await booking_lists.listed(
        request,
        actor,
        page,
        order,
        lambda connection: bookings.in_programme(
            connection, actor, programme, states=states, order=order, limit=page.asked
        ),
    )


@operation(
    "GET",
    "/placements/{placement_id}/bookings",
    name="list_placement_bookings",
    tag="bookings",
    summary="List the bookings of a placement that concern you",
    scope="read",
    gives=BookingList,
    paged=True,
    includes=booking_lists.INCLUDES,
)
async def at_placement(  # noqa: PLR0917 -- the framework passes them by name
    request: Request,
    placement_id: Identifier,
    limit: Limit = paging.USUAL,
    cursor: Cursor = None,
    sort: Sort = None,
    state: InState = None,
) -> Response:
    """All for its host and for coordinators, one's own for a guest. By id unless sorted."""
    actor = await caller(request)
    page = paging.page(request, limit, cursor)
    order = orders.of(sort, page.position)
    await database(request).read(lambda connection: placements.find(connection, actor, placement_id))
    states = booking_lists.states(state)
    return await booking_lists.listed(
        request,
        actor,
        page,
        order,
        lambda connection: bookings.at_placement(
            connection, actor, placement_id, states=states, order=order, limit=page.asked
        ),
    )


@operation(
    "POST",
    "/placements/{placement_id}/bookings",
    tag="bookings",
    summary="Ask for a stay",
    scope="book",
    status=201,
    located="/bookings/{booking_id}",
    takes=BookingDraft,
    gives=BookingItem,
    keyed=True,
    conflicts=True,
)
async def ask(request: Request, placement_id: Identifier) -> Response:
    """It is `held` if a place is free on all its days, else `waiting` in line. The last place goes to one of any number
    who ask at once.
    """
    actor = await caller(request)
    draft = (await bodies.take(request, BookingDraft)).given()
    manager = exchange_bodies.manager(draft.pop("manager", None))
    period_id = draft.pop("period")

    def work(tx: Transaction) -> Answer:
        booking_id = asking.ask(tx, actor, placement_id, period_id=period_id, manager=manager, **draft)
        return _answer(request, tx, actor, booking_id, created=True)

    with exchange_bodies.places():
        return await idempotency.once(request, actor, work)


@operation(
    "GET",
    "/bookings/{booking_id}",
    tag="bookings",
    summary="Read a booking",
    scope="read",
    gives=BookingItem,
    tagged=True,
    includes=booking_lists.INCLUDES,
)
async def show(request: Request, booking_id: Identifier) -> Response:
    """For its guest, the guest's manager, the host and coordinators."""
    actor = await caller(request)
    view, told = await database(request).read(
        lambda connection: _told(request, connection, actor, booking_id)
    )
    return etags.item(request, to_json(await including.of_item(request, actor, told)), view.version)


@operation(
    "PATCH",
    "/bookings/{booking_id}",
    tag="bookings",
    summary="Move a stay, or name another manager",
    scope="book",
    takes=BookingChange,
    gives=BookingItem,
    conditional=True,
    conflicts=True,
)
async def change(request: Request, booking_id: Identifier) -> Response:
    """For its guest and coordinators. It keeps its place in line; what was decided is decided anew. Where no place is
    free on the other days, it stays as it was, with 409.
    """
    actor = await caller(request)
    versions = etags.expected(request)
    asked = await bodies.take(request, BookingChange)
    manager = exchange_bodies.manager(asked.manager)

    def work(tx: Transaction) -> Answer:
        before = bookings.find(tx.connection, actor, booking_id)
        version: int | None = etags.chosen(versions, before.version)
        days = exchange_bodies.days_of(before, asked)
        if asked.manager is not None:
            home_managers.name(tx, actor, booking_id, manager, version=version)
            version = None
        if days is not None:
            moving.move(tx, actor, booking_id, version=version, **days)
        return _answer(request, tx, actor, booking_id)

    with exchange_bodies.places():
        return (await database(request).write(work)).response()


@operation(
    "DELETE",
    "/bookings/{booking_id}",
    tag="bookings",
    summary="Take a stay back",
    scope="book",
    status=204,
    conditional=True,
    conflicts=True,
)
async def take_back(request: Request, booking_id: Identifier, reason: Reason = "") -> Response:
    """For its guest, the host and coordinators. Its place goes to the next in line at once."""
    actor = await caller(request)
    versions = etags.expected(request)

    def work(tx: Transaction) -> None:
        version = etags.meant(versions, lambda: bookings.find(tx.connection, actor, booking_id).version)
        taking_back.take_back(tx, actor, booking_id, reason=reason, version=version)

    await database(request).write(work)
    return Response(status_code=204)


@operation(
    "POST",
    "/bookings/{booking_id}/decisions",
    name="decide_booking",
    tag="bookings",
    summary="Approve a stay, or decline it",
    scope="book",
    takes=DecisionDraft,
    gives=BookingItem,
    keyed=True,
    weighed=True,
    conflicts=True,
)
async def decide(request: Request, booking_id: Identifier) -> Response:
    """As manager, host or coordinator, when asked. Whether there is a place is looked at again. With `If-Match` you
    decide on what you have read: 412 if it was moved since.
    """
    actor = await caller(request)
    versions = etags.weighed(request)
    draft = (await bodies.take(request, DecisionDraft)).given()

    def verb(tx: Transaction, version: int | None) -> None:
        deciding.decide(tx, actor, booking_id, version=version, **draft)

    return await _once(request, actor, booking_id, versions, verb)


@operation(
    "PUT",
    "/bookings/{booking_id}/acceptance",
    name="accept_booking",
    tag="bookings",
    summary="Accept the place that is offered",
    scope="book",
    takes=AcceptanceDraft,
    gives=BookingItem,
    conditional=True,
    conflicts=True,
)
async def accept(request: Request, booking_id: Identifier) -> Response:
    """For its guest, until `expires_at`. Then it is held, and those who approve are asked."""
    actor = await caller(request)
    versions = etags.expected(request)
    manager = exchange_bodies.manager((await bodies.take(request, AcceptanceDraft)).manager)

    def work(tx: Transaction) -> Answer:
        version = etags.meant(versions, lambda: bookings.find(tx.connection, actor, booking_id).version)
        asking.accept(tx, actor, booking_id, manager=manager, version=version)
        return _answer(request, tx, actor, booking_id)

    with exchange_bodies.places():
        return (await database(request).write(work)).response()


@operation(
    "POST",
    "/bookings/{booking_id}/passing",
    name="pass_booking_on",
    tag="bookings",
    summary="Pass the place that is offered on",
    scope="book",
    takes=PassingDraft,
    gives=BookingItem,
    keyed=True,
    weighed=True,
    conflicts=True,
)
async def pass_on(request: Request, booking_id: Identifier) -> Response:
    """For its guest. The place is offered to the next in line."""
    actor = await caller(request)
    versions = etags.weighed(request)
    reason = (await bodies.take(request, PassingDraft)).reason

    def verb(tx: Transaction, version: int | None) -> None:
        asking.pass_on(tx, actor, booking_id, reason=reason, version=version)

    return await _once(request, actor, booking_id, versions, verb)


@operation(
    "PUT",
    "/bookings/{booking_id}/agreements/{item}",
    name="agree_to_item",
    tag="bookings",
    summary="Agree to an item of the checklist",
    scope="book",
    takes=AgreementDraft,
    gives=BookingItem,
    weighed=True,
    conflicts=True,
)
async def agree(request: Request, booking_id: Identifier, item: Key) -> Response:
    """By the one whom it concerns, while the stay is held or approved; asked again, nothing more happens. `mark` names
    the text that was read, which is kept: 409 if it is another by now. The last one confirms a stay that is approved.
    """
    actor = await caller(request)
    versions = etags.weighed(request)
    draft = await bodies.take(request, AgreementDraft)

    def work(tx: Transaction) -> Answer:
        version = etags.meant(versions, lambda: bookings.find(tx.connection, actor, booking_id).version)
        agreements.tick(tx, actor, booking_id, item, answer=draft.answer, seen=draft.mark, version=version)
        return _answer(request, tx, actor, booking_id)

    with exchange_bodies.places():
        return (await database(request).write(work)).response()


@operation(
    "GET",
    "/bookings/{booking_id}/steps",
    name="list_booking_steps",
    tag="bookings",
    summary="List what happened to a booking",
    scope="read",
    gives=StepList,
    paged=True,
)
async def steps(
    request: Request, booking_id: Identifier, limit: Limit = paging.USUAL, cursor: Cursor = None
) -> Response:
    """In order, with the reasons that were given."""
    actor = await caller(request)
    page = paging.page(request, limit, cursor)
    await database(request).read(lambda connection: bookings.find(connection, actor, booking_id))
    found = await database(request).read(lambda connection: bookings.steps(connection, booking_id))
    shown, more = page.cut([row for row in found if row.id > page.after])
    items = [exchange_items.step(row) for row in shown]
    return paging.listing(request, page, items, shown[-1].id if more else None)


async def _once(
    request: Request,
    actor: Actor,
    booking_id: int,
    versions: frozenset[int] | None,
    verb: Callable[[Transaction, int | None], None],
) -> Response:
    """Do what is asked of a booking, once, and answer with it."""

    def work(tx: Transaction) -> Answer:
        verb(tx, etags.meant(versions, lambda: bookings.find(tx.connection, actor, booking_id).version))
        return _answer(request, tx, actor, booking_id)

    return await idempotency.once(request, actor, work)


def _answer(
    request: Request, tx: Transaction, actor: Actor, booking_id: int, *, created: bool = False
) -> Answer:
    view, told = _told(request, tx.connection, actor, booking_id)
    body = to_json(told)
    location = f"{base_url(request)}{PREFIX}/bookings/{booking_id}" if created else None
    return Answer(201 if created else 200, body, etags.tag(body, view.version), location)


def _told(
    request: Request, connection: Any, actor: Actor, booking_id: int
) -> tuple[BookingView, dict[str, Any]]:
    view = bookings.find(connection, actor, booking_id)
    place = bookings.places_in_line(connection, [view]).get(view.id)
    language = languages.of(request, actor)
    return view, exchange_items.booking(base_url(request), actor, view, place, language)
