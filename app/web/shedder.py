"""The load shedder: a few requests inside, some that wait for a moment, and a clear word to the rest."""

import asyncio
from collections import deque
from typing import Any, Final

from app.errors import Unavailable
from app.lib.i18n import N_
from app.web.metrics import Measures

INSIDE: Final = 64
"""Requests that are answered at the same time: those that write share a commit, so a few more cost less each."""

WAITING: Final = 32
"""Requests that wait for a place."""

PATIENCE_S: Final = 1.0
"""How long they wait."""

LEAVE: Final = "leave"
"""In a request's state: what gives its place inside to others."""


def step_aside(state: dict[str, Any]) -> None:
    """Give a request's place to others, for good: it will last long, and nobody waits for it."""
    state.get(LEAVE, _stay)()


def _stay() -> None:
    """Outside of the gateway, as in tests of one part, there is no place to give."""


class Shedder:
    """Counts who is inside. Places go to those who wait in the order they came."""

    def __init__(self, measures: Measures) -> None:
        self._measures = measures
        self._line: deque[asyncio.Future[None]] = deque()

    async def enter(self) -> None:
        """Come in, at once or after a moment.

        :raises Unavailable: too many wait, or a moment was not enough
        """
        if self._measures.inside < INSIDE:
            self._measures.inside += 1
        else:
            await self._wait()

    def leave(self) -> None:
        """Go, and give the place to the first who still waits."""
        while self._line:
            place = self._line.popleft()
            if not place.done():
                place.set_result(None)
                return
        self._measures.inside -= 1

    async def _wait(self) -> None:
        if self._measures.waiting >= WAITING:
            raise self._sent_away()
        place = asyncio.get_running_loop().create_future()
        self._line.append(place)
        self._measures.waiting += 1
        try:
            async with asyncio.timeout(PATIENCE_S):
                await place
        except BaseException as error:
            if place.done() and not place.cancelled():
                self.leave()  # the place was given in the very moment of giving up
            if isinstance(error, TimeoutError):
                raise self._sent_away() from None
            raise
        finally:
            self._measures.waiting -= 1

    def _sent_away(self) -> Unavailable:
        self._measures.shed += 1
        return Unavailable(N_("Very many people are here right now. Nothing was saved; please try again."))
