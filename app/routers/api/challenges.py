"""Challenges and their phases, for programs."""

from typing import Any

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from app.database import Transaction
from app.policies.actor import Actor
from app.schemas.base import Taken
from app.schemas.challenges import (
    ChallengeChange,
    ChallengeDraft,
    ChallengeItem,
    ChallengeList,
    PhaseDraft,
    PhasesDraft,
)
from app.services import challenges, programmes
from app.web import bodies, etags, idempotency, items, paging
from app.web.idempotency import Answer
from app.web.operations import PREFIX, Identifier, base_url, caller, database, operation
from app.web.paging import Cursor, Limit


@operation(
    "GET",
    "/programmes/{programme_id}/challenges",
    tag="challenges",
    summary="List the challenges of a programme",
    scope="read",
    gives=ChallengeList,
    paged=True,
)
async def index(
    request: Request, programme_id: Identifier, limit: Limit = paging.USUAL, cursor: Cursor = None
) -> Response:
    """The questions that its sponsors have set, by id."""
    actor = await caller(request)
    page = paging.page(request, limit, cursor)
    programme = await database(request).read(
        lambda connection: programmes.find(connection, actor, programme_id)
    )
    found = await database(request).read(
        lambda connection: challenges.in_programme(
            connection, actor, programme, after=page.after, limit=page.asked
        )
    )
    shown, more = page.cut(found)
    return paging.listing(
        request,
        page,
        [items.challenge(base_url(request), challenge) for challenge in shown],
        shown[-1].id if more else None,
    )


@operation(
    "POST",
    "/programmes/{programme_id}/challenges",
    tag="challenges",
    summary="Set a challenge",
    scope="write",
    status=201,
    takes=ChallengeDraft,
    gives=ChallengeItem,
    keyed=True,
)
async def create(request: Request, programme_id: Identifier) -> Response:
    """For sponsors and coordinators. Without phases it begins in framing, now."""
    actor = await caller(request)
    draft = await bodies.take(request, ChallengeDraft)

    def work(tx: Transaction) -> Answer:
        programme = programmes.find(tx.connection, actor, programme_id)
        challenge_id = challenges.create(tx, actor, programme, **_fields(draft))
        return _answer(tx, actor, challenge_id, base_url(request), created=True)

    return await idempotency.once(request, actor, work)


@operation(
    "GET",
    "/challenges/{challenge_id}",
    tag="challenges",
    summary="Read a challenge",
    scope="read",
    gives=ChallengeItem,
    tagged=True,
)
async def show(request: Request, challenge_id: Identifier) -> Response:
    """The question, its brief and its phases."""
    actor = await caller(request)
    found = await database(request).read(lambda connection: challenges.find(connection, actor, challenge_id))
    return etags.item(request, to_json(items.challenge(base_url(request), found)), found.version)


@operation(
    "PATCH",
    "/challenges/{challenge_id}",
    tag="challenges",
    summary="Change a challenge",
    scope="write",
    takes=ChallengeChange,
    gives=ChallengeItem,
    conditional=True,
)
async def change(request: Request, challenge_id: Identifier) -> Response:
    """For its facilitators, sponsors and coordinators. What is left out stays."""
    actor = await caller(request)
    versions = etags.expected(request)
    changes = _fields(await bodies.take(request, ChallengeChange))

    def work(tx: Transaction) -> Answer:
        version = etags.meant(versions, lambda: challenges.find(tx.connection, actor, challenge_id).version)
        challenges.change(tx, actor, challenge_id, version=version, **changes)
        return _answer(tx, actor, challenge_id, base_url(request))

    return (await database(request).write(work)).response()


@operation(
    "DELETE",
    "/challenges/{challenge_id}",
    tag="challenges",
    summary="Take a challenge away",
    scope="write",
    status=204,
    conditional=True,
)
async def delete(request: Request, challenge_id: Identifier) -> Response:
    """For coordinators. It leaves every page and list; the log keeps that it was there."""
    actor = await caller(request)
    versions = etags.expected(request)

    def work(tx: Transaction) -> None:
        version = etags.meant(versions, lambda: challenges.find(tx.connection, actor, challenge_id).version)
        challenges.delete(tx, actor, challenge_id, version=version)

    await database(request).write(work)
    return Response(status_code=204)


@operation(
    "PUT",
    "/challenges/{challenge_id}/phases",
    tag="challenges",
    summary="Set the phases of a challenge",
    scope="write",
    takes=PhasesDraft,
    gives=ChallengeItem,
    conditional=True,
)
async def change_phases(request: Request, challenge_id: Identifier) -> Response:
    """For facilitators and coordinators. All the phases, in their order: each lasts until the next one begins."""
    actor = await caller(request)
    versions = etags.expected(request)
    draft = await bodies.take(request, PhasesDraft)

    def work(tx: Transaction) -> Answer:
        version = etags.meant(versions, lambda: challenges.find(tx.connection, actor, challenge_id).version)
        challenges.change_phases(
            tx, actor, challenge_id, [_phase(phase) for phase in draft.phases], version=version
        )
        return _answer(tx, actor, challenge_id, base_url(request))

    return (await database(request).write(work)).response()


def _fields(given: Taken) -> dict[str, Any]:
    """What was given, by the names of the service."""
    fields = given.given()
    if "sponsor" in fields:
        fields["sponsor_id"] = fields.pop("sponsor")
    if fields.get("phases"):
        fields["phases"] = [_phase(phase) for phase in fields["phases"]]
    return fields


def _phase(draft: PhaseDraft) -> dict[str, Any]:
    """A phase without what was left to its kind."""
    return {name: value for name, value in draft.given().items() if value is not None}


def _answer(
    tx: Transaction, actor: Actor, challenge_id: int, base_url: str, *, created: bool = False
) -> Answer:
    view = challenges.find(tx.connection, actor, challenge_id)
    body = to_json(items.challenge(base_url, view))
    location = f"{base_url}{PREFIX}/challenges/{challenge_id}" if created else None
    return Answer(201 if created else 200, body, etags.tag(body, view.version), location)
