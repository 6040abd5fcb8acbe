"""Access tokens of one's own, for programs."""

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from app.database import Transaction
from app.schemas.own import TokenDraft, TokenItem, TokenList, TokenMade
from app.services import tokens
from app.web import bodies, etags, idempotency, identity_items, paging
from app.web.idempotency import Answer
from app.web.operations import PREFIX, Identifier, base_url, caller, database, operation
from app.web.paging import Cursor, Limit
from app.web.validation import pointing


@operation(
    "GET",
    "/people/me/tokens",
    tag="own",
    summary="List your access tokens",
    scope="read",
    gives=TokenList,
    paged=True,
)
async def index(request: Request, limit: Limit = paging.USUAL, cursor: Cursor = None) -> Response:
    """Those in force, the newest first; never the tokens themselves."""
    actor = await caller(request)
    found = await database(request).read(lambda connection: tokens.of_person(connection, actor))
    return paging.newest_first(request, paging.page(request, limit, cursor), found, identity_items.token)


@operation(
    "POST",
    "/people/me/tokens",
    tag="own",
    summary="Make a token for another program",
    scope="admin",
    status=201,
    located="/people/me/tokens/{token_id}",
    takes=TokenDraft,
    gives=TokenMade,
    keyed=True,
    conflicts=True,
    problems=("fresh-sign-in-needed",),
)
async def create(request: Request) -> Response:
    """It can do no more than the one with which you ask, nowhere else and no longer, never `admin`; it ends with it."""
    actor = await caller(request)
    draft = await bodies.take(request, TokenDraft)

    def work(tx: Transaction) -> Answer:
        made = tokens.create(
            tx,
            actor,
            name=draft.name,
            scopes=draft.scopes,
            days=draft.days,
            programme_id=draft.programme,
            organisation_id=draft.organisation,
        )
        shown = identity_items.token(base_url(request), tokens.own(tx.connection, actor, made.id))
        location = f"{base_url(request)}{PREFIX}/people/me/tokens/{made.id}"
        kept = Answer(201, to_json({**shown, "token": None}), etags.tag(to_json(shown), 1), location)
        return kept.telling(token=made.token)

    where = "organisation" if draft.programme is None else "programme"
    with pointing(lambda field: where if field == "place" else field):
        return await idempotency.once(request, actor, work, secret=True)


@operation(
    "GET",
    "/people/me/tokens/{token_id}",
    tag="own",
    summary="Read one of your access tokens",
    scope="read",
    gives=TokenItem,
    tagged=True,
)
async def show(request: Request, token_id: Identifier) -> Response:
    """What it is for and when it was used; never the token itself."""
    actor = await caller(request)
    row = await database(request).read(lambda connection: tokens.own(connection, actor, token_id))
    return etags.item(request, to_json(identity_items.token(base_url(request), row)), 1)


@operation(
    "DELETE",
    "/people/me/tokens/{token_id}",
    tag="own",
    summary="Revoke one of your access tokens",
    scope="write",
    status=204,
)
async def revoke(request: Request, token_id: Identifier) -> Response:
    """At once, with those that were made with it; it may be the very one with which you ask. Idempotent."""
    actor = await caller(request)
    await database(request).write(lambda tx: tokens.revoke(tx, actor, token_id))
    return Response(status_code=204)
