"""How long a programme keeps what is personal, for programs of those in charge."""

from typing import Any

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from app.database import Transaction
from app.policies.actor import Actor
from app.schemas.administration import RetentionChange, RetentionItem
from app.services import consents, joining, retention
from app.web import bodies, etags, languages
from app.web.idempotency import Answer
from app.web.operations import Identifier, base_url, caller, database, operation
from app.web.problems import said


@operation(
    "GET",
    "/programmes/{programme_id}/retention",
    tag="retention",
    summary="Read how long a programme keeps what is personal",
    scope="admin",
    gives=RetentionItem,
    tagged=True,
)
async def show(request: Request, programme_id: Identifier) -> Response:
    """With how many people are warned, and how many agree to what: numbers, never who."""
    actor = await caller(request)
    version, body = await database(request).read(
        lambda connection: _told(request, connection, actor, programme_id)
    )
    return etags.item(request, body, version)


@operation(
    "PATCH",
    "/programmes/{programme_id}/retention",
    tag="retention",
    summary="Change how long a programme keeps what is personal",
    scope="admin",
    takes=RetentionChange,
    gives=RetentionItem,
    conditional=True,
)
async def change(request: Request, programme_id: Identifier) -> Response:
    """It counts from the next look of the clock on."""
    actor = await caller(request)
    versions = etags.expected(request)
    changes = (await bodies.take(request, RetentionChange)).given()

    def work(tx: Transaction) -> Answer:
        programme = joining.find(tx.connection, actor, programme_id)
        version = etags.meant(
            versions, lambda: retention.of_programme(tx.connection, actor, programme).version
        )
        retention.set_rules(tx, actor, programme, version=version, **changes)
        now, body = _told(request, tx.connection, actor, programme_id)
        return Answer(200, body, etags.tag(body, now))

    return (await database(request).write(work)).response()


def _told(request: Request, connection: Any, actor: Actor, programme_id: int) -> tuple[int, bytes]:
    programme = joining.find(connection, actor, programme_id)
    rules = retention.of_programme(connection, actor, programme)
    language = languages.of(request, actor)
    told = {
        "programme": programme.id,
        "url": f"{base_url(request)}/admin/retention?programme={programme.slug}",
        **{name: getattr(rules, name) for name in retention.LIMITS},
        "warned": retention.warned_in(connection, actor, programme),
        "consents": [
            {"title": said(language, title), "people": people}
            for title, people in consents.numbers(connection, actor, programme)
        ],
        "version": rules.version,
    }
    return rules.version, to_json(told)
