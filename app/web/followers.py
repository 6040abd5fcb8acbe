"""Followers of the event log: who waits for news (long-poll), and who is sent them as they come (Server-Sent Events).

Nobody holds a connection to the database or a place among those who are answered. A follower is woken by the bus, or
looks by itself after a few seconds, and reads the log on from where they stand, with what they may do by then: so one
who reads slowly costs no memory and misses nothing, and one whose token has ended is told so at the next look.
"""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any, Final

import structlog
from pydantic_core import to_json
from sqlalchemy.engine import Connection
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.database import Database
from app.errors import DomainError, NotAllowed, NotSignedIn, TooMany, Unavailable
from app.integrations.bus import Bus, Change
from app.lib.i18n import N_
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import may
from app.services import events, tokens
from app.services.events import Told, Wanted
from app.services.programmes import ProgrammeView
from app.web import items, sse

log = structlog.get_logger(__name__)

LOOK_S: Final = 4.0
"""How often a follower looks by themselves, so that whose token has ended follows for no 5 s longer."""

GATHER_S: Final = 0.1
"""The least time between two looks of one follower, so that a rush of commits costs few selects."""

PING_EVERY: Final = 4
"""After so many looks without news a stream is sent a sign of life."""

PAGE: Final = 200
"""Events in one look of a stream."""

MOST: Final = 500
MOST_EACH: Final = 8
"""Followers of one process, and of one person or client among them."""

NAME: Final = "followers"


@dataclass(frozen=True, slots=True)
class Asked:
    """Who follows which events of a programme; from after `after` on, or from now on if it is None."""

    actor: Actor
    programme: ProgrammeView
    wanted: Wanted
    after: int | None

    @property
    def who(self) -> int:
        """Whose followers are counted together."""
        return self.actor.person_id or 0


class Followers:
    """All the followers of this process."""

    def __init__(self, database: Database, bus: Bus, *, most: int = MOST, most_each: int = MOST_EACH) -> None:
        self._database = database
        self._bus = bus
        self._most = most
        self._most_each = most_each
        self._woken: dict[asyncio.Event, int] = {}
        self._counts: Counter[int] = Counter()
        self._is_ending = False
        bus.listeners.append(self._changed)

    @property
    def count(self) -> int:
        """How many follow now."""
        return len(self._woken)

    def close_all(self) -> None:
        """Let everyone go, as the server stops: who waits is answered, and streams end; idempotent."""
        self._is_ending = True
        for woken in self._woken:
            woken.set()

    async def wait(self, asked: Asked, limit: int, seconds: float, receive: Receive) -> Told:
        """What there is to tell as soon as there is anything, after so many seconds, or when the reader leaves.

        :raises NotSignedIn: the token has ended meanwhile
        :raises TooMany: this person or client follows in too many places already
        """
        loop = asyncio.get_running_loop()
        ends = loop.time() + seconds
        async with self._following(asked) as woken, _leaving(receive, woken) as leaving:
            while True:
                _, told = await self._look(asked, limit)
                left = ends - loop.time()
                if told.rows or left <= 0 or self._is_ending or leaving.done():
                    return told
                asked = replace(asked, after=told.position)
                await _woken_or_after(woken, min(left, LOOK_S))

    async def stream(self, asked: Asked, base_url: str, receive: Receive, send: Send) -> None:
        """Send what happens as it happens, until the reader leaves or may read no more.

        :raises TooMany: this person or client follows in too many places already
        """
        async with self._following(asked) as woken:
            if self._is_ending:
                raise Unavailable(N_("The server is stopping. Please come again."))
            try:
                async with _leaving(receive, woken) as leaving:
                    await _Line(self, asked, base_url, send, woken).follow(leaving)
            except TimeoutError:
                log.info("follower_given_up")
            except OSError:
                log.debug("follower_left")

    @property
    def is_ending(self) -> bool:
        """Whether the server is stopping."""
        return self._is_ending

    async def look(self, asked: Asked) -> tuple[Actor, Told]:
        """One page of what a stream has not told yet, and who reads it now."""
        return await self._look(asked, PAGE)

    async def _look(self, asked: Asked, limit: int) -> tuple[Actor, Told]:
        return await self._database.read(lambda connection: _read(connection, asked, limit))

    @asynccontextmanager
    async def _following(self, asked: Asked) -> AsyncIterator[asyncio.Event]:
        """Count someone among the followers; what they get is set when there is news of their programme."""
        if self.count >= self._most:
            raise Unavailable(N_("Too many programs follow the log at the moment. Please ask again later."))
        if self._counts[asked.who] >= self._most_each:
            raise TooMany(
                N_("You follow the log in %(most)s places already. Please end one of them first."),
                retry_after_s=30,
                most=self._most_each,
            )
        woken = asyncio.Event()
        self._woken[woken] = asked.programme.id
        self._counts[asked.who] += 1
        try:
            await self._bus.attend(NAME)
            yield woken
        finally:
            del self._woken[woken]
            self._counts[asked.who] -= 1
            if not self._counts[asked.who]:
                del self._counts[asked.who]
            if not self._woken:
                self._bus.rest(NAME)

    def _changed(self, changes: Sequence[Change]) -> None:
        programmes = {change.programme_id for change in changes}
        for woken, programme_id in self._woken.items():
            if programme_id in programmes:
                woken.set()


