"""Equal shares: as its definition says, exactly; within the budget, whoever votes and however options are called."""

import random
import time
from fractions import Fraction
from functools import cache

import numpy as np
import pytest

from app.methods import equal_shares
from app.methods.election import Option, Profile, Settings, Tie

ELECTIONS = 2000
SECTORS = ("public", "business", "science")


def profile_of(votes, costs, sector=None, sectors=1):
    """Votes as strings of the options' letters; options a, b, c and so on with their costs."""
    keys = [chr(ord("a") + column) for column in range(len(costs))]
    values = np.array([[int(key in vote) for key in keys] for vote in votes], dtype=np.int64)
    values = values.reshape(len(votes), len(keys))
    options = tuple(Option(key, cost) for key, cost in zip(keys, costs, strict=True))
    sector = np.array(sector or [0] * len(votes), dtype=np.int64)
    return Profile(options, SECTORS[:sectors], values, values > 0, sector)


def counted(votes, costs, budget, *, tie_order="abcdefghij", sector=None, weights=(Fraction(1),)):
    profile = profile_of(votes, costs, sector, len(weights))
    order = tuple(key for key in tie_order if key in profile.keys)
    return equal_shares.count(profile, Settings("budget", budget=budget, tie_order=order), tuple(weights))


def lines(count, kind):
    return [line for line in count.rounds if line["round"] == kind]


def phases(count):
    return {line["option"]: line["phase"] for line in lines(count, "purchase")}


# The definition, in fractions and without any shortcut


def bought(votes, costs, moneys, tie_order):
    """One run: what is bought, in order, and what everybody has left."""
    moneys, waiting, won = list(moneys), {key for vote in votes for key in vote if costs[key]}, []
    while True:
        offers = []
        for key in sorted(waiting, key=tie_order.index):
            supporters = [voter for voter, vote in enumerate(votes) if key in vote]
            if sum(moneys[voter] for voter in supporters) < costs[key]:
                continue
            need, heads = Fraction(costs[key]), len(supporters)
            for voter in sorted(supporters, key=moneys.__getitem__):
                if moneys[voter] * heads >= need:
                    break
                need -= moneys[voter]
                heads -= 1
            offers.append((need / heads / costs[key], tie_order.index(key), need / heads, supporters))
        if not offers:
            return won, moneys
        _, place, amount, supporters = min(offers, key=lambda offer: offer[:2])
        won.append(tie_order[place])
        waiting.remove(tie_order[place])
        for voter in supporters:
            moneys[voter] -= min(moneys[voter], amount)


def by_the_book(votes, costs, budget, tie_order, weights):
    """The winners, in order: what is free, equal shares raised one by one, and what then still fits."""
    votes = [{key for key in vote if costs[key] <= budget} for vote in votes]
    support = dict.fromkeys(tie_order, Fraction(0))
    for vote, weight in zip(votes, weights, strict=True):
        for key in vote:
            support[key] += weight
    wanted = sorted((key for key in tie_order if support[key]), key=lambda key: -support[key])
    free = [key for key in wanted if not costs[key]]
    last, raised = [], 0
    while len(free) + len(last) < len(wanted):
        total = budget + raised * len(votes)
        moneys = [total * weight / sum(weights) for weight in weights]
        found, _ = bought(votes, costs, moneys, tie_order)
        if sum(costs[key] for key in found) > budget:
            break
        last, raised = found, raised + 1
    winners = free + last
    for key in wanted:
        if key not in winners and sum(costs[won] for won in winners) + costs[key] <= budget:
            winners.append(key)
    return winners


