"""The count of an election as a whole: quorum, turnout, abstention, reasons, ties, hash, and what stands beside it."""

import re
from dataclasses import replace

import numpy as np
import pytest

from app.methods import count as counting
from app.methods import sector_rule
from app.methods.election import METHODS, Reason, canonical, input_hash, read
from tests.factories.elections import approving, election, random_election

TURNOUT = {"public": 10, "business": 5}
VOTES = [*approving("public", "a", "a", "b"), ("public", {"abstain": True}), *approving("business", "a", "")]


def outcome(votes=VOTES, **settings):
    return counting.count(election(votes, **{"eligible": TURNOUT, **settings}))


def test_abstentions_take_part_and_are_no_votes():
    result = outcome()
    assert [(row.sector, row.eligible, row.voted, row.counted) for row in result.turnout] == [
        ("public", 10, 4, 3),
        ("business", 5, 2, 2),
    ]
    assert result.standings[0].support == ((2, 3), (1, 2))
    assert result.winners == ("a",)
    assert result.reasons == (Reason("passed", {"winners": 1, "options": 3}),)


def test_none_of_these_is_a_vote_against_all():
    two = approving("public", "a", "a")
    assert outcome([*two, ("public", {"none": True})]).winners == ("a",)
    assert outcome([*two, ("public", {"none": True}), ("public", {"none": True})]).winners == ()
    assert outcome([*two, ("public", {"abstain": True}), ("public", {"abstain": True})]).winners == ("a",)


def test_a_quorum_that_is_just_reached_is_reached():
    assert outcome(quorum=40).passed  # 6 of 15
    missed = outcome(quorum=41)
    assert not missed.passed
    assert missed.winners == ()
    assert missed.reasons == (Reason("quorum_missing", {"voted": 6, "eligible": 15, "needed": 7}),)
    assert missed.order == outcome(quorum=40).order
    assert not any(row.winner for row in missed.standings)
    assert {reason.code for row in missed.standings for reason in row.reasons} == {
        "bar_reached",
        "whole_below_bar",
    }


def test_a_quorum_in_each_sector_is_looked_at_in_each():
    assert outcome(sector_quorum=40).passed
    missed = outcome(sector_quorum=41)
    assert missed.winners == ()
    assert missed.reasons == (
        Reason("sector_quorum_missing", {"sector": "public", "voted": 4, "eligible": 10, "needed": 5}),
        Reason("sector_quorum_missing", {"sector": "business", "voted": 2, "eligible": 5, "needed": 3}),
    )
    silent = outcome(approving("public", "a"), sector_quorum=1)
    assert [reason.values["sector"] for reason in silent.reasons] == ["business"]


@pytest.mark.parametrize("votes", [[], [("public", {"abstain": True})] * 3])
@pytest.mark.parametrize("threshold", [0, 50])
def test_without_votes_nothing_is_chosen(votes, threshold):
    result = outcome(votes, threshold=threshold, tie_order=("c", "a", "b"))
    assert result.winners == ()
    assert result.reasons == (Reason("no_votes"),)
    assert result.order == ("c", "a", "b")
    assert result.ties == ()


def test_ties_are_broken_by_the_tie_order_and_told():
    votes = approving("public", "ab", "ab", "abc", "c")
    result = outcome(votes, threshold=0, tie_order=("c", "b", "a"))
    assert result.order == ("b", "a", "c")
    assert [(tie.over, tie.between, tie.first) for tie in result.ties] == [("seat", ("b", "a"), "b")]
    both = outcome(votes, threshold=0, tie_order=("c", "b", "a"), seats=2)
    assert both.winners == ("b", "a")
    assert [(tie.over, tie.between) for tie in both.ties] == [("order", ("b", "a"))]
    assert outcome(approving("public", "ab", "a"), threshold=0).ties == ()


def test_the_order_of_rows_decides_nothing():
    votes = approving("public", "ab", "ba", "c")
    for order in (("a", "b", "c"), ("b", "a", "c"), ("c", "b", "a")):
        forward = election(votes, "abc", tie_order=order, threshold=0)
        backward = replace(forward, options=forward.options[::-1], votes=forward.votes[::-1])
        assert (
            counting.count(forward).winners
            == counting.count(backward).winners
            == (min("ab", key=order.index),)
        )


def test_the_explanation_says_how_each_sector_added_up():
    bar, totals = outcome(rule="equal_weight", threshold=0).rounds
    assert bar["round"] == "bar"
    assert bar["options"][0] == {
        "key": "a",
        "support": [[2, 3], [1, 2]],
        "carried": "7/12",
        "measure": "7/12",
        "about": 0.5833,
        "passed": True,
    }
    assert totals["weights"] == ["1/3", "1/2"]
    assert totals["options"][0] == {"key": "a", "sums": [2, 1], "total": "7/6", "about": 1.1667}


