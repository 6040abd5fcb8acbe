"""The rules of exchanges through the API, and what the event log keeps to itself of people's stays."""

from typing import Any

import pytest

from app.schemas.exchanges import LedgerItem, RulesItem
from app.services import events
from tests.api.conftest import Api, Caller, is_problem, pointers
from tests.api.hosting import ask, booker, placement


def address(api: Api) -> str:
    return f"/programmes/{api.programme_id}/exchange-rules"


def admin(api: Api) -> Caller:
    return api.of(api.world.cora, "read", "admin")


def test_rules_are_read_and_changed_by_coordinators(api: Api) -> None:
    before = api.bob.get(address(api))
    RulesItem.model_validate(before.json())
    assert before.json()["approvals"] == ["manager", "host", "coordinator"]
    assert next(item["item"] for item in before.json()["checklist"]) == "confidentiality"
    assert before.json()["version"] == 0
    tag = before.headers["etag"]
    assert api.bob.get(address(api), headers={"If-None-Match": tag}).status_code == 304
    items = [{"item": "badge", "party": "guest", "text": "I bring my badge."}]
    changes = {"approvals": ["host"], "checklist": items, "hold_days": 7, "way": "matching"}
    changed = admin(api).patch(address(api), changes, tag)
    assert changed.status_code == 200
    assert changed.json() == before.json() | changes | {"version": 1}
    assert api.bob.get(address(api)).json() == changed.json()
    for same in (changes, {}):
        assert admin(api).patch(address(api), same, "*").headers["etag"] == changed.headers["etag"]
    assert is_problem(admin(api).patch(address(api), {"hold_days": 8}, tag), 412, "version-moved-on")
    assert is_problem(admin(api).patch(address(api), {"hold_days": 8}), 428, "precondition-required")


def test_what_is_usual_is_told_in_the_readers_language(api: Api) -> None:
    told = api.bob.get(address(api)).json()["checklist"]
    assert told[0]["text"].startswith("I keep to myself")


def test_only_coordinators_change_them_and_only_members_read_them(api: Api) -> None:
    changes = {"hold_days": 7}
    for actor in (api.world.alice, api.world.fay, api.world.sam):
        assert is_problem(api.of(actor, "admin").patch(address(api), changes, "*"), 403, "not-allowed")
    assert is_problem(api.cora.patch(address(api), changes, "*"), 403, "insufficient-scope")
    assert is_problem(api.nobody.get(address(api)), 401, "not-signed-in")
    for answer in (
        api.charlie.get(address(api)),
        api.of(api.world.charlie, "admin").patch(address(api), changes, "*"),
    ):
        assert is_problem(answer, 403, "not-allowed")
    assert api.bob.get(address(api)).json()["version"] == 0


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"hold_days": 0}, ["/hold_days"]),
        ({"offer_days": 31}, ["/offer_days"]),
        ({"way": "lottery"}, ["/way"]),
        ({"approvals": ["boss"]}, ["/approvals/0"]),
        ({"approvals": ["host", "host"]}, ["/approvals"]),
        ({"country": "XX"}, ["/country"]),
        ({"zone": "Europe/Nowhere"}, ["/zone"]),
        ({"checklist": [{"item": "a", "party": "guest", "text": ""}]}, ["/checklist/0/text"]),
        ({"checklist": [{"item": "", "party": "guest", "text": "t"}]}, ["/checklist/0/item"]),
        ({"checklist": [{"item": "a", "party": "clock", "text": "t"}]}, ["/checklist/0/party"]),
        ({"checklist": [{"item": "a", "party": "guest", "text": "t"}] * 2}, ["/checklist"]),
        ({"in_order": "yes"}, ["/in_order"]),
        ({"version": 4}, ["/version"]),
    ],
)
def test_rules_that_cannot_be_taken_change_nothing(api: Api, changes: dict, where: list[str]) -> None:
    answer = admin(api).patch(address(api), changes, "*")
    assert is_problem(answer, 422, "invalid")
    assert pointers(answer) == where
    assert api.bob.get(address(api)).json()["version"] == 0


