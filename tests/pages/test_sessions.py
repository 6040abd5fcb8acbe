"""The page of one's sessions, the change of a cookie on whatever answer comes, and what a change leaves usable."""

import re
import time
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from app.lib import clock
from app.models import AuditEntry, BrowserSession, Event
from app.models.base import table
from app.services import people, sessions, watching
from app.web import csrf

SESSION = table(BrowserSession)


def ids(world, actor):
    """The sessions of a person that have not ended, oldest first."""
    open_ones = select(SESSION.c.id).where(
        SESSION.c.person_id == actor.person_id, SESSION.c.revoked_at.is_(None)
    )
    return list(world.ask(lambda c: c.execute(open_ones.order_by(SESSION.c.id)).scalars()))


def cookie_of(browser):
    return browser.headers["Cookie"].partition("=")[2]


def new_cookie(answer):
    found = re.match(r"session=([^;]+);", answer.headers.get("set-cookie", ""))
    return found[1] if found else None


def set_up(world, actor, **values):
    world.do(
        lambda tx: tx.execute(update(SESSION).where(SESSION.c.person_id == actor.person_id).values(**values))
    )


# the list


def test_the_page_lists_my_sessions_and_marks_this_one(site):
    mine, other, _stranger = site.of(site.world.alice), site.of(site.world.alice), site.of(site.world.bob)
    set_up(site.world, site.world.alice, device="Firefox/Linux")
    page = mine.get("/me/sessions")
    assert page.status_code == 200
    assert page.text.count("<b>Firefox on Linux</b>") == 2
    assert page.text.count("this browser") == 1
    assert page.text.index("this browser") < page.text.index("/ending")
    site.world.do(people.choose_language, site.world.alice, "sl")
    assert "Firefox v sistemu Linux" in mine.get("/me/sessions").text
    assert other.get("/me/sessions").status_code == 200


def test_what_has_ended_is_not_listed(site):
    alice = site.of(site.world.alice)
    idle, over = site.of(site.world.alice), site.of(site.world.alice)
    _, second, third = ids(site.world, site.world.alice)
    past = clock.now() - sessions.IDLE - timedelta(seconds=1)
    site.world.do(lambda tx: tx.execute(update(SESSION).where(SESSION.c.id == second).values(seen_at=past)))
    site.world.do(lambda tx: tx.execute(update(SESSION).where(SESSION.c.id == third).values(expires_at=past)))
    assert alice.get("/me/sessions").text.count('id="session-') == 1
    assert idle.get("/me").status_code == over.get("/me").status_code == 303


def test_a_device_that_says_nothing_is_listed_too(site):
    assert "did not say which it is" in site.of(site.world.alice).get("/me/sessions").text


def test_ending_one_ends_that_one_and_its_live_stream(site):
    world = site.world
    mine, lost = site.of(world.alice), site.of(world.alice)
    first, second = ids(world, world.alice)
    for _ in range(2):  # once more changes nothing
        answer = mine.post(f"/me/sessions/{second}/ending")
        assert (answer.status_code, answer.headers["location"]) == (303, "/me/sessions")
    assert ids(world, world.alice) == [first]
    assert lost.get("/me").status_code == 303
    assert mine.get("/me").status_code == 200
    pairs = {(first, world.programme_id), (second, world.programme_id)}
    assert world.ask(watching.still_allowed, pairs) == {(first, world.programme_id)}
    ended = [
        event
        for event in world.ask(lambda c: c.execute(select(table(Event))).all())
        if event.type == "session.ended"
    ]
    assert [(event.subject_id, event.data) for event in ended] == [(second, {"reason": "ended_by_owner"})]


def test_ending_all_others_leaves_this_one_and_those_of_other_people(site):
    world = site.world
    mine, *_others = (site.of(world.alice) for _ in range(3))
    bob = site.of(world.bob)
    for _ in range(2):
        assert mine.post("/me/sessions/ending").status_code == 303
    assert ids(world, world.alice) == ids(world, world.alice)[:1]
    assert mine.get("/me").status_code == bob.get("/me").status_code == 200


def test_nobody_ends_the_sessions_of_someone_else(site):
    world = site.world
    site.of(world.alice)
    (session_id,) = ids(world, world.alice)
    assert site.of(world.bob).post(f"/me/sessions/{session_id}/ending").status_code == 404
    assert site.of(world.cora).post(f"/me/sessions/{session_id}/ending").status_code == 404
    assert site.nobody.post(f"/me/sessions/{session_id}/ending").status_code == 401
    assert site.nobody.post("/me/sessions/ending").status_code == 401
    assert site.nobody.get("/me/sessions").headers["location"] == "/sign-in?next=/me/sessions"
    assert ids(world, world.alice) == [session_id]


