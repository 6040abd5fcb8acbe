"""Imports, for programs: many rows in one file, made by a job."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Annotated, Any

from fastapi import Query
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from app.database import Transaction
from app.errors import FieldError, Invalid
from app.lib.i18n import N_
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import require
from app.schemas.base import LARGEST_ID
from app.schemas.imports import ImportItem, ImportList, ImportRowList, Kind, RowState
from app.services import imports, programmes
from app.services.imports import ImportView
from app.web import etags, idempotency, import_items, languages, paging, uploads
from app.web.idempotency import Answer
from app.web.operations import PREFIX, Identifier, base_url, caller, database, operation
from app.web.paging import Cursor, Limit
from app.web.validation import DIGITS, InvalidParameter

OfKind = Annotated[Kind | None, Query(description="What the rows are; needed.")]
IntoChallenge = Annotated[
    int | None, Query(ge=1, le=LARGEST_ID, description="Where ideas go; needed for them."), DIGITS
]
OnlyTry = Annotated[bool, Query(description="Only try each row: nothing is made.")]
Name = Annotated[str, Query(max_length=160, description="What the file is called on its page.")]
InState = Annotated[RowState | None, Query(description="Only rows in this state.")]


@operation(
    "GET",
    "/programmes/{programme_id}/imports",
    tag="imports",
    summary="List the imports of a programme",
    scope="read",
    gives=ImportList,
    paged=True,
)
async def index(
    request: Request, programme_id: Identifier, limit: Limit = paging.USUAL, cursor: Cursor = None
) -> Response:
    """By id; for coordinators. What became of an import's rows is kept for 90 days."""
    actor = await caller(request)
    page = paging.page(request, limit, cursor)
    programme = await database(request).read(
        lambda connection: programmes.find(connection, actor, programme_id)
    )
    found = await database(request).read(
        lambda connection: imports.in_programme(
            connection, actor, programme, after=page.after, limit=page.asked
        )
    )
    shown, more = page.cut(found)
    here, language = base_url(request), languages.of(request, actor)
    items = [import_items.item(here, view, language) for view in shown]
    return paging.listing(request, page, items, shown[-1].id if more else None)


@operation(
    "POST",
    "/programmes/{programme_id}/imports",
    tag="imports",
    summary="Start an import",
    scope="admin",
    status=201,
    located="/imports/{import_id}",
    takes_files=tuple(uploads.MEDIA_TYPES),
    gives=ImportItem,
    keyed=True,
    problems=("unsupported-media-type",),
)
async def start(
    request: Request,
    programme_id: Identifier,
    kind: OfKind = None,
    *,
    challenge: IntoChallenge = None,
    dry_run: OnlyTry = False,
    name: Name = "",
) -> Response:
    """For coordinators. The body is a file of up to 10 MB and 50,000 rows: a CSV with the names of its fields on top,
    a JSON list, or JSON Lines. It runs by itself, in the caller's name; read it again to see how far it is.
    """
    actor = await caller(request)
    if not await idempotency.is_known(request, actor):
        await _require_right(request, actor, programme_id)
    if kind is None:
        raise InvalidParameter("query", FieldError("kind", N_("This is needed.")))
    if kind == "ideas" and challenge is None:
        wrong = FieldError("challenge", N_("Please say into which challenge the ideas go."))
        raise InvalidParameter("query", wrong)
    async with uploads.turn(request):
        with _of_the_whole():
            content, format = await uploads.take(request)
            uploads.check(content, kind, format)

        def work(tx: Transaction) -> Answer:
            import_id = imports.start(
                tx,
                actor,
                programmes.find(tx.connection, actor, programme_id),
                content,
                kind=kind,
                format=format,
                name=name,
                challenge_id=challenge,
                dry_run=dry_run,
            )
            return _answer(request, actor, imports.find(tx.connection, actor, import_id), created=True)

        with _of_the_whole():
            return await idempotency.once(request, actor, work)


