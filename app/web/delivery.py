"""The last step of an answer: packed for the way, and given again from memory while nothing has changed.

A page may be kept that says so (`keep_until` in the request's state). It is given again to the same browser, for the
same address, as long as no commit of any process has changed the database since it was begun: SQLite counts those
for us. PostgreSQL does not, so that there each page is made anew, and only its bytes are spared where they are known.
"""

import time
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.database import Database
from app.web import compression

Headers = list[tuple[bytes, bytes]]
Key = tuple[bytes | None, ...]

KEEP_UNTIL: Final = "keep_until"
"""In a request's state: the instant, by the monotonic clock, until which its answer may be given again."""

MOST_BYTES: Final = 32 * 1024 * 1024
"""All kept bodies of one process together."""

_DECISIVE: Final = (b"cookie", b"accept-language", b"accept-encoding", b"hx-request-type", b"authorization")
"""Headers that an answer may depend on."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer that is right as long as the database is at `generation`, and until `until`.

    `route` is what made it, for the measurements.
    """

    generation: int
    until: float
    route: object
    etag: bytes
    headers: Headers
    not_modified: Headers
    body: bytes


class Delivery:
    """The layer between the gateway and the application."""

    def __init__(self, app: ASGIApp, database: Database) -> None:
        self.app = app
        self._database = database
        self._kept: OrderedDict[Key, Kept] = OrderedDict()
        self._bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; ASGI."""
        if scope["type"] != "http" or scope["path"].startswith("/static/"):
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        key: Key | None = None
        generation: int | None = None
        if scope["method"] == "GET" and b"cookie" in headers:
            key = (scope.get("raw_path"), scope["query_string"], *(headers.get(name) for name in _DECISIVE))
            generation = self._database.generation()
            kept = self._kept.get(key)
            if kept is not None and kept.generation == generation and time.monotonic() < kept.until:
                scope["route"] = kept.route
                await _give(kept, headers.get(b"if-none-match"), send)
                return
        await self.app(scope, receive, _Packer(self, scope, headers, send, key=key, generation=generation))

    def keep(self, key: Key, kept: Kept) -> None:
        """Remember an answer, and forget those that were not asked for the longest time."""
        old = self._kept.pop(key, None)
        if old is not None:
            self._bytes -= len(old.body)
        self._kept[key] = kept
        self._bytes += len(kept.body)
        while self._bytes > MOST_BYTES:
            _, oldest = self._kept.popitem(last=False)
            self._bytes -= len(oldest.body)


class _Packer:
    """The way out of one answer. What comes in one piece is packed; what streams goes through as it is."""

    __slots__ = ("delivery", "generation", "headers", "key", "scope", "send", "start")

    def __init__(
        self,
        delivery: Delivery,
        scope: Scope,
        headers: dict[bytes, bytes],
        send: Send,
        *,
        key: Key | None,
        generation: int | None,
    ) -> None:
        self.delivery = delivery
        self.scope = scope
        self.headers = headers
        self.key = key
        self.generation = generation
        self.send = send
        self.start: Message | None = None

    async def __call__(self, message: Message) -> None:
        """Pass one message on; ASGI."""
        if message["type"] == "http.response.start":
            self.start = message
            return
        start, self.start = self.start, None
        if start is None or message.get("more_body"):
            if start is not None:
                await self.send(start)
            await self.send(message)
            return
        await self._whole(start, message)

    async def _whole(self, start: Message, message: Message) -> None:
        body: bytes = message.get("body", b"")
        found = dict(start["headers"])
        if (
            b"content-encoding" in found
            or b"no-transform" in found.get(b"cache-control", b"")
            or not compression.is_worth_it(found.get(b"content-type", b""), len(body))
        ):
            await self.send(start)
            await self.send(message)
            return
        coding = compression.coding(self.headers.get(b"accept-encoding", b""))
        until = self.scope["state"].get(KEEP_UNTIL) if start["status"] == 200 else None
        headers = [pair for pair in start["headers"] if pair[0] not in (b"content-length", b"vary")]
        headers.append((b"vary", _varied(found.get(b"vary", b""))))
        if until is None:
            packed = compression.packed(body, coding)
            await self.send({**start, "headers": _for_body(headers, coding, packed)})
            await self.send({"type": "http.response.body", "body": packed})
            return
        await self._kept(headers, body, coding, until)

    async def _kept(self, headers: Headers, body: bytes, coding: bytes, until: float) -> None:
        etag = b'W/"%s"' % blake2b(body, digest_size=12).hexdigest().encode()
        headers.append((b"etag", etag))
        packed = compression.packed(body, coding, hard=self.generation is not None)
        kept = Kept(
            generation=self.generation or 0,
            until=until,
            route=self.scope.get("route"),
            etag=etag,
            headers=_for_body(headers, coding, packed),
            not_modified=[pair for pair in headers if pair[0] != b"content-type"],
            body=packed,
        )
        if self.key is not None and self.generation is not None:
            self.delivery.keep(self.key, kept)
        await _give(kept, self.headers.get(b"if-none-match"), self.send)


async def _give(kept: Kept, known: bytes | None, send: Send) -> None:
    """A kept answer, or to a reader who has it already the word that it still holds."""
    if known is not None and kept.etag in known:
        await send({"type": "http.response.start", "status": 304, "headers": kept.not_modified.copy()})
        await send({"type": "http.response.body", "body": b""})
        return
    await send({"type": "http.response.start", "status": 200, "headers": kept.headers.copy()})
    await send({"type": "http.response.body", "body": kept.body})


def _for_body(headers: Iterable[tuple[bytes, bytes]], coding: bytes, body: bytes) -> Headers:
    lines = [*headers, (b"content-length", b"%d" % len(body))]
    if coding:
        lines.append((b"content-encoding", coding))
    return lines


def _varied(vary: bytes) -> bytes:
    return vary + b", Accept-Encoding" if vary else b"Accept-Encoding"
