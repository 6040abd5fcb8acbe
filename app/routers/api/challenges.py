"""Challenges and their phases, for programs."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from app.database import Transaction
from app.policies.actor import Actor
from app.schemas.base import LARGEST_ID, Taken
from app.schemas.challenges import (
    ChallengeChange,
    ChallengeDraft,
    ChallengeItem,
    ChallengeList,
    Kind,
    Language,
    PhaseDraft,
    PhasesDraft,
)
from app.services import challenges, orders, programmes
from app.web import bodies, etags, idempotency, including, items, paging
from app.web.idempotency import Answer
from app.web.operations import PREFIX, Identifier, base_url, caller, database, operation
from app.web.paging import Cursor, Limit
from app.web.validation import DIGITS, pointing

Sort = Annotated[
    Literal["created_at", "-created_at", "updated_at", "-updated_at", "title", "-title"] | None,
    Query(description="By what; with `-` the other way round."),
]
InPhase = Annotated[Kind | None, Query(description="Only those in this phase now.")]
InLanguage = Annotated[Language | None, Query(description="Only those in this language.")]
OfSponsor = Annotated[
    int | None, Query(ge=1, le=LARGEST_ID, description="Only of this organisation."), DIGITS
]


@operation(
    "GET",
    "/programmes/{programme_id}/challenges",
    tag="challenges",
    summary="List the challenges of a programme",
    scope="read",
    gives=ChallengeList,
    paged=True,
    includes=("programme", "sponsor"),
)
async def index(  # noqa: PLR0917 -- the framework passes them by name
    request: Request,
    programme_id: Identifier,
    limit: Limit = paging.USUAL,
    cursor: Cursor = None,
    sort: Sort = None,
    phase: InPhase = None,
    language: InLanguage = None,
    sponsor: OfSponsor = None,
) -> Response:
    """The questions that its sponsors have set, by id unless sorted."""
    actor = await caller(request)
    page = paging.page(request, limit, cursor)
    order = orders.of(sort, page.position)
    wanted = challenges.Filter(phase, language, sponsor)
    programme = await database(request).read(
        lambda connection: programmes.find(connection, actor, programme_id)
    )
    found = await database(request).read(
        lambda connection: challenges.in_programme(
            connection, actor, programme, wanted, order=order, limit=page.asked
        )
    )
    shown, more = page.cut(found)
    told = [items.challenge(base_url(request), challenge) for challenge in shown]
    included = await including.of_items(request, actor, told)
    return paging.listing(request, page, told, order.place(shown[-1]) if more else None, included)


@operation(
    "POST",
    "/programmes/{programme_id}/challenges",
    tag="challenges",
    summary="Set a challenge",
    scope="write",
    status=201,
    located="/challenges/{challenge_id}",
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

    with _places(draft.phases or ()):
        return await idempotency.once(request, actor, work)


@operation(
    "GET",
    "/challenges/{challenge_id}",
    tag="challenges",
    summary="Read a challenge",
    scope="read",
    gives=ChallengeItem,
    tagged=True,
    includes=("programme", "sponsor"),
)
async def show(request: Request, challenge_id: Identifier) -> Response:
    """The question, its brief and its phases."""
    actor = await caller(request)
    found = await database(request).read(lambda connection: challenges.find(connection, actor, challenge_id))
    told = await including.of_item(request, actor, items.challenge(base_url(request), found))
    return etags.item(request, to_json(told), found.version)


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
    conflicts=True,
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

    with _places(draft.phases):
        return (await database(request).write(work)).response()


def _places(phases: Sequence[PhaseDraft]) -> AbstractContextManager[None]:
    """Let an error of the end of the last phase point to where it stands in the body."""
    last = f"phases/{len(phases) - 1}/ends_at"
    return pointing(lambda field: last if field == "ends_at" else field)


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