@contextmanager
def _of_the_whole() -> Iterator[None]:
    """What a form calls its file is here the body as a whole."""
    try:
        yield
    except InvalidParameter:
        raise
    except Invalid as error:
        wrong = [replace(each, field="" if each.field == "file" else each.field) for each in error.errors]
        raise Invalid(*wrong, message=error.message, **error.values) from None


@operation(
    "GET",
    "/imports/{import_id}",
    tag="imports",
    summary="Read an import",
    scope="read",
    gives=ImportItem,
    tagged=True,
)
async def show(request: Request, import_id: Identifier) -> Response:
    """For coordinators: how far it is, and how many rows came to what."""
    actor = await caller(request)
    view = await database(request).read(lambda connection: imports.find(connection, actor, import_id))
    return etags.item(request, _written(request, actor, view), view.version)


@operation(
    "GET",
    "/imports/{import_id}/rows",
    name="list_import_rows",
    tag="imports",
    summary="List the rows of an import",
    scope="read",
    gives=ImportRowList,
    paged=True,
)
async def rows(
    request: Request,
    import_id: Identifier,
    limit: Limit = paging.USUAL,
    cursor: Cursor = None,
    *,
    state: InState = None,
) -> Response:
    """What became of each row that was dealt with, by number, and what is to be mended in those that were refused."""
    actor = await caller(request)
    page = paging.page(request, limit, cursor)

    def read(connection: Any) -> tuple[ImportView, Any]:
        view = imports.find(connection, actor, import_id)
        return view, imports.rows(connection, view, state=state, after=page.after, limit=page.asked)

    view, found = await database(request).read(read)
    shown, more = page.cut(found)
    language = languages.of(request, actor)
    items = [import_items.row(view, row, language) for row in shown]
    return paging.listing(request, page, items, shown[-1].number if more else None)


@operation(
    "DELETE",
    "/imports/{import_id}",
    name="cancel_import",
    tag="imports",
    summary="Cancel an import",
    scope="admin",
    gives=ImportItem,
)
async def cancel(request: Request, import_id: Identifier) -> Response:
    """For coordinators. It ends where it is and its file is forgotten: what it has made stays, and the answer says how
    much that is. Of one that has ended only the file is forgotten. Asked again, nothing more happens.
    """
    actor = await caller(request)
    view = await database(request).write(lambda tx: imports.cancel(tx, actor, import_id))
    return etags.item(request, _written(request, actor, view), view.version)


@operation(
    "POST",
    "/imports/{import_id}/resumption",
    name="resume_import",
    tag="imports",
    summary="Let an import go on",
    scope="admin",
    gives=ImportItem,
    keyed=True,
    conflicts=True,
    gone=True,
)
async def resume(request: Request, import_id: Identifier) -> Response:
    """For coordinators, while the file is kept: after a dry run it is done in earnest; one that stopped goes on; of one
    that is done, the rows that were refused are tried again. No row is made twice.
    """
    actor = await caller(request)

    def work(tx: Transaction) -> Answer:
        return _answer(request, actor, imports.resume(tx, actor, import_id))

    return await idempotency.once(request, actor, work)


async def _require_right(request: Request, actor: Actor, programme_id: int) -> None:
    """Before a large file is read."""
    programme = await database(request).read(
        lambda connection: programmes.find(connection, actor, programme_id)
    )
    require(actor, Permission.RUN_IMPORTS, programme)


def _answer(request: Request, actor: Actor, view: ImportView, *, created: bool = False) -> Answer:
    body = _written(request, actor, view)
    location = f"{base_url(request)}{PREFIX}/imports/{view.id}" if created else None
    return Answer(201 if created else 200, body, etags.tag(body, view.version), location)


def _written(request: Request, actor: Actor, view: ImportView) -> bytes:
    return to_json(import_items.item(base_url(request), view, languages.of(request, actor)))
