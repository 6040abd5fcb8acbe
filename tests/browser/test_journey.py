"""The main journey: two people from two sectors, each in their own browser, from signing in to a merge."""

import re
from typing import NamedTuple

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.board import (
    card,
    column_of,
    expect_live,
    expect_same_document,
    expect_tally,
    fresh,
    idea_address,
    post,
    support_button,
    watch_loads,
)
from tests.browser.browsing import Browsing


class Pair(NamedTuple):
    """A civil servant and a company employee, each before the same board."""

    board: str
    alice: Page
    bob: Page


@pytest.fixture
def pair(browsing: Browsing) -> Pair:
    world = browsing.world
    board = f"/challenges/{world.challenge(anonymous_allowed=True)}"
    return _before(board, browsing.page_of(world.alice), browsing.page_of(world.bob))


def test_an_idea_arrives_is_supported_by_both_and_shows_what_each_sector_thinks(browsing: Browsing) -> None:
    people = (browsing.arrives("public@demo.example"), browsing.arrives("business@demo.example"))
    pair = _before("/challenges/1", *people)
    title = fresh("Publish every form as one page that a tired parent understands")
    hers = post(pair.alice, title)
    his = card(pair.bob, title)
    expect(his).to_be_visible()
    expect(pair.alice.get_by_label("Your idea")).to_be_focused()
    expect(pair.alice.get_by_label("Your idea")).to_have_value("")

    support_button(his).click()
    expect(support_button(his)).to_have_attribute("aria-pressed", "true")
    for place in (his, hers):
        expect_tally(place, 0, 1)
        expect(place.get_by_text("Bridges")).to_have_count(0)
    expect(support_button(hers)).to_have_attribute("aria-pressed", "false")

    support_button(hers).click()
    for place in (his, hers):
        expect_tally(place, 1, 1)
        expect(place.get_by_text("Bridges")).to_be_visible()
        expect(support_button(place)).to_have_attribute("aria-pressed", "true")

    support_button(hers).click()
    for place in (his, hers):
        expect_tally(place, 0, 1)
        expect(place.get_by_text("Bridges")).to_have_count(0)
    expect(support_button(his)).to_have_attribute("aria-pressed", "true")
    expect(support_button(hers)).to_have_attribute("aria-pressed", "false")
    for page in (pair.alice, pair.bob):
        expect_same_document(page)


def test_a_comment_arrives_on_the_ideas_page_and_its_count_on_the_board(
    pair: Pair, browsing: Browsing
) -> None:
    title = "Ask the newest colleague what makes no sense"
    hers = post(pair.alice, title)
    his = card(pair.bob, title)
    expect(his).to_be_visible()
    watcher = pair.alice.context.new_page()
    watcher.goto(idea_address(hers))
    watch_loads(watcher)
    pair.bob.goto(idea_address(his))
    pair.bob.get_by_label("Your comment").fill("We do this on the **first Friday** of each month.")
    pair.bob.get_by_role("button", name="Post comment").click()
    for page in (pair.bob, watcher):
        comment = page.locator(".comment").filter(has_text="first Friday")
        expect(comment).to_have_count(1)
        expect(comment).to_contain_text("Bob Kos")
        expect(comment.locator("strong")).to_have_text("first Friday")
    expect(pair.bob.get_by_label("Your comment")).to_have_value("")
    expect(hers.locator('a[href$="#comments"]')).to_contain_text("1")
    expect_same_document(watcher)
    expect_same_document(pair.alice)


def test_a_card_is_moved_by_arrow_keys_and_by_the_dialog_and_the_move_arrives(pair: Pair) -> None:
    title = "Swap desks for a day"
    hers = post(pair.alice, title)
    his = card(pair.bob, title)
    expect(column_of(his)).to_have_text("Not in a cluster yet")
    move = hers.get_by_role("link", name="Move")
    move.focus()
    move.press("ArrowRight")
    for place in (hers, his):
        expect(column_of(place)).to_have_text("Now")
    expect(move).to_be_focused()
    move.press("ArrowRight")
    move.press("ArrowLeft")
    move.press("ArrowLeft")
    for place in (hers, his):
        expect(column_of(place)).to_have_text("Not in a cluster yet")

    pair.alice.keyboard.press("Enter")
    dialog = pair.alice.get_by_role("dialog", name="Move to")
    expect(dialog).to_contain_text(title)
    expect(dialog.get_by_label("Not in a cluster yet")).to_be_focused()
    pair.alice.keyboard.press("ArrowDown")
    pair.alice.keyboard.press("ArrowDown")
    pair.alice.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    for place in (hers, his):
        expect(column_of(place)).to_have_text("Later")
    expect(move).to_be_focused()
    expect(pair.alice.locator("#board-said")).to_have_text("Moved to “Later”.")

    pair.alice.keyboard.press("Enter")
    expect(dialog).to_be_visible()
    pair.alice.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(move).to_be_focused()
    pair.alice.reload()
    expect(column_of(hers)).to_have_text("Later")
    expect_same_document(pair.bob)


