"""Where one is signed in: the list of one's sessions, and ending them."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.services import own_sessions
from app.web import languages, pages

router = APIRouter(include_in_schema=False)


@router.get("/me/sessions")
async def index(request: Request) -> Response:
    """Where the reader is signed in."""
    actor = await pages.member(request)
    providers = pages.context_of(request).providers
    language = languages.of(request, actor)
    found = await pages.read(request, own_sessions.of_person, actor)
    labels = {
        one.provider: providers.find(one.provider).settings.label_in(language)
        for one in found
        if providers.has(one.provider)
    }
    return pages.show(request, actor, "me/sessions.html", sessions=found, labels=labels)


@router.post("/me/sessions/{id:key}/ending")
async def end(request: Request, id: int) -> Response:
    """End one of them."""
    actor = await pages.member(request)
    await pages.write(request, own_sessions.end, actor, id)
    return pages.back_to("/me/sessions")


@router.post("/me/sessions/ending")
async def end_others(request: Request) -> Response:
    """End all but this one."""
    actor = await pages.member(request)
    await pages.write(request, own_sessions.end_others, actor)
    return pages.back_to("/me/sessions")
