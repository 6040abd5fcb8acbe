"""Voting by each method: by touch on a phone, by keyboard alone, without scripts; the receipt, and the result."""

import re
from itertools import pairwise
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from app.lib.receipts import new_receipt, normal_receipt
from app.methods import log_check, log_reader
from app.services import ballots, votes
from tests.browser.audit import findings, overflow
from tests.browser.browsing import DESK, PHONE, Browsing
from tests.browser.deciding import (
    ANSWERED,
    ANSWERS,
    FORM,
    METHODS,
    chosen,
    count,
    counted,
    expect_answer,
    expect_reviewed,
    give,
    keys_of,
    mapped,
    receipt_on,
    solution_card,
    soon,
    vote_of,
)
from tests.browser.deciding import DESK as A_DESK
from tests.browser.keys import STOP, stops, tab_to, unseen
from tests.factories.world import World

STEPPED = tuple(method for method in METHODS if method != "ranked")
NARROW_PHONE = PHONE | {"viewport": {"width": 390, "height": 640}}
ONE_ROW = 24
"""So many pixels a stop may begin above the end of the one before it and still stand beside or below it."""


@pytest.fixture(scope="module")
def challenge(site: Any) -> int:
    world: World = site.world
    return world.challenge(title="What comes first")


@pytest.mark.parametrize("method", METHODS)
def test_by_touch_on_a_phone(browsing: Browsing, challenge: int, method: str) -> None:
    world = browsing.world
    ballot = world.ballot(method, None, challenge)
    keys = keys_of(world, ballot)
    page = browsing.page_of(world.bea, **PHONE)
    page.goto("/me")
    page.locator(f"a[href='/ballots/{ballot}']").tap()
    expect(page.get_by_text("You may vote here.")).to_be_visible()
    assert overflow(page) == []
    page.get_by_role("link", name="Vote now").tap()
    page.wait_for_url("**/vote")
    if method == "ranked":
        _rank_by_touch(page)
    else:
        _answer_by_touch(page, method)
    assert findings(page) + overflow(page) == []
    assert vote_of(world, world.bea, ballot) is None
    page.get_by_role("button", name="Look over and send").tap()
    expect_reviewed(page, method)
    assert overflow(page) == []
    page.get_by_role("button", name="Send my vote").tap()
    code = receipt_on(page)
    assert overflow(page) == []
    assert normal_receipt(code) == code
    mine = vote_of(world, world.bea, ballot)
    assert mine is not None
    assert (mine.code, mine.choice) == (code, chosen(method, keys))
    assert page.evaluate("Object.keys(localStorage).filter((name) => name.startsWith('vote:'))") == []
    assert code not in page.url
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as a file").tap()
    assert code in download.value.path().read_text()


def _answer_by_touch(page: Page, method: str) -> None:
    """One card at a time: answered or skipped, back and on, and begun anew after the page was left."""
    order = _titles(page)
    assert sorted(order) == sorted((FORM, A_DESK, ANSWERS))
    given = ANSWERED[method]
    back, on = (page.locator(f"[data-{name}]") for name in ("back", "next"))
    for number, title in enumerate(order, start=1):
        expect(page.locator("[data-progress]")).to_have_text(f"{number} of 3")
        expect(page.locator("article.vote-card:visible")).to_have_count(1)
        place = solution_card(page, title)
        expect(place).to_be_visible()
        if number < len(order):
            expect(on).to_have_text("Skip")
        if title in given:
            _touch(page, method, title)
        if number == 1:
            expect(back).to_be_disabled()
            expect(page.get_by_role("button", name="Look over and send")).to_be_hidden()
        elif number == 2:
            back.tap()
            expect_answer(solution_card(page, order[0]), method, given.get(order[0], ""))
            on.tap()
            expect_answer(place, method, given.get(title, ""))
            page.reload()
            expect(page.get_by_text("Your answers from before are filled in")).to_be_visible()
            expect(page.locator("[data-progress]")).to_have_text("1 of 3")
            on.tap()
        if number < len(order):
            expect(on).to_have_text("Next" if title in given else "Skip")
            on.tap()
    expect(on).to_be_hidden()
    for title in order:
        expect_answer(solution_card(page, title), method, given.get(title, ""))


def _touch(page: Page, method: str, title: str) -> None:
    place, answer = solution_card(page, title), ANSWERED[method][title]
    if method in ("points", "quadratic"):
        for _ in range(int(answer) + 1):
            place.get_by_role("button", name="One more").tap()
        place.get_by_role("button", name="One less").tap()
    else:
        place.locator(f"label:has(input[value='{answer}'])").tap()
    expect_answer(place, method, answer)


