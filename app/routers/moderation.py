"""Pinning and hiding ideas, and an author's answer."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.policies.permissions import Permission
from app.policies.rules import require
from app.services import ideas, moderation
from app.web import pages

router = APIRouter(include_in_schema=False)


@router.post("/ideas/{id:key}/pin")
async def pin(request: Request, id: int) -> Response:
    """Put an idea first on its board."""
    actor = await pages.member(request)
    await pages.write(request, moderation.pin, actor, id)
    return pages.back_to(f"/ideas/{id}")


@router.post("/ideas/{id:key}/pin/removal")
async def unpin(request: Request, id: int) -> Response:
    """Let an idea stand where its order puts it."""
    actor = await pages.member(request)
    await pages.write(request, moderation.unpin, actor, id)
    return pages.back_to(f"/ideas/{id}")


@router.get("/ideas/{id:key}/hiding")
async def ask_reason(request: Request, id: int) -> Response:
    """The form that asks why."""
    actor = await pages.member(request)
    view = await pages.read(request, ideas.find, actor, id)
    require(actor, Permission.MODERATE, view)
    return pages.show(request, actor, "ideas/hide.html", subject=view, idea=view, form=pages.Form())


@router.post("/ideas/{id:key}/hiding")
async def hide(request: Request, id: int) -> Response:
    """Hide an idea for a reason."""
    actor = await pages.member(request)
    fields = await pages.fields(request)
    try:
        await pages.write(request, moderation.hide, actor, id, reason=fields.get("reason", ""))
    except pages.MENDABLE as error:
        view = await pages.read(request, ideas.find, actor, id)
        form = pages.refused(request, actor, error, fields)
        return pages.show(
            request, actor, "ideas/hide.html", status=error.status, subject=view, idea=view, form=form
        )
    return pages.back_to(f"/ideas/{id}")


@router.post("/ideas/{id:key}/hiding/removal")
async def restore(request: Request, id: int) -> Response:
    """Put a hidden idea back on the board."""
    actor = await pages.member(request)
    await pages.write(request, moderation.restore, actor, id)
    return pages.back_to(f"/ideas/{id}")


@router.post("/ideas/{id:key}/hiding/answer")
async def answer(request: Request, id: int) -> Response:
    """Answer a hiding, as the author."""
    actor = await pages.member(request)
    fields = await pages.fields(request)
    await pages.write(request, moderation.answer, actor, id, answer=fields.get("answer", ""))
    return pages.back_to(f"/ideas/{id}")
