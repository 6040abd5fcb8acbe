"""Matches, for programs: runs of the optimiser over wishes, for coordinators."""

from collections.abc import Callable
from typing import Any

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from app.database import Transaction
from app.policies.actor import Actor
from app.schemas.matches import MatchDraft, MatchItem, MatchList
from app.services import match_publishing, matches, programmes
from app.services.matches import MatchView
from app.web import bodies, etags, idempotency, languages, match_items, paging
from app.web.idempotency import Answer
from app.web.operations import PREFIX, Identifier, base_url, caller, database, operation
from app.web.paging import Cursor, Limit


@operation(
    "GET",
    "/programmes/{programme_id}/matches",
    tag="matches",
    summary="List the matches of a programme",
    scope="read",
    gives=MatchList,
    paged=True,
)
async def index(
    request: Request, programme_id: Identifier, limit: Limit = paging.USUAL, cursor: Cursor = None
) -> Response:
    """By id, without their plans; for coordinators."""
    actor = await caller(request)
    page = paging.page(request, limit, cursor)
    programme = await database(request).read(
        lambda connection: programmes.find(connection, actor, programme_id)
    )
    found = await database(request).read(
        lambda connection: matches.in_programme(
            connection, actor, programme, after=page.after, limit=page.asked
        )
    )
    shown, more = page.cut(found)
    here, language = base_url(request), languages.of(request, actor)
    items = [match_items.match(here, view, language) for view in shown]
    return paging.listing(request, page, items, shown[-1].id if more else None)


@operation(
    "POST",
    "/programmes/{programme_id}/matches",
    tag="matches",
    summary="Start a match",
    scope="admin",
    status=201,
    located="/matches/{match_id}",
    takes=MatchDraft,
    gives=MatchItem,
    keyed=True,
    conflicts=True,
)
async def start(request: Request, programme_id: Identifier) -> Response:
    """For coordinators. It runs by itself: read it again to see how far it is. Demands that exclude each other are
    refused, and named.
    """
    actor = await caller(request)
    draft = match_items.asked(await bodies.take(request, MatchDraft))

    def work(tx: Transaction) -> Answer:
        programme = programmes.find(tx.connection, actor, programme_id)
        match_id = matches.start(tx, actor, programme, **draft)
        return _answer(request, tx, actor, match_id, created=True)

    return await idempotency.once(request, actor, work)


@operation(
    "GET",
    "/matches/{match_id}",
    tag="matches",
    summary="Read a match",
    scope="read",
    gives=MatchItem,
    tagged=True,
)
async def show(request: Request, match_id: Identifier) -> Response:
    """For coordinators: how far it is, and its plan once it is done."""
    actor = await caller(request)
    view, body = await database(request).read(
        lambda connection: _written(request, connection, actor, match_id)
    )
    return etags.item(request, body, view.version)


@operation(
    "DELETE",
    "/matches/{match_id}",
    tag="matches",
    summary="Cancel a match",
    scope="admin",
    status=204,
    weighed=True,
)
async def cancel(request: Request, match_id: Identifier) -> Response:
    """For coordinators, while it runs. One that has ended stays as it is; asked again, nothing more happens."""
    actor = await caller(request)
    versions = etags.weighed(request)

    def work(tx: Transaction) -> None:
        version = etags.meant(versions, lambda: matches.find(tx.connection, actor, match_id).version)
        matches.cancel(tx, actor, match_id, version=version)

    await database(request).write(work)
    return Response(status_code=204)


@operation(
    "POST",
    "/matches/{match_id}/publication",
    name="publish_match",
    tag="matches",
    summary="Publish a plan",
    scope="admin",
    gives=MatchItem,
    keyed=True,
    weighed=True,
    conflicts=True,
)
async def publish(request: Request, match_id: Identifier) -> Response:
    """For coordinators. Its places are offered to its people, who accept them or pass them on within days."""
    actor = await caller(request)
    versions = etags.weighed(request)

    def verb(tx: Transaction) -> None:
        version = etags.meant(versions, lambda: matches.find(tx.connection, actor, match_id).version)
        match_publishing.publish(tx, actor, match_id, version=version)

    return await _once(request, actor, match_id, verb)


async def _once(
    request: Request, actor: Actor, match_id: int, verb: Callable[[Transaction], None]
) -> Response:
    def work(tx: Transaction) -> Answer:
        verb(tx)
        return _answer(request, tx, actor, match_id)

    return await idempotency.once(request, actor, work)


def _answer(
    request: Request, tx: Transaction, actor: Actor, match_id: int, *, created: bool = False
) -> Answer:
    view, body = _written(request, tx.connection, actor, match_id)
    location = f"{base_url(request)}{PREFIX}/matches/{match_id}" if created else None
    return Answer(201 if created else 200, body, etags.tag(body, view.version), location)


def _written(request: Request, connection: Any, actor: Actor, match_id: int) -> tuple[MatchView, bytes]:
    view = matches.find(connection, actor, match_id)
    return view, to_json(match_items.match(base_url(request), view, languages.of(request, actor)))
