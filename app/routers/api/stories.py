"""Stories of stays, told while guest and host both consent, for programs."""

from collections.abc import Callable
from typing import Any

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from app.database import Transaction
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import require
from app.schemas.reflections import PublishedStoryList, StoryDraft, StoryItem
from app.services import bookings, programmes, stories
from app.web import bodies, etags, paging, stay_items
from app.web.idempotency import Answer
from app.web.operations import Identifier, base_url, caller, database, operation
from app.web.paging import Cursor, Limit


@operation(
    "GET",
    "/programmes/{programme_id}/stories",
    name="list_stories",
    tag="exchanges",
    summary="List the stories of a programme",
    scope="read",
    gives=PublishedStoryList,
    paged=True,
)
async def index(
    request: Request, programme_id: Identifier, limit: Limit = paging.USUAL, cursor: Cursor = None
) -> Response:
    """By id: those to which both sides consent."""
    actor = await caller(request)
    page = paging.page(request, limit, cursor)
    programme = await database(request).read(
        lambda connection: programmes.find(connection, actor, programme_id)
    )
    found = await database(request).read(
        lambda connection: stories.published_after(
            connection, actor, programme, after=page.after, limit=page.asked
        )
    )
    shown, more = page.cut(found)
    items = [stay_items.published_story(base_url(request), programme, row) for row in shown]
    return paging.listing(request, page, items, shown[-1].id if more else None)


@operation(
    "GET",
    "/bookings/{booking_id}/story",
    name="get_story",
    tag="bookings",
    summary="Read the story of a stay",
    scope="read",
    gives=StoryItem,
    tagged=True,
)
async def show(request: Request, booking_id: Identifier) -> Response:
    """For guest, host and coordinators; empty where there is none yet."""
    actor = await caller(request)
    version, body = await database(request).read(
        lambda connection: _written(request, connection, actor, booking_id)
    )
    return etags.item(request, body, version)


@operation(
    "PUT",
    "/bookings/{booking_id}/story",
    name="write_story",
    tag="bookings",
    summary="Write the story of a stay",
    scope="book",
    takes=StoryDraft,
    gives=StoryItem,
    conditional=True,
    conflicts=True,
)
async def write(request: Request, booking_id: Identifier) -> Response:
    """By guest or host, once it is over. Who writes consents; the other side is asked, and until then nobody else reads
    it.
    """
    actor = await caller(request)
    versions = etags.expected(request)
    draft = (await bodies.take(request, StoryDraft)).given()

    def verb(tx: Transaction, version: int | None) -> None:
        stories.write(tx, actor, booking_id, version=version, **draft)

    return await _answered(request, actor, booking_id, versions, verb)


@operation(
    "PUT",
    "/bookings/{booking_id}/story/consent",
    name="consent_to_story",
    tag="bookings",
    summary="Consent to the story of a stay",
    scope="book",
    gives=StoryItem,
    conditional=True,
    conflicts=True,
)
async def consent(request: Request, booking_id: Identifier) -> Response:
    """By guest or host, to the text that you have read, as `If-Match` names it. With both, everyone reads it."""
    actor = await caller(request)
    versions = etags.expected(request)

    def verb(tx: Transaction, version: int | None) -> None:
        stories.consent(tx, actor, booking_id, version=version)

    return await _answered(request, actor, booking_id, versions, verb)


@operation(
    "DELETE",
    "/bookings/{booking_id}/story/consent",
    name="withdraw_story_consent",
    tag="bookings",
    summary="Take your consent to a story back",
    scope="book",
    status=204,
    conflicts=True,
)
async def withdraw(request: Request, booking_id: Identifier) -> Response:
    """By guest or host, at any time. It is shown to no one else from then on."""
    actor = await caller(request)
    await database(request).write(lambda tx: stories.withdraw(tx, actor, booking_id))
    return Response(status_code=204)


async def _answered(
    request: Request,
    actor: Actor,
    booking_id: int,
    versions: frozenset[int] | None,
    verb: Callable[[Transaction, int | None], None],
) -> Response:
    """Do what is asked of a story and answer with it."""

    def work(tx: Transaction) -> Answer:
        version = etags.meant(versions, lambda: _written(request, tx.connection, actor, booking_id)[0])
        verb(tx, version)
        now, body = _written(request, tx.connection, actor, booking_id)
        return Answer(200, body, etags.tag(body, now))

    return (await database(request).write(work)).response()


def _written(request: Request, connection: Any, actor: Actor, booking_id: int) -> tuple[int, bytes]:
    booking = bookings.find(connection, actor, booking_id)
    require(actor, Permission.READ_REFLECTIONS, booking)
    row = stories.of_booking(connection, actor, booking)
    return (row.version if row else 0), to_json(stay_items.story(base_url(request), booking_id, row))
