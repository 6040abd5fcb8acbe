"""Tells this process, and through Redis the others, that the event log has grown, and reads what is new in it.

The log is the truth and messages only wake: whoever is told reads the log on from where it stands. So nothing
is lost or told twice however many messages are, what comes is in the order of commits, and where Redis is
gone or was never there, a look at the log once a second does the same, only later.
"""

import asyncio
import json
import secrets
from collections import deque
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from contextlib import suppress
from functools import partial
from random import uniform
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import structlog
from sqlalchemy import Table, func, select
from sqlalchemy.engine import Connection

from app.database import Database
from app.errors import Unavailable
from app.models import Event
from app.models.base import table

if TYPE_CHECKING:
    from redis.asyncio import Redis
    from redis.asyncio.client import PubSub

log = structlog.get_logger(__name__)

EVENT = table(Event)

CHANNEL: Final = "partnership:live"
"""Where the processes of one installation meet. Another's message would only wake us, not tell us anything."""

GATHER_S: Final = 0.03
"""The least time between two looks at the log, so that a rush of commits costs few selects."""

POLL_S: Final = 1.0
"""How often the log is looked at where no other process can wake us."""

SAFETY_POLL_S: Final = 5.0
"""How often it is looked at where Redis wakes us: its messages come at most once."""

READ_LIMIT: Final = 500
"""Events in one look."""

QUIET_S: Final = 5.0
"""After this long without a word from Redis it is asked whether it is there; after twice that it counts as gone."""

FIRST_DELAY_S: Final = 0.25
LONGEST_DELAY_S: Final = 5.0


class Change(NamedTuple):
    """One event, as those who follow the log need it: ids and its type, no text of people."""

    id: int
    programme_id: int | None
    challenge_id: int | None
    idea_id: int | None
    subject_id: int | None
    type: str


Listener = Callable[[Sequence[Change]], None]
Hearer = Callable[[Mapping[str, Any]], None]

_CHANGE: Final = select(
    EVENT.c.id,
    EVENT.c.programme_id,
    EVENT.c.challenge_id,
    EVENT.c.idea_id,
    EVENT.c.subject_id,
    EVENT.c.type,
).order_by(EVENT.c.id)


def newest(connection: Connection) -> int:
    """The id of the log's last event; 0 before the first."""
    return connection.execute(select(func.max(EVENT.c.id))).scalar() or 0


def changes_after(connection: Connection, after: int, *, limit: int = READ_LIMIT) -> list[Change]:
    """What happened after the event `after`, in the order of commits."""
    return [Change(*row) for row in connection.execute(_CHANGE.where(EVENT.c.id > after).limit(limit))]


def changes_on(connection: Connection, challenge_id: int, after: int, *, limit: int) -> list[Change]:
    """What happened on one challenge after the event `after`, in the order of commits."""
    of_challenge = _CHANGE.where(EVENT.c.challenge_id == challenge_id, EVENT.c.id > after)
    return [Change(*row) for row in connection.execute(of_challenge.limit(limit))]


