"""Live boards when things go wrong: a server that ends, a tab that hides, a phase or a session that is over."""

import signal
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from app.lib import clock
from app.services import challenges, sessions
from tests.browser.board import (
    card,
    column_of,
    expect_live,
    expect_same_document,
    post,
    support_button,
    watch_loads,
)
from tests.browser.browsing import Browsing
from tests.browser.conftest import Site

GONE = ("net::ERR_", "status of 503", "htmx:error", "htmx:sse:error")
"""What the console says while there is no server."""

HIDE = """(hidden) => {
  Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
  Object.defineProperty(document, "visibilityState", { configurable: true, get: () => hidden ? "hidden" : "visible" });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


@pytest.fixture
def challenge_id(browsing: Browsing) -> int:
    return browsing.world.challenge()


def _watch(page: Page, challenge_id: int) -> Page:
    page.goto(f"/challenges/{challenge_id}")
    expect_live(page)
    watch_loads(page)
    return page


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_page_catches_up_after_the_server_was_gone(
    browsing: Browsing, site: Site, challenge_id: int, how: signal.Signals
) -> None:
    browsing.witness.expects(*GONE)
    world = browsing.world
    page = _watch(browsing.page_of(world.bob), challenge_id)
    page.get_by_label("Your idea").fill("half a thought")
    page.get_by_label("Your idea").press("End")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.headers.get("last-event-id", "")))
    site.server.stop(how)
    first = world.idea(world.alice, "Said while nobody listened", challenge_id)
    site.server.start()
    expect(page.locator(f"#idea-{first}")).to_be_visible()
    assert any(asked), "the stream did not go on from its last event"
    world.idea(world.alice, "Said afterwards", challenge_id)
    expect(card(page, "Said afterwards")).to_be_visible()
    expect(page.locator(f"#idea-{first}")).to_have_count(1)
    expect(page.get_by_label("Your idea")).to_have_value("half a thought")
    expect_same_document(page)


def test_what_cannot_be_sent_is_told_and_stays_in_the_field(
    browsing: Browsing, site: Site, challenge_id: int
) -> None:
    browsing.witness.expects(*GONE)
    page = _watch(browsing.page_of(browsing.world.bob), challenge_id)
    browsing.world.idea(browsing.world.alice, "One to support", challenge_id)
    support = support_button(card(page, "One to support"))
    expect(support).to_be_visible()
    site.server.stop()
    page.get_by_label("Your idea").fill("A thought at a bad moment")
    page.get_by_label("Your idea").press("Enter")
    expect(page.get_by_role("status").filter(has_text="That did not work")).to_be_visible()
    expect(page.get_by_label("Your idea")).to_have_value("A thought at a bad moment")
    support.click()
    expect(support).to_have_attribute("aria-pressed", "false")
    site.server.start()
    page.get_by_label("Your idea").press("Enter")
    expect(card(page, "A thought at a bad moment")).to_be_visible()


def test_a_hidden_tab_closes_its_stream_and_catches_up(browsing: Browsing, challenge_id: int) -> None:
    world = browsing.world
    alice = _watch(browsing.page_of(world.alice), challenge_id)
    bob = _watch(browsing.page_of(world.bob), challenge_id)
    expect(alice.locator("#board-present")).to_contain_text("2 here now")
    bob.evaluate(HIDE, True)
    expect(alice.locator("#board-present")).to_contain_text("1 here now")
    post(alice, "Said behind your back")
    expect(card(bob, "Said behind your back")).to_have_count(0)
    bob.evaluate(HIDE, False)
    expect(card(bob, "Said behind your back")).to_be_visible()
    expect(alice.locator("#board-present")).to_contain_text("2 here now")
    expect_same_document(bob)


def test_a_phase_that_ends_is_told_on_the_board_and_nothing_typed_is_lost(
    browsing: Browsing, challenge_id: int
) -> None:
    world = browsing.world
    idea = world.idea(world.alice, "One form", challenge_id)
    board = _watch(browsing.page_of(world.bob), challenge_id)
    board.get_by_label("Your idea").fill("Not sent yet")
    page = browsing.page_of(world.bob)
    page.goto(f"/ideas/{idea}")
    page.get_by_label("Your comment").fill("Half a comment")
    _set_phase(world, challenge_id, posting=False, commenting=True, supporting=False)
    expect(
        board.get_by_text("You can comment. New ideas and support are closed in this phase.").last
    ).to_be_visible()
    expect(board.get_by_label("Your idea")).to_have_count(0)
    expect(board.locator(".support-button")).to_have_count(0)
    expect(page.locator(".support-button")).to_have_count(0)
    expect(page.get_by_label("Your comment")).to_have_value("Half a comment")
    _set_phase(world, challenge_id, posting=True, commenting=True, supporting=True)
    expect(board.get_by_label("Your idea")).to_have_value("Not sent yet")


def test_a_renamed_cluster_is_seen_without_losing_what_is_typed(
    browsing: Browsing, challenge_id: int
) -> None:
    world = browsing.world
    board = _watch(browsing.page_of(world.bob), challenge_id)
    board.get_by_label("Your idea").fill("Not sent yet")
    fay = browsing.page_of(world.fay)
    fay.goto(f"/challenges/{challenge_id}/clusters")
    fay.get_by_label("Title").first.fill("At once")
    fay.get_by_role("button", name="Rename").first.click()
    expect(board.get_by_role("heading", name="At once")).to_be_visible()
    expect(board.get_by_label("Your idea")).to_have_value("Not sent yet")
    expect_same_document(board)


def test_a_session_that_is_ended_elsewhere_ends_the_page(browsing: Browsing, challenge_id: int) -> None:
    world = browsing.world
    page = _watch(browsing.page_of(world.bob), challenge_id)
    secret = next(cookie["value"] for cookie in page.context.cookies() if cookie["name"] == "session")
    world.do(sessions.end, secret)
    expect(page.get_by_role("heading", name="Where do you work?")).to_be_visible()


def test_quick_changes_of_mind_end_as_the_page_shows_them(browsing: Browsing, challenge_id: int) -> None:
    world = browsing.world
    idea = world.idea(world.alice, "One form", challenge_id)
    page = _watch(browsing.page_of(world.bob), challenge_id)
    hers = page.locator(f"#idea-{idea}")
    hers.get_by_role("link", name="Move").evaluate(
        """(link) => {
          for (const key of ["ArrowRight", "ArrowRight", "ArrowLeft", "ArrowLeft"]) {
            link.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
          }
        }"""
    )
    support_button(hers).evaluate("(button) => { for (const _ of [1, 2, 3]) button.click(); }")
    page.wait_for_timeout(1500)
    shown = support_button(hers).get_attribute("aria-pressed")
    expect(column_of(hers)).to_have_text("Not in a cluster yet")
    page.reload()
    expect(column_of(hers)).to_have_text("Not in a cluster yet")
    assert support_button(hers).get_attribute("aria-pressed") == shown


def _set_phase(world: object, challenge_id: int, **openings: bool) -> None:
    """The one phase, from now on with these openings, as a facilitator sets it."""
    version = world.ask(challenges.find, world.fay, challenge_id).version  # type: ignore[attr-defined]
    phase = {"kind": "ideation", "starts_at": clock.now() - timedelta(days=2), "tallies": True} | openings
    world.do(challenges.change_phases, world.fay, challenge_id, [phase], version=version)  # type: ignore[attr-defined]
