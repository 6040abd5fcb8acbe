"""Placements: what a host offers, as a page, and the forms that make and change it."""

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.lib import clock, closing_days
from app.lib.days import Span
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import may, require
from app.services import (
    bookings,
    exchange_rules,
    organisations,
    placement_making,
    placements,
    programmes,
    stays,
)
from app.web import languages, pages
from app.web.placement_forms import blank, by_fields, room, values_of, written

router = APIRouter(include_in_schema=False)


@router.get("/programmes/{slug}/placements/new")
async def new(request: Request, slug: str) -> Response:
    """The form for a placement."""
    actor = await pages.member(request)
    programme = await pages.read(request, programmes.by_slug, actor, slug)
    require(actor, Permission.OFFER_PLACEMENT, programme)
    values = blank(actor, programme, languages.of(request, actor))
    return await _show_form(request, actor, programme, pages.Form(values))


@router.post("/programmes/{slug}/placements")
async def offer(request: Request, slug: str) -> Response:
    """Offer a placement; a coordinator then looks at it."""
    actor = await pages.member(request)
    programme = await pages.read(request, programmes.by_slug, actor, slug)
    require(actor, Permission.OFFER_PLACEMENT, programme)
    values = await pages.fields_and_lists(request)
    host_id = pages.number(values.get("organisation_id", ""))
    try:
        made = await pages.write(
            request, placement_making.offer, actor, programme, organisation_id=host_id, **written(values)
        )
    except pages.MENDABLE as error:
        form = pages.refused(request, actor, by_fields(error, values), values)
        return await _show_form(request, actor, programme, form, status=error.status)
    return pages.back_to(f"/placements/{made}")


@router.get("/placements/{id:key}")
async def show(request: Request, id: int) -> Response:
    """One placement, with what is free."""
    return await _show(request, await pages.member(request), id)


@router.get("/placements/{id:key}/edit")
async def edit(request: Request, id: int) -> Response:
    """The form with what the placement says now."""
    actor = await pages.member(request)
    placement = await pages.read(request, placements.find, actor, id)
    require(actor, Permission.CHANGE_PLACEMENT, placement)
    programme = await pages.read(request, programmes.find, actor, placement.programme_id)
    form = pages.Form(values_of(placement))
    return await _show_form(request, actor, programme, form, placement=placement)


@router.post("/placements/{id:key}/edit")
async def save(request: Request, id: int) -> Response:
    """Save a change of a placement."""
    actor = await pages.member(request)
    values = await pages.fields_and_lists(request)
    version = pages.number(values.get("version", ""))
    try:
        await pages.write(request, placement_making.change, actor, id, version=version, **written(values))
    except pages.MENDABLE as error:
        placement = await pages.read(request, placements.find, actor, id)
        programme = await pages.read(request, programmes.find, actor, placement.programme_id)
        form = pages.refused(request, actor, by_fields(error, values), values)
        return await _show_form(request, actor, programme, form, placement=placement, status=error.status)
    return pages.back_to(f"/placements/{id}")


@router.post("/placements/{id:key}/publication")
async def publish(request: Request, id: int) -> Response:
    """Publish a placement, as the one who looked at it has read it."""
    actor = await pages.member(request)
    version = pages.number((await pages.fields(request)).get("version", ""))
    try:
        await pages.write(request, placement_making.publish, actor, id, version=version)
    except pages.MENDABLE as error:
        return await _show(request, actor, id, error=error)
    return pages.back_to(f"/placements/{id}")


@router.post("/placements/{id:key}/return")
async def send_back(request: Request, id: int) -> Response:
    """Return a placement to its host with a note."""
    actor = await pages.member(request)
    values = await pages.fields(request)
    try:
        await pages.write(request, placement_making.send_back, actor, id, note=values.get("note", ""))
    except pages.MENDABLE as error:
        return await _show(request, actor, id, error=error, values=values)
    return pages.back_to(f"/placements/{id}")


@router.post("/placements/{id:key}/withdrawal")
async def withdraw(request: Request, id: int) -> Response:
    """Take a placement back; with bookings on it only if they are to end as well, for a reason."""
    actor = await pages.member(request)
    values = await pages.fields(request)
    try:
        await pages.write(
            request,
            placement_making.withdraw,
            actor,
            id,
            reason=values.get("reason", ""),
            cancel_bookings=bool(values.get("cancel_bookings")),
        )
    except pages.MENDABLE as error:
        return await _show(request, actor, id, error=error, values=values)
    return pages.back_to(f"/placements/{id}")


async def _show(
    request: Request, actor: Actor, id: int, *, error: Any = None, values: dict[str, str] | None = None
) -> Response:
    placement = await pages.read(request, placements.find, actor, id)
    rules = await pages.read(request, exchange_rules.find, placement.programme_id)
    today = rules.today(clock.now())
    membership = actor.memberships[placement.programme_id]
    form = pages.refused(request, actor, error, values or {}) if error else pages.Form()
    booked = []
    if may(actor, Permission.CHANGE_PLACEMENT, placement):
        booked = await pages.read(request, bookings.at_placement, actor, id)
    return pages.show(
        request,
        actor,
        "placements/show.html",
        status=error.status if error else 200,
        subject=placement,
        placement=placement,
        programme=placement,
        periods=placement.open_periods(today),
        closing=_closing(request, actor, rules, placement.periods),
        unfit=stays.unfit(placement, membership.organisation_id, membership.sector_key),
        rules=rules,
        bookings=booked,
        form=form,
    )


def _closing(request: Request, actor: Actor, rules: Any, periods: Any) -> dict[int, Any]:
    """The closing days in each period, by its id; a long window's are too many to be told here."""
    language = languages.of(request, actor)
    return {
        each.id: closing_days.closing_days(
            rules.country, Span(each.first_day, each.last_day), language, rules.region or None
        )
        for each in periods
    }


async def _show_form(
    request: Request,
    actor: Actor,
    programme: Any,
    form: pages.Form,
    *,
    placement: Any = None,
    status: int = 200,
) -> Response:
    host_id = (
        placement.host_id if placement else pages.number(str(form.values.get("organisation_id", ""))) or 0
    )
    own_id = actor.memberships[programme.id].organisation_id
    is_coordinator = may(actor, Permission.RUN_EXCHANGES, programme)
    known = await pages.read(request, organisations.in_programme, programme.id, limit=500)
    hosts = [
        row
        for row in known
        if row.id == (placement.host_id if placement else own_id) or (is_coordinator and not placement)
    ]
    return pages.show(
        request,
        actor,
        "placements/edit.html" if placement else "placements/new.html",
        status=status,
        subject=programme,
        programme=programme,
        placement=placement,
        hosts=hosts,
        contacts=await pages.read(request, placements.contacts, programme.id, host_id),
        period_numbers=room(form.values),
        form=form,
    )