def test_every_code_has_words_and_every_word_a_code():
    seen = {}
    for seed in range(300):
        method = ("approval", "score", "points")[seed % 3]
        for rule in sector_rule.suiting(method):
            held = random_election(seed, method, rule)
            quorum = {"quorum": seed % 90, "sector_quorum": seed % 7 * 5}
            held = replace(held, settings=replace(held.settings, secret=seed % 5 == 0, **quorum))
            result = counting.count(sector_rule.pooled(held))
            for reason in (*result.reasons, *(each for row in result.standings for each in row.reasons)):
                seen[reason.code] = reason
    unseen = {"no_money": {}, "no_support": {}, "none_chosen": {}}  # of budgets
    for code, words in counting.WORDS.items():
        values = unseen[code] if code in unseen else seen[code].values
        assert set(re.findall(r"%\((\w+)\)", words)) <= set(values)
        assert words % dict(values)
    assert set(seen) <= set(counting.WORDS)


@pytest.mark.parametrize("method", METHODS)
def test_the_hash_is_of_all_that_decides_and_not_of_the_order_of_votes(method):
    held = next(
        found for seed in range(99) if len((found := random_election(seed, method, "one_person")).votes) > 5
    )
    hashed = input_hash(held)
    assert input_hash(replace(held, votes=held.votes[::-1])) == hashed
    written = [vote._replace(written=canonical(vote.choice).decode()) for vote in held.votes]
    assert input_hash(replace(held, votes=written)) == hashed
    changes = [
        replace(held, votes=held.votes[1:]),
        replace(held, votes=[*held.votes, held.votes[0]]),
        replace(held, votes=[held.votes[0]._replace(sector="guest"), *held.votes[1:]]),
        replace(held, votes=[held.votes[0]._replace(choice={"votes": 1}), *held.votes[1:]]),
        replace(held, options=(*held.options, replace(held.options[0], key="99"))),
        replace(held, options=(replace(held.options[0], cost=99), *held.options[1:])),
        replace(held, eligible={**held.eligible, "public": 99}),
        replace(held, settings=replace(held.settings, quorum=1)),
        replace(held, settings=replace(held.settings, secret=True)),
        replace(held, settings=replace(held.settings, tie_order=("99",))),
        replace(held, too_small=("public",)),
    ]
    assert len({hashed, *map(input_hash, changes)}) == len(changes) + 1


def test_rankings_are_read_with_their_ties_what_is_left_out_and_none_of_these():
    votes = [
        ("public", {"ranking": [["b"], ["a", "c"]]}),
        ("public", {"ranking": [["c"], ["a", "none"], ["b"]]}),
        ("public", {"ranking": [["none"], ["a"]]}),
        ("public", {"none": True}),
    ]
    profile = read(election(votes, "abcd", method="ranked"))
    assert profile.values.tolist() == [[1, 0, 1, 2], [1, 2, 0, 3], [1, 2, 2, 2], [0, 0, 0, 0]]
    assert profile.supports.tolist() == [
        [True, True, True, False],
        [False, False, True, False],
        [False, False, False, False],
        [False, False, False, False],
    ]


# beside the result


def test_every_rule_that_suits_is_counted_from_the_same_votes():
    held = random_election(3, "score", "least_sector")
    beside = counting.under_rules(held)
    assert list(beside) == ["least_sector", "both_sectors", "equal_weight", "bridging", "one_person"]
    for rule, result in beside.items():
        alone = counting.count(replace(held, settings=replace(held.settings, rule=rule)))
        assert replace(alone, input_hash=input_hash(held)) == result


def read_as(method, votes, other, options="abc"):
    held = election(votes, options, method=method)
    return counting.read_as(read(held), held.settings, other).values.tolist()


