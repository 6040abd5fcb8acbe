"""The columns of a board: adding, renaming, removing."""

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.policies.permissions import Permission
from app.policies.rules import require
from app.services import boards, challenges, clusters
from app.web import pages

router = APIRouter(include_in_schema=False)


@router.get("/challenges/{id:key}/clusters")
async def index(request: Request, id: int) -> Response:
    """The board's columns, each with its form."""
    return await _show(request, await pages.member(request), id, pages.Form())


@router.post("/challenges/{id:key}/clusters")
async def create(request: Request, id: int) -> Response:
    """Add a column."""
    actor = await pages.member(request)
    fields = await pages.fields(request)
    try:
        await pages.write(request, clusters.create, actor, id, title=fields.get("title", ""))
    except pages.MENDABLE as error:
        return await _show(
            request, actor, id, pages.refused(request, actor, error, fields), status=error.status
        )
    return pages.back_to(f"/challenges/{id}/clusters")


@router.post("/clusters/{id:key}")
async def rename(request: Request, id: int) -> Response:
    """Give a column another title."""
    actor = await pages.member(request)
    fields = await pages.fields(request)
    challenge_id = await pages.write(request, clusters.rename, actor, id, title=fields.get("title", ""))
    return pages.back_to(f"/challenges/{challenge_id}/clusters")


@router.post("/clusters/{id:key}/removal")
async def remove(request: Request, id: int) -> Response:
    """Take a column away; its cards stay."""
    actor = await pages.member(request)
    challenge_id = await pages.write(request, clusters.remove, actor, id)
    return pages.back_to(f"/challenges/{challenge_id}/clusters")


async def _show(request: Request, actor: Any, challenge_id: int, form: Any, *, status: int = 200) -> Response:
    challenge = await pages.read(request, challenges.find, actor, challenge_id)
    require(actor, Permission.ARRANGE_CLUSTERS, challenge)
    found = await pages.read(request, boards.clusters, challenge_id)
    return pages.show(
        request,
        actor,
        "challenges/clusters.html",
        status=status,
        subject=challenge,
        challenge=challenge,
        clusters=found,
        form=form,
    )
