"""The people of a programme, for those who run it: found, and looked at one by one."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.policies.permissions import Permission
from app.policies.rules import may
from app.services import administrators, erasure, members, memberships
from app.services.members import HERE, STATES, Filter
from app.web import pages, paging, words

router = APIRouter(include_in_schema=False)

ON_A_PAGE = 50


@router.get("/admin/people")
async def index(request: Request) -> Response:
    """Everyone in what the reader runs, who came last first; searched and filtered."""
    actor = await pages.member(request)
    query = request.query_params
    state = query.get("state", HERE)
    wanted = Filter(
        words=query.get("q", "")[:200],
        programme_id=pages.number(query.get("programme", "")),
        organisation_id=pages.number(query.get("organisation", "")),
        role=query.get("role", "")[:40],
        state=state if state in STATES else HERE,
    )
    page = paging.page(request, ON_A_PAGE, query.get("cursor"))
    rows = await pages.read(
        request, members.index, actor, wanted, before=page.after or None, limit=page.asked
    )
    people, more = page.cut(rows)
    return pages.show(
        request,
        actor,
        "admin/people.html",
        people=people,
        choices=await pages.read(request, members.choices, actor),
        roles=list(words.ROLES),
        states=[each for each in STATES if actor.is_administrator or each != members.NOWHERE],
        is_filtered=bool(wanted.words or wanted.role or wanted.organisation_id or state != HERE),
        more=paging.following_address(request, (people[-1].position,) if more else None),
        form=pages.Form({**dict(query), "q": wanted.words, "state": wanted.state}),
    )


@router.get("/admin/people/{id:key}")
async def show(request: Request, id: int) -> Response:
    """One person: places, roles, how much of them is signed in, and what the reader may do about it."""
    actor = await pages.member(request)
    person = await pages.read(request, members.find, actor, id)
    return pages.show(
        request,
        actor,
        "admin/person.html",
        person=person,
        may_change={place.id: may(actor, Permission.MANAGE_ROLES, place) for place in person.places},
        may_end={place.id: may(actor, Permission.END_MEMBERSHIP, place) for place in person.places},
        may_name=may(actor, Permission.NAME_ADMINISTRATORS),
        may_deactivate=may(actor, Permission.DEACTIVATE_PERSON) and id != actor.person_id,
        may_erase=await pages.read(request, erasure.is_open_to, actor, id),
    )


@router.post("/admin/memberships/{id:key}/ending")
async def end_place(request: Request, id: int) -> Response:
    """End someone's place in a programme."""
    actor = await pages.member(request)
    values = await pages.fields(request)
    await pages.write(request, memberships.end, actor, id, version=pages.number(values.get("version", "")))
    return pages.back_to("/admin/people")


@router.post("/admin/people/{id:key}/deactivation")
async def deactivate(request: Request, id: int) -> Response:
    """Put someone out of action."""
    actor = await pages.member(request)
    await pages.write(request, memberships.deactivate, actor, id)
    return pages.back_to(f"/admin/people/{id}")


@router.post("/admin/people/{id:key}/deactivation/ending")
async def reactivate(request: Request, id: int) -> Response:
    """Let someone sign in again."""
    actor = await pages.member(request)
    await pages.write(request, memberships.reactivate, actor, id)
    return pages.back_to(f"/admin/people/{id}")


@router.post("/admin/people/{id:key}/administrator")
async def name_administrator(request: Request, id: int) -> Response:
    """Make someone an instance administrator."""
    actor = await pages.member(request)
    version = pages.number((await pages.fields(request)).get("version", ""))
    await pages.write(request, administrators.name, actor, id, version=version)
    return pages.back_to(f"/admin/people/{id}")


@router.post("/admin/people/{id:key}/administrator/withdrawal")
async def withdraw_administrator(request: Request, id: int) -> Response:
    """Let someone be an instance administrator no longer."""
    actor = await pages.member(request)
    version = pages.number((await pages.fields(request)).get("version", ""))
    await pages.write(request, administrators.withdraw, actor, id, version=version)
    return pages.back_to("/admin" if id == actor.person_id else f"/admin/people/{id}")
