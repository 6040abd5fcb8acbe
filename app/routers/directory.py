"""Directories of organisations: whom they have told of, and what their groups are here."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.errors import NotFound
from app.lib.i18n import N_
from app.models.membership import ASSIGNABLE
from app.policies.permissions import Permission
from app.policies.rules import may
from app.services import clients, directory_groups
from app.web import pages

router = APIRouter(include_in_schema=False)


@router.get("/admin/directory")
async def index(request: Request) -> Response:
    """The directories that the reader answers for, each with its groups."""
    actor = await pages.member(request)
    if not await pages.read(request, clients.rooms, actor):
        raise NotFound(N_("There is no such page, or it is not open to you."))
    found = await pages.read(request, directory_groups.overview, actor)
    groups = await pages.read(
        request, directory_groups.of_organisations, [row.organisation_id for row in found]
    )
    return pages.show(
        request,
        actor,
        "directory/index.html",
        directories=[
            (
                row,
                [group for group in groups if group.organisation_id == row.organisation_id],
                may(actor, Permission.MANAGE_ROLES, row),
            )
            for row in found
        ],
        roles=ASSIGNABLE,
    )


@router.post("/admin/directory/groups/{id:key}/role")
async def map_group(request: Request, id: int) -> Response:
    """Say what a group is here."""
    actor = await pages.member(request)
    values = await pages.fields(request)
    role, version = values.get("role") or None, pages.number(values.get("version", ""))
    await pages.write(request, directory_groups.map_to, actor, id, role, version=version)
    return pages.back_to(f"/admin/directory#group-{id}")
