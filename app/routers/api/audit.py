"""The audit log, for programs of those in charge."""

from typing import Annotated, Literal

from fastapi import Query
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from app.schemas.administration import AuditList, VerificationItem
from app.schemas.base import LARGEST_ID, Instant
from app.services import audit_log
from app.services.audit_log import Filter
from app.web import audit_pages, paging
from app.web.operations import caller, database, operation
from app.web.paging import Cursor, Limit
from app.web.validation import DIGITS

OfProgramme = Annotated[int | None, Query(ge=1, le=LARGEST_ID, description="Only of this programme."), DIGITS]
OfOrganisation = Annotated[
    int | None, Query(ge=1, le=LARGEST_ID, description="Only of this organisation of the programme."), DIGITS
]
ByActor = Annotated[int | None, Query(ge=1, le=LARGEST_ID, description="Only what this person did."), DIGITS]
Action = Annotated[str, Query(max_length=60, description="Only this, such as `role.changed`.")]
Outcome = Annotated[Literal["done", "refused"] | None, Query(description="Only what came to this.")]
Since = Annotated[Instant | None, Query(description="Only from this instant on.")]
Until = Annotated[Instant | None, Query(description="Only before this instant.")]
Order = Annotated[Literal["new", "old"], Query(description="Whether the newest stand first, or the oldest.")]


@operation(
    "GET",
    "/audit",
    name="list_audit_entries",
    tag="audit",
    summary="Read the audit log",
    scope="admin",
    gives=AuditList,
    paged=True,
    problems=("not-found",),
)
async def index(
    request: Request,
    limit: Limit = paging.USUAL,
    cursor: Cursor = None,
    *,
    programme: OfProgramme = None,
    organisation: OfOrganisation = None,
    actor: ByActor = None,
    action: Action = "",
    outcome: Outcome = None,
    since: Since = None,
    until: Until = None,
    sort: Order = "new",
) -> Response:
    """The part that you are in charge of, each entry with its hashes; that it was read is an entry too.

    That is noted once for the pages of a quarter of an hour. Instance administrators read all of it. The entries as
    JSON Lines, the oldest first, are what `partnership audit verify FILE` checks.
    """
    reader = await caller(request)
    page = paging.page(request, limit, cursor)
    programme_id, organisation_id = audit_pages.part(reader, programme, organisation)
    wanted = Filter(
        programme_id=programme_id,
        organisation_id=organisation_id,
        actor_id=actor,
        action=action,
        outcome=outcome or "",
        since=since,
        until=until,
    )
    found = await database(request).read(
        lambda connection: audit_log.page(
            connection,
            reader,
            wanted,
            beyond=page.after or None,
            is_backwards=sort == "new",
            limit=page.asked,
        )
    )
    goes_on = cursor is not None
    await database(request).write(lambda tx: audit_log.note_reading(tx, reader, wanted, goes_on=goes_on))
    shown, more = page.cut(found)
    told = [audit_log.line(row._mapping) for row in shown]  # noqa: SLF001 -- SQLAlchemy's public name for it
    return paging.listing(request, page, told, shown[-1].id if more else None)


@operation(
    "GET",
    "/audit/verification",
    name="verify_audit_log",
    tag="audit",
    summary="Check the whole audit log",
    scope="admin",
    gives=VerificationItem,
)
async def verify(request: Request) -> Response:
    """Every entry's hash is made anew and compared; for instance administrators. A million take about 20 seconds."""
    actor = await caller(request)
    found = await database(request).read_unbounded(lambda connection: audit_log.checked(connection, actor))
    await database(request).write(lambda tx: audit_log.note_reading(tx, actor, Filter()))
    told = {
        "entries": found.entries,
        "first_id": found.first_id,
        "last_id": found.last_id,
        "newest": found.newest.hex(),
        "whole": found.is_whole,
        "broken": list(found.broken),
    }
    return Response(to_json(told), 200, {"Cache-Control": "no-store"}, "application/json")
