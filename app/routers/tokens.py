"""One's own access tokens: made, shown once, revoked."""

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.policies.actor import Actor
from app.services import tokens
from app.web import pages

router = APIRouter(include_in_schema=False)


@router.get("/me/tokens")
async def index(request: Request) -> Response:
    """The reader's tokens, and the form for another."""
    return await _show(request, await pages.member(request))


@router.post("/me/tokens")
async def create_token(request: Request) -> Response:
    """Make a token; it is shown once, on the page that answers."""
    actor = await pages.member(request)
    values = await pages.fields_and_lists(request, "scopes")
    try:
        made = await pages.write(
            request,
            tokens.create,
            actor,
            name=values.get("name", ""),
            scopes=values["scopes"],
            days=pages.number(values.get("days", "")) or 0,
            **_place(values.get("place", "")),
        )
    except pages.MENDABLE as error:
        form_again = pages.refused(request, actor, error, values)
        return await _show(request, actor, form=form_again, status=error.status)
    return await _show(request, actor, new_token=made, status=201)


@router.post("/me/tokens/{id:key}/revocation")
async def revoke_token(request: Request, id: int) -> Response:
    """End a token at once."""
    actor = await pages.member(request)
    await pages.write(request, tokens.revoke, actor, id)
    return pages.back_to("/me/tokens")


def _place(chosen: str) -> dict[str, int | None]:
    """Where a token is good alone: `programme-3` or `organisation-7` of the form's list, else everywhere."""
    kind, _, id = chosen.partition("-")
    return {f"{kind}_id": pages.number(id) or 0} if kind in ("programme", "organisation") else {}


async def _show(request: Request, actor: Actor, *, status: int = 200, **values: Any) -> Response:
    return pages.show(
        request,
        actor,
        "me/tokens.html",
        status=status,
        tokens=await pages.read(request, tokens.of_person, actor),
        rooms=await pages.read(request, tokens.rooms, actor),
        scopes=tokens.SCOPES,
        **({"form": pages.Form({"days": "90", "scopes": ["read"]})} | values),
    )
