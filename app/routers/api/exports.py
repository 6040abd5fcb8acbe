"""Exports, for programs: many rows at once, as a file."""

from typing import Annotated, Any

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from app.schemas.base import LARGEST_ID
from app.services import exports, programmes
from app.services.exports import Export, Kind
from app.web import export_files
from app.web.export_files import MEDIA_TYPES, Format
from app.web.operations import Identifier, base_url, caller, database, operation
from app.web.validation import DIGITS

Form = Annotated[
    Format | None,
    Query(description="The form of the file; left out, the first one that `Accept` names, else CSV."),
]
OfChallenge = Annotated[
    int | None, Query(ge=1, le=LARGEST_ID, description="Only what belongs to this challenge."), DIGITS
]


@operation(
    "GET",
    "/programmes/{programme_id}/exports/{kind}",
    tag="exports",
    summary="Take along what you may read",
    scope="read",
    gives_files=tuple(MEDIA_TYPES.values()),
)
async def show(
    request: Request,
    programme_id: Identifier,
    kind: Kind,
    format: Form = None,
    challenge: OfChallenge = None,
) -> Response:
    """The `kind` is `challenges`, `ideas`, `comments`, `results` or `exchanges` (stays by month, home and host). The
    same columns in each form; what you may not read is not in it. Two at the same time at the most.
    """
    actor = await caller(request)
    here = base_url(request)

    def query(connection: Any) -> Export:
        programme = programmes.find(connection, actor, programme_id)
        return exports.choose(connection, actor, programme, kind, challenge_id=challenge, base_url=here)

    export = await database(request).read(query)
    return export_files.download(request, actor, export, export_files.wanted(request, format))
