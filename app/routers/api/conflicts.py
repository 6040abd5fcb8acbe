"""Conflicts of interest of those who go on exchanges, for programs."""

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from app.database import Transaction
from app.errors import Invalid, NotFound
from app.lib.i18n import N_
from app.schemas.conflicts import (
    ConflictDraft,
    ConflictItem,
    ConflictList,
)
from app.services import programmes, wishes
from app.web import bodies, paging, stay_items
from app.web.operations import Identifier, caller, database, operation
from app.web.paging import Cursor, Limit


@operation(
    "GET",
    "/programmes/{programme_id}/conflicts",
    name="list_my_conflicts",
    tag="wishes",
    summary="List your conflicts of interest",
    scope="read",
    gives=ConflictList,
    paged=True,
)
async def index(
    request: Request, programme_id: Identifier, limit: Limit = paging.USUAL, cursor: Cursor = None
) -> Response:
    """The organisations of which you must not be a guest, by name. Nobody else reads them but the match."""
    actor = await caller(request)
    page = paging.page(request, limit, cursor, steps=2)
    await database(request).read(lambda connection: programmes.find(connection, actor, programme_id))
    found = await database(request).read(
        lambda connection: wishes.conflicts(
            connection, actor, programme_id, after=page.position, limit=page.asked
        )
    )
    shown, more = page.cut(found)
    items = [stay_items.conflict(row) for row in shown]
    following = (shown[-1].organisation, shown[-1].organisation_id) if more else None
    return paging.listing(request, page, items, following)


@operation(
    "PUT",
    "/programmes/{programme_id}/conflicts/{organisation_id}",
    name="declare_conflict",
    tag="wishes",
    summary="Declare a conflict of interest",
    scope="book",
    takes=ConflictDraft,
    gives=ConflictItem,
)
async def declare(request: Request, programme_id: Identifier, organisation_id: Identifier) -> Response:
    """You are then never a guest of that organisation. Again, and the statement is the new one."""
    actor = await caller(request)
    statement = (await bodies.take(request, ConflictDraft)).statement

    def work(tx: Transaction) -> bytes:
        programme = programmes.find(tx.connection, actor, programme_id)
        wishes.declare_conflict(tx, actor, programme, organisation_id=organisation_id, statement=statement)
        found = wishes.conflicts(tx.connection, actor, programme_id)
        row = next(each for each in found if each.organisation_id == organisation_id)
        return to_json(stay_items.conflict(row))

    try:
        body = await database(request).write(work)
    except Invalid as error:
        raise _in_place(error) from None
    return Response(body, 200, media_type="application/json")


def _in_place(error: Invalid) -> Exception:
    """What is wrong with the statement; an organisation that cannot be named is none to be found at that address."""
    about_body = [wrong for wrong in error.errors if wrong.field != "organisation_id"]
    if about_body:
        return Invalid(*about_body)
    return NotFound(N_("There is no such organisation here that you could be a guest of."))


@operation(
    "DELETE",
    "/programmes/{programme_id}/conflicts/{organisation_id}",
    name="withdraw_conflict",
    tag="wishes",
    summary="Take back a conflict of interest",
    scope="book",
    status=204,
)
async def withdraw(request: Request, programme_id: Identifier, organisation_id: Identifier) -> Response:
    """In line for one of its places you may be the next then; twice is once."""
    actor = await caller(request)

    def work(tx: Transaction) -> None:
        programme = programmes.find(tx.connection, actor, programme_id)
        wishes.withdraw_conflict(tx, actor, programme, organisation_id)

    await database(request).write(work)
    return Response(status_code=204)
