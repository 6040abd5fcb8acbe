"""The main journey where no script runs: every action is a form, every page whole."""

import re

import pytest
from playwright.sync_api import Page, expect

from app.lib import i18n
from tests.browser.board import card, column_of, expect_tally, fresh, idea_address, support_button
from tests.browser.browsing import PHONE, Browsing
from tests.browser.deciding import soon


@pytest.fixture
def board(browsing: Browsing) -> str:
    return f"/challenges/{browsing.world.challenge()}"


def test_the_journey_from_signing_in_to_a_merge(browsing: Browsing) -> None:
    mojca = browsing.arrives("public@demo.example", java_script_enabled=False)
    luka = browsing.arrives("business@demo.example", java_script_enabled=False)
    first, second = fresh("A quiet hour for files"), fresh("A quiet hour each day")
    _post(mojca, "/challenges/1", first)
    _post(luka, "/challenges/1", second)
    his = card(luka, first)
    support_button(his).click()
    expect_tally(his, 0, 1)
    expect(support_button(his)).to_have_attribute("aria-pressed", "true")
    hers = card(mojca, first)
    support_button(hers).click()
    expect_tally(hers, 1, 1)
    expect(hers.get_by_text("Bridges")).to_be_visible()
    support_button(hers).click()
    expect_tally(hers, 0, 1)

    luka.goto(idea_address(his))
    luka.get_by_label("Your comment").fill("We have one from nine to ten.")
    luka.get_by_role("button", name="Post comment").click()
    expect(luka.locator(".comment")).to_contain_text("from nine to ten")

    mojca.goto("/challenges/1")
    expect(hers.locator('a[href$="#comments"]')).to_contain_text("1")
    hers.get_by_role("link", name="Move").click()
    mojca.get_by_label("Time and freedom").check()
    mojca.get_by_role("button", name="Move").click()
    expect(column_of(hers)).to_have_text("Time and freedom")

    mojca.goto(f"{idea_address(hers)}/merges")
    mojca.get_by_label("The idea that stays").select_option(label=second)
    mojca.get_by_role("button", name="Propose the merge").click()
    expect(mojca.get_by_role("heading", name="Shall two ideas become one?")).to_be_visible()
    luka.goto("/me")
    luka.get_by_role("listitem").filter(has_text=first).get_by_role("link", name="Look and decide").click()
    luka.get_by_role("button", name="Yes, merge them").click()
    expect(luka.get_by_role("heading", name="Two ideas are one now")).to_be_visible()
    luka.goto("/challenges/1")
    expect(card(luka, first)).to_have_count(0)
    expect_tally(card(luka, second), 0, 1)

    luka.get_by_role("contentinfo").get_by_role("button", name="Sign out").click()
    expect(luka.get_by_role("heading", name="You are signed out")).to_be_visible()
    luka.go_back()
    luka.reload()
    expect(luka).to_have_url(re.compile("/sign-in"))


def test_an_idea_is_edited_hidden_answered_and_restored(browsing: Browsing, board: str) -> None:
    world = browsing.world
    alice, fay = (browsing.page_of(who, java_script_enabled=False) for who in (world.alice, world.fay))
    _post(alice, board, "Less paper")
    address = idea_address(card(alice, "Less paper"))
    alice.goto(f"{address}/edit")
    alice.get_by_label("Title").fill("No paper")
    alice.get_by_role("button", name="Save").click()
    alice.get_by_role("link", name="Version 2").click()
    expect(alice.get_by_role("heading", name="Less paper")).to_be_visible()

    fay.goto(address)
    fay.get_by_role("button", name="Pin to the top").click()
    expect(fay.get_by_text("Pinned")).to_be_visible()
    fay.get_by_role("link", name="Hide with a reason").click()
    fay.get_by_role("button", name="Hide the idea").click()
    browsing.witness.expects("status of 422")
    expect(fay.get_by_role("alert")).to_contain_text("Reason")
    fay.get_by_label("Reason").fill("It is an advertisement.")
    fay.get_by_role("button", name="Hide the idea").click()
    alice.goto(address)
    expect(alice.get_by_text("It is an advertisement.")).to_be_visible()
    alice.get_by_label("Your answer to the facilitators").fill("I sell nothing.")
    alice.get_by_role("button", name="Send the answer").click()
    expect(alice.get_by_text("I sell nothing.")).to_be_visible()
    fay.goto(f"{board}/moderation")
    expect(fay.get_by_text("I sell nothing.")).to_be_visible()
    fay.get_by_role("button", name="Put back on the board").click()
    expect(fay.get_by_role("link", name="Hide with a reason")).to_be_visible()
    alice.goto(board)
    expect(card(alice, "No paper")).to_be_visible()


