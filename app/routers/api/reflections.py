"""What guest and host take from a stay, for programs."""

from typing import Any

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from app.database import Transaction
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import require
from app.schemas.reflections import ReflectionDraft, ReflectionItem, ReflectionList
from app.services import bookings, reflections
from app.web import bodies, etags, paging, stay_items
from app.web.idempotency import Answer
from app.web.operations import Identifier, base_url, caller, database, operation
from app.web.paging import Cursor, Limit


@operation(
    "GET",
    "/bookings/{booking_id}/reflections",
    name="list_reflections",
    tag="bookings",
    summary="List what both sides took from a stay",
    scope="read",
    gives=ReflectionList,
    paged=True,
)
async def index(
    request: Request, booking_id: Identifier, limit: Limit = paging.USUAL, cursor: Cursor = None
) -> Response:
    """For guest, host and coordinators; two at the most."""
    actor = await caller(request)
    page = paging.page(request, limit, cursor)
    booking = await database(request).read(lambda connection: bookings.find(connection, actor, booking_id))
    require(actor, Permission.READ_REFLECTIONS, booking)
    found = await database(request).read(
        lambda connection: reflections.of_booking(connection, actor, booking)
    )
    shown, more = page.cut([row for row in found if row.id > page.after])
    items = [stay_items.reflection(base_url(request), booking_id, row.party, row) for row in shown]
    return paging.listing(request, page, items, shown[-1].id if more else None)


@operation(
    "GET",
    "/bookings/{booking_id}/reflection",
    name="get_reflection",
    tag="bookings",
    summary="Read what your own side took from a stay",
    scope="read",
    gives=ReflectionItem,
    tagged=True,
)
async def show(request: Request, booking_id: Identifier) -> Response:
    """For guest and host; empty where nothing is written yet."""
    actor = await caller(request)
    version, body = await database(request).read(
        lambda connection: _written(request, connection, actor, booking_id)
    )
    return etags.item(request, body, version)


@operation(
    "PUT",
    "/bookings/{booking_id}/reflection",
    name="write_reflection",
    tag="bookings",
    summary="Write what you take from a stay",
    scope="book",
    takes=ReflectionDraft,
    gives=ReflectionItem,
    conditional=True,
    conflicts=True,
)
async def write(request: Request, booking_id: Identifier) -> Response:
    """By guest and host, once it is over; it can be rewritten. The second side's leads the stay to `reflected`."""
    actor = await caller(request)
    versions = etags.expected(request)
    draft = (await bodies.take(request, ReflectionDraft)).given()

    def work(tx: Transaction) -> Answer:
        version = etags.meant(versions, lambda: _written(request, tx.connection, actor, booking_id)[0])
        reflections.write(tx, actor, booking_id, version=version, **draft)
        now, body = _written(request, tx.connection, actor, booking_id)
        return Answer(200, body, etags.tag(body, now))

    return (await database(request).write(work)).response()


def _written(request: Request, connection: Any, actor: Actor, booking_id: int) -> tuple[int, bytes]:
    booking = bookings.find(connection, actor, booking_id)
    party, row = reflections.own(connection, actor, booking)
    body = to_json(stay_items.reflection(base_url(request), booking_id, party, row))
    return reflections.version_of(row), body
