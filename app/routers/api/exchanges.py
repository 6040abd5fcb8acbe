"""How a programme runs its exchanges, for programs."""

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from app.database import Transaction
from app.schemas.exchanges import LedgerItem, RulesChange, RulesItem
from app.services import exchange_rules, programmes
from app.services import ledger as ledgers
from app.web import bodies, etags, exchange_bodies, exchange_items, languages
from app.web.idempotency import Answer
from app.web.operations import Identifier, base_url, caller, database, operation

UNCOUNTED = 0
"""The version of what counts none: its tag differs by the bytes."""


@operation(
    "GET",
    "/programmes/{programme_id}/exchange-rules",
    tag="exchanges",
    summary="Read how exchanges are run",
    scope="read",
    gives=RulesItem,
    tagged=True,
)
async def rules(request: Request, programme_id: Identifier) -> Response:
    """Who approves, in which order, how long a place is held, what is agreed before a stay."""
    actor = await caller(request)
    programme = await database(request).read(
        lambda connection: programmes.find(connection, actor, programme_id)
    )
    view = await database(request).read(
        lambda connection: exchange_rules.of_programme(connection, actor, programme)
    )
    language = languages.of(request, actor)
    body = to_json(exchange_items.rules(base_url(request), programme.slug, view, language))
    return etags.item(request, body, view.version)


@operation(
    "PATCH",
    "/programmes/{programme_id}/exchange-rules",
    tag="exchanges",
    summary="Change how exchanges are run",
    scope="admin",
    takes=RulesChange,
    gives=RulesItem,
    conditional=True,
)
async def change_rules(request: Request, programme_id: Identifier) -> Response:
    """For coordinators. Bookings that are on their way go on by the new rules."""
    actor = await caller(request)
    versions = etags.expected(request)
    changes = exchange_bodies.rules(await bodies.take(request, RulesChange))

    def work(tx: Transaction) -> Answer:
        programme = programmes.find(tx.connection, actor, programme_id)
        version = etags.meant(versions, lambda: exchange_rules.find(tx.connection, programme_id).version)
        view = exchange_rules.set_rules(tx, actor, programme, version=version, **changes)
        language = languages.of(request, actor)
        body = to_json(exchange_items.rules(base_url(request), programme.slug, view, language))
        return Answer(200, body, etags.tag(body, view.version))

    with exchange_bodies.places_of_rules():
        return (await database(request).write(work)).response()


@operation(
    "GET",
    "/programmes/{programme_id}/ledger",
    tag="exchanges",
    summary="Read who exchanged with whom",
    scope="read",
    gives=LedgerItem,
    tagged=True,
)
async def ledger(request: Request, programme_id: Identifier) -> Response:
    """For each organisation how many went and came, by sector and direction."""
    actor = await caller(request)
    programme = await database(request).read(
        lambda connection: programmes.find(connection, actor, programme_id)
    )
    view = await database(request).read(lambda connection: ledgers.of(connection, actor, programme))
    body = to_json(exchange_items.ledger(base_url(request), programme, view))
    return etags.item(request, body, UNCOUNTED)