def _rank_by_touch(page: Page) -> None:
    """Up makes a card the last that is ranked, and then moves it; the cards stand in their order."""
    solution_card(page, FORM).get_by_role("button", name="Up").tap()
    expect(page.locator("#rank-said")).to_have_text(f"{FORM}: place 1")
    solution_card(page, ANSWERS).get_by_role("button", name="Up").tap()
    expect(page.locator("#rank-said")).to_have_text(f"{ANSWERS}: place 2")
    page.reload()
    expect(page.get_by_text("Your answers from before are filled in")).to_be_visible()
    assert _titles(page)[:2] == [FORM, ANSWERS]
    solution_card(page, ANSWERS).get_by_role("button", name="Up").tap()
    expect_answer(solution_card(page, ANSWERS), "ranked", "1")
    expect_answer(solution_card(page, FORM), "ranked", "2")
    assert _titles(page)[:2] == [ANSWERS, FORM]
    expect_answer(solution_card(page, A_DESK), "ranked", "")


def _titles(page: Page) -> list[str]:
    return [title.strip() for title in page.locator(".vote-card .vote-title").all_text_contents()]


@pytest.mark.parametrize("method", METHODS)
def test_by_keyboard_alone(browsing: Browsing, challenge: int, method: str) -> None:
    world = browsing.world
    ballot = world.ballot(method, None, challenge)
    keys = dict(zip((FORM, A_DESK, ANSWERS), keys_of(world, ballot), strict=True))
    page = browsing.page_of(world.alice, viewport=NARROW_PHONE["viewport"], reduced_motion="reduce")
    page.goto(f"/ballots/{ballot}")
    tab_to(page, "a:has-text('Vote now')")
    page.keyboard.press("Enter")
    page.wait_for_url("**/vote")
    _expect_orderly(page)
    page.reload()
    if method == "ranked":
        _rank_by_keyboard(page, keys)
    else:
        _answer_by_keyboard(page, method, keys)
    expect(page.get_by_role("button", name="Look over and send")).to_be_focused()
    page.keyboard.press("Enter")
    expect_reviewed(page, method)
    _expect_orderly(page)
    tab_to(page, "button:has-text('Send my vote')")
    page.keyboard.press("Enter")
    code = receipt_on(page)
    _expect_orderly(page)
    mine = vote_of(world, world.alice, ballot)
    assert mine is not None
    assert (mine.code, mine.choice) == (code, chosen(method, keys_of(world, ballot)))


def _expect_orderly(page: Page) -> None:
    """Wherever Tab leads, one sees it, and within the page's content it never leads upwards."""
    found = list(stops(page))
    assert unseen(found) == []
    inside = [stop for stop in found if stop["inMain"]]
    assert len(inside) > 1
    for one, other in pairwise(inside):
        assert other["below"] > one["above"] + ONE_ROW or other["above"] >= one["above"], (one, other)


def _answer_by_keyboard(page: Page, method: str, keys: dict[str, str]) -> None:
    order, given = _titles(page), ANSWERED[method]
    for number, title in enumerate(order, start=1):
        expect(page.locator("[data-progress]")).to_have_text(f"{number} of 3")
        if number > 1:
            expect(page.get_by_role("heading", name=title)).to_be_focused()
        if title in given:
            tab_to(page, f"#vote-card-{keys[title]} input")
            _press(page, method, given[title])
            expect_answer(solution_card(page, title), method, given[title])
        if number == len(order):
            tab_to(page, "[data-review]")
        elif title in given and number == 2:
            page.keyboard.press("Enter")
        else:
            tab_to(page, "[data-next]")
            assert page.evaluate(STOP)["ring"]
            page.keyboard.press("Enter")


def _press(page: Page, method: str, answer: str) -> None:
    """Answer the field that has the focus."""
    if method in ("points", "quadratic"):
        page.keyboard.type(answer)
    elif answer == "yes":
        page.keyboard.press("Space")
    else:
        for _ in range(1 if answer == "no" else int(answer)):
            page.keyboard.press("ArrowRight")