class Bus:
    """One process's ear on the log, and its word to the other processes.

    Give `committed` to `Database.after_commit`. What the `listeners` get, they get in the event loop, in the order
    of commits and without a gap, as long as one of them attends.
    """

    def __init__(self, database: Database, redis_url: str | None = None) -> None:
        self.origin = secrets.token_hex(8)
        self.listeners: list[Listener] = []
        self.hearer: Hearer = _ignore
        self.is_relayed = False
        self._database = database
        self._redis = _client(redis_url) if redis_url else None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._position: int | None = None
        self._attending: set[str] = set()
        self._woken = asyncio.Event()
        self._is_waking = False
        self._to_say: deque[str] = deque(maxlen=1000)
        self._unsaid = asyncio.Event()
        self._grown = False

    @property
    def state(self) -> str:
        """`alone` (no Redis is set), `relayed`, or `polling` (Redis is set, but does not answer)."""
        if self._redis is None:
            return "alone"
        return "relayed" if self.is_relayed else "polling"

    # the life of a process

    def start(self) -> None:
        """Begin, in the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._begin(self._follow())
        if self._redis is not None:
            self._begin(self._hear_others(self._redis))
            self._begin(self._tell_others(self._redis))

    async def close(self) -> None:
        """End; idempotent."""
        self._loop = None
        running = set(self._tasks)
        self._tasks.clear()
        while running:
            for task in running:
                task.cancel()
            _, running = await asyncio.wait(running, timeout=0.2)  # redis-py may swallow a cancellation
        if self._redis is not None:
            with suppress(*_failures()):
                await self._redis.aclose()

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.create_task(work))

    # following the log

    async def attend(self, who: str = "boards") -> None:
        """Follow the log from here on, for the sake of `who`.

        :raises Unavailable: the database does not answer
        """
        self._attending.add(who)
        if self._position is None:
            here = await self._database.read(newest)
            if self._position is None:
                self._position = here

    def rest(self, who: str = "boards") -> None:
        """Look at the log no more for the sake of `who`; not at all, if nobody else here wants to know."""
        self._attending.discard(who)
        if not self._attending:
            self._position = None

    def committed(self, appended: Collection[Table]) -> None:
        """Note, in the writer's thread and without ever waiting, that rows were appended."""
        loop = self._loop
        if loop is None or self._is_waking or EVENT not in appended:
            return
        self._is_waking = True
        try:
            loop.call_soon_threadsafe(self._wake_all)
        except RuntimeError:  # the loop has ended: nobody is left to be told
            self._is_waking = False

    def _wake_all(self) -> None:
        self._is_waking = False
        self._woken.set()
        if self._redis is not None:
            self._grown = True
            self._unsaid.set()

    async def _follow(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(SAFETY_POLL_S if self.is_relayed else POLL_S):
                    await self._woken.wait()
            self._woken.clear()
            if self._position is not None:
                await self._look()
            await asyncio.sleep(GATHER_S)

    async def _look(self) -> None:
        """Read the log on, and tell the listeners. A failure is no more than a delay: the next look is soon."""
        since = self._position
        if since is None:
            return
        try:
            changes = await self._database.read(partial(changes_after, after=since))
            if changes and self._position == since:
                self._position = changes[-1].id
                self._tell_listeners(changes)
        except Unavailable:
            return
        except Exception:
            log.exception("live_update_failed")
            return
        if len(changes) == READ_LIMIT:
            self._woken.set()

    def _tell_listeners(self, changes: Sequence[Change]) -> None:
        """Tell each, whatever becomes of the others."""
        for listener in tuple(self.listeners):
            try:
                listener(changes)
            except Exception:
                log.exception("live_update_failed")

    # between processes

    def say(self, message: Mapping[str, Any]) -> None:
        """Send a small message, of ids only, to the other processes, if they can be reached; never waits."""
        if self._redis is not None and self.is_relayed:
            self._to_say.append(json.dumps({**message, "origin": self.origin}, separators=(",", ":")))
            self._unsaid.set()

    async def _tell_others(self, redis: "Redis") -> None:
        delay = FIRST_DELAY_S
        while True:
            await self._unsaid.wait()
            self._unsaid.clear()
            try:
                await self._tell(redis)
                delay = FIRST_DELAY_S
            except _failures() as error:
                log.warning("redis_not_told", reason=type(error).__name__)
                self._unsaid.set()
                await asyncio.sleep(_jittered(delay))
                delay = min(2 * delay, LONGEST_DELAY_S)

    async def _tell(self, redis: "Redis") -> None:
        if self._grown:
            self._grown = False
            try:
                await redis.publish(CHANNEL, json.dumps({"kind": "grown", "origin": self.origin}))
            except BaseException:
                self._grown = True
                raise
        while self._to_say:
            await redis.publish(CHANNEL, self._to_say.popleft())

    async def _hear_others(self, redis: "Redis") -> None:
        delay = FIRST_DELAY_S
        while True:
            try:
                async with redis.pubsub(ignore_subscribe_messages=True) as channel:
                    await channel.subscribe(CHANNEL)
                    self._reached()
                    delay = FIRST_DELAY_S
                    await self._hear(channel)
            except _failures() as error:
                log.warning("redis_lost", reason=type(error).__name__)
            finally:
                self._lost()
            await asyncio.sleep(_jittered(delay))
            delay = min(2 * delay, LONGEST_DELAY_S)

    def _reached(self) -> None:
        """Catch up on what was said while we could not hear, and hear who else is there."""
        self.is_relayed = True
        self._woken.set()
        self._unsaid.set()
        self.say({"kind": "ask"})
        self.hearer({"kind": "ask"})

    def _lost(self) -> None:
        """From now on look at the log more often, beginning at once."""
        if self.is_relayed:
            self.is_relayed = False
            self._woken.set()

    async def _hear(self, channel: "PubSub") -> None:
        is_asked = False
        while True:
            message = await channel.get_message(timeout=QUIET_S)
            if message is not None:
                is_asked = False
                if message["type"] == "message":
                    self._take(message["data"])
            elif is_asked:
                raise ConnectionError("no answer")
            else:
                await channel.ping()
                is_asked = True

    def _take(self, data: bytes) -> None:
        try:
            message = json.loads(data)
            origin, kind = message["origin"], message["kind"]
        except (ValueError, KeyError, TypeError):
            log.warning("strange_message_on_the_bus")
            return
        if origin == self.origin:
            return
        if kind == "grown":
            self._woken.set()
            return
        try:
            self.hearer(message)
        except Exception:
            log.exception("message_not_understood")


def _ignore(_: object) -> None:
    """What is done with news where nobody wants them."""


def _client(url: str) -> "Redis":
    """A client that fails at once and leaves trying again to us, where it delays nobody.

    Its library takes 14 MiB and a quarter of the time to start, so that only who has a Redis loads it.
    """
    from redis.asyncio import Redis
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff

    client: Redis = Redis.from_url(
        url, socket_connect_timeout=2.0, socket_timeout=2.0, retry=Retry(NoBackoff(), 0)
    )
    return client


def _failures() -> tuple[type[Exception], ...]:
    """How Redis says that it cannot be reached."""
    from redis.exceptions import RedisError

    return RedisError, OSError


def _jittered(delay: float) -> float:
    return uniform(delay / 2, delay)
