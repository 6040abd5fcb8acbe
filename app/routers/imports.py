"""Imports: bringing a file of many rows, trying it, following it, mending what was refused."""

import re
from typing import Any

from fastapi import APIRouter
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response

from app.errors import FieldError, Gone, Invalid, NotFound, TooMany
from app.lib import tables
from app.lib.i18n import N_
from app.models.imports import KINDS, REFUSED
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import may, require
from app.services import challenges, imports, programmes
from app.web import import_items, import_rows, languages, pages, uploads

router = APIRouter(include_in_schema=False)

SHOWN = 100
"""Refused rows on one page."""


@router.get("/admin/imports")
async def index(request: Request) -> Response:
    """The newest imports of a programme, and the form for another."""
    return await _index(request, await pages.member(request), form=pages.Form({"dry_run": "1"}))


@router.post("/admin/imports")
async def start(request: Request) -> Response:
    """Bring a file."""
    actor = await pages.member(request)
    programme, _ = await _programmes(request, actor)
    async with uploads.turn(request), request.form(max_files=1, max_fields=20) as given:
        file = given.get("file")
        values = {name: value for name, value in given.items() if isinstance(value, str)}
        try:
            content, draft = await _brought(values, file if isinstance(file, UploadFile) else None)
            made = await pages.write(request, imports.start, actor, programme, content, **draft)
        except (*pages.MENDABLE, TooMany) as error:
            form = _refused(request, actor, error, values)
            return await _index(request, actor, form=form, status=error.status)
    return pages.back_to(f"/admin/imports/{made}")


@router.get("/admin/imports/templates/{kind}.csv")
async def template(request: Request, kind: str) -> Response:
    """A CSV with the header for a kind, to be filled in."""
    actor = await pages.member(request)
    await _programmes(request, actor)
    if kind not in KINDS:
        raise NotFound(N_("There is no such page, or it is not open to you."))
    headers = {"Content-Disposition": f'attachment; filename="{kind}.csv"'}
    return Response(tables.file([import_rows.columns(kind)]), headers=headers, media_type="text/csv")


@router.get("/admin/imports/{id:key}")
async def show(request: Request, id: int) -> Response:
    """One import: how far it is, and what is to be mended."""
    return await _show(request, await pages.member(request), id)


@router.post("/admin/imports/{id:key}/cancellation")
async def cancel(request: Request, id: int) -> Response:
    """Let it end where it is, or forget its file."""
    actor = await pages.member(request)
    await pages.write(request, imports.cancel, actor, id)
    return pages.back_to(f"/admin/imports/{id}")


@router.post("/admin/imports/{id:key}/resumption")
async def resume(request: Request, id: int) -> Response:
    """Let it go on."""
    actor = await pages.member(request)
    try:
        await pages.write(request, imports.resume, actor, id)
    except (*pages.MENDABLE, Gone, TooMany) as error:
        form = pages.refused(request, actor, error, {})
        return await _show(request, actor, id, form=form, status=error.status)
    return pages.back_to(f"/admin/imports/{id}")


async def _programmes(request: Request, actor: Actor) -> tuple[Any, list[Any]]:
    """The programme that the address names or the first one, of those in which the actor runs imports; all.

    :raises NotFound: they run imports in none of that name, or in none at all
    """
    coordinated = await pages.read(request, programmes.coordinated_by, actor)
    found = [each["programme"] for each in coordinated]
    open_to = [each for each in found if may(actor, Permission.RUN_IMPORTS, each)]
    slug = request.query_params.get("programme", "")
    chosen = next((each for each in open_to if slug in ("", each.slug)), None)
    if chosen is None:
        raise NotFound(N_("There is no such page, or it is not open to you."))
    return chosen, open_to


async def _brought(values: dict[str, str], file: UploadFile | None) -> tuple[bytes, dict[str, Any]]:
    """What the form brings, as `imports.start` takes it.

    :raises Invalid: there is no file, or none that we read
    """
    name = re.split(r"[\\/]", (file.filename or "") if file else "")[-1]
    ending = next((ending for ending in uploads.ENDINGS if name.lower().endswith(ending)), None)
    if file is None or not name:
        raise Invalid(FieldError("file", N_("Please choose a file.")))
    if ending is None:
        raise Invalid(FieldError("file", N_("Please choose a file that ends in .csv, .json or .jsonl.")))
    if values.get("kind") not in KINDS:
        raise Invalid(FieldError("kind", N_("Please choose one of the list.")))
    content = await file.read()
    if len(content) > imports.MOST_BYTES:
        raise uploads.too_large()
    format = uploads.ENDINGS[ending]
    uploads.check(content, values["kind"], format)
    return content, {
        "kind": values["kind"],
        "format": format,
        "name": name[-160:],
        "challenge_id": pages.number(values.get("challenge", "")),
        "dry_run": "dry_run" in values,
    }


def _refused(request: Request, actor: Actor, error: Any, values: dict[str, str]) -> pages.Form:
    """The form again; of a file everything that is wrong is told."""
    form = pages.refused(request, actor, error, values)
    if not isinstance(error, Invalid):
        return form
    language = languages.of(request, actor)
    told = [import_items.told(language, each) for each in error.errors if each.field == "file"]
    return pages.Form(values, {**form.errors, "file": " ".join(told)} if told else form.errors)


async def _index(request: Request, actor: Actor, *, form: pages.Form, status: int = 200) -> Response:
    programme, known = await _programmes(request, actor)
    require(actor, Permission.RUN_IMPORTS, programme)
    return pages.show(
        request,
        actor,
        "imports/index.html",
        status=status,
        subject=programme,
        programme=programme,
        programmes=known,
        imports=await pages.read(request, imports.newest, actor, programme),
        challenges=await pages.read(request, challenges.in_programme, actor, programme, limit=SHOWN),
        kinds=KINDS,
        form=form,
    )


async def _show(
    request: Request, actor: Actor, id: int, *, form: pages.Form | None = None, status: int = 200
) -> Response:
    view = await pages.read(request, imports.find, actor, id)
    language = languages.of(request, actor)
    after = pages.number(request.query_params.get("after", "")) or 0
    refused = await pages.read(request, imports.rows, view, state=REFUSED, after=after, limit=SHOWN + 1)
    return pages.show(
        request,
        actor,
        "imports/show.html",
        status=status,
        programme=await pages.read(request, programmes.find, actor, view.programme_id),
        each=view,
        reason=import_items.reason(view, language),
        rows=[import_items.row(view, row, language) for row in refused[:SHOWN]],
        following=refused[SHOWN - 1].number if len(refused) > SHOWN else None,
        after=after,
        form=form or pages.Form(),
    )
