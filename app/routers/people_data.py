"""For those who look after a programme's data: how long it is kept, its people as a file, and erasing someone."""

import asyncio
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.lib import tables
from app.policies.actor import Actor
from app.services import consents, erasure, people_export, personal_data, programmes, retention
from app.web import admin_pages, pages

router = APIRouter(include_in_schema=False)


@router.get("/admin/retention")
async def show_retention(request: Request) -> Response:
    """How long the programme keeps what is personal, and how many people agree to what."""
    actor = await pages.member(request)
    programme = await admin_pages.programme_of(request, actor)
    rules = await pages.read(request, retention.of_programme, actor, programme)
    return await _show_retention(request, actor, programme, pages.Form(_values_of(rules)))


@router.post("/admin/retention")
async def save_retention(request: Request) -> Response:
    """Save how long."""
    actor = await pages.member(request)
    programme = await admin_pages.programme_of(request, actor)
    values = await pages.fields(request)
    changes = {name: pages.number(values.get(name, "")) or 0 for name in retention.LIMITS}
    version = pages.number(values.get("version", ""))
    try:
        await pages.write(request, retention.set_rules, actor, programme, version=version, **changes)
    except pages.MENDABLE as error:
        form = pages.refused(request, actor, error, values)
        return await _show_retention(request, actor, programme, form, status=error.status)
    return pages.back_to(f"/admin/retention?programme={programme.slug}")


@router.get("/admin/people.csv")
async def people_as_file(request: Request) -> Response:
    """Everyone who takes part, for a spreadsheet."""
    actor = await pages.member(request)
    programme = await admin_pages.programme_of(request, actor)
    found = await pages.write(request, people_export.take, actor, programme)
    people = [(*row[:4], row.since.date().isoformat()) for row in found]
    body = tables.file([("name", "organisation", "sector", "role", "since"), *people])
    headers = {
        "Content-Disposition": f'attachment; filename="people-{programme.slug}.csv"',
        "Cache-Control": "no-store, no-transform",
    }
    return Response(body, media_type="text/csv; charset=utf-8", headers=headers)


@router.get("/admin/people/{id:key}/erasure")
async def preview(request: Request, id: int) -> Response:
    """What of someone goes and what stays, before anything does."""
    actor = await pages.member(request)
    return await _show_preview(request, actor, id, pages.Form())


@router.post("/admin/people/{id:key}/erasure")
async def erase(request: Request, id: int) -> Response:
    """Erase someone on their wish."""
    actor = await pages.member(request)
    values = await pages.fields(request)
    wanted = {"confirmed": bool(values.get("confirmed")), "with_texts": bool(values.get("with_texts"))}
    try:
        await pages.write(request, erasure.erase, actor, id, **wanted)
    except pages.MENDABLE as error:
        form = pages.refused(request, actor, error, values)
        return await _show_preview(request, actor, id, form, status=error.status)
    await asyncio.to_thread(erasure.tidy, pages.context_of(request).database)
    return pages.back_to("/admin/people")


async def _show_retention(
    request: Request, actor: Actor, programme: Any, form: pages.Form, *, status: int = 200
) -> Response:
    return pages.show(
        request,
        actor,
        "admin/retention.html",
        status=status,
        subject=programme,
        programme=programme,
        programmes=[row["programme"] for row in await pages.read(request, programmes.coordinated_by, actor)],
        form=form,
        limits=retention.LIMITS,
        warned=await pages.read(request, retention.warned_in, actor, programme),
        numbers=await pages.read(request, consents.numbers, actor, programme),
    )


def _values_of(rules: retention.Rules) -> dict[str, str]:
    return {name: str(getattr(rules, name)) for name in (*retention.LIMITS, "version")}


async def _show_preview(
    request: Request, actor: Actor, person_id: int, form: pages.Form, *, status: int = 200
) -> Response:
    found = await pages.read(request, erasure.preview, actor, person_id)
    values = {"preview": found, "kinds": personal_data.KINDS, "form": form, "is_own": False}
    return pages.show(request, actor, "data/erasure.html", status=status, **values)
