"""Properties of approval, score, points and quadratic, over thousands of random elections under every rule.

Monotonicity holds for all four under every rule: to give a winner more, in a vote that counts already, only lifts its
own support and sum. What does not hold under equal weight is participation: see `test_sector_rule`.
"""

import functools
import random
from collections import Counter
from dataclasses import replace
from fractions import Fraction

import pytest
from votelib.convert import ApprovalToSimpleVotes
from votelib.evaluate.cardinal import ScoreVoting
from votelib.evaluate.core import Plurality, Tie

from app.methods import approval, sector_rule
from app.methods import count as counting
from app.methods.election import Option, Vote, read
from tests.factories.elections import election, random_election

SUMMED = ("approval", "score", "points", "quadratic")
PARTS = {
    "approval": "approved",
    "budget": "approved",
    "score": "scores",
    "points": "points",
    "quadratic": "points",
}
CASES = [(method, rule) for method in SUMMED for rule in sector_rule.suiting(method)]
EACH = 400
"""Elections for each method and rule; five rules make 2,000 for each method."""

everywhere = pytest.mark.parametrize(("method", "rule"), CASES)


@functools.cache
def counted(method, rule):
    """Elections with their results."""
    drawn = [random_election(seed, method, rule) for seed in range(EACH)]
    return [(held, counting.count(held)) for held in drawn]


@everywhere
def test_anonymity_the_order_of_votes_does_not_matter(method, rule):
    for seed, (held, result) in enumerate(counted(method, rule)):
        votes = list(held.votes)
        random.Random(seed).shuffle(votes)
        assert counting.count(replace(held, votes=votes)) == result


@everywhere
def test_neutrality_other_names_win_as_these_did(method, rule):
    for seed, (held, result) in enumerate(counted(method, rule)):
        keys = [option.key for option in held.options]
        shuffled = random.Random(seed).sample(keys, len(keys))
        new = {key: f"n{other}" for key, other in zip(keys, shuffled, strict=True)}
        renamed = counting.count(_renamed(held, new))
        assert renamed.winners == tuple(new[key] for key in result.winners)
        assert renamed.order == tuple(new[key] for key in result.order)
        assert {row.key: row.support for row in renamed.standings} == {
            new[row.key]: row.support for row in result.standings
        }
        assert [tie.between for tie in renamed.ties] == [
            tuple(new[key] for key in tie.between) for tie in result.ties
        ]


@everywhere
def test_monotonicity_more_for_a_winner_leaves_it_a_winner(method, rule):
    raised = 0
    for seed, (held, result) in enumerate(counted(method, rule)):
        winners = result.winners
        lifted = _lifted(held, random.Random(seed), winners[-1]) if winners else None
        if lifted is not None:
            raised += 1
            assert winners[-1] in counting.count(lifted).winners
    assert raised > EACH / 4


@everywhere
def test_the_result_is_what_adding_up_by_hand_gives(method, rule):
    for held, result in counted(method, rule):
        votes = [vote for vote in held.votes if "abstain" not in vote.choice]
        size = Counter(vote.sector for vote in votes)
        for row in result.standings:
            yes = Counter(vote.sector for vote in votes if _supports(vote, row.key))
            assert row.support == tuple((yes[sector], size[sector]) for sector in result.sectors)
            if row.score is not None:
                weigh = (
                    {sector: Fraction(1, size[sector]) for sector in size} if rule == "equal_weight" else {}
                )
                assert row.score == sum(weigh.get(vote.sector, 1) * _given(vote, row.key) for vote in votes)


@everywhere
def test_what_is_chosen_is_sound(method, rule):
    for held, result in counted(method, rule):
        passed = [row.key for row in result.standings if row.passed]
        assert sorted(result.order) == sorted(option.key for option in held.options)
        assert [row.key for row in result.standings] == list(result.order)
        assert result.order[: len(passed)] == tuple(passed)
        assert result.winners == result.order[: len(result.winners)]
        assert result.passed == bool(result.winners) == (result.reasons[0].code == "passed")
        if any("abstain" not in vote.choice for vote in held.votes):
            assert len(result.winners) == min(held.settings.seats, len(passed))
        assert {row.key for row in result.standings if row.winner} == set(result.winners)


