"""A programme: its challenges, and who takes part."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.services import challenges, open_data, programmes
from app.web import pages, structured

router = APIRouter(include_in_schema=False)


@router.get("/programmes/{slug}")
async def show(request: Request, slug: str) -> Response:
    """A programme with its challenges; to passers-by their titles alone, if it is public."""
    actor = await pages.reader(request)
    programme = await pages.read(request, programmes.by_slug, actor, slug)
    found = await pages.read(request, challenges.in_programme, actor, programme, limit=200)
    found = found or await pages.read(request, challenges.titles, [programme.id])
    return pages.show(
        request,
        actor,
        "programmes/show.html",
        subject=programme,
        programme=programme,
        challenges=found,
        participation=await pages.read(request, programmes.participation, programme.id),
        data=structured.programme(pages.context_of(request).settings.base_url, programme, found),
        is_open=(await pages.read(request, open_data.find, programme)).is_open,
    )


@router.get("/programmes/{slug}/people")
async def people(request: Request, slug: str) -> Response:
    """Who takes part, by sector and organisation; for members."""
    actor = await pages.member(request)
    programme = await pages.read(request, programmes.by_slug, actor, slug)
    found = await pages.read(request, programmes.people, actor, programme)
    return pages.show(
        request, actor, "people/index.html", subject=programme, programme=programme, people=found
    )