def test_votes_of_one_kind_are_read_as_another():
    scores = [("public", {"scores": {"a": 4, "b": 2}})]
    assert read_as("score", scores, "approval") == [[1, 0, 0]]
    assert read_as("score", scores, "budget") == [[1, 0, 0]]
    assert read_as("score", scores, "ranked") == [[0, 2, 4]]
    assert read_as("score", scores, "score") == [[4, 2, 0]]
    assert read_as("score", scores, "points") == [[666_666, 333_333, 0]]
    assert read_as("score", scores, "quadratic") == [[894_427, 447_213, 0]]
    approvals = [("public", {"approved": ["a", "b"]}), ("public", {"none": True})]
    assert read_as("approval", approvals, "score") == [[5, 5, 0], [0, 0, 0]]
    assert read_as("approval", approvals, "ranked") == [[0, 0, 1], [0, 0, 0]]
    assert read_as("approval", approvals, "points") == [[500_000, 500_000, 0], [0, 0, 0]]
    ranking = [("public", {"ranking": [["b"], ["a"]]})]
    assert read_as("ranked", ranking, "score") == [[2, 5, 0]]
    assert read_as("ranked", ranking, "approval") == [[1, 1, 0]]
    assert read_as("points", [("public", {"points": {"a": 8, "c": 4}})], "score") == [[5, 0, 2]]


def test_reading_a_vote_as_another_keeps_whom_it_supports_and_turns_no_preference_round():
    for seed in range(100):
        for method in METHODS:
            held = random_election(seed, method, "one_person")
            profile = read(held)
            own = profile.supports if method in {"approval", "budget"} else profile.values
            own = -own if method == "ranked" else own.astype(int)
            for other in set(METHODS) - {"approval", "budget"}:
                seen = counting.read_as(profile, held.settings, other)
                values = -seen.values if other == "ranked" else seen.values
                assert np.array_equal(seen.supports, profile.supports)
                for one in range(values.shape[1]):
                    for two in range(values.shape[1]):
                        above = own[:, one] > own[:, two]
                        assert not (values[above, one] < values[above, two]).any()


def test_each_method_chooses_in_its_own_way_from_the_same_rankings():
    # First places: a 4, c 3, b 2, so STV drops b, whose votes go to c. But b beats a by 5 to 4 and c by 6 to 3.
    rankings = {"abc": 4, "cba": 3, "bca": 2}
    votes = [
        ("public", {"ranking": [[key] for key in names]})
        for names, people in rankings.items()
        for _ in range(people)
    ]
    held = election(votes, method="ranked", threshold=0)
    assert counting.count(held).winners == ("b",)
    assert counting.under_methods(held) == {
        "schulze": ("b",),
        "stv": ("c",),
        "approval": ("a",),
        "score": ("b",),
        "points": ("b",),
        "quadratic": ("b",),
    }


def test_a_budget_stands_beside_the_others_where_there_is_one():
    votes = approving("public", "ab", "ab", "b", "c", "c")
    held = {"costs": {"a": 40, "b": 50, "c": 60}, "threshold": 0}
    with_money = counting.under_methods(election(votes, budget=100, **held))
    assert set(with_money["budget"]) == {"a", "b"}
    assert with_money["approval"] == with_money["schulze"] == ("b",)
    assert "budget" not in counting.under_methods(election(votes, **held))
    assert "budget" not in counting.under_methods(election(votes, budget=100, costs={"a": 1, "b": 1}))


def test_beside_a_ballot_that_fails_no_method_chooses():
    assert set(counting.under_methods(election(VOTES, eligible=TURNOUT, quorum=41)).values()) == {()}


@pytest.mark.parametrize("method", METHODS)
def test_every_method_counts_under_every_rule_and_beside_every_other(method):
    for seed in range(20):
        for rule in sector_rule.suiting(method):
            held = random_election(seed, method, rule)
            result = counting.count(held)
            costs = {option.key: option.cost for option in held.options}
            assert sorted(result.order) == sorted(costs)
            assert all(row.passed for row in result.standings if row.winner)
            if method == "budget":
                assert sum(costs[key] for key in result.winners) <= held.settings.budget
            else:
                assert len(result.winners) <= held.settings.seats
        beside = counting.under_methods(held)
        assert all(
            sum(costs[key] for key in beside[name]) <= held.settings.budget for name in ("budget", "greedy")
        )
        assert all(
            len(winners) <= held.settings.seats
            for name, winners in beside.items()
            if name not in {"budget", "greedy"}
        )


def test_what_money_was_too_little_for_is_told():
    votes = approving("public", "ab", "ab", "a", "")
    held = election(
        votes, method="budget", costs={"a": 60, "b": 60}, budget=100, threshold=0, rule="least_sector"
    )
    reasons = {row.key: [reason.code for reason in row.reasons] for row in counting.count(held).standings}
    assert reasons["a"] == ["no_bar", "won"]
    assert reasons["b"] == ["no_bar", "no_money"]
    assert reasons["c"] == ["no_support"]
    dear = replace(held, settings=replace(held.settings, budget=50))
    assert counting.count(dear).reasons == (Reason("none_chosen"),)
