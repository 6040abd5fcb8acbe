"""Failures as answers: a problem document (RFC 9457) for programs, a page with a way out for people."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic_core import to_json
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Match

from app.errors import DomainError, FieldError, Invalid, NotFound, NotSignedIn
from app.lib import i18n
from app.lib.days import Span
from app.lib.i18n import N_
from app.policies.actor import ANONYMOUS, Actor
from app.web import csrf, identity, languages
from app.web.metrics import route_of
from app.web.templating import translations
from app.web.validation import InvalidParameter, field_errors

log = structlog.get_logger(__name__)

NAMES: Final = "names"
"""In a request's state: the names of the fields that its body may have, for those who point to them."""

API: Final = ("/api/", "/oauth/", "/scim/", "/.well-known/")
"""Where programs call: they get documents, and people pages."""

MEDIA_TYPE: Final = "application/problem+json"

BODILESS: Final = frozenset({"GET", "HEAD", "DELETE"})
"""Methods whose requests have no body here."""

SCIM: Final = "/scim/"
SCIM_MEDIA_TYPE: Final = "application/scim+json"
SCIM_ERROR: Final = "urn:ietf:params:scim:api:messages:2.0:Error"


class BadRequest(DomainError):
    """The request cannot be read at all."""

    status = 400
    code = "bad-request"


class NotFoundHere(DomainError):
    """No page and no resource has this address."""

    status = 404
    code = "not-found"


class MethodNotAllowed(DomainError):
    """The resource is there, but not for this method."""

    status = 405
    code = "method-not-allowed"


class UnsupportedMediaType(DomainError):
    """The body is of a kind that this resource does not take."""

    status = 415
    code = "unsupported-media-type"


class KeyReused(DomainError):
    """An idempotency key that was used with another body."""

    status = 422
    code = "idempotency-key-reused"


class PreconditionRequired(DomainError):
    """A write to an existing item that does not say which version it means."""

    status = 428
    code = "precondition-required"