def drawn(seed, voters=9, most=30):
    """A random election with small numbers, so with many ties."""
    rng = random.Random(seed)
    budget = rng.randint(1, rng.choice([5, 20, most]))
    costs = [rng.randint(1, max(1, budget // rng.choice([1, 2, 4]))) for _ in range(rng.randint(1, 7))]
    if rng.random() < 0.4:
        costs = [rng.choice(costs[:2]) for _ in costs]
    costs = [rng.choice([0, budget + 1]) if rng.random() < 0.08 else cost for cost in costs]
    keys = "abcdefg"[: len(costs)]
    share = rng.choice([0.2, 0.5])
    votes = ["".join(key for key in keys if rng.random() < share) for _ in range(rng.randint(1, voters))]
    sectors = rng.randint(1, 3)
    sector = [rng.randrange(sectors) for _ in votes]
    equal = rng.random() < 0.5
    weights = tuple(
        Fraction(1, sector.count(each) if equal else 1) if each in sector else Fraction(1)
        for each in range(sectors)
    )
    return votes, costs, budget, "".join(rng.sample(keys, len(keys))), sector, weights


@cache
def outcome_of(seed):
    """Several tests look at the same elections."""
    return outcome(drawn(seed))


def outcome(election):
    votes, costs, budget, tie_order, sector, weights = election
    return counted(votes, costs, budget, tie_order=tie_order, sector=sector, weights=weights)


def test_winners_are_those_of_the_definition_in_that_order():
    for seed in range(ELECTIONS):
        votes, costs, budget, tie_order, sector, weights = drawn(seed)
        price = dict(zip("abcdefg", costs, strict=False))
        expected = by_the_book(votes, price, budget, tie_order, [weights[each] for each in sector])
        assert list(outcome_of(seed).winners) == expected, seed


def test_the_budget_holds_and_nothing_wanted_would_still_fit():
    for seed in range(ELECTIONS):
        votes, costs, budget, *_ = drawn(seed)
        price = dict(zip("abcdefg", costs, strict=False))
        winners = outcome_of(seed).winners
        left = budget - sum(price[key] for key in winners)
        wanted = {key for vote in votes for key in vote}
        assert left >= 0, seed
        assert set(winners) <= wanted, seed
        assert all(price[key] > left for key in wanted - set(winners)), seed


def test_money_is_neither_made_nor_lost():
    for seed in range(ELECTIONS):
        count = outcome_of(seed)
        (shares,) = lines(count, "shares")
        left = [Fraction(each) for each in shares["together"]]
        for line in lines(count, "purchase"):
            if "paid" not in line:
                continue
            paid = [Fraction(each) for each in line["paid"]]
            assert sum(paid) == line["cost"], seed
            left = [held - each for held, each in zip(left, paid, strict=True)]
            assert left == [Fraction(each) for each in line["left"]], seed
            assert min(left) >= 0, seed
            assert Fraction(line["part"]) == Fraction(line["amount"]) / line["cost"], seed


def test_neither_who_votes_nor_what_options_are_called_matters():
    for seed in range(ELECTIONS):
        votes, costs, budget, tie_order, sector, weights = drawn(seed)
        rng = random.Random(seed)
        before = outcome_of(seed)
        turn = rng.sample(range(len(votes)), len(votes))
        shuffled = [votes[voter] for voter in turn], [sector[voter] for voter in turn]
        assert outcome((shuffled[0], costs, budget, tie_order, shuffled[1], weights)) == before, seed

        keys = "abcdefg"[: len(costs)]
        called = dict(zip(keys, rng.sample(keys, len(keys)), strict=True))
        price = {called[key]: cost for key, cost in zip(keys, costs, strict=True)}
        renamed = ["".join(called[key] for key in vote) for vote in votes]
        order = "".join(called[key] for key in tie_order)
        after = outcome((renamed, [price[key] for key in keys], budget, order, sector, weights))
        assert after.winners == tuple(called[key] for key in before.winners), seed


def test_each_sector_gets_the_same_money():
    for seed in range(ELECTIONS):
        votes, costs, budget, tie_order, sector, _ = drawn(seed)
        sectors = sorted(set(sector))
        sector = [sectors.index(each) for each in sector]
        weights = tuple(Fraction(1, sector.count(each)) for each in range(len(sectors)))
        (shares,) = lines(outcome((votes, costs, budget, tie_order, sector, weights)), "shares")
        total = budget + shares["raised"] * len(votes)
        assert [Fraction(each) for each in shares["together"]] == [Fraction(total, len(sectors))] * len(
            sectors
        )


def test_raising_goes_on_after_the_first_outcome_that_nothing_can_be_added_to():
    # With the first shares c is bought, and neither a nor b would still fit. Raised once, a is, also within the budget.
    votes, costs = ["a", "abc", "bc"], [14, 14, 10]
    price = dict(zip("abc", costs, strict=True))
    assert bought(votes, price, [Fraction(20, 3)] * 3, "abc")[0] == ["c"]
    count = counted(votes, costs, 20)
    assert count.winners == ("a",)
    assert phases(count) == {"a": "completion"}
    (limit,) = lines(count, "limit")
    assert limit["cost"] > 20


def level_by_level(voters):
    first = last = equal_shares._Run(voters, 0)
    while len(last.option_order) < len(voters.open):
        following = equal_shares._Run(voters, last.raised + 1)
        if following.spent > voters.budget:
            return first, last, following
        last = following
    return first, last, None


def test_levels_that_are_passed_over_would_have_changed_nothing(monkeypatch):
    elections = [drawn(seed, voters=30, most=400) for seed in range(150)]
    quick = [outcome(election) for election in elections]
    monkeypatch.setattr(equal_shares, "_raise", level_by_level)
    assert [outcome(election) for election in elections] == quick


def test_forty_people_and_a_million_take_no_time():
    rng = random.Random(7)
    costs = [rng.randint(20_000, 200_000) for _ in range(10)]
    votes = ["".join(key for key in "abcdefghij" if rng.random() < 0.2) for _ in range(40)]
    started = time.process_time()
    count = counted(votes, costs, 1_000_000)
    assert time.process_time() - started < 2.0
    (shares,) = lines(count, "shares")
    assert shares["raised"] > 1000


@pytest.mark.parametrize("seed", range(200))
def test_numbers_that_floats_cannot_tell_apart_are_told_apart(seed):
    rng = random.Random(seed)
    keys = "abcde"
    base = rng.randint(10**13, 10**14)
    costs = [base * rng.choice([1, 1, 2]) + rng.randint(-2, 2) for _ in keys]
    votes = ["".join(key for key in keys if rng.random() < 0.5) for _ in range(rng.randint(3, 9))]
    budget = sum(costs) // rng.choice([1, 2])
    price = dict(zip(keys, costs, strict=True))
    profile = profile_of(votes, costs)
    voters = equal_shares._electorate(
        profile, Settings("budget", budget=budget, tie_order=tuple(keys)), (Fraction(1),)
    )
    run = equal_shares._Run(voters, 0)
    won, moneys = bought(votes, price, [Fraction(budget, len(votes))] * len(votes), keys)
    assert [keys[option] for option in run.option_order] == won
    run.work_out()
    everybody = np.arange(len(voters.sector))
    held = run.held_by(everybody[run.solvent], len(run.prices))
    assert Fraction(sum(held), run.whole) == sum(moneys)


def test_a_tie_goes_by_the_tie_order_and_is_told():
    for order, first in (("ab", "a"), ("ba", "b")):
        count = counted(["a", "b"], [5, 5], 5, tie_order=order)
        assert count.winners == (first,)
        assert count.ties == (Tie("money", tuple(order), first),)
    count = counted(["ab", "ab", "ab"], [3, 3], 9)
    assert count.winners == ("a", "b")
    assert count.ties == (Tie("purchase", ("a", "b"), "a"),)


def test_what_costs_nothing_is_taken_if_anybody_supports_it():
    count = counted(["ab", "b", "b"], [0, 3, 0], 3)
    assert count.winners == ("a", "b")
    assert phases(count) == {"a": "free", "b": "equal_shares"}


def test_what_nobody_supports_is_never_bought():
    count = counted(["a", "a", ""], [1, 1], 100)
    assert count.winners == ("a",)
    assert count.order == ("a", "b")
    assert lines(count, "limit") == []


def test_what_costs_more_than_the_budget_does_not_stop_the_raising():
    # With the tenth raise a could be paid for; it must not keep b, which takes more, from being bought.
    count = counted(["a", "a", "a", "a", "b"], [11, 9], 10)
    assert count.winners == ("b",)


def test_without_voters_nothing_is_bought():
    assert counted([], [1, 2], 5).winners == ()
    assert counted(["", ""], [1, 2], 5).winners == ()


def test_a_small_sector_weighs_as_much_as_a_large_one_where_money_is_split():
    votes, sector = ["a"] * 8 + ["b"] * 2, [0] * 8 + [1] * 2
    costs = [10, 5]
    assert counted(votes, costs, 10, sector=sector, weights=(Fraction(1), Fraction(1))).winners == ("a",)
    split = counted(votes, costs, 10, sector=sector, weights=(Fraction(1, 8), Fraction(1, 2)))
    assert split.winners == ("b",)
    (shares,) = lines(split, "shares")
    assert (shares["share"], shares["voters"]) == (["5/8", "5/2"], [8, 2])


def test_greedy_takes_the_most_supported_that_still_fits():
    profile = profile_of(["a", "a", "ab", "b", "c"], [6, 5, 4])
    settings = Settings("budget", budget=10, tie_order=("a", "b", "c"))
    count = equal_shares.greedy(profile, settings, (Fraction(1),))
    assert count.winners == ("a", "c")
    assert count.order == ("a", "c", "b")
    assert count.scores == {"a": 3, "b": 2, "c": 1}
    (beside,) = lines(equal_shares.count(profile, settings, (Fraction(1),)), "greedy")
    assert (beside["winners"], beside["cost"]) == (["a", "c"], 10)


def test_a_hundred_thousand_voters_are_counted_at_once():
    rng = np.random.default_rng(1)
    values = (rng.random((100_000, 30)) < rng.beta(1.5, 6, size=30)).astype(np.int64)
    costs = rng.integers(20_000, 200_000, size=30).tolist()
    options = tuple(Option(str(key), cost) for key, cost in enumerate(costs))
    profile = Profile(options, ("",), values, values > 0, np.zeros(100_000, dtype=np.int64))
    settings = Settings("budget", budget=1_000_000, tie_order=profile.keys)
    started = time.process_time()
    count = equal_shares.count(profile, settings, (Fraction(1),))
    assert time.process_time() - started < 10.0
    assert 900_000 < sum(costs[int(key)] for key in count.winners) <= 1_000_000
