"""The challenge page with its board, and what facilitators arrange on it."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.lib import clock
from app.models.challenge import PHASES
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import require
from app.services import boards, challenges, search
from app.services.boards import Query
from app.services.phases import OPENINGS
from app.web import pages, paging

router = APIRouter(include_in_schema=False)

MOST_WORDS = 120


async def show(request: Request) -> Response:
    """`GET /challenges/{id}`: the challenge and one page of its board; for htmx the next page alone."""
    actor = await pages.member(request)
    board = await pages.read(request, boards.on, actor, request.path_params["id"], query_of(request))
    name = "challenges/_board.html" if pages.is_fragment(request) else "challenges/show.html"
    pages.keep(request, until=_next_change(board))
    return show_board(request, actor, board, name=name)


@router.get("/challenges/{id:key}/similar")
async def similar(request: Request, id: int) -> Response:
    """A hint while one types: ideas that are like this one."""
    actor = await pages.member(request)
    challenge = await pages.read(request, challenges.find, actor, id)
    title = request.query_params.get("title", "")[:MOST_WORDS]
    found = await pages.read(request, search.similar, challenge.id, title)
    return pages.show(request, actor, "ideas/_similar.html", similar=found)


@router.get("/challenges/{id:key}/moderation")
async def moderation(request: Request, id: int) -> Response:
    """The hidden ideas of a board, with why, and what their authors say."""
    actor = await pages.member(request)
    challenge = await pages.read(request, challenges.find, actor, id)
    require(actor, Permission.MODERATE, challenge)
    hidden = await pages.read(request, boards.hidden, challenge)
    return pages.show(
        request, actor, "challenges/moderation.html", subject=challenge, challenge=challenge, hidden=hidden
    )


@router.get("/challenges/{id:key}/phases")
async def phases(request: Request, id: int) -> Response:
    """The form in which facilitators set phases, and open or close what each allows."""
    actor = await pages.member(request)
    challenge = await pages.read(request, challenges.find, actor, id)
    require(actor, Permission.CHANGE_PHASES, challenge)
    return _show_phases(request, actor, challenge)


@router.post("/challenges/{id:key}/phases")
async def change_phases(request: Request, id: int) -> Response:
    """Save the phases."""
    actor = await pages.member(request)
    fields = await pages.fields(request)
    challenge = await pages.read(request, challenges.find, actor, id)
    require(actor, Permission.CHANGE_PHASES, challenge)
    try:
        version = pages.number(fields.get("version", ""))
        await pages.write(request, challenges.change_phases, actor, id, _phases(fields), version=version)
    except pages.MENDABLE as error:
        form = pages.refused(request, actor, error, fields)
        return _show_phases(request, actor, challenge, form=form, status=error.status)
    return pages.back_to(f"/challenges/{id}")


def query_of(request: Request) -> Query:
    """What of a board an address asks for; what makes no sense there is left out."""
    given = request.query_params
    cluster = given.get("cluster", "")
    sort = given.get("sort", "new")
    page = paging.page(request, boards.PAGE, given.get("cursor"))
    return Query(
        sort=sort if sort in boards.SORTS else "new",
        cluster_id=pages.number(cluster),
        sector=given.get("sector", "")[:40] or None,
        words=" ".join(given.get("q", "")[:MOST_WORDS].split()),
        after=page.position or None,
    )


def show_board(
    request: Request, actor: Actor, board: boards.Board, *, name: str = "challenges/show.html", **values: Any
) -> Response:
    """A board as a page, or its columns alone."""
    membership = actor.membership_in(board.challenge.programme_id)
    response = pages.show(
        request,
        actor,
        name,
        subject=board.challenge,
        board=board,
        more=paging.following_address(request, board.next),
        sector=membership.sector_key if membership else "",
        **values,
    )
    response.headers["Vary"] = "Cookie, Accept-Language, HX-Request-Type"
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def _next_change(board: boards.Board) -> datetime | None:
    """When the clock changes what the page shows: a phase ends, a ballot opens or closes."""
    moments = [board.challenge.phase.ends_at]
    for ballot in board.ballots:
        moments += [ballot.opens_at, ballot.closes_at]
    return min((moment for moment in moments if moment and moment > clock.now()), default=None)


def _show_phases(
    request: Request, actor: Actor, challenge: Any, *, form: Any = None, status: int = 200
) -> Response:
    return pages.show(
        request,
        actor,
        "challenges/phases.html",
        status=status,
        subject=challenge,
        challenge=challenge,
        kinds=PHASES,
        form=form or pages.Form(),
    )


def _phases(fields: dict[str, str]) -> list[dict[str, Any]]:
    """The phases that a form describes: those with a start, each with what is open in it."""
    chosen = []
    for kind in PHASES:
        start = fields.get(f"{kind}_starts_at", "").strip()
        if start:
            opened = {name: f"{kind}_{name}" in fields for name in (*OPENINGS, "tallies")}
            chosen.append({"kind": kind, "starts_at": pages.instant(f"{kind}_starts_at", start), **opened})
    if chosen and fields.get("ends_at", "").strip():
        chosen[-1]["ends_at"] = pages.instant("ends_at", fields["ends_at"].strip())
    return chosen