class InsufficientScope(DomainError):
    """A token that is for other things; `scope` is what it would need."""

    status = 403
    code = "insufficient-scope"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of problem: its name in `type`, its status, and in words what it is and when it comes."""

    code: str
    status: int
    title: str
    meaning: str


KINDS: Final = {
    kind.code: kind
    for kind in (
        Kind(
            "bad-request",
            400,
            N_("The request cannot be read"),
            N_("The body is not JSON, or a header is wrong."),
        ),
        Kind(
            "not-signed-in",
            401,
            N_("Please sign in first"),
            N_("There is no access token, or none that holds."),
        ),
        Kind(
            "not-allowed",
            403,
            N_("This is not open to you"),
            N_("Your role in the programme does not allow this."),
        ),
        Kind(
            "fresh-sign-in-needed",
            403,
            N_("Please sign in once more"),
            N_(
                "This needs a fresh sign-in; by the API, a token with the scope admin. "
                "What would outlive a token takes the page."
            ),
        ),
        Kind(
            "insufficient-scope", 403, N_("The token is for other things"), N_("The token lacks the scope.")
        ),
        Kind(
            "not-found",
            404,
            N_("There is nothing here"),
            N_("There is no such thing, or it is not open to you."),
        ),
        Kind(
            "method-not-allowed", 405, N_("This cannot be done here"), N_("The resource has no such method.")
        ),
        Kind(
            "conflict",
            409,
            N_("This does not fit now"),
            N_("The present state forbids it, such as the phase."),
        ),
        Kind("gone", 410, N_("This is no longer here"), N_("It was here and was taken away.")),
        Kind(
            "version-moved-on",
            412,
            N_("Someone was faster"),
            N_("The item has changed since the version in If-Match. Read it again, then decide."),
        ),
        Kind("too-large", 413, N_("This is too large"), N_("The body is larger than this resource takes.")),
        Kind(
            "address-too-long",
            414,
            N_("This address is too long"),
            N_("Path and query are longer than 8 kB."),
        ),
        Kind(
            "unsupported-media-type",
            415,
            N_("This kind of body is not taken"),
            N_("Send JSON in UTF-8 as application/json, and the file of an import as what it is."),
        ),
        Kind(
            "invalid",
            422,
            N_("Something needs mending"),
            N_("The input cannot be taken; the list of errors says which part and why."),
        ),
        Kind(
            "idempotency-key-reused",
            422,
            N_("This key was used for something else"),
            N_("The Idempotency-Key came with another request before. Take a new one."),
        ),
        Kind(
            "precondition-required",
            428,
            N_("Please say which version you mean"),
            N_("A write to an existing item carries the ETag that it read, in If-Match."),
        ),
        Kind(
            "too-many-requests",
            429,
            N_("Too many requests"),
            N_("Come back after the seconds in Retry-After."),
        ),
        Kind(
            "head-too-large", 431, N_("This is too large"), N_("Address and headers are larger than 32 kB.")
        ),
        Kind(
            "internal",
            500,
            N_("Something went wrong on our side"),
            N_("The failure is logged and is ours to mend."),
        ),
        Kind(
            "unavailable",
            503,
            N_("Please try again in a moment"),
            N_("Something needed does not answer now."),
        ),
    )
}
"""Every kind of problem there is. The codes are part of the API: they may be added to, never renamed."""


def install(app: FastAPI) -> None:
    """Answer every failure of `app` here, and nowhere else."""
    for kind in (DomainError, RequestValidationError, HTTPException, Exception):
        app.add_exception_handler(kind, answer)


async def answer(request: Request, error: Exception) -> Response:
    """The answer to a failure, in the language of who asks; what they sent is never repeated in it."""
    named = _named(error)
    if named.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.error("request_failed", problem=named.code, error=type(error).__name__)
    elif named.status == HTTPStatus.FORBIDDEN:
        _note_refusal(request, named)
    headers = _headers(request, named)
    if request.url.path.startswith(SCIM):
        return Response(_scim(request, named), named.status, headers, SCIM_MEDIA_TYPE)
    if request.url.path.startswith(API):
        return Response(document(request, named), named.status, headers, MEDIA_TYPE)
    return _page(request, named, headers)


def _note_refusal(request: Request, error: DomainError) -> None:
    """Tell the log who was refused what: by ids and by the route, never by name or address."""
    actor: Actor = request.scope.get("state", {}).get("actor", ANONYMOUS)
    log.info(
        "refused",
        problem=error.code,
        method=request.method,
        route=route_of(request.scope),
        person_id=actor.person_id,
        client_id=actor.client_id,
    )


def document(request: Request, error: DomainError) -> bytes:
    """The problem document of a failure."""
    language = languages.of(request)
    fields: dict[str, Any] = {
        "type": type_of(request, error.code),
        "title": said(language, KINDS[error.code].title),
        "status": error.status,
        "detail": said(language, error.message, error.values),
    }
    if request_id := request.scope.get("state", {}).get("request_id"):
        fields["request_id"] = request_id
    if isinstance(error, Invalid):
        place = error.place if isinstance(error, InvalidParameter) else _place(request)
        errors = [_as_sent(request, wrong) for wrong in error.errors] if place == "body" else error.errors
        fields["errors"] = [_told(language, place, wrong) for wrong in errors]
    return to_json(fields)


def _place(request: Request) -> str:
    """Where what a service finds wrong stands: a request that carries no body has said all of it in its address."""
    return "query" if request.method in BODILESS else "body"


def _as_sent(request: Request, wrong: FieldError) -> FieldError:
    """What is wrong, by the name that the body has for it: `person`, where services and forms say `person_id`."""
    names = request.scope.get("state", {}).get(NAMES, ())
    name, slash, rest = wrong.field.partition("/")
    plain = name.removesuffix("_id")
    return replace(wrong, field=plain + slash + rest) if name not in names and plain in names else wrong


def _scim(request: Request, error: DomainError) -> bytes:
    """A failure as SCIM has it (RFC 7644, 3.12)."""
    told = said(languages.of(request), error.message, error.values)
    return to_json({"schemas": [SCIM_ERROR], "status": str(error.status), "detail": told})


def type_of(request: Request, code: str) -> str:
    """The address that names a kind of problem, and says more about it."""
    return f"{request.app.state.context.settings.base_url}/api/v1/problems/{code}"


def kind(request: Request, code: str) -> dict[str, Any]:
    """What there is to say of a kind of problem."""
    known, language = KINDS[code], languages.of(request)
    return {
        "type": type_of(request, code),
        "title": said(language, known.title),
        "status": known.status,
        "meaning": said(language, known.meaning),
    }


def _told(language: str, place: str, wrong: FieldError) -> dict[str, str]:
    pointer = f"/{wrong.field}" if wrong.field else ""
    return {"in": place, "pointer": pointer, "reason": said(language, wrong.message, dict(wrong.values))}


def _named(error: Exception) -> DomainError:
    """Any failure by one of our names."""
    if isinstance(error, DomainError):
        return error
    if isinstance(error, RequestValidationError):
        return _refused(error)
    if isinstance(error, HTTPException):
        return _from_framework(error)
    return DomainError(N_("This is our fault, and it is logged. Please try again later."))


def _refused(error: RequestValidationError) -> DomainError:
    """What the framework found wrong with an address: in its path there is nothing, in its query there is a mistake."""
    errors = error.errors()
    if any(found["loc"][0] == "path" for found in errors):
        return NotFound(N_("There is no such page, or it is not open to you."))
    return InvalidParameter(str(errors[0]["loc"][0]), *field_errors(errors, skip=1))


def _from_framework(error: HTTPException) -> DomainError:
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        return MethodNotAllowed(N_("This address does not take that method."))
    if error.status_code == HTTPStatus.NOT_FOUND:
        return NotFoundHere(N_("There is no such page, or it is not open to you."))
    if error.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
        return BadRequest(N_("The request cannot be read."))
    return DomainError(N_("This is our fault, and it is logged. Please try again later."))


def _headers(request: Request, error: DomainError) -> dict[str, str]:
    headers = {"Cache-Control": "no-store"}
    if isinstance(error, MethodNotAllowed):
        headers["Allow"] = ", ".join(sorted(_methods(request)))
    retry_after_s = getattr(error, "retry_after_s", None)
    if retry_after_s is not None:
        headers["Retry-After"] = str(retry_after_s)
    if isinstance(error, NotSignedIn) and request.url.path.startswith(API):
        wrong = ', error="invalid_token"' if "authorization" in request.headers else ""
        headers["WWW-Authenticate"] = f'Bearer realm="api"{wrong}'
    if isinstance(error, InsufficientScope):
        headers["WWW-Authenticate"] = (
            f'Bearer realm="api", error="insufficient_scope", scope="{error.values["scope"]}"'
        )
    return headers


def _page(request: Request, error: DomainError, headers: Mapping[str, str]) -> Response:
    """A page that says what went wrong; who only has to sign in is led there and back."""
    if isinstance(error, NotSignedIn) and _is_visit(request):
        here = quote(request.url.path + (f"?{request.url.query}" if request.url.query else ""))
        return RedirectResponse(f"/sign-in?next={here}", 303, dict(headers))
    language = languages.of(request)
    context = request.app.state.context
    html = context.templates.render(
        language,
        "errors/show.html",
        request=request,
        path=request.url.path if request.method == "GET" else "/",
        actor=request.scope.get("state", {}).get("actor", ANONYMOUS),
        csrf=csrf.csrf_token(identity.secret_of(request)),
        contact=context.settings.contact,
        is_demo=context.settings.environment == "demo",
        status=error.status,
        code=error.code,
        title=said(language, KINDS[error.code].title),
        detail=said(language, error.message, error.values),
        request_id=request.scope.get("state", {}).get("request_id"),
    )
    return HTMLResponse(html, error.status, dict(headers))


def _methods(request: Request) -> set[str]:
    """The methods that the address takes, whichever endpoints serve them."""
    matching = (route for route in request.app.routes if route.matches(request.scope)[0] is not Match.NONE)
    return {method for route in matching for method in getattr(route, "methods", None) or ()}


def _is_visit(request: Request) -> bool:
    """Whether a browser opens a page, and not a script a part of one."""
    return request.method in ("GET", "HEAD") and "hx-request" not in request.headers


def said(language: str, message: str, values: Mapping[str, Any] | None = None) -> str:
    """A msgid in `language`, filled with `values`."""
    translated = translations(language).gettext(message)
    if not values:
        return translated
    return translated % {name: _written(language, value) for name, value in values.items()}


def _written(language: str, value: Any) -> Any:
    """A value as people read it in a sentence: days, and lists of what belongs together."""
    if isinstance(value, Span):
        return i18n.days(value.first_day, value.last_day, language)
    if isinstance(value, date) and not isinstance(value, datetime):
        return i18n.date_of(value, language)
    if isinstance(value, list | tuple):
        between = "; " if isinstance(value, list) else ", "
        return between.join(str(_written(language, each)) for each in value)
    return value
