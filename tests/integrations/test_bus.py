"""The bus: every change comes once and in order, with Redis, without it, and while it is gone."""

import asyncio
import contextlib
import json
import os
import sys
import time

import pytest
from redis.asyncio import Redis

from app.errors import Unavailable
from app.integrations import bus as buses
from app.integrations.bus import Bus, Change, newest
from tests.web.live import RedisServer, make_world, read, serving, until

pytestmark = pytest.mark.anyio


@pytest.fixture
def world(database_url):
    world = make_world(database_url)
    yield world
    world.database.close()


@pytest.fixture
async def redis(tmp_path):
    server = RedisServer(tmp_path)
    await server.start()
    yield server
    await server.kill()


@contextlib.asynccontextmanager
async def listening(database, redis_url=None):
    """A bus that follows the log, and what it told."""
    bus, told = Bus(database, redis_url), []
    bus.listeners = [told.extend]
    database.after_commit(bus.committed)
    bus.start()
    try:
        if redis_url:
            await until(lambda: bus.is_relayed)
        await bus.attend()
        yield bus, told
    finally:
        await bus.close()


async def test_a_commit_is_told_with_ids_and_no_text(world):
    async with listening(world.database) as (_, told):
        idea_id = await world.posted("A title that is nobody else's business")
        await until(lambda: told)
        programme_id = next(iter(world.people[0].memberships))
        last = world.database.read_now(newest)
        assert told == [Change(last, programme_id, world.challenge_id, idea_id, idea_id, "idea.posted")]


async def test_changes_come_once_and_in_the_order_of_commits(world):
    async with listening(world.database) as (_, told):
        await asyncio.gather(*(world.posted(f"Idea {number}", who=number % 4) for number in range(300)))
        await until(lambda: len(told) >= 300)
        await asyncio.sleep(0.1)
        assert [change.id for change in told] == sorted({change.id for change in told})
        assert len(told) == 300


async def test_more_than_one_look_reads_comes_whole(world, monkeypatch):
    monkeypatch.setattr(buses, "READ_LIMIT", 7)
    monkeypatch.setattr(buses.changes_after, "__kwdefaults__", {"limit": 7})
    async with listening(world.database) as (_, told):
        await asyncio.gather(*(world.posted(f"Idea {number}") for number in range(40)))
        await until(lambda: len(told) == 40)


async def test_a_rush_of_commits_costs_few_looks(world, monkeypatch):
    looks = []
    look = buses.changes_after
    monkeypatch.setattr(
        buses, "changes_after", lambda *given, **named: looks.append(1) or look(*given, **named)
    )
    async with listening(world.database) as (_, told):
        began = time.monotonic()
        for number in range(60):
            await world.posted(f"Idea {number}")
        await until(lambda: len(told) == 60)
        assert len(looks) <= 3 + (time.monotonic() - began) / buses.GATHER_S


async def test_nothing_is_read_while_nobody_listens(world, monkeypatch):
    looks = []
    monkeypatch.setattr(buses, "POLL_S", 0.02)
    monkeypatch.setattr(buses, "changes_after", lambda *_, **__: looks.append(1) or [])
    async with listening(world.database) as (bus, _):
        bus.rest()
        await world.posted("Unheard")
        await asyncio.sleep(0.2)
        assert not looks


async def test_who_begins_to_listen_hears_from_there_on(world):
    async with listening(world.database) as (bus, told):
        bus.rest()
        await world.posted("Before")
        await bus.attend()
        await world.posted("After")
        await until(lambda: told)
        await asyncio.sleep(0.1)
        assert len(told) == 1


async def test_another_program_that_writes_is_heard_without_redis(world, monkeypatch):
    monkeypatch.setattr(buses, "POLL_S", 0.05)
    async with listening(world.database) as (bus, told):
        bus._loop = None  # as for the commits of another process: nobody wakes us
        await world.posted("From the command line")
        await until(lambda: told)


async def test_a_database_that_is_gone_for_a_while_costs_no_change(world, monkeypatch):
    monkeypatch.setattr(buses, "POLL_S", 0.05)
    async with listening(world.database) as (_, told):
        answer, refused = world.database.read, []

        async def refuse(query):
            refused.append(query)
            raise Unavailable("The database does not answer.")

        world.database.read = refuse
        await world.posted("Kept")
        await until(lambda: len(refused) > 2)
        world.database.read = answer
        await until(lambda: told)


