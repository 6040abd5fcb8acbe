"""What every site owes its readers: accessibility, privacy."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.services import personal_data
from app.web import pages

router = APIRouter(include_in_schema=False)


@router.get("/accessibility")
async def accessibility(request: Request) -> Response:
    """How far everyone can use this, and whom to tell where not."""
    return pages.show(request, await pages.reader(request), "accessibility.html")


@router.get("/privacy")
async def privacy(request: Request) -> Response:
    """Which data is kept, why, how long, and who sees it."""
    return pages.show(request, await pages.reader(request), "privacy.html", kinds=personal_data.KINDS)
