"""The first page: what this is, what is open, and for who is signed in what waits."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.services import ballots, challenges, merges, notices, programmes
from app.web import languages, pages, structured

router = APIRouter(include_in_schema=False)


@router.get("/")
async def show(request: Request) -> Response:
    """The programmes and challenges that the reader may see, and what to do next."""
    actor = await pages.reader(request)
    found = await pages.read(request, programmes.open_to, actor)
    titles = await pages.read(request, challenges.titles, [programme.id for programme in found])
    mine = []
    for programme in found:
        if programme.id in actor.memberships:
            mine += await pages.read(request, challenges.in_programme, actor, programme)
    told = await pages.read(request, notices.waiting, actor) if actor.is_known else ()
    asked = await pages.read(request, merges.waiting_for, actor) if actor.is_known else []
    open_to = await pages.read(request, ballots.waiting_for, actor)
    return pages.show(
        request,
        actor,
        "home.html",
        programmes=found,
        challenges=mine or titles,
        notices=told,
        merges=asked,
        ballots=open_to,
        data=structured.site(pages.context_of(request).settings.base_url, languages.of(request, actor)),
        waiting=len(told) + len(asked) + len(open_to),
    )
