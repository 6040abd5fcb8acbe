"""Wishes through the API: each person's own, the best first."""

import pytest

from app.schemas.wishes import WishesItem
from tests.api.conftest import Api, is_problem, pointers
from tests.api.hosting import booker, monday, placement


def address(api: Api) -> str:
    return f"/programmes/{api.programme_id}/wishes"


def test_wishes_are_stated_read_replaced_and_taken_back(api: Api) -> None:
    placed, bob = placement(api), booker(api, api.world.bob)
    none = bob.get(address(api))
    WishesItem.model_validate(none.json())
    assert (none.json()["wishes"], none.json()["version"]) == ([], 0)
    span = {"first_day": monday(4).isoformat(), "last_day": monday(5).isoformat()}
    wishes = [
        {"placement": placed["id"], "period": placed["periods"][0]},
        {"organisation": api.world.organisations["public"]},
        {"competency": "Procurement", **span},
    ]
    body = {"wishes": wishes, "unavailable": [span], "offers_desk": True}
    stated = bob.put(address(api), json=body, headers={"If-Match": none.headers["etag"]})
    assert stated.status_code == 200
    WishesItem.model_validate(stated.json())
    told = stated.json()
    assert [{name: value for name, value in each.items() if value} for each in told["wishes"]] == wishes
    assert (told["unavailable"], told["offers_desk"], told["version"]) == ([span], True, 1)
    assert bob.get(address(api)).json() == told
    assert bob.get(address(api), headers={"If-None-Match": stated.headers["etag"]}).status_code == 304
    late = bob.put(address(api), json=body, headers={"If-Match": none.headers["etag"]})
    assert is_problem(late, 412, "version-moved-on")
    assert is_problem(bob.put(address(api), json=body), 428, "precondition-required")
    assert is_problem(bob.delete(address(api), none.headers["etag"]), 412, "version-moved-on")
    assert [bob.delete(address(api), "*").status_code for _ in range(2)] == [204, 204]
    assert bob.get(address(api)).json() == none.json()


def test_they_are_ones_own(api: Api) -> None:
    body = {"wishes": [{"placement": placement(api)["id"]}]}
    bob, anything = booker(api, api.world.bob), {"If-Match": "*"}
    assert bob.put(address(api), json=body, headers=anything).status_code == 200
    for actor in (api.world.bea, api.world.cora, api.world.alice):
        assert booker(api, actor).get(address(api)).json()["wishes"] == []
    assert booker(api, api.world.bea).delete(address(api), "*").status_code == 204
    assert len(bob.get(address(api)).json()["wishes"]) == 1
    assert is_problem(api.nobody.get(address(api)), 401, "not-signed-in")
    assert is_problem(api.bob.put(address(api), json=body, headers=anything), 403, "insufficient-scope")
    for actor in (api.world.olga, api.world.charlie):
        answer = booker(api, actor).put(address(api), json=body, headers=anything)
        assert is_problem(answer, 403, "not-allowed")


def test_where_places_go_to_who_asks_first_none_are_stated(api: Api) -> None:
    api.world.rules(way="first_come")
    body = {"wishes": [{"placement": placement(api)["id"]}]}
    answer = booker(api, api.world.bob).put(address(api), json=body, headers={"If-Match": "*"})
    assert is_problem(answer, 409, "conflict")


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"wishes": []}, ["/wishes"]),
        ({"wishes": [{"competency": "a"}] * 2}, ["/wishes/1"]),
        ({"wishes": [{"competency": str(number)} for number in range(13)]}, ["/wishes"]),
        ({"wishes": [{}]}, ["/wishes/0"]),
        ({"wishes": [{"placement": 1, "competency": "a"}]}, ["/wishes/0"]),
        ({"wishes": [{"placement": 999_999}]}, ["/wishes/0"]),
        ({"wishes": [{"competency": "a", "rank": 1}]}, ["/wishes/0/rank"]),
        ({"wishes": [{"competency": "a", "first_day": "soon"}]}, ["/wishes/0/first_day"]),
        (
            {
                "wishes": [{"competency": "a"}],
                "unavailable": [{"first_day": "2026-05-08", "last_day": "2026-05-04"}],
            },
            ["/unavailable/0/last_day"],
        ),
    ],
)
def test_wishes_that_cannot_be_taken_leave_those_from_before(api: Api, body: dict, where: list[str]) -> None:
    bob, anything = booker(api, api.world.bob), {"If-Match": "*"}
    bob.put(address(api), json={"wishes": [{"competency": "before"}]}, headers=anything)
    answer = bob.put(address(api), json=body, headers=anything)
    assert is_problem(answer, 422, "invalid")
    assert pointers(answer) == where
    assert [each["competency"] for each in bob.get(address(api)).json()["wishes"]] == ["before"]
