"""The server on real sockets: deadlines for the slow, limits for the large, and a quiet way to leave."""

import asyncio
import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from app.web import server

GET = b"GET /quick HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
SLOW = GET.replace(b"quick", b"slow")
STREAM = GET.replace(b"quick", b"stream")
LARGE_HEAD = GET[:-2] + b"X: " + b"x" * 40_000 + b"\r\n\r\n"


class Site:
    """A small application on a real server in a thread."""

    def __init__(self, leave_s: float = 0.0) -> None:
        self.ended_streams = asyncio.Event()
        self.gone: list[str] = []
        routes = [
            Route("/quick", self.quick),
            Route("/slow", self.slow),
            Route("/body", self.body, methods=["POST"]),
            Route("/upload", self.upload, methods=["POST"]),
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
        try:
            body = await request.body()
        except ClientDisconnect:
            self.gone.append("body")
            raise
        return PlainTextResponse(str(len(body)))

    async def upload(self, request: Request) -> Response:
        """An answer that begins before the body is whole."""

        async def pieces():
            yield b"first"
            try:
                yield str(len(await request.body())).encode()
            except ClientDisconnect:
                self.gone.append("upload")
                raise

        return StreamingResponse(pieces())

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


def post(body: bytes, length: int | None = None, path: bytes = b"/body") -> bytes:
    """A request that declares `length`, or the length that its body has."""
    length = len(body) if length is None else length
    return b"POST %b HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n%b" % (path, length, body)


def statuses(found: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d+) ", found)]


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


def test_half_a_body_goes_in_time_and_is_told(site: Site) -> None:
    with connected(site) as opened:
        begun = time.monotonic()
        opened.sendall(post(b"half", 10))
        head, _, body = rest(opened).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 408")
        assert b"application/problem+json" in head
        assert b"connection: close" in head
        assert json.loads(body) == {"type": "about:blank", "title": "Request Timeout", "status": 408}
        assert 0.2 < time.monotonic() - begun < 3
        wait_until(lambda: site.gone == ["body"])


def test_who_ends_half_way_through_a_body_is_told(site: Site) -> None:
    with connected(site) as opened:
        opened.sendall(post(b"half", 10))
        time.sleep(0.1)
        opened.shutdown(socket.SHUT_WR)
        head, _, body = rest(opened).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 400")
        assert json.loads(body)["detail"] == "The request ended too early. Nothing was saved."
        wait_until(lambda: site.gone == ["body"])


@pytest.mark.parametrize("sent", [GET[:-2], b"GET /qui"])
def test_who_ends_half_way_through_a_head_is_told(site: Site, sent: bytes) -> None:
    with connected(site) as opened:
        opened.sendall(sent)
        opened.shutdown(socket.SHUT_WR)
        assert rest(opened).startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize("ends", [True, False])
def test_half_a_body_adds_nothing_to_an_answer_that_has_begun(site: Site, ends: bool) -> None:
    with connected(site) as opened:
        begun = answer(opened, post(b"half", 10, b"/upload"), b"first")
        if ends:
            opened.shutdown(socket.SHUT_WR)
        assert statuses(begun + rest(opened)) == [200]
        wait_until(lambda: site.gone == ["upload"])


@pytest.mark.parametrize("ends", [True, False])
def test_half_a_body_adds_nothing_to_an_answer_that_is_whole(site: Site, ends: bool) -> None:
    with connected(site) as opened:
        whole = answer(opened, post(b"half", 10, b"/nowhere"), b"Not Found")
        if ends:
            opened.shutdown(socket.SHUT_WR)
        assert statuses(whole + rest(opened)) == [404]


def test_a_body_that_turns_to_nonsense_is_refused(site: Site) -> None:
    head = b"POST /body HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    with connected(site) as opened:
        opened.sendall(head + b"4\r\nhalf\r\n")
        time.sleep(0.1)
        opened.sendall(b"nonsense\r\n")
        assert statuses(rest(opened)) == [400]
        wait_until(lambda: site.gone == ["body"])


@pytest.mark.parametrize("sent", [GET, GET.replace(b"quick", b"slow"), post(b"whole")])
@pytest.mark.parametrize("after_s", [0, 0.1])
def test_who_ends_after_a_whole_request_is_answered(site: Site, sent: bytes, after_s: float) -> None:
    with connected(site) as opened:
        opened.sendall(sent)
        time.sleep(after_s)
        opened.shutdown(socket.SHUT_WR)
        assert statuses(rest(opened)) == [200]


def test_who_leaves_a_stream_is_missed(site: Site) -> None:
    with connected(site) as opened:
        answer(opened, STREAM, b"first")
    wait_until(lambda: not site.server.server_state.connections)
    wait_until(lambda: not site.server.server_state.tasks)


@pytest.mark.parametrize("nonsense", [b"}", b"garbage\r\n\r\n", b"GET http://[ HTTP/1.1\r\n\r\n"])
@pytest.mark.parametrize("first", [post(b"whole"), SLOW])
def test_nonsense_after_a_request_does_not_take_its_answer(site: Site, first: bytes, nonsense: bytes) -> None:
    with connected(site) as opened:
        opened.sendall(first + nonsense)
        found = rest(opened)
        assert statuses(found) == [200]
        assert found.endswith((b"\r\n\r\n5", b"slow"))
        assert b"connection: close" in found


@pytest.mark.parametrize("nonsense", [b"}", LARGE_HEAD, LARGE_HEAD + GET])
def test_nonsense_while_an_answer_is_made_does_not_take_it(site: Site, nonsense: bytes) -> None:
    with connected(site) as opened:
        opened.sendall(SLOW)
        for _ in range(3):
            time.sleep(0.1)
            opened.sendall(nonsense)
        found = rest(opened)
        assert statuses(found) == [200]
        assert b"connection: close" in found


@pytest.mark.parametrize(
    "last", [b"}", b"GET http://[ HTTP/1.1\r\n\r\n" + GET, post(b"half", 10), b"GET /qui"]
)
@pytest.mark.parametrize("ends", [True, False])
def test_whole_requests_before_a_bad_one_are_answered_in_order(site: Site, last: bytes, ends: bool) -> None:
    with connected(site) as opened:
        opened.sendall(SLOW + post(b"whole") + GET + last)
        if ends:
            opened.shutdown(socket.SHUT_WR)
        found = rest(opened)
        assert statuses(found)[:3] == [200, 200, 200]
        assert all(status >= 400 for status in statuses(found)[3:])
        assert found.index(b"slow") < found.index(b"\r\n\r\n5") < found.index(b"quick")


def test_half_a_body_behind_another_request_does_not_take_its_answer(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "BODY_S", 0.2)
    with connected(site) as opened:
        opened.sendall(SLOW + post(b"half", 10))
        found = rest(opened)
        assert statuses(found) == [200]
        assert found.endswith(b"slow")
        assert not site.gone


def test_who_leaves_with_requests_waiting_is_missed_by_the_one_that_runs(site: Site) -> None:
    with connected(site) as opened:
        answer(opened, STREAM + GET + GET, b"first")
    wait_until(lambda: not site.server.server_state.tasks)


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
        other.sendall(STREAM)
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
        answer(stream, STREAM, b"first")
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
