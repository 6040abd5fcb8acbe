"""Wishes for a match, for programs: each person's own."""

from typing import Any

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from app.database import Transaction
from app.policies.actor import Actor
from app.schemas.wishes import WishesDraft, WishesItem
from app.services import programmes, wishes
from app.services.programmes import ProgrammeView
from app.services.wishes import WishListView
from app.web import bodies, etags, exchange_bodies, exchange_items
from app.web.idempotency import Answer
from app.web.operations import Identifier, base_url, caller, database, operation


@operation(
    "GET",
    "/programmes/{programme_id}/wishes",
    tag="wishes",
    summary="Read your own wishes",
    scope="read",
    gives=WishesItem,
    tagged=True,
)
async def show(request: Request, programme_id: Identifier) -> Response:
    """Nobody else reads them but the match, and a host who of those that wish for it."""
    actor = await caller(request)
    programme = await database(request).read(
        lambda connection: programmes.find(connection, actor, programme_id)
    )
    view, body = await database(request).read(
        lambda connection: _written(request, connection, actor, programme)
    )
    return etags.item(request, body, view.version)


@operation(
    "PUT",
    "/programmes/{programme_id}/wishes",
    tag="wishes",
    summary="State your wishes",
    scope="book",
    takes=WishesDraft,
    gives=WishesItem,
    conditional=True,
    conflicts=True,
)
async def state(request: Request, programme_id: Identifier) -> Response:
    """The best first, in place of those from before. Where places go to who asks first, 409."""
    actor = await caller(request)
    versions = etags.expected(request)
    stated = exchange_bodies.wishes(await bodies.take(request, WishesDraft))

    def work(tx: Transaction) -> Answer:
        programme = programmes.find(tx.connection, actor, programme_id)
        version = etags.meant(versions, lambda: wishes.of_person(tx.connection, actor, programme_id).version)
        wishes.state(tx, actor, programme, version=version, **stated)
        view, body = _written(request, tx.connection, actor, programme)
        return Answer(200, body, etags.tag(body, view.version))

    return (await database(request).write(work)).response()


@operation(
    "DELETE",
    "/programmes/{programme_id}/wishes",
    tag="wishes",
    summary="Take your wishes back",
    scope="book",
    status=204,
    conditional=True,
)
async def withdraw(request: Request, programme_id: Identifier) -> Response:
    """You then take part in no match. Asked again with `If-Match: *`, nothing more happens."""
    actor = await caller(request)
    versions = etags.expected(request)

    def work(tx: Transaction) -> None:
        programme = programmes.find(tx.connection, actor, programme_id)
        version = etags.meant(versions, lambda: wishes.of_person(tx.connection, actor, programme_id).version)
        wishes.withdraw(tx, actor, programme, version=version)

    await database(request).write(work)
    return Response(status_code=204)


def _written(
    request: Request, connection: Any, actor: Actor, programme: ProgrammeView
) -> tuple[WishListView, bytes]:
    view = wishes.of_person(connection, actor, programme.id)
    return view, to_json(exchange_items.wishes(base_url(request), programme, view))
