"""Placements through the API: offered, reviewed, found, changed without touching what is booked, taken back."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from app.models import Membership
from app.schemas.placements import PlacementItem, PlacementList
from tests.api.conftest import Api, Caller, is_problem, pointers
from tests.api.hosting import ask, booker, monday, placement, week, window


def offered(api: Api, **fields: Any) -> Any:
    """The answer to Sam, a sponsor of the public house, who offers a placement."""
    draft = {"title": "A week in the permits office", "description": "Sit *with* us.", "periods": [week()]}
    return api.sam.post(f"/programmes/{api.programme_id}/placements", draft | fields)


def test_a_placement_is_offered_reviewed_and_published(api: Api) -> None:
    answer = offered(api, competencies=["Procurement", "procurement"], spoken=["sl"], place="Ljubljana")
    assert answer.status_code == 201
    placed = answer.json()
    PlacementItem.model_validate(placed)
    assert placed["url"] == f"http://testserver/placements/{placed['id']}"
    assert placed["description_html"] == "<p>Sit <em>with</em> us.</p>\n"
    assert (placed["organisation"], placed["sector"]) == (api.world.organisations["public"], "public")
    assert placed["contact"] == {"person": api.world.sam.person_id, "name": "Sam Hribar"}
    assert (placed["state"], placed["competencies"], placed["note"]) == ("proposed", ["Procurement"], None)
    assert [period["free"] for period in placed["periods"]] == [1]

    here, tag = answer.headers["location"], answer.headers["etag"]
    assert api.sam.get(here, headers={"If-None-Match": tag}).status_code == 304
    assert is_problem(api.bob.get(here), 404, "not-found")
    cora = api.of(api.world.cora, "read", "admin")
    returned = cora.post(f"{here}/return", {"note": "What about Friday?"})
    assert (returned.json()["state"], returned.json()["note"]) == ("returned", "What about Friday?")
    changed = api.sam.patch(here, {"description": "Friday too."}, returned.headers["etag"])
    assert (changed.json()["state"], changed.json()["title"]) == ("proposed", placed["title"])
    assert [cora.put(f"{here}/publication").status_code for _ in range(2)] == [200, 200]
    published = api.bob.get(here).json()
    assert (published["state"], published["version"]) == ("published", 4)
    assert is_problem(cora.post(f"{here}/return", {"note": "Late."}), 409, "conflict")
    assert is_problem(api.sam.patch(here, {"title": "x"}, tag), 412, "version-moved-on")
    assert is_problem(api.sam.patch(here, {"title": "x"}), 428, "precondition-required")


def test_what_was_returned_is_handed_in_anew_by_saying_something_of_it(api: Api) -> None:
    here = offered(api).headers["location"]
    returned = api.of(api.world.cora, "admin").post(f"{here}/return", {"note": "Friday?"})
    nothing = api.sam.patch(here, {}, "*")
    assert (nothing.json()["state"], nothing.headers["etag"]) == ("returned", returned.headers["etag"])
    assert is_problem(api.bob.patch(here, {}, "*"), 404, "not-found")
    assert is_problem(api.sam.patch(here, {}, '"9-0000000000000000"'), 412, "version-moved-on")
    again = api.sam.patch(here, {"title": returned.json()["title"]}, "*")
    assert (again.json()["state"], again.json()["version"]) == ("proposed", returned.json()["version"] + 1)


def test_the_note_of_a_coordinator_is_for_those_who_can_mend_it(api: Api) -> None:
    here = offered(api).headers["location"]
    cora = api.of(api.world.cora, "read", "admin")
    cora.post(f"{here}/return", {"note": "What about Friday?"})
    assert api.sam.get(here).json()["note"] == "What about Friday?"
    assert cora.get(here).json()["note"] == "What about Friday?"


def test_a_placement_without_days_is_not_published(api: Api) -> None:
    here = offered(api, periods=[]).headers["location"]
    assert is_problem(api.of(api.world.cora, "admin").put(f"{here}/publication"), 409, "conflict")


def test_who_may_not_is_told_so(api: Api) -> None:
    listed = f"/programmes/{api.programme_id}/placements"
    one = f"/placements/{placement(api)['id']}"
    draft = {"title": "t", "description": "d"}
    for answer in (api.nobody.get(listed), api.nobody.get(one), api.nobody.post(listed, draft)):
        assert is_problem(answer, 401, "not-signed-in")
    for answer in (api.charlie.get(one), api.charlie.patch(one, draft, "*"), api.charlie.delete(one, "*")):
        assert is_problem(answer, 404, "not-found")
    assert is_problem(api.charlie.get(listed), 403, "not-allowed")
    for caller in (api.bob, api.olga):
        assert is_problem(caller.post(listed, draft), 403, "not-allowed")
        assert is_problem(caller.patch(one, draft, "*"), 403, "not-allowed")
        assert is_problem(caller.delete(one, "*"), 403, "not-allowed")
    for actor in (api.world.alice, api.world.fay):
        admin = api.of(actor, "admin")
        assert is_problem(admin.put(f"{one}/publication"), 403, "not-allowed")
        assert is_problem(admin.post(f"{one}/return", {"note": "n"}), 403, "not-allowed")
    assert is_problem(api.cora.put(f"{one}/publication"), 403, "insufficient-scope")
    assert is_problem(api.of(api.world.sam, "book").post(listed, draft), 403, "insufficient-scope")


def test_the_same_offer_twice_is_one(api: Api) -> None:
    listed = f"/programmes/{api.programme_id}/placements"
    draft, key = {"title": "t", "description": "d"}, {"Idempotency-Key": "once"}
    first = api.sam.post(listed, draft, headers=key)
    again = api.sam.post(listed, draft, headers=key)
    assert (again.status_code, again.content) == (201, first.content)
    assert is_problem(
        api.sam.post(listed, {**draft, "title": "u"}, headers=key), 422, "idempotency-key-reused"
    )


def test_placements_come_in_pages_and_filtered_ones_too(api: Api) -> None:
    made = [placement(api, place="Celje" if number % 2 else "Koper")["id"] for number in range(6)]
    placement(api, published=False)
    seen: list[int] = []
    address = f"/programmes/{api.programme_id}/placements?limit=2&place=celje"
    while address:
        answer = api.bob.get(address)
        PlacementList.model_validate(answer.json())
        seen += [item["id"] for item in answer.json()["items"]]
        address = answer.links["next"]["url"] if answer.links else ""
    assert seen == made[1::2]


def test_placements_are_found_by_days_host_sector_and_words(api: Api) -> None:
    early = placement(api, week(3), title="Bridges")["id"]
    late = placement(api, window(10), title="Registers 100%")["id"]

    def found(**query: Any) -> list[int]:
        answer = api.bob.get(f"/programmes/{api.programme_id}/placements", params=query)
        return [item["id"] for item in answer.json()["items"]]

    house = api.world.organisations
    assert found() == [early, late]
    assert found(first_day=(monday(3) + timedelta(days=5)).isoformat()) == [late]
    assert found(last_day=monday(9).isoformat()) == [early]
    assert found(first_day=monday(11).isoformat(), last_day=monday(11).isoformat()) == [late]
    assert found(sector="public") == [early, late]
    assert found(sector="business") == []
    assert [found(host=house[sector]) for sector in ("public", "business")] == [[early, late], []]
    assert [found(words=words) for words in ("bridge", "100%", "%", "_")] == [[early], [late], [late], []]
    assert found(words="registers house") == [late]


def test_what_is_not_published_is_listed_for_those_who_may_change_it(api: Api) -> None:
    proposed = placement(api, published=False)["id"]
    elsewhere = api.world.placement(api.world.henk, published=False)
    open_to_all, gone = placement(api)["id"], placement(api)["id"]
    assert api.cora.delete(f"/placements/{gone}", "*").status_code == 204
    assert api.of(api.world.cora, "admin").post(f"/placements/{elsewhere}/return", {"note": "n"}).is_success

    def found(caller: Caller, state: str) -> list[int]:
        answer = caller.get(f"/programmes/{api.programme_id}/placements", params={"state": state})
        return [item["id"] for item in answer.json()["items"]]

    states = ("proposed", "returned", "published", "withdrawn")
    whole = [[proposed], [elsewhere], [open_to_all], [gone]]
    assert [found(api.cora, state) for state in states] == whole
    assert [found(api.of(api.world.hana), state) for state in states] == [
        [proposed],
        [],
        [open_to_all],
        [gone],
    ]
    assert [found(api.of(api.world.henk), state) for state in states] == [[], [elsewhere], [open_to_all], []]
    assert [found(api.alice, state) for state in states] == [[proposed], [], [open_to_all], [gone]]
    assert [found(api.bob, state) for state in states] == [[], [], [open_to_all], []]


@pytest.mark.parametrize(
    "query",
    [
        "first_day=yesterday",
        "last_day=2026-02-30",
        "first_day=1777852800",
        "host=0",
        "state=lost",
        "words=" + "x" * 201,
        "limit=0",
    ],
)
def test_what_cannot_be_looked_for_is_told(api: Api, query: str) -> None:
    answer = api.bob.get(f"/programmes/{api.programme_id}/placements?{query}")
    assert is_problem(answer, 422, "invalid")
    assert pointers(answer) == ["/" + query.split("=", maxsplit=1)[0]]


def test_what_is_booked_stays_as_it_is(api: Api) -> None:
    placed = placement(api, week(places=2), week(5))
    here, (first, second) = f"/placements/{placed['id']}", placed["periods"]
    for actor in (api.world.bob, api.world.bea):
        assert ask(api, placed, actor).status_code == 201
    before = api.cora.get(here)
    assert before.json()["periods"][0]["free"] == 0
    fewer = api.cora.patch(here, {"periods": [week() | {"id": first, "places": 1}]}, "*")
    assert is_problem(fewer, 409, "conflict")
    assert "Bob Kos" in fewer.json()["detail"]
    assert is_problem(api.cora.patch(here, {"periods": [week(5) | {"id": second}]}, "*"), 409, "conflict")
    assert api.cora.get(here).content == before.content
    kept = [week(places=3) | {"id": first}, week(7)]
    changed = api.cora.patch(here, {"periods": kept}, "*").json()
    assert [(period["places"], period["free"]) for period in changed["periods"]] == [(3, 1), (1, 1)]


def test_taking_back_what_is_booked_takes_a_word_and_a_reason(api: Api) -> None:
    placed = placement(api)
    here, booking = f"/placements/{placed['id']}", ask(api, placed).headers["location"]
    assert is_problem(api.cora.delete(here), 428, "precondition-required")
    assert is_problem(api.cora.delete(here, "*"), 409, "conflict")
    silent = api.cora.delete(f"{here}?cancel_bookings=true", "*")
    assert is_problem(silent, 422, "invalid")
    assert [(error["in"], error["pointer"]) for error in silent.json()["errors"]] == [("query", "/reason")]
    guest = booker(api, api.world.bob)
    assert guest.get(booking).json()["state"] == "held"
    ended = api.alice.delete(f"{here}?cancel_bookings=true&reason=We%20move.", api.alice.tag(here))
    assert ended.status_code == 204
    assert guest.get(booking).json()["state"] == "cancelled"
    assert api.bob.get(here).json()["state"] == "withdrawn"
    assert api.bob.get(f"/programmes/{api.programme_id}/placements").json()["items"] == []


def test_a_contact_who_has_left_the_programme_no_longer_speaks_for_the_host(api: Api) -> None:
    placed = placement(api)
    booking = ask(api, placed).headers["location"]
    alice = booker(api, api.world.alice)
    assert alice.get(booking).status_code == 200
    person_id = api.world.alice.person_id
    ended = update(Membership).where(Membership.person_id == person_id)
    api.world.do(lambda tx: tx.execute(ended.values(ended_at=tx.now)))
    assert is_problem(alice.get(booking), 404, "not-found")


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"title": " "}, ["/title"]),
        ({"title": "x" * 121}, ["/title"]),
        ({"description": ""}, ["/description"]),
        ({"language": "fr"}, ["/language"]),
        ({"spoken": ["slovene language"]}, ["/spoken"]),
        ({"competencies": ["x" * 81]}, ["/competencies"]),
        ({"competencies": [7]}, ["/competencies/0"]),
        ({"open_to": "all"}, ["/open_to"]),
        ({"least_days": 0}, ["/least_days"]),
        ({"most_days": 400}, ["/most_days"]),
        ({"least_days": 4, "most_days": 2}, ["/most_days"]),
        ({"least_days": 1.5}, ["/least_days"]),
        ({"contact": 999_999}, ["/contact"]),
        ({"organisation": 999_999}, ["/organisation", "/contact"]),
        ({"periods": [week() | {"places": 0}]}, ["/periods/0/places"]),
        ({"periods": [week() | {"last_day": monday(2).isoformat()}]}, ["/periods/0/last_day"]),
        ({"periods": [week(-3)]}, ["/periods/0/first_day"]),
        ({"periods": [week() | {"last_day": "2027-02-29"}]}, ["/periods/0/last_day"]),
        ({"periods": [week(), week()]}, ["/periods/1/first_day"]),
        ({"periods": [week() | {"id": 1}]}, ["/periods/0/id"]),
        ({"periods": [week() | {"free": 3}]}, ["/periods/0/free"]),
        ({"published_at": None}, ["/published_at"]),
    ],
)
def test_a_placement_that_cannot_be_taken_is_not_offered(api: Api, fields: dict, where: list[str]) -> None:
    answer = offered(api, **fields)
    assert is_problem(answer, 422, "invalid")
    assert pointers(answer) == where