def test_the_ledger_counts_what_is_settled_by_organisation(api: Api) -> None:
    settled = {"approvals": [], "checklist": []}
    address_of_ledger = f"/programmes/{api.programme_id}/ledger"
    empty = api.ana.get(address_of_ledger)
    assert (empty.json()["stays"], empty.json()["organisations"]) == (0, [])
    admin(api).patch(address(api), settled, "*")
    ask(api, placement(api))
    admin(api).patch(address(api), {"approvals": ["host"]}, "*")
    ask(api, placement(api), api.world.bea)
    answer = api.ana.get(address_of_ledger, headers={"If-None-Match": empty.headers["etag"]})
    LedgerItem.model_validate(answer.json())
    house = api.world.organisations
    assert answer.json()["flows"] == [{"home": house["business"], "host": house["public"], "stays": 1}]
    assert answer.json()["directions"] == [{"home": "business", "host": "public", "stays": 1}]
    assert [(each["sector"], each["went"], each["came"]) for each in answer.json()["organisations"]] == [
        ("public", 0, 1),
        ("business", 1, 0),
    ]
    again = api.bob.get(address_of_ledger, headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304
    assert is_problem(api.charlie.get(address_of_ledger), 403, "not-allowed")


def test_whose_stays_there_are_is_told_to_coordinators_alone(api: Api) -> None:
    placed = placement(api)
    booking = ask(api, placed).json()
    booker(api, api.world.bob).delete(f"/bookings/{booking['id']}", "*")
    log = f"/programmes/{api.programme_id}/events"

    def told(caller: Caller) -> list[dict[str, Any]]:
        found = caller.get(log, params={"limit": 200}).json()["items"]
        return [each for each in found if each["type"].startswith(("booking.", "decision_link."))]

    to_cora, to_ana = told(admin(api)), told(api.ana)
    assert [each["type"] for each in to_ana] == [each["type"] for each in to_cora]
    assert {"booking.held", "booking.withdrawn"} <= {each["type"] for each in to_ana}
    assert api.world.bob.person_id in [each["actor"] for each in to_cora]
    assert to_cora[0]["data"]["to"] == "held"
    assert [(each["actor"], each["data"]) for each in to_ana] == [(None, {})] * len(to_ana)
    assert [each["id"] for each in to_ana] == [each["id"] for each in to_cora]
    assert to_ana[0]["url"] == f"http://testserver/bookings/{booking['id']}"
    assert is_problem(api.ana.get(f"/bookings/{to_ana[0]['subject']}"), 404, "not-found")


def test_what_a_placement_goes_through_is_told_to_everyone(api: Api) -> None:
    placed = placement(api)
    found = api.bob.get(f"/programmes/{api.programme_id}/events", params={"limit": 200}).json()["items"]
    of_it = [each for each in found if each["type"].startswith("placement.")]
    assert [each["type"] for each in of_it] == ["placement.offered", "placement.published"]
    assert {each["actor"] for each in of_it} == {api.world.cora.person_id}
    assert of_it[0]["url"] == f"http://testserver/placements/{placed['id']}"


@pytest.mark.parametrize("type", ["conflict.declared", "feed.made", "preferences.stated", "wishes.stated"])
def test_whose_wishes_conflicts_and_calendars_there_are_stays_theirs(api: Api, type: str) -> None:
    bob = api.world.bob
    named = {"programme_id": api.programme_id, "subject_id": bob.person_id, "data": {"person": bob.person_id}}
    api.world.do(events.record, type, bob, **named)
    log = f"/programmes/{api.programme_id}/events"
    to_ana, to_cora = (caller.get(log).json()["items"][-1] for caller in (api.ana, api.cora))
    assert (to_ana["type"], to_cora["type"]) == (type, type)
    assert (to_ana["actor"], to_ana["subject"], to_ana["data"]) == (None, None, {})
    assert (to_cora["actor"], to_cora["subject"]) == (bob.person_id, bob.person_id)
