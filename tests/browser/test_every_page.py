"""Every page for everyone: nothing that axe-core finds, nothing wider than a phone, no error, no violated policy."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from app.lib import clock
from app.services import ballot_making, comments, merges, moderation, votes
from tests.browser.audit import findings, overflow
from tests.browser.board import card, expect_live, fresh, post
from tests.browser.browsing import COMPANIES, Browsing
from tests.factories.world import World

LANGUAGES = ("en", "sl")


@dataclass(frozen=True)
class Things:
    """What the pages show: the demo's boards, and things of the small world."""

    board: int
    idea: int
    hidden: int
    merge: int
    solution: int
    free: int
    ballot: int
    later: int


@pytest.fixture(scope="module")
def things(site: object) -> Things:
    world: World = site.world  # type: ignore[attr-defined]
    board = world.challenge(anonymous_allowed=True)
    idea = world.idea(
        world.alice, "One form", board, body="**Once**, for all:\n\n- name\n- address\n\n> quoted `code`"
    )
    other = world.idea(world.bob, "Ena vloga", board, body="Besedilo.", language="sl", anonymous=True)
    hidden = world.idea(world.alice, "A hidden one", board)
    world.do(comments.post, world.bob, idea, body="Yes, and [more](https://example.org).", language="en")
    world.do(moderation.hide, world.fay, hidden, reason="It names a person.")
    world.do(moderation.answer, world.alice, hidden, answer="I take the name out.")
    merge = world.do(merges.propose, world.alice, idea, other)
    links = [{"title": "The estimate", "url": "https://example.org/estimate"}]
    solution = world.solution("One form", board, 30, summary="**Once**", links=links, idea_ids=[idea])
    more = world.solution("Skupno okence", board, 20, language="sl", carrier="Mestna občina")
    ballot = world.ballot("approval", [solution, more], board, unit="days", explanation="For *all*.")
    world.do(votes.declare_interest, world.bob, ballot, solution, statement="We would build it.")
    closes_at = clock.now() + timedelta(days=9)
    world.do(ballot_making.extend, world.cora, ballot, closes_at=closes_at, reason="Holidays")
    later = world.ballot("budget", None, board, opens_at=clock.now() + timedelta(days=2))
    free = world.solution("Answers in a week", board)
    return Things(board, idea, hidden, merge, solution, free, ballot, later)


def of_nobody(_: Things) -> list[str]:
    return [
        "/",
        "/sign-in",
        "/sign-out/done",
        "/accessibility",
        "/privacy",
        "/programmes/demo",
        "/nowhere",
    ]


def of_participant(things: Things) -> list[str]:
    return [
        "/",
        "/me",
        "/programmes/here",
        "/programmes/here/people",
        f"/challenges/{things.board}",
        f"/challenges/{things.board}?q=nothing-like-it",
        f"/challenges/{things.board}?sort=bridging&sector=public",
        f"/challenges/{things.board}/ideas/new",
        f"/ideas/{things.idea}",
        f"/ideas/{things.idea}/edit",
        f"/ideas/{things.idea}/versions",
        f"/ideas/{things.idea}/cluster",
        f"/ideas/{things.idea}/merges",
        f"/ideas/{things.hidden}",
        f"/merges/{things.merge}",
        f"/challenges/{things.board}/solutions",
        f"/solutions/{things.solution}",
        f"/ballots/{things.ballot}",
        f"/ballots/{things.later}",
        f"/challenges/{things.board}/moderation",
        "/challenges/99999",
    ]


def of_facilitator(things: Things) -> list[str]:
    return [
        f"/challenges/{things.board}",
        f"/challenges/{things.board}/moderation",
        f"/challenges/{things.board}/clusters",
        f"/challenges/{things.board}/phases",
        f"/ideas/{things.idea}",
        f"/ideas/{things.idea}/hiding",
        f"/ideas/{things.hidden}",
        f"/merges/{things.merge}",
        f"/challenges/{things.board}/solutions/new?idea={things.idea}",
        f"/solutions/{things.free}",
        f"/solutions/{things.free}/edit",
    ]