def test_a_card_is_moved_by_dragging_and_the_move_arrives(pair: Pair) -> None:
    title = "Let one office try it first"
    hers = post(pair.alice, title)
    his = card(pair.bob, title)
    hers.hover()
    expect(his).to_be_visible()
    column = pair.alice.get_by_role("region", name="Now")
    _drag(pair.alice, hers.locator(".card-by"), column.locator(".column-cards"))
    for place in (hers, his):
        expect(column_of(place)).to_have_text("Now")
    pair.alice.reload()
    expect(column_of(hers)).to_have_text("Now")


def test_an_edit_arrives_and_what_was_there_before_can_be_read(pair: Pair) -> None:
    hers = post(pair.alice, "Fewer signatures")
    his = card(pair.bob, "Fewer signatures")
    expect(his).to_be_visible()
    pair.alice.goto(idea_address(hers))
    pair.alice.get_by_role("link", name="Edit").click()
    pair.alice.get_by_label("Title").fill("Two signatures at the most")
    pair.alice.get_by_label("Text", exact=True).fill("A leave request takes *five* today.")
    pair.alice.get_by_role("button", name="Save").click()
    expect(pair.alice.get_by_role("heading", name="Two signatures at the most")).to_be_visible()
    expect(card(pair.bob, "Two signatures at the most")).to_be_visible()
    expect(card(pair.bob, "Fewer signatures")).to_have_count(0)
    expect_same_document(pair.bob)
    pair.alice.get_by_role("link", name="Version 2").click()
    expect(pair.alice.get_by_role("heading", name="Fewer signatures")).to_be_visible()
    expect(pair.alice.get_by_role("heading", name="Two signatures at the most")).to_be_visible()


def test_two_edits_at_the_same_time_lose_nothing_that_was_typed(pair: Pair, browsing: Browsing) -> None:
    browsing.witness.expects("status of 412")
    address = idea_address(post(pair.alice, "Fewer stamps"))
    second = pair.alice.context.new_page()
    for page, text in ((pair.alice, "From here."), (second, "From there.")):
        page.goto(f"{address}/edit")
        page.get_by_label("Text", exact=True).fill(text)
    pair.alice.get_by_role("button", name="Save").click()
    expect(pair.alice.get_by_text("From here.")).to_be_visible()
    second.get_by_role("button", name="Save").click()
    expect(second.get_by_role("alert")).to_be_focused()
    expect(second.get_by_label("Text", exact=True)).to_have_value("From there.")


def test_a_merge_is_proposed_consented_to_told_and_objected_to(pair: Pair, browsing: Browsing) -> None:
    source, target = "A shared kitchen", "One shared kitchen for both houses"
    hers, his = post(pair.alice, source), post(pair.bob, target)
    for place in (card(pair.bob, source), hers, card(pair.alice, target)):
        _support(place)
    expect_tally(hers, 1, 1)
    expect_tally(his, 1, 0)
    supporter = browsing.page_of(browsing.world.ana)
    supporter.goto(pair.board)
    _support(card(supporter, source))
    expect_tally(hers, 2, 1)

    pair.alice.goto(idea_address(hers))
    pair.alice.get_by_role("link", name="Merge with another").click()
    pair.alice.get_by_label("The idea that stays").select_option(label=target)
    pair.alice.get_by_role("button", name="Propose the merge").click()
    expect(pair.alice.get_by_role("heading", name="Shall two ideas become one?")).to_be_visible()
    merge = pair.alice.url

    other = pair.bob.context.new_page()
    other.goto("/me")
    other.get_by_role("listitem").filter(has_text=source).get_by_role("link", name="Look and decide").click()
    other.get_by_role("button", name="Yes, merge them").click()
    expect(other.get_by_role("heading", name="Two ideas are one now")).to_be_visible()
    expect(card(pair.bob, source)).to_have_count(0)
    expect_tally(his, 2, 1)
    expect(support_button(his)).to_have_attribute("aria-pressed", "true")
    expect_same_document(pair.bob)

    supporter.goto("/me")
    expect(supporter.get_by_role("main")).to_contain_text(source)
    supporter.goto(merge)
    supporter.get_by_label(re.compile("do not want your support to go along")).fill("It is another kitchen.")
    supporter.get_by_role("button", name="Object").click()
    expect(supporter.get_by_text("1 supporter objected.")).to_be_visible()
    expect_tally(his, 1, 1)
    expect_same_document(pair.bob)


