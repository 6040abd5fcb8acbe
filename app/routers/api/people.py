"""People, for programs: the one who asks."""

from typing import Any

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from app.database import Transaction
from app.policies.actor import Actor
from app.schemas.own import MeChange
from app.schemas.people import Me
from app.services import people
from app.web import bodies, etags, including, items
from app.web.idempotency import Answer
from app.web.operations import base_url, caller, database, operation


@operation(
    "GET",
    "/people/me",
    name="get_me",
    tag="people",
    summary="Read who you are",
    scope="read",
    gives=Me,
    tagged=True,
    includes=("memberships.programme", "memberships.organisation"),
)
async def me(request: Request) -> Response:
    """The person that the token belongs to, with their place in each programme."""
    actor = await caller(request)
    dates = await database(request).read(lambda connection: people.dates(connection, actor))
    told = await including.of_item(request, actor, items.me(base_url(request), actor, dates))
    return etags.item(request, to_json(told), actor.version)


@operation(
    "PATCH",
    "/people/me",
    tag="people",
    summary="Correct who you are",
    scope="write",
    takes=MeChange,
    gives=Me,
    conditional=True,
    conflicts=True,
)
async def correct(request: Request) -> Response:
    """Your `name` and `language`; your `email` with the scope `admin`, since links in mails decide on stays, and only
    where no provider tells it, else it is corrected there (409).
    """
    actor = await caller(request)
    versions = etags.expected(request)
    changes = (await bodies.take(request, MeChange)).given()

    def work(tx: Transaction) -> Answer:
        version = etags.meant(versions, lambda: people.renewed(tx.connection, actor).version)
        _correct(tx, people.hold(tx, actor, version=version), changes)
        changed = people.renewed(tx.connection, actor)
        dates = people.dates(tx.connection, actor)
        body = to_json(items.me(base_url(request), changed, dates))
        return Answer(200, body, etags.tag(body, changed.version))

    return (await database(request).write(work)).response()


def _correct(tx: Transaction, now: Actor, changes: dict[str, Any]) -> None:
    if changes.keys() & {"name", "email"}:
        name, email = changes.get("name", now.name), changes.get("email", now.email)
        people.correct(tx, now, name=name, email=email or "")
    if "language" in changes:
        people.choose_language(tx, now, changes["language"])
