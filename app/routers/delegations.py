"""Lending one's role in one's absence."""

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.errors import DomainError, FieldError, Invalid
from app.lib import days
from app.lib.i18n import N_
from app.lib.local_path import local_path
from app.policies.actor import Actor
from app.services import delegations
from app.services.delegations import Absence
from app.web import pages

router = APIRouter(include_in_schema=False)


@router.get("/me/delegations")
async def index(request: Request) -> Response:
    """What the reader lends, and what is lent to them."""
    actor = await pages.member(request)
    found = await pages.read(request, delegations.of_person, actor)
    return pages.show(request, actor, "me/delegations.html", delegations=found)


@router.get("/delegations/new")
async def new(request: Request) -> Response:
    """The form to lend a role."""
    return await _show(request, await pages.member(request))


@router.post("/delegations")
async def lend(request: Request) -> Response:
    """Lend a role to a colleague until a day."""
    actor = await pages.member(request)
    values = await pages.fields(request)
    try:
        programme_id, assignment_id = _what(values)
        await pages.write(
            request,
            delegations.lend,
            actor,
            programme_id,
            pages.number(values.get("person_id", "")) or 0,
            Absence(_day(values, "first_day"), _day(values, "last_day")),
            assignment_id=assignment_id,
        )
    except pages.MENDABLE as error:
        return await _show(request, actor, error, values)
    return pages.back_to("/me/delegations")


@router.post("/delegations/{id:key}/ending")
async def end(request: Request, id: int) -> Response:
    """End what is lent, before its last day."""
    actor = await pages.member(request)
    values = await pages.fields(request)
    await pages.write(request, delegations.end, actor, id)
    return pages.back_to(local_path(values.get("next")) if values.get("next") else "/me/delegations")


async def _show(
    request: Request, actor: Actor, error: DomainError | None = None, values: Any = None
) -> Response:
    form = pages.Form() if error is None else pages.refused(request, actor, error, values)
    return pages.show(
        request,
        actor,
        "delegations/new.html",
        status=200 if error is None else error.status,
        form=form,
        lendable=await pages.read(request, delegations.lendable, actor),
        people=await pages.read(request, delegations.colleagues, actor),
        most=delegations.LONGEST_DAYS,
    )


def _what(values: Any) -> tuple[int, int | None]:
    """The role to be lent: of a place, as `7`, or the one of an assignment, as `7-12`."""
    programme, _, assignment = values.get("what", "").partition("-")
    programme_id = pages.number(programme)
    if programme_id is None:
        raise Invalid(FieldError("what", N_("Please choose what you lend.")))
    return programme_id, pages.number(assignment)


def _day(values: Any, name: str) -> Any:
    text = values.get(name, "").strip()
    day = days.parse_day(text)
    if text and day is None:
        raise Invalid(FieldError(name, N_("Please write the day like 2026-05-04.")))
    return day