class _Line:
    """What is sent to one stream: it is looked for only once the reader has taken what came before."""

    def __init__(
        self, followers: Followers, asked: Asked, base_url: str, send: Send, woken: asyncio.Event
    ) -> None:
        self._followers = followers
        self._asked = asked
        self._base_url = base_url
        self._send = send
        self._woken = woken
        self._said = asked.after or 0
        self._quiet = 0

    async def follow(self, leaving: "asyncio.Task[None]") -> None:
        """Send and look on, by turns, until the reader has left or must go."""
        await self._put(sse.START)
        await self._put(sse.body(_position(self._said, retry_ms=1000)))
        while not leaving.done():
            if self._followers.is_ending:
                await self._put(sse.end())
                return
            try:
                await self._go_on()
            except Unavailable:  # of which no reader shall hear: the next look is soon
                await _woken_or_after(self._woken, LOOK_S)
            except DomainError as error:
                reason = "signed-out" if isinstance(error, NotSignedIn) else "changed"
                await self._put(sse.end(sse.encode(json.dumps({"reason": reason}), event="closed")))
                return

    async def _go_on(self) -> None:
        """Tell what there is, or wait for it."""
        actor, told = await self._followers.look(self._asked)
        if _sees(actor, self._asked) != _sees(self._asked.actor, self._asked):
            raise NotAllowed(N_("Your role in this programme has changed."))
        self._asked = replace(self._asked, after=told.position)
        if told.rows:
            self._said, self._quiet = told.rows[-1].id, 0
            await self._put(sse.body(_encoded(self._base_url, self._asked.programme, told.rows)))
            await asyncio.sleep(0 if len(told.rows) == PAGE else GATHER_S)
            return
        self._quiet += 1
        if self._quiet % PING_EVERY == 0:
            is_there = self._said == told.position
            await self._put(sse.PING if is_there else sse.body(_position(told.position)))
            self._said = told.position
        await _woken_or_after(self._woken, LOOK_S)

    async def _put(self, message: Any) -> None:
        """Send, unless the reader does not take it: then the connection is given up."""
        async with asyncio.timeout(sse.PATIENCE_S):
            await self._send(message)


class Stream(Response):
    """A stream as an answer."""

    media_type = "text/event-stream"

    def __init__(self, followers: Followers, asked: Asked, base_url: str) -> None:
        super().__init__()
        self._followers = followers
        self._asked = asked
        self._base_url = base_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it; ASGI."""
        scope["state"].pop("actor", None)  # nothing that only the beginning needs stays for hours
        await self._followers.stream(self._asked, self._base_url, receive, send)


def _read(connection: Connection, asked: Asked, limit: int) -> tuple[Actor, Told]:
    actor = tokens.again(connection, asked.actor.token_id or 0)
    if not actor.is_known:
        raise NotSignedIn(N_("This token is not valid: it may be mistyped, expired or revoked."))
    told = events.in_programme(
        connection, actor, asked.programme, after=asked.after, limit=limit, wanted=asked.wanted
    )
    return actor, told


def _sees(actor: Actor, asked: Asked) -> tuple[bool, str | None]:
    """What decides what someone is told: a stream ends when it becomes another, so that nothing is told by halves."""
    return may(actor, Permission.RUN_EXCHANGES, asked.programme), actor.role_in(asked.programme.id)


async def _woken_or_after(woken: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await woken.wait()
    woken.clear()


@asynccontextmanager
async def _leaving(receive: Receive, woken: asyncio.Event) -> AsyncIterator["asyncio.Task[None]"]:
    """A task that is done once the reader has left, of which `woken` tells too."""
    leaving = asyncio.create_task(_left(receive, woken))
    try:
        yield leaving
    finally:
        leaving.cancel()
        with suppress(asyncio.CancelledError):
            await leaving


async def _left(receive: Receive, woken: asyncio.Event) -> None:
    """Wait until the reader is gone, or sends no more: once a request is whole, nothing else comes."""
    is_whole = False
    while (message := await receive())["type"] != "http.disconnect" and not is_whole:
        is_whole = not message.get("more_body", False)
    woken.set()


def _encoded(base_url: str, programme: ProgrammeView, rows: Sequence[Any]) -> bytes:
    return b"".join(
        sse.encode(to_json(items.event(base_url, programme, row)).decode(), id=row.id) for row in rows
    )


def _position(position: int, *, retry_ms: int | None = None) -> bytes:
    told = json.dumps({"position": position})
    return sse.encode(told, event="position", id=position, retry_ms=retry_ms)
