"""Support through the API: everyone is counted once."""

import asyncio

import httpx2

from app.schemas.ideas import SupportItem
from tests.api.conftest import BASE, Api, is_problem


def test_support_is_given_and_taken_back(api: Api) -> None:
    idea = f"/ideas/{api.idea()}"
    given = api.bob.put(f"{idea}/support")
    assert given.status_code == 200
    SupportItem.model_validate(given.json())
    assert given.json()["supported"] is True
    assert given.json()["tally"]["total"] == 1
    assert given.json()["tally"]["sectors"] == {"public": 0, "business": 1}
    assert given.json()["tally"] == api.bob.get(idea).json()["tally"]
    taken = api.bob.delete(f"{idea}/support")
    assert (taken.status_code, taken.json()["supported"], taken.json()["tally"]["total"]) == (200, False, 0)
    assert taken.json()["tally"] == api.bob.get(idea).json()["tally"]


def test_support_given_again_counts_once(api: Api) -> None:
    idea = f"/ideas/{api.idea()}"
    answers = [api.bob.put(f"{idea}/support") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200] * 3
    assert [answer.json()["tally"]["total"] for answer in answers] == [1] * 3
    assert [api.bob.delete(f"{idea}/support").json()["tally"]["total"] for _ in range(3)] == [0] * 3


def test_eight_identical_supports_at_once_count_once(api: Api) -> None:
    idea = f"/api/v1/ideas/{api.idea()}"

    async def all_at_once() -> list[httpx2.Response]:
        transport = httpx2.ASGITransport(api.client.app)
        async with httpx2.AsyncClient(transport=transport, base_url=BASE) as client:
            headers = api.bob.headers
            return await asyncio.gather(*(client.put(f"{idea}/support", headers=headers) for _ in range(8)))

    answers = asyncio.run(all_at_once())
    assert [answer.status_code for answer in answers] == [200] * 8
    assert {answer.json()["tally"]["total"] for answer in answers} == {1}
    assert api.alice.get(f"http://testserver{idea}").json()["tally"]["total"] == 1


def test_support_of_both_sectors_bridges(api: Api) -> None:
    idea = f"/ideas/{api.idea()}"
    api.bob.put(f"{idea}/support")
    tally = api.ana.put(f"{idea}/support").json()["tally"]
    assert tally == {"total": 2, "sectors": {"public": 1, "business": 1}, "bridging": 0.666667}


def test_who_may_not_support_is_told_why(api: Api) -> None:
    idea_id = api.idea()
    assert is_problem(api.nobody.put(f"/ideas/{idea_id}/support"), 401, "not-signed-in")
    assert is_problem(api.olga.put(f"/ideas/{idea_id}/support"), 403, "not-allowed")
    assert is_problem(api.charlie.put(f"/ideas/{idea_id}/support"), 404, "not-found")
    closed = api.world.challenge(supporting=False)
    idea_id = api.idea(None, "Closed", closed)
    assert is_problem(api.bob.put(f"/ideas/{idea_id}/support"), 409, "conflict")
    assert is_problem(api.bob.delete(f"/ideas/{idea_id}/support"), 409, "conflict")
