"""Feeds: what is new in a programme, and on a board, for those who follow it from elsewhere."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.services import programmes
from app.web import feeds, limits, pages

router = APIRouter(include_in_schema=False)


@router.get("/programmes/{slug}/challenges.atom")
async def challenges(request: Request, slug: str) -> Response:
    """The challenges of a programme; of a public one for everyone."""
    actor = await pages.reader(request)
    await pages.context_of(request).limiter.hold_address(request, limits.DEFAULT)
    programme = await pages.read(request, programmes.by_slug, actor, slug)
    return await feeds.of_programme(request, actor, programme, request.query_params.get("cursor"))


@router.get("/challenges/{id:key}/ideas.atom")
async def ideas(request: Request, id: int) -> Response:
    """The ideas of a board, for members, by their session; programs fetch it through the API."""
    actor = await pages.member(request)
    return await feeds.of_challenge(request, actor, id, request.query_params.get("cursor"))
