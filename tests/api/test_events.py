"""The event log through the API: for synchronising, without a gap and without a secret."""

from app.schemas.events import EventList
from tests.api.conftest import Api, is_problem


def test_the_log_is_followed_without_gap_or_repetition(api: Api) -> None:
    log = f"/programmes/{api.programme_id}/events"
    before = api.alice.get(log, params={"limit": 200}).json()["items"]
    last = before[-1]["id"] if before else 0
    for number in range(5):
        api.alice.post(f"/challenges/{api.challenge_id}/ideas", {"title": f"Idea {number}"})
    seen = []
    address = f"{log}?limit=2&after={last}"
    while address:
        answer = api.bob.get(address)
        EventList.model_validate(answer.json())
        seen += answer.json()["items"]
        address = answer.links["next"]["url"] if answer.links else ""
    assert [event["type"] for event in seen] == ["idea.posted"] * 5
    assert [event["id"] for event in seen] == sorted({event["id"] for event in seen})
    assert all(event["actor"] == api.world.alice.person_id for event in seen)
    assert api.bob.get(f"{log}?after={seen[-1]['id']}").json() == {"items": [], "next": None}


def test_whom_people_support_stays_theirs(api: Api) -> None:
    idea_id = api.idea()
    api.bob.put(f"/ideas/{idea_id}/support")
    events = api.cora.get(f"/programmes/{api.programme_id}/events").json()["items"]
    assert events[-1]["type"] == "support.given"
    assert events[-1]["actor"] is None
    assert str(api.world.bob.person_id) not in str(events[-1]["data"])


def test_events_of_another_programme_do_not_show(api: Api) -> None:
    assert all(
        event["programme"] == api.programme_id
        for event in api.alice.get(f"/programmes/{api.programme_id}/events").json()["items"]
    )
    assert is_problem(api.charlie.get(f"/programmes/{api.programme_id}/events"), 403, "not-allowed")


def test_a_place_in_the_log_that_is_none_is_told(api: Api) -> None:
    for query in ("after=-1", "after=x", f"after={2**63}", "cursor=x"):
        assert is_problem(api.alice.get(f"/programmes/{api.programme_id}/events?{query}"), 422, "invalid")


def test_who_objects_to_a_merge_does_not_show_whom_they_support(api: Api) -> None:
    source, target = api.idea(title="Mine"), api.idea(title="Mine too")
    api.bob.put(f"/ideas/{source}/support")
    merge = api.alice.post(f"/ideas/{source}/merges", {"target": target}).headers["location"]
    assert api.bob.post(f"{merge}/objection", {"reason": "No"}).status_code == 200
    log = api.cora.get(f"/programmes/{api.programme_id}/events").json()["items"]
    assert [event["actor"] for event in log if event["type"] == "merge.objected"] == [None]


def test_the_log_is_followed_from_now_on_by_type_and_by_challenge(api: Api) -> None:
    log = f"/programmes/{api.programme_id}/events"
    api.idea()
    begins = api.bob.get(f"{log}?after=now")
    assert begins.json() == {"items": [], "next": None}
    position = begins.headers["event-position"]
    idea, elsewhere = api.idea(), api.idea(challenge_id=api.world.challenge())
    api.bob.post(f"/ideas/{idea}/comments", {"body": "Yes"})
    api.bob.put(f"/ideas/{idea}/support")
    for query, seen in (
        ("", ["idea.posted", "idea.posted", "comment.posted", "support.given"]),
        ("&type=idea,support", ["idea.posted", "idea.posted", "support.given"]),
        ("&type=comment.posted&type=support.given", ["comment.posted", "support.given"]),
        (f"&challenge={api.challenge_id}&type=idea", ["idea.posted"]),
        ("&type=match", []),
    ):
        answer = api.alice.get(f"{log}?after={position}{query}")
        assert [event["type"] for event in answer.json()["items"]] == seen
        assert int(answer.headers["event-position"]) >= int(position) + 4
    first = api.alice.get(f"{log}?after={position}&type=idea.posted&type=support&limit=1")
    assert first.headers["event-position"] == str(first.json()["items"][-1]["id"])
    second = api.alice.get(first.links["next"]["url"])
    assert [event["idea"] for event in second.json()["items"]] == [elsewhere]
    assert is_problem(api.alice.get(f"{log}?type=idea.eaten"), 422, "invalid")
    assert is_problem(api.alice.get(f"{log}?wait=31"), 422, "invalid")
    assert is_problem(api.alice.get(f"{log}?after={10**12}"), 410, "gone")


def test_who_waits_for_what_is_there_already_is_answered_at_once(api: Api) -> None:
    api.idea()
    answer = api.alice.get(f"/programmes/{api.programme_id}/events?after=0&wait=30")
    assert answer.json()["items"]
    assert is_problem(api.charlie.get(f"/programmes/{api.programme_id}/events?wait=30"), 403, "not-allowed")
