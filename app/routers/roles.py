"""Roles, for those who give them: of one person in one programme, and who has which besides."""

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.errors import DomainError, FieldError, Invalid, NotFound
from app.lib import days
from app.lib.i18n import N_
from app.models.membership import ASSIGNABLE, ROLES
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.reach import OfProgramme
from app.policies.rules import may, require
from app.services import administrators, delegations, members, roles
from app.services.roles import Wanted
from app.web import pages

router = APIRouter(include_in_schema=False)


@router.get("/admin/roles")
async def index(request: Request) -> Response:
    """Who has which role besides, who stands in for whom, and who runs the installation."""
    actor = await pages.member(request)
    require(actor, Permission.ADMINISTER)
    choices = await pages.read(request, members.choices, actor)
    given = [each for each in choices.programmes if may(actor, Permission.MANAGE_ROLES, OfProgramme(each.id))]
    asked = pages.number(request.query_params.get("programme", ""))
    programme_id = asked if asked is not None else next((each.id for each in given), 0)
    is_administrator = may(actor, Permission.NAME_ADMINISTRATORS)
    return pages.show(
        request,
        actor,
        "admin/roles.html",
        programmes=given,
        programme_id=programme_id,
        assigned=await pages.read(request, members.assigned, actor, programme_id),
        delegations=await pages.read(request, delegations.in_programme, actor, programme_id),
        administrators=await pages.read(request, administrators.everyone, actor) if is_administrator else [],
    )


@router.get("/admin/people/{id:key}/roles/{programme:key}")
async def edit(request: Request, id: int, programme: int) -> Response:
    """The forms to change someone's role in a programme, and to give them another besides it."""
    actor = await pages.member(request)
    return await _show(request, actor, id, programme)


@router.post("/admin/people/{id:key}/roles/{programme:key}/place")
async def change(request: Request, id: int, programme: int) -> Response:
    """Change the role of someone's place."""
    actor = await pages.member(request)
    values = await pages.fields(request)
    version = pages.number(values.get("version", ""))
    try:
        await pages.write(
            request, roles.change, actor, programme, id, values.get("role", ""), version=version
        )
    except pages.MENDABLE as error:
        return await _show(request, actor, id, programme, error=error, values=values)
    return pages.back_to(f"/admin/people/{id}")


@router.post("/admin/people/{id:key}/roles/{programme:key}/assignments")
async def give(request: Request, id: int, programme: int) -> Response:
    """Give someone a role besides."""
    actor = await pages.member(request)
    values = await pages.fields(request)
    version = pages.number(values.get("version", ""))
    try:
        wanted = _wanted(values)
        await pages.write(request, roles.give, actor, programme, id, wanted, version=version)
    except pages.MENDABLE as error:
        return await _show(request, actor, id, programme, error=_by_fields(error), values=values)
    return pages.back_to(f"/admin/people/{id}")


@router.post("/admin/assignments/{id:key}/ending")
async def take(request: Request, id: int) -> Response:
    """Take a role back that was given besides."""
    actor = await pages.member(request)
    values = await pages.fields(request)
    await pages.write(request, roles.take, actor, id, version=pages.number(values.get("version", "")))
    person = pages.number(values.get("person", ""))
    return pages.back_to(f"/admin/people/{person}" if person else "/admin/roles")


async def _show(
    request: Request,
    actor: Actor,
    id: int,
    programme_id: int,
    *,
    error: DomainError | None = None,
    values: Any = None,
) -> Response:
    person = await pages.read(request, members.find, actor, id)
    place = next(
        (each for each in person.places if each.programme_id == programme_id and each.ended_at is None), None
    )
    if place is None:
        raise NotFound(N_("There is no such person, or they are not in what you run."))
    require(actor, Permission.MANAGE_ROLES, place)
    blank = {"role": place.role, "organisation": str(place.organisation_id)}
    form = pages.Form(blank) if error is None else pages.refused(request, actor, error, blank | values)
    return pages.show(
        request,
        actor,
        "admin/member_roles.html",
        status=200 if error is None else error.status,
        person=person,
        place=place,
        form=form,
        roles=ROLES,
        assignable=ASSIGNABLE,
        choices=await pages.read(request, members.choices, actor),
    )


def _wanted(values: Any) -> Wanted:
    """The role that the form asks for. The organisation counts where the role is for one."""
    role = values.get("besides", "")
    last_day = values.get("last_day", "").strip()
    day = days.parse_day(last_day)
    if last_day and day is None:
        raise Invalid(FieldError("last_day", N_("Please write the day like 2026-05-04.")))
    is_for_one = role in roles.OF_ORGANISATIONS
    return Wanted(
        role,
        organisation_id=pages.number(values.get("organisation", "")) if is_for_one else None,
        challenge_id=pages.number(values.get("challenge", "")),
        last_day=day,
    )


def _by_fields(error: DomainError) -> DomainError:
    """The same error by the names of the form's fields, where `role` is that of the place."""
    if not isinstance(error, Invalid):
        return error
    names = {"role": "besides"}
    wrong = [
        FieldError(names.get(each.field, each.field), each.message, each.values) for each in error.errors
    ]
    return Invalid(*wrong)
