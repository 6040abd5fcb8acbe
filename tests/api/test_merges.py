"""Merges through the API."""

from app.schemas.moderation import MergeItem, MergeList
from tests.api.conftest import Api, is_problem, pointers


def _proposed(api: Api) -> tuple[int, int, str]:
    source, target = api.idea(title="Mine"), api.idea(api.world.bob, "Yours")
    answer = api.alice.post(f"/ideas/{source}/merges", {"target": target})
    assert answer.status_code == 201
    MergeItem.model_validate(answer.json())
    return source, target, answer.headers["location"]


def test_a_merge_unites_support_with_consent(api: Api) -> None:
    source, target, merge = _proposed(api)
    for caller in (api.ana, api.bea):
        caller.put(f"/ideas/{source}/support")
    api.bea.put(f"/ideas/{target}/support")
    assert api.bob.get(merge).json()["asked"] is True
    assert api.alice.get(merge).json()["asked"] is False
    listed = api.bob.get(f"/ideas/{target}/merges").json()
    MergeList.model_validate(listed)
    assert [item["source"] for item in listed["items"]] == [source]
    assert is_problem(api.alice.post(f"{merge}/acceptance"), 403, "not-allowed")
    made = api.bob.post(f"{merge}/acceptance")
    assert (made.status_code, made.json()["state"]) == (200, "accepted")
    assert is_problem(api.bob.post(f"{merge}/acceptance"), 409, "conflict")
    assert api.bob.get(f"/ideas/{source}").json()["state"] == "merged"
    assert api.bob.get(f"/ideas/{target}").json()["tally"]["total"] == 2

    objected = api.ana.post(f"{merge}/objection", {"reason": "Another thing"})
    assert objected.json()["objections"] == 1
    assert api.bob.get(f"/ideas/{target}").json()["tally"]["total"] == 1
    assert is_problem(api.bob.post(f"{merge}/undoing"), 403, "not-allowed")
    assert api.fay.post(f"{merge}/undoing").json()["state"] == "undone"
    assert api.bob.get(f"/ideas/{source}").json()["tally"]["total"] == 2
    assert api.bob.get(f"/ideas/{target}").json()["tally"]["total"] == 1


def test_a_merge_can_be_refused(api: Api) -> None:
    source, target, merge = _proposed(api)
    assert api.bob.post(f"{merge}/refusal").json()["state"] == "declined"
    assert api.bob.get(f"/ideas/{source}").json()["state"] == "open"
    assert is_problem(api.ana.post(f"{merge}/objection", {}), 409, "conflict")
    assert api.bob.get(f"/ideas/{target}/merges").json()["items"] == []


def test_a_merge_is_of_two_ideas_of_one_board(api: Api) -> None:
    source = api.idea()
    elsewhere = api.idea(None, "Elsewhere", api.world.challenge())
    for target in (source, elsewhere):
        answer = api.alice.post(f"/ideas/{source}/merges", {"target": target})
        assert is_problem(answer, 422, "invalid")
    assert pointers(api.alice.post(f"/ideas/{source}/merges", {})) == ["/target"]
    assert is_problem(api.ana.post(f"/ideas/{source}/merges", {"target": elsewhere}), 422, "invalid")
    assert is_problem(api.charlie.post(f"/ideas/{source}/merges", {"target": elsewhere}), 404, "not-found")


def test_a_stranger_finds_no_merge(api: Api) -> None:
    source, _, merge = _proposed(api)
    assert is_problem(api.charlie.get(merge), 404, "not-found")
    assert is_problem(api.charlie.post(f"{merge}/acceptance"), 404, "not-found")
    assert is_problem(api.charlie.get(f"/ideas/{source}/merges"), 404, "not-found")


def test_whose_consent_is_asked_does_not_name_who_wrote_anonymously(api: Api) -> None:
    challenge_id = api.world.challenge(anonymous_allowed=True)
    source = api.idea(None, "Mine", challenge_id)
    target = api.idea(api.world.bob, "Secret", challenge_id, anonymous=True)
    merge = api.alice.post(f"/ideas/{source}/merges", {"target": target}).headers["location"]
    assert api.alice.get(merge).json()["asked"] is False
    api.bob.post(f"{merge}/acceptance")
    for event in api.alice.get(f"/programmes/{api.programme_id}/events").json()["items"]:
        if event["challenge"] == challenge_id:
            assert event["actor"] != api.world.bob.person_id, event["type"]
