"""The coordinators' page: the programme in numbers, and whether its parts work."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.policies.permissions import Permission
from app.policies.rules import require
from app.services import programmes
from app.web import pages

router = APIRouter(include_in_schema=False)


@router.get("/admin")
async def show(request: Request) -> Response:
    """Each programme that the reader coordinates, with its people and organisations by sector."""
    actor = await pages.member(request)
    require(actor, Permission.ADMINISTER)
    found = [
        programme
        for programme in await pages.read(request, programmes.open_to, actor)
        if actor.role_in(programme.id) == "coordinator"
    ]
    context = pages.context_of(request)
    return pages.show(
        request,
        actor,
        "admin/show.html",
        programmes=[
            {
                "programme": programme,
                "participation": await pages.read(request, programmes.participation, programme.id),
            }
            for programme in found
        ],
        parts=[
            {"key": "bus", "state": context.bus.state},
            {"key": "streams", "state": str(context.streams.count)},
        ],
    )
