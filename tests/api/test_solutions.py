"""Solutions through the API: promoted, worked on, frozen while they are decided on, taken back."""

from datetime import timedelta

import pytest

from app.lib import clock
from app.schemas.solutions import SolutionItem, SolutionList
from tests.api.conftest import Api, is_problem, pointers

PLAN = {"title": "The plan", "url": "https://example.org/plan.pdf"}


def test_a_solution_is_promoted_read_changed_and_taken_back(api: Api) -> None:
    first, second = api.idea(), api.idea(title="Another")
    draft = {
        "title": "One form, once",
        "summary": "Tell *one* office.",
        "cost": 30,
        "carrier": "Ministry of Meadows",
        "links": [PLAN, {"url": "http://example.org/"}],
        "ideas": [second, first],
    }
    answer = api.fay.post(f"/challenges/{api.challenge_id}/solutions", draft)
    assert answer.status_code == 201
    solution = answer.json()
    SolutionItem.model_validate(solution)
    assert solution["url"] == f"http://testserver/solutions/{solution['id']}"
    assert solution["summary_html"] == "<p>Tell <em>one</em> office.</p>\n"
    assert solution["links"] == [PLAN, {"title": "http://example.org/", "url": "http://example.org/"}]
    assert (solution["ideas"], solution["cost"]) == ([first, second], 30)
    assert (solution["frozen"], solution["withdrawn"]) == (False, False)

    address, tag = answer.headers["location"], answer.headers["etag"]
    assert api.bob.get(address).json() == solution
    assert api.bob.get(address, headers={"If-None-Match": tag}).status_code == 304
    changed = api.cora.patch(address, {"cost": 40, "links": [], "ideas": [second]}, tag)
    assert changed.status_code == 200
    assert (changed.json()["cost"], changed.json()["links"], changed.json()["ideas"]) == (40, [], [second])
    assert (changed.json()["title"], changed.json()["version"]) == (draft["title"], 2)
    assert is_problem(api.fay.patch(address, {"cost": 1}, tag), 412, "version-moved-on")
    assert is_problem(api.fay.patch(address, {"cost": 1}), 428, "precondition-required")
    assert is_problem(api.fay.delete(address), 428, "precondition-required")
    assert is_problem(api.fay.delete(address, tag), 412, "version-moved-on")
    again = api.fay.patch(address, {"cost": 40, "links": [], "ideas": [second, second]}, "*")
    assert again.headers["etag"] == changed.headers["etag"], "it was so already"
    assert api.fay.delete(address, changed.headers["etag"]).status_code == 204
    assert api.bob.get(address).json()["withdrawn"] is True
    assert is_problem(api.fay.patch(address, {"cost": 1}, "*"), 409, "conflict")
    listed = api.bob.get(f"/challenges/{api.challenge_id}/solutions").json()
    assert listed == {"items": [], "next": None}


def test_solutions_come_in_pages(api: Api) -> None:
    made = [api.solution(f"Solution {number}") for number in range(5)]
    api.solution("Noise", api.world.challenge())
    seen: list[int] = []
    address = f"/challenges/{api.challenge_id}/solutions?limit=2"
    while address:
        answer = api.bob.get(address)
        SolutionList.model_validate(answer.json())
        seen += [item["id"] for item in answer.json()["items"]]
        address = answer.links["next"]["url"] if answer.links else ""
    assert seen == made