def _rank_by_keyboard(page: Page, keys: dict[str, str]) -> None:
    """The first by the list of places, the next by its button, which keeps the focus."""
    tab_to(page, f"#field-at-{keys[ANSWERS]}")
    page.keyboard.press("ArrowDown")
    expect_answer(solution_card(page, ANSWERS), "ranked", "1")
    expect(page.locator(f"#field-at-{keys[ANSWERS]}")).to_be_focused()
    tab_to(page, f"#vote-card-{keys[FORM]} [data-up]")
    page.keyboard.press("Enter")
    expect_answer(solution_card(page, FORM), "ranked", "2")
    expect(page.locator(f"#vote-card-{keys[FORM]} [data-up]")).to_be_focused()
    assert _titles(page)[:2] == [ANSWERS, FORM]
    assert page.evaluate(STOP)["inView"]
    tab_to(page, "[data-review]")


@pytest.mark.parametrize("method", METHODS)
def test_without_scripts(browsing: Browsing, challenge: int, method: str) -> None:
    """Sent, looked at again, replaced by an abstention, and taken back."""
    world = browsing.world
    ballot = world.ballot(method, None, challenge)
    choice = chosen(method, keys_of(world, ballot))
    page = browsing.page_of(world.bob, java_script_enabled=False, **PHONE)
    page.goto(f"/ballots/{ballot}")
    page.get_by_role("link", name="Vote now").click()
    for title, answer in ANSWERED[method].items():
        give(solution_card(page, title), method, answer)
    page.get_by_role("button", name="Look over and send").click()
    expect_reviewed(page, method)
    page.get_by_role("button", name="Change it").click()
    for title in (FORM, A_DESK, ANSWERS):
        expect_answer(solution_card(page, title), method, ANSWERED[method].get(title, ""))
    page.get_by_role("button", name="Look over and send").click()
    page.get_by_role("button", name="Send my vote").click()
    first = receipt_on(page)
    mine = vote_of(world, world.bob, ballot)
    assert mine is not None
    assert (mine.code, mine.choice) == (first, choice)

    page.get_by_role("link", name="To the ballot").click()
    page.get_by_role("link", name="Change my vote").click()
    expect(page.get_by_role("region", name="Your vote now")).to_contain_text(FORM)
    expect_answer(solution_card(page, FORM), method, ANSWERED[method][FORM])
    page.get_by_role("button", name="I abstain").click()
    expect(page.get_by_label("Your vote", exact=True)).to_contain_text("I abstain.")
    page.get_by_role("button", name="Send my vote").click()
    second = receipt_on(page)
    expect(page.get_by_text("The old receipt is void.")).to_be_visible()
    mine = vote_of(world, world.bob, ballot)
    assert mine is not None
    assert (mine.code, mine.choice) == (second, {"abstain": True})
    assert second != first

    page.goto(f"/ballots/{ballot}/vote")
    page.get_by_role("button", name="Take my vote back").click()
    expect(page.get_by_role("region", name="Your vote now")).to_have_count(0)
    assert vote_of(world, world.bob, ballot) is None


def test_too_much_money_is_told_at_once_and_comes_back_with_what_was_chosen(
    browsing: Browsing, challenge: int
) -> None:
    browsing.witness.expects("status of 422")
    world = browsing.world
    ballot = world.ballot("budget", None, challenge)
    page = browsing.page_of(world.bea, **PHONE)
    page.goto(f"/ballots/{ballot}/vote")
    page.get_by_role("button", name="Show all").tap()
    expect(page.locator("article.vote-card:visible")).to_have_count(3)
    left = page.locator("#vote-left")
    for title, said in (
        (FORM, "Left: 20 days of 50 days"),
        (A_DESK, "Left: 0 days of 50 days"),
        (ANSWERS, "Too much by 10 days."),
    ):
        give(solution_card(page, title), "budget", "yes")
        expect(left).to_contain_text(said)
    assert findings(page) + overflow(page) == []
    page.get_by_role("button", name="Look over and send").tap()
    expect(page.get_by_role("alert")).to_be_focused()
    assert findings(page) + overflow(page) == []
    for title in (FORM, A_DESK, ANSWERS):
        expect_answer(solution_card(page, title), "budget", "yes")
    assert vote_of(world, world.bea, ballot) is None


def test_what_was_begun_is_begun_anew_and_is_nobody_elses(browsing: Browsing, challenge: int) -> None:
    world = browsing.world
    ballot = world.ballot("score", None, challenge)
    page = browsing.page_of(world.ana, **PHONE)
    page.goto(f"/ballots/{ballot}/vote")
    first = _titles(page)[0]
    page.locator("article.vote-card:visible label:has(input[value='4'])").tap()
    page.reload()
    expect_answer(solution_card(page, first), "score", "4")
    page.get_by_role("button", name="Start anew").tap()
    expect(page.locator("#vote-resumed")).to_be_hidden()
    expect_answer(solution_card(page, first), "score", "")
    page.locator("article.vote-card:visible label:has(input[value='4'])").tap()
    page.context.clear_cookies()
    page.context.add_cookies([{"name": "session", "value": world.cookie(world.bob), "url": browsing.url}])
    page.goto(f"/ballots/{ballot}/vote")
    expect(page.locator("#vote-resumed")).to_be_hidden()
    expect(page.locator("input:checked")).to_have_count(0)


