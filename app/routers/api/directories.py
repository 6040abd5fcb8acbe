"""Directories of organisations, for programs of those who answer for them: what their groups are here."""

from typing import Any

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from app.database import Transaction
from app.policies.permissions import Permission
from app.policies.rules import require_somewhere
from app.schemas.administration import DirectoryList, GroupChange, GroupItem
from app.services import directory_groups
from app.web import bodies, etags, identity_items, paging
from app.web.idempotency import Answer
from app.web.operations import Identifier, base_url, caller, database, operation
from app.web.paging import Cursor, Limit


@operation(
    "GET",
    "/directories",
    tag="directories",
    summary="List directories",
    scope="admin",
    gives=DirectoryList,
    paged=True,
)
async def index(request: Request, limit: Limit = paging.USUAL, cursor: Cursor = None) -> Response:
    """Those that you answer for, by organisation, each with its groups. They keep themselves up to date by SCIM 2.0."""
    actor = await caller(request)
    page = paging.page(request, limit, cursor)

    def query(connection: Any) -> Any:
        require_somewhere(actor, Permission.MANAGE_DIRECTORY)
        found = sorted(directory_groups.overview(connection, actor), key=lambda row: row.organisation_id)
        shown, more = page.cut([row for row in found if row.organisation_id > page.after])
        groups = directory_groups.of_organisations(connection, [row.organisation_id for row in shown])
        return shown, more, groups

    shown, more, groups = await database(request).read(query)
    told = [
        {
            "organisation": row.organisation_id,
            "url": f"{base_url(request)}/admin/directory",
            "programme": row.programme_id,
            "users": row.users,
            "active": row.active,
            "linked": row.linked,
            "groups": [
                identity_items.group(base_url(request), group)
                for group in groups
                if group.organisation_id == row.organisation_id
            ],
        }
        for row in shown
    ]
    return paging.listing(request, page, told, shown[-1].organisation_id if more else None)


@operation(
    "GET",
    "/directory-groups/{group_id}",
    tag="directories",
    summary="Read a group of a directory",
    scope="admin",
    gives=GroupItem,
    tagged=True,
)
async def show(request: Request, group_id: Identifier) -> Response:
    """What it is here, and how many belong to it."""
    actor = await caller(request)
    row = await database(request).read(lambda connection: directory_groups.shown(connection, actor, group_id))
    return etags.item(request, to_json(identity_items.group(base_url(request), row)), row.version)


@operation(
    "PATCH",
    "/directory-groups/{group_id}",
    tag="directories",
    summary="Say what a group is here",
    scope="admin",
    takes=GroupChange,
    gives=GroupItem,
    conditional=True,
)
async def map_group(request: Request, group_id: Identifier) -> Response:
    """Its members get the `role` at once; with null they lose the one that it gave."""
    actor = await caller(request)
    versions = etags.expected(request)
    role = (await bodies.take(request, GroupChange)).role

    def work(tx: Transaction) -> Answer:
        version = etags.meant(
            versions, lambda: directory_groups.shown(tx.connection, actor, group_id).version
        )
        directory_groups.map_to(tx, actor, group_id, role, version=version)
        row = directory_groups.shown(tx.connection, actor, group_id)
        body = to_json(identity_items.group(base_url(request), row))
        return Answer(200, body, etags.tag(body, row.version))

    return (await database(request).write(work)).response()
