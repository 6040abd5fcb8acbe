"""Support through the page: against bare programs, while many watch, and with a million supports there."""

import asyncio
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import uvloop
from sqlalchemy.exc import OperationalError

from bench import data, load, servers
from bench.data import Board, Size
from bench.duels import BROWSER, Contestant, Plan, duel, signed_in
from bench.figures import Aim, Figure
from bench.servers import Server

IDEAS = 10
"""Among so many ideas support is spread."""

SETTLING_S = 2.0
"""Until everyone has been told who is here."""

HTMX = (
    ("HX-Request", "true"),
    ("HX-Request-Type", "partial"),
    ("Content-Type", "application/x-www-form-urlencoded"),
)
POSTGRES = os.environ.get("PARTNERSHIP_TEST_POSTGRES_URL") or "postgresql:///test"
ACTS = ("support", "support/withdrawal")


def on_sqlite(plan: Plan, directory: Path) -> list[Figure]:
    """The page on SQLite against raw sqlite3."""
    board = data.fill(f"sqlite:///{directory}/support.db", Size(people=plan.people, signed_in=plan.people))
    with (
        servers.application(directory, board.url) as here,
        servers.floor("support_sqlite", directory, f"{directory}/floor.db") as floor,
    ):
        return _figures(
            plan,
            board,
            here,
            floor,
            job="support, SQLite",
            against="raw sqlite3",
            aims={"rate": ("at least", 0.5), "CPU": ("at most", 2.5)},
        )


def on_postgres(plan: Plan, directory: Path) -> list[Figure]:
    """The page on PostgreSQL against asyncpg; nothing, where there is no PostgreSQL."""
    try:
        with data.postgres(POSTGRES) as url:
            board = data.fill(url, Size(people=plan.people, signed_in=plan.people))
            with (
                servers.application(directory, url) as here,
                servers.floor("support_postgres", directory, url) as floor,
            ):
                return _figures(
                    plan,
                    board,
                    here,
                    floor,
                    job="support, PostgreSQL",
                    against="asyncpg",
                    aims={"rate": ("at least", 1.0)},
                )
    except OperationalError:
        print("PostgreSQL: none answers; name one in PARTNERSHIP_TEST_POSTGRES_URL", file=sys.stderr)
        return []


def while_watched(plan: Plan, directory: Path) -> list[Figure]:
    """The same board while many have it open, against nobody."""
    quiet = data.fill(f"sqlite:///{directory}/quiet.db", Size(people=plan.people, signed_in=plan.people))
    watched = data.copy(quiet, directory / "watched.db")
    with (
        servers.application(directory, watched.url) as here,
        servers.application(directory, quiet.url) as floor,
        _watching(here, watched, plan.watchers) as audience,
    ):
        rounds = duel(
            Contestant(here, list(_by_page(watched)), plan, connections=plan.connections),
            Contestant(floor, list(_by_page(quiet)), plan, connections=plan.connections),
            plan,
        )
        reached = audience.reached()
    job = f"support, {plan.watchers} people watch"
    note = "" if reached == plan.watchers else f"only {reached} were told"
    p50 = rounds.figure(job, "nobody watches", "p50", ("at most", 1.5))
    return [p50.noting(note), rounds.figure(job, "nobody watches", "CPU")]


