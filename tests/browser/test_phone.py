"""The main journey on a phone, by touch."""

from playwright.sync_api import expect

from tests.browser.board import (
    card,
    expect_live,
    expect_same_document,
    expect_tally,
    fresh,
    support_button,
    watch_loads,
)
from tests.browser.browsing import PHONE, Browsing

LEAST_TARGET = 24


def test_the_journey_by_touch(browsing: Browsing) -> None:
    mojca = browsing.arrives("public@demo.example", **PHONE)
    luka = browsing.page_of_demo("business@demo.example", **PHONE)
    for page in (mojca, luka):
        page.goto("/challenges/1")
        expect_live(page)
        watch_loads(page)
    title = fresh("Answer the telephone by name")
    mojca.get_by_label("Your idea").tap()
    mojca.get_by_label("Your idea").fill(title)
    mojca.get_by_role("button", name="Post idea").tap()
    hers, his = card(mojca, title), card(luka, title)
    expect(hers).to_be_in_viewport()
    for place in (hers, his):
        support_button(place).tap()
    for place in (hers, his):
        expect_tally(place, 1, 1)
        expect(place.get_by_text("Bridges")).to_be_visible()

    his.get_by_role("link", name="Move").tap()
    dialog = luka.get_by_role("dialog", name="Move to")
    dialog.get_by_text("Better bosses").tap()
    dialog.get_by_role("button", name="Move").tap()
    for page in (mojca, luka):
        expect(
            card(page.get_by_role("region", name="Better bosses").locator("xpath=."), title)
        ).to_be_visible()
        expect_same_document(page)

    his.get_by_role("link", name=title).tap()
    luka.get_by_label("Your comment").fill("Ours do.")
    luka.get_by_role("button", name="Post comment").tap()
    expect(luka.locator(".comment")).to_contain_text("Ours do.")
    expect(hers.locator('a[href$="#comments"]')).to_contain_text("1")


def test_everything_on_a_board_is_large_enough_to_touch(browsing: Browsing) -> None:
    page = browsing.page_of_demo("public@demo.example", **PHONE)
    page.goto("/challenges/1")
    small = page.evaluate(
        """(least) => [...document.querySelectorAll("a, button, input, select, summary")]
          .filter((one) => one.checkVisibility() && !one.closest(".visually-hidden, .skip"))
          .map((one) => [one, one.getBoundingClientRect()])
          .filter(([one, box]) => box.width && (box.height < least || box.width < least))
          .map(([one, box]) => `${one.outerHTML.slice(0, 80)} ${box.width} x ${box.height}`)""",
        LEAST_TARGET,
    )
    assert small == []
