"""Who asks: from the session's cookie or a bearer token to an `Actor`, with one select a request."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

import structlog
from starlette.requests import HTTPConnection
from starlette.responses import Response

from app.database import Database, Transaction
from app.errors import NotSignedIn, Unavailable
from app.lib.i18n import N_
from app.policies.actor import ANONYMOUS, Actor
from app.services import sessions, tokens

log = structlog.get_logger(__name__)

_TOUCHING: set[asyncio.Task[None]] = set()
_TOUCHED: set[tuple[str, int]] = set()
_LONGEST_SECRET: Final = 200
_API: Final = ("/api/", "/scim/")
_STREAM: Final = "/stream"

COOKIE: Final = "cookie"
"""In a request's state: the `Set-Cookie` that its answer brings, whatever answer it is."""

_RENEWED: Final = "renewed"


async def actor(request: HTTPConnection) -> Actor:
    """Who asks, found once a request; `ANONYMOUS` where there is no session, or none that holds.

    Pages know people by their session alone, and the API by a token alone: so a token never does what its
    scopes do not allow, and no other site can call the API with a reader's cookie.

    :raises NotSignedIn: to the API came a token that does not hold
    """
    state = request.scope.setdefault("state", {})
    if "actor" not in state:
        state["actor"] = await _found(request)
    found: Actor = state["actor"]
    return found


async def required(request: HTTPConnection) -> Actor:
    """Who asks.

    :raises NotSignedIn: nobody that we know
    """
    found = await actor(request)
    if not found.is_known:
        raise NotSignedIn(N_("Please sign in first."))
    return found


def secret_of(request: HTTPConnection) -> str:
    """The secret in the session's cookie, or an empty text: for the CSRF token and for signing out."""
    return request.scope["state"].get(_RENEWED) or _cookie(request, cookie_name(request))


def cookie_name(request: HTTPConnection) -> str:
    """The name of the session's cookie: with `__Host-`, which pins it to this host, on https."""
    return "__Host-session" if request.app.state.context.settings.secure else "session"


def keep(request: HTTPConnection, response: Response, secret: str) -> None:
    """Have the browser keep the session's secret, out of reach of scripts and of other sites' requests."""
    request.scope["state"].pop(COOKIE, None)  # there is one session's cookie, and the last word on it counts
    response.set_cookie(
        cookie_name(request),
        secret,
        max_age=int(sessions.LONGEST.total_seconds()),
        path="/",
        secure=request.app.state.context.settings.secure,
        httponly=True,
        samesite="lax",
    )


def forget(request: HTTPConnection, response: Response) -> None:
    """Have the browser forget the session's secret."""
    request.scope["state"].pop(COOKIE, None)
    response.delete_cookie(
        cookie_name(request),
        path="/",
        secure=request.app.state.context.settings.secure,
        httponly=True,
        samesite="lax",
    )


async def _found(request: HTTPConnection) -> Actor:
    database: Database = request.app.state.context.database
    if request.scope["path"].startswith(_API):
        authorization = request.headers.get("authorization")
        return ANONYMOUS if authorization is None else await _by_token(database, authorization)
    secret = secret_of(request)
    if not secret:
        return ANONYMOUS
    found = await database.read(lambda connection: sessions.find(connection, secret))
    if found.refused_id is not None:
        _touch_later(database, "refused", found.refused_id, sessions.note_refused)
    session_id = found.actor.session_id
    if session_id is not None:
        if found.is_stale:
            _touch_later(database, "session", session_id, sessions.touch)
        if found.is_rotation_due and not request.scope["path"].endswith(_STREAM):
            await _rotate(request, database, session_id, secret)
    return found.actor


async def _rotate(request: HTTPConnection, database: Database, session_id: int, secret: str) -> None:
    """Change the cookie's secret; where the database cannot, the next page will."""
    try:
        renewed = await database.write(lambda tx: sessions.rotate(tx, session_id, secret))
    except Unavailable:
        log.warning("cookie_not_changed")
        return
    if renewed is not None:
        carrier = Response()
        keep(request, carrier, renewed)
        request.scope["state"] |= {_RENEWED: renewed, COOKIE: carrier.headers["set-cookie"].encode()}


async def _by_token(database: Database, authorization: str) -> Actor:
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() == "bearer" and len(token) <= _LONGEST_SECRET:
        found, is_stale = await database.read(lambda connection: tokens.find(connection, token.strip()))
        if is_stale and found.token_id is not None:
            _touch_later(database, "token", found.token_id, tokens.touch)
        if found.is_known:
            return found
    raise NotSignedIn(N_("This token is not valid: it may be mistyped, expired or revoked."))


def _touch_later(database: Database, kind: str, id: int, touch: Callable[[Transaction, int], None]) -> None:
    """Write `seen_at` or `used_at` after the answer, once however many requests come meanwhile."""
    if (kind, id) in _TOUCHED:
        return
    _TOUCHED.add((kind, id))
    task = asyncio.create_task(_touch(database, kind, id, touch))
    _TOUCHING.add(task)
    task.add_done_callback(_TOUCHING.discard)


async def _touch(database: Database, kind: str, id: int, touch: Callable[[Transaction, int], Any]) -> None:
    try:
        await database.write(lambda tx: touch(tx, id))
    except Unavailable:
        log.warning("last_use_not_noted", kind=kind)
    finally:
        _TOUCHED.discard((kind, id))


def _cookie(request: HTTPConnection, name: str) -> str:
    secret = request.cookies.get(name, "")
    return secret if len(secret) <= _LONGEST_SECRET else ""
