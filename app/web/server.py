"""The server: uvicorn with deadlines for slow senders and readers, and a quiet way to leave."""

import asyncio
import gc
import resource
import socket
import sys
from asyncio import TimerHandle
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import structlog
import uvicorn
from httptools import HttpParserInvalidMethodError
from starlette.datastructures import State
from starlette.types import ASGIApp
from uvicorn.importer import import_from_string
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from app.settings import Settings
from app.web.bodies import MOST_BYTES

log = structlog.get_logger(__name__)

HEAD_S: Final = 5.0
"""How long a request's head may take, from the first byte or from the connection."""

BODY_S: Final = 10.0
"""How long its body may take after that."""

LEAST_BYTES_PER_S: Final = 200_000
LONGEST_BODY_S: Final = 60.0
"""A body that declares to be large gets more time than `BODY_S`: as much as it takes at this pace, and no more."""

READING_S: Final = 30.0
"""How long a client may take nothing of an answer that waits for it."""

IDLE_S: Final = 75
"""How long a connection without a request stays: longer than the proxies in front keep theirs (60 s)."""

LARGEST_HEAD: Final = 32 * 1024
"""Bytes of a request's head."""

GRACE_S: Final = 10
"""How long requests may take to end when the server leaves."""

GARBAGE_AFTER: Final = 20_000
"""How many objects are made, and not yet gone, before garbage is looked for."""

_HEAD, _BODY, _NOTHING = "head", "body", ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where to serve: an address of this machine, or a socket that a parent process holds."""

    host: str
    port: int
    descriptor: int | None = None

    def sockets(self) -> list[socket.socket]:
        """The listening socket.

        :raises OSError: the port is taken, or not ours to take
        """
        if self.descriptor is not None:
            return [socket.socket(fileno=self.descriptor)]
        return [listening(self.host, self.port)]


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens.

    :raises OSError: the port is taken, or not ours to take
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    opened = socket.socket(family)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind((host, port))
        opened.listen(2048)
    except OSError:
        opened.close()
        raise
    opened.setblocking(False)
    return opened


def serve(factory: str, settings: Settings, place: Place, *, leave_s: float) -> bool:
    """Serve what `factory` (`module:function`, called with the settings) makes, until told to end.

    `leave_s` is how long, after a signal, requests are still taken while new ones are steered elsewhere.
    Says whether it ever began.

    :raises OSError: the port is taken, or not ours to take
    """
    sockets = place.sockets()
    _allow_many_connections()
    app: ASGIApp = import_from_string(factory)(settings)
    server = Server(configuration(app), leave_s=leave_s)
    _keep_what_is_here()
    with suppress(KeyboardInterrupt):
        server.run(sockets)
    return server.started


def configuration(app: ASGIApp) -> uvicorn.Config:
    """How uvicorn is used: no access log, no web sockets, no trust in proxy headers (the gateway judges those)."""
    return uvicorn.Config(
        app,
        loop="uvloop",
        http=Protocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=IDLE_S,
        timeout_graceful_shutdown=GRACE_S,
    )


class Server(uvicorn.Server):
    """A server that leaves without tearing a connection.

    After the signal `/health/ready` says that we leave, and every answer closes its connection, while requests
    are still taken. Then streams end, and what is under way is finished.
    """

    def __init__(self, config: uvicorn.Config, *, leave_s: float = 0.0) -> None:
        super().__init__(config)
        self._leave_s = leave_s

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Leave, in that order."""
        state: Any = getattr(self.config.loaded_app, "state", State())
        state.is_leaving = True
        if self._leave_s and not self.force_exit:
            self.config.encoded_headers.append((b"connection", b"close"))
            await self.on_tick(0)
            await self._wait_and_serve()
        if hasattr(state, "context"):
            state.context.streams.close_all()
            state.context.followers.close_all()
        await super().shutdown(sockets)

    async def _wait_and_serve(self) -> None:
        ends = asyncio.get_running_loop().time() + self._leave_s
        while asyncio.get_running_loop().time() < ends and not self.force_exit:  # noqa: ASYNC110 -- set by a signal
            await asyncio.sleep(0.05)


