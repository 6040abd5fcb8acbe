"""Organisations, for programs."""

from starlette.requests import Request
from starlette.responses import Response

from app.schemas.programmes import OrganisationList
from app.services import organisations, programmes
from app.web import items, paging
from app.web.operations import Identifier, base_url, caller, database, operation
from app.web.paging import Cursor, Limit


@operation(
    "GET",
    "/programmes/{programme_id}/organisations",
    tag="organisations",
    summary="List the organisations of a programme",
    scope="read",
    gives=OrganisationList,
    paged=True,
)
async def index(
    request: Request, programme_id: Identifier, limit: Limit = paging.USUAL, cursor: Cursor = None
) -> Response:
    """The ministries, agencies and companies that take part, by id."""
    actor = await caller(request)
    page = paging.page(request, limit, cursor)
    programme = await database(request).read(
        lambda connection: programmes.find(connection, actor, programme_id)
    )
    found = await database(request).read(
        lambda connection: organisations.in_programme(
            connection, programme.id, after=page.after, limit=page.asked
        )
    )
    shown, more = page.cut(found)
    return paging.listing(
        request,
        page,
        [items.organisation(base_url(request), programme, row) for row in shown],
        shown[-1].id if more else None,
    )
