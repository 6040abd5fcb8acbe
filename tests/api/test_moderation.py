"""Pins and hidings through the API."""

from app.schemas.moderation import HidingItem
from tests.api.conftest import Api, is_problem, pointers


def test_a_facilitator_pins_and_unpins(api: Api) -> None:
    idea = f"/ideas/{api.idea()}"
    for _ in range(2):
        assert api.fay.put(f"{idea}/pin").status_code == 204
    assert api.bob.get(idea).json()["pinned"] is True
    for _ in range(2):
        assert api.fay.delete(f"{idea}/pin").status_code == 204
    assert api.bob.get(idea).json()["pinned"] is False
    assert is_problem(api.bob.put(f"{idea}/pin"), 403, "not-allowed")
    assert is_problem(api.charlie.put(f"{idea}/pin"), 404, "not-found")


def test_a_hiding_has_a_reason_that_the_author_can_answer(api: Api) -> None:
    idea = f"/ideas/{api.idea()}"
    assert is_problem(api.alice.get(f"{idea}/hiding"), 404, "not-found")
    hidden = api.fay.post(f"{idea}/hiding", {"reason": "Names a person"})
    assert hidden.status_code == 201
    HidingItem.model_validate(hidden.json())
    assert is_problem(api.fay.post(f"{idea}/hiding", {"reason": "Again"}), 409, "conflict")
    assert api.alice.get(f"{idea}/hiding").json() == hidden.json()
    assert is_problem(api.bob.get(f"{idea}/hiding"), 404, "not-found")
    answered = api.alice.post(f"{idea}/hiding/answer", {"answer": "Taken out"})
    assert answered.json()["answer"] == "Taken out"
    assert api.fay.get(f"{idea}/hiding").json() == answered.json()
    for _ in range(2):
        assert api.fay.delete(f"{idea}/hiding").status_code == 204
    assert api.bob.get(idea).json()["state"] == "open"


def test_who_may_not_moderate_is_told(api: Api) -> None:
    idea = f"/ideas/{api.idea()}"
    for caller in (api.alice, api.bob, api.olga):
        assert is_problem(caller.post(f"{idea}/hiding", {"reason": "r"}), 403, "not-allowed")
    assert is_problem(api.charlie.post(f"{idea}/hiding", {"reason": "r"}), 404, "not-found")
    assert is_problem(api.alice.post(f"{idea}/hiding/answer", {"answer": "a"}), 409, "conflict")


def test_without_a_reason_nothing_is_hidden(api: Api) -> None:
    idea = f"/ideas/{api.idea()}"
    for draft in ({}, {"reason": ""}, {"reason": "r" * 1001}):
        assert pointers(api.fay.post(f"{idea}/hiding", draft)) == ["/reason"]
    assert api.bob.get(idea).json()["state"] == "open"
