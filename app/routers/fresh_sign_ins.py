"""Signing in once more before a step with consequences, and the form that waited meanwhile."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.lib.local_path import local_path
from app.services import fresh_sign_ins, kept_forms
from app.web import departures, identity, pages, words

router = APIRouter(include_in_schema=False)


@router.post("/me/fresh-sign-in")
async def start(request: Request) -> Response:
    """Leave for a provider that shall ask anew who is there."""
    actor = await pages.member(request)
    fields = await pages.fields(request)
    return await departures.leave(
        request,
        fields.get("provider", ""),
        next=local_path(fields.get("next")),
        fresh=True,
        purpose=fresh_sign_ins.PURPOSE,
        session_id=actor.session_id,
    )


@router.get("/me/fresh-sign-in/{id:key}")
async def show(request: Request, id: int) -> Response:
    """The form that waited: one press sends it as it was filled in."""
    actor = await pages.member(request)
    form = await pages.read(request, kept_forms.find, actor, identity.secret_of(request), id)
    told = [
        (words.KEPT_FIELDS[name], value) for name, value in form.fields if name in words.KEPT_FIELDS and value
    ]
    return pages.show(request, actor, "sign_in/kept.html", form=form, told=told)
