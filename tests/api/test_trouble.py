"""Callers that go away, and databases that do."""

import asyncio
import contextlib
import sqlite3

import httpx2
import pytest

from tests.api.conftest import BASE, Api, is_problem
from tests.factories.databases import Server


def test_a_caller_who_leaves_does_not_stop_the_others(api: Api) -> None:
    """Forty callers hang up in the middle of their write; the next one is answered as ever."""
    address = f"/api/v1/challenges/{api.challenge_id}/ideas"

    async def leave() -> None:
        transport = httpx2.ASGITransport(api.client.app)
        async with httpx2.AsyncClient(
            transport=transport, base_url=BASE, headers=api.alice.headers
        ) as client:
            tasks = [
                asyncio.create_task(client.post(address, json={"title": f"Gone {n}"})) for n in range(40)
            ]
            await asyncio.sleep(0.02)
            for task in tasks:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    asyncio.run(leave())
    assert api.alice.post(f"/challenges/{api.challenge_id}/ideas", {"title": "Stayed"}).status_code == 201


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_database_that_is_locked_is_told_as_such_and_nothing_is_half_saved(api: Api) -> None:
    """One writer at a time is SQLite's."""
    database = api.database
    idea = f"/ideas/{api.idea()}"
    api.bob.get(idea)
    other = sqlite3.connect(database.url.database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    answer = api.bob.put(f"{idea}/support", headers={"Accept-Language": "en"})
    assert is_problem(answer, 503, "unavailable")
    assert int(answer.headers["retry-after"]) > 0
    assert api.bob.get(idea).json()["supported"] is False
    other.execute("ROLLBACK")
    other.close()
    assert api.bob.put(f"{idea}/support").json()["tally"]["total"] == 1


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_database_that_is_gone_fails_closed(api: Api, postgres_server: Server) -> None:
    """A file that is open cannot go."""
    database = api.database
    tokens = [api.alice, api.bob]
    assert tokens[0].get("/people/me").status_code == 200
    postgres_server.run(f'DROP DATABASE "{database.url.database}" WITH (FORCE)')
    for caller in tokens:
        assert is_problem(caller.get("/people/me"), 503, "unavailable")
        assert is_problem(caller.put("/ideas/1/support"), 503, "unavailable")
    postgres_server.run(f'CREATE DATABASE "{database.url.database}"')


def test_what_the_gateway_refuses_is_a_problem_too(api: Api) -> None:
    foreign = api.alice.put("/ideas/1/support", headers={"Origin": "https://evil.example"})
    assert is_problem(foreign, 403, "not-allowed")
    assert is_problem(api.alice.get("/people/me", headers={"Host": "evil.example"}), 400, "bad-request")
    assert is_problem(api.alice.get(f"/programmes?cursor={'x' * 9000}"), 414, "address-too-long")
    assert is_problem(api.alice.get("/programmes?cursor=%ff"), 400, "bad-request")
