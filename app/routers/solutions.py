"""Solutions: what ideas are worked out to, to be decided on."""

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import require
from app.services import boards, challenges, ideas, solutions
from app.services.boards import Query
from app.web import languages, pages
from app.web.solution_forms import by_fields, room, tidied, values_of, written

router = APIRouter(include_in_schema=False)

OFFERED = 200
"""How many ideas a form offers; those that are chosen already stand before them."""


@router.get("/challenges/{id:key}/solutions")
async def index(request: Request, id: int) -> Response:
    """The solutions of a challenge."""
    actor = await pages.member(request)
    challenge = await pages.read(request, challenges.find, actor, id)
    found = await pages.read(request, solutions.on_challenge, actor, id)
    sources = await pages.read(request, solutions.ideas_of, [solution.id for solution in found])
    return pages.show(
        request,
        actor,
        "solutions/index.html",
        subject=challenge,
        challenge=challenge,
        solutions=found,
        ideas=sources,
    )


@router.get("/challenges/{id:key}/solutions/new")
async def new(request: Request, id: int) -> Response:
    """The form for a solution; an idea that the address names is chosen, and gives its title."""
    actor = await pages.member(request)
    challenge = await pages.read(request, challenges.find, actor, id)
    require(actor, Permission.PROMOTE_SOLUTION, challenge)
    held, values = [], {"language": languages.of(request, actor), "idea_ids": []}
    named = pages.number(request.query_params.get("idea", ""))
    if named is not None:
        card = (await pages.read(request, ideas.find, actor, named)).card
        if card.challenge_id == id:
            held = [card]
            values = {"language": card.language, "idea_ids": [str(card.id)], "title": card.title}
    return await _show_new(request, actor, challenge, pages.Form(values), held=held)


@router.post("/challenges/{id:key}/solutions")
async def promote(request: Request, id: int) -> Response:
    """Make a solution of ideas."""
    actor = await pages.member(request)
    values = tidied(await pages.fields_and_lists(request, "idea_ids"))
    challenge = await pages.read(request, challenges.find, actor, id)
    require(actor, Permission.PROMOTE_SOLUTION, challenge)
    try:
        made = await pages.write(request, solutions.promote, actor, id, **written(values))
    except pages.MENDABLE as error:
        form = pages.refused(request, actor, by_fields(error), values)
        return await _show_new(request, actor, challenge, form, status=error.status)
    return pages.back_to(f"/solutions/{made}")


@router.get("/solutions/{id:key}")
async def show(request: Request, id: int) -> Response:
    """One solution."""
    actor = await pages.member(request)
    solution = await pages.read(request, solutions.find, actor, id)
    challenge = await pages.read(request, challenges.find, actor, solution.challenge_id)
    sources = await pages.read(request, solutions.ideas_of, [id])
    return pages.show(
        request,
        actor,
        "solutions/show.html",
        subject=solution,
        solution=solution,
        challenge=challenge,
        ideas=sources[id],
    )


@router.get("/solutions/{id:key}/edit")
async def edit(request: Request, id: int) -> Response:
    """The form with what the solution says now."""
    actor = await pages.member(request)
    solution = await pages.read(request, solutions.find, actor, id)
    require(actor, Permission.PROMOTE_SOLUTION, solution)
    return await _show_edit(request, actor, solution, pages.Form(values_of(solution)))


@router.post("/solutions/{id:key}/edit")
async def save(request: Request, id: int) -> Response:
    """Save a change of a solution."""
    actor = await pages.member(request)
    values = tidied(await pages.fields_and_lists(request, "idea_ids"))
    version = pages.number(values.get("version", ""))
    try:
        await pages.write(request, solutions.change, actor, id, version=version, **written(values))
    except pages.MENDABLE as error:
        solution = await pages.read(request, solutions.find, actor, id)
        form = pages.refused(request, actor, by_fields(error), values)
        return await _show_edit(request, actor, solution, form, status=error.status)
    return pages.back_to(f"/solutions/{id}")


@router.post("/solutions/{id:key}/withdrawal")
async def withdraw(request: Request, id: int) -> Response:
    """Take a solution back."""
    actor = await pages.member(request)
    await pages.write(request, solutions.withdraw, actor, id)
    return pages.back_to(f"/solutions/{id}")


async def _show_new(
    request: Request,
    actor: Actor,
    challenge: Any,
    form: Any,
    *,
    held: Sequence[Any] = (),
    status: int = 200,
) -> Response:
    return pages.show(
        request,
        actor,
        "solutions/new.html",
        status=status,
        subject=challenge,
        challenge=challenge,
        offered=await _offered(request, actor, challenge, held),
        kept=(),
        link_numbers=room(form.values),
        form=form,
    )


async def _show_edit(
    request: Request, actor: Actor, solution: Any, form: Any, *, status: int = 200
) -> Response:
    challenge = await pages.read(request, challenges.find, actor, solution.challenge_id)
    held = (await pages.read(request, solutions.ideas_of, [solution.id]))[solution.id]
    return pages.show(
        request,
        actor,
        "solutions/edit.html",
        status=status,
        subject=solution,
        solution=solution,
        challenge=challenge,
        offered=await _offered(request, actor, challenge, held),
        kept=set(solution.idea_ids) - {idea.id for idea in held},
        link_numbers=room(form.values),
        form=form,
    )


async def _offered(request: Request, actor: Actor, challenge: Any, held: Sequence[Any]) -> list[Any]:
    """The ideas that a form offers: `held` ones, then those of the board, the most supported first."""
    query = Query(sort="supported", limit=OFFERED)
    page = await pages.read(request, boards.ideas, actor, challenge, query)
    known = {idea.id for idea in held}
    return [*held, *(card for card in page.cards if card.id not in known)]
