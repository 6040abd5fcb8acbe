"""The coordinators' page: the programme in numbers, and whether its parts work."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.lib.i18n import N_
from app.policies.permissions import Permission
from app.policies.rules import require
from app.services import programmes
from app.web import pages
from app.web.context import Context

router = APIRouter(include_in_schema=False)


@router.get("/admin")
async def show(request: Request) -> Response:
    """Each programme that the reader coordinates, in numbers, and how the parts fare."""
    actor = await pages.member(request)
    require(actor, Permission.ADMINISTER)
    return pages.show(
        request,
        actor,
        "admin/show.html",
        programmes=await pages.read(request, programmes.coordinated_by, actor),
        health=_parts(pages.context_of(request)),
    )


def _parts(context: Context) -> list[dict[str, object]]:
    """The parts of this process that an outside failure can stop. The database works, or there were no page."""
    providers = [one.id for _, side in context.providers.by_side() for one in side]
    return [
        {
            "name": N_("Live updates"),
            "ok": context.bus.state != "polling",
            "detail": str(context.streams.count),
        },
        {"name": N_("Identity providers"), "ok": bool(providers), "detail": ", ".join(providers)},
        {"name": N_("Mail"), "ok": context.settings.smtp_url is not None, "detail": ""},
    ]
