"""The ledger of exchanges: who went where, as a picture, a table and a file."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.lib import tables
from app.services import ledger
from app.web import exchange_pages, pages

router = APIRouter(include_in_schema=False)


@router.get("/exchanges/ledger")
async def show(request: Request) -> Response:
    """How many went and came, by organisation, sector and direction."""
    actor = await pages.member(request)
    programme = await exchange_pages.programme_of(request, actor)
    found = await pages.read(request, ledger.of, actor, programme)
    return pages.show(
        request, actor, "exchanges/ledger.html", subject=programme, programme=programme, ledger=found
    )


@router.get("/exchanges/ledger.csv")
async def as_file(request: Request) -> Response:
    """The same for a spreadsheet."""
    actor = await pages.member(request)
    programme = await exchange_pages.programme_of(request, actor)
    found = await pages.read(request, ledger.of, actor, programme)
    names = {account.id: account.name for account in found.accounts}
    flows = [(names[flow.home_id], names[flow.host_id], flow.stays) for flow in found.flows]
    body = tables.file([("from", "to", "stays"), *flows])
    headers = {"Content-Disposition": f'attachment; filename="exchanges-{programme.slug}.csv"'}
    return Response(body, media_type="text/csv; charset=utf-8", headers=headers)
