"""OAuth 2.0 for machines: a token for a client's credentials, a token given back, and what we say of ourselves."""

from collections.abc import Collection

from fastapi import APIRouter
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from app.services import client_tokens
from app.services.client_tokens import Refused
from app.web import oauth, pages

router = APIRouter(include_in_schema=False)


@router.post("/oauth/token")
@oauth.answering
async def token(request: Request) -> Response:
    """A token for a client that has proved itself (RFC 6749, 4.4)."""
    form = await oauth.fields(request)
    _require(form, "grant_type")
    if form["grant_type"] != "client_credentials":
        raise Refused("unsupported_grant_type", "There are client credentials alone.")
    if "resource" in form:
        raise Refused("invalid_target", "There is one resource here, and it is not named.")
    client = await oauth.proved(request, form)
    issued = await pages.write(request, client_tokens.issue, client, form.get("scope"))
    return oauth.given(
        {
            "access_token": issued.token,
            "token_type": "Bearer",
            "expires_in": issued.life_s,
            "scope": " ".join(issued.scopes),
        }
    )


@router.post("/oauth/revoke")
@oauth.answering
async def revoke(request: Request) -> Response:
    """End a token of the client's own (RFC 7009); whatever else was sent, the answer is the same."""
    form = await oauth.fields(request)
    client = await oauth.proved(request, form)
    _require(form, "token")
    await pages.write(request, client_tokens.revoke, client, form["token"])
    return Response(b"", 200, oauth.NO_STORE)


@router.get("/.well-known/oauth-authorization-server")
async def metadata(request: Request) -> Response:
    """What we offer as an authorization server (RFC 8414)."""
    base_url = pages.context_of(request).settings.base_url
    return Response(to_json(client_tokens.metadata(base_url)), 200, _KEPT, "application/json")


@router.get("/.well-known/oauth-protected-resource/api/v1")
async def resource(request: Request) -> Response:
    """What the API says of itself as a resource (RFC 9728)."""
    base_url = pages.context_of(request).settings.base_url
    told = {
        "resource": f"{base_url}/api/v1",
        "authorization_servers": [base_url],
        "scopes_supported": ["read", "write", "vote", "book", "admin"],
        "bearer_methods_supported": ["header"],
        "resource_documentation": f"{base_url}/api/v1/docs",
    }
    return Response(to_json(told), 200, _KEPT, "application/json")


_KEPT = {"Cache-Control": "public, max-age=300"}


def _require(form: Collection[str], name: str) -> None:
    if name not in form:
        raise Refused("invalid_request", f"{name} is missing.")
