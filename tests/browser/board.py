"""Words for what people do on a board and on an idea's page, as they see it."""

from itertools import count

from playwright.sync_api import Locator, Page, expect

_MARKS = count(1000)


def card(page: Page | Locator, title: str) -> Locator:
    """The card of the idea with this title."""
    return page.locator("article.card").filter(has_text=title)


def fresh(title: str) -> str:
    """The title with a mark of its own: on a board that tests share it may have been posted before."""
    return f"{title} {next(_MARKS)}"


def post(page: Page, title: str) -> Locator:
    """Write an idea into the field that is always at hand, and press Enter; its card."""
    field = page.get_by_label("Your idea")
    field.fill(title)
    field.press("Enter")
    expect(card(page, title)).to_be_visible()
    return card(page, title)


def support_button(place: Locator | Page) -> Locator:
    return place.locator(".support-button")


def expect_tally(place: Locator | Page, public: int, business: int) -> None:
    """Both sectors' counts, side by side."""
    expect(place.locator('[data-count="public"]')).to_have_text(str(public))
    expect(place.locator('[data-count="business"]')).to_have_text(str(business))


def column_of(place: Locator) -> Locator:
    """The title of the column that a card stands in."""
    return place.locator("xpath=ancestor::section[@data-column]").get_by_role("heading", level=2)


def idea_address(place: Locator) -> str:
    """The address of the idea's own page."""
    return str(place.locator(".card-title a").get_attribute("href"))


def watch_loads(page: Page) -> None:
    """Mark this document: the mark is gone once the page has been loaded anew."""
    page.evaluate("document.documentElement.dataset.sameDocument = 'yes'")


def expect_same_document(page: Page) -> None:
    """The page has not been loaded anew since `watch_loads`."""
    assert page.evaluate("document.documentElement.dataset.sameDocument") == "yes"


def expect_live(page: Page) -> None:
    """Someone is told to be here: the stream is open."""
    expect(page.locator("#board-present")).to_contain_text("here now")
