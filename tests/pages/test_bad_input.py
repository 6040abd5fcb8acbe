"""What bad input gets on pages: a clear message in the reader's language, what was typed, and nothing written."""

import html
import sqlite3
from datetime import timedelta

import pytest
from sqlalchemy import text

from app.lib import clock
from app.services import boards, ideas
from app.services.boards import Query

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>"


@pytest.fixture
def alice(site):
    return site.of(site.world.alice)


@pytest.fixture
def slovene(site):
    world = site.world
    world.do(lambda tx: tx.execute(text("UPDATE person SET language = NULL")))
    return site.of(world.alice, "sl")


def board(site):
    return site.world.ask(boards.on, site.world.alice, site.world.challenge_id, Query())


def texts(answer):
    return html.unescape(answer.text)


@pytest.mark.parametrize(
    ("title", "message"),
    [
        ("", "Please write something here."),
        ("x" * 121, "This is 121 characters long; please shorten it to 120."),
        ("bell \x07", "Please remove the control characters; they cannot be shown."),
    ],
)
def test_a_title_that_cannot_be_comes_back_with_its_mend(site, alice, title, message):
    answer = alice.post(
        f"/challenges/{site.world.challenge_id}/ideas", {"title": title, "body": "What I had in mind"}
    )
    assert answer.status_code == 422
    assert message in texts(answer)
    assert "What I had in mind" in texts(answer)
    assert 'aria-invalid="true"' in answer.text
    assert board(site).cards == ()


def test_the_message_is_in_the_readers_language(site, slovene):
    answer = slovene.post(f"/challenges/{site.world.challenge_id}/ideas", {"title": ""})
    assert '<html lang="sl">' in answer.text
    assert "Please write something here." not in texts(answer)
    assert slovene.get("/challenges/999999").status_code == 404
    assert "There is no such challenge" not in texts(slovene.get("/challenges/999999"))


def test_the_quick_field_comes_back_alone_to_htmx(site, alice):
    answer = alice.post(f"/challenges/{site.world.challenge_id}/ideas", {"title": "x" * 121}, htmx=True)
    assert answer.status_code == 422
    assert "<html" not in answer.text
    assert "x" * 121 in answer.text


def test_what_people_write_is_text(site, alice):
    world = site.world
    idea = world.idea(title=HOSTILE, body=HOSTILE)
    alice.post(f"/ideas/{idea}/comments", {"body": HOSTILE})
    pages = (
        f"/challenges/{world.challenge_id}",
        f"/ideas/{idea}",
        f"/ideas/{idea}/edit",
        f"/ideas/{idea}/cluster",
        "/me",
        "/me/logins",
        "/me/tokens",
        "/me/delegations",
    )
    for page in pages:
        found = alice.get(page)
        assert found.status_code == 200
        assert "<script>alert" not in found.text, page
        assert "<img src=x" not in found.text, page


@pytest.mark.parametrize("search", [HOSTILE, '"', "' OR 1=1", "%", "\u202e"])
def test_a_search_is_only_a_search(site, alice, search):
    answer = site.client.get(
        f"/challenges/{site.world.challenge_id}", params={"q": search}, headers=alice.headers
    )
    assert answer.status_code == 200
    assert "<script>alert" not in answer.text


def test_a_body_of_ten_megabytes_is_refused(site, alice):
    answer = alice.post(
        f"/challenges/{site.world.challenge_id}/ideas", {"title": "T", "body": "x" * 10_000_000}
    )
    assert answer.status_code == 413
    assert "too large" in texts(answer).lower()
    assert board(site).cards == ()


def test_bytes_that_are_no_text_are_refused(site, alice):
    answer = site.client.post(
        f"/challenges/{site.world.challenge_id}/ideas",
        content=b"title=%ff%fe",
        headers={
            **alice.headers,
            "Content-Type": "application/x-www-form-urlencoded",
            "Sec-Fetch-Site": "same-origin",
        },
    )
    assert answer.status_code == 400
    assert board(site).cards == ()


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {},
    ],
)
def test_a_form_from_elsewhere_is_refused(site, alice, headers):
    answer = site.client.post(
        f"/challenges/{site.world.challenge_id}/ideas",
        data={"title": "Forged"},
        headers={**alice.headers, **headers},
    )
    assert answer.status_code == 403
    assert board(site).cards == ()


def test_a_form_with_its_token_needs_no_header(site, alice):
    from app.web import csrf

    secret = alice.headers["Cookie"].removeprefix("session=")
    answer = site.client.post(
        f"/challenges/{site.world.challenge_id}/ideas",
        data={"title": "Mine", "csrf": csrf.csrf_token(secret)},
        headers=alice.headers,
        follow_redirects=False,
    )
    assert answer.status_code == 303
    assert [card.title for card in board(site).cards] == ["Mine"]


@pytest.mark.parametrize("cookie", ["", "forged", "x" * 5000, "a\x00b", "é"])
def test_a_forged_cookie_is_nobodys(site, cookie):
    answer = site.client.get(
        f"/challenges/{site.world.challenge_id}",
        headers={"Cookie": b"session=" + cookie.encode()},
        follow_redirects=False,
    )
    assert answer.status_code in (303, 401)


