"""The audit log, for those in charge: to read, and to take along."""

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from app.services import audit_log, members
from app.web import audit_pages, audit_words, pages, paging

router = APIRouter(include_in_schema=False)

ON_A_PAGE = 50


@router.get("/admin/audit")
async def index(request: Request) -> Response:
    """The newest entries, as far as the reader is in charge; that they were read is an entry too."""
    actor = await pages.member(request)
    found = audit_pages.wanted(request, actor)
    page = paging.page(request, ON_A_PAGE, request.query_params.get("cursor"))
    rows = await pages.read(
        request, audit_log.entries, actor, found, before=page.after or None, limit=page.asked
    )
    await pages.write(request, audit_log.note_reading, actor, found)
    entries, more = page.cut(rows)
    return pages.show(
        request,
        actor,
        "admin/audit.html",
        entries=entries,
        names=await pages.read(request, audit_log.concerned, entries),
        person_of=audit_log.person_of,
        choices=await pages.read(request, members.choices, actor),
        actions=sorted(audit_words.AUDIT_ACTIONS),
        more=paging.following_address(request, (entries[-1].id,) if more else None),
        query=request.url.query,
        form=pages.Form(audit_pages.values_of(request, found)),
    )


@router.get("/admin/audit.jsonl")
async def as_json_lines(request: Request) -> Response:
    """The entries as JSON Lines, each with its hash: `partnership audit verify` checks the file."""
    return await _file(request, "jsonl", "application/jsonl", audit_pages.as_json_lines)


@router.get("/admin/audit.csv")
async def as_table(request: Request) -> Response:
    """The entries as a table, each with its hash."""
    return await _file(request, "csv", "text/csv; charset=utf-8", audit_pages.as_table)


async def _file(request: Request, ending: str, media_type: str, lines: Any) -> Response:
    actor = await pages.member(request)
    found = audit_pages.wanted(request, actor)
    await pages.write(request, audit_log.note_reading, actor, found, action=audit_log.EXPORTED, form=ending)
    headers = {"Content-Disposition": f'attachment; filename="audit.{ending}"', "Cache-Control": "no-store"}
    return StreamingResponse(lines(request, actor, found), media_type=media_type, headers=headers)