def test_a_facilitator_pins_hides_with_a_reason_hears_the_author_and_restores(
    pair: Pair, browsing: Browsing
) -> None:
    title = "Name the people who are slow"
    hers, his = post(pair.alice, title), card(pair.bob, title)
    post(pair.alice, "Something newer")
    fay = browsing.page_of(browsing.world.fay)
    fay.goto(idea_address(hers))
    fay.get_by_role("button", name="Pin to the top").click()
    expect(his.get_by_text("Pinned")).to_be_visible()
    expect(_first_loose(pair.bob)).to_contain_text(title)
    fay.get_by_role("button", name="Unpin").click()
    expect(his.get_by_text("Pinned")).to_have_count(0)

    address = idea_address(hers)
    fay.get_by_role("link", name="Hide with a reason").click()
    fay.get_by_label("Reason").fill("We speak about work, not about persons.")
    fay.get_by_role("button", name="Hide the idea").click()
    for place in (hers, his):
        expect(place).to_have_count(0)
    for page in (pair.alice, pair.bob):
        expect_same_document(page)

    pair.alice.goto("/me")
    expect(pair.alice.get_by_role("main")).to_contain_text("We speak about work, not about persons.")
    pair.alice.goto(address)
    pair.alice.get_by_label("Your answer to the facilitators").fill("I take the names out.")
    pair.alice.get_by_role("button", name="Send the answer").click()
    fay.goto(f"{pair.board}/moderation")
    hidden = fay.get_by_role("article").filter(has_text=title)
    expect(hidden).to_contain_text("I take the names out.")
    browsing.witness.expects("status of 404")
    assert pair.bob.request.get(address).status == 404
    hidden.get_by_role("button", name="Put back on the board").click()
    expect(his).to_be_visible()
    expect_same_document(pair.bob)


def test_similar_ideas_are_shown_while_one_types(pair: Pair) -> None:
    post(pair.alice, "Mentors from the steelworks for young civil servants")
    pair.bob.get_by_label("Your idea").press_sequentially("steelworks mentors")
    hint = pair.bob.locator("#similar").get_by_role("link", name="Mentors from the steelworks")
    expect(hint).to_be_visible()
    pair.bob.keyboard.press("Escape")
    expect(hint).to_have_count(0)
    expect(pair.bob.get_by_label("Your idea")).to_have_value("steelworks mentors")


def test_an_anonymous_idea_names_its_author_nowhere(pair: Pair, browsing: Browsing) -> None:
    title = "What nobody says aloud"
    pair.alice.get_by_role("link", name="Write more, or post without your name").click()
    pair.alice.get_by_label("Title").fill(title)
    pair.alice.get_by_label("Post without my name").check()
    pair.alice.get_by_role("button", name="Post idea").click()
    his = card(pair.bob, title)
    expect(his).to_contain_text("posted without a name")
    fay = browsing.page_of(browsing.world.fay)
    for path in ("", "/versions"):
        fay.goto(idea_address(his) + path)
        expect(fay.get_by_text(title).first).to_be_visible()
        assert "Alice" not in fay.locator("main").inner_text()
    assert "Alice" not in his.inner_text()


def _before(board: str, alice: Page, bob: Page) -> Pair:
    for page in (alice, bob):
        page.goto(board)
        expect_live(page)
        watch_loads(page)
    return Pair(board, alice, bob)


def _support(place: Locator) -> None:
    support_button(place).click()
    expect(support_button(place)).to_have_attribute("aria-pressed", "true")


def _first_loose(page: Page) -> Locator:
    return page.get_by_role("region", name="Not in a cluster yet").locator("article.card").first


def _drag(page: Page, what: Locator, where: Locator) -> None:
    """By the mouse, in steps, as a hand does."""
    page.mouse.move(*_middle(what))
    expect(page.locator("script[src*=sortable], #live[data-sortable]").first).to_be_attached()
    page.mouse.down()
    x, y = _middle(where)
    page.mouse.move(x - 30, y - 10, steps=6)
    page.mouse.move(x, y, steps=6)
    page.mouse.up()


def _middle(place: Locator) -> tuple[float, float]:
    place.scroll_into_view_if_needed()
    box = place.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
