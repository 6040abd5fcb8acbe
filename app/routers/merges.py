"""Merging two ideas: proposing, consenting, objecting, undoing."""

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.policies.permissions import Permission
from app.policies.rules import may, require
from app.services import ideas, merges, support
from app.web import pages

router = APIRouter(include_in_schema=False)


@router.get("/ideas/{id:key}/merges")
async def new(request: Request, id: int) -> Response:
    """The form that asks for the other idea."""
    actor = await pages.member(request)
    return await _show_new(request, actor, id, pages.Form())


@router.post("/ideas/{id:key}/merges")
async def propose(request: Request, id: int) -> Response:
    """Propose that this idea goes into another."""
    actor = await pages.member(request)
    fields = await pages.fields(request)
    chosen = fields.get("target_id", "")
    target_id = pages.number(chosen) or id
    try:
        merge_id = await pages.write(request, merges.propose, actor, id, target_id)
    except pages.MENDABLE as error:
        form = pages.refused(request, actor, error, fields)
        return await _show_new(request, actor, id, form, status=error.status)
    return pages.back_to(f"/merges/{merge_id}")


@router.get("/merges/{id:key}")
async def show(request: Request, id: int) -> Response:
    """A merge: what goes where, what it means for support, and what one may do about it."""
    actor = await pages.member(request)
    merge = await pages.read(request, merges.find, actor, id)
    mine = await pages.read(request, support.mine, actor, merge.challenge_id)
    return pages.show(
        request,
        actor,
        "merges/show.html",
        subject=merge,
        merge=merge,
        objections=await pages.read(request, merges.objections, actor, merge),
        may_decide=may(actor, Permission.DECIDE_MERGE, merge),
        may_object=merge.source_id in mine and may(actor, Permission.OBJECT_TO_MERGE, merge),
        may_undo=may(actor, Permission.UNDO_MERGE, merge),
    )


@router.post("/merges/{id:key}/acceptance")
async def accept(request: Request, id: int) -> Response:
    """Consent to a merge."""
    actor = await pages.member(request)
    await pages.write(request, merges.accept, actor, id)
    return pages.back_to(f"/merges/{id}")


@router.post("/merges/{id:key}/refusal")
async def decline(request: Request, id: int) -> Response:
    """Refuse consent."""
    actor = await pages.member(request)
    await pages.write(request, merges.decline, actor, id)
    return pages.back_to(f"/merges/{id}")


@router.post("/merges/{id:key}/objection")
async def object_to(request: Request, id: int) -> Response:
    """Take one's support out of the united idea."""
    actor = await pages.member(request)
    fields = await pages.fields(request)
    await pages.write(request, merges.object_to, actor, id, reason=fields.get("reason", ""))
    return pages.back_to(f"/merges/{id}")


@router.post("/merges/{id:key}/undoing")
async def undo(request: Request, id: int) -> Response:
    """Part the two ideas again."""
    actor = await pages.member(request)
    await pages.write(request, merges.undo, actor, id)
    return pages.back_to(f"/merges/{id}")


async def _show_new(request: Request, actor: Any, idea_id: int, form: Any, *, status: int = 200) -> Response:
    view = await pages.read(request, ideas.find, actor, idea_id)
    require(actor, Permission.PROPOSE_MERGE, view)
    found = await pages.read(request, merges.candidates, view.challenge, idea_id)
    return pages.show(
        request, actor, "merges/new.html", status=status, subject=view, idea=view, candidates=found, form=form
    )
