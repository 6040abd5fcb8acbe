"""Plans compared and explained through the API."""

from typing import Any

import pytest

from app.integrations import queue
from app.models import Match
from app.schemas.plans import ComparisonItem, ExplanationItem
from tests.api.conftest import Api, is_problem
from tests.api.hosting import monday, placement


@pytest.fixture(autouse=True)
def lined_up(database_url: str) -> None:
    """A line of jobs in the database, and nobody who takes them up."""
    queue.migrate(database_url)


def planned(api: Api, *stays: dict[str, Any], published: bool = False, **plan: Any) -> int:
    """A run that has come to a plan."""
    kept = {"stays": list(stays), "unmatched": [], "swaps": [], "reasons": {}} | plan

    def work(tx: Any) -> int:
        match = Match(
            programme_id=api.programme_id,
            aim="most",
            made_by=api.world.cora.person_id,
            state="done",
            plan=kept,
            figures={"served": len(stays)},
            first_day=monday(1),
            last_day=monday(9),
            published_at=tx.now if published else None,
        )
        tx.session.add(match)
        tx.session.flush()
        return int(match.id)

    return int(api.world.do(work))


def stay(person: int, offer: str) -> dict[str, Any]:
    return {
        "person": person,
        "offer": offer,
        "desk_of": None,
        "span": offer.split(":", 1)[1].split(":"),
        "rank": 1,
    }


def test_coordinators_compare_two_plans(api: Api) -> None:
    bob, bea = api.world.bob.person_id, api.world.bea.person_id
    one = planned(api, stay(bob, "1:2026-05-04:2026-05-08"), stay(bea, "2:2026-05-04:2026-05-08"))
    two = planned(api, stay(bob, "1:2026-05-04:2026-05-08"))
    here = f"/matches/{one}/comparisons/{two}"
    found = api.cora.get(here)
    ComparisonItem.model_validate(found.json())
    assert [(each["person"], each["other"]) for each in found.json()["changed"]] == [(bea, None)]
    assert found.json()["figures"] == [{"served": 2}, {"served": 1}]
    assert api.cora.get(here, headers={"If-None-Match": found.headers["etag"]}).status_code == 304
    for caller in (api.bob, api.fay, api.charlie):
        assert is_problem(caller.get(here), 404, "not-found")
    assert is_problem(api.cora.get(f"/matches/{one}/comparisons/999999"), 404, "not-found")


def test_each_reads_why_a_published_plan_gave_them_what_it_gave(api: Api) -> None:
    placed = placement(api)
    offer = f"{placed['periods'][0]}:2026-05-04:2026-05-08"
    full = {"code": "full", "values": {"offers": [offer], "places": 1, "higher": 0, "because": "lot"}}
    told = {
        "reason": {"code": "went_to_others", "values": {}},
        "missed": [{"rank": 1, "reasons": [full]}],
        "free": [offer],
    }
    reasons = {str(api.world.bob.person_id): told}
    match = planned(api, published=True, reasons=reasons, lost=[api.world.bob.person_id])
    found = api.bob.get(f"/matches/{match}/explanation")
    assert found.status_code == 200
    ExplanationItem.model_validate(found.json())
    item = found.json()
    assert item["reason"]["said"] == "What you wished for and could have had went to others."
    said = item["missed"][0]["reasons"][0]["said"]
    assert "A week in the permits office" in said
    assert said.endswith("the lot decides between them.")
    assert (item["free"][0]["placement"], item["lost"]) == (placed["id"], True)
    slovene = api.bob.get(f"/matches/{match}/explanation", headers={"Accept-Language": "sl"}).json()
    assert slovene["reason"]["code"] == "went_to_others"
    for caller in (api.bea, api.cora, api.charlie):
        assert is_problem(caller.get(f"/matches/{match}/explanation"), 404, "not-found")
    hidden = planned(api, reasons=reasons)
    assert is_problem(api.bob.get(f"/matches/{hidden}/explanation"), 404, "not-found")
