"""Solutions, for programs."""

from typing import Any

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from app.database import Transaction
from app.policies.actor import Actor
from app.schemas.base import Taken
from app.schemas.solutions import SolutionChange, SolutionDraft, SolutionItem, SolutionList
from app.services import challenges, solutions
from app.web import ballot_items, bodies, etags, idempotency, including, paging
from app.web.idempotency import Answer
from app.web.operations import PREFIX, Identifier, base_url, caller, database, operation
from app.web.paging import Cursor, Limit


@operation(
    "GET",
    "/challenges/{challenge_id}/solutions",
    tag="solutions",
    summary="List the solutions of a challenge",
    scope="read",
    gives=SolutionList,
    paged=True,
    includes=("challenge", "ideas"),
)
async def index(
    request: Request, challenge_id: Identifier, limit: Limit = paging.USUAL, cursor: Cursor = None
) -> Response:
    """By id, without those that were taken back."""
    actor = await caller(request)
    page = paging.page(request, limit, cursor)
    await database(request).read(lambda connection: challenges.find(connection, actor, challenge_id))
    found = await database(request).read(
        lambda connection: solutions.on_challenge(
            connection, actor, challenge_id, after=page.after, limit=page.asked
        )
    )
    shown, more = page.cut(found)
    told = [ballot_items.solution(base_url(request), view) for view in shown]
    included = await including.of_items(request, actor, told)
    return paging.listing(request, page, told, shown[-1].id if more else None, included)


@operation(
    "POST",
    "/challenges/{challenge_id}/solutions",
    tag="solutions",
    summary="Promote ideas to a solution",
    scope="write",
    status=201,
    located="/solutions/{solution_id}",
    takes=SolutionDraft,
    gives=SolutionItem,
    keyed=True,
)
async def promote(request: Request, challenge_id: Identifier) -> Response:
    """For facilitators and coordinators."""
    actor = await caller(request)
    draft = _fields(await bodies.take(request, SolutionDraft))

    def work(tx: Transaction) -> Answer:
        solution_id = solutions.promote(tx, actor, challenge_id, **draft)
        return _answer(tx, actor, solution_id, base_url(request), created=True)

    return await idempotency.once(request, actor, work)


@operation(
    "GET",
    "/solutions/{solution_id}",
    tag="solutions",
    summary="Read a solution",
    scope="read",
    gives=SolutionItem,
    tagged=True,
    includes=("challenge", "ideas"),
)
async def show(request: Request, solution_id: Identifier) -> Response:
    """What is decided on."""
    actor = await caller(request)
    view = await database(request).read(lambda connection: solutions.find(connection, actor, solution_id))
    told = await including.of_item(request, actor, ballot_items.solution(base_url(request), view))
    return etags.item(request, to_json(told), view.version)


@operation(
    "PATCH",
    "/solutions/{solution_id}",
    tag="solutions",
    summary="Change a solution",
    scope="write",
    takes=SolutionChange,
    gives=SolutionItem,
    conditional=True,
    conflicts=True,
)
async def change(request: Request, solution_id: Identifier) -> Response:
    """For facilitators and coordinators, unless a ballot that holds it is open. What is left out stays."""
    actor = await caller(request)
    versions = etags.expected(request)
    changes = _fields(await bodies.take(request, SolutionChange))

    def work(tx: Transaction) -> Answer:
        version = etags.meant(versions, lambda: solutions.find(tx.connection, actor, solution_id).version)
        solutions.change(tx, actor, solution_id, version=version, **changes)
        return _answer(tx, actor, solution_id, base_url(request))

    return (await database(request).write(work)).response()


@operation(
    "DELETE",
    "/solutions/{solution_id}",
    tag="solutions",
    summary="Take a solution back",
    scope="write",
    status=204,
    conditional=True,
    conflicts=True,
)
async def withdraw(request: Request, solution_id: Identifier) -> Response:
    """For facilitators and coordinators, unless a ballot holds it."""
    actor = await caller(request)
    versions = etags.expected(request)

    def work(tx: Transaction) -> None:
        version = etags.meant(versions, lambda: solutions.find(tx.connection, actor, solution_id).version)
        solutions.withdraw(tx, actor, solution_id, version=version)

    await database(request).write(work)
    return Response(status_code=204)


def _fields(given: Taken) -> dict[str, Any]:
    """What was given, by the names of the service."""
    fields = given.given()
    if "ideas" in fields:
        fields["idea_ids"] = fields.pop("ideas")
    if "links" in fields:
        fields["links"] = [{"title": link.title, "url": link.url} for link in fields["links"]]
    return fields


def _answer(
    tx: Transaction, actor: Actor, solution_id: int, base_url: str, *, created: bool = False
) -> Answer:
    view = solutions.find(tx.connection, actor, solution_id)
    body = to_json(ballot_items.solution(base_url, view))
    location = f"{base_url}{PREFIX}/solutions/{solution_id}" if created else None
    return Answer(201 if created else 200, body, etags.tag(body, view.version), location)
