"""One's own logins: another one linked, one unlinked, and two accounts put together."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.services import logins, person_merging
from app.services.sign_in import LINK, MERGE
from app.web import admission_pages, departures, pages

router = APIRouter(include_in_schema=False)


@router.get("/me/logins")
async def index(request: Request) -> Response:
    """How the reader signs in."""
    actor = await pages.member(request)
    return pages.show(
        request,
        actor,
        "me/logins.html",
        logins=await pages.read(request, logins.of_person, actor),
        providers=admission_pages.provider_names(request, actor),
        issuers=admission_pages.issuer_names(request, actor),
    )


@router.post("/me/logins/{provider}")
async def link(request: Request, provider: str) -> Response:
    """Leave for a provider, to sign in by it too from then on."""
    actor = await pages.member(request)
    logins.require_ready(actor)
    return await departures.leave(
        request, provider, next="/me/logins", fresh=True, purpose=LINK, session_id=actor.session_id
    )


@router.post("/me/logins/{id:key}/removal")
async def unlink(request: Request, id: int) -> Response:
    """No longer sign in by one of one's logins."""
    actor = await pages.member(request)
    await pages.write(request, logins.unlink, actor, id)
    return pages.back_to("/me/logins")


@router.post("/me/merging/{provider}")
async def prove(request: Request, provider: str) -> Response:
    """Leave for a provider, to prove a login of another account of one's own."""
    actor = await pages.member(request)
    logins.require_ready(actor)
    return await departures.leave(
        request, provider, next="/me/merging", fresh=True, purpose=MERGE, session_id=actor.session_id
    )


@router.get("/me/merging")
async def show(request: Request) -> Response:
    """What would come together. Opening it changes nothing."""
    actor = await pages.member(request)
    plan = await pages.read(request, person_merging.plan, actor)
    return pages.show(request, actor, "me/merging.html", plan=plan)


@router.post("/me/merging")
async def merge(request: Request) -> Response:
    """Make two accounts one."""
    actor = await pages.member(request)
    other_id = pages.number((await pages.fields(request)).get("other_id", "")) or 0
    await pages.write(request, person_merging.merge, actor, other_id)
    return pages.back_to("/me/logins")
