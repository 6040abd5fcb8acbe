"""Everything by keyboard alone: what is reached is seen, and forms that come back lead to what is to be mended."""

import pytest
from playwright.sync_api import expect

from tests.browser.audit import findings
from tests.browser.board import card, expect_live, support_button
from tests.browser.browsing import DESK, PHONE, Browsing
from tests.browser.keys import stops, tab_to, unseen


@pytest.mark.parametrize("size", [DESK, PHONE["viewport"]], ids=["desk", "phone"])
def test_the_focus_is_seen_wherever_tab_leads(browsing: Browsing, size: dict[str, int]) -> None:
    world = browsing.world
    id = world.challenge()
    for number in range(4):
        world.idea(world.alice, f"Idea number {number} with a title that takes more than one line", id)
    page = browsing.page_of(world.fay, viewport=size, reduced_motion="reduce")
    for path in (f"/challenges/{id}", "/me", f"/challenges/{id}/phases"):
        page.goto(path)
        found = list(stops(page))
        assert len(found) > 8
        assert unseen(found) == []


def test_ideas_are_posted_supported_commented_and_found(browsing: Browsing) -> None:
    world = browsing.world
    id = world.challenge()
    page = browsing.page_of(world.bob)
    page.goto(f"/challenges/{id}")
    expect_live(page)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    tab_to(page, "#field-title")
    page.keyboard.type("Keys are enough")
    page.keyboard.press("Enter")
    mine = card(page, "Keys are enough")
    expect(mine).to_be_visible()
    tab_to(page, "summary:has-text('Filter')")
    tab_to(page, ".support-button")
    page.keyboard.press("Space")
    expect(support_button(mine)).to_have_attribute("aria-pressed", "true")
    expect(mine.locator('[data-count="business"]')).to_have_text("1")
    expect(support_button(mine)).to_be_focused()
    tab_to(page, ".card-link")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Keys are enough")).to_be_visible()
    tab_to(page, "#field-body")
    page.keyboard.type("And a screen reader.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".comment")).to_contain_text("And a screen reader.")

    page.goto(f"/challenges/{id}")
    tab_to(page, "summary:has-text('Filter')")
    page.keyboard.press("Enter")
    tab_to(page, "#board-q")
    page.keyboard.type("keys")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Search words")).to_have_value("keys")
    expect(mine).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_a_form_that_comes_back_leads_to_what_is_to_be_mended(browsing: Browsing, scripts: bool) -> None:
    browsing.witness.expects("status of 422")
    world = browsing.world
    id = world.challenge(anonymous_allowed=True)
    page = browsing.page_of(world.bob, java_script_enabled=scripts)
    page.goto(f"/challenges/{id}/ideas/new")
    page.get_by_label("Text", exact=True).fill("A long thought.\n\nIn two parts.")
    page.get_by_label("Cluster").select_option(label="Later")
    page.get_by_label("Post without my name").check()
    page.get_by_role("button", name="Post idea").press("Enter")
    summary = page.get_by_role("alert")
    expect(summary).to_be_focused()
    expect(page.get_by_label("Text", exact=True)).to_have_value("A long thought.\n\nIn two parts.")
    expect(page.get_by_label("Cluster").locator("option:checked")).to_have_text("Later")
    expect(page.get_by_label("Post without my name")).to_be_checked()
    title = page.get_by_label("Title")
    expect(title).to_have_attribute("aria-invalid", "true")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(title).to_be_focused()
    if scripts:
        assert findings(page) == []


def test_a_comment_that_comes_back_keeps_its_text_and_takes_the_focus(browsing: Browsing) -> None:
    browsing.witness.expects("status of 422")
    world = browsing.world
    idea = world.idea(world.alice, "One form", world.challenge())
    page = browsing.page_of(world.bob)
    page.goto(f"/ideas/{idea}")
    field = page.get_by_label("Your comment")
    field.evaluate("(field) => field.removeAttribute('maxlength')")
    field.fill("x" * 4001)
    page.get_by_role("button", name="Post comment").press("Enter")
    expect(page.get_by_role("alert")).to_be_focused()
    expect(field).to_have_value("x" * 4001)
    assert findings(page) == []
    field.fill("Shorter.")
    page.get_by_role("button", name="Post comment").press("Enter")
    expect(page.locator(".comment")).to_contain_text("Shorter.")
    expect(page.get_by_role("alert")).to_have_count(0)


def test_a_quick_idea_that_comes_back_keeps_its_text_and_the_focus(browsing: Browsing) -> None:
    browsing.witness.expects("status of 422")
    world = browsing.world
    page = browsing.page_of(world.bob)
    page.goto(f"/challenges/{world.challenge()}")
    field = page.get_by_label("Your idea")
    field.evaluate("(field) => field.removeAttribute('maxlength')")
    field.fill("x" * 121)
    field.press("Enter")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_value("x" * 121)
    expect(field).to_be_focused()
    assert findings(page) == []
    field.fill("Shorter")
    field.press("Enter")
    expect(card(page, "Shorter")).to_be_visible()
    expect(field).not_to_have_attribute("aria-invalid", "true")