def test_another_site_ends_no_session(site):
    world = site.world
    mine, _ = site.of(world.alice), site.of(world.alice)
    for path in ("/me/sessions/ending", f"/me/sessions/{ids(world, world.alice)[1]}/ending"):
        assert mine.post(path, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert len(ids(world, world.alice)) == 2


# another cookie


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("get", "/me", 200),
        ("get", "/challenges/{board}", 200),
        ("get", "/sign-in", 303),
        ("get", "/challenges/99999", 404),
        ("post", "/me/notices/reading", 303),
    ],
)
def test_after_a_change_of_role_the_next_answer_brings_another_cookie(site, method, path, status):
    world = site.world
    alice = site.of(world.alice)
    old = cookie_of(alice)
    assert new_cookie(alice.get("/me")) is None
    world.do(sessions.rotate_later, world.alice.person_id)
    answer = getattr(alice, method)(path.format(board=world.challenge_id))
    new = new_cookie(answer)
    assert answer.status_code == status
    assert new not in (None, old)
    attributes = answer.headers["set-cookie"].lower()
    assert "httponly" in attributes
    assert "samesite=lax" in attributes
    assert new_cookie(alice.get("/me")) is None, (
        "one that was on its way is answered, and gets no other cookie"
    )
    alice.headers["Cookie"] = f"session={new}"
    assert alice.get("/me").status_code == 200


def test_a_fragment_brings_the_cookie_too_and_a_page_that_is_given_again_does_not(site):
    world = site.world
    alice = site.of(world.alice)
    board = f"/challenges/{world.challenge_id}"
    alice.get(board)
    world.do(sessions.rotate_later, world.alice.person_id)
    answer = alice.get(board, htmx=True)
    assert new_cookie(answer) is not None
    alice.headers["Cookie"] = f"session={new_cookie(answer)}"
    assert [new_cookie(alice.get(board, htmx=True)) for _ in range(2)] == [None, None]


def test_a_form_that_was_open_can_still_be_sent(site):
    """Also from an old browser that says nothing of where a request comes from, so that the token alone counts."""
    world = site.world
    alice = site.of(world.alice)
    page = alice.get("/me").text
    token = re.search(r'name="csrf" value="([^"]+)"', page)[1]
    assert token == csrf.csrf_token(cookie_of(alice))
    world.do(sessions.rotate_later, world.alice.person_id)
    alice.headers["Cookie"] = f"session={new_cookie(alice.get('/me'))}"
    answer = site.client.post(
        "/me/notices/reading", data={"csrf": token}, headers=alice.headers, follow_redirects=False
    )
    assert answer.status_code == 303
    answer = site.client.post(
        "/me/notices/reading", data={"csrf": token[::-1]}, headers=alice.headers, follow_redirects=False
    )
    assert answer.status_code == 403


def test_signing_out_is_the_last_word_on_the_cookie(site):
    alice = site.of(site.world.alice)
    site.world.do(sessions.rotate_later, site.world.alice.person_id)
    answer = alice.post("/sign-out")
    assert answer.headers.get_list("set-cookie")[0].startswith('session="";')
    assert len(answer.headers.get_list("set-cookie")) == 1
    assert alice.get("/me").status_code == 303


def test_a_call_of_the_api_changes_no_cookie(site):
    alice = site.of(site.world.alice)
    site.world.do(sessions.rotate_later, site.world.alice.person_id)
    assert new_cookie(alice.get("/api/v1/people/me")) is None
    assert new_cookie(alice.get("/me")) is not None


def test_an_old_cookie_after_the_grace_is_refused_and_noted_and_ends_nothing(site):
    world = site.world
    alice, thief = site.of(world.alice), site.of(world.alice)
    thief.headers["Cookie"] = alice.headers["Cookie"]
    world.do(sessions.rotate_later, world.alice.person_id)
    alice.headers["Cookie"] = f"session={new_cookie(alice.get('/me'))}"
    assert thief.get("/me").status_code == 200
    set_up(world, world.alice, rotated_at=clock.now() - sessions.GRACE - timedelta(seconds=1))
    assert thief.get("/me").status_code == 303
    assert refusals(world) == [{"reason": "cookie_replaced"}]
    assert thief.get("/me").status_code == 303
    assert alice.get("/me").status_code == 200
    assert refusals(world) == [{"reason": "cookie_replaced"}]


def refusals(world):
    """What the audit log has of refused cookies; it is written after the answer."""
    entry = table(AuditEntry)
    refused = select(entry.c.data).where(entry.c.action == "session.refused")
    for _ in range(50):
        found = list(world.ask(lambda c: c.execute(refused).scalars()))
        if found:
            return found
        time.sleep(0.05)
    return []
