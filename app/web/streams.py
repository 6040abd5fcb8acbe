"""Live boards: what changes is gathered, rendered once for each language, and sent to everyone as the same bytes."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Final, Literal, NamedTuple

import structlog
from sqlalchemy.engine import Connection
from starlette.types import Message, Receive, Send

from app.database import Database
from app.errors import Unavailable
from app.integrations.bus import Bus, Change, changes_on, newest
from app.lib import clock
from app.lib.i18n import N_
from app.services import watching
from app.web import sse
from app.web.presence import SHOWN, Here, Presence, Visitor
from app.web.sse import PING, Reader

log = structlog.get_logger(__name__)

FLUSH_S: Final = 0.25
"""The least time between two updates of one board."""

RETRY_S: Final = 1.0
"""After this long an update is tried again that the database did not allow."""

PRESENCE_S: Final = 1.0
"""Who is here is told this long after a change, so that a page that is loaded anew neither goes nor comes."""

PING_S: Final = 15.0
CHECK_S: Final = 4.0
"""How often it is asked whether those who watch still may, so that nobody does for 5 s longer."""

FAREWELL_S: Final = 1.0
"""How long readers have to take their last message as the server stops."""

ANNOUNCE_EVERY: Final = 3
"""After so many checks the other processes are told again who is here."""

MOST_STREAMS: Final = 5_000
MOST_STREAMS_EACH: Final = 6
"""A browser opens six connections to one host over HTTP/1.1: more streams would leave none for pages."""

MOST_IDEAS: Final = 60
"""With more ideas changed at once, loading the page costs less than sending them."""

MOST_MISSED: Final = 500
"""Events that are told again after a lost connection; with more the page is to be loaded."""

IN_ONE_GO: Final = 64
"""Readers served before other requests have their turn."""

HERDING_MS: Final = 5
"""Pages that are told to load themselves anew spread over this time for each of them, and 10 s at the most."""

Render = Callable[[int, str, Sequence[Change]], Awaitable[str | None]]
"""`render(challenge_id, language, changes)`: the present state of what changed, as HTML that says where it goes;
empty where nothing shows, None where a page must be loaded anew."""

RenderPresence = Callable[[int, str, Here], Awaitable[str]]
"""`render_presence(challenge_id, language, here)`: the same for who is here."""

Reason = Literal["gap", "slow", "changed"]
Ending = Literal["elsewhere", "signed-out", "gone"]


class Asked(NamedTuple):
    """Who wants to watch which board, found allowed; `after` is the last event that they have, if any."""

    challenge_id: int
    programme_id: int
    person_id: int
    session_id: int
    language: str
    after: int | None


class _Board:
    """One board that is being watched."""

    __slots__ = (
        "challenge_id",
        "changes",
        "flushed_at",
        "is_announced",
        "is_busy",
        "presence",
        "readers",
        "shown",
        "telling",
    )

    def __init__(self, challenge_id: int) -> None:
        self.challenge_id = challenge_id
        self.readers: dict[str, set[Reader]] = {}
        self.changes: list[Change] = []
        self.is_announced = True
        self.is_busy = False
        self.flushed_at = 0.0
        self.presence = Presence()
        self.telling: asyncio.TimerHandle | None = None
        self.shown: dict[str, tuple[Here, Message]] = {}

    def everyone(self) -> list[Reader]:
        """The readers of all languages."""
        return [reader for readers in self.readers.values() for reader in readers]


class Streams:
    """All the streams of this process. No connection to the database is held while one is open."""

    def __init__(
        self,
        database: Database,
        bus: Bus,
        render: Render,
        render_presence: RenderPresence,
        *,
        most_streams: int = MOST_STREAMS,
    ) -> None:
        self.refreshes = 0
        self._database = database
        self._bus = bus
        self._render = render
        self._render_presence = render_presence
        self._most_streams = most_streams
        self._boards: dict[int, _Board] = {}
        self._of_person: dict[int, list[Reader]] = {}
        self._count = 0
        self._is_ending = False
        self._is_closed = False
        self._turned_until = clock.now()
        self._tasks: set[asyncio.Task[None]] = set()
        bus.listeners.append(self.changed)
        bus.hearer = self._hear

    @property
    def count(self) -> int:
        """How many streams are open."""
        return self._count

    # the life of the process

    def start(self) -> None:
        """Begin to keep streams alive and to check them, in the running event loop."""
        self._begin(self._every(PING_S, self._ping))
        self._begin(self._every(CHECK_S, self._check))

    def close_all(self) -> None:
        """End every stream, as the server stops: each reader comes back, elsewhere. New ones are refused."""
        self._is_ending = True
        readers = self._everyone()
        for reader in readers:
            reader.finish(sse.end())
        if readers:
            asyncio.get_running_loop().call_later(FAREWELL_S, self._cut_all)

    def _cut_all(self) -> None:
        for reader in self._everyone():
            reader.cut()

    async def close(self) -> None:
        """End every stream and all that goes on for them; idempotent."""
        self.close_all()
        self._is_closed = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # one stream

    async def serve(self, asked: Asked, receive: Receive, send: Send) -> None:
        """Stream a board to someone who may see it, until they leave.

        First comes what changed after the event `after` (None: from now on; one that never was: the page is told
        to load itself anew), then what changes, without a gap in between: the reader is enrolled before the log
        is read, and what is told twice is left out.

        :raises Unavailable: too many streams are open, the server is stopping, or the database does not answer
        """
        reader = self._enrol(asked, send)
        try:
            await self._bus.attend()
            await reader.open(*await self._past(reader, asked.after))
            await reader.until_gone(receive)
        except TimeoutError:
            log.info("stream_given_up")
        except asyncio.CancelledError:
            if not reader.is_cut:
                raise
        finally:
            self._release(reader)

    def _enrol(self, asked: Asked, send: Send) -> Reader:
        if self._is_ending or self._count >= self._most_streams:
            raise Unavailable(
                N_("Too many pages are open at the moment. This page works, but does not update itself.")
            )
        reader = Reader(
            send,
            _TOO_SLOW,
            board_id=asked.challenge_id,
            programme_id=asked.programme_id,
            person_id=asked.person_id,
            session_id=asked.session_id,
            language=asked.language,
        )
        board = self._boards.get(reader.board_id) or self._begin_board(reader.board_id)
        board.readers.setdefault(reader.language, set()).add(reader)
        self._count += 1
        self._make_room(reader)
        if board.presence.join(reader.person_id):
            self._came_or_left(board)
        if reader.language in board.shown:
            reader.put(board.shown[reader.language][1])
        else:
            self._tell_presence_soon(board)
        return reader

    def _begin_board(self, challenge_id: int) -> _Board:
        board = self._boards[challenge_id] = _Board(challenge_id)
        self._bus.say({"kind": "ask", "challenge_id": challenge_id})
        return board

    def _make_room(self, reader: Reader) -> None:
        """Note one more page of a person; the oldest of too many is told that it is no longer live."""
        own = self._of_person.setdefault(reader.person_id, [])
        own.append(reader)
        if len(own) > MOST_STREAMS_EACH:
            _finish(own.pop(0), "elsewhere")

    def _release(self, reader: Reader) -> None:
        reader.is_finished = True
        self.refreshes += reader.was_too_slow
        self._count -= 1
        board = self._boards[reader.board_id]
        readers = board.readers[reader.language]
        readers.discard(reader)
        if not readers:
            del board.readers[reader.language]
            board.shown.pop(reader.language, None)
        own = self._of_person.get(reader.person_id, [])
        if reader in own:  # not if a newer page took its place
            own.remove(reader)
        if not own:
            self._of_person.pop(reader.person_id, None)
        if board.presence.leave(reader.person_id):
            self._came_or_left(board)
        if not board.readers:
            self._forget(board)

    def _forget(self, board: _Board) -> None:
        if board.telling is not None:
            board.telling.cancel()
        del self._boards[board.challenge_id]
        self._announce([board.challenge_id])
        if not self._boards:
            self._bus.rest()

    async def _past(self, reader: Reader, after: int | None) -> tuple[bytes, int]:
        """What the reader is sent first, and up to which event it goes."""
        position, changes = await self._database.read(
            partial(_missed, challenge_id=reader.board_id, after=after)
        )
        html = None
        if changes is not None:
            html = await self._rendered(reader.board_id, reader.language, changes)
        hello = sse.encode("", event="live", id=position, retry_ms=1000)
        if html is None:
            return hello + self._refresh("gap"), position
        return (hello + sse.encode(html, id=position) if html else hello), position

    # changes

    def changed(self, changes: Sequence[Change]) -> None:
        """Take note of changes; each board that is being watched is updated at once, or as soon as it may be."""
        for change in changes:
            board = self._boards.get(change.challenge_id or 0)
            if board is not None:
                board.changes.append(change)
                self._flush_soon(board)

    def _flush_soon(self, board: _Board, wait_s: float = 0.0) -> None:
        if not board.is_busy:
            board.is_busy = True
            loop = asyncio.get_running_loop()
            wait_s = max(wait_s, board.flushed_at + FLUSH_S - loop.time())
            if wait_s > 0:
                loop.call_later(wait_s, lambda: self._begin(self._flush(board)))
            else:
                self._begin(self._flush(board))

    async def _flush(self, board: _Board) -> None:
        """Send what has gathered. What the database does not give is kept, and tried again."""
        board.flushed_at = asyncio.get_running_loop().time()
        changes, board.changes = board.changes, []
        wait_s = 0.0
        try:
            await self._send_changes(board, changes)
        except Unavailable:
            board.changes = changes + board.changes
            wait_s = RETRY_S
        except Exception:
            log.exception("board_not_updated", challenge_id=board.challenge_id)
        finally:
            board.is_busy = False
        if board.changes and board.readers:
            self._flush_soon(board, wait_s)

    async def _send_changes(self, board: _Board, changes: Sequence[Change]) -> None:
        if any(change.type == "challenge.deleted" for change in changes):
            for reader in board.everyone():
                _finish(reader, "gone")
            return
        last = changes[-1].id
        for language in list(board.readers):
            html = await self._rendered(board.challenge_id, language, changes)
            readers = board.readers.get(language, ())
            if html is None:
                await self._spread(readers, sse.body(self._refresh("changed", len(readers), last)), last)
            elif html:
                await self._spread(readers, sse.body(sse.encode(html, id=last)), last)

    async def _rendered(self, challenge_id: int, language: str, changes: Sequence[Change]) -> str | None:
        if not changes:
            return ""
        if len({change.idea_id for change in changes}) > MOST_IDEAS:
            return None
        return await self._render(challenge_id, language, changes)

    async def _spread(self, readers: Iterable[Reader], message: Message, id: int = 0) -> None:
        """Send the same bytes to each, with a turn for other requests now and then."""
        for served, reader in enumerate(tuple(readers), start=1):
            reader.put(message, id)
            if served % IN_ONE_GO == 0:
                await asyncio.sleep(0)

    def _refresh(self, reason: Reason, readers: int = 1, id: int | None = None) -> bytes:
        """Tell a page to load itself anew, within a time in which not all the others do."""
        self.refreshes += readers
        within_ms = min(10_000, readers * HERDING_MS)
        return sse.encode(json.dumps({"reason": reason, "within_ms": within_ms}), event="refresh", id=id)

    # who is here

    def _came_or_left(self, board: _Board) -> None:
        board.is_announced = False
        self._tell_presence_soon(board)

    def _tell_presence_soon(self, board: _Board) -> None:
        if board.telling is None:
            board.telling = asyncio.get_running_loop().call_later(
                PRESENCE_S, lambda: self._begin(self._tell_presence(board))
            )

    async def _tell_presence(self, board: _Board) -> None:
        board.telling = None
        if not board.is_announced:
            board.is_announced = True
            self._announce([board.challenge_id])
        ids = board.presence.everyone()
        try:
            names = await self._database.read(partial(watching.names, person_ids=ids[:SHOWN]))
            here = Here(tuple(Visitor(id, names[id]) for id in ids[:SHOWN] if id in names), len(ids))
            await self._send_presence(board, here)
        except Unavailable:
            self._tell_presence_soon(board)
        except Exception:
            log.exception("presence_not_told", challenge_id=board.challenge_id)

    async def _send_presence(self, board: _Board, here: Here) -> None:
        for language in list(board.readers):
            if language in board.shown and board.shown[language][0] == here:
                continue
            html = await self._render_presence(board.challenge_id, language, here)
            message = sse.body(sse.encode(html))
            board.shown[language] = (here, message)
            await self._spread(board.readers.get(language, ()), message)

    def _announce(self, challenge_ids: Iterable[int]) -> None:
        """Tell the other processes who has these boards open here."""
        for challenge_id in challenge_ids:
            board = self._boards.get(challenge_id)
            people = board.presence.in_this_process() if board else []
            self._bus.say({"kind": "here", "challenge_id": challenge_id, "people": people})

    def _hear(self, message: Mapping[str, Any]) -> None:
        """Note what another process says: who is there, or that it wants to know who is here."""
        if message["kind"] == "ask":
            asked = message.get("challenge_id")
            self._announce(board for board in list(self._boards) if asked in (None, board))
        elif message["kind"] == "here":
            board = self._boards.get(int(message["challenge_id"]))
            if board is not None:
                people = [int(id) for id in message["people"]]
                if board.presence.told(str(message["origin"]), people, asyncio.get_running_loop().time()):
                    self._tell_presence_soon(board)

    # care

    async def _ping(self, _: int) -> None:
        """Keep the connections of quiet boards open, and learn which are lost."""
        await self._spread([reader for reader in self._everyone() if reader.keeps_up], PING)

    async def _check(self, time: int) -> None:
        """See who may still watch, which boards have turned to another phase, and who is here elsewhere.

        Where the database does not answer, streams are kept until it does: without it there is nothing new to see.
        """
        if time % ANNOUNCE_EVERY == 0:
            self._announce(list(self._boards))
        for board in self._boards.values():
            if board.presence.forget_old(asyncio.get_running_loop().time()):
                self._tell_presence_soon(board)
        if not self._boards:
            self._turned_until = clock.now()
            return
        await self._end_forbidden(self._everyone())
        await self._tell_turned(list(self._boards))

    async def _end_forbidden(self, readers: Sequence[Reader]) -> None:
        """End the streams of those whose session or membership has ended, found in one select."""
        pairs = {(reader.session_id, reader.programme_id) for reader in readers}
        allowed = await self._database.read_unbounded(partial(watching.still_allowed, watching=pairs))
        for reader in readers:
            if (reader.session_id, reader.programme_id) not in allowed:
                _finish(reader, "signed-out")

    async def _tell_turned(self, challenge_ids: Sequence[int]) -> None:
        """Have the pages of boards loaded anew whose phase has begun or ended by the clock."""
        now = clock.now()
        turned = await self._database.read(
            partial(watching.turned, challenge_ids=challenge_ids, after=self._turned_until, until=now)
        )
        self._turned_until = now
        for challenge_id in turned & self._boards.keys():
            readers = self._boards[challenge_id].everyone()
            await self._spread(readers, sse.body(self._refresh("changed", len(readers))))

    def _everyone(self) -> list[Reader]:
        return [reader for board in self._boards.values() for reader in board.everyone()]

    async def _every(self, pause_s: float, do: Callable[[int], Coroutine[Any, Any, None]]) -> None:
        time = 0
        while True:
            await asyncio.sleep(pause_s)
            time += 1
            try:
                await do(time)
            except Unavailable:
                continue
            except Exception:
                log.exception("streams_not_cared_for")

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        if self._is_closed:  # a timer that was set before the end
            work.close()
            return
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


_TOO_SLOW: Final = sse.end(sse.encode(json.dumps({"reason": "slow", "within_ms": 0}), event="refresh"))


def _finish(reader: Reader, reason: Ending) -> None:
    """End a stream for good: the page is told not to come back by itself."""
    reader.finish(sse.end(sse.encode(json.dumps({"reason": reason}), event="closed")))


def _missed(connection: Connection, challenge_id: int, after: int | None) -> tuple[int, list[Change] | None]:
    """Up to which event the log goes, and what of it comes after `after`; None if that cannot be told again."""
    last = newest(connection)
    if after is None:
        return last, []
    if not 0 <= after <= last:
        return last, None
    changes = changes_on(connection, challenge_id, after, limit=MOST_MISSED + 1)
    if len(changes) > MOST_MISSED:
        return last, None
    return max(last, changes[-1].id if changes else 0), changes
