"""The gateway: what every request passes on its way in, and every answer on its way out, as one ASGI layer.

In this order: it gets an id; one that is malformed, too large or forged is refused; where too many are inside
already it waits for a moment, or is told to come back. An answer leaves with the headers that keep browsers
safe; a failure that nobody caught leaves as an apology, and its cause goes to the log.
"""

import itertools
import re
import secrets
from collections.abc import Iterable
from http import cookies
from time import perf_counter
from typing import Any, Final
from urllib.parse import parse_qs, unquote_to_bytes

import structlog
from starlette.applications import Starlette
from starlette.datastructures import State
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import DomainError, NotAllowed, NotFound, TooLarge
from app.lib.i18n import N_
from app.lib.logging import request_id
from app.settings import Settings
from app.web import csrf, identity, languages, problems, uploads
from app.web.bodies import MOST_BYTES
from app.web.limits import Allowance
from app.web.metrics import Measures, route_of
from app.web.proxies import Proxies
from app.web.shedder import LEAVE, Shedder

log = structlog.get_logger(__name__)

LONGEST_ADDRESS: Final = 8 * 1024
"""Bytes of path and query together."""

SLOW_S: Final = 1.0
"""A request that takes longer leaves a line in the log."""

_UNSAFE: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_SANE_ID: Final = re.compile(r"[\w.:-]{8,80}", re.ASCII)
_OPERATIONS: Final = ("/health/", "/metrics")
_API: Final = "/api/"
_WANTED: Final = frozenset(
    {
        b"host",
        b"content-length",
        b"content-type",
        b"x-request-id",
        b"x-forwarded-for",
        b"x-forwarded-proto",
    }
)

Headers = list[tuple[bytes, bytes]]


class AddressTooLong(problems.BadRequest):
    """An address longer than any of ours."""

    status = 414
    code = "address-too-long"


class Gateway:
    """The layer around the application; `inside` are the layers in between.

    `form_targets` are origins that forms may lead to: identity providers.
    """

    def __init__(
        self,
        app: Starlette,
        *,
        settings: Settings,
        measures: Measures,
        form_targets: Iterable[str] = (),
        inside: ASGIApp | None = None,
    ) -> None:
        self.app = app
        self.inside = inside or app
        self.measures = measures
        self.shedder = Shedder(measures)
        self.hosts = frozenset(host.encode() for host in settings.hosts)
        self.base_url = settings.base_url
        self.cookie = "__Host-session" if settings.secure else "session"
        self.proxies = Proxies(settings.trusted_proxies)
        self.headers = security_headers(secure=settings.secure, form_targets=form_targets)
        self._ids = map((secrets.token_hex(6) + "-{:x}").format, itertools.count(1))

    @property
    def state(self) -> State:
        """The application's state."""
        state: State = self.app.state
        return state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request through; ASGI."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        scope["app"] = self.app
        headers, hosts = _read(scope["headers"])
        scope.setdefault("state", {})["request_id"] = request = self._identify(scope, headers)
        request_id.set(request)
        passage = _Passage(scope, send, self)
        try:
            await self._admit(scope, headers, hosts, receive, passage)
        except (DomainError, HTTPException) as error:
            await self._answer(scope, receive, passage, error)
        except Exception as error:
            log.exception("request_broke", route=route_of(scope), method=scope["method"])
            if not passage.status:
                await self._answer(scope, receive, passage, error)
            elif not passage.is_complete:
                raise  # half an answer has left: the server ends the connection, so that nobody takes it for whole
        finally:
            passage.end()

    def _identify(self, scope: Scope, headers: dict[bytes, bytes]) -> str:
        """The request's id: a trusted proxy's, else our own. What the proxy says of the client is noted as well."""
        client = scope.get("client")
        if client and self.proxies.trusts(client[0]):
            self.proxies.believe(scope, headers)
            given = headers.get(b"x-request-id", b"").decode("latin-1")
            if _SANE_ID.fullmatch(given):
                return given
        return next(self._ids)

    async def _admit(
        self, scope: Scope, headers: dict[bytes, bytes], hosts: int, receive: Receive, passage: "_Passage"
    ) -> None:
        path: str = scope["path"]
        if path.startswith(_OPERATIONS):
            await self.inside(scope, receive, passage.send)
            return
        self._check_host(headers.get(b"host", b""), hosts)
        _check_address(scope)
        method: str = scope["method"]
        if method in _UNSAFE:
            receive = await self._take_body(scope, headers, receive)
        if path.endswith("/stream"):
            await self._stream(scope, receive, passage)
            return
        if method == "HEAD":
            scope = {**scope, "method": "GET"}  # the server keeps the body back
            passage.scope = scope
        await self.shedder.enter()
        passage.is_inside = True
        scope["state"][LEAVE] = passage.step_aside
        try:
            await self.inside(scope, receive, passage.send)
        finally:
            del scope["state"][LEAVE]  # so that nothing of the request refers to itself
            passage.leave()

    async def _stream(self, scope: Scope, receive: Receive, passage: "_Passage") -> None:
        """Go straight to the route: a stream is open for hours, and each layer would keep something for it.

        The API's are few, and their route needs what the application's own layers prepare.
        """
        passage.is_stream = True
        self.measures.streams += 1
        app = self.app if scope["path"].startswith(_API) else self.app.router
        try:
            await app(scope, receive, passage.send)
        finally:
            self.measures.streams -= 1

    def _check_host(self, host: bytes, count: int) -> None:
        name = host.partition(b"]")[0][1:] if host.startswith(b"[") else host.partition(b":")[0]
        if count != 1 or name.lower() not in self.hosts:
            raise problems.BadRequest(N_("This host name is not served here."))

    async def _take_body(self, scope: Scope, headers: dict[bytes, bytes], receive: Receive) -> Receive:
        """Read the body, check it, and hand it on as if it had just come, all at once."""
        verdict = csrf.check(scope["method"], scope["headers"], self.base_url)
        if verdict is csrf.Verdict.FOREIGN:
            raise _forged()
        is_file = uploads.is_for(scope["method"], scope["path"])
        if is_file and uploads.is_large(headers.get(b"content-length", b"")):
            if verdict is csrf.Verdict.UNKNOWN:
                raise _forged()
            return uploads.counted(receive)
        body = await _whole(receive, headers.get(b"content-length", b""))
        content_type = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
        if not is_file:
            _check_text(content_type, body)  # what brings a file says itself where it is no text
        if verdict is csrf.Verdict.UNKNOWN and not self._carries_token(scope, content_type, body):
            raise _forged()
        scope["state"]["body"] = body
        return _Again(body, receive)

    def _carries_token(self, scope: Scope, content_type: bytes, body: bytes) -> bool:
        """Whether a form without any word on its origin carries the token of its session, if it has one."""
        secret = _cookie(scope["headers"], self.cookie)
        if not secret:
            return True
        if content_type != b"application/x-www-form-urlencoded":
            return False
        return csrf.matches(secret, parse_qs(body.decode()).get(csrf.FIELD, [""])[0])

    async def _answer(self, scope: Scope, receive: Receive, passage: "_Passage", error: Exception) -> None:
        languages.of(Request(scope))
        try:
            response: Response = await problems.answer(Request(scope), error)
        except Exception:
            log.exception("apology_broke")
            response = PlainTextResponse("Something went wrong on our side. It is logged.", 500)
        await response(scope, receive, passage.send)


