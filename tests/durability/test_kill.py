"""Acknowledged is saved: servers killed again and again under concurrent writes lose nothing and double nothing."""

import asyncio
import itertools
import random

import httpx2
import pytest
from sqlalchemy import func, select

from app.models import Idea, Support
from app.models.base import table
from tests.durability.servers import ServerProcess
from tests.services.test_support import recounted, shown

IDEA, SUPPORT = table(Idea), table(Support)
WRITES = 2_000
WRITERS = 48
KILLS = 5


class Writers:
    """Many callers who post ideas and support them, and come back when nobody answers."""

    def __init__(self, base_url: str, tokens: dict[str, str], ideas: list[int], challenge_id: int) -> None:
        self.base_url = base_url
        self.tokens = tokens
        self.ideas = ideas
        self.challenge_id = challenge_id
        self.posted: set[str] = set()
        self.wished: dict[tuple[str, int], bool] = {}
        self.done = 0
        self._numbers = itertools.count()
        self._locks: dict[tuple[str, int], asyncio.Lock] = {}

    async def write_all(self) -> None:
        async with httpx2.AsyncClient(
            base_url=self.base_url, timeout=10, limits=httpx2.Limits(max_connections=WRITERS)
        ) as client:
            await asyncio.gather(*(self._write(client, random.Random(seed)) for seed in range(WRITERS)))

    async def _write(self, client: httpx2.AsyncClient, chance: random.Random) -> None:
        while (number := next(self._numbers)) < WRITES:
            person = chance.choice(list(self.tokens))
            if number % 2:
                await self._post(client, person, f"Idea {number}")
            else:
                await self._support(client, person, chance.choice(self.ideas), wanted=chance.random() < 0.7)
            self.done += 1

    async def _post(self, client: httpx2.AsyncClient, person: str, title: str) -> None:
        path = f"/api/v1/challenges/{self.challenge_id}/ideas"
        headers = {"Idempotency-Key": title.replace(" ", "-")}
        answer = await self._send(
            client, "POST", path, person, json={"title": title, "body": ""}, headers=headers
        )
        assert answer.status_code == 201, answer.text
        self.posted.add(title)

    async def _support(self, client: httpx2.AsyncClient, person: str, idea: int, *, wanted: bool) -> None:
        async with self._locks.setdefault((person, idea), asyncio.Lock()):
            method = "PUT" if wanted else "DELETE"
            answer = await self._send(client, method, f"/api/v1/ideas/{idea}/support", person)
            assert answer.status_code in (200, 204), answer.text
            self.wished[person, idea] = wanted

    async def _send(self, client, method, path, person, *, headers=None, **options):
        """Send until it is answered: what is not acknowledged is asked for again, by the same key."""
        headers = {"Authorization": f"Bearer {self.tokens[person]}", **(headers or {})}
        for _ in range(600):
            try:
                answer = await client.request(method, path, headers=headers, **options)
                if answer.status_code != 503:
                    return answer
            except httpx2.TransportError:
                pass
            await asyncio.sleep(0.05)
        raise AssertionError("no answer for 30 s")


async def kill_meanwhile(server: ServerProcess, writers: Writers) -> None:
    for kill in range(1, KILLS + 1):
        while writers.done < WRITES * kill // (KILLS + 1):
            await asyncio.sleep(0.01)
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.start)


@pytest.mark.slow
def test_what_was_acknowledged_is_there_and_nothing_twice(world, database_url, tmp_path):
    people = {"alice": world.alice, "ana": world.ana, "bob": world.bob, "bea": world.bea, "fay": world.fay}
    tokens = {name: world.token(person) for name, person in people.items()}
    ideas = [world.idea(title=f"Known {number}") for number in range(8)]
    server = ServerProcess(database_url, tmp_path / "log").start()
    writers = Writers(server.base_url, tokens, ideas, world.challenge_id)

    async def race() -> None:
        await asyncio.gather(writers.write_all(), kill_meanwhile(server, writers))

    try:
        asyncio.run(race())
    finally:
        server.kill()

    titles = world.ask(lambda c: c.execute(select(IDEA.c.title, func.count()).group_by(IDEA.c.title)).all())
    counts = dict(tuple(row) for row in titles)
    assert {title for title in writers.posted if counts.get(title) != 1} == set()
    assert {title for title, count in counts.items() if count > 1} == set()
    supports = {
        tuple(row)
        for row in world.ask(lambda c: c.execute(select(SUPPORT.c.person_id, SUPPORT.c.idea_id)).all())
    }
    wanted = {
        (people[person].person_id, idea): is_wanted for (person, idea), is_wanted in writers.wished.items()
    }
    assert {key for key, is_wanted in wanted.items() if is_wanted != (key in supports)} == set()
    assert shown(world) == recounted(world)