def test_an_expired_session_is_nobodys(site, alice):
    past = clock.now() - timedelta(seconds=1)
    site.world.do(
        lambda tx: tx.execute(
            text("UPDATE session SET expires_at = :past"), {"past": past.replace(tzinfo=None)}
        )
    )
    answer = alice.get(f"/challenges/{site.world.challenge_id}")
    assert answer.status_code in (303, 401)


def test_who_is_not_signed_in_is_led_to_the_sign_in_and_back(site):
    answer = site.nobody.get(f"/challenges/{site.world.challenge_id}?sort=supported")
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in?next=/challenges/")


def test_things_of_another_programme_answer_as_missing_ones(site, alice):
    world = site.world
    other, missing = world.other_idea_id, 999_999
    for path in (
        "/ideas/{}",
        "/ideas/{}/edit",
        "/ideas/{}/versions",
        "/ideas/{}/cluster",
        "/ideas/{}/merges",
    ):
        there, nowhere = alice.get(path.format(other)), alice.get(path.format(missing))
        assert (there.status_code, nowhere.status_code) == (404, 404), path
    for path in (
        "/ideas/{}/support",
        "/ideas/{}/support/withdrawal",
        "/ideas/{}/comments",
        "/ideas/{}/withdrawal",
        "/ideas/{}/cluster",
        "/ideas/{}/pin",
        "/ideas/{}/hiding",
        "/ideas/{}/merges",
        "/ideas/{}/co-authors",
        "/ideas/{}",
    ):
        data = {"title": "T", "body": "B", "reason": "R", "target_id": "1", "person_id": "1"}
        assert alice.post(path.format(other), data).status_code == 404, path
        assert alice.post(path.format(missing), data).status_code == 404, path
    assert alice.get(f"/challenges/{world.other_challenge_id}").status_code == 404
    assert world.ask(ideas.find, world.charlie, other).version == 1


def test_ids_that_no_row_can_have_lead_nowhere(site, alice):
    for id in ("0", "9" * 15, "9" * 16, "9" * 400, "-1", "1.5", "x", "%00"):
        assert alice.get(f"/ideas/{id}").status_code in (404, 414), id


def test_a_closed_phase_says_so_and_keeps_what_was_typed(site):
    world = site.world
    challenge = world.challenge(posting=False, supporting=False, commenting=False)
    alice = site.of(world.alice)
    answer = alice.post(f"/challenges/{challenge}/ideas", {"title": "Too late", "body": "My long text"})
    assert answer.status_code == 409
    assert "Posting ideas is closed in this phase." in texts(answer)
    assert "My long text" in texts(answer)


def test_a_second_support_is_the_first(site):
    world = site.world
    idea = world.idea()
    bob = site.of(world.bob)
    for _ in range(2):
        assert bob.post(f"/ideas/{idea}/support").status_code == 303
    assert world.ask(ideas.find, world.bob, idea).card.tally.total == 1


def test_an_edit_of_a_version_that_moved_on_comes_back_with_the_text(site):
    world = site.world
    idea = world.idea(title="First")
    world.do(ideas.edit, world.alice, idea, title="Second")
    answer = site.of(world.alice).post(f"/ideas/{idea}", {"title": "Third", "body": "Mine", "version": "1"})
    assert answer.status_code == 412
    assert "Someone has changed this idea in the meantime." in texts(answer)
    assert "Third" in texts(answer)
    assert world.ask(ideas.find, world.alice, idea).card.title == "Second"


def test_a_cursor_that_was_tampered_with_is_said(site, alice):
    for number in range(boards.PAGE + 1):
        site.world.idea(title=f"Idea {number}")
    page = f"/challenges/{site.world.challenge_id}"
    cursor = alice.get(page).text.split("cursor=")[1].split('"')[0]
    assert alice.get(f"{page}?cursor={cursor}").status_code == 200
    for forged in (cursor[:-2] + "xx", cursor + "A", "nonsense", "A" * 2000, ""):
        assert alice.get(f"{page}?cursor={forged}").status_code in (400, 422), forged
    assert alice.get(f"{page}?sort=supported&cursor={cursor}").status_code in (400, 422)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_locked_database_is_said_and_what_works_goes_on(site, alice, database_url):
    idea = site.world.idea()
    other = sqlite3.connect(database_url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    answer = alice.post(f"/ideas/{idea}/support")
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert "Nothing was saved" in texts(answer)
    assert alice.get(f"/challenges/{site.world.challenge_id}").status_code == 200
    other.execute("ROLLBACK")
    assert alice.post(f"/ideas/{idea}/support").status_code == 303


def test_a_token_opens_no_pages(site):
    world = site.world
    headers = {"Authorization": f"Bearer {world.token(world.alice, 'read', 'write')}"}
    page = f"/challenges/{world.challenge_id}"
    assert site.client.get(page, headers=headers, follow_redirects=False).status_code in (303, 401)
    answer = site.client.post(f"{page}/ideas", data={"title": "T"}, headers=headers, follow_redirects=False)
    assert answer.status_code in (303, 401, 403)
    assert board(site).cards == ()


@pytest.mark.parametrize(
    "path",
    [
        "/exchanges?words=a%00b",
        "/exchanges?sector=%00",
        "/exchanges?programme=%00",
        "/programmes/a%00b",
    ],
)
def test_an_address_with_a_character_that_no_database_takes_is_refused(alice, path):
    answer = alice.get(path)
    assert answer.status_code == (400 if "?" in path else 404)
    assert ("cannot be in one" in texts(answer)) == ("?" in path)