def test_who_may_not_is_told_why(api: Api) -> None:
    listed = f"/challenges/{api.challenge_id}/solutions"
    one = f"/solutions/{api.solution()}"
    draft = {"title": "t"}
    for answer in (api.nobody.get(listed), api.nobody.get(one), api.nobody.post(listed, draft)):
        assert is_problem(answer, 401, "not-signed-in")
    for answer in (
        api.charlie.get(listed),
        api.charlie.get(one),
        api.charlie.post(listed, draft),
        api.charlie.patch(one, draft, "*"),
        api.charlie.delete(one, "*"),
        api.fay.get("/solutions/999"),
    ):
        assert is_problem(answer, 404, "not-found")
    for caller in (api.alice, api.sam, api.olga):
        assert is_problem(caller.post(listed, draft), 403, "not-allowed")
        assert is_problem(caller.patch(one, draft, "*"), 403, "not-allowed")
        assert is_problem(caller.delete(one, "*"), 403, "not-allowed")
    reader, writer = api.of(api.world.fay, "read", "vote"), api.of(api.world.fay, "write")
    for answer in (reader.post(listed, draft), reader.patch(one, draft, "*"), writer.get(one)):
        assert is_problem(answer, 403, "insufficient-scope")


def test_the_same_promotion_twice_makes_one(api: Api) -> None:
    listed = f"/challenges/{api.challenge_id}/solutions"
    key = {"Idempotency-Key": "once"}
    first = api.fay.post(listed, {"title": "t"}, headers=key)
    again = api.fay.post(listed, {"title": "t"}, headers=key)
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["idempotency-replayed"] == "true"
    assert is_problem(api.fay.post(listed, {"title": "u"}, headers=key), 422, "idempotency-key-reused")
    assert len(api.fay.get(listed).json()["items"]) == 1


def test_what_is_decided_on_stands_as_it_is(api: Api) -> None:
    solution_id = api.solution()
    one = f"/solutions/{solution_id}"
    ballot_id = api.ballot(solutions=[solution_id], opens_at=clock.now() + timedelta(days=1))
    assert is_problem(api.fay.delete(one, "*"), 409, "conflict")
    assert is_problem(api.fay.patch(one, {"cost": 7}, "*"), 409, "conflict")
    api.world.close_now(ballot_id)
    assert api.bob.get(one).json()["frozen"] is True
    assert is_problem(api.fay.patch(one, {"cost": 8}, "*"), 409, "conflict")
    assert api.bob.get(one).json()["cost"] == 0


@pytest.mark.parametrize(
    ("draft", "where"),
    [
        ({}, ["/title"]),
        ({"title": " "}, ["/title"]),
        ({"title": "x" * 121}, ["/title"]),
        ({"title": "a\x00b"}, ["/title"]),
        ({"title": "t", "summary": "x" * 4001}, ["/summary"]),
        ({"title": "t", "carrier": "x" * 161}, ["/carrier"]),
        ({"title": "t", "language": "fr"}, ["/language"]),
        ({"title": "t", "cost": -1}, ["/cost"]),
        ({"title": "t", "cost": 10**20}, ["/cost"]),
        ({"title": "t", "cost": 1.5}, ["/cost"]),
        ({"title": "t", "cost": True}, ["/cost"]),
        ({"title": "t", "ideas": [999_999]}, ["/ideas"]),
        ({"title": "t", "ideas": [0]}, ["/ideas/0"]),
        ({"title": "t", "links": [{"title": "x"}]}, ["/links/0/url"]),
        ({"title": "t", "links": [PLAN, {"url": "javascript:alert(1)"}]}, ["/links/1/url"]),
        ({"title": "t", "links": [{"url": "https://user@example.org"}]}, ["/links/0/url"]),
        ({"title": "t", "links": [PLAN] * 11}, ["/links"]),
        ({"title": "t", "links": [PLAN | {"rel": "x"}]}, ["/links/0/rel"]),
        ({"title": "", "cost": -1, "links": [{"url": "x"}]}, ["/title", "/cost", "/links/0/url"]),
        ({"title": "t", "promoted_by": 1}, ["/promoted_by"]),
    ],
)
def test_a_solution_that_cannot_be_taken_is_not_made(api: Api, draft: dict, where: list[str]) -> None:
    listed = f"/challenges/{api.challenge_id}/solutions"
    answer = api.fay.post(listed, draft)
    assert is_problem(answer, 422, "invalid")
    assert pointers(answer) == where
    assert api.fay.get(listed).json()["items"] == []
