"""Bookings through the API: asked for, decided, moved, waited for, taken back; each by whom it concerns."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from app.models import Membership
from app.schemas.bookings import BookingItem, BookingList, StepList
from tests.api.conftest import Api, is_problem, pointers
from tests.api.hosting import MIRA, ask, booker, monday, placement, week, window


def approvals(api: Api, *roles: str, checklist: Any = None) -> None:
    """Let these roles approve in the programme, one after another, with a checklist if one is given."""
    changes: dict[str, Any] = {"approvals": list(roles), "checklist": checklist or []}
    rules = f"/programmes/{api.programme_id}/exchange-rules"
    assert api.of(api.world.cora, "admin").patch(rules, changes, "*").status_code == 200


def test_a_stay_is_asked_for_approved_by_all_and_confirmed(api: Api) -> None:
    approvals(api, "manager", "host", "coordinator")
    placed = placement(api, week(places=2))
    answer = ask(api, placed, manager={"person": api.world.bea.person_id}, message="I build forms.")
    assert answer.status_code == 201
    booking = answer.json()
    BookingItem.model_validate(booking)
    assert booking["url"] == f"http://testserver/bookings/{booking['id']}"
    assert (booking["state"], booking["asked"], booking["awaited"]) == ("held", ["manager"], ["manager"])
    assert booking["first_day"] == monday().isoformat()
    assert booking["last_day"] == (monday() + timedelta(days=4)).isoformat()
    assert booking["guest"]["person"] == api.world.bob.person_id
    assert booking["guest"]["sector"] == "business"
    assert booking["host"]["contact"] == "Alice Novak"
    assert booking["manager"] == {"person": api.world.bea.person_id, "name": "Bea Čeh", "email": None}
    assert (booking["message"], booking["place_in_line"]) == ("I build forms.", None)

    here, tag = answer.headers["location"], answer.headers["etag"]
    guest = booker(api, api.world.bob)
    assert guest.get(here).json() == booking
    assert guest.get(here, headers={"If-None-Match": tag}).status_code == 304
    host = booker(api, api.world.alice)
    assert is_problem(host.post(f"{here}/decisions", {"approved": True}), 409, "conflict")
    for actor, role, next_asked in (
        (api.world.bea, "manager", ["host"]),
        (api.world.alice, "host", ["coordinator"]),
        (api.world.cora, "coordinator", []),
    ):
        decided = booker(api, actor).post(f"{here}/decisions", {"approved": True})
        assert decided.status_code == 200
        assert decided.json()["asked"] == next_asked
        assert decided.json()["decisions"][-1] | {"decided_at": ""} == {
            "role": role,
            "approved": True,
            "reason": "",
            "by": actor.name,
            "decided_at": "",
        }
    confirmed = guest.get(here).json()
    assert (confirmed["state"], confirmed["expires_at"]) == ("confirmed", None)
    assert confirmed["confirmed_at"]
    steps = guest.get(f"{here}/steps").json()
    StepList.model_validate(steps)
    assert [(step["action"], step["by"]) for step in steps["items"]] == [
        ("hold", "Bob Kos"),
        ("approve", "Bea Čeh"),
        ("approve", "Alice Novak"),
        ("approve", "Cora Golob"),
        ("confirm", None),
    ]


def test_a_refusal_needs_a_reason_and_the_guest_reads_it(api: Api) -> None:
    approvals(api, "host")
    here = ask(api, placement(api)).headers["location"]
    host = booker(api, api.world.alice)
    answer = host.post(f"{here}/decisions", {"approved": False})
    assert is_problem(answer, 422, "invalid")
    assert pointers(answer) == ["/reason"]
    assert host.post(f"{here}/decisions", {"approved": False, "reason": "We move."}).status_code == 200
    told = booker(api, api.world.bob).get(here).json()
    assert (told["state"], told["decisions"][0]["reason"]) == ("declined", "We move.")
    assert is_problem(host.post(f"{here}/decisions", {"approved": True}), 409, "conflict")


def test_nobody_decides_as_what_they_are_not(api: Api) -> None:
    approvals(api, "host", "coordinator")
    here = ask(api, placement(api)).headers["location"]
    for actor, role in ((api.world.bob, "host"), (api.world.alice, "coordinator"), (api.world.cora, "host")):
        decision = {"approved": True, "role": role}
        assert is_problem(booker(api, actor).post(f"{here}/decisions", decision), 403, "not-allowed")
    assert is_problem(
        booker(api, api.world.bob).post(f"{here}/decisions", {"approved": True}), 403, "not-allowed"
    )


def test_one_decides_on_what_one_has_read(api: Api) -> None:
    approvals(api, "host")
    placed = placement(api, week(), week(5))
    asked = ask(api, placed)
    here, tag = asked.headers["location"], asked.headers["etag"]
    guest, host = booker(api, api.world.bob), booker(api, api.world.alice)
    moved = guest.patch(here, {"period": placed["periods"][1]}, tag)
    assert moved.json()["first_day"] == monday(5).isoformat()
    decision = {"approved": True}
    late = host.post(f"{here}/decisions", decision, headers={"If-Match": tag})
    assert is_problem(late, 412, "version-moved-on")
    odd = host.post(f"{here}/decisions", decision, headers={"If-Match": "x"})
    assert is_problem(odd, 400, "bad-request")
    now = {"If-Match": moved.headers["etag"]}
    assert host.post(f"{here}/decisions", decision, headers=now).json()["state"] == "confirmed"


def test_the_same_question_twice_is_one_booking(api: Api) -> None:
    placed = placement(api)
    guest = booker(api, api.world.bob)
    listed = f"/placements/{placed['id']}/bookings"
    draft, key = {"period": placed["periods"][0], "manager": MIRA}, {"Idempotency-Key": "once"}
    first = guest.post(listed, draft, headers=key)
    again = guest.post(listed, draft, headers=key)
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["idempotency-replayed"] == "true"
    assert is_problem(
        guest.post(listed, draft | {"message": "m"}, headers=key), 422, "idempotency-key-reused"
    )
    assert is_problem(guest.post(listed, draft), 409, "conflict")
    assert len(guest.get(listed).json()["items"]) == 1


def test_the_next_in_line_gets_what_becomes_free_and_accepts_it(api: Api) -> None:
    approvals(api, "host")
    placed = placement(api)
    first = ask(api, placed)
    assert is_problem(ask(api, placed, api.world.bea, may_wait=False), 409, "conflict")
    second = ask(api, placed, api.world.bea)
    third = ask(api, placed, api.world.cora)
    assert [each.json()["state"] for each in (first, second, third)] == ["held", "waiting", "waiting"]
    assert [each.json()["place_in_line"] for each in (second, third)] == [1, 2]
    listed = api.of(api.world.cora, "read").get(f"/placements/{placed['id']}/bookings").json()["items"]
    assert [item["place_in_line"] for item in listed] == [None, 1, 2]

    guest, bea = booker(api, api.world.bob), booker(api, api.world.bea)
    offered = second.headers["location"]
    assert is_problem(bea.put(f"{offered}/acceptance", json={}), 428, "precondition-required")
    assert is_problem(bea.put(f"{offered}/acceptance", json={}, headers={"If-Match": "*"}), 409, "conflict")
    assert guest.delete(first.headers["location"], first.headers["etag"]).status_code == 204
    assert guest.get(first.headers["location"]).json()["state"] == "withdrawn"
    now = bea.get(offered)
    assert (now.json()["state"], now.json()["awaited"]) == ("offered", ["guest"])
    assert bea.get(third.headers["location"]).status_code == 404
    passed = bea.post(f"{offered}/passing", {"reason": "I am away."})
    assert passed.json()["state"] == "passed_on"
    last = third.headers["location"]
    cora = booker(api, api.world.cora)
    accepted = cora.put(f"{last}/acceptance", json={}, headers={"If-Match": cora.tag(last)})
    assert (accepted.status_code, accepted.json()["state"]) == (200, "held")
    assert is_problem(cora.post(f"{last}/passing", {}), 409, "conflict")


def test_a_stay_in_a_window_moves_and_what_is_left_out_stays(api: Api) -> None:
    approvals(api, "host")
    placed = placement(api, window(), least_days=2, most_days=5)
    first, last = monday(10), monday(10) + timedelta(days=2)
    asked = ask(api, placed, first_day=first.isoformat(), last_day=last.isoformat())
    here = asked.headers["location"]
    guest = booker(api, api.world.bob)
    later = (last + timedelta(days=1)).isoformat()
    moved = guest.patch(here, {"last_day": later}, asked.headers["etag"])
    assert (moved.json()["first_day"], moved.json()["last_day"]) == (first.isoformat(), later)
    assert is_problem(guest.patch(here, {"last_day": later}, asked.headers["etag"]), 412, "version-moved-on")
    assert is_problem(guest.patch(here, {"last_day": later}), 428, "precondition-required")
    wrong = guest.patch(here, {"last_day": (first + timedelta(days=9)).isoformat()}, "*")
    assert is_problem(wrong, 422, "invalid")
    assert pointers(wrong) == ["/last_day"]
    assert guest.patch(here, {}, "*").json()["version"] == moved.json()["version"]
    assert is_problem(booker(api, api.world.alice).patch(here, {"last_day": later}, "*"), 403, "not-allowed")


def test_a_stay_that_finds_no_place_on_other_days_keeps_the_one_it_has(api: Api) -> None:
    placed = placement(api, week(), week(5))
    ask(api, placed, api.world.bea, period=placed["periods"][1])
    asked = ask(api, placed)
    guest = booker(api, api.world.bob)
    here = asked.headers["location"]
    assert is_problem(guest.patch(here, {"period": placed["periods"][1]}, "*"), 409, "conflict")
    assert guest.get(here).json() == asked.json()


def test_another_manager_is_named_and_their_address_is_told_to_few(api: Api) -> None:
    asked = ask(api, placement(api))
    here = asked.headers["location"]
    assert asked.json()["manager"] == {"person": None, **MIRA}
    assert booker(api, api.world.cora).get(here).json()["manager"]["email"] == MIRA["email"]
    assert booker(api, api.world.alice).get(here).json()["manager"]["email"] is None
    guest = booker(api, api.world.bob)
    named = guest.patch(here, {"manager": {"person": api.world.bea.person_id}}, asked.headers["etag"])
    assert named.json()["manager"]["name"] == "Bea Čeh"
    assert booker(api, api.world.bea).get(here).status_code == 200
    twice = guest.patch(here, {"manager": MIRA | {"person": api.world.bea.person_id}}, "*")
    assert pointers(twice) == ["/manager"]
    outside = guest.patch(here, {"manager": {"person": api.world.alice.person_id}}, "*")
    assert pointers(outside) == ["/manager/person"]


def test_what_is_confirmed_is_cancelled_for_a_reason(api: Api) -> None:
    approvals(api)
    asked = ask(api, placement(api))
    here = asked.headers["location"]
    assert asked.json()["state"] == "confirmed"
    host = booker(api, api.world.alice)
    answer = host.delete(here, "*")
    assert is_problem(answer, 422, "invalid")
    assert [(error["in"], error["pointer"]) for error in answer.json()["errors"]] == [("query", "/reason")]
    assert is_problem(host.delete(here), 428, "precondition-required")
    assert host.delete(f"{here}?reason=We%20move%20house.", host.tag(here)).status_code == 204
    assert is_problem(host.delete(f"{here}?reason=Again.", "*"), 409, "conflict")
    steps = booker(api, api.world.bob).get(f"{here}/steps").json()["items"]
    assert (steps[-1]["role"], steps[-1]["reason"]) == ("host", "We move house.")


def test_a_checklist_is_told_in_the_callers_language_or_as_written(api: Api) -> None:
    approvals(api, checklist=[{"item": "badge", "party": "guest", "text": "I bring my badge."}])
    booking = ask(api, placement(api)).json()
    assert (booking["state"], booking["awaited"]) == ("approved", ["guest"])
    (badge,) = booking["open_items"]
    assert len(badge.pop("mark")) == 32
    assert badge == {"item": "badge", "party": "guest", "text": "I bring my badge."}


def test_the_checklist_is_agreed_to_by_those_whom_it_concerns(api: Api) -> None:
    items = [
        {"item": "badge", "party": "guest", "text": "I bring my badge."},
        {"item": "contact", "party": "host", "text": "Someone is there."},
    ]
    approvals(api, checklist=items)
    asked = ask(api, placement(api))
    here = asked.headers["location"]
    read = {each["item"]: {"mark": each["mark"]} for each in asked.json()["open_items"]}
    guest, host = booker(api, api.world.bob), booker(api, api.world.alice)
    stale = guest.put(
        f"{here}/agreements/badge", json=read["badge"], headers={"If-Match": '"99-0123456789abcdef"'}
    )
    assert is_problem(stale, 412, "version-moved-on")
    assert is_problem(guest.put(f"{here}/agreements/hat", json={"mark": "any"}), 404, "not-found")
    assert is_problem(
        guest.put(f"{here}/agreements/contact", json=read["contact"] | {"answer": "Me"}), 403, "not-allowed"
    )
    assert is_problem(host.put(f"{here}/agreements/badge", json=read["badge"]), 403, "not-allowed")
    assert is_problem(
        booker(api, api.world.ana).put(f"{here}/agreements/badge", json=read["badge"]), 404, "not-found"
    )
    agreed = [guest.put(f"{here}/agreements/badge", json=read["badge"]).json() for _ in range(2)]
    assert agreed[0]["agreements"] == agreed[1]["agreements"]
    assert (agreed[0]["state"], agreed[0]["awaited"]) == ("approved", ["host"])
    assert agreed[0]["agreements"][0]["statement"] == "I bring my badge."
    silent = host.put(f"{here}/agreements/contact", json=read["contact"])
    assert is_problem(silent, 422, "invalid")
    assert pointers(silent) == ["/answer"]
    done = host.put(f"{here}/agreements/contact", json=read["contact"] | {"answer": "Alice, room 4"}).json()
    assert (done["state"], done["open_items"]) == ("confirmed", [])
    assert (done["agreements"][1]["answer"], done["agreements"][1]["by"]) == ("Alice, room 4", "Alice Novak")


def test_nobody_agrees_to_a_text_that_they_have_not_read(api: Api) -> None:
    item = {"item": "confidentiality", "party": "guest", "text": "I keep quiet."}
    approvals(api, checklist=[item])
    asked = ask(api, placement(api, confidentiality="About permits."))
    here, guest = asked.headers["location"], booker(api, api.world.bob)
    (read,) = asked.json()["open_items"]
    assert read["text"] == "I keep quiet.\n\nAbout permits."
    approvals(api, checklist=[item | {"text": "I keep quiet for ever."}])
    there = f"{here}/agreements/confidentiality"
    assert is_problem(guest.put(there, json={"mark": read["mark"]}), 409, "conflict")
    assert is_problem(guest.put(there, json={}), 422, "invalid")
    (now,) = guest.get(here).json()["open_items"]
    agreed = guest.put(there, json={"mark": now["mark"]}).json()
    assert (agreed["state"], agreed["agreements"][0]["statement"]) == (
        "confirmed",
        "I keep quiet for ever.\n\nAbout permits.",
    )


def test_bookings_show_to_those_whom_they_concern_and_to_nobody_else(api: Api) -> None:
    placed = placement(api)
    asked = ask(api, placed, manager={"person": api.world.bea.person_id})
    one, listed = asked.headers["location"], f"/placements/{placed['id']}/bookings"
    whole = f"/programmes/{api.programme_id}/bookings"
    for actor in (api.world.bob, api.world.bea, api.world.alice, api.world.cora):
        caller = booker(api, actor)
        assert caller.get(one).status_code == 200
        for address in (listed, whole):
            assert [item["id"] for item in caller.get(address).json()["items"]] == [asked.json()["id"]]
    for actor in (api.world.ana, api.world.sam, api.world.olga):
        caller = booker(api, actor)
        for answer in (
            caller.get(one),
            caller.get(f"{one}/steps"),
            caller.patch(one, {"period": 1}, "*"),
            caller.delete(one, "*"),
            caller.post(f"{one}/decisions", {"approved": True}),
            caller.put(f"{one}/acceptance", json={}, headers={"If-Match": "*"}),
            caller.post(f"{one}/passing", {}),
        ):
            assert is_problem(answer, 404, "not-found")
        assert [caller.get(address).json()["items"] for address in (listed, whole)] == [[], []]
    charlie = booker(api, api.world.charlie)
    for answer in (
        charlie.get(one),
        charlie.get(listed),
        charlie.post(listed, {"period": placed["periods"][0]}),
    ):
        assert is_problem(answer, 404, "not-found")
    assert is_problem(charlie.get(whole), 403, "not-allowed")
    for answer in (api.nobody.get(one), api.nobody.get(listed), api.nobody.delete(one, "*")):
        assert is_problem(answer, 401, "not-signed-in")
    assert is_problem(api.bob.delete(one, "*"), 403, "insufficient-scope")
    assert is_problem(api.of(api.world.bob, "book").get(one), 403, "insufficient-scope")
    assert is_problem(api.bob.post(listed, {"period": 1}), 403, "insufficient-scope")


def test_a_manager_who_has_left_the_guests_organisation_sees_no_more(api: Api) -> None:
    here = ask(api, placement(api), manager={"person": api.world.bea.person_id}).headers["location"]
    bea = booker(api, api.world.bea)
    assert bea.get(here).status_code == 200
    elsewhere = {"organisation_id": api.world.organisations["public"]}
    person_id = api.world.bea.person_id
    api.world.do(
        lambda tx: tx.execute(update(Membership).where(Membership.person_id == person_id).values(**elsewhere))
    )
    assert is_problem(bea.get(here), 404, "not-found")
    assert bea.get(f"/programmes/{api.programme_id}/bookings").json()["items"] == []


def test_bookings_come_in_pages_and_by_state(api: Api) -> None:
    approvals(api, "host")
    made = [ask(api, placement(api, week(ahead))).json()["id"] for ahead in (3, 4, 5, 6, 7)]
    guest = booker(api, api.world.bob)
    assert guest.delete(f"/bookings/{made[2]}", "*").status_code == 204
    seen: list[int] = []
    address = f"/programmes/{api.programme_id}/bookings?limit=2&state=held"
    while address:
        answer = guest.get(address)
        BookingList.model_validate(answer.json())
        seen += [item["id"] for item in answer.json()["items"]]
        address = answer.links["next"]["url"] if answer.links else ""
    assert seen == [each for each in made if each != made[2]]
    wrong = guest.get(f"/programmes/{api.programme_id}/bookings?state=lost")
    assert is_problem(wrong, 422, "invalid")


def test_bookings_of_a_placement_come_by_state(api: Api) -> None:
    placed = placement(api, week(3, places=2))
    made = [ask(api, placed, actor).json()["id"] for actor in (api.world.bob, api.world.bea)]
    assert booker(api, api.world.bob).delete(f"/bookings/{made[0]}", "*").status_code == 204
    listed = api.cora.get(f"/placements/{placed['id']}/bookings?state=held").json()["items"]
    assert [item["id"] for item in listed] == [made[1]]
    assert is_problem(api.cora.get(f"/placements/{placed['id']}/bookings?state=lost"), 422, "invalid")


def test_steps_come_in_pages(api: Api) -> None:
    approvals(api, "host")
    here = ask(api, placement(api)).headers["location"]
    booker(api, api.world.alice).post(f"{here}/decisions", {"approved": True})
    seen: list[str] = []
    address = f"{here}/steps?limit=1"
    while address:
        answer = api.of(api.world.bob, "read").get(address)
        seen += [step["action"] for step in answer.json()["items"]]
        address = answer.links["next"]["url"] if answer.links else ""
    assert seen == ["hold", "approve", "confirm"]


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"period": None}, ["/period"]),
        ({"period": 999_999}, ["/period"]),
        ({"period": True}, ["/period"]),
        ({"first_day": "2026-02-29"}, ["/first_day"]),
        ({"first_day": 20260504}, ["/first_day"]),
        ({"first_day": "2026-05-04T00:00:00Z"}, ["/first_day"]),
        ({"last_day": "4. 5. 2026"}, ["/last_day"]),
        ({"message": "x" * 1001}, ["/message"]),
        ({"message": "a\x00b"}, ["/message"]),
        ({"may_wait": 1}, ["/may_wait"]),
        ({"manager": None}, ["/manager/name", "/manager/email"]),
        ({"manager": {"name": "Mira", "email": "mira"}}, ["/manager/email"]),
        ({"manager": {"name": "Bob", "email": "bob@example.org"}}, ["/manager/email"]),
        ({"manager": {"mail": "mira@larch.example"}}, ["/manager/mail"]),
        ({"state": "confirmed"}, ["/state"]),
    ],
)
def test_what_cannot_be_taken_is_not_asked_for(api: Api, body: dict, where: list[str]) -> None:
    placed = placement(api)
    answer = ask(api, placed, **body)
    assert is_problem(answer, 422, "invalid")
    assert pointers(answer) == where
    listed = booker(api, api.world.bob).get(f"/placements/{placed['id']}/bookings").json()
    assert listed["items"] == []


@pytest.mark.parametrize(
    ("first", "last", "where"),
    [(3, 1, "/last_day"), (0, 30, "/last_day"), (0, 0, "/last_day"), (-1, 2, "/first_day")],
)
def test_days_that_a_window_does_not_have_are_refused(api: Api, first: int, last: int, where: str) -> None:
    placed = placement(api, window(), least_days=2, most_days=5)
    asked = {
        "first_day": (monday(10) + timedelta(days=first)).isoformat(),
        "last_day": (monday(10) + timedelta(days=last)).isoformat(),
    }
    answer = ask(api, placed, **asked)
    assert is_problem(answer, 422, "invalid")
    assert pointers(answer) == [where]


def test_one_does_not_go_to_ones_own_house(api: Api) -> None:
    assert is_problem(ask(api, placement(api), api.world.ana), 409, "conflict")
    assert is_problem(ask(api, placement(api), api.world.olga), 403, "not-allowed")
