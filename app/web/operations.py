"""What an endpoint of the API declares of itself: its scope, its shapes, its conditions."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, TypeVar

from fastapi import FastAPI, Path
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from app.database import Database
from app.errors import NotSignedIn
from app.lib.i18n import N_
from app.policies.actor import ANONYMOUS, Actor
from app.schemas.base import LARGEST_ID, Taken
from app.web import identity, languages
from app.web.limits import Limiter
from app.web.problems import InsufficientScope

PREFIX: Final = "/api/v1"

Scope = Literal["read", "write", "vote"]
Identifier = Annotated[int, Path(ge=1, le=LARGEST_ID)]
"""The id in an address; what is no id leads to nothing, as an id that nothing has."""

Endpoint = TypeVar("Endpoint", bound=Callable[..., Awaitable[Response]])


@dataclass(frozen=True, slots=True)
class Operation:
    """One call of the API.

    `scope` is None where anyone may call. `takes` and `gives` are the shapes of the bodies. `conditional`: it
    wants `If-Match`. `tagged`: it gives an `ETag` and heeds `If-None-Match`. `paged`: it is a list. `keyed`: it heeds
    `Idempotency-Key`. `conflicts`: the state of things may forbid it. `gone`: what it gives is one day no more.
    """

    endpoint: Callable[..., Awaitable[Response]]
    method: str
    path: str
    tag: str
    summary: str
    scope: Scope | None
    status: int = 200
    takes: type[Taken] | None = None
    gives: type[BaseModel] | None = None
    conditional: bool = False
    tagged: bool = False
    paged: bool = False
    keyed: bool = False
    conflicts: bool = False
    gone: bool = False


_DECLARED: Final[dict[Callable[..., Any], Operation]] = {}


def operation(
    method: str, path: str, *, tag: str, summary: str, scope: Scope | None, **declared: Any
) -> Callable[[Endpoint], Endpoint]:
    """Declare an endpoint; its docstring says in the API's document what is not obvious."""

    def declare(endpoint: Endpoint) -> Endpoint:
        _DECLARED[endpoint] = Operation(endpoint, method, path, tag, summary, scope, **declared)
        return endpoint

    return declare


def of(endpoint: Callable[..., Any]) -> Operation:
    """What an endpoint declared of itself."""
    return _DECLARED[endpoint]


def declared() -> list[Operation]:
    """Every operation, in the order of declaration."""
    return list(_DECLARED.values())


def mount(app: FastAPI, endpoints: Iterable[Callable[..., Any]]) -> None:
    """Add the endpoints to the application itself, in their order: what stands first is found first."""
    for endpoint in endpoints:
        declared = of(endpoint)
        app.add_api_route(
            PREFIX + declared.path,
            declared.endpoint,
            methods=[declared.method],
            response_model=None,
            status_code=declared.status,
            name=f"api.{declared.method.lower()}:{declared.path}",
        )


async def caller(request: Request) -> Actor:
    """Who calls, by a token that has the scope which the endpoint declared; the call is counted.

    :raises NotSignedIn: no token, or none that holds; a browser's session does not count here
    :raises InsufficientScope: the token is for other things
    :raises TooMany: more calls than the limit allows
    """
    actor = await _known(request)
    languages.of(request, actor)
    await _limiter(request).hold(request, actor)
    scope = of(request.scope["endpoint"]).scope
    if scope is not None and scope not in (actor.scopes or ()):
        raise InsufficientScope(N_("This needs a token with the scope %(scope)s."), scope=scope)
    return actor


async def _known(request: Request) -> Actor:
    """Who calls; who is not known is counted by address, so that tokens cannot be guessed."""
    try:
        _require_token(request)
        return await identity.required(request)
    except NotSignedIn:
        await _limiter(request).hold(request, ANONYMOUS)
        raise


def _require_token(request: Request) -> None:
    if "authorization" not in request.headers:
        raise NotSignedIn(N_("Please send an access token: Authorization: Bearer, then the token."))


def _limiter(request: Request) -> Limiter:
    found: Limiter = request.app.state.context.limiter
    return found


def database(request: Request) -> Database:
    """The database of the application."""
    found: Database = request.app.state.context.database
    return found


def base_url(request: Request) -> str:
    """The address of this installation, without a slash at its end."""
    return str(request.app.state.context.settings.base_url)
