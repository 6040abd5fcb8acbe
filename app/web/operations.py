"""What an endpoint of the API declares of itself: its scope, its shapes, its conditions."""

import inspect
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Final, Literal, TypeVar

from fastapi import FastAPI, Path
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from app.database import Database
from app.errors import FieldError, NotSignedIn
from app.lib.i18n import N_
from app.policies.actor import ANONYMOUS, Actor
from app.schemas.base import LARGEST_ID, Taken
from app.web import identity, languages, operation_ids, refusals
from app.web.limits import Limiter
from app.web.problems import InsufficientScope
from app.web.validation import DIGITS, InvalidParameter, pointer

PREFIX: Final = "/api/v1"

FIELDS: Final = "fields"
INCLUDE: Final = "include"
"""What many operations take beside their own: which fields of an item, and what may come along."""

Scope = Literal["read", "write", "vote", "book", "admin"]
Identifier = Annotated[int, Path(ge=1, le=LARGEST_ID), DIGITS]
"""The id in an address; what is no id leads to nothing, as an id that nothing has."""

EVENT_STREAM: Final = "text/event-stream"

Endpoint = TypeVar("Endpoint", bound=Callable[..., Awaitable[Response]])


@dataclass(frozen=True, slots=True)
class Operation:
    """One call of the API.

    `scope` is None where anyone may call. `located`: the address that its `Location` has, where what it makes can be
    read. `takes` and `gives` are the shapes of the bodies; `takes_files` and
    `gives_files` are the media types of what has no shape. `conditional`: it wants `If-Match`; `weighed`: it heeds
    one. `tagged`: it gives an `ETag` and heeds `If-None-Match`. `paged`: it is a list. `whole`: it is given byte
    for byte, never in part. `keyed`: it heeds `Idempotency-Key`. `conflicts`: the state of things may forbid it.
    `gone`: what it gives is one day no more. `problems`: what else can go wrong, by its code. `tells`: headers of
    its own. `includes`: the neighbours that may come along. `name` is the one in generated clients, where the one
    that follows from method and path reads badly or is another's.
    """

    endpoint: Callable[..., Awaitable[Response]]
    method: str
    path: str
    tag: str
    summary: str
    scope: Scope | None
    status: int = 200
    located: str = ""
    takes: type[Taken] | None = None
    gives: type[BaseModel] | None = None
    takes_files: tuple[str, ...] = ()
    gives_files: tuple[str, ...] = ()
    conditional: bool = False
    weighed: bool = False
    tagged: bool = False
    paged: bool = False
    whole: bool = False
    keyed: bool = False
    conflicts: bool = False
    gone: bool = False
    problems: tuple[str, ...] = ()
    tells: tuple[str, ...] = ()
    includes: tuple[str, ...] = ()
    name: str = ""

    @property
    def id(self) -> str:
        """Its name in the API's document and in clients that are generated from it; it never changes."""
        return self.name or operation_ids.derived(self.method, self.path, listed=self.paged)

    @property
    def streams(self) -> bool:
        """Whether it gives events as they come."""
        return EVENT_STREAM in self.gives_files

    @property
    def is_sparse(self) -> bool:
        """Whether it takes `fields`."""
        is_read = self.method == "GET" and self.gives is not None
        return is_read and (self.tagged or self.paged) and not self.whole


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


def at(request: Request) -> Operation | None:
    """What the endpoint that serves this request declared; None at what is no operation of the API."""
    return _DECLARED.get(request.scope.get("endpoint"))  # type: ignore[arg-type]


def declared() -> list[Operation]:
    """Every operation, in the order of declaration."""
    return list(_DECLARED.values())


def mount(app: FastAPI, endpoints: Iterable[Callable[..., Any]]) -> None:
    """Add the endpoints to the application itself, in their order: what stands first is found first."""
    app.router.routes.extend(_route(of(endpoint)) for endpoint in endpoints)


@cache
def _route(declared: Operation) -> APIRoute:
    """The route of an operation, made once a process: it knows nothing of the application that it is in."""
    return APIRoute(
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
    :raises InvalidParameter: the address names a parameter that there is not
    """
    actor = await known(request)
    languages.of(request, actor)
    await _limiter(request).hold(request, actor)
    scope = of(request.scope["endpoint"]).scope
    if scope is not None and scope not in (actor.scopes or ()):
        raise InsufficientScope(N_("This needs a token with the scope %(scope)s."), scope=scope)
    require_known_names(request)
    return actor


def require_known_names(request: Request) -> None:
    """Raise where the address names a parameter that the operation does not have, so that a typo is not lost.

    :raises InvalidParameter: it does
    """
    if not request.scope["query_string"]:
        return
    known = _parameters(request.scope["endpoint"])
    wrong = [name for name in request.query_params if name not in known]
    if wrong:
        place = pointer((wrong[0],), unknown=True)
        message = N_("There is no parameter of this name here.")
        raise InvalidParameter("query", FieldError(place, message))


@cache
def _parameters(endpoint: Callable[..., Any]) -> frozenset[str]:
    operation = of(endpoint)
    own = set(inspect.signature(endpoint).parameters) - {"request"}
    in_path = {name for name in own if f"{{{name}}}" in operation.path}
    selections = {FIELDS} if operation.is_sparse else set()
    return frozenset(own - in_path | selections | ({INCLUDE} if operation.includes else set()))


async def known(request: Request) -> Actor:
    """Who calls; who is not known is counted by address, so that tokens cannot be guessed.

    :raises NotSignedIn: no token, or none that holds
    """
    try:
        _require_token(request)
        return await identity.required(request)
    except NotSignedIn:
        await _limiter(request).hold(request, ANONYMOUS)
        if "authorization" in request.headers:
            await refusals.token(request)
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
