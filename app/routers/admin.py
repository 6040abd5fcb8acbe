"""The first page of the administration: the programmes in numbers, and whether the parts work."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.lib.i18n import N_
from app.policies.permissions import Permission
from app.policies.rules import require
from app.services import programmes
from app.web import admin_sections, pages
from app.web.context import Context

router = APIRouter(include_in_schema=False)


@router.get("/admin")
async def show(request: Request) -> Response:
    """Each programme that the reader runs, in numbers, how the parts fare, and the ways to everything else."""
    actor = await pages.member(request)
    require(actor, Permission.ADMINISTER)
    coordinated = await pages.read(request, programmes.coordinated_by, actor)
    return pages.show(
        request,
        actor,
        "admin/show.html",
        groups=admin_sections.grouped(request, actor),
        programmes=coordinated,
        health=_parts(pages.context_of(request)) if coordinated or actor.is_administrator else [],
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
