"""Join requests: who waits to be let in, what is decided, and what becomes of the next one."""

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.models.programme import JOINING
from app.policies.actor import Actor
from app.services import join_requests, joining, organisations
from app.web import admission_pages, pages

router = APIRouter(include_in_schema=False)


@router.get("/admin/join-requests")
async def index(request: Request) -> Response:
    """Who waits, what was decided lately, and the choice what becomes of people who are not known."""
    actor = await pages.member(request)
    programme, programmes = await admission_pages.programmes_of(request, actor)
    return pages.show(
        request,
        actor,
        "join_requests/index.html",
        subject=programme,
        programme=programme,
        programmes=programmes,
        requests=await pages.read(request, join_requests.in_programme, actor, programme),
        providers=admission_pages.provider_names(request, actor),
        ways=JOINING,
    )


@router.post("/admin/joining")
async def choose(request: Request) -> Response:
    """Choose what becomes of people who are not known."""
    actor = await pages.member(request)
    programme, _ = await admission_pages.programmes_of(request, actor)
    chosen = (await pages.fields(request)).get("joining", "")
    await pages.write(request, joining.choose, actor, programme, chosen)
    return pages.back_to(f"/admin/join-requests?programme={programme.slug}")


@router.get("/admin/join-requests/{id:key}")
async def show(request: Request, id: int) -> Response:
    """One request, with both decisions."""
    return await _show(request, await pages.member(request), id)


@router.post("/admin/join-requests/{id:key}/approval")
async def approve(request: Request, id: int) -> Response:
    """Let someone in."""
    actor = await pages.member(request)
    values = await pages.fields(request)
    chosen = {"organisation_id": pages.number(values.get("organisation_id", ""))}
    return await _decided(request, actor, values, join_requests.approve, id, **chosen)


@router.post("/admin/join-requests/{id:key}/refusal")
async def decline(request: Request, id: int) -> Response:
    """Say no, with a reason."""
    actor = await pages.member(request)
    values = await pages.fields(request)
    reason = values.get("reason", "")
    return await _decided(request, actor, values, join_requests.decline, id, reason=reason)


async def _decided(
    request: Request, actor: Actor, values: dict[str, str], verb: Any, id: int, **decision: Any
) -> Response:
    found = await pages.read(request, join_requests.find, actor, id)
    version = pages.number(values.get("version", ""))
    try:
        await pages.write(request, verb, actor, id, **decision, version=version)
    except pages.MENDABLE as error:
        form = pages.refused(request, actor, error, values)
        return await _show(request, actor, id, form=form, status=error.status)
    return pages.back_to(f"/admin/join-requests?programme={found.programme_slug}")


async def _show(
    request: Request, actor: Actor, id: int, *, form: pages.Form | None = None, status: int = 200
) -> Response:
    found = await pages.read(request, join_requests.find, actor, id)
    known = await pages.read(request, organisations.overview, actor, found)
    return pages.show(
        request,
        actor,
        "join_requests/show.html",
        status=status,
        join_request=found,
        organisations=[(each.id, each.name) for each in known],
        providers=admission_pages.provider_names(request, actor),
        form=form or pages.Form({"organisation_id": found.organisation_id or ""}),
    )
