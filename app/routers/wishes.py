"""Wishes for the match, conflicts of interest, and whom hosts would rather have."""

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import require
from app.services import exchange_rules, organisations, placements, preferences, wishes
from app.web import exchange_pages, pages
from app.web.match_forms import by_fields, ranked, room, stated, values_of

router = APIRouter(include_in_schema=False)


@router.get("/exchanges/wishes")
async def edit(request: Request) -> Response:
    """The form with one's wishes."""
    actor = await pages.member(request)
    programme = await exchange_pages.programme_of(request, actor)
    require(actor, Permission.STATE_WISHES, programme)
    own = await pages.read(request, wishes.of_person, actor, programme.id)
    return await _show(request, actor, programme, pages.Form(values_of(own)))


@router.post("/exchanges/wishes")
async def save(request: Request) -> Response:
    """State one's wishes."""
    actor = await pages.member(request)
    programme = await exchange_pages.programme_of(request, actor)
    values = await pages.fields(request)
    try:
        await pages.write(request, wishes.state, actor, programme, **stated(values))
    except pages.MENDABLE as error:
        form = pages.refused(request, actor, by_fields(error, values), values)
        return await _show(request, actor, programme, form, status=error.status)
    return pages.back_to(f"/exchanges/wishes?programme={programme.slug}")


@router.post("/exchanges/wishes/withdrawal")
async def withdraw(request: Request) -> Response:
    """Take part in no match any more."""
    actor = await pages.member(request)
    programme = await exchange_pages.programme_of(request, actor)
    await pages.write(request, wishes.withdraw, actor, programme)
    return pages.back_to(f"/exchanges/wishes?programme={programme.slug}")


@router.post("/exchanges/conflicts")
async def declare_conflict(request: Request) -> Response:
    """Declare that one must not be a guest of an organisation."""
    actor = await pages.member(request)
    programme = await exchange_pages.programme_of(request, actor)
    values = await pages.fields(request)
    organisation_id = pages.number(values.get("organisation_id", "")) or 0
    try:
        await pages.write(
            request,
            wishes.declare_conflict,
            actor,
            programme,
            organisation_id=organisation_id,
            statement=values.get("statement", ""),
        )
    except pages.MENDABLE as error:
        own = await pages.read(request, wishes.of_person, actor, programme.id)
        form = pages.refused(request, actor, error, {**values_of(own), **values})
        return await _show(request, actor, programme, form, status=error.status)
    return pages.back_to(f"/exchanges/wishes?programme={programme.slug}#conflicts")


@router.post("/exchanges/conflicts/{id:key}/withdrawal")
async def withdraw_conflict(request: Request, id: int) -> Response:
    """Take a declaration back."""
    actor = await pages.member(request)
    programme = await exchange_pages.programme_of(request, actor)
    await pages.write(request, wishes.withdraw_conflict, actor, programme, id)
    return pages.back_to(f"/exchanges/wishes?programme={programme.slug}#conflicts")


@router.get("/placements/{id:key}/preferences")
async def edit_preferences(request: Request, id: int) -> Response:
    """Whom the host would rather have, of those who wish to come."""
    return await _show_preferences(request, await pages.member(request), id, pages.Form())


@router.post("/placements/{id:key}/preferences")
async def save_preferences(request: Request, id: int) -> Response:
    """State whom the host would rather have: the numbers say in which order."""
    actor = await pages.member(request)
    values = await pages.fields(request)
    try:
        await pages.write(request, preferences.state, actor, id, ranked(values))
    except pages.MENDABLE as error:
        form = pages.refused(request, actor, error, values)
        return await _show_preferences(request, actor, id, form, status=error.status)
    return pages.back_to(f"/placements/{id}")


async def _show(
    request: Request, actor: Actor, programme: Any, form: pages.Form, *, status: int = 200
) -> Response:
    own = actor.memberships[programme.id].organisation_id
    known = await pages.read(request, organisations.in_programme, programme.id, limit=500)
    offered = await pages.read(request, placements.to_wish_for, actor, programme)
    wish_numbers, away_numbers = room(form.values)
    return pages.show(
        request,
        actor,
        "wishes/edit.html",
        status=status,
        subject=programme,
        programme=programme,
        rules=await pages.read(request, exchange_rules.find, programme.id),
        placements=[each for each in offered if each.host_id != own],
        organisations=[row for row in known if row.id != own],
        competencies=placements.each_once(name for each in offered for name in each.competencies),
        conflicts=await pages.read(request, wishes.conflicts, actor, programme.id),
        wish_numbers=wish_numbers,
        away_numbers=away_numbers,
        form=form,
    )


async def _show_preferences(
    request: Request, actor: Actor, id: int, form: pages.Form, *, status: int = 200
) -> Response:
    placement = await pages.read(request, placements.find, actor, id)
    people = await pages.read(request, preferences.wishing, actor, placement)
    return pages.show(
        request,
        actor,
        "wishes/preferences.html",
        status=status,
        subject=placement,
        placement=placement,
        people=people,
        form=form,
    )
