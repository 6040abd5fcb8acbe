"""Whom hosts would rather have as guests, for programs."""

from typing import Any

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from app.database import Transaction
from app.policies.actor import Actor
from app.schemas.preferences import PreferencesDraft, PreferencesItem
from app.services import placements, preferences
from app.web import bodies, etags, stay_items
from app.web.idempotency import Answer
from app.web.operations import Identifier, base_url, caller, database, operation


@operation(
    "GET",
    "/placements/{placement_id}/preferences",
    name="get_preferences",
    tag="wishes",
    summary="Read whom a host would rather have",
    scope="read",
    gives=PreferencesItem,
    tagged=True,
)
async def show(request: Request, placement_id: Identifier) -> Response:
    """For the host: who wishes for the placement, and in which order it would have them."""
    actor = await caller(request)
    version, body = await database(request).read(
        lambda connection: _written(request, connection, actor, placement_id)
    )
    return etags.item(request, body, version)


@operation(
    "PUT",
    "/placements/{placement_id}/preferences",
    name="state_preferences",
    tag="wishes",
    summary="State whom a host would rather have",
    scope="write",
    takes=PreferencesDraft,
    gives=PreferencesItem,
    conditional=True,
)
async def state(request: Request, placement_id: Identifier) -> Response:
    """By the host, in place of those from before. A match heeds it after the wishes of people, or as much in a stable
    plan.
    """
    actor = await caller(request)
    versions = etags.expected(request)
    people = (await bodies.take(request, PreferencesDraft)).people

    def work(tx: Transaction) -> Answer:
        version = etags.meant(versions, lambda: _written(request, tx.connection, actor, placement_id)[0])
        preferences.state(tx, actor, placement_id, people, version=version)
        now, body = _written(request, tx.connection, actor, placement_id)
        return Answer(200, body, etags.tag(body, now))

    return (await database(request).write(work)).response()


def _written(request: Request, connection: Any, actor: Actor, placement_id: int) -> tuple[int, bytes]:
    placement = placements.find(connection, actor, placement_id)
    people = preferences.wishing(connection, actor, placement)
    body = to_json(stay_items.preferences(base_url(request), placement, people))
    return preferences.version_of(people), body
