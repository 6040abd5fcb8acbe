"""One's own data: see it, correct it, take it along, agree to what is done with it, and erase it."""

import asyncio
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.policies.actor import ANONYMOUS, Actor
from app.services import consents, data_exports, erasure, people, personal_data
from app.web import identity, pages

router = APIRouter(include_in_schema=False)


@router.get("/me/data")
async def show(request: Request) -> Response:
    """What is kept about me, why and how long."""
    actor = await pages.member(request)
    return await _show(request, actor)


@router.post("/me/data/corrections")
async def correct(request: Request) -> Response:
    """Correct my name, and the address for notices where nobody else tells it."""
    actor = await pages.member(request)
    values = await pages.fields(request)
    told = {"name": values.get("name", ""), "email": values.get("email", "")}
    try:
        await pages.write(request, people.correct, actor, **told)
    except pages.MENDABLE as error:
        form = pages.refused(request, actor, error, values)
        return await _show(request, actor, form=form, status=error.status)
    return pages.back_to("/me/data")


@router.post("/me/data/copies")
async def ask_for_copy(request: Request) -> Response:
    """Ask for a copy of my data."""
    actor = await pages.member(request)
    await pages.write(request, data_exports.ask, actor)
    return pages.back_to("/me/data#copy")


@router.get("/me/data/copies/{id:key}")
async def fetch_copy(request: Request, id: int) -> Response:
    """The copy as a file."""
    actor = await pages.member(request)
    content = await pages.write(request, data_exports.fetch, actor, id)
    headers = {
        "Content-Disposition": 'attachment; filename="partnership-data.zip"',
        "Cache-Control": "no-store, no-transform",
    }
    return Response(content, media_type="application/zip", headers=headers)


@router.post("/me/data/consents")
async def consent(request: Request) -> Response:
    """Agree to one purpose."""
    actor = await pages.member(request)
    values = await pages.fields(request)
    programme_id = pages.number(values.get("programme", "")) or 0
    version = pages.number(values.get("version", ""))
    await pages.write(request, consents.give, actor, programme_id, values.get("purpose", ""), version=version)
    return pages.back_to("/me/data#consents")


@router.post("/me/data/consents/withdrawal")
async def withdraw_consent(request: Request) -> Response:
    """Take a consent back."""
    actor = await pages.member(request)
    values = await pages.fields(request)
    programme_id = pages.number(values.get("programme", "")) or 0
    await pages.write(request, consents.withdraw, actor, programme_id, values.get("purpose", ""))
    return pages.back_to("/me/data#consents")


@router.get("/me/data/erasure")
async def preview(request: Request) -> Response:
    """What goes and what stays, before anything does."""
    actor = await pages.member(request)
    return await _show_preview(request, actor, pages.Form())


@router.post("/me/data/erasure")
async def erase(request: Request) -> Response:
    """Erase me."""
    actor = await pages.member(request)
    values = await pages.fields(request)
    wanted = {"confirmed": bool(values.get("confirmed")), "with_texts": bool(values.get("with_texts"))}
    try:
        await pages.write(request, erasure.erase, actor, actor.person_id or 0, **wanted)
    except pages.MENDABLE as error:
        form = pages.refused(request, actor, error, values)
        return await _show_preview(request, actor, form, status=error.status)
    await asyncio.to_thread(erasure.tidy, pages.context_of(request).database)
    response = pages.show(request, ANONYMOUS, "data/erased.html")
    identity.forget(request, response)
    return response


async def _show(request: Request, actor: Actor, *, status: int = 200, **values: Any) -> Response:
    account = await pages.read(request, people.account, actor)
    form = pages.Form({"name": account.name, "email": account.email or ""})
    copy = await pages.read(request, data_exports.newest, actor)
    return pages.show(
        request,
        actor,
        "data/show.html",
        status=status,
        kinds=personal_data.KINDS,
        counts=await pages.read(request, personal_data.counts, actor),
        account=account,
        copy=copy,
        is_copy_open=data_exports.is_open(copy),
        consents=await pages.read(request, consents.of_person, actor),
        **({"form": form} | values),
    )


async def _show_preview(request: Request, actor: Actor, form: pages.Form, *, status: int = 200) -> Response:
    found = await pages.read(request, erasure.preview, actor, actor.person_id or 0)
    values = {"preview": found, "kinds": personal_data.KINDS, "form": form, "is_own": True}
    return pages.show(request, actor, "data/erasure.html", status=status, **values)
