"""The search for the best plan: right by branching alone, honest where there are many people, and open to an end."""

import json
import os
import subprocess
import sys
from random import Random

import pytest

from app.methods import exchange_plan, exchange_result, exchange_search
from app.methods.exchange_demands import Demands
from app.methods.exchange_market import Guest, Market, Wish
from app.methods.exchange_plan import most_served
from app.methods.exchange_result import AIMS, BOUNDED, OPTIMAL, SERVED, STEPS, Cancelled
from app.methods.exchange_swaps import cycles
from tests.factories import markets, plans
from tests.factories.markets import week

SIGNS = (-1, 1, 1, -1, 1)


def costs(numbers):
    """What the aims count, so that less is better by each."""
    return tuple(sign * number for sign, number in zip(SIGNS, numbers, strict=True))


def hard(number):
    """Markets in which the linear programme leaves fractions, among others: circles of all lengths compete."""
    return markets.tiny(Random(f"hard {number}"), people=8)


def test_branching_alone_finds_the_best_of_all_plans(monkeypatch):
    monkeypatch.setattr(exchange_search, "SHARES_RAISED", ())
    for number in range(250):
        market, demands = hard(number)
        plan = most_served(market, demands, seed=number)
        assert plan.state == OPTIMAL
        assert costs(proof.value for proof in plan.proofs) == plans.best(market, demands), number


def test_no_plan_is_better_than_what_is_called_proved_where_there_are_many_people(monkeypatch):
    monkeypatch.setattr(exchange_search, "MOST_COLUMNS", 0)
    proved_short = 0
    for shares in ((4, 10, 25), (1,), ()):
        monkeypatch.setattr(exchange_search, "SHARES_RAISED", shares)
        for number in range(150):
            market, demands = hard(number)
            plan = most_served(market, demands, seed=number)
            assert plans.broken(market, demands, plan) == []
            best = plans.best(market, demands)
            reached = costs(proof.value for proof in plan.proofs)
            assert reached == best or plan.state == BOUNDED
            first = next((place for place in range(5) if reached[place] != best[place]), 4)
            bounds = costs(proof.bound for proof in plan.proofs)
            for place in range(first + 1):
                if not plan.proofs[place].same_swaps:
                    assert bounds[place] <= best[place], number
            proved_short += plan.state == BOUNDED
    assert proved_short


def test_with_many_people_the_first_aims_settle_the_swaps_and_the_rest_is_best_with_these(monkeypatch):
    market = markets.programme(300, 4)
    monkeypatch.setattr(exchange_search, "MOST_COLUMNS", 0)
    plan = most_served(market)
    assert plans.broken(market, Demands(), plan) == []
    assert [proof.same_swaps for proof in plan.proofs] == [False, False, False, True, True]
    assert [proof.gap for proof in plan.proofs[3:]] == [0, 0]
    assert plan.state == BOUNDED
    monkeypatch.undo()
    best = most_served(market)
    assert best.state == OPTIMAL
    for proof, exact in zip(plan.proofs[:3], best.proofs, strict=False):
        assert min(proof.value, proof.bound) <= exact.value <= max(proof.value, proof.bound)


def test_what_is_said_of_each_aim_is_what_the_stays_add_up_to():
    market = markets.programme(120, 11)
    plan = most_served(market)
    placed = [
        (stay.person, stay.organisation, stay.sector, stay.rank, market.offer.get(stay.offer))
        for stay in plan.stays
    ]
    assert costs(proof.value for proof in plan.proofs) == plans.worth(market, placed)
    assert tuple(proof.aim for proof in plan.proofs) == AIMS[:-1]


def test_an_aim_speaks_against_every_plan_that_gives_what_it_ruled_out():
    told = 0
    for number in range(400):
        market, demands = hard(number)
        plan = most_served(market, demands, seed=number)
        best = plans.best(market, demands)
        for (person, where), aim in plan.against.items():
            if aim not in AIMS[:-1] or not isinstance(where, str):
                continue
            told += 1
            with_it = [
                plans.worth(market, placed)
                for placed in plans.every_plan(market, demands)
                if any(stay[0] == person and stay[4] is market.offer[where] for stay in placed)
            ]
            upto = AIMS.index(aim) + 1
            assert all(worth[:upto] > best[:upto] for worth in with_it)
    assert told > 50


def test_where_not_all_swaps_are_looked_at_the_plan_says_so_and_the_bound_holds(monkeypatch):
    monkeypatch.setattr(exchange_plan, "cycles", lambda ways, seed: cycles(ways, seed, 1))
    few = 0
    for number in range(150):
        market, demands = hard(number)
        plan = most_served(market, demands, seed=number)
        if not plan.all_cycles:
            few += 1
            assert plan.state == BOUNDED
            assert plan.cycles == 1
            served = plan.proofs[0]
            assert served.value <= -plans.best(market, demands)[0] <= served.bound
    assert few > 10


def test_swaps_beyond_the_limit_are_the_longer_ones():
    people = [(1, 2), (2, 1), (1, 4), (4, 3), (3, 2)]
    ways = [(home, host, week(0)) for home, host in people]
    found, is_all = cycles(ways, 1, 1)
    assert ([cycle.organisations for cycle in found], is_all) == ([(1, 2)], False)
    found, is_all = cycles(ways, 1)
    assert ([cycle.organisations for cycle in found], is_all) == ([(1, 2), (1, 4, 3, 2)], True)


def test_progress_is_told_in_known_steps_and_never_goes_back(monkeypatch):
    monkeypatch.setattr(exchange_search, "TOLD_EVERY", 10)
    monkeypatch.setattr(exchange_search, "MOST_COLUMNS", 0)
    told = []
    most_served(markets.programme(300, 4), tell=lambda step, share: told.append((step, share)) is None)
    shares = [share for _, share in told]
    assert shares == sorted(shares)
    assert 0 <= shares[0] < shares[-1] <= 1
    assert {step for step, _ in told} <= set(STEPS)
    assert len(told) > 100


@pytest.mark.parametrize("calls", [1, 2, 3, 4, 10, 40])
def test_a_run_ends_whenever_it_is_told_to_also_while_the_solver_works(calls, monkeypatch):
    monkeypatch.setattr(exchange_search, "TOLD_EVERY", 5)
    told = []

    def tell(step, share):
        told.append(step)
        return len(told) < calls

    with pytest.raises(Cancelled):
        most_served(markets.programme(120, 3), tell=tell)
    assert len(told) == calls


def test_a_plan_is_the_same_in_another_process_with_other_hashes():
    code = (
        "import json; from tests.factories.markets import programme;"
        "from app.methods.exchange_plan import most_served; from app.methods.exchange_result import to_json;"
        "print(json.dumps(to_json(most_served(programme(90, 4), seed=2))))"
    )
    here = json.dumps(exchange_result.to_json(most_served(markets.programme(90, 4), seed=2)))
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
        )
        assert done.stdout.strip() == here


def test_the_solver_writes_nothing(capfd):
    market = Market(
        (),
        (
            Guest(1, 1, "public", (Wish(organisation=2),), offers_desk=True),
            Guest(2, 2, "business", (Wish(organisation=1),), offers_desk=True),
        ),
        (week(0),),
    )
    assert most_served(market).proofs[0].aim == SERVED
    assert capfd.readouterr() == ("", "")
