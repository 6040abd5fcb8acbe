"""Ballots through the API: made, changed until they open, extended, closed, reminded of."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.lib import clock
from app.models import BallotKey, Event
from app.models.base import table
from app.schemas.ballots import BallotItem, BallotList, InterestItem, InterestList
from app.services import counting, votes
from tests.api.conftest import Api, is_problem, pointers


def later(**step: float) -> str:
    return clock.rfc3339(clock.now() + timedelta(**step))


def draft(api: Api, **values: Any) -> dict[str, Any]:
    usual = {"title": "Which one first?", "closes_at": later(days=7)}
    return usual | ({} if "solutions" in values else {"solutions": [api.solution()]}) | values


def address(api: Api) -> str:
    return f"/challenges/{api.challenge_id}/ballots"


def test_a_ballot_is_made_read_changed_and_taken_back(api: Api) -> None:
    chosen = [api.solution("A", cost=30), api.solution("B", cost=20)]
    body = draft(
        api,
        solutions=chosen,
        method="budget",
        unit="days",
        explanation="It starts **in June**.",
        settings={"budget": 50, "quorum": 20},
        eligibility={"roles": ["participant", "participant"], "sectors": ["business", "public"]},
        opens_at=later(days=1),
        reminder_hours=12,
    )
    answer = api.sam.post(address(api), body)
    assert answer.status_code == 201
    ballot = answer.json()
    BallotItem.model_validate(ballot)
    assert ballot["url"] == f"http://testserver/ballots/{ballot['id']}"
    assert (ballot["state"], ballot["rule"], ballot["mode"]) == ("scheduled", "equal_split", "secret")
    assert (ballot["solutions"], sorted(ballot["tie_order"])) == (chosen, chosen)
    assert ballot["settings"] == {
        "seats": 1,
        "least": 0,
        "most": 0,
        "points": 10,
        "budget": 50,
        "threshold": 0,
        "quorum": 20,
        "sector_quorum": 0,
    }
    assert ballot["eligibility"] == {
        "roles": ["participant"],
        "sectors": ["business", "public"],
        "organisations": [],
        "member_since": ballot["opens_at"],
    }
    assert ballot["explanation_html"] == "<p>It starts <strong>in June</strong>.</p>\n"
    assert (ballot["may_vote"], ballot["voted"], ballot["tally"]) == (False, False, None)
    assert ballot["why_not"] == "Your role in this programme does not vote here."

    here, tag = answer.headers["location"], answer.headers["etag"]
    seen = api.bob.get(here)
    assert (seen.json()["may_vote"], seen.json()["why_not"]) == (True, None)
    assert api.sam.get(here, headers={"If-None-Match": tag}).status_code == 304
    changes = {"settings": {"quorum": 30}, "eligibility": {"roles": []}, "closes_at": later(days=8)}
    changed = api.cora.patch(here, changes, tag)
    assert changed.status_code == 200
    assert changed.json()["settings"] == ballot["settings"] | {"quorum": 30}
    assert changed.json()["eligibility"] == ballot["eligibility"] | {"roles": []}
    assert (changed.json()["title"], changed.json()["version"]) == (ballot["title"], 2)
    assert is_problem(api.sam.patch(here, {"title": "x"}, tag), 412, "version-moved-on")
    assert is_problem(api.sam.patch(here, {"title": "x"}), 428, "precondition-required")
    assert is_problem(api.sam.delete(here), 428, "precondition-required")
    assert is_problem(api.sam.delete(here, tag), 412, "version-moved-on")
    assert [api.sam.delete(here, "*").status_code for _ in range(2)] == [204, 204]
    assert api.bob.get(here).json()["state"] == "cancelled"
    assert is_problem(api.sam.patch(here, {"title": "x"}, "*"), 409, "conflict")
    assert api.bob.get(address(api)).json()["items"] == []


def test_what_a_ballot_says_already_makes_no_version_of_it(api: Api) -> None:
    chosen = [api.solution("A"), api.solution("B")]
    body = draft(
        api,
        solutions=chosen,
        method="quadratic",
        settings={"points": 20},
        eligibility={"roles": ["participant"]},
        opens_at=later(days=1),
    )
    made = api.cora.post(address(api), body)
    here, before = made.headers["location"], made.headers["etag"]
    for same in ({}, body, {"settings": {"points": 20}, "eligibility": {}}, {"solutions": chosen[::-1]}):
        answer = api.cora.patch(here, same, "*")
        assert (answer.status_code, answer.headers["etag"]) == (200, before)
    assert is_problem(api.bob.patch(here, {}, "*"), 403, "not-allowed")
    for changes in ({"settings": {"quorum": 5}}, {"eligibility": {"roles": []}}, {"solutions": chosen[:1]}):
        answer = api.cora.patch(here, changes, "*")
        assert answer.headers["etag"] != before
        before = answer.headers["etag"]


def test_once_open_its_rules_stand(api: Api) -> None:
    here = f"/ballots/{api.ballot()}"
    before = api.cora.get(here)
    assert before.json()["state"] == "open"
    for changes in ({"rule": "one_person"}, {"title": "x"}, {"settings": {"threshold": 0}}, {}):
        assert is_problem(api.cora.patch(here, changes, "*"), 409, "conflict")
    assert is_problem(api.cora.delete(here, "*"), 409, "conflict")
    assert api.cora.get(here).content == before.content


def test_ballots_come_in_pages_each_as_it_is_by_itself(api: Api) -> None:
    made = [api.ballot() for _ in range(3)]
    api.ballot(challenge_id=api.world.challenge())
    api.cora.post(f"/ballots/{made[0]}/extension", {"closes_at": later(days=9), "reason": "Holidays."})
    seen: list[dict[str, Any]] = []
    page = f"{address(api)}?limit=2"
    while page:
        answer = api.bob.get(page)
        BallotList.model_validate(answer.json())
        seen += answer.json()["items"]
        page = answer.links["next"]["url"] if answer.links else ""
    assert [item["id"] for item in seen] == made
    assert seen == [api.bob.get(f"/ballots/{ballot_id}").json() for ballot_id in made]
    assert len(seen[0]["changes"]) == 1


def test_an_extension_is_shown_to_all_with_its_reason(api: Api) -> None:
    here = f"/ballots/{api.ballot()}"
    was = api.cora.get(here).json()["closes_at"]
    body = {"closes_at": later(days=9), "reason": "Half of us were away."}
    answer = api.cora.post(f"{here}/extension", body)
    assert answer.status_code == 200
    assert answer.json() == api.cora.get(here).json()
    (change,) = api.bob.get(here).json()["changes"]
    BallotItem.model_validate(answer.json())
    assert (change["kind"], change["reason"], change["by"]) == ("extension", body["reason"], "Cora Golob")
    assert (change["closed_at"], change["closes_at"]) == (was, body["closes_at"])
    assert api.bob.get(here).json()["closes_at"] == body["closes_at"]


@pytest.mark.parametrize(
    ("what", "body", "where"),
    [
        ("extension", {"reason": "r"}, ["/closes_at"]),
        ("extension", {"closes_at": "2026-01-01T00:00:00Z", "reason": "r"}, ["/closes_at"]),
        ("extension", {"closes_at": "9998-12-31T00:00:00Z", "reason": "r"}, ["/closes_at"]),
        ("extension", {"closes_at": "2126-01-01T00:00:00Z", "reason": " "}, ["/reason", "/closes_at"]),
        ("extension", {"closes_at": "2126-01-01", "reason": "r"}, ["/closes_at"]),
        ("closure", {}, ["/reason"]),
        ("closure", {"reason": ""}, ["/reason"]),
        ("closure", {"reason": "x" * 1001}, ["/reason"]),
        ("closure", {"reason": "r", "closes_at": "2126-01-01T00:00:00Z"}, ["/closes_at"]),
    ],
)
def test_no_end_is_moved_without_a_reason(api: Api, what: str, body: dict, where: list[str]) -> None:
    here = f"/ballots/{api.ballot()}"
    before = api.cora.get(here).content
    answer = api.cora.post(f"{here}/{what}", body)
    assert is_problem(answer, 422, "invalid")
    assert pointers(answer) == where
    assert api.cora.get(here).content == before


def test_a_closure_counts_at_once(api: Api) -> None:
    ballot_id = api.ballot()
    here = f"/ballots/{ballot_id}"
    api.do(votes.cast, api.world.bob, ballot_id, {"abstain": True})
    key = {"Idempotency-Key": "close"}
    answer = api.cora.post(f"{here}/closure", {"reason": "Everyone has voted."}, headers=key)
    assert answer.status_code == 200
    BallotItem.model_validate(answer.json())
    assert answer.json()["state"] == "closed"
    assert answer.json() == api.cora.get(here).json()
    assert answer.json()["changes"][0]["kind"] == "closure"
    assert api.bob.get(f"{here}/result").status_code == 200
    again = api.cora.post(f"{here}/closure", {"reason": "Everyone has voted."}, headers=key)
    assert (again.status_code, again.content) == (200, answer.content)
    assert again.headers["idempotency-replayed"] == "true"
    assert is_problem(api.cora.post(f"{here}/closure", {"reason": "r"}), 409, "conflict")
    closed = [row for row in events(api) if row.type == "ballot.closed"]
    assert len(closed) == 1


def test_a_large_ballot_and_one_that_fails_are_left_to_the_clock(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.web import closing

    first, second = api.ballot(), api.ballot()
    for ballot_id in (first, second):
        api.do(votes.cast, api.world.bob, ballot_id, {"abstain": True})
    with monkeypatch.context() as patch:
        patch.setattr(closing, "AT_ONCE", 0)
        answer = api.cora.post(f"/ballots/{first}/closure", {"reason": "r"})
    assert (answer.status_code, answer.json()["state"]) == (200, "counting")
    with monkeypatch.context() as patch:
        patch.setattr(counting, "settle", None)
        answer = api.cora.post(f"/ballots/{second}/closure", {"reason": "r"})
    assert (answer.status_code, answer.json()["state"]) == (200, "counting")
    for ballot_id in (first, second):
        assert is_problem(api.bob.get(f"/ballots/{ballot_id}/result"), 409, "conflict")
        assert counting.finish(api.world.database, ballot_id, "http://testserver")
        assert api.bob.get(f"/ballots/{ballot_id}").json()["state"] == "closed"


def test_a_reminder_goes_out_once_an_hour(api: Api) -> None:
    here = f"/ballots/{api.ballot()}"
    answer = api.cora.post(f"{here}/reminder")
    assert answer.status_code == 200
    BallotItem.model_validate(answer.json())
    assert is_problem(api.cora.post(f"{here}/reminder"), 409, "conflict")
    (told,) = [row for row in events(api) if row.type == "ballot.reminded"]
    assert told.data == {}


def test_who_may_not_is_told_why(api: Api) -> None:
    ballot_id = api.ballot(opens_at=clock.now() + timedelta(days=1))
    here = f"/ballots/{ballot_id}"
    body = draft(api)
    calls = {
        "reminder": None,
        "closure": {"reason": "r"},
        "extension": {"closes_at": later(days=30), "reason": "r"},
    }
    for answer in (api.nobody.get(here), api.nobody.get(address(api)), api.nobody.post(address(api), body)):
        assert is_problem(answer, 401, "not-signed-in")
    for answer in (
        api.charlie.get(here),
        api.charlie.get(address(api)),
        api.charlie.post(address(api), body),
        api.charlie.patch(here, {"title": "x"}, "*"),
        api.charlie.delete(here, "*"),
        api.charlie.get(f"{here}/interests"),
        *(api.charlie.post(f"{here}/{name}", given) for name, given in calls.items()),
        api.cora.get("/ballots/999"),
        api.cora.get("/ballots/x"),
    ):
        assert is_problem(answer, 404, "not-found")
    for caller in (api.alice, api.fay, api.olga):
        assert is_problem(caller.post(address(api), body), 403, "not-allowed")
        assert is_problem(caller.patch(here, {"title": "x"}, "*"), 403, "not-allowed")
        assert is_problem(caller.delete(here, "*"), 403, "not-allowed")
    for caller in (api.alice, api.sam):
        for name, given in calls.items():
            assert is_problem(caller.post(f"{here}/{name}", given), 403, "not-allowed")
    for name, given in calls.items():
        assert is_problem(api.cora.post(f"{here}/{name}", given), 409, "conflict")
        reader = api.of(api.world.cora, "read", "vote")
        assert is_problem(reader.post(f"{here}/{name}", given), 403, "insufficient-scope")


def test_the_same_making_twice_makes_one(api: Api) -> None:
    body, key = draft(api), {"Idempotency-Key": "once"}
    first = api.cora.post(address(api), body, headers=key)
    again = api.cora.post(address(api), body, headers=key)
    assert (first.status_code, again.status_code, again.content) == (201, 201, first.content)
    assert len(api.cora.get(address(api)).json()["items"]) == 1
    assert len(api.world.ask(lambda connection: connection.execute(table(BallotKey).select()).all())) == 1


@pytest.mark.parametrize(
    ("values", "where"),
    [
        ({"title": ""}, ["/title"]),
        ({"title": "x" * 121}, ["/title"]),
        ({"explanation": "x" * 4001}, ["/explanation"]),
        ({"language": "fr"}, ["/language"]),
        ({"method": "lottery"}, ["/method"]),
        ({"mode": "loud"}, ["/mode"]),
        ({"rule": "equal_split"}, ["/rule"]),
        ({"rule": "mine"}, ["/rule"]),
        ({"method": "budget", "unit": "", "settings": {"budget": 50}}, ["/unit"]),
        ({"method": "budget", "unit": "days"}, ["/settings/budget"]),
        ({"settings": {"quorum": 101}}, ["/settings/quorum"]),
        ({"settings": {"sector_quorum": 101}}, ["/settings/sector_quorum"]),
        ({"settings": {"threshold": 101}}, ["/settings/threshold"]),
        ({"settings": {"quorum": -1}}, ["/settings/quorum"]),
        ({"settings": {"seats": 2}}, ["/settings/seats"]),
        ({"settings": {"least": 1, "most": 2}}, ["/settings/most"]),
        ({"settings": {"seats": True}}, ["/settings/seats"]),
        ({"settings": {"seats": None}}, ["/settings/seats"]),
        ({"settings": {"seat": 1}}, ["/settings/seat"]),
        ({"method": "points", "settings": {"points": 1001}}, ["/settings/points"]),
        ({"solutions": []}, ["/solutions"]),
        ({"solutions": [999_999]}, ["/solutions"]),
        ({"solutions": ["1"]}, ["/solutions/0"]),
        ({"eligibility": {"roles": ["observer"]}}, ["/eligibility/roles"]),
        ({"eligibility": {"roles": ["host"]}}, ["/eligibility/sectors"]),
        ({"eligibility": {"sectors": ["third"]}}, ["/eligibility/sectors"]),
        ({"eligibility": {"organisations": [999_999]}}, ["/eligibility/organisations"]),
        ({"eligibility": {"member_since": "2020-01-01T00:00:00Z"}}, ["/eligibility/sectors"]),
        ({"eligibility": {"member_since": "2090-01-01T00:00:00Z"}}, ["/eligibility/member_since"]),
        ({"closes_at": "2026-01-01T00:00:00Z"}, ["/closes_at"]),
        ({"closes_at": "2126-01-01T00:00:00Z"}, ["/closes_at"]),
        ({"opens_at": "2126-01-02T00:00:00Z", "closes_at": "2126-01-01T00:00:00Z"}, ["/closes_at"]),
        ({"closes_at": None}, ["/closes_at"]),
        ({"reminder_hours": -1}, ["/reminder_hours"]),
        ({"reminder_hours": 721}, ["/reminder_hours"]),
        ({"tallies_live": 1}, ["/tallies_live"]),
        ({"seed": "mine"}, ["/seed"]),
        ({"tie_order": [1]}, ["/tie_order"]),
    ],
)
def test_a_ballot_that_cannot_be_taken_is_not_made(api: Api, values: dict, where: list[str]) -> None:
    answer = api.cora.post(address(api), draft(api, **values))
    assert is_problem(answer, 422, "invalid")
    assert pointers(answer) == where
    assert api.cora.get(address(api)).json()["items"] == []


def test_a_solution_named_twice_is_refused_and_one_of_elsewhere_too(api: Api) -> None:
    one = api.solution()
    elsewhere = api.solution("Noise", api.world.challenge())
    for chosen in ([one, one], [one, elsewhere]):
        answer = api.cora.post(address(api), draft(api, solutions=chosen))
        assert is_problem(answer, 422, "invalid")
        assert pointers(answer) == ["/solutions"]


def test_the_last_day_of_the_calendar_breaks_nothing(api: Api) -> None:
    far = {"opens_at": "9998-12-31T00:00:00Z", "closes_at": "9998-12-31T23:00:00Z"}
    assert api.cora.post(address(api), draft(api, **far)).status_code == 201


def test_a_change_that_cannot_be_taken_changes_nothing(api: Api) -> None:
    here = f"/ballots/{api.ballot(opens_at=clock.now() + timedelta(days=1))}"
    before = api.cora.get(here).content
    for changes, where in (
        ({"settings": {"quorum": 101}}, ["/settings/quorum"]),
        ({"method": "budget"}, ["/unit", "/settings/budget"]),
        ({"solutions": []}, ["/solutions"]),
        ({"closes_at": None}, ["/closes_at"]),
        ({"challenge": 2}, ["/challenge"]),
    ):
        answer = api.cora.patch(here, changes, "*")
        assert is_problem(answer, 422, "invalid")
        assert sorted(pointers(answer)) == sorted(where)
    assert api.cora.get(here).content == before


def test_a_live_tally_shows_while_it_is_open(api: Api) -> None:
    voters = api.people(3, "public") + api.people(3, "business")
    ballot_id = api.ballot(tallies_live=True, mode="open")
    here = f"/ballots/{ballot_id}"
    assert api.bob.get(here).json()["tally"] is None
    key = str(api.bob.get(here).json()["solutions"][0])
    for voter in voters:
        api.do(votes.cast, voter, ballot_id, {"approved": [key]})
    counting.refresh(api.world.database, ballot_id)
    ballot = api.bob.get(here).json()
    BallotItem.model_validate(ballot)
    assert ballot["tally"]["turnout"] == [
        {"sector": "public", "eligible": 7, "voted": 3, "counted": 3},
        {"sector": "business", "eligible": 6, "voted": 3, "counted": 3},
    ]
    assert ballot["tally"]["standings"][0]["key"] == key


def test_interests_are_declared_with_ones_name_and_taken_back(api: Api) -> None:
    ballot_id = api.ballot()
    here = f"/ballots/{ballot_id}/interests"
    first, second, _ = api.bob.get(f"/ballots/{ballot_id}").json()["solutions"]
    body = {"statement": "My company  would build it."}
    answer = api.bob.put(f"{here}/{second}", json=body)
    assert answer.status_code == 200
    InterestItem.model_validate(answer.json())
    assert answer.json() == {
        "solution": second,
        "name": "Bob Kos",
        "organisation": "Business House of Here",
        "statement": "My company would build it.",
    }
    assert (
        api.bob.put(f"{here}/{second}", json={"statement": "And sell it."}).json()["statement"]
        == "And sell it."
    )
    api.alice.put(f"{here}/{second}", json={"statement": "My sister works there."})
    api.alice.put(f"{here}/{first}", json={"statement": "I wrote it."})
    pages, page = [], f"{here}?limit=1"
    while page:
        listed = api.olga.get(page)
        InterestList.model_validate(listed.json())
        pages += [(item["solution"], item["name"]) for item in listed.json()["items"]]
        page = listed.links["next"]["url"] if listed.links else ""
    assert pages == [(first, "Alice Novak"), (second, "Alice Novak"), (second, "Bob Kos")]
    assert [api.bob.delete(f"{here}/{second}").status_code for _ in range(2)] == [204, 204]
    assert len(api.bob.get(here).json()["items"]) == 2


def test_an_interest_that_cannot_be_taken_is_not_declared(api: Api) -> None:
    ballot_id = api.ballot()
    here = f"/ballots/{ballot_id}/interests"
    elsewhere = api.solution("Noise")
    one = api.bob.get(f"/ballots/{ballot_id}").json()["solutions"][0]
    good = {"statement": "s"}
    for statement in ("", "  ", "x" * 501, "a\x00b"):
        answer = api.bob.put(f"{here}/{one}", json={"statement": statement})
        assert is_problem(answer, 422, "invalid")
        assert pointers(answer) == ["/statement"]
    assert is_problem(api.nobody.put(f"{here}/{one}", json=good), 401, "not-signed-in")
    assert is_problem(api.charlie.put(f"{here}/{one}", json=good), 404, "not-found")
    assert is_problem(api.olga.put(f"{here}/{one}", json=good), 403, "not-allowed")
    assert is_problem(api.bob.put(f"{here}/{elsewhere}", json=good), 404, "not-found")
    assert is_problem(
        api.of(api.world.bob, "vote").put(f"{here}/{one}", json=good), 403, "insufficient-scope"
    )
    api.world.close_now(ballot_id)
    assert is_problem(api.bob.put(f"{here}/{one}", json=good), 409, "conflict")
    assert is_problem(api.bob.delete(f"{here}/{one}"), 409, "conflict")
    assert api.bob.get(here).json()["items"] == []


def test_events_lead_to_the_ballot_and_name_no_voter(api: Api) -> None:
    ballot_id = api.ballot()
    api.do(votes.cast, api.world.bob, ballot_id, {"abstain": True})
    told = api.alice.get(f"/programmes/{api.programme_id}/events?limit=200").json()["items"]
    cast = next(event for event in told if event["type"] == "vote.cast")
    assert (cast["actor"], cast["subject"], cast["data"]) == (None, ballot_id, {})
    assert cast["url"] == f"http://testserver/ballots/{ballot_id}"
    promoted = next(event for event in told if event["type"] == "solution.promoted")
    assert promoted["url"] == f"http://testserver/solutions/{promoted['subject']}"


def test_instants_are_told_as_they_are_kept(api: Api) -> None:
    ballot = api.bob.get(f"/ballots/{api.ballot()}").json()
    opened = datetime.fromisoformat(ballot["opens_at"])
    assert opened.tzinfo == UTC
    assert abs(opened - clock.now()) < timedelta(minutes=1)


def events(api: Api) -> Any:
    of = table(Event)
    return api.ask(lambda connection: connection.execute(of.select().order_by(of.c.id)).all())
