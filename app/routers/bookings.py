"""Bookings: asking for a stay, its page, and each step that a person can take on it."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.errors import DomainError, FieldError, Invalid
from app.lib import clock, closing_days
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import require
from app.services import (
    asking,
    bookings,
    deciding,
    exchange_rules,
    home_managers,
    moving,
    placements,
    stays,
    taking_back,
)
from app.web import exchange_pages, languages, pages
from app.web.booking_forms import manager_of, stay_of
from app.web.booking_pages import show_booking

router = APIRouter(include_in_schema=False)


@router.get("/placements/{id:key}/bookings/new")
async def new(request: Request, id: int) -> Response:
    """The form that asks for a stay."""
    actor = await pages.member(request)
    period = request.query_params.get("period", "")
    return await _show_new(request, actor, id, pages.Form({"period_id": period, "may_wait": "1"}))


@router.post("/placements/{id:key}/bookings")
async def ask(request: Request, id: int) -> Response:
    """Ask for a stay."""
    actor = await pages.member(request)
    values = await pages.fields(request)
    try:
        made = await pages.write(
            request,
            asking.ask,
            actor,
            id,
            message=values.get("message", ""),
            manager=manager_of(values),
            may_wait=bool(values.get("may_wait")),
            **stay_of(values),
        )
    except pages.MENDABLE as error:
        form = pages.refused(request, actor, error, values)
        return await _show_new(request, actor, id, form, status=error.status)
    return pages.back_to(f"/bookings/{made}")


@router.get("/bookings/{id:key}")
async def show(request: Request, id: int) -> Response:
    """One booking: what happens next, and what one can do."""
    return await show_booking(request, await pages.member(request), id)


@router.post("/bookings/{id:key}/acceptance")
async def accept(request: Request, id: int) -> Response:
    """Accept the place that is offered."""
    return await _done(request, id, asking.accept, lambda values: {"manager": manager_of(values)})


@router.post("/bookings/{id:key}/passing")
async def pass_on(request: Request, id: int) -> Response:
    """Pass the place on to the next in line."""
    return await _done(request, id, asking.pass_on, lambda _: {})


@router.post("/bookings/{id:key}/decisions")
async def decide(request: Request, id: int) -> Response:
    """Approve a stay, or decline it with a reason."""
    return await _done(
        request,
        id,
        deciding.decide,
        lambda values: {"approved": values.get("approved") == "1", "role": values.get("role") or None},
        reason=lambda values: f"reason_{values.get('role', '')}",
    )


@router.post("/bookings/{id:key}/withdrawal")
async def take_back(request: Request, id: int) -> Response:
    """Take a booking back, or cancel it with a reason."""
    return await _done(request, id, taking_back.take_back, lambda _: {}, reason=lambda _: "reason_end")


@router.post("/bookings/{id:key}/manager")
async def name_manager(request: Request, id: int) -> Response:
    """Name another home manager."""
    return await _done(request, id, home_managers.name, lambda values: {"manager": manager_of(values)})


@router.get("/bookings/{id:key}/move")
async def edit_days(request: Request, id: int) -> Response:
    """The form that moves a stay."""
    actor = await pages.member(request)
    booking = await pages.read(request, bookings.find, actor, id)
    values = {
        "period_id": str(booking.period_id),
        "first_day": booking.first_day.isoformat(),
        "last_day": booking.last_day.isoformat(),
        "version": booking.version,
    }
    return await _show_move(request, actor, booking, pages.Form(values))


@router.post("/bookings/{id:key}/move")
async def move(request: Request, id: int) -> Response:
    """Move a stay to other days."""
    actor = await pages.member(request)
    values = await pages.fields(request)
    version = pages.number(values.get("version", ""))
    try:
        await pages.write(request, moving.move, actor, id, version=version, **stay_of(values))
    except pages.MENDABLE as error:
        booking = await pages.read(request, bookings.find, actor, id)
        form = pages.refused(request, actor, error, values)
        return await _show_move(request, actor, booking, form, status=error.status)
    return pages.back_to(f"/bookings/{id}")


@router.get("/exchanges/mine")
async def index(request: Request) -> Response:
    """My stays, with what happens next."""
    actor = await pages.member(request)
    programme = await exchange_pages.programme_of(request, actor)
    own = await pages.read(request, bookings.of_person, actor, programme.id)
    return pages.show(
        request, actor, "bookings/index.html", subject=programme, programme=programme, bookings=own
    )


@router.get("/exchanges/inbox")
async def inbox(request: Request) -> Response:
    """What waits for me: as host, manager, coordinator or guest."""
    actor = await pages.member(request)
    programme = await exchange_pages.programme_of(request, actor)
    waiting = await pages.read(request, bookings.waiting_for, actor, programme.id)
    return pages.show(
        request, actor, "bookings/inbox.html", subject=programme, programme=programme, bookings=waiting
    )


Reading = Callable[[dict[str, str]], Any]


async def _done(
    request: Request, id: int, verb: Any, arguments: Reading, *, reason: Reading | None = None
) -> Response:
    """Take one step by a form of the booking's page, and show it again.

    `reason` says in which field the form gives its reason: the page has several, each with a name of its own.
    """
    actor = await pages.member(request)
    values = await pages.fields(request)
    given = arguments(values) | {"version": pages.number(values.get("version", ""))}
    name = reason(values) if reason else ""
    if name:
        given["reason"] = values.get(name, "")
    try:
        await pages.write(request, verb, actor, id, **given)
    except pages.MENDABLE as error:
        return await show_booking(request, actor, id, error=_renamed(error, name), values=values)
    return pages.back_to(f"/bookings/{id}")


def _renamed(error: DomainError, reason: str) -> DomainError:
    """The same error by the name that the form gives its reason."""
    if not isinstance(error, Invalid):
        return error
    return Invalid(
        *(
            FieldError(reason if wrong.field == "reason" else wrong.field, wrong.message, wrong.values)
            for wrong in error.errors
        )
    )


async def _show_new(
    request: Request, actor: Actor, placement_id: int, form: pages.Form, *, status: int = 200
) -> Response:
    placement = await pages.read(request, placements.find, actor, placement_id)
    require(actor, Permission.BOOK_PLACEMENT, placement)
    rules = await pages.read(request, exchange_rules.find, placement.programme_id)
    own = actor.memberships[placement.programme_id]
    known = await pages.read(request, placements.contacts, placement.programme_id, own.organisation_id)
    periods = placement.open_periods(rules.today(clock.now()))
    chosen = pages.number(str(form.values.get("period_id", "")))
    period = next((each for each in periods if each.id == chosen), None)
    return pages.show(
        request,
        actor,
        "bookings/new.html",
        status=status,
        subject=placement,
        placement=placement,
        period=period,
        periods=periods,
        closing=closing_days.closing_days(
            rules.country, period.span, languages.of(request, actor), rules.region or None
        )
        if period
        else (),
        unfit=stays.unfit(placement, own.organisation_id, own.sector_key),
        rules=rules,
        colleagues=[row for row in known if row.id != actor.person_id],
        form=form,
    )


async def _show_move(
    request: Request, actor: Actor, booking: Any, form: pages.Form, *, status: int = 200
) -> Response:
    require(actor, Permission.MOVE_BOOKING, booking)
    placement = await pages.read(request, placements.find, actor, booking.placement_id)
    return pages.show(
        request,
        actor,
        "bookings/move.html",
        status=status,
        subject=booking,
        booking=booking,
        placement=placement,
        periods=placement.open_periods(booking.rules.today(booking.now)),
        form=form,
    )