def test_many_solutions_are_all_reached_and_none_hides_the_focus(browsing: Browsing, challenge: int) -> None:
    """With all cards shown, what is left stays in sight at the bottom, and covers nothing that has the focus."""
    world = browsing.world
    named = [
        world.solution(f"Solution {number}", challenge, summary="Some words. " * 20) for number in range(8)
    ]
    ballot = world.ballot("points", named, challenge)
    page = browsing.page_of(world.bea, viewport=NARROW_PHONE["viewport"], reduced_motion="reduce")
    page.goto(f"/ballots/{ballot}/vote")
    page.get_by_role("button", name="Show all").click()
    page.evaluate("document.activeElement.blur()")
    found = list(stops(page))
    assert len(found) > 3 * len(named)
    assert unseen(found) == []


def test_a_card_that_comes_begins_where_one_looks(browsing: Browsing, challenge: int) -> None:
    """However far down the button was that led on to it."""
    world = browsing.world
    named = [
        world.solution(f"Solution {number}", challenge, summary="Some words. " * 90) for number in range(3)
    ]
    ballot = world.ballot("score", named, challenge)
    page = browsing.page_of(world.bea, **PHONE)
    page.goto(f"/ballots/{ballot}/vote")
    for title in _titles(page)[1:]:
        page.locator("[data-next]").tap()
        expect(page.get_by_role("heading", name=title)).to_be_in_viewport()
        expect(page.locator("[data-progress]")).to_be_in_viewport()
    page.get_by_role("button", name="Back").tap()
    expect(page.get_by_role("heading", name=_titles(page)[1])).to_be_in_viewport()


def test_who_may_not_vote_is_told_before_anything_is_filled_in(browsing: Browsing, challenge: int) -> None:
    world = browsing.world
    ballot = world.ballot("approval", None, challenge, sectors=["public"])
    for who in (world.bob, world.olga):
        page = browsing.page_of(who, **PHONE)
        for path in (f"/ballots/{ballot}", f"/ballots/{ballot}/vote"):
            page.goto(path)
            expect(page.get_by_text("You do not vote here.")).to_be_visible()
            expect(page.locator("#vote")).to_have_count(0)
            expect(page.get_by_role("link", name="Vote now")).to_have_count(0)


def test_a_vote_that_comes_too_late_is_shown_once_more_and_not_counted(
    browsing: Browsing, challenge: int
) -> None:
    browsing.witness.expects("status of 409")
    world = browsing.world
    ballot = world.ballot("approval", None, challenge)
    page = browsing.page_of(world.bea, **PHONE)
    page.goto(f"/ballots/{ballot}/vote")
    page.get_by_role("button", name="Show all").tap()
    give(solution_card(page, FORM), "approval", "yes")
    page.get_by_role("button", name="Look over and send").tap()
    expect(page.get_by_role("heading", name="Is this your vote?")).to_be_visible()
    count(world, ballot)
    page.get_by_role("button", name="Send my vote").tap()
    expect(page.get_by_role("alert")).to_contain_text("closed")
    expect(page.get_by_role("region", name="What you had chosen")).to_contain_text(FORM)
    assert findings(page) + overflow(page) == []
    page.get_by_role("link", name="See the result").tap()
    expect(page.get_by_role("heading", level=1)).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
@pytest.mark.parametrize("method", METHODS)
def test_the_result_is_read_and_checked_by_anyone(
    browsing: Browsing, challenge: int, method: str, scripts: bool
) -> None:
    world = browsing.world
    ballot, receipts = counted(world, method, challenge_id=challenge)
    page = browsing.page_of(world.olga, java_script_enabled=scripts, **PHONE)
    page.goto(f"/ballots/{ballot}")
    page.get_by_role("link", name="See the result").click()
    winner = ANSWERS if method == "ranked" else FORM
    expect(page.get_by_role("heading", level=1)).to_contain_text(winner)
    figure = page.get_by_role("figure", name="Support in each sector")
    figure.get_by_text("The same as a table").click()
    expect(figure.get_by_role("row").filter(has_text=winner)).to_contain_text(
        re.compile("6 of 6.*6 of 6.*Chosen", re.DOTALL)
    )
    with page.expect_download() as download:
        page.get_by_role("link", name="The log (JSON)").click()
    log = log_reader.read(download.value.path().read_text())
    assert log_check.check(log, expect_ballot=ballot) == []
    assert len(log.votes) == len(receipts)

    page.get_by_role("link", name="Check a receipt").click()
    page.get_by_label("Receipt").fill(receipts[3].code.lower().replace("-", " "))
    page.get_by_label("Receipt").press("Enter")
    expect(page.get_by_role("heading", name="It is in the log")).to_be_visible()
    expect(page.get_by_role("region", name="It is in the log")).to_contain_text(winner)
    page.get_by_label("Receipt").fill(_other(receipts[3].code))
    page.get_by_role("button", name="Check it").click()
    expect(page.get_by_text("It is not in the log.")).to_be_visible()


