"""A copy kept by examples/keep_a_copy.py is what the database holds, whatever falls meanwhile.

`PARTNERSHIP_TEST_COPY_EVENTS=100000` makes it as many events as docs/performance.md tells of.
"""

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import func, select

from app.integrations.bus import newest
from app.models import Challenge, Comment, Idea, Person, Placement, Support
from app.models.base import table
from app.services import erasure, people
from tests.durability.servers import ROOT, ServerProcess
from tests.durability.writers import Writers
from tests.factories.world import fresh

EVENTS = int(os.environ.get("PARTNERSHIP_TEST_COPY_EVENTS", "2000"))
RESTARTS = 3 if EVENTS > 5_000 else 1
PATIENCE_S = 180 if EVENTS <= 5_000 else 3 * 3600
CHALLENGE, IDEA, COMMENT = table(Challenge), table(Idea), table(Comment)
PERSON, PLACEMENT, SUPPORT = table(Person), table(Placement), table(Support)


class Copy:
    """The script as a process of its own, killed and started again on the same file."""

    def __init__(self, file: Path, log: Path, token: str, programme_id: int) -> None:
        self.file = file
        self._log = log
        self._arguments = [str(programme_id), str(file)]
        self._environment = {**os.environ, "TOKEN": token}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, server: ServerProcess) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "examples/keep_a_copy.py", f"{server.base_url}/api/v1", *self._arguments],
                cwd=ROOT,
                env=self._environment,
                stdout=log,
                stderr=log,
            )

    def kill(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def position(self) -> int:
        try:
            with sqlite3.connect(f"file:{self.file}?mode=ro", uri=True, timeout=10) as copy:
                found = copy.execute("SELECT position FROM state").fetchone()
        except sqlite3.OperationalError:
            return 0
        return int(found[0]) if found and found[0] != "now" else 0

    def wait_until(self, position: int, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while self.position() < position:
            assert self._process is not None
            assert self._process.poll() is None, self._log.read_text()[-2000:]
            assert time.monotonic() < deadline, (self.position(), position)
            time.sleep(0.1)

    def kept(self) -> dict[str, dict]:
        with sqlite3.connect(self.file) as copy:
            return {name: json.loads(item) for name, item in copy.execute("SELECT name, item FROM kept")}


class Race:
    """Writers against two servers, while each side is killed in its turn."""

    def __init__(self, world, servers: list[ServerProcess], writers: Writers, copy: Copy) -> None:
        self.world = world
        self.servers = servers
        self.writers = writers
        self.copy = copy
        self.began_at = world.ask(newest)
        self.is_over = False

    async def run(self) -> None:
        await asyncio.gather(self.writers.write_until(lambda: self.is_over), self._look_after())

    async def _look_after(self) -> None:
        kills = [*self.servers, self.copy] * RESTARTS
        done = happened = 0
        while happened < EVENTS or done < len(kills):
            await asyncio.sleep(0.05)
            happened = await asyncio.to_thread(self.world.ask, newest) - self.began_at
            if done < len(kills) and happened >= EVENTS * (done + 1) // (len(kills) + 1):
                await self._fell(kills[done], self.servers[done // 3 % 2])
                done += 1
                # What no call of the API changes, and what touches much at once:
                named = {"name": f"Bob {done}", "email": self.world.bob.email}
                await asyncio.to_thread(self.world.do, people.correct, fresh(self.world.bob), **named)
                self.writers.rare += 5
        self.is_over = True

    async def _fell(self, side: ServerProcess | Copy, other: ServerProcess) -> None:
        await asyncio.to_thread(side.kill)
        await asyncio.to_thread(side.start, *([other] if side is self.copy else []))


@pytest.fixture
def servers(world, database_url, tmp_path):
    redis = os.environ.get("PARTNERSHIP_TEST_REDIS_URL", "")
    named = {"redis_url": redis, "base_url": "http://127.0.0.1"}
    pair = [
        ServerProcess(database_url, tmp_path / f"log{number}", replica=f"r{number}", **named)
        for number in range(2)
    ]
    yield [server.start() for server in pair]
    for server in pair:
        server.kill()


@pytest.mark.slow
@pytest.mark.timeout(PATIENCE_S + 120)
def test_a_copy_kept_through_kills_is_the_database(world, servers, tmp_path, capsys):
    writing = {name: getattr(world, name) for name in ("alice", "ana", "bob", "bea", "fay", "cora", "hana")}
    tokens = {name: world.token(person, "read", "write", "admin") for name, person in writing.items()}
    boards = [world.challenge_id, world.challenge(), world.challenge()]
    reading = world.token(world.olga, "read")
    writers = Writers([server.port for server in servers], tokens, world.programme_id, boards)
    copies = [
        Copy(tmp_path / f"{name}.db", tmp_path / f"{name}.log", reading, world.programme_id)
        for name in ("kept", "anew")
    ]
    copy, anew = copies
    began = time.monotonic()
    race = Race(world, servers, writers, copy)
    try:
        copy.start(servers[0])
        asyncio.run(race.run())
        world.do(erasure.erase, fresh(world.ana), world.ana.person_id, confirmed=True, with_texts=True)
        wrote_s, end = time.monotonic() - began, world.ask(newest)
        copy.wait_until(end, PATIENCE_S / 2)
        kept_s = time.monotonic() - began
        anew.start(servers[1])
        anew.wait_until(end, PATIENCE_S / 2)
        while (
            last := world.ask(newest)
        ) > end:  # what a server still had in hand when its caller had gone elsewhere
            print(f"{last - end} events came late")
            end = last
            for each in copies:
                each.wait_until(end, PATIENCE_S / 2)
    finally:
        for each in copies:
            each.kill()

    kept, told = copy.kept(), anew.kept()
    assert kept.keys() == told.keys()
    assert [(kept[name], told[name]) for name in kept if kept[name] != told[name]] == []
    for kind, held in IN_THE_DATABASE.items():
        assert of_kind(kept, kind) == world.ask(held), (kind, end, world.ask(newest))
    assert writers.answers[200] > EVENTS / 3
    with capsys.disabled():
        print(
            f"\na copy through {3 * RESTARTS} kills, {world.database.url.drivername}: {end - race.began_at} events "
            f"in {wrote_s:.0f} s, the copy there {kept_s - wrote_s:.1f} s later; {len(kept)} things; "
            f"answers {dict(sorted(writers.answers.items()))}"
        )


def of_kind(kept, kind):
    """What was kept of one kind, as far as the database is asked for it."""
    found = {name: item for name, item in kept.items() if name.split("/")[-2] == kind}
    return {item["id"]: TOLD[kind](name, item) for name, item in found.items()}


TOLD = {
    "challenges": lambda _, item: (item["title"], item["summary"]),
    "placements": lambda _, item: (item["title"], item["version"]),
    "ideas": lambda name, item: (
        int(name.split("/")[-3]),
        item["title"],
        item["body"],
        item["cluster"],
        item["comments"],
        item["tally"]["total"],
        None if item["author"] is None else item["author"]["name"],
    ),
    "comments": lambda name, item: (int(name.split("/")[-3]), item["body"], item["author"]["name"]),
}


def ideas_in_the_database(connection):
    supports = select(func.count()).where(SUPPORT.c.idea_id == IDEA.c.id).scalar_subquery()
    shown = (
        (COMMENT.c.idea_id == IDEA.c.id) & COMMENT.c.withdrawn_at.is_(None) & COMMENT.c.hidden_at.is_(None)
    )
    comments = select(func.count()).where(shown).scalar_subquery()
    rows = connection.execute(
        select(
            IDEA.c.id,
            IDEA.c.challenge_id,
            IDEA.c.title,
            IDEA.c.body,
            IDEA.c.cluster_id,
            comments,
            supports,
            PERSON.c.name,
        )
        .join(PERSON, PERSON.c.id == IDEA.c.author_id)
        .join(CHALLENGE, CHALLENGE.c.id == IDEA.c.challenge_id)
        .where(IDEA.c.state == "open", CHALLENGE.c.deleted_at.is_(None), IDEA.c.programme_id == 1)
    )
    return {row[0]: tuple(row[1:]) for row in rows}


def comments_in_the_database(connection):
    rows = connection.execute(
        select(COMMENT.c.id, COMMENT.c.idea_id, COMMENT.c.body, PERSON.c.name)
        .join(PERSON, PERSON.c.id == COMMENT.c.author_id)
        .join(IDEA, IDEA.c.id == COMMENT.c.idea_id)
        .where(IDEA.c.state == "open", COMMENT.c.withdrawn_at.is_(None), COMMENT.c.hidden_at.is_(None))
    )
    return {row[0]: tuple(row[1:]) for row in rows}


def challenges_in_the_database(connection):
    rows = connection.execute(
        select(CHALLENGE.c.id, CHALLENGE.c.title, CHALLENGE.c.summary).where(
            CHALLENGE.c.deleted_at.is_(None), CHALLENGE.c.programme_id == 1
        )
    )
    return {row[0]: tuple(row[1:]) for row in rows}


def placements_in_the_database(connection):
    rows = connection.execute(
        select(PLACEMENT.c.id, PLACEMENT.c.title, PLACEMENT.c.version).where(
            PLACEMENT.c.published_at.is_not(None), PLACEMENT.c.withdrawn_at.is_(None)
        )
    )
    return {row[0]: tuple(row[1:]) for row in rows}


IN_THE_DATABASE = {
    "challenges": challenges_in_the_database,
    "ideas": ideas_in_the_database,
    "comments": comments_in_the_database,
    "placements": placements_in_the_database,
}
