"""The server on real sockets: deadlines for the slow, limits for the large, and a quiet way to leave."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from app.web import server

GET = b"GET /quick HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


class Site:
    """A small application on a real server in a thread."""

    def __init__(self, leave_s: float = 0.0) -> None:
        self.ended_streams = asyncio.Event()
        routes = [
            Route("/quick", self.quick),
            Route("/slow", self.slow),
            Route("/body", self.body, methods=["POST"]),
            Route("/stream", self.stream),
            Route("/large", self.large),
        ]
        self.app = Starlette(routes=routes)
        self.app.state.context = SimpleNamespace(streams=self, followers=self)
        self.server = server.Server(server.configuration(self.app), leave_s=leave_s)
        self.listening = server.listening("127.0.0.1", 0)
        self.port = self.listening.getsockname()[1]

    def close_all(self) -> None:
        self.ended_streams.set()

    async def quick(self, _: Request) -> Response:
        return PlainTextResponse("quick")

    async def slow(self, _: Request) -> Response:
        await asyncio.sleep(0.6)
        return PlainTextResponse("slow")

    async def body(self, request: Request) -> Response:
        return PlainTextResponse(str(len(await request.body())))

    async def stream(self, _: Request) -> Response:
        async def pieces():
            yield b"first"
            await self.ended_streams.wait()
            yield b"last"

        return StreamingResponse(pieces())

    async def large(self, _: Request) -> Response:
        return PlainTextResponse(b"x" * 50_000_000)

    def leave(self) -> None:
        self.server.should_exit = True


@contextmanager
def serving(leave_s: float = 0.0) -> Iterator[Site]:
    site = Site(leave_s)
    thread = threading.Thread(target=site.server.run, args=([site.listening],))
    thread.start()
    while not site.server.started:
        time.sleep(0.01)
    try:
        yield site
    finally:
        site.leave()
        thread.join(15)
        assert not thread.is_alive()


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(server, "HEAD_S", 0.4)
    monkeypatch.setattr(server, "BODY_S", 0.4)
    monkeypatch.setattr(server, "READING_S", 0.4)
    with serving() as site:
        yield site


def connected(site: Site) -> socket.socket:
    opened = socket.create_connection(("127.0.0.1", site.port))
    opened.settimeout(5)
    return opened


def rest(opened: socket.socket) -> bytes:
    """All that comes until the other side ends."""
    found = b""
    try:
        while piece := opened.recv(65536):
            found += piece
    except ConnectionResetError:
        pass
    return found


def answer(opened: socket.socket, sent: bytes, expected: bytes) -> bytes:
    opened.sendall(sent)
    found = b""
    while expected not in found:
        piece = opened.recv(65536)
        assert piece, found
        found += piece
    return found


@pytest.mark.parametrize("sent", [b"", b"\r\n", b"G", b"GET /quick HT", GET[:-2]])
def test_who_sends_no_whole_head_goes_in_time(site: Site, sent: bytes) -> None:
    with connected(site) as opened:
        begun = time.monotonic()
        opened.sendall(sent)
        assert rest(opened).startswith(b"HTTP/1.1 408") or not sent.strip()
        assert 0.2 < time.monotonic() - begun < 3


def test_a_head_that_trickles_goes_in_time(site: Site) -> None:
    with connected(site) as opened:
        begun = time.monotonic()
        with pytest.raises(OSError):  # noqa: PT012
            for byte in GET[:-2] * 100:
                opened.sendall(bytes([byte]))
                time.sleep(0.05)
        assert time.monotonic() - begun < 3


def test_half_a_body_goes_in_time(site: Site) -> None:
    with connected(site) as opened:
        begun = time.monotonic()
        opened.sendall(b"POST /body HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 10\r\n\r\nhalf")
        assert b"200" not in rest(opened)
        assert time.monotonic() - begun < 3


def test_a_connection_that_was_used_is_held_to_it_too(site: Site) -> None:
    with connected(site) as opened:
        for _ in range(3):
            answer(opened, GET, b"quick")
        opened.sendall(b"GET /qui")
        assert rest(opened).startswith(b"HTTP/1.1 408")


def test_stray_bytes_between_requests_keep_no_connection(site: Site) -> None:
    with connected(site) as opened:
        answer(opened, GET, b"quick")
        opened.sendall(b"\r\n")
        begun = time.monotonic()
        rest(opened)
        assert time.monotonic() - begun < 3


def test_who_waits_for_a_slow_answer_or_a_stream_is_left_alone(site: Site) -> None:
    with connected(site) as one, connected(site) as other:
        other.sendall(b"GET /stream HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert b"slow" in answer(one, GET.replace(b"quick", b"slow"), b"slow")
        time.sleep(0.6)
        site.close_all()
        assert b"last" in answer(other, b"", b"last")


def test_an_idle_connection_stays_for_the_next_request(site: Site) -> None:
    with connected(site) as opened:
        answer(opened, GET, b"quick")
        time.sleep(1)
        answer(opened, GET, b"quick")


def test_who_does_not_read_goes_in_time(site: Site) -> None:
    opened = socket.socket()
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    opened.connect(("127.0.0.1", site.port))
    with opened:
        opened.sendall(GET.replace(b"quick", b"large"))
        time.sleep(1.5)
        assert not site.server.server_state.connections


@pytest.mark.parametrize("in_one_header", [True, False])
def test_a_large_head_is_refused(site: Site, in_one_header: bool) -> None:
    many = b"".join(b"X-%d: %b\r\n" % (number, b"x" * 100) for number in range(400))
    head = b"X: " + b"x" * 40_000 + b"\r\n" if in_one_header else many
    with connected(site) as opened:
        opened.sendall(GET[:-2] + head + b"\r\n")
        assert rest(opened).startswith(b"HTTP/1.1 431")


def test_a_large_body_is_no_large_head(site: Site) -> None:
    with connected(site) as opened:
        sent = b"POST /body HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100000\r\n\r\n" + b"x" * 100_000
        assert answer(opened, sent, b"100000").startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET http://[ HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
        b"GET /quick HTTP/1.1\r\nHost: x\r\nX: a\x00b\r\n\r\n",
    ],
)
def test_nonsense_is_refused_and_the_server_goes_on(site: Site, sent: bytes) -> None:
    with connected(site) as opened:
        opened.sendall(sent)
        found = rest(opened)
        assert not found.startswith(b"HTTP/1.1 2")
    with connected(site) as opened:
        answer(opened, GET, b"quick")


def test_leaving_tears_no_connection() -> None:
    with serving(leave_s=1.0) as site:
        kept = [connected(site) for _ in range(20)]
        for opened in kept:
            answer(opened, GET, b"quick")
        site.leave()
        wait_until(lambda: getattr(site.app.state, "is_leaving", False))
        time.sleep(0.1)
        for opened in kept:
            assert b"connection: close" in answer(opened, GET, b"quick").lower()
            assert rest(opened) == b""
        with connected(site) as late:
            assert b"connection: close" in answer(late, GET, b"quick").lower()


def test_leaving_finishes_what_is_under_way_and_ends_streams() -> None:
    with serving() as site, connected(site) as slow, connected(site) as stream:
        answer(stream, b"GET /stream HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", b"first")
        slow.sendall(GET.replace(b"quick", b"slow"))
        time.sleep(0.2)
        site.leave()
        assert rest(slow).endswith(b"slow")
        assert b"last" in rest(stream)


def wait_until(seen: Callable[[], bool]) -> None:
    end = time.monotonic() + 5
    while not seen():
        assert time.monotonic() < end
        time.sleep(0.01)
