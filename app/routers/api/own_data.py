"""What is kept about one, copies of it and consents, for programs."""

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from app.database import Transaction
from app.schemas.own import ConsentList, CopyItem, CopyList, DataItem
from app.services import consents, data_exports, personal_data
from app.web import etags, idempotency, identity_items, languages, own_items, paging
from app.web.idempotency import Answer
from app.web.operations import PREFIX, Identifier, base_url, caller, database, operation
from app.web.paging import Cursor, Limit


@operation(
    "GET",
    "/people/me/consents",
    tag="own",
    summary="List what you are asked to agree to",
    scope="read",
    gives=ConsentList,
    paged=True,
)
async def all_consents(request: Request, limit: Limit = paging.USUAL, cursor: Cursor = None) -> Response:
    """Each purpose in each of your programmes, in your language, and since when you agree."""
    actor = await caller(request)
    page = paging.page(request, limit, cursor)
    found = await database(request).read(lambda connection: consents.of_person(connection, actor))
    numbered = [(number, asked) for number, asked in enumerate(found, start=1) if number > page.after]
    shown, more = page.cut(numbered)
    language = languages.of(request, actor)
    return paging.listing(
        request,
        page,
        [own_items.consent(base_url(request), language, asked) for _, asked in shown],
        shown[-1][0] if more else None,
    )


@operation(
    "DELETE",
    "/people/me/consents/{programme_id}/{purpose}",
    tag="own",
    summary="Take a consent back",
    scope="write",
    status=204,
)
async def withdraw_consent(request: Request, programme_id: Identifier, purpose: str) -> Response:
    """From now on. You give one on your page alone, having read the words. Idempotent."""
    actor = await caller(request)
    await database(request).write(lambda tx: consents.withdraw(tx, actor, programme_id, purpose))
    return Response(status_code=204)


@operation(
    "GET",
    "/people/me/data",
    tag="own",
    summary="Read what is kept about you",
    scope="read",
    gives=DataItem,
    tagged=True,
)
async def show(request: Request) -> Response:
    """Each kind: what, why, how long, on which ground, and what erasing does to it; in your language."""
    actor = await caller(request)
    counts = await database(request).read(lambda connection: personal_data.counts(connection, actor))
    told = own_items.data(base_url(request), languages.of(request, actor), counts)
    return etags.item(request, to_json(told), 1)


@operation(
    "GET",
    "/people/me/data/copies",
    tag="own",
    summary="List copies of your data",
    scope="read",
    gives=CopyList,
    paged=True,
)
async def copies(request: Request, limit: Limit = paging.USUAL, cursor: Cursor = None) -> Response:
    """The newest first."""
    actor = await caller(request)
    page = paging.page(request, limit, cursor)
    found = await database(request).read(
        lambda connection: data_exports.of_person(
            connection, actor, before=page.after or None, limit=page.asked
        )
    )
    shown, more = page.cut(found)
    return paging.listing(
        request,
        page,
        [identity_items.data_copy(base_url(request), row) for row in shown],
        shown[-1].id if more else None,
    )


@operation(
    "POST",
    "/people/me/data/copies",
    tag="own",
    summary="Ask for a copy of your data",
    scope="write",
    status=201,
    located="/people/me/data/copies/{copy_id}",
    gives=CopyItem,
    keyed=True,
    conflicts=True,
)
async def ask_for_copy(request: Request) -> Response:
    """A job makes it. It is fetched at its `url`, in a browser, after a fresh sign-in: no token opens it."""
    actor = await caller(request)

    def work(tx: Transaction) -> Answer:
        id = data_exports.ask(tx, actor)
        row = data_exports.find(tx.connection, actor, id)
        body = to_json(identity_items.data_copy(base_url(request), row))
        location = f"{base_url(request)}{PREFIX}/people/me/data/copies/{id}"
        return Answer(201, body, etags.tag(body, 1), location)

    return await idempotency.once(request, actor, work)


@operation(
    "GET",
    "/people/me/data/copies/{copy_id}",
    tag="own",
    summary="Read how a copy of your data stands",
    scope="read",
    gives=CopyItem,
    tagged=True,
)
async def show_copy(request: Request, copy_id: Identifier) -> Response:
    """Whether it waits, is ready, failed or has expired."""
    actor = await caller(request)
    row = await database(request).read(lambda connection: data_exports.find(connection, actor, copy_id))
    return etags.item(request, to_json(identity_items.data_copy(base_url(request), row)), 1)
