"""Invitations: made and taken back by those who may, and the page that their address opens."""

from typing import Any, Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.errors import Gone
from app.models.membership import ROLES
from app.services import invitations
from app.web import admission_pages, limits, pages

router = APIRouter(include_in_schema=False)

PRIVATE: Final = {
    "Cache-Control": "no-store",
    # The address lets someone in, so no request carries it on; `no-referrer` would withhold the form's own origin too.
    "Referrer-Policy": "strict-origin",
    "X-Robots-Tag": "noindex, nofollow",
}


@router.get("/admin/invitations")
async def index(request: Request) -> Response:
    """Who is invited, and the form to invite someone."""
    return await _index(request)


@router.post("/admin/invitations")
async def create(request: Request) -> Response:
    """Invite someone; the address is shown once, on the page that answers."""
    actor = await pages.member(request)
    programme, _ = await admission_pages.programmes_of(request, actor)
    values = await pages.fields(request)
    try:
        made = await pages.write(
            request,
            invitations.invite,
            actor,
            pages.number(values.get("organisation_id", "")) or 0,
            programme_id=programme.id,
            role=values.get("role", ""),
            name=values.get("name", ""),
            email=values.get("email", ""),
            provider=values.get("provider") or None,
            days=pages.number(values.get("days", "")) or 0,
        )
    except pages.MENDABLE as error:
        form = pages.refused(request, actor, error, values)
        return await _index(request, form=form, status=error.status)
    base_url = pages.context_of(request).settings.base_url
    return await _index(request, address=f"{base_url}/invitations/{made.token}", status=201)


@router.post("/admin/invitations/{id:key}/revocation")
async def revoke(request: Request, id: int) -> Response:
    """Take an invitation back."""
    actor = await pages.member(request)
    programme, _ = await admission_pages.programmes_of(request, actor)
    await pages.write(request, invitations.revoke, actor, id)
    return pages.back_to(f"/admin/invitations?programme={programme.slug}")


@router.get("/invitations/{token}")
async def show(request: Request, token: str) -> Response:
    """Who invites to what, and where to sign in. Opening it changes nothing."""
    await pages.reader(request)
    await pages.context_of(request).limiter.hold_address(request, limits.DEFAULT)
    return await _show(request, token)


@router.post("/invitations/{token}")
async def accept(request: Request, token: str) -> Response:
    """Accept it as the one who is signed in."""
    actor = await pages.member(request)
    found = await pages.read(request, invitations.opened, token)
    try:
        await pages.write(request, invitations.accept, actor, token)
    except Gone:
        return await _show(request, token)
    return pages.back_to(f"/programmes/{found.programme_slug}")


async def _index(
    request: Request, *, form: pages.Form | None = None, address: str = "", status: int = 200
) -> Response:
    actor = await pages.member(request)
    programme, programmes = await admission_pages.programmes_of(request, actor)
    everywhere, organisations = await pages.read(request, invitations.inviting, actor, programme.id)
    usual = {"days": str(invitations.USUAL_DAYS), "role": "participant"}
    return pages.show(
        request,
        actor,
        "invitations/index.html",
        status=status,
        subject=programme,
        programme=programme,
        programmes=programmes,
        invitations=await pages.read(request, invitations.in_programme, actor, programme.id),
        organisations=[(each.id, each.name) for each in organisations],
        roles=ROLES if everywhere else invitations.OF_ORGANISATIONS,
        providers=admission_pages.provider_names(request, actor),
        own_providers=[each.id for each in admission_pages.providers_of(request, programme.slug)],
        form=form or pages.Form(usual),
        address=address,
    )


async def _show(request: Request, token: str) -> Response:
    actor = await pages.reader(request)
    found: Any = await pages.read(request, invitations.opened, token)
    allowed = admission_pages.providers_of(request, found.programme_slug)
    names = admission_pages.provider_names(request, actor)
    response = pages.show(
        request,
        actor,
        "invitations/show.html",
        status=200 if found.problem is None else 410,
        invitation=found,
        token=token,
        providers=[(each.id, names[each.id]) for each in allowed if found.provider in (None, each.id)],
    )
    response.headers.update(PRIVATE)
    return response