class _Passage:
    """One answer on its way out: its status, and when its request came in."""

    __slots__ = ("_gateway", "_send", "_since", "is_complete", "is_inside", "is_stream", "scope", "status")

    def __init__(self, scope: Scope, send: Send, gateway: Gateway) -> None:
        self.scope = scope
        self.status = 0
        self.is_complete = False
        self.is_inside = False
        self.is_stream = False
        self._gateway = gateway
        self._send = send
        self._since = perf_counter()

    async def send(self, message: Message) -> None:
        """Send on, with our headers on the first message."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message = {**message, "headers": self._with_ours(message.get("headers", []))}
        elif not message.get("more_body"):
            self.is_complete = True
        await self._send(message)

    def leave(self) -> None:
        """Give the place inside to another; once."""
        if self.is_inside:
            self.is_inside = False
            self._gateway.shedder.leave()

    def step_aside(self) -> None:
        """Leave before the end, to go on as a stream does: it may last long, and nobody waits for it."""
        self.is_stream = True
        self.leave()

    def end(self) -> None:
        """Count the request, and tell the log if it was slow."""
        seconds = perf_counter() - self._since
        route, method = route_of(self.scope), self.scope["method"]
        self._gateway.measures.note(route, method, self.status, 0.0 if self.is_stream else seconds)
        if seconds > SLOW_S and not self.is_stream:
            log.warning(
                "request_slow", route=route, method=method, status=self.status, seconds=round(seconds, 3)
            )

    def _with_ours(self, headers: Iterable[tuple[bytes, bytes]]) -> Headers:
        """The answer's headers and ours; where it brings its own policies or caching rule, these stay.

        "Not modified" says only what may have become another: the policy, so that a stricter one reaches pages
        that browsers have kept. The other headers stay with the page that they came with.
        """
        own = list(headers)
        state: dict[str, Any] = self.scope["state"]
        own.append((b"x-request-id", state["request_id"].encode()))
        if identity.COOKIE in state:
            own.append((b"set-cookie", state[identity.COOKIE]))
        allowance: Allowance | None = state.get("allowance")
        if allowance is not None:
            own += allowance.headers()
        brought = {name for name, _ in own}
        general, policy = self._gateway.headers
        if policy[0] not in brought:
            own.append(policy)
        if self.status == 304:
            return own
        own += [header for header in general if header[0] not in brought]
        if b"cache-control" not in brought:
            own.append((b"cache-control", b"no-store"))
        return own


class _Again:
    """A body that was read, as ASGI's `receive`: first the body, then whatever comes."""

    __slots__ = ("_body", "_receive")

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._body: bytes | None = body
        self._receive = receive

    async def __call__(self) -> Message:
        body, self._body = self._body, None
        if body is None:
            return await self._receive()
        return {"type": "http.request", "body": body, "more_body": False}