class Protocol(HttpToolsProtocol):
    """HTTP/1.1 with deadlines: who sends or reads too slowly goes, and takes nobody's place.

    A request that comes in one piece, as nearly all do, sets no timer. One that was taken whole is answered, whatever
    comes after it: it may have written something, and its sender must know.
    """

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._coming = _NOTHING
        self._head_bytes = 0
        self._more_s = 0.0
        self._deadline: TimerHandle | None = None
        self._deadline_for = _NOTHING
        self._reading_deadline: TimerHandle | None = None
        self._running: RequestResponseCycle = None  # type: ignore[assignment]  # as uvicorn has `cycle`
        self._takes_no_more = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._expect(_HEAD)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop every clock."""
        self._expect(_NOTHING)
        self.resume_writing()
        if not self._is_idle():
            _tell_gone(self._running)  # uvicorn tells the newest request, which may still wait for this one
        super().connection_lost(exc)

    def eof_received(self) -> bool:  # type: ignore[override]
        """The client sends no more. Half a request is refused; a whole one is still answered, and keeps the connection
        open until then, unless its answer has begun: then the client counts as gone, as streams must learn. Whoever
        waits for news on its behalf is woken by another end of its body, and can answer at once.
        """
        if self._coming != _NOTHING:
            self._refuse(400, b"Bad Request", b"The request ended too early. Nothing was saved.")
        elif not self._is_idle():
            self._close_after_answers()
            self._running.message_event.set()
        return not (self.transport.is_closing() or self._is_idle() or self._running.response_started)

    def data_received(self, data: bytes) -> None:
        """Take what came, and set the clock for what is still to come."""
        if self._takes_no_more:
            return
        if self._coming != _BODY:
            self._head_bytes += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            self._expect(_NOTHING)
            return
        if self._coming == _HEAD and self._head_bytes > LARGEST_HEAD:
            self._refuse(431, b"Request Header Fields Too Large")
            return
        if self._coming == _NOTHING and self._is_idle():
            self._expect(_HEAD)  # stray bytes between requests keep no connection open
        else:
            self._expect(self._coming)

    def on_message_begin(self) -> None:
        """A request begins."""
        if self._takes_no_more:
            return
        self._coming = _HEAD
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Its head is whole."""
        if self._takes_no_more:
            return
        if self._head_bytes > LARGEST_HEAD and self._size_of_head() > LARGEST_HEAD:
            self._refuse(431, b"Request Header Fields Too Large")
            return
        self._head_bytes = 0
        self._more_s = _more_s(self.headers)
        super().on_headers_complete()
        self._coming = _BODY  # from here on `cycle` is this request's

    def on_body(self, body: bytes) -> None:
        """A piece of its body, unless it was refused."""
        if not self._takes_no_more:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """It is whole."""
        self._coming = _NOTHING
        self._head_bytes = 0
        if not self._takes_no_more:
            super().on_message_complete()

    def pause_writing(self) -> None:
        """The client does not read as fast as we write."""
        super().pause_writing()
        if self._reading_deadline is None:
            self._reading_deadline = self.loop.call_later(READING_S, self.transport.abort)

    def resume_writing(self) -> None:
        """It has caught up."""
        super().resume_writing()
        if self._reading_deadline is not None:
            self._reading_deadline.cancel()
            self._reading_deadline = None

    def _is_idle(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is None or cycle.response_complete

    def _size_of_head(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def _expect(self, coming: str) -> None:
        if coming == self._deadline_for:
            return
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        self._deadline_for = coming
        if coming:
            within_s = HEAD_S if coming == _HEAD else BODY_S + self._more_s
            self._deadline = self.loop.call_later(within_s, self._too_late)

    def _too_late(self) -> None:
        self._deadline = None
        self._deadline_for = _NOTHING
        if self.transport.is_closing():
            return
        if self._coming == _NOTHING:
            self.transport.close()
        else:
            self._refuse(408, b"Request Timeout")

    def send_400_response(self, msg: str) -> None:
        """What came is no request; a method that HTTP does not know is told from the rest."""
        del msg
        if isinstance(sys.exc_info()[1], HttpParserInvalidMethodError):
            self._refuse(501, b"Not Implemented")
        else:
            self._refuse(400, b"Bad Request")

    def _refuse(self, status: int, phrase: bytes, detail: bytes = b"") -> None:
        """End on a request that is not whole. It gets a last word, unless its own answer has begun, or one before it is
        still being answered: that answer then says that it is the last.
        """
        if self._takes_no_more:
            return
        if self._coming == _BODY and self.pipeline:
            self.pipeline.popleft()  # it waits, and never reached the application
            self.cycle = self.pipeline[0][0] if self.pipeline else self._running
        elif self._coming == _BODY:
            self._end(b"" if self.cycle.response_started else _last_word(status, phrase, detail))
            return
        if self._is_idle():
            self._end(_last_word(status, phrase, detail))
        else:
            self._close_after_answers()

    def _end(self, last_word: bytes) -> None:
        self._take_no_more()
        if not self._is_idle():
            _tell_gone(self.cycle)
        if last_word:
            self.transport.write(last_word)
        self.transport.close()

    def _close_after_answers(self) -> None:
        """Answer what was taken whole, and close. What else comes is read and dropped: bytes that lie unread when a
        connection closes would make the system reset it, and lose the answer on its way.
        """
        self._take_no_more()
        self.cycle.keep_alive = False

    def _take_no_more(self) -> None:
        self._takes_no_more = True
        self._coming = _NOTHING
        self._expect(_NOTHING)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)


def _tell_gone(cycle: RequestResponseCycle) -> None:
    """Let the application know that the client is gone, and drop what it may still answer."""
    cycle.disconnected = True
    cycle.message_event.set()


def _last_word(status: int, phrase: bytes, detail: bytes) -> bytes:
    """An answer to a request that the application never had whole: a problem document (RFC 9457)."""
    body = b'{"type":"about:blank","title":"%b","status":%d' % (phrase, status)
    body += b',"detail":"%b"}' % detail if detail else b"}"
    return (
        b"HTTP/1.1 %d %b\r\ncontent-type: application/problem+json\r\ncache-control: no-store\r\n"
        b"content-length: %d\r\nconnection: close\r\n\r\n%b" % (status, phrase, len(body), body)
    )


def _more_s(headers: Iterable[tuple[bytes, bytes]]) -> float:
    """How much longer than `BODY_S` a body may take, by the length that it declares."""
    declared = next((value for name, value in headers if name == b"content-length"), b"")
    length = int(declared) if declared.isdigit() and len(declared) < 12 else 0
    return min(length / LEAST_BYTES_PER_S, LONGEST_BODY_S - BODY_S) if length > MOST_BYTES else 0.0


def _keep_what_is_here() -> None:
    """Leave what was made at the start out of every search for garbage, and search less often: a seventh of the
    processor time of a small request went into looking at modules and templates that never go.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_AFTER)


def _allow_many_connections() -> None:
    """Take as many open files as the system lets us have: each stream is one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
