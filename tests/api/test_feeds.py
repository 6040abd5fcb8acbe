"""Atom feeds: valid, in pages, with a tag; each as its reader may see it, by session or token."""

from xml.etree import ElementTree as ET

import pytest
from sqlalchemy import update

from app.lib import clock
from app.models import Challenge, Idea, Programme
from app.web import atom, feeds
from tests.api.conftest import BASE, Api, is_problem

A = "{http://www.w3.org/2005/Atom}"


def read(answer):
    """The feed, after what RFC 4287 asks of every feed and entry was looked at."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/atom+xml; charset=utf-8"
    feed = ET.fromstring(answer.content)
    assert feed.tag == f"{A}feed"
    for node in (feed, *feed.findall(f"{A}entry")):
        for name in ("id", "title", "updated"):
            (found,) = node.findall(f"{A}{name}")
            assert found.text
        assert node.find(f"{A}id").text.startswith("tag:testserver,20")
        assert node.find(f"{A}updated").text.endswith("Z")
    assert feed.find(f"{A}author/{A}name").text == "Here"
    ids = [entry.find(f"{A}id").text for entry in feed.findall(f"{A}entry")]
    assert len(ids) == len(set(ids))
    return feed


def shape(feed):
    """What is in a feed and in one entry of it, without what is only in some."""
    parts = [{(node.tag, *sorted(node.keys())) for node in whole} for whole in (feed, feed.find(f"{A}entry"))]
    return [{part for part in found if part[0] != f"{A}entry"} for found in parts]


def links(feed):
    return {link.get("rel"): link.get("href") for link in feed.findall(f"{A}link")}


def titles(feed):
    return [title.text for title in feed.findall(f"{A}entry/{A}title")]


def test_ideas_for_members_with_whoever_posted_without_a_name_as_nobody(api: Api) -> None:
    world = api.world
    board = world.challenge(anonymous_allowed=True)
    world.idea(world.alice, "Named", board, body="**Bold** & <b>")
    odd = world.idea(world.bob, "Nameless", board, anonymous=True)
    # what no form takes, and the database holds all the same
    strange = update(Idea).where(Idea.id == odd).values(title="A\x0b\x1f\ufffe]]>&<")
    world.do(lambda tx: tx.execute(strange))
    path = f"/challenges/{board}/ideas.atom"
    answer = api.olga.get(path)
    feed = read(answer)
    assert titles(feed) == ["A\ufffd\ufffd\ufffd]]>&<", "Named"]
    first, second = feed.findall(f"{A}entry")
    assert first.find(f"{A}author") is None
    assert second.find(f"{A}author/{A}name").text == "Alice Novak"
    assert second.find(f"{A}content").get("type") == "html"
    assert "<strong>Bold</strong>" in second.find(f"{A}content").text
    assert "Bob" not in answer.text
    assert links(feed) == {"self": f"{BASE}/api/v1{path}", "alternate": f"{BASE}/challenges/{board}"}
    same = api.olga.get(path, headers={"If-None-Match": answer.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")
    assert is_problem(api.nobody.get(path), 401, "not-signed-in")
    assert is_problem(api.charlie.get(path), 404, "not-found")
    by_session = {"Cookie": f"session={world.cookie(world.olga)}"}
    assert titles(read(api.client.get(path, headers=by_session))) == titles(feed)
    assert api.client.get(path, follow_redirects=False).status_code == 303
    by_token_at_a_page = {"Authorization": api.olga.headers["Authorization"]}
    assert api.client.get(path, headers=by_token_at_a_page, follow_redirects=False).status_code == 303


def test_challenges_of_a_public_programme_for_everyone_in_pages(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "ON_A_PAGE", 2)
    world = api.world
    for number in range(4):
        world.challenge(title=f"Question {number}", summary="Short.", brief="MARKER")
    seen, address = [], f"{BASE}/programmes/here/challenges.atom"
    while address:
        answer = api.client.get(address)
        feed = read(answer)
        assert "MARKER" not in answer.text
        assert links(feed)["self"] == address
        assert ("first" in links(feed)) == bool(seen)
        seen += titles(feed)
        address = links(feed).get("next")
    assert seen == ["Question 3", "Question 2", "Question 1", "Question 0", "Forms that ask once"]
    assert api.client.get(f"{BASE}/programmes/here/challenges.atom?cursor=nonsense").status_code == 422
    programme = update(Programme).where(Programme.id == api.programme_id)
    world.do(lambda tx: tx.execute(programme.values(visibility="members")))
    assert api.client.get(f"{BASE}/programmes/here/challenges.atom").status_code == 404
    assert is_problem(api.charlie.get(f"/programmes/{api.programme_id}/challenges.atom"), 404, "not-found")
    assert titles(read(api.alice.get(f"/programmes/{api.programme_id}/challenges.atom"))) == seen[:2]


def test_the_examples_in_the_description_are_such_feeds(api: Api) -> None:
    api.world.idea(title="One", body="Body.")
    challenge = update(Challenge).where(Challenge.id == api.challenge_id)
    api.world.do(lambda tx: tx.execute(challenge.values(summary="Short.")))
    paths = api.client.get("/api/v1/openapi.json").json()["paths"]
    for path, number in (
        ("/programmes/{programme_id}/challenges.atom", api.programme_id),
        ("/challenges/{challenge_id}/ideas.atom", api.challenge_id),
    ):
        content = paths[f"/api/v1{path}"]["get"]["responses"]["200"]["content"]
        shown = ET.fromstring(content["application/atom+xml"]["example"].encode())
        before, _, after = path.partition("{")
        came = read(api.alice.get(f"{before}{number}{after.partition('}')[2]}"))
        assert shape(shown) == shape(came)
        name = came.find(f"{A}id").text.partition(":")[2].partition(":")[2].partition("-")[0]
        assert shown.find(f"{A}id").text.rpartition(":")[2].startswith(f"{name}-")


def test_a_feed_without_entries_is_one() -> None:
    now = clock.now()
    feed = atom.Feed("challenge-1", f"{BASE}/x", "T", "Here", "sl", now, now, [])
    root = ET.fromstring(atom.written(feed, {"self": f"{BASE}/x.atom"}, "testserver"))
    assert root.find(f"{A}updated").text == clock.rfc3339(now)