async def test_a_listeners_fault_does_not_stop_the_bus(world):
    async with listening(world.database) as (bus, told):

        def fail(changes):
            bus.listeners = [told.extend]
            raise ZeroDivisionError

        bus.listeners = [fail]
        await world.posted("First")
        await until(lambda: bus.listeners == [told.extend])
        await world.posted("Second")
        await until(lambda: told)


async def test_a_commit_after_the_end_is_no_error(world):
    async with listening(world.database) as (bus, _):
        await bus.close()
        await world.posted("Late")


# with Redis


async def test_processes_wake_each_other(world, redis, monkeypatch):
    monkeypatch.setattr(buses, "POLL_S", 60.0)
    monkeypatch.setattr(buses, "SAFETY_POLL_S", 60.0)
    async with listening(world.database, redis.url) as (_, here):
        other = Bus(world.database, redis.url)
        there = []
        other.listeners = [there.extend]
        other.start()
        await until(lambda: other.is_relayed)
        await other.attend()
        await world.posted("For both")
        await until(lambda: here and there)
        assert here == there
        await other.close()


async def test_what_goes_through_redis_holds_no_text(world, redis):
    client = Redis.from_url(redis.url)
    ear = client.pubsub(ignore_subscribe_messages=True)
    async with ear as channel, listening(world.database, redis.url) as (bus, _):
        await channel.subscribe(buses.CHANNEL)
        await world.posted("A title that is nobody else's business")
        bus.say({"kind": "here", "challenge_id": 1, "people": [1, 2]})
        heard = {}
        async with asyncio.timeout(5):
            while not {"grown", "here"} <= heard.keys():
                message = await channel.get_message(timeout=1)
                if message:
                    data = json.loads(message["data"])
                    heard[data["kind"]] = data
        assert heard["grown"] == {"kind": "grown", "origin": bus.origin}
        assert heard["here"] == {"kind": "here", "challenge_id": 1, "people": [1, 2], "origin": bus.origin}
    await client.aclose()


async def test_an_end_in_the_middle_of_a_word_ends(world, redis):
    for _ in range(10):
        async with listening(world.database, redis.url) as (bus, _):
            await world.posted("Half said")
            await asyncio.sleep(0)
            await asyncio.wait_for(bus.close(), 5)


RUBBISH = ("", "{", "[]", "7", '{"kind":"here"}', '{"origin":"x","kind":"here"}', b"\xff\xfe")


@pytest.mark.parametrize("rubbish", RUBBISH)
async def test_rubbish_on_the_channel_is_passed_over(world, redis, rubbish):
    async with serving(world.database, redis.url) as site:
        await until(lambda: site.bus.is_relayed)
        reader = await read(site.port, world.secrets[0], world.challenge_id)
        await reader.next("live")
        async with Redis.from_url(redis.url) as client:
            assert await client.publish(buses.CHANNEL, rubbish) == 1
        await world.posted("Still live")
        await reader.next()
        assert site.bus.is_relayed


async def test_redis_is_killed_and_comes_back(world, redis):
    """Writes go on at once, live updates come all the time, and the quick way comes back by itself."""
    async with serving(world.database, redis.url) as site:
        await until(lambda: site.bus.is_relayed)
        reader = await read(site.port, world.secrets[0], world.challenge_id)
        await reader.next("live")
        await redis.kill()
        began = time.monotonic()
        await world.posted("While it is gone")
        assert time.monotonic() - began < 1.8  # Redis has 2 s to answer
        assert "While it is gone" in (await reader.next()).data
        await until(lambda: site.bus.state == "polling")
        await redis.start()
        await until(lambda: site.bus.state == "relayed", within_s=15)
        await world.posted("Back again")
        assert "Back again" in (await reader.next()).data