def _other(code: str) -> str:
    """A receipt that nobody has got."""
    return next(one for one in iter(new_receipt, code))


def test_a_coordinator_makes_a_ballot_by_keyboard(browsing: Browsing) -> None:
    world = browsing.world
    board = world.challenge()
    for title, cost in ((FORM, 30), (ANSWERS, 10)):
        world.solution(title, board, cost)
    page = browsing.page_of(world.cora, viewport=DESK, reduced_motion="reduce")
    page.goto(f"/challenges/{board}/ballots/new")
    found = list(stops(page))
    assert unseen(found) == []
    page.reload()
    tab_to(page, "#field-title")
    page.keyboard.type("Which one first?")
    for place in (0, 1):
        tab_to(page, f"#field-solutions label:nth-of-type({place + 1}) input")
        page.keyboard.press("Space")
    tab_to(page, "input[name='method']")
    page.keyboard.press("ArrowDown")
    expect(page.locator("input[name='method'][value='score']")).to_be_checked()
    tab_to(page, "button:has-text('Preview')")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Is it right like this?")).to_be_visible()
    expect(page.get_by_role("region", name="Preview")).to_contain_text(FORM)
    assert findings(page) + overflow(page) == []
    tab_to(page, "button:has-text('Change something')")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Question", exact=True)).to_have_value("Which one first?")
    expect(page.locator("#field-solutions input:checked")).to_have_count(2)
    tab_to(page, "button:has-text('Preview')")
    page.keyboard.press("Enter")
    tab_to(page, "button:has-text('Make the ballot')")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/ballots/\d+$"))
    made = world.ask(ballots.find, world.cora, int(page.url.rsplit("/", 1)[1]))
    assert (made.title, made.method, len(made.solutions)) == ("Which one first?", "score", 2)


def test_a_coordinator_extends_and_closes_a_ballot_by_keyboard(browsing: Browsing, challenge: int) -> None:
    world = browsing.world
    noon = soon(days=7).replace(hour=11, minute=0, second=0, microsecond=0)
    ballot = world.ballot("approval", None, challenge, closes_at=noon)
    page = browsing.page_of(world.cora, viewport=DESK, reduced_motion="reduce")
    page.goto(f"/ballots/{ballot}")
    tab_to(page, "a:has-text('Extend')")
    page.keyboard.press("Enter")
    tab_to(page, "#field-closes_at")
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowUp")
    tab_to(page, "#field-reason")
    page.keyboard.type("Half of us are on leave.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/ballots/{ballot}")
    expect(page.locator("#changes")).to_contain_text("Cora Golob moved the end")
    expect(page.locator("#changes")).to_contain_text("Half of us are on leave.")

    world.do(votes.cast, world.alice, ballot, {"none": True})
    tab_to(page, "a:has-text('Close early')")
    page.keyboard.press("Enter")
    tab_to(page, "#field-reason")
    page.keyboard.type("Everyone has said what they think.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/ballots/{ballot}")
    tab_to(page, "a:has-text('See the result')")
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="The end was moved")).to_contain_text("Everyone has said")


def test_the_map_of_opinions_is_drawn_and_told(browsing: Browsing, challenge: int) -> None:
    world = browsing.world
    page = browsing.page_of(world.olga, **PHONE)
    page.goto(f"/ballots/{mapped(world, challenge)}/result")
    figure = page.get_by_role("figure", name="One possible view")
    expect(figure.locator(".map-shape")).to_have_count(2)
    expect(figure.locator(".map-groups > li")).to_have_count(2)
    expect(page.get_by_role("region", name="What unites")).to_contain_text("Solution 0")
    expect(page.get_by_role("region", name="What divides").get_by_role("listitem").first).to_be_visible()
    assert findings(page) + overflow(page) == []
