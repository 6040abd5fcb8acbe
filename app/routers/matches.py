"""Matches: starting a run, following it, changing what it must do, comparing plans, publishing one."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.errors import FieldError, Invalid
from app.lib import clock, days
from app.lib.i18n import N_
from app.methods.exchange_result import STEPS
from app.methods.exchange_words import BECAUSE, SAID
from app.models.exchange import AIMS
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import require
from app.services import exchange_rules, match_market, match_publishing, matches, programmes
from app.web import exchange_pages, pages
from app.web.match_forms import demand

router = APIRouter(include_in_schema=False)

MOST_RUNS = 1000

WORDS: dict[str, Any] = {**SAID, "because": BECAUSE}


@router.get("/exchanges/matches")
async def index(request: Request) -> Response:
    """All runs, and the form for another."""
    actor = await pages.member(request)
    programme = await exchange_pages.programme_of(request, actor)
    require(actor, Permission.RUN_EXCHANGES, programme)
    rules = await pages.read(request, exchange_rules.find, programme.id)
    today = rules.today(clock.now())
    values = {
        "aim": rules.aim,
        "first_day": (today + timedelta(days=1)).isoformat(),
        "last_day": (today + timedelta(days=180)).isoformat(),
    }
    return await _show_all(request, actor, programme, pages.Form(values))


@router.post("/exchanges/matches")
async def start(request: Request) -> Response:
    """Start a run."""
    actor = await pages.member(request)
    programme = await exchange_pages.programme_of(request, actor)
    values = await pages.fields_and_lists(request, "pins", "forbids")
    try:
        made = await pages.write(request, matches.start, actor, programme, **_asked(values))
    except pages.MENDABLE as error:
        form = pages.refused(request, actor, error, values)
        return await _show_all(request, actor, programme, form, status=error.status)
    return pages.back_to(f"/matches/{made}")


@router.get("/matches/{id:key}")
async def show(request: Request, id: int) -> Response:
    """One run: how far it is, or its plan."""
    actor = await pages.member(request)
    match = await pages.read(request, matches.find, actor, id)
    return await _show(request, actor, match)


@router.post("/matches/{id:key}/cancellation")
async def cancel(request: Request, id: int) -> Response:
    """Let a run end without a plan."""
    actor = await pages.member(request)
    await pages.write(request, matches.cancel, actor, id)
    return pages.back_to(f"/matches/{id}")


@router.post("/matches/{id:key}/publication")
async def publish(request: Request, id: int) -> Response:
    """Publish a plan: its places are proposed to its people."""
    actor = await pages.member(request)
    try:
        await pages.write(request, match_publishing.publish, actor, id)
    except pages.MENDABLE as error:
        match = await pages.read(request, matches.find, actor, id)
        return await _show(request, actor, match, form=pages.refused(request, actor, error, {}), status=409)
    return pages.back_to(f"/matches/{id}")


@router.get("/matches/{id:key}/mine")
async def mine(request: Request, id: int) -> Response:
    """Why a person got what they got."""
    actor = await pages.member(request)
    match, explanation = await pages.read(request, matches.published_for, actor, id)
    programme = await pages.read(request, programmes.find, actor, match.programme_id)
    return pages.show(
        request,
        actor,
        "matches/mine.html",
        subject=programme,
        programme=programme,
        match=match,
        explanation=explanation,
        words=WORDS,
        offers=await pages.read(request, match_market.periods, match_market.named([explanation])),
    )


@router.get("/matches/{id:key}/compare/{other:key}")
async def compare(request: Request, id: int, other: int) -> Response:
    """Two plans side by side."""
    actor = await pages.member(request)
    found = await pages.read(request, matches.compare, actor, id, other)
    programme = await pages.read(request, programmes.find, actor, found.one.programme_id)
    return pages.show(
        request,
        actor,
        "matches/compare.html",
        subject=programme,
        programme=programme,
        matches=(found.one, found.two),
        names=await pages.read(request, matches.names, programme.id, found.one, found.two),
        changed=found.changed,
    )


async def _show_all(
    request: Request, actor: Actor, programme: Any, form: pages.Form, *, status: int = 200
) -> Response:
    found = await pages.read(request, matches.in_programme, actor, programme, limit=MOST_RUNS)
    return pages.show(
        request,
        actor,
        "matches/index.html",
        status=status,
        subject=programme,
        programme=programme,
        matches=found[::-1],
        aims=AIMS,
        form=form,
    )


async def _show(
    request: Request, actor: Actor, match: Any, *, form: pages.Form | None = None, status: int = 200
) -> Response:
    programme = await pages.read(request, programmes.find, actor, match.programme_id)
    others = await pages.read(request, matches.in_programme, actor, programme, limit=MOST_RUNS)
    return pages.show(
        request,
        actor,
        "matches/show.html",
        status=status,
        subject=programme,
        programme=programme,
        match=match,
        names=await pages.read(request, matches.names, match.programme_id, match),
        others=[each for each in others if each.state == "done" and each.id != match.id][-10:],
        steps=STEPS,
        words=WORDS,
        offers=await pages.read(request, match_market.periods, match_market.named(_of_unmatched(match))),
        form=form or pages.Form(),
    )


def _asked(values: Mapping[str, Any]) -> dict[str, Any]:
    """What the form of a run says, as `matches.start` takes it.

    :raises Invalid: a day cannot be read
    """
    read = {name: days.parse_day(str(values.get(name, ""))) for name in ("first_day", "last_day")}
    wrong = [name for name, day in read.items() if day is None]
    if wrong:
        message = N_("Please write the day like 2026-05-04.")
        raise Invalid(*(FieldError(name, message) for name in wrong))
    return {
        **read,
        "name": values.get("name", ""),
        "aim": values.get("aim") or None,
        "seed": pages.number(str(values.get("seed", ""))),
        "pins": [found for text in values["pins"] if (found := demand(text))],
        "forbids": [found for text in values["forbids"] if (found := demand(text))],
    }


def _of_unmatched(match: Any) -> list[Mapping[str, Any]]:
    """The explanations of those whom a plan leaves without a place."""
    plan = match.plan or {"unmatched": ()}
    return [plan["reasons"][str(person)] for person in plan["unmatched"]]
