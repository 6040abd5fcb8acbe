"""One's own page: what waits, notices, language, tokens."""

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.lib.i18n import known
from app.lib.local_path import local_path
from app.policies.actor import Actor
from app.services import ballots, ideas, merges, notices, people, programmes, tokens
from app.web import languages, pages

router = APIRouter(include_in_schema=False)

YEAR_S = 365 * 24 * 3600


@router.get("/me")
async def show(request: Request) -> Response:
    """What waits for me, what is mine."""
    return await _show(request, await pages.member(request))


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
        languages.COOKIE,
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


@router.post("/me/tokens")
async def create_token(request: Request) -> Response:
    """Make a token; it is shown once, on the page that answers."""
    actor = await pages.member(request)
    values = await pages.fields_and_lists(request, "scopes")
    try:
        made = await pages.write(
            request,
            tokens.create,
            actor,
            name=values.get("name", ""),
            scopes=values["scopes"],
            days=pages.number(values.get("days", "")) or 0,
        )
    except pages.MENDABLE as error:
        form_again = pages.refused(request, actor, error, values)
        return await _show(request, actor, form=form_again, status=error.status)
    return await _show(request, actor, new_token=made, status=201)


@router.post("/me/tokens/{id:key}/revocation")
async def revoke_token(request: Request, id: int) -> Response:
    """End a token at once."""
    actor = await pages.member(request)
    await pages.write(request, tokens.revoke, actor, id)
    return pages.back_to("/me#tokens")


async def _show(request: Request, actor: Actor, *, status: int = 200, **values: Any) -> Response:
    told = await pages.read(request, notices.waiting, actor)
    asked = await pages.read(request, merges.waiting_for, actor)
    open_to = await pages.read(request, ballots.waiting_for, actor)
    return pages.show(
        request,
        actor,
        "me/show.html",
        status=status,
        notices=told,
        merges=asked,
        ballots=open_to,
        waiting=len(told) + len(asked) + len(open_to),
        programmes=await pages.read(request, programmes.open_to, actor),
        ideas=await pages.read(request, ideas.written_by, actor),
        tokens=await pages.read(request, tokens.of_person, actor),
        scopes=tokens.SCOPES,
        **({"form": pages.Form({"days": "90", "scopes": ["read"]})} | values),
    )
