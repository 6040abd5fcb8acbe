"""Two server processes on one PostgreSQL and one Redis are one installation."""

import asyncio
import json
import os
import re
from contextlib import asynccontextmanager

import httpx2
import pytest

from app.policies.actor import Actor
from app.services import boards, ideas
from tests.durability.servers import ServerProcess
from tests.services.test_support import recounted, shown

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@pytest.fixture
def servers(world, database_url, tmp_path):
    redis = os.environ.get("PARTNERSHIP_TEST_REDIS_URL")
    if not redis:
        pytest.skip("Redis: PARTNERSHIP_TEST_REDIS_URL is not set")
    pair = [
        ServerProcess(database_url, tmp_path / f"log{number}", redis_url=redis, replica=f"r{number}")
        for number in range(2)
    ]
    for server in pair:
        server.start()
    yield pair
    for server in pair:
        server.kill()


@asynccontextmanager
async def watching(server: ServerProcess, world, actor: Actor, challenge_id: int):
    """A live stream: a list to which each message's text is added as it comes."""
    messages: list[str] = []
    headers = {"Cookie": f"session={world.cookie(actor)}"}

    async def read(client, started):
        async with client.stream(
            "GET", f"{server.base_url}/challenges/{challenge_id}/stream?after=0"
        ) as answer:
            assert answer.status_code == 200
            started.set()
            async for line in answer.aiter_lines():
                messages.append(line)  # noqa: PERF401 -- each as it comes

    async with httpx2.AsyncClient(headers=headers, timeout=None) as client:
        started = asyncio.Event()
        task = asyncio.create_task(read(client, started))
        await asyncio.wait_for(started.wait(), 10)
        yield messages
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(condition, seconds=10):
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


def test_what_is_posted_at_one_appears_at_the_other(servers, world):
    first, second = servers
    headers = {"Authorization": f"Bearer {world.token(world.alice)}"}

    async def race():
        async with watching(second, world, world.bob, world.challenge_id) as messages:
            async with httpx2.AsyncClient(headers=headers) as client:
                path = f"{first.base_url}/api/v1/challenges/{world.challenge_id}/ideas"
                answer = await client.post(path, json={"title": "Across the river", "body": ""})
                assert answer.status_code == 201
            await until(lambda: any("Across the river" in line for line in messages))

    asyncio.run(race())


def test_eight_identical_supports_at_two_processes_count_one(servers, world):
    idea = world.idea()
    headers = {"Authorization": f"Bearer {world.token(world.bob)}"}

    async def race():
        async with httpx2.AsyncClient(headers=headers) as client:
            paths = [f"{servers[number % 2].base_url}/api/v1/ideas/{idea}/support" for number in range(8)]
            return await asyncio.gather(*(client.put(path) for path in paths))

    answers = asyncio.run(race())
    assert [answer.status_code for answer in answers] == [200] * 8
    assert world.ask(ideas.find, world.bob, idea).card.tally.total == 1
    assert shown(world) == recounted(world)


def test_eight_identical_posts_with_one_key_at_two_processes_have_one_effect(servers, world):
    """Of a person and of a machine, which have keys of their own."""
    made = world.client("read", "write")

    async def race():
        async with httpx2.AsyncClient() as client:
            form = {
                "grant_type": "client_credentials",
                "client_id": made.client_id,
                "client_secret": made.secret,
            }
            machine = (await client.post(f"{servers[0].base_url}/oauth/token", data=form)).json()[
                "access_token"
            ]
            tokens = [world.token(world.alice, "write"), machine]
            calls = [
                client.post(
                    f"{server.base_url}/api/v1/challenges/{world.challenge_id}/ideas",
                    json={"title": "Once"},
                    headers={"Authorization": f"Bearer {token}", "Idempotency-Key": "one"},
                )
                for token in tokens
                for server in (*servers, *servers) * 2
            ]
            return await asyncio.gather(*calls)

    answers = asyncio.run(race())
    assert [answer.status_code for answer in answers] == [201] * 16
    assert [len({answer.content for answer in half}) for half in (answers[:8], answers[8:])] == [1, 1]
    board = world.ask(boards.on, world.bob, world.challenge_id, boards.Query())
    assert [card.title for card in board.cards] == ["Once", "Once"]


def test_many_people_support_at_two_processes_and_every_board_ends_right(servers, world):
    targets = [world.idea(title=f"Idea {number}") for number in range(6)]
    people = [world.alice, world.ana, world.bob, world.bea, world.fay, world.cora]
    tokens = {person.person_id: world.token(person) for person in people}

    async def race():
        async with (
            watching(servers[0], world, world.alice, world.challenge_id) as here,
            watching(servers[1], world, world.bob, world.challenge_id) as there,
            httpx2.AsyncClient(timeout=30) as client,
        ):
            sent = [
                client.put(
                    f"{servers[(number + place) % 2].base_url}/api/v1/ideas/{idea}/support",
                    headers={"Authorization": f"Bearer {tokens[person.person_id]}"},
                )
                for number, person in enumerate(people)
                for place, idea in enumerate(targets)
            ]
            answers = await asyncio.gather(*sent)
            assert {answer.status_code for answer in answers} == {200}
            for messages in (here, there):
                await until(
                    lambda messages=messages: all(last_total(messages, idea) == 6 for idea in targets)
                )

    asyncio.run(race())
    assert shown(world) == recounted(world)


def last_total(lines, idea):
    """The support that the newest picture of a card shows, over all sectors."""
    text = "\n".join(line.removeprefix("data: ").removeprefix("data:") for line in lines)
    cards = re.findall(rf'<article class="card" id="idea-{idea}".*?</article>', text, re.DOTALL)
    return sum(int(count) for count in re.findall(r"<b[^>]*>(\d+)</b>", cards[-1])) if cards else None


def test_an_ended_session_is_over_at_both(servers, world):
    cookie = world.cookie(world.alice)
    headers = {"Cookie": f"session={cookie}", "Sec-Fetch-Site": "same-origin"}

    async def visit():
        async with httpx2.AsyncClient(headers=headers) as client:
            before = [await client.get(f"{server.base_url}/me") for server in servers]
            out = await client.post(f"{servers[0].base_url}/sign-out")
            after = [await client.get(f"{server.base_url}/me") for server in servers]
            return before, out, after

    before, out, after = asyncio.run(visit())
    assert [answer.status_code for answer in before] == [200, 200]
    assert out.status_code == 303
    assert [answer.status_code for answer in after] == [303, 303]


def test_health_says_that_live_updates_are_relayed(servers):
    for server in servers:
        answer = httpx2.get(f"{server.base_url}/health/ready")
        assert json.loads(answer.text)["checks"]["bus"] == "relayed"
