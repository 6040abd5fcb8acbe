"""OAuth 2.0 at the door: what a client sends to prove itself, and errors in the form that its libraries read."""

from base64 import b64decode
from binascii import Error as NoBase64
from collections.abc import Awaitable, Callable, Mapping
from functools import wraps
from typing import Any, Final
from urllib.parse import parse_qsl, unquote_plus

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from app.errors import DomainError
from app.integrations.client_assertions import TYPE
from app.services import client_tokens
from app.services.client_tokens import Credentials, InvalidClient, Proved, Refused
from app.web import bodies, pages, refusals
from app.web.limits import DEFAULT, SIGN_IN

NO_STORE: Final = {"Cache-Control": "no-store", "Pragma": "no-cache"}
FORM: Final = "application/x-www-form-urlencoded"
MOST_FIELDS: Final = 20

Endpoint = Callable[[Request], Awaitable[Response]]


def answering(endpoint: Endpoint) -> Endpoint:
    """Let an endpoint answer failures as RFC 6749, section 5.2 has them, and write refused clients down."""

    @wraps(endpoint)
    async def answered(request: Request) -> Response:
        try:
            await pages.context_of(request).limiter.hold_address(request, DEFAULT)
            return await _noting(request, endpoint)
        except Refused as error:
            return _refusal(request, error)
        except DomainError as error:
            return _trouble(error)

    return answered


async def fields(request: Request) -> Mapping[str, str]:
    """The form that was sent; what is empty counts as left out.

    :raises Refused: it is no form, or a field stands in it twice
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != FORM:
        raise Refused("invalid_request", f"Send a form, as {FORM}.")
    try:
        sent = parse_qsl((await bodies.raw(request)).decode(), max_num_fields=MOST_FIELDS, errors="strict")
    except ValueError:
        raise Refused("invalid_request", "The form cannot be read.") from None
    found = dict(sent)
    if len(found) != len(sent):
        raise Refused("invalid_request", "A field stands twice in the form.")
    return found


async def proved(request: Request, form: Mapping[str, str]) -> Proved:
    """The client that asks, proved in exactly one way.

    :raises InvalidClient: it is none of ours, or proves nothing
    :raises Refused: it proves itself in two ways at once
    :raises TooMany: this client has asked too often
    """
    context = pages.context_of(request)
    credentials = _credentials(request, form)
    await context.limiter.take(SIGN_IN, f"client:{credentials.client_id[:60]}")
    found: Proved = await context.database.read_unbounded(
        lambda connection: client_tokens.prove(connection, credentials)
    )
    return found


def _credentials(request: Request, form: Mapping[str, str]) -> Credentials:
    basic = _basic(request.headers.get("authorization"))
    ways = [basic is not None, "client_secret" in form, "client_assertion" in form]
    if ways.count(True) > 1:
        raise Refused("invalid_request", "Prove the client in one way, not in several.")
    if basic is not None:
        if form.get("client_id", basic[0]) != basic[0]:
            raise Refused("invalid_request", "The header and the form name two clients.")
        return Credentials(*basic)
    client_id = form.get("client_id", "")
    if "client_assertion" in form:
        if form.get("client_assertion_type") != TYPE:
            raise Refused("invalid_request", f"client_assertion_type must be {TYPE}.")
        base_url = pages.context_of(request).settings.base_url
        audiences = (base_url, f"{base_url}/oauth/token")
        return Credentials(client_id, assertion=form["client_assertion"], audiences=audiences)
    if "client_secret" not in form:
        raise InvalidClient("absent")
    return Credentials(client_id, form["client_secret"])


def _basic(authorization: str | None) -> tuple[str, str] | None:
    """Id and secret of HTTP Basic, each encoded as in a form (RFC 6749, 2.3.1)."""
    if authorization is None:
        return None
    scheme, _, encoded = authorization.partition(" ")
    try:
        client_id, colon, secret = b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (NoBase64, ValueError):
        raise InvalidClient("malformed") from None
    if scheme.lower() != "basic" or not colon:
        raise InvalidClient("malformed")
    return unquote_plus(client_id), unquote_plus(secret)


async def _noting(request: Request, endpoint: Endpoint) -> Response:
    try:
        return await endpoint(request)
    except InvalidClient as error:
        await refusals.note(request, client_tokens.refuse, error)
        raise


def given(answer: Mapping[str, Any]) -> Response:
    """An answer that is kept nowhere."""
    return Response(to_json(answer), 200, NO_STORE, "application/json")


def _refusal(request: Request, error: Refused) -> Response:
    headers = dict(NO_STORE)
    if error.status == 401:
        scheme = (
            "Bearer" if request.headers.get("authorization", "").lower().startswith("bearer") else "Basic"
        )
        headers["WWW-Authenticate"] = f'{scheme} realm="oauth", error="{error.error}"'
    told = {"error": error.error, "error_description": error.message}
    return Response(to_json(told), error.status, headers, "application/json")


def _trouble(error: DomainError) -> Response:
    """What OAuth has no name for: too many requests, a body that is too large, a database that does not answer."""
    headers = dict(NO_STORE)
    retry_after_s = getattr(error, "retry_after_s", None)
    if retry_after_s is not None:
        headers["Retry-After"] = str(retry_after_s)
    name = "invalid_request" if error.status in (400, 413, 415, 422) else "temporarily_unavailable"
    told = {
        "error": name,
        "error_description": error.message % error.values if error.values else error.message,
    }
    return Response(to_json(told), error.status, headers, "application/json")