def of_coordinator(things: Things) -> list[str]:
    return [
        "/",
        "/admin",
        f"/challenges/{things.board}/solutions",
        f"/challenges/{things.board}/ballots/new",
        f"/ballots/{things.ballot}",
        f"/ballots/{things.ballot}/extension",
        f"/ballots/{things.ballot}/closure",
        f"/ballots/{things.later}",
        f"/ballots/{things.later}/edit",
    ]


def of_demo(_: Things) -> list[str]:
    return ["/", "/challenges/1", "/challenges/4", "/challenges/5", "/ideas/1"]


PEOPLE: dict[str, Callable[[Things], list[str]]] = {
    "nobody": of_nobody,
    "alice": of_participant,
    "fay": of_facilitator,
    "cora": of_coordinator,
    "business@demo.example": of_demo,
}


def test_the_audit_finds_what_is_wrong(browsing: Browsing) -> None:
    page = browsing.page()
    page.goto("/privacy")
    page.evaluate(
        """() => {
          const wrong = document.createElement("p");
          wrong.textContent = "hard to read";
          wrong.style.cssText = "color: #999; background: #aaa; inline-size: 500px";
          document.querySelector("main").append(wrong, document.createElement("button"));
        }"""
    )
    found = "\n".join(findings(page) + overflow(page))
    for problem in ("button-name", "color-contrast", "dark: color-contrast", "320 px: P"):
        assert problem in found


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("who", PEOPLE)
def test_pages_are_whole_for(who: str, language: str, browsing: Browsing, things: Things) -> None:
    browsing.witness.expects("status of 404", "status of 403")
    page = _page_of(who, browsing)
    with _speaking(page, language):
        found = [
            f"{path}: {text}"
            for path in PEOPLE[who](things)
            for text in _looked_at(page, path, language, moderates=who == "fay")
        ]
    assert found == []


def _page_of(who: str, browsing: Browsing) -> Page:
    if who == "nobody":
        return browsing.page()
    return browsing.page_of_demo(who) if "@" in who else browsing.page_of(getattr(browsing.world, who))


def test_dialogs_hints_and_what_came_live_are_whole(browsing: Browsing, things: Things) -> None:
    world = browsing.world
    page = browsing.page_of(world.alice)
    page.goto(f"/challenges/{things.board}")
    expect_live(page)
    title = fresh("One form for each of us")
    post(page, title)
    page.get_by_label("Your idea").fill("one form")
    expect(page.locator("#similar").get_by_role("link").first).to_be_visible()
    found = findings(page) + overflow(page)
    page.keyboard.press("Escape")
    card(page, title).get_by_role("link", name="Move").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert found + findings(page) + overflow(page) == []


def test_the_page_for_programs_is_whole(browsing: Browsing) -> None:
    page = browsing.page()
    page.goto("/api/v1/docs")
    assert findings(page) + overflow(page) == []


def test_the_demos_list_of_people_is_whole(browsing: Browsing) -> None:
    page = browsing.page()
    page.goto("/sign-in")
    page.get_by_role("button", name=COMPANIES).click()
    expect(page.get_by_role("heading", name=COMPANIES)).to_be_visible()
    assert findings(page) + overflow(page) == []


@contextmanager
def _speaking(page: Page, language: str) -> Iterator[None]:
    """The person's own language, which is English again afterwards."""
    _choose(page, language)
    try:
        yield
    finally:
        _choose(page, "en")


def _choose(page: Page, language: str) -> None:
    answer = page.request.post(
        "/me/language",
        form={"language": language},
        headers={"Sec-Fetch-Site": "same-origin"},
        max_redirects=0,
    )
    assert answer.status == 303


def _looked_at(page: Page, path: str, language: str, *, moderates: bool) -> list[str]:
    answer = page.goto(path)
    assert answer is not None
    is_refused = path in ("/nowhere", "/challenges/99999") or (path.endswith("/moderation") and not moderates)
    assert answer.ok != is_refused, path
    found = [] if page.locator("html").get_attribute("lang") == language else ["is in another language"]
    for summary in page.locator("main summary").all():
        summary.click()
    return found + findings(page) + overflow(page)
