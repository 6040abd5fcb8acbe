"""Two sides take turns in one run, so that whatever else the machine does hits both."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import cycle

import uvloop

from bench import load
from bench.data import Board
from bench.figures import Duel, Measured
from bench.servers import Server

BROWSER = (
    ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
    ("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
    ("Accept-Language", "en-GB,en;q=0.7"),
    ("Accept-Encoding", "gzip, deflate, br, zstd"),
    ("Sec-Fetch-Dest", "empty"),
    ("Sec-Fetch-Mode", "cors"),
    ("Sec-Fetch-Site", "same-origin"),
)
"""What a browser sends with each request; the floors get the same."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how much is measured."""

    rounds: int = 7
    seconds: float = 2.0
    warm_s: float = 1.0
    connections: int = 64
    people: int = 500
    watchers: int = 500
    readers: int = 2000
    changes: int = 15
    supports: tuple[int, int] = (1_000, 1_000_000)
    ideas: tuple[int, int] = (200, 20_000)
    starts: int = 7
    voters: int = 100_000
    peer_voters: int = 100_000
    votes: tuple[int, int] = (1_000, 1_000_000)
    rows: tuple[int, int, int] = (10_000, 300_000, 1_000_000)


FULL = Plan()
QUICK = Plan(
    rounds=3,
    seconds=0.7,
    warm_s=0.4,
    changes=5,
    supports=(1_000, 100_000),
    ideas=(200, 5_000),
    starts=3,
    voters=10_000,
    peer_voters=2_000,
    votes=(1_000, 100_000),
    rows=(10_000, 50_000, 100_000),
)
TINY = Plan(
    rounds=1,
    seconds=0.15,
    warm_s=0.05,
    connections=4,
    people=20,
    watchers=5,
    readers=20,
    changes=2,
    supports=(20, 200),
    ideas=(60, 130),
    starts=1,
    voters=200,
    peer_voters=100,
    votes=(20, 200),
    rows=(500, 1_000, 2_000),
)


class Contestant:
    """One side: a server, and the requests that it is to answer."""

    def __init__(
        self,
        server: Server,
        requests: Iterable[bytes],
        plan: Plan,
        *,
        connections: int,
        wanted: int = 200,
        before: Callable[[], None] | None = None,
        most: int = 1_000_000,
    ) -> None:
        self.server = server
        self.requests: Iterator[bytes] = cycle(requests)
        self.plan = plan
        self.connections = connections
        self.wanted = wanted
        self.before = before
        self.most = most

    def warm(self) -> None:
        """A first run that nobody counts."""
        self._send(self.plan.warm_s)

    def run(self) -> Measured:
        """One round."""
        if self.before:
            self.before()
        began = self.server.cpu_s()
        sample = self._send(self.plan.seconds)
        return Measured.of(sample, self.server.cpu_s() - began)

    def _send(self, seconds: float) -> load.Sample:
        return uvloop.run(
            load.send(
                self.server.port,
                self.requests,
                connections=self.connections,
                seconds=seconds,
                most=self.most,
                wanted=self.wanted,
            )
        )


def duel(here: Contestant, floor: Contestant, plan: Plan) -> Duel:
    """Let both run in turn, `plan.rounds` times; who begins changes."""
    here.warm()
    floor.warm()
    ours: list[Measured] = []
    theirs: list[Measured] = []
    for number in range(plan.rounds):
        for side, kept in ((here, ours), (floor, theirs))[:: 1 if number % 2 else -1]:
            kept.append(side.run())
    return Duel(tuple(ours), tuple(theirs))


def signed_in(board: Board, person: int = 1) -> tuple[tuple[str, str], ...]:
    """The headers of this person's browser."""
    return (*BROWSER, ("Cookie", f"session={board.cookies[person - 1]}"))
