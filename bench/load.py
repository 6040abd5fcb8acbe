"""A load client that costs little: raw HTTP/1.1 over connections that stay open, each with one request under way."""

import asyncio
import statistics
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from time import perf_counter

GRACE_S = 15.0
"""How long the last answers may take after the time is up."""

_BODILESS = (204, 304)


@dataclass(slots=True)
class Sample:
    """What came back: how often which status, how long each took, and the first answer that was not wanted."""

    wanted: int = 200
    seconds: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    durations: list[float] = field(default_factory=list)
    complaint: str = ""

    @property
    def answers(self) -> int:
        """Answers of any status."""
        return self.statuses.total()

    @property
    def errors(self) -> int:
        """Answers that were not wanted, or never came."""
        return self.answers - self.statuses[self.wanted]

    @property
    def rate(self) -> float:
        """Wanted answers a second."""
        return self.statuses[self.wanted] / self.seconds if self.seconds else 0.0

    @property
    def p50_s(self) -> float:
        """The median time from a request to its answer."""
        return statistics.median(self.durations) if self.durations else 0.0


def request(
    method: str,
    path: str,
    headers: Sequence[tuple[str, str]] = (),
    *,
    body: bytes = b"",
    host: str = "127.0.0.1",
) -> bytes:
    """A whole request as bytes."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", *(f"{name}: {value}" for name, value in headers)]
    if body or method != "GET":
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


async def send(
    port: int,
    requests: Iterable[bytes],
    *,
    connections: int,
    seconds: float,
    most: int = 1_000_000,
    wanted: int = 200,
) -> Sample:
    """Send the requests one after another over all connections until the time is up, or `most` were sent.

    Requests are taken from the iterable in turn, so an iterator that is given again goes on where it stood.
    """
    run = _Run(iter(requests), Sample(wanted), most)
    loop = asyncio.get_running_loop()
    opened = [
        await loop.create_connection(lambda: _Connection(run), "127.0.0.1", port) for _ in range(connections)
    ]
    run.open = len(opened)
    started = perf_counter()
    run.ends = started + seconds
    for _, connection in opened:
        connection.next()
    async with asyncio.timeout(seconds + GRACE_S):
        await run.done.wait()
    run.sample.seconds = perf_counter() - started
    return run.sample


async def fetch(port: int, request: bytes) -> tuple[int, dict[str, str], bytes]:
    """One request's status, headers and body, over a connection of its own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        status = int(head[0].split()[1])
        fields = (line.partition(":") for line in head[1:] if line)
        headers = {name.lower(): value.strip() for name, _, value in fields}
        body = await reader.readexactly(0 if status in _BODILESS else int(headers.get("content-length", "0")))
        return status, headers, body
    finally:
        writer.close()


class _Run:
    """What the connections of one run share."""

    def __init__(self, requests: Iterator[bytes], sample: Sample, most: int) -> None:
        self.requests = requests
        self.sample = sample
        self.left = most
        self.open = 0
        self.ends = 0.0
        self.done = asyncio.Event()

    def take(self) -> bytes | None:
        """The next request, unless it is enough."""
        if self.left <= 0 or perf_counter() >= self.ends:
            return None
        self.left -= 1
        return next(self.requests, None)


class _Connection(asyncio.Protocol):
    """One connection: a request, its answer, the next request."""

    def __init__(self, run: _Run) -> None:
        self._run = run
        self._since = 0.0
        self._head = b""
        self._missing = 0
        self._status = 0
        self._is_waiting = False
        self._is_over = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]

    def next(self) -> None:
        """Send the next request, or close."""
        request = self._run.take()
        if request is None:
            self._end()
            return
        self._is_waiting = True
        self._since = perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        if self._missing:
            self._missing -= len(data)
        else:
            self._head += data
            end = self._head.find(b"\r\n\r\n")
            if end < 0:
                return
            self._read_head(end)
        if self._missing <= 0:
            self._answered()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._is_waiting:
            self._run.sample.statuses[0] += 1
            self._run.sample.complaint = self._run.sample.complaint or f"connection lost: {exc}"
        self._end()

    def _read_head(self, end: int) -> None:
        head = self._head
        self._status = int(head[9:12])
        length = 0
        if self._status not in _BODILESS:
            at = head.lower().find(b"\r\ncontent-length:", 0, end)
            if at < 0:
                self._status = -1  # an answer of unknown length is none that we ask for
            else:
                length = int(head[at + 17 : head.find(b"\r\n", at + 2)])
        self._missing = length - (len(head) - end - 4)

    def _answered(self) -> None:
        sample = self._run.sample
        sample.durations.append(perf_counter() - self._since)
        sample.statuses[self._status] += 1
        if self._status != sample.wanted and not sample.complaint:
            sample.complaint = self._head.decode("utf-8", "replace")[:2000]
        self._head = b""
        self._missing = 0
        self._is_waiting = False
        self.next()

    def _end(self) -> None:
        if self._is_over:
            return
        self._is_over = True
        self._is_waiting = False
        self._transport.close()
        self._run.open -= 1
        if self._run.open == 0:
            self._run.done.set()