def security_headers(
    *, secure: bool, form_targets: Iterable[str] = ()
) -> tuple[Headers, tuple[bytes, bytes]]:
    """The headers of every answer, and the content security policy, which a page may replace by its own."""
    targets = " ".join(["'self'", *sorted(form_targets)])
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        f"connect-src 'self'; manifest-src 'self'; form-action {targets}; base-uri 'none'; "
        "frame-ancestors 'none'; object-src 'none'; require-trusted-types-for 'script'; trusted-types htmx"
    )
    general = [
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"same-origin"),
        (b"x-frame-options", b"DENY"),
        (b"cross-origin-opener-policy", b"same-origin"),
        (b"cross-origin-resource-policy", b"same-origin"),
        (
            b"permissions-policy",
            b"camera=(), microphone=(), geolocation=(), payment=(), usb=(), browsing-topics=()",
        ),
    ]
    if secure:
        general.append((b"strict-transport-security", b"max-age=31536000; includeSubDomains"))
    return general, (b"content-security-policy", policy.encode())


def _read(headers: Iterable[tuple[bytes, bytes]]) -> tuple[dict[bytes, bytes], int]:
    """The headers that count here, repeated ones joined as HTTP allows, and how often `Host` came."""
    found: dict[bytes, bytes] = {}
    hosts = 0
    for name, value in headers:
        if name in _WANTED:
            found[name] = found[name] + b", " + value if name in found else value
            hosts += name == b"host"
    return found, hosts


def _check_address(scope: Scope) -> None:
    query: bytes = scope["query_string"]
    if len(query) + len(scope.get("raw_path") or b"") > LONGEST_ADDRESS:
        raise AddressTooLong(N_("This address is too long."))
    if b"%" in query and not _is_text(unquote_to_bytes(query)):
        raise problems.BadRequest(N_("The address is not valid UTF-8."))
    # No text of ours holds a NUL, and PostgreSQL takes none that does.
    if "\0" in scope["path"]:
        raise NotFound(N_("There is no such page, or it is not open to you."))
    if b"%00" in query:
        raise problems.BadRequest(N_("The address holds a character that cannot be in one."))


async def _whole(receive: Receive, declared: bytes) -> bytes:
    """The whole body.

    :raises TooLarge: by what it declares, or by what has come
    """
    if declared and not (declared.isdigit() and int(declared) <= MOST_BYTES):
        raise _too_large()
    message = await receive()
    body: bytes = message.get("body", b"")
    if message.get("more_body"):
        pieces = bytearray(body)
        while message.get("more_body") and len(pieces) <= MOST_BYTES:
            message = await receive()
            pieces += message.get("body", b"")
        body = bytes(pieces)
    if len(body) > MOST_BYTES:
        raise _too_large()
    if message["type"] == "http.disconnect":
        raise problems.BadRequest(N_("The request ended too early. Nothing was saved."))
    return body


def _check_text(content_type: bytes, body: bytes) -> None:
    raw = body
    if content_type == b"application/x-www-form-urlencoded" and b"%" in body:
        raw = unquote_to_bytes(body)
    if not _is_text(raw):
        raise problems.BadRequest(N_("The body is not valid UTF-8."))


def _is_text(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def _cookie(headers: Iterable[tuple[bytes, bytes]], name: str) -> str:
    for header, value in headers:
        if header == b"cookie":
            jar: cookies.SimpleCookie = cookies.SimpleCookie()
            jar.load(value.decode("latin-1"))
            if name in jar:
                return jar[name].value
    return ""


def _forged() -> NotAllowed:
    return NotAllowed(
        N_(
            "This did not come from a page of ours, so nothing was done. Please open the page again and retry."
        )
    )


def _too_large() -> TooLarge:
    return TooLarge(N_("The body is larger than %(most)s kB."), most=MOST_BYTES // 1024)
