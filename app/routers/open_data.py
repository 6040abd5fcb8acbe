"""Open data: the page and the files for everyone, and the page on which coordinators open it."""

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.policies.actor import Actor
from app.services import open_data, programmes
from app.services.open_data import LICENCES
from app.services.programmes import ProgrammeView
from app.web import admin_pages, catalogue, languages, limits, open_files, pages, structured

router = APIRouter(include_in_schema=False)


@router.get("/programmes/{slug}/open-data")
async def show(request: Request, slug: str) -> Response:
    """What of a programme everyone may have."""
    actor = await pages.reader(request)
    programme, view, files = await _opened(request, actor, slug)
    tables, language = open_files.by_table(files), languages.of(request, actor)
    base_url = pages.context_of(request).settings.base_url
    return pages.show(
        request,
        actor,
        "open_data/show.html",
        subject=programme,
        programme=programme,
        view=view,
        tables=tables,
        names=catalogue.NAMES,
        meanings=catalogue.MEANINGS,
        data=structured.open_data(base_url, programme, view, tables, language),
    )


@router.get("/programmes/{slug}/open-data/catalogue.{form}")
async def describe(request: Request, slug: str, form: str) -> Response:
    """What it is, after DCAT-AP."""
    actor = await _passer_by(request)
    programme, view, files = await _opened(request, actor, slug)
    base_url = pages.context_of(request).settings.base_url
    return open_files.described(request, catalogue.statements(base_url, programme, view, files), form)


@router.get("/programmes/{slug}/open-data/{table}.{form}")
async def download(request: Request, slug: str, table: str, form: str) -> Response:
    """One file of it."""
    actor = await _passer_by(request)
    programme = await pages.read(request, programmes.by_slug, actor, slug)
    digest, content = await pages.read(request, open_data.content, programme, f"{table}.{form}")
    return open_files.file(request, digest, content, f"{programme.slug}-{table}", form)


@router.get("/admin/open-data")
async def edit(request: Request) -> Response:
    """Whether a programme's data is open, and how."""
    actor = await pages.member(request)
    programme = await admin_pages.programme_of(request, actor)
    view = await pages.read(request, open_data.for_coordinators, actor, programme)
    values = {name: getattr(view, name) for name in ("licence", "description", "publisher", "contact")}
    form = pages.Form({**values, "with_texts": view.with_texts, "version": str(view.version)})
    return await _show_form(request, actor, programme, form)


@router.post("/admin/open-data")
async def save(request: Request) -> Response:
    """Open it, or change how."""
    actor = await pages.member(request)
    programme = await admin_pages.programme_of(request, actor)
    values = await pages.fields(request)
    given: dict[str, Any] = {
        name: values.get(name, "") for name in ("licence", "description", "publisher", "contact")
    }
    version = pages.number(values.get("version", ""))
    with_texts = bool(values.get("with_texts"))
    try:
        await pages.write(
            request, open_data.set_up, actor, programme, version=version, with_texts=with_texts, **given
        )
    except pages.MENDABLE as error:
        form = pages.refused(request, actor, error, values)
        return await _show_form(request, actor, programme, form, status=error.status)
    return pages.back_to(f"/programmes/{programme.slug}/open-data")


@router.post("/admin/open-data/closure")
async def close(request: Request) -> Response:
    """Take it back."""
    actor = await pages.member(request)
    programme = await admin_pages.programme_of(request, actor)
    await pages.write(request, open_data.close, actor, programme)
    return pages.back_to(f"/admin/open-data?programme={programme.slug}")


async def _opened(request: Request, actor: Actor, slug: str) -> tuple[ProgrammeView, Any, Any]:
    programme: ProgrammeView = await pages.read(request, programmes.by_slug, actor, slug)
    view = await pages.read(request, open_data.published, programme)
    return programme, view, await pages.read(request, open_data.files, programme.id)


async def _passer_by(request: Request) -> Actor:
    """Whoever fetches a file, counted by address."""
    actor = await pages.reader(request)
    await pages.context_of(request).limiter.hold_address(request, limits.DEFAULT)
    return actor


async def _show_form(
    request: Request, actor: Actor, programme: Any, form: pages.Form, *, status: int = 200
) -> Response:
    return pages.show(
        request,
        actor,
        "open_data/edit.html",
        status=status,
        subject=programme,
        programme=programme,
        programmes=[row["programme"] for row in await pages.read(request, programmes.coordinated_by, actor)],
        view=await pages.read(request, open_data.for_coordinators, actor, programme),
        licences=[(name, name) for name in LICENCES],
        form=form,
    )
