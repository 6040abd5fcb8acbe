"""Ballots under fire: many at once at two processes, servers killed amid votes, workers killed amid counting."""

import asyncio
import random
import time
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest
from sqlalchemy import func, select

from app.database import Database
from app.integrations import queue
from app.methods import ballot_log, log_check, log_reader
from app.models import BallotKey, Event, PublishedVote, RollEntry, Vote
from app.models.base import table
from app.services import ballot_making, ballots, counting, votes
from tests.durability.servers import ServerProcess
from tests.jobs.places import Worker

EVENT, KEY, ROLL, VOTE, PUBLISHED = (
    table(each) for each in (Event, BallotKey, RollEntry, Vote, PublishedVote)
)
PEOPLE = 200
KILLS = 3


def choice(options, seed):
    """Some of the options, other ones for each seed; at least one."""
    chance = random.Random(str(seed))
    return {"approved": sorted(chance.sample(options, chance.randint(1, len(options))))}


def counted(world, table, *conditions):
    query = select(func.count()).select_from(table).where(*conditions)
    return world.ask(lambda connection: connection.execute(query).scalar_one())


def log_of(world, ballot_id):
    """The published log, read as anyone reads it."""
    view = world.ask(ballots.find, world.cora, ballot_id)
    return log_reader.read("".join(ballot_log.lines(world.ask(counting.log, view))))


@pytest.fixture
def electorate(world):
    """A ballot and the people who may vote on it: their tokens, the keys of its solutions."""
    people = [*world.people(PEOPLE // 2, "public"), *world.people(PEOPLE // 2, "business")]
    solutions = [world.solution(title=f"Solution {number}") for number in range(6)]
    ballot = world.ballot(solutions=solutions, numbers={"threshold": 0})
    tokens = [world.token(person, "vote", "read") for person in people]
    return ballot, people, tokens, [str(each) for each in solutions]


@pytest.fixture
def servers(database_url, tmp_path):
    """Two server processes on one database. (On SQLite live updates do not cross over; votes must.)"""
    pair = [ServerProcess(database_url, tmp_path / f"log{number}") for number in range(2)]
    for server in pair:
        server.start()
    yield pair
    for server in pair:
        server.kill()


async def send(client, server, ballot, token, body):
    """Vote until it is answered: what is not acknowledged is sent again."""
    for _ in range(600):
        try:
            answer = await client.put(
                f"{server.base_url}/api/v1/ballots/{ballot}/vote",
                headers={"Authorization": f"Bearer {token}"},
                json=body,
            )
            if answer.status_code not in (429, 503):
                assert answer.status_code == 200, answer.text
                return answer.json()["receipt"]
        except httpx2.TransportError:
            pass
        await asyncio.sleep(0.05)
    raise AssertionError("no answer for 30 s")


@pytest.mark.slow
def test_two_hundred_vote_at_once_half_of_them_twice(servers, world, electorate, database_url):
    ballot, _, tokens, options = electorate

    async def race():
        limits = httpx2.Limits(max_connections=64)
        async with httpx2.AsyncClient(timeout=60, limits=limits) as client:
            sent = [
                send(client, servers[(number + again) % 2], ballot, token, choice(options, (number, again)))
                for again in range(2)
                for number, token in enumerate(tokens)
                if again == 0 or number % 2
            ]
            return await asyncio.gather(*sent)

    receipts = asyncio.run(race())
    assert len(set(receipts)) == PEOPLE + PEOPLE // 2
    assert counted(world, VOTE) == counted(world, ROLL) == PEOPLE
    given = {number: {receipts[number]} for number in range(PEOPLE)}
    for place, number in enumerate(range(1, PEOPLE, 2)):
        given[number].add(receipts[PEOPLE + place])

    world.do(ballot_making.close, world.cora, ballot, reason="All have voted")
    databases = [Database(database_url) for _ in range(2)]
    with ThreadPoolExecutor(2) as threads:
        done = list(threads.map(lambda each: counting.finish(each, ballot, "http://here"), databases))
    for each in databases:
        each.close()
    assert sorted(done) == [False, True]

    log = log_of(world, ballot)
    assert log_check.check(log) == []
    published = {vote["receipt"]: vote["choice"] for vote in log.votes}
    assert len(published) == PEOPLE
    for number, possible in given.items():
        kept = possible & set(published)
        assert len(kept) == 1, number
    once = {receipts[number]: choice(options, (number, 0)) for number in range(0, PEOPLE, 2)}
    assert {code: published[code] for code in once} == once
    assert counted(world, VOTE) == counted(world, KEY) == 0


@pytest.mark.slow
def test_no_acknowledged_vote_is_lost_when_servers_are_killed(servers, world, electorate):
    ballot, _, tokens, options = electorate
    receipts: dict[int, str] = {}
    done = 0

    async def vote(client, numbers):
        nonlocal done
        for number in numbers:
            for again in range(2):
                body = choice(options, (number, again))
                receipts[number] = await send(client, servers[number % 2], ballot, tokens[number], body)
                done += 1

    async def kill():
        for number in range(1, KILLS + 1):
            while done < 2 * PEOPLE * number // (KILLS + 1):
                await asyncio.sleep(0.01)
            server = servers[number % 2]
            await asyncio.to_thread(server.kill)
            await asyncio.to_thread(server.start)

    async def race():
        async with httpx2.AsyncClient(timeout=20) as client:
            voters = [vote(client, range(start, PEOPLE, 20)) for start in range(20)]
            await asyncio.gather(kill(), *voters)

    asyncio.run(race())
    assert counted(world, VOTE) == counted(world, ROLL) == PEOPLE
    world.do(ballot_making.close, world.cora, ballot, reason="All have voted")
    assert counting.finish(world.database, ballot, "http://here")
    log = log_of(world, ballot)
    assert log_check.check(log) == []
    assert {vote["receipt"]: vote["choice"] for vote in log.votes} == {
        receipt: choice(options, (number, 1)) for number, receipt in receipts.items()
    }


@pytest.mark.slow
def test_a_ballot_whose_counting_is_killed_again_and_again_is_counted_once(
    world, electorate, database_url, tmp_path
):
    ballot, people, _, options = electorate
    wishes = [votes.Wish(person, ballot, choice(options, number)) for number, person in enumerate(people)]
    receipts = {answer.code for answer in world.do(votes.meet, wishes)}
    world.close_now(ballot)
    queue.migrate(database_url)
    chance = random.Random(7)
    began = time.monotonic()
    starts = 0
    while counted(world, KEY):
        assert time.monotonic() - began < 240, "the ballot is never counted"
        with Worker(database_url, "smtp://127.0.0.1:1", directory=tmp_path) as worker:
            # Longer each time, so that in the end one lives long enough to count.
            until = time.monotonic() + chance.uniform(1.0, 2.5) + 0.4 * starts
            while time.monotonic() < until and counted(world, KEY):
                time.sleep(0.01)
            worker.kill()
        starts += 1
    with Worker(database_url, "smtp://127.0.0.1:1", directory=tmp_path) as worker:
        time.sleep(4)
        worker.stop()
    log = log_of(world, ballot)
    assert log_check.check(log) == []
    assert {vote["receipt"] for vote in log.votes} == receipts
    assert counted(world, EVENT, EVENT.c.type == "ballot.counted") == 1
    assert counted(world, PUBLISHED) == PEOPLE
    assert counted(world, VOTE) == 0