async def test_what_was_not_heard_is_caught_up_with_when_redis_is_back(world, redis, monkeypatch):
    monkeypatch.setattr(buses, "POLL_S", 60.0)
    monkeypatch.setattr(buses, "SAFETY_POLL_S", 60.0)
    async with listening(world.database, redis.url) as (bus, told):
        await redis.kill()
        await until(lambda: not bus.is_relayed)
        await asyncio.sleep(0.5)  # for the look that follows
        loop, bus._loop = bus._loop, None  # as for the commits of another process: nobody wakes us
        await world.posted("Meanwhile")
        bus._loop = loop
        await asyncio.sleep(0.2)
        assert not told
        await redis.start()
        await until(lambda: told, within_s=15)


async def test_redis_that_never_was_delays_nothing(world):
    async with serving(world.database, "redis://127.0.0.1:1") as site:
        reader = await read(site.port, world.secrets[0], world.challenge_id)
        await reader.next("live")
        began = time.monotonic()
        await world.posted("Without it")
        await reader.next()
        assert time.monotonic() - began < 1.8
        assert site.bus.state == "polling"


async def test_redis_that_hangs_delays_nothing(world, redis):
    async with serving(world.database, redis.url) as site:
        await until(lambda: site.bus.is_relayed)
        reader = await read(site.port, world.secrets[0], world.challenge_id)
        await reader.next("live")
        redis.pause()
        try:
            for number in range(5):
                began = time.monotonic()
                await world.posted(f"Idea {number}")
                assert f"Idea {number}" in (await reader.next()).data
                assert time.monotonic() - began < 1.8  # Redis has 2 s to answer
        finally:
            redis.go_on()


async def test_a_silent_redis_counts_as_gone(world, redis, monkeypatch):
    monkeypatch.setattr(buses, "QUIET_S", 0.7)
    async with listening(world.database, redis.url) as (bus, _):
        await asyncio.sleep(2.0)
        assert bus.is_relayed
        redis.pause()
        await until(lambda: not bus.is_relayed)
        redis.go_on()
        await until(lambda: bus.is_relayed, within_s=15)


# two processes


@contextlib.asynccontextmanager
async def process(world, redis_url):
    """A second server, in a process of its own, on the same database; its port."""
    url = world.database.url.render_as_string(hide_password=False)
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.web.live", url, redis_url, stdout=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(120):  # it imports the whole application, perhaps beside many other tests
            port = json.loads(await program.stdout.readline())["port"]
        yield port
    finally:
        program.kill()
        await program.wait()


async def test_two_processes_show_one_board(world, redis):
    """What is written in one is seen in the other, people of both are here, and a kill of Redis loses nothing."""
    async with serving(world.database, redis.url) as site, process(world, redis.url) as port:
        await until(lambda: site.bus.is_relayed)
        here = await read(site.port, world.secrets[0], world.challenge_id)
        there = await read(port, world.secrets[1], world.challenge_id)
        assert await there.presence() in ("1: Ana B", "2: Ana A, Ana B")
        await world.posted("Through Redis")
        assert "Through Redis" in (await there.next()).data
        assert "Through Redis" in (await here.next()).data
        await redis.kill()
        await world.posted("Through the log")
        assert "Through the log" in (await there.next()).data
        await redis.start()
        await until(lambda: site.bus.is_relayed, within_s=15)
        await world.posted("Through Redis again")
        assert "Through Redis again" in (await there.next(within_s=8)).data


async def test_people_of_two_processes_see_each_other(world, redis):
    async with serving(world.database, redis.url) as site, process(world, redis.url) as port:
        await until(lambda: site.bus.is_relayed)
        here = await read(site.port, world.secrets[0], world.challenge_id)
        assert await here.presence() == "1: Ana A"
        there = await read(port, world.secrets[1], world.challenge_id)
        while await here.presence() != "2: Ana A, Ana B":
            pass
        while await there.presence() != "2: Ana A, Ana B":
            pass
        await here.leave()
        assert await there.presence() == "1: Ana B"


@pytest.mark.redis
async def test_the_redis_of_the_environment_relays(world):
    url = os.environ.get("PARTNERSHIP_TEST_REDIS_URL")
    if not url:
        pytest.skip("Redis: PARTNERSHIP_TEST_REDIS_URL is not set")
    async with listening(world.database, url) as (_, told):
        await world.posted("For all")
        await until(lambda: told)
