"""What identity providers call: our public keys, and their word that a session there is over."""

from typing import Final

from fastapi import APIRouter
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from app.errors import DomainError
from app.integrations.oidc_failures import Distrusted
from app.services import logouts
from app.web import limits, pages, problems

router = APIRouter(include_in_schema=False)

KEYS_FRESH_S: Final = 300

_NO_STORE: Final = {"Cache-Control": "no-cache, no-store"}
_EMPTY: Final = "<!doctype html><title>·</title>"


@router.get("/sign-in/{provider}/keys.json")
async def show_keys(request: Request, provider: str) -> Response:
    """The public halves of our keys for a provider."""
    document = pages.context_of(request).providers.find(provider).published_keys()
    return JSONResponse(document, headers={"Cache-Control": f"public, max-age={KEYS_FRESH_S}"})


@router.get("/sign-in/{provider}/front-channel-logout")
async def end_by_frame(request: Request, provider: str) -> Response:
    """A page within the provider's own, in a browser that has just signed out there."""
    await pages.context_of(request).limiter.hold_address(request, limits.DEFAULT)
    there = pages.context_of(request).providers.find(provider)
    told = request.query_params
    issuer, sid = told.get("iss", ""), told.get("sid", "")
    ended = await pages.write(request, logouts.by_frame, there.settings, issuer=issuer, sid=sid)
    if not ended:
        await pages.write(request, logouts.refuse, Distrusted("logout_unknown"), provider=provider)
    return HTMLResponse(_EMPTY, headers=_NO_STORE)


@router.post("/sign-in/{provider}/back-channel-logout")
async def end_by_notice(request: Request, provider: str) -> Response:
    """A signed notice from the provider itself, that a session or all of a person's there are over."""
    await pages.context_of(request).limiter.hold_address(request, limits.DEFAULT)
    there = pages.context_of(request).providers.find(provider)
    try:
        notice = await there.notice((await pages.fields(request)).get("logout_token", ""))
        await pages.write(request, logouts.by_notice, notice)
    except DomainError as error:
        await pages.write(request, logouts.refuse, error, provider=provider)
        return _not_taken(error)
    return Response(status_code=200, headers=_NO_STORE)


def _not_taken(error: DomainError) -> Response:
    """A problem document that is OAuth's kind of error too, as the specification has it: always 400."""
    body = {
        "type": "about:blank",
        "title": "The logout token was not taken",
        "status": 400,
        "error": "invalid_request",
        "error_description": getattr(error, "reason", error.code),
    }
    return Response(to_json(body), 400, headers=_NO_STORE, media_type=problems.MEDIA_TYPE)
