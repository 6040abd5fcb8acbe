"""Whether a programme's data is open to everyone, for programs."""

from typing import Any

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from app.database import Transaction
from app.schemas.open_data import OpenDataDraft, OpenDataItem
from app.services import open_data, programmes
from app.web import bodies, etags, items
from app.web.idempotency import Answer
from app.web.operations import Identifier, base_url, caller, database, operation


@operation(
    "GET",
    "/programmes/{programme_id}/open-data",
    tag="open data",
    summary="Read what of a programme everyone may have",
    scope="read",
    gives=OpenDataItem,
    tagged=True,
)
async def show(request: Request, programme_id: Identifier) -> Response:
    """Its licence, its publisher and its files; `is_open` is false while there is nothing."""
    actor = await caller(request)
    here = base_url(request)

    def query(connection: Any) -> tuple[bytes, int]:
        programme = programmes.find(connection, actor, programme_id)
        view = open_data.find(connection, programme)
        files = open_data.files(connection, programme_id) if view.is_open else []
        return to_json(items.open_data(here, programme, view, files)), view.version

    return etags.item(request, *await database(request).read(query))


@operation(
    "PUT",
    "/programmes/{programme_id}/open-data",
    tag="open data",
    summary="Open a programme's data to everyone",
    scope="admin",
    takes=OpenDataDraft,
    gives=OpenDataItem,
    conditional=True,
    conflicts=True,
)
async def set_up(request: Request, programme_id: Identifier) -> Response:
    """For coordinators; also to change how it is open. The files are made soon after. A conflict where the programme is
    for its members alone.
    """
    actor = await caller(request)
    versions = etags.expected(request)
    draft = await bodies.take(request, OpenDataDraft)
    here = base_url(request)

    def work(tx: Transaction) -> Answer:
        programme = programmes.find(tx.connection, actor, programme_id)
        version = etags.meant(versions, lambda: open_data.find(tx.connection, programme).version)
        view = open_data.set_up(tx, actor, programme, version=version, **draft.model_dump())
        body = to_json(items.open_data(here, programme, view, []))
        return Answer(200, body, etags.tag(body, view.version))

    return (await database(request).write(work)).response()


@operation(
    "DELETE",
    "/programmes/{programme_id}/open-data",
    tag="open data",
    summary="Take a programme's open data back",
    scope="admin",
    status=204,
    conditional=True,
)
async def close(request: Request, programme_id: Identifier) -> Response:
    """For coordinators. Its page and its files are gone at once."""
    actor = await caller(request)
    versions = etags.expected(request)

    def work(tx: Transaction) -> None:
        programme = programmes.find(tx.connection, actor, programme_id)
        version = etags.meant(versions, lambda: open_data.find(tx.connection, programme).version)
        open_data.close(tx, actor, programme, version=version)

    await database(request).write(work)
    return Response(status_code=204)
