"""The result on pages: before and after counting, for each method, its files, and the check of a receipt."""

import html
import re

import pytest

from app.methods import ballot_log, log_check, log_reader
from app.services import ballots, counting, votes

METHODS = ("approval", "score", "ranked", "points", "quadratic", "budget")


def texts(answer):
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", answer.text)).split())


def choice(method, keys, number):
    """A choice of the method over three solutions, which differs by the number."""
    first, second, third = (keys[(number + step) % 3 if number % 4 == 0 else step] for step in range(3))
    return {
        "approval": {"approved": [first, second]},
        "budget": {"approved": [first, second]},
        "score": {"scores": {first: 5, second: 3, third: 1}},
        "ranked": {"ranking": [[first], [second, third]]},
        "points": {"points": {first: 6, second: 4}},
        "quadratic": {"points": {first: 3, second: 1}},
    }[method]


def voted(world, method="approval", *, each=6, **draft):
    """A closed ballot on which `each` people of both sectors have voted; their receipts."""
    people = [*world.people(each, "public"), *world.people(each, "business")]
    ballot = world.ballot(method, **draft)
    keys = [solution.key for solution in world.ask(ballots.find, world.cora, ballot).solutions]
    receipts = [
        world.do(votes.cast, person, ballot, choice(method, keys, number))
        for number, person in enumerate(people)
    ]
    world.close_now(ballot)
    return ballot, receipts


def count(world, ballot):
    assert counting.finish(world.database, ballot, "https://partnership.example")


@pytest.mark.parametrize("method", METHODS)
def test_each_method_has_its_result_and_its_explanation(site, method):
    world = site.world
    ballot, _ = voted(world, method)
    count(world, ballot)
    page = site.of(world.olga).get(f"/ballots/{ballot}/result")
    assert page.status_code == 200
    said = texts(page)
    assert "Chosen: One form, once" in said
    assert "Support in each sector" in said
    explained = {
        "ranked": "prefer the solution on the left",
        "budget": "By support alone",
    }
    assert explained.get(method, "What each solution got") in said
    assert site.of(world.olga).get(f"/ballots/{ballot}/result/sheet").status_code == 200
