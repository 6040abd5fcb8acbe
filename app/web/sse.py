"""Server-Sent Events on raw ASGI: how a message is written, and the line to one reader.

There is no queue, timer or task for a reader who keeps up: whoever has news sends the same message to each, as
far as the connection takes it at once. Only for a reader who does not, a task sends what waits, up to a bound.
"""

import asyncio
import re
import types
from collections import deque
from collections.abc import Coroutine, Generator
from typing import Any, Final, cast

from starlette.types import Message, Receive, Send

LONGEST_LINE: Final = 64
"""Messages that may wait for one reader."""

LARGEST_LINE_BYTES: Final = 256 * 1024
"""Bytes that may wait for one reader."""

PATIENCE_S: Final = 30.0
"""How long one message may wait for a reader before the connection is given up."""

START: Final[Message] = {
    "type": "http.response.start",
    "status": 200,
    "headers": [
        (b"content-type", b"text/event-stream; charset=utf-8"),
        (b"cache-control", b"no-store"),
        (b"x-accel-buffering", b"no"),
    ],
}

_LINE_END: Final = re.compile(r"\r\n|\r|\n")


def encode(
    data: str, *, event: str | None = None, id: int | None = None, retry_ms: int | None = None
) -> bytes:
    """One message, encoded. Without an `event` htmx swaps the data in; with one it raises a DOM event."""
    lines = [] if retry_ms is None else [f"retry: {retry_ms}"]
    if id is not None:
        lines.append(f"id: {id}")
    if event is not None:
        lines.append(f"event: {event}")
    lines += [f"data: {line}" for line in _LINE_END.split(data)]
    return ("\n".join(lines) + "\n\n").encode()


def body(data: bytes) -> Message:
    """A piece of a response that goes on; the same object may be sent to any number of readers."""
    return {"type": "http.response.body", "body": data, "more_body": True}


def end(data: bytes = b"") -> Message:
    """The last piece of a response."""
    return {"type": "http.response.body", "body": data, "more_body": False}


PING: Final = body(b": here\n\n")


class Reader:
    """One open stream: who reads, up to which event, and what waits in line.

    What is put before `open` waits, so that nothing is missed while the past is being read. After a `finish`
    nothing more is sent.
    """

    __slots__ = (
        "_line",
        "_line_bytes",
        "_send",
        "_task",
        "board_id",
        "is_cut",
        "is_finished",
        "language",
        "person_id",
        "position",
        "programme_id",
        "session_id",
        "too_slow",
        "was_too_slow",
    )

    def __init__(
        self,
        send: Send,
        too_slow: Message,
        *,
        board_id: int,
        programme_id: int,
        person_id: int,
        session_id: int,
        language: str,
    ) -> None:
        self.board_id = board_id
        self.programme_id = programme_id
        self.person_id = person_id
        self.session_id = session_id
        self.language = language
        self.position = 0
        self.is_finished = False
        self.is_cut = False
        self.too_slow = too_slow
        self.was_too_slow = False
        self._send = send
        self._task = asyncio.current_task()
        self._line: deque[tuple[int, Message]] | None = deque()
        self._line_bytes = 0

    @property
    def keeps_up(self) -> bool:
        """Whether nothing waits for this reader."""
        return self._line is None

    async def open(self, first: bytes, position: int) -> None:
        """Begin the response with `first`, which brings the reader up to the event `position`."""
        self.position = position
        async with asyncio.timeout(PATIENCE_S):
            await self._send(START)
            await self._send(body(first))
            await self._send_line()

    async def until_gone(self, receive: Receive) -> None:
        """Wait until the reader has left, or has been sent the last message."""
        while (await receive())["type"] != "http.disconnect":
            pass

    def put(self, message: Message, id: int = 0) -> None:
        """Send a message now, or let it wait in line; never waits itself.

        A message that goes up to the event `id` is left out for a reader who is there already; 0 is for all.
        """
        if self.is_finished:
            return
        if self._line is not None:
            self._wait_in_line(message, id)
        elif id == 0 or id > self.position:
            self._send_now(message, id)

    def finish(self, message: Message) -> None:
        """Send a last message (`end`)."""
        self.put(message)
        self.is_finished = True

    def cut(self) -> None:
        """Give the connection up, whatever waits: the task that serves it is cancelled."""
        self.is_finished = True
        if self._task is not None and not self.is_cut:
            self.is_cut = True
            self._task.cancel()

    def _send_now(self, message: Message, id: int) -> None:
        try:
            rest = _begin(cast("Coroutine[Any, Any, None]", self._send(message)))
        except OSError:  # the reader has left, as `receive` will say
            self.is_finished = True
            return
        self.position = id or self.position
        if rest is not None:
            self._line = deque()
            task = asyncio.create_task(self._catch_up(rest))
            _CATCHING_UP.add(task)
            task.add_done_callback(_CATCHING_UP.discard)

    def _wait_in_line(self, message: Message, id: int) -> None:
        line = cast("deque[tuple[int, Message]]", self._line)
        self._line_bytes += len(message["body"])
        if len(line) < LONGEST_LINE and self._line_bytes <= LARGEST_LINE_BYTES:
            line.append((id, message))
            return
        line.clear()
        line.append((0, self.too_slow))
        self.was_too_slow = True
        self.is_finished = True

    async def _catch_up(self, rest: Coroutine[Any, Any, None]) -> None:
        try:
            async with asyncio.timeout(PATIENCE_S):
                await rest
            await self._send_line()
        except TimeoutError:
            self.cut()
        except OSError:  # the reader has left, as `receive` will say
            self.is_finished = True

    async def _send_line(self) -> None:
        while self._line:
            id, message = self._line.popleft()
            self._line_bytes -= len(message["body"])
            if id == 0 or id > self.position:
                async with asyncio.timeout(PATIENCE_S):
                    await self._send(message)
                self.position = id or self.position
        self._line = None
        self._line_bytes = 0


_CATCHING_UP: set[asyncio.Task[None]] = set()


def _begin(work: Coroutine[Any, Any, None]) -> Coroutine[Any, Any, None] | None:
    """Do as much of `work` as needs no waiting; what remains to be awaited, or None if it is done.

    So a send that the connection takes at once costs no task.
    """
    try:
        waits_for = work.send(None)
    except StopIteration:
        return None
    return _go_on(work, waits_for)


async def _go_on(work: Coroutine[Any, Any, None], waits_for: Any) -> None:
    await _remaining(work, waits_for)


@types.coroutine
def _remaining(work: Coroutine[Any, Any, None], waits_for: Any) -> Generator[Any, Any, None]:
    try:
        yield waits_for
    except BaseException:
        work.close()
        raise
    yield from work.__await__()
