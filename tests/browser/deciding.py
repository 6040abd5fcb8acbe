"""Ballots in every state, and words for voting as people do it."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from random import Random
from typing import Any

from playwright.sync_api import Locator, Page, expect

from app.lib import clock
from app.policies.actor import Actor
from app.services import ballots, counting, votes
from app.services.votes import MyVote, Receipt
from tests.factories.world import World

METHODS = ("approval", "score", "ranked", "points", "quadratic", "budget")
FORM, DESK, ANSWERS = "One form, once", "A shared desk", "Answers in a week"
"""The solutions on each ballot, in the order of their keys."""

ANSWERED: Mapping[str, Mapping[str, str]] = {
    "approval": {FORM: "yes", DESK: "no"},
    "score": {FORM: "5", ANSWERS: "2"},
    "ranked": {ANSWERS: "1", FORM: "2"},
    "points": {FORM: "6", ANSWERS: "4"},
    "quadratic": {FORM: "3", ANSWERS: "1"},
    "budget": {FORM: "yes", ANSWERS: "yes"},
}
"""What a person answers on each method's ballot; what is not named is skipped."""


def chosen(method: str, keys: tuple[str, str, str]) -> dict[str, Any]:
    """The choice that these answers are."""
    form, _, answers = keys
    return {
        "approval": {"approved": [form]},
        "score": {"scores": {form: 5, answers: 2}},
        "ranked": {"ranking": [[answers], [form]]},
        "points": {"points": {form: 6, answers: 4}},
        "quadratic": {"points": {form: 3, answers: 1}},
        "budget": {"approved": [form, answers]},
    }[method]


def keys_of(world: World, ballot_id: int) -> tuple[str, str, str]:
    """The keys of `FORM`, `DESK` and `ANSWERS` on a ballot."""
    found = {each.title: each.key for each in world.ask(ballots.find, world.cora, ballot_id).solutions}
    return found[FORM], found[DESK], found[ANSWERS]


def vote_of(world: World, actor: Actor, ballot_id: int) -> MyVote | None:
    """Someone's vote in the database."""
    return world.ask(
        lambda connection: votes.mine(connection, actor, ballots.find(connection, actor, ballot_id))
    )


def counted(
    world: World, method: str, each: int = 6, challenge_id: int | None = None, **draft: Any
) -> tuple[int, list[Receipt]]:
    """A ballot that was closed and counted after `each` people of both sectors had voted alike; their receipts."""
    people = [*world.people(each, "public"), *world.people(each, "business")]
    ballot_id = world.ballot(method, None, challenge_id, **draft)
    choice = chosen(method, keys_of(world, ballot_id))
    receipts = [world.do(votes.cast, person, ballot_id, choice) for person in people]
    count(world, ballot_id)
    return ballot_id, receipts


def mapped(world: World, challenge_id: int) -> int:
    """A counted ballot with a map of opinions: two groups, across the sectors, that agree on two of ten solutions."""
    half = 14
    people = [*world.people(half, "public"), *world.people(half, "business")]
    titles = [
        f"Solution {number}, which needs a title of more than one line on a phone" for number in range(10)
    ]
    named = [world.solution(title, challenge_id, 10 + place) for place, title in enumerate(titles)]
    ballot_id = world.ballot("score", named, challenge_id)
    for number, person in enumerate(people):
        world.do(votes.cast, person, ballot_id, {"scores": _scores(named, number)})
    count(world, ballot_id)
    return ballot_id


def _scores(solutions: Sequence[int], number: int) -> dict[str, int]:
    """What the voter of this number says: every third likes what others do not, and each has a mind of their own."""
    chance = Random(number)
    likes = number % 3 == 0
    liked = [place < 2 or (place % 2 == 0) == likes for place in range(len(solutions))]
    own = [chance.random() < 0.15 for _ in solutions]
    return {str(each): 5 if liked[place] != own[place] else 1 for place, each in enumerate(solutions)}


def count(world: World, ballot_id: int) -> None:
    """Let a ballot have closed, and count it."""
    world.close_now(ballot_id)
    assert counting.finish(world.database, ballot_id, "http://127.0.0.1")


def soon(**time: float) -> Any:
    """A moment from now."""
    return clock.now() + timedelta(**time)


def solution_card(page: Page, title: str) -> Locator:
    """The card of a solution on the voting page, shown or not."""
    return page.locator("article.vote-card").filter(has=page.locator(".vote-title", has_text=title))


def give(place: Locator, method: str, answer: str) -> None:
    """Answer on a card, as it can be done without scripts too."""
    if method == "ranked":
        place.get_by_role("combobox").select_option(answer)
    elif method in ("points", "quadratic"):
        place.get_by_role("spinbutton").fill(answer)
    else:
        place.locator(f"input[value='{answer}']").check()


def expect_answer(place: Locator, method: str, answer: str) -> None:
    """What stands on a card is this answer; "" is none."""
    if method in ("ranked", "points", "quadratic"):
        expect(place.locator("select, input")).to_have_value(answer)
    elif answer:
        expect(place.locator(f"input[value='{answer}']")).to_be_checked()
    else:
        expect(place.locator("input:checked")).to_have_count(0)


def expect_reviewed(page: Page, method: str) -> None:
    """The review says in words what was answered."""
    expect(page.get_by_role("heading", name="Is this your vote?")).to_be_visible()
    said = page.get_by_label("Your vote", exact=True)
    for title, answer in ANSWERED[method].items():
        line = said.get_by_role("listitem").filter(has_text=title)
        expect(line).to_have_count(0 if answer == "no" else 1)
        if answer.isdigit() and method != "ranked":
            expect(line).to_contain_text(answer)
    if method == "ranked":
        expect(said.get_by_role("listitem")).to_have_text([ANSWERS, FORM])


def receipt_on(page: Page) -> str:
    """The code of the receipt that is shown."""
    expect(page.get_by_role("heading", name="Your vote is in")).to_be_visible()
    return "".join(page.locator(".receipt-code").inner_text().split())
