"""What a board of 200 ideas costs on the wire, that all of them can be reached, and that live updates move nothing."""

from collections import defaultdict
from typing import Any

import pytest
from playwright.sync_api import CDPSession, Page, expect

from app.services import comments, ideas, support
from tests.browser.board import expect_live
from tests.browser.browsing import DESK, PHONE, Browsing
from tests.browser.deciding import mapped
from tests.factories.world import World

IDEAS = 200
MOST_BYTES = 60_000
FONT_BYTES = 29_000
STYLE_BYTES = 12_000
SCRIPT_BYTES = 18_000
DOCUMENT_BYTES = 12_000
MOST_REQUESTS = 8
MOST_SHIFT = 0.02


@pytest.fixture(scope="module")
def board(site: Any) -> int:
    """A board of 200 ideas, as people write them."""
    world = site.world
    id = world.challenge()
    columns = [*world.clusters(id), None]

    def fill(tx: Any) -> None:
        for number in range(IDEAS):
            author = world.alice if number % 2 else world.bob
            title = f"Idea {number}: let every office answer {number} letters a week in words that people use"
            column = columns[number % len(columns)]
            idea = ideas.post(tx, author, id, title=title, body="Because we can.", cluster_id=column)
            if number % 3:
                support.give(tx, world.ana, idea)

    world.do(fill)
    return id


def test_a_first_view_is_small_and_asks_nobody_else(browsing: Browsing, board: int) -> None:
    page = browsing.page_of(browsing.world.bea)
    wire = Wire(page)
    page.goto(f"/challenges/{board}")
    expect_live(page)
    assert sum(wire.bytes[kind] for kind in ("Document", "Stylesheet", "Script")) < MOST_BYTES, dict(
        wire.bytes
    )
    assert wire.bytes["Font"] <= FONT_BYTES, dict(wire.bytes)
    assert len(wire.asked) <= MOST_REQUESTS, wire.asked
    assert page.locator("article.card").count() < IDEAS


def test_every_idea_is_reached_by_following_links_without_scripts(browsing: Browsing, board: int) -> None:
    page = browsing.page_of(browsing.world.bea, java_script_enabled=False)
    for sort in ("new", "bridging"):
        page.goto(f"/challenges/{board}?sort={sort}")
        seen = _ids(page)
        while page.get_by_role("link", name="Show more ideas").count():
            page.get_by_role("link", name="Show more ideas").click()
            found = _ids(page)
            assert found.isdisjoint(seen)
            seen |= found
        assert len(seen) == IDEAS


def test_every_idea_comes_as_one_scrolls(browsing: Browsing, board: int) -> None:
    page = browsing.page_of(browsing.world.bea)
    page.goto(f"/challenges/{board}")
    for _ in range(IDEAS // 50):
        more = page.locator("#board-more")
        if more.count():
            more.scroll_into_view_if_needed()
        page.wait_for_timeout(300)
    expect(page.locator("article.card")).to_have_count(IDEAS)
    expect(page.locator("#board-more")).to_have_count(0)


@pytest.mark.parametrize("page_of", ["vote", "result"])
def test_voting_and_results_are_small(browsing: Browsing, page_of: str) -> None:
    world = browsing.world
    board = world.challenge()
    ballot = (
        mapped(world, board) if page_of == "result" else world.ballot("quadratic", _many(world, board), board)
    )
    page = browsing.page_of(world.bea)
    wire = Wire(page)
    page.goto(f"/ballots/{ballot}/{page_of}", wait_until="networkidle")
    assert wire.bytes["Stylesheet"] <= STYLE_BYTES, dict(wire.bytes)
    assert wire.bytes["Script"] <= SCRIPT_BYTES, dict(wire.bytes)
    assert wire.bytes["Document"] <= DOCUMENT_BYTES, dict(wire.bytes)
    assert wire.bytes["Font"] <= FONT_BYTES, dict(wire.bytes)
    assert len(wire.asked) <= MOST_REQUESTS, wire.asked


def _many(world: World, board: int) -> list[int]:
    """Thirty solutions, as people write them."""
    summary = "Every office answers {0} letters a week in words that people use, and says who answers."
    return [
        world.solution(f"Solution {number}", board, number, summary=summary.format(number))
        for number in range(30)
    ]


@pytest.mark.parametrize("size", [DESK, PHONE["viewport"]], ids=["desk", "phone"])
def test_live_updates_move_nothing_under_the_readers_eyes(
    browsing: Browsing, board: int, size: dict[str, int]
) -> None:
    world = browsing.world
    page = browsing.page_of(world.bea, viewport=size)
    page.add_init_script(
        """window.shift = 0; window.shifted = [];
        new PerformanceObserver((list) => list.getEntries().forEach((entry) => {
          if (entry.hadRecentInput) return;
          window.shift += entry.value;
          window.shifted.push(...entry.sources.map((source) => source.node?.className ?? "text"));
        })).observe({ type: "layout-shift", buffered: true });"""
    )
    page.goto(f"/challenges/{board}")
    expect_live(page)
    page.mouse.wheel(0, 500)
    page.wait_for_timeout(700)
    arrived = page.evaluate("[window.shift, [...new Set(window.shifted)]]")
    columns = world.clusters(board)
    for number in range(6):
        idea = world.idea(
            world.alice, f"Live {number} at {size['width']}", board, cluster_id=columns[number % 2]
        )
        world.do(support.give, world.bob, idea)
        world.do(comments.post, world.bob, idea, body="Good.", language="en")
        page.wait_for_timeout(350)
    expect(page.locator(f"#idea-{idea}")).to_contain_text("1")
    world.do(ideas.move, world.alice, idea, columns[0])
    world.do(ideas.withdraw, world.alice, idea)
    expect(page.locator(f"#idea-{idea}")).to_have_count(0)
    page.wait_for_timeout(500)
    shift, shifted = page.evaluate("[window.shift, [...new Set(window.shifted)]]")
    assert shift <= MOST_SHIFT, (arrived, shift, shifted)


class Wire:
    """What a page has asked for, and how many bytes came, by kind; headers and all."""

    def __init__(self, page: Page) -> None:
        self.asked: list[str] = []
        self.bytes: dict[str, int] = defaultdict(int)
        self._kinds: dict[str, str] = {}
        self._session: CDPSession = page.context.new_cdp_session(page)
        self._session.send("Network.enable")
        self._session.on("Network.requestWillBeSent", lambda sent: self.asked.append(sent["request"]["url"]))
        self._session.on("Network.responseReceived", self._came)
        self._session.on("Network.loadingFinished", self._finished)

    def _came(self, came: dict[str, Any]) -> None:
        self._kinds[came["requestId"]] = came["type"]

    def _finished(self, finished: dict[str, Any]) -> None:
        self.bytes[self._kinds.get(finished["requestId"], "Other")] += int(finished["encodedDataLength"])


def _ids(page: Page) -> set[str]:
    return {card.get_attribute("id") or "" for card in page.locator("article.card").all()}