def test_a_solution_is_promoted_and_a_ballot_made_changed_and_taken_back(
    browsing: Browsing, board: str
) -> None:
    browsing.witness.expects("status of 422")
    world = browsing.world
    fay, cora = (browsing.page_of(who, java_script_enabled=False) for who in (world.fay, world.cora))
    for title in ("One form, once", "A shared desk"):
        fay.goto(f"{board}/solutions/new")
        fay.get_by_label("Title", exact=True).fill(title)
        fay.locator("#field-summary").fill("**Once**, for all.")
        fay.locator("main .button-primary").click()
        expect(fay.get_by_role("heading", name=title)).to_be_visible()
    fay.goto(f"{board}/solutions")
    expect(fay.get_by_role("link", name="One form, once")).to_be_visible()

    cora.goto(f"{board}/ballots/new")
    cora.get_by_label("Question", exact=True).fill("Which one first?")
    cora.get_by_role("button", name="Preview").click()
    expect(cora.get_by_role("alert")).to_contain_text("Solutions")
    expect(cora.get_by_label("Question", exact=True)).to_have_value("Which one first?")
    for title in ("One form, once", "A shared desk"):
        cora.get_by_label(title).check()
    cora.locator("input[name='method'][value='ranked']").check()
    cora.locator("#field-opens_at").fill(i18n.local_input(soon(days=1)))
    cora.get_by_role("button", name="Preview").click()
    expect(cora.get_by_role("heading", name="Is it right like this?")).to_be_visible()
    cora.get_by_role("button", name="Make the ballot").click()
    expect(cora.get_by_text("You may vote here.")).to_be_visible()
    cora.get_by_role("link", name="Edit the ballot").click()
    expect(cora.locator("input[name='method'][value='ranked']")).to_be_checked()
    cora.get_by_label("Question", exact=True).fill("Which one next?")
    cora.get_by_role("button", name="Preview").click()
    cora.get_by_role("button", name="Save the ballot").click()
    expect(cora.get_by_role("heading", name="Which one next?")).to_be_visible()
    cora.get_by_role("button", name="Take the ballot back").click()
    expect(cora.get_by_text("taken back before it opened")).to_be_visible()


def test_a_board_is_sorted_filtered_and_searched(browsing: Browsing) -> None:
    page = browsing.page_of_demo("public@demo.example", java_script_enabled=False)
    page.goto("/challenges/1")
    page.get_by_role("link", name="Bridging").click()
    expect(page.get_by_text("the smallest share decides")).to_be_visible()
    page.get_by_text("Filter and search").click()
    page.get_by_label("Search words").fill("coffee")
    page.get_by_label("Posted by").select_option(label="Business")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(
        card(page, "A suggestion scheme with an answer in seven days, or the boss buys the coffee")
    ).to_be_visible()
    expect(page.get_by_label("Search words")).to_have_value("coffee")
    page.get_by_role("link", name="Clear").click()
    expect(page.locator("article.card").nth(20)).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_the_first_idea_stands_in_the_first_screen_of_a_phone(browsing: Browsing, scripts: bool) -> None:
    page = browsing.page_of_demo("public@demo.example", java_script_enabled=scripts, **PHONE)
    for id in range(1, 6):
        page.goto(f"/challenges/{id}")
        title = page.locator("article.card .card-title").first
        box = title.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= PHONE["viewport"]["height"], f"challenge {id}"


def _post(page: Page, board: str, title: str) -> None:
    page.goto(board)
    page.get_by_label("Your idea").fill(title)
    page.get_by_label("Your idea").press("Enter")
    expect(card(page, title)).to_be_visible()
