"""Voting on pages: choosing, looking over, sending, keeping a receipt; and what goes wrong on the way."""

import html
import re

import pytest

from app.services import ballots, votes
from tests.factories.world import World

CHOICES = {
    "approval": (["yes", "no", ""], "You choose:"),
    "score": (["5", "0", "3"], "What is not named here gets 0."),
    "ranked": (["1", "1", ""], "(equal)"),
    "points": (["4", "6", ""], "That makes 10 of 10 points; 0 are left."),
    "quadratic": (["3", "1", ""], "These votes cost 10 of 10 credits; 0 are left."),
    "budget": (["yes", "yes", "no"], "Together 50 of 50 days; 0 are left."),
}


def texts(answer):
    return " ".join(html.unescape(answer.text).split())


def keys(world: World, ballot: int) -> list[str]:
    return [solution.key for solution in world.ask(ballots.find, world.cora, ballot).solutions]


def filled(world: World, ballot: int, answers) -> dict[str, str]:
    return {
        f"at-{key}": answer for key, answer in zip(keys(world, ballot), answers, strict=True) if answer != ""
    }


def code_of(answer) -> str:
    return re.search(r'name="code" value="([^"]+)"', answer.text)[1]


@pytest.mark.parametrize("method", CHOICES)
def test_each_method_is_voted_on_reviewed_and_receipted(site, method):
    world = site.world
    alice, ballot = site.of(world.alice), world.ballot(method)
    answers, said = CHOICES[method]
    page = alice.get(f"/ballots/{ballot}/vote")
    assert page.status_code == 200
    assert page.headers["cache-control"] == "no-store"
    assert "None of these" in texts(page)
    form = filled(world, ballot, answers)
    review = alice.post(f"/ballots/{ballot}/vote/review", form)
    assert review.status_code == 200
    assert said in texts(review)
    for name, value in form.items():
        assert f'name="{name}" value="{value}"' in review.text
    receipt = alice.post(f"/ballots/{ballot}/vote", form)
    assert receipt.status_code == 200
    assert receipt.headers["cache-control"] == "no-store"
    assert said in texts(receipt)
    view = world.ask(ballots.find, world.alice, ballot)
    mine = world.ask(votes.mine, world.alice, view)
    assert mine.code == code_of(receipt)