@everywhere
def test_a_missed_quorum_chooses_nothing_and_a_reached_one_changes_nothing(method, rule):
    for seed, (held, free) in enumerate(counted(method, rule)[::4]):
        percent = (1, 20, 40, 60)[seed % 4]
        asked = counting.count(replace(held, settings=replace(held.settings, quorum=percent)))
        reached = len(held.votes) * 100 >= percent * sum(held.eligible.values())
        assert asked.winners == (free.winners if reached else ())
        assert ("quorum_missing" in {reason.code for reason in asked.reasons}) == (not reached)


@everywhere
def test_a_tie_is_told_exactly_where_another_tie_order_orders_otherwise(method, rule):
    for held, result in counted(method, rule)[::2]:
        turned = replace(held, settings=replace(held.settings, tie_order=held.settings.tie_order[::-1]))
        passed = {row.key for row in result.standings if row.passed}
        before = [key for key in result.order if key in passed]
        after = [key for key in counting.count(turned).order if key in passed]
        if result.reasons[0].code != "no_votes":
            assert bool(result.ties) == (before != after)
        for tie in result.ties:
            assert (tie.over == "seat") == (
                0 < len(set(tie.between) & set(result.winners)) < len(tie.between)
            )
            assert tie.first == min(tie.between, key=held.settings.tie_order.index)


@pytest.mark.parametrize("rule", sector_rule.MEASURED)
def test_money_spent_by_measure_stays_within_the_budget(rule):
    for seed in range(1000):
        held = random_election(seed, "budget", rule)
        costs = {option.key: option.cost for option in held.options}
        decision = sector_rule.decide(read(held), held.settings, approval.count)
        chosen = set(decision.count.winners)
        left = held.settings.budget - sum(costs[key] for key in chosen)
        assert left >= 0
        if any("abstain" not in vote.choice for vote in held.votes):
            assert all(costs[key] > left for key in decision.passed if key not in chosen)


@pytest.mark.parametrize(("method", "ties"), [("approval", 200), ("score", 100), ("points", 100)])
def test_votelib_chooses_the_same(method, ties):
    tied = 0
    for seed in range(2000):
        held = random_election(seed, method, "one_person")
        held = replace(held, settings=replace(held.settings, threshold=0))
        if not any("abstain" not in vote.choice for vote in held.votes):
            continue
        theirs = _by_votelib(held)
        tied += any(isinstance(each, Tie) for each in theirs)
        assert set(counting.count(held).winners) == set(Tie.break_by_list(theirs, held.settings.tie_order))
    assert tied > ties


def _by_votelib(held):
    keys = [option.key for option in held.options]
    votes = [vote for vote in held.votes if "abstain" not in vote.choice]
    if held.settings.method == "approval":
        sets = Counter(frozenset(vote.choice.get("approved", ())) for vote in votes)
        simple = dict.fromkeys(keys, 0) | ApprovalToSimpleVotes().convert(sets)
        return Plurality().evaluate(simple, held.settings.seats)
    scores = Counter(frozenset((key, _given(vote, key)) for key in keys) for vote in votes)
    return ScoreVoting("sum").evaluate(scores, held.settings.seats)


def _given(vote, key):
    part = next(iter(vote.choice.values()))
    if isinstance(part, dict):
        return part.get(key, 0)
    return int(isinstance(part, list) and key in part)


def _supports(vote, key):
    return _given(vote, key) >= (3 if "scores" in vote.choice else 1)


def _lifted(held, rng, key):
    """The same election, but one vote that can gives more to `key`; None if none can."""
    part = PARTS[held.settings.method]
    for place in rng.sample(range(len(held.votes)), len(held.votes)):
        choice = held.votes[place].choice
        if part in choice and (more := _more(part, choice[part], key)) is not None:
            votes = list(held.votes)
            votes[place] = Vote(votes[place].sector, {part: more})
            return replace(held, votes=votes)
    return None


def _more(part, given, key):
    if part == "approved":
        return None if key in given else [*given, key]
    if part == "scores" and given.get(key, 0) == 5:
        return None
    return {**given, key: given.get(key, 0) + 1}


def _renamed(held, new):
    def names(part):
        return (
            {new[key]: value for key, value in part.items()}
            if isinstance(part, dict)
            else [new[key] for key in part]
        )

    votes = [
        (vote.sector, {kind: part if part is True else names(part) for kind, part in vote.choice.items()})
        for vote in held.votes
    ]
    settings = replace(held.settings, tie_order=tuple(new[key] for key in held.settings.tie_order))
    renamed = election(votes, (), eligible=held.eligible)
    options = tuple(Option(new[option.key], option.cost) for option in held.options)
    return replace(renamed, options=options[::-1], settings=settings)
