"""Support for ideas, for programs."""

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from app.schemas.ideas import SupportItem
from app.services import support
from app.services.support import Wish
from app.web import items
from app.web.operations import Identifier, caller, database, operation


@operation(
    "PUT",
    "/ideas/{idea_id}/support",
    name="set_support",
    tag="support",
    summary="Support an idea",
    scope="write",
    gives=SupportItem,
    conflicts=True,
)
async def give(request: Request, idea_id: Identifier) -> Response:
    """While the phase is open for it. Asked again, nothing more happens: everyone is counted once."""
    return await _answer(request, idea_id, wanted=True)


@operation(
    "DELETE",
    "/ideas/{idea_id}/support",
    name="delete_support",
    tag="support",
    summary="Take support back",
    scope="write",
    gives=SupportItem,
    conflicts=True,
)
async def withdraw(request: Request, idea_id: Identifier) -> Response:
    """While the phase is open for it. Asked again, nothing more happens."""
    return await _answer(request, idea_id, wanted=False)


async def _answer(request: Request, idea_id: int, *, wanted: bool) -> Response:
    actor = await caller(request)
    met = await database(request).write_together(support.meet, Wish(actor, idea_id, wanted))
    body = to_json({"idea": idea_id, "supported": met.supported, "tally": items.tally(met.card.tally)})
    return Response(body, 200, {"Cache-Control": "no-store"}, "application/json")
