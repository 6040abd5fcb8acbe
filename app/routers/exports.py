"""What can be taken along of a programme, and the files themselves."""

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.errors import NotFound
from app.lib.i18n import N_
from app.policies.permissions import Permission
from app.policies.rules import require
from app.services import exports, programmes
from app.services.exports import KINDS
from app.web import export_files, pages
from app.web.export_files import FORMATS

router = APIRouter(include_in_schema=False)


@router.get("/programmes/{slug}/exports")
async def index(request: Request, slug: str) -> Response:
    """All that there is to take along."""
    actor = await pages.member(request)
    programme = await pages.read(request, programmes.by_slug, actor, slug)
    require(actor, Permission.READ_CHALLENGE, programme)
    return pages.show(
        request, actor, "exports/index.html", subject=programme, programme=programme, kinds=KINDS
    )


@router.get("/programmes/{slug}/exports/{kind}.{form}")
async def show(request: Request, slug: str, kind: str, form: str) -> Response:
    """One of them as a file, of the whole programme or with `?challenge=` of one challenge."""
    actor = await pages.member(request)
    programme = await pages.read(request, programmes.by_slug, actor, slug)
    chosen = _known(kind, KINDS)
    challenge = request.query_params.get("challenge", "")
    export = await pages.read(
        request,
        exports.choose,
        actor,
        programme,
        chosen,
        challenge_id=(pages.number(challenge) or 0) if challenge else None,
        base_url=pages.context_of(request).settings.base_url,
    )
    return export_files.download(request, actor, export, _known(form, FORMATS))


def _known(name: str, names: tuple[Any, ...]) -> Any:
    """One of our names, as the address has it."""
    if name not in names:
        raise NotFound(N_("There is no such page, or it is not open to you."))
    return name
