"""Matches through the API: started, read, cancelled, published; by coordinators alone."""

from datetime import timedelta
from typing import Any

import pytest

from app.integrations import queue
from app.methods import exchange_result
from app.methods.exchange_demands import Demands
from app.methods.exchange_plan import most_served
from app.schemas.matches import MatchItem, MatchList
from app.services import matches
from app.services.matches import DONE
from tests.api.conftest import Api, Caller, is_problem, pointers
from tests.api.hosting import booker, monday, placement, week


@pytest.fixture(autouse=True)
def lined_up(database_url: str) -> None:
    """A line of jobs in the database, and nobody who takes them up."""
    queue.migrate(database_url)


def address(api: Api) -> str:
    return f"/programmes/{api.programme_id}/matches"


def admin(api: Api) -> Caller:
    return api.of(api.world.cora, "read", "admin")


def draft(**fields: Any) -> dict[str, Any]:
    span = {"first_day": monday(1).isoformat(), "last_day": (monday(8) + timedelta(days=4)).isoformat()}
    return {"name": "First try", **span, "seed": 7} | fields


def test_a_match_is_started_read_and_cancelled(api: Api) -> None:
    answer = admin(api).post(address(api), draft(aim="stable"))
    assert answer.status_code == 201
    match = answer.json()
    MatchItem.model_validate(match)
    assert match["url"] == f"http://testserver/matches/{match['id']}"
    assert (match["aim"], match["seed"], match["plan"]) == ("stable", 7, None)
    assert match["state"] == "queued"
    here = answer.headers["location"]
    assert admin(api).get(here).status_code == 200
    assert [admin(api).delete(here).status_code for _ in range(2)] == [204, 204]
    assert admin(api).get(here).json()["state"] == "cancelled"


def test_matches_come_in_pages_without_their_plans(api: Api) -> None:
    made = [admin(api).post(address(api), draft()).json()["id"] for _ in range(3)]
    seen: list[int] = []
    page = f"{address(api)}?limit=2"
    while page:
        answer = admin(api).get(page)
        MatchList.model_validate(answer.json())
        seen += [item["id"] for item in answer.json()["items"]]
        page = answer.links["next"]["url"] if answer.links else ""
    assert seen == made


def test_a_plan_is_published_and_its_places_are_offered(api: Api) -> None:
    placed = placement(api)
    wishes = {"wishes": [{"placement": placed["id"]}]}
    bob = booker(api, api.world.bob)
    bob.put(f"/programmes/{api.programme_id}/wishes", json=wishes, headers={"If-Match": "*"})
    here = admin(api).post(address(api), draft()).headers["location"]
    match_id = int(here.rsplit("/", 1)[-1])
    assert is_problem(admin(api).post(f"{here}/publication"), 409, "conflict")
    plan_for_bob(api, match_id)
    done = admin(api).get(here)
    MatchItem.model_validate(done.json())
    assert [stay["person"] for stay in done.json()["plan"]["stays"]] == [api.world.bob.person_id]
    stale = admin(api).post(f"{here}/publication", headers={"If-Match": '"1-0123456789abcdef"'})
    assert is_problem(stale, 412, "version-moved-on")
    key = {"Idempotency-Key": "once", "If-Match": done.headers["etag"]}
    published = [admin(api).post(f"{here}/publication", headers=key) for _ in range(2)]
    assert [answer.status_code for answer in published] == [200, 200]
    assert published[0].content == published[1].content
    assert is_problem(admin(api).post(f"{here}/publication"), 409, "conflict")
    offered = bob.get(f"/placements/{placed['id']}/bookings").json()["items"]
    assert [(each["state"], each["match"]) for each in offered] == [("offered", match_id)]


def plan_for_bob(api: Api, match_id: int) -> None:
    """Let a run have come to the plan that Bob goes to the one placement there is."""

    def work(tx: Any) -> None:
        _, market = matches.take_up(tx, match_id) or (None, None)
        plan = exchange_result.to_json(most_served(market, Demands(), seed=7)) | {"reasons": {}}
        matches.finish(tx, match_id, state=DONE, plan=plan, figures={})

    api.world.do(work)


def test_only_coordinators_run_and_read_matches(api: Api) -> None:
    here = admin(api).post(address(api), draft()).headers["location"]
    for actor in (api.world.alice, api.world.fay, api.world.sam, api.world.olga):
        caller = api.of(actor, "read", "admin")
        assert is_problem(caller.get(address(api)), 403, "not-allowed")
        assert is_problem(caller.post(address(api), draft()), 403, "not-allowed")
        for answer in (caller.get(here), caller.delete(here), caller.post(f"{here}/publication")):
            assert is_problem(answer, 404, "not-found")
    charlie = api.of(api.world.charlie, "read", "admin")
    for answer in (charlie.get(here), charlie.delete(here), charlie.post(f"{here}/publication")):
        assert is_problem(answer, 404, "not-found")
    for answer in (api.nobody.get(here), api.nobody.post(address(api), draft())):
        assert is_problem(answer, 401, "not-signed-in")
    for answer in (api.cora.post(address(api), draft()), api.cora.delete(here)):
        assert is_problem(answer, 403, "insufficient-scope")


def test_the_same_start_twice_is_one(api: Api) -> None:
    key = {"Idempotency-Key": "once"}
    first, again = (admin(api).post(address(api), draft(), headers=key) for _ in range(2))
    assert (again.status_code, again.content) == (201, first.content)
    assert is_problem(
        admin(api).post(address(api), draft(seed=8), headers=key), 422, "idempotency-key-reused"
    )


def test_where_places_go_to_who_asks_first_none_is_run(api: Api) -> None:
    api.world.rules(way="first_come")
    assert is_problem(admin(api).post(address(api), draft()), 409, "conflict")


def test_demands_that_exclude_each_other_are_named(api: Api) -> None:
    placed = placement(api, week(3))
    offer = f"{placed['periods'][0]}:{monday(3).isoformat()}:{(monday(3) + timedelta(days=4)).isoformat()}"
    for actor in (api.world.bob, api.world.bea):
        booker(api, actor).put(
            f"/programmes/{api.programme_id}/wishes",
            json={"wishes": [{"placement": placed["id"]}]},
            headers={"If-Match": "*"},
        )
    pins = [{"person": actor.person_id, "offer": offer} for actor in (api.world.bob, api.world.bea)]
    answer = admin(api).post(address(api), draft(demands={"pins": pins}))
    assert is_problem(answer, 422, "invalid")
    assert pointers(answer) == ["/demands"]


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"last_day": "2020-01-01"}, ["/last_day"]),
        ({"first_day": None}, ["/first_day"]),
        ({"last_day": "2199-01-01"}, ["/last_day"]),
        ({"name": "x" * 121}, ["/name"]),
        ({"aim": "fair"}, ["/aim"]),
        ({"seed": 0}, ["/seed"]),
        ({"demands": {"pins": [{"person": 1, "offer": "nothing"}]}}, ["/demands"]),
        ({"demands": {"pins": [{"person": 1}]}}, ["/demands/pins/0/offer"]),
        ({"plan": {}}, ["/plan"]),
    ],
)
def test_a_match_that_cannot_be_run_is_not_started(api: Api, fields: dict, where: list[str]) -> None:
    answer = admin(api).post(address(api), draft(**fields))
    assert is_problem(answer, 422, "invalid")
    assert pointers(answer) == where
    assert admin(api).get(address(api)).json()["items"] == []