def with_many(plan: Plan, directory: Path) -> list[Figure]:
    """A board with very many supports against one with few, with the same people and ideas."""
    few, many = plan.supports
    each = 50 if many >= 10_000 else 5
    people = max(many // each, plan.people)
    sizes = [
        Size(ideas=max(200, each), people=people, supporters=total // each, each=each, signed_in=plan.people)
        for total in (few, many)
    ]
    small, large = (
        data.fill(f"sqlite:///{directory}/{number}-supports.db", size) for number, size in enumerate(sizes)
    )
    with (
        servers.application(directory, large.url) as here,
        servers.application(directory, small.url) as floor,
    ):
        rounds = duel(
            Contestant(here, list(_by_page(large)), plan, connections=plan.connections),
            Contestant(floor, list(_by_page(small)), plan, connections=plan.connections),
            plan,
        )
    job, against = f"support with {many:,} there", f"with {few:,}"
    aim: Aim = ("at most", 1.2)
    return [rounds.figure(job, against, "CPU", aim), rounds.figure(job, against, "p50", aim)]


def _figures(
    plan: Plan, board: Board, here: Server, floor: Server, *, job: str, against: str, aims: dict[str, Aim]
) -> list[Figure]:
    rounds = duel(
        Contestant(here, list(_by_page(board)), plan, connections=plan.connections),
        Contestant(floor, list(_bare(board)), plan, connections=plan.connections),
        plan,
    )
    _, wrong = data.check_tallies(board.url)
    note = f"{wrong} tallies are wrong" if wrong else ""
    return [
        rounds.figure(job, against, "rate", aims.get("rate")).noting(note),
        rounds.figure(job, against, "CPU", aims.get("CPU")).noting(note),
    ]


def _by_page(board: Board) -> Iterator[bytes]:
    """Everyone supports one idea, then takes it back, then the next idea: every request changes something."""
    for idea in range(1, IDEAS + 1):
        for act in ACTS:
            for person in range(1, len(board.cookies) + 1):
                yield load.request("POST", f"/ideas/{idea}/{act}", [*signed_in(board, person), *HTMX])


def _bare(board: Board) -> Iterator[bytes]:
    for idea in range(1, IDEAS + 1):
        for act in ACTS:
            for person in range(1, len(board.cookies) + 1):
                yield load.request("POST", f"/ideas/{idea}/{act}?person={person}", [*BROWSER, *HTMX])


class _Audience:
    """People with the board open, read in a thread of their own so that the load client's loop can end."""

    def __init__(self, port: int, board: Board, people: int) -> None:
        self._received = [0] * people
        self._silent = people
        self._requests = [
            load.request(
                "GET",
                f"/challenges/{data.CHALLENGE}/stream",
                [*signed_in(board, 1 + person % len(board.cookies))],
            )
            for person in range(people)
        ]
        self._port = port
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=lambda: uvloop.run(self._watch()), daemon=True)

    def begin(self) -> None:
        """Open all streams, and wait until each has begun."""
        self._thread.start()
        if not self._ready.wait(60):
            raise RuntimeError(f"only {self.reached()} of {len(self._received)} streams began")
        self._received[:] = [0] * len(self._received)

    def reached(self) -> int:
        """How many have received anything since the beginning."""
        return sum(count > 0 for count in self._received)

    def end(self) -> None:
        """Close all streams."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(10)

    async def _watch(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._over = asyncio.Event()
        self._begun = asyncio.Event()
        readers = [await self._open(number) for number in range(len(self._requests))]
        await self._begun.wait()
        await asyncio.sleep(SETTLING_S)
        self._ready.set()
        await self._over.wait()
        for transport in readers:
            transport.close()

    def _receive(self, number: int, length: int) -> None:
        if not self._received[number]:
            self._silent -= 1
            if not self._silent:
                self._begun.set()
        self._received[number] += length

    async def _open(self, number: int) -> asyncio.Transport:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_connection(
            lambda: _Reader(partial(self._receive, number)), "127.0.0.1", self._port
        )
        transport.write(self._requests[number])
        return transport


class _Reader(asyncio.Protocol):
    """One open board: tells how much comes."""

    def __init__(self, receive: Callable[[int], None]) -> None:
        self._receive = receive

    def data_received(self, data: bytes) -> None:
        self._receive(len(data))


@contextmanager
def _watching(server: Server, board: Board, people: int) -> Iterator[_Audience]:
    audience = _Audience(server.port, board, people)
    audience.begin()
    try:
        yield audience
    finally:
        audience.end()
