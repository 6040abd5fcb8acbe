"""Invitations, for programs of those who may invite."""

from typing import Annotated

from fastapi import Query
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from app.database import Transaction
from app.schemas.admission import InvitationDraft, InvitationItem, InvitationList, InvitationMade
from app.schemas.base import LARGEST_ID
from app.services import invitations
from app.web import bodies, etags, idempotency, identity_items, paging
from app.web.idempotency import Answer
from app.web.operations import PREFIX, Identifier, base_url, caller, database, operation
from app.web.paging import Cursor, Limit
from app.web.validation import DIGITS

OfProgramme = Annotated[int | None, Query(ge=1, le=LARGEST_ID, description="Only to this programme."), DIGITS]


@operation(
    "GET",
    "/invitations",
    tag="invitations",
    summary="List invitations",
    scope="admin",
    gives=InvitationList,
    paged=True,
)
async def index(
    request: Request, limit: Limit = paging.USUAL, cursor: Cursor = None, *, programme: OfProgramme = None
) -> Response:
    """Those that you could have made, the newest first; also those that were used, revoked or are over."""
    actor = await caller(request)
    page = paging.page(request, limit, cursor)
    found = await database(request).read(
        lambda connection: invitations.everywhere(
            connection, actor, programme_id=programme, before=page.after or None, limit=page.asked
        )
    )
    shown, more = page.cut(found)
    return paging.listing(
        request,
        page,
        [identity_items.invitation(base_url(request), view) for view in shown],
        shown[-1].id if more else None,
    )


@operation(
    "POST",
    "/programmes/{programme_id}/invitations",
    tag="invitations",
    summary="Invite someone",
    scope="admin",
    status=201,
    located="/invitations/{invitation_id}",
    takes=InvitationDraft,
    gives=InvitationMade,
    keyed=True,
)
async def invite(request: Request, programme_id: Identifier) -> Response:
    """To a place in an organisation, once, within some days. The `address` lets someone in: it is told this once."""
    actor = await caller(request)
    draft = await bodies.take(request, InvitationDraft)
    told = draft.model_dump(exclude={"organisation"})

    def work(tx: Transaction) -> Answer:
        made = invitations.invite(tx, actor, draft.organisation, programme_id=programme_id, **told)
        view = invitations.find(tx.connection, actor, made.id)
        shown = identity_items.invitation(base_url(request), view)
        location = f"{base_url(request)}{PREFIX}/invitations/{made.id}"
        kept = Answer(201, to_json({**shown, "address": None}), etags.tag(to_json(shown), 1), location)
        return kept.telling(address=f"{base_url(request)}/invitations/{made.token}")

    return await idempotency.once(request, actor, work, secret=True)


@operation(
    "GET",
    "/invitations/{invitation_id}",
    tag="invitations",
    summary="Read an invitation",
    scope="admin",
    gives=InvitationItem,
    tagged=True,
)
async def show(request: Request, invitation_id: Identifier) -> Response:
    """Whether it is still good; never its address."""
    actor = await caller(request)
    view = await database(request).read(lambda connection: invitations.find(connection, actor, invitation_id))
    return etags.item(request, to_json(identity_items.invitation(base_url(request), view)), 1)


@operation(
    "DELETE",
    "/invitations/{invitation_id}",
    tag="invitations",
    summary="Take an invitation back",
    scope="admin",
    status=204,
)
async def revoke(request: Request, invitation_id: Identifier) -> Response:
    """Whoever came in by it stays. Idempotent."""
    actor = await caller(request)
    await database(request).write(lambda tx: invitations.revoke(tx, actor, invitation_id))
    return Response(status_code=204)
