"""One's own page: what waits, what is mine, and the ways to the rest."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.lib.i18n import known
from app.lib.local_path import local_path
from app.services import ballots, bookings, ideas, join_requests, merges, notices, people, tokens
from app.web import languages, pages

router = APIRouter(include_in_schema=False)

YEAR_S = 365 * 24 * 3600


@router.get("/me")
async def show(request: Request) -> Response:
    """What waits for me, what is mine."""
    actor = await pages.member(request)
    told = await pages.read(request, notices.waiting, actor)
    asked = await pages.read(request, merges.waiting_for, actor)
    open_to = await pages.read(request, ballots.waiting_for, actor)
    stays = await pages.read(request, bookings.waiting_for, actor)
    return pages.show(
        request,
        actor,
        "me/show.html",
        notices=told,
        merges=asked,
        ballots=open_to,
        bookings=stays,
        join_requests=await pages.read(request, join_requests.waiting_for, actor),
        waiting=len(told) + len(asked) + len(open_to) + len(stays),
        ideas=await pages.read(request, ideas.written_by, actor),
        tokens=await pages.read(request, tokens.count_of, actor),
    )


@router.post("/me/language")
async def choose_language(request: Request) -> Response:
    """Read in another language from now on: in this browser, and wherever one signs in."""
    actor = await pages.reader(request)
    fields = await pages.fields(request)
    response = pages.back_to(local_path(fields.get("next")))
    chosen = known(fields.get("language"))
    if chosen is None:
        return response
    if actor.is_known:
        await pages.write(request, people.choose_language, actor, chosen)
    response.set_cookie(
        languages.cookie_name(request),
        chosen,
        max_age=YEAR_S,
        secure=pages.context_of(request).settings.secure,
        httponly=True,
        samesite="lax",
    )
    return response


@router.post("/me/notices/reading")
async def read_notices(request: Request) -> Response:
    """Mark everything that I was told as read."""
    actor = await pages.member(request)
    await pages.write(request, notices.read_all, actor)
    return pages.back_to("/me")
