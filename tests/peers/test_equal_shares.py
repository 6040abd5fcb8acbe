"""Equal shares against pabutools, on thousands of random elections with many ties."""

import random
from fractions import Fraction

import numpy as np
import pytest

from app.methods import equal_shares
from app.methods.election import Option, Profile, Settings

pytestmark = pytest.mark.peers
ELECTIONS = 3000


def drawn(seed):
    rng = random.Random(seed)
    budget = rng.randint(2, rng.choice([10, 40, 200]))
    options = rng.randint(1, 8)
    costs = [rng.randint(1, rng.choice([budget, max(1, budget // 3)])) for _ in range(options)]
    if rng.random() < 0.5:
        costs = [rng.choice(costs[:2]) for _ in costs]
    chosen = [{option for option in range(options) if rng.random() < 0.4} for _ in range(rng.randint(1, 15))]
    tie_order = rng.sample(range(options), options)
    return budget, costs, chosen, tie_order


def ours(budget, costs, chosen, tie_order):
    values = np.array([[int(option in vote) for option in range(len(costs))] for vote in chosen])
    options = tuple(Option(str(option), cost) for option, cost in enumerate(costs))
    profile = Profile(options, ("",), values, values > 0, np.zeros(len(chosen), dtype=np.int64))
    settings = Settings("budget", budget=budget, tie_order=tuple(map(str, tie_order)))
    count = equal_shares.count(profile, settings, (Fraction(1),))
    greedy = equal_shares.greedy(profile, settings, (Fraction(1),))
    by_support = {line["option"] for line in count.rounds if line.get("phase") == "support"}
    return [key for key in count.winners if key not in by_support], list(count.winners), list(greedy.winners)


def theirs(budget, costs, chosen, tie_order):
    from pabutools.election import ApprovalBallot, ApprovalProfile, Cost_Sat, Instance, Project
    from pabutools.rules import (
        exhaustion_by_budget_increase,
        greedy_utilitarian_welfare,
        method_of_equal_shares,
    )
    from pabutools.tiebreaking import TieBreakingRule

    projects = [Project(str(option), cost) for option, cost in enumerate(costs)]
    instance = Instance(projects, budget_limit=budget)
    profile = ApprovalProfile([ApprovalBallot(projects[option] for option in vote) for vote in chosen])
    ties = TieBreakingRule(lambda _instance, _profile, project: tie_order.index(int(project.name)))
    raised = exhaustion_by_budget_increase(
        instance,
        profile,
        method_of_equal_shares,
        {"sat_class": Cost_Sat, "tie_breaking": ties},
        exhaustive_stop=False,
        budget_step=len(chosen),
        budget_bound=(sum(costs) + 1) * len(chosen) + budget,
    )
    whole = greedy_utilitarian_welfare(
        instance, profile, sat_class=Cost_Sat, tie_breaking=ties, initial_budget_allocation=raised
    )
    greedy = greedy_utilitarian_welfare(instance, profile, sat_class=Cost_Sat, tie_breaking=ties)
    # It also adds what nobody supports, after all else; here that is never bought.
    wanted = {str(option) for vote in chosen for option in vote}
    return tuple([p.name for p in found if p.name in wanted] for found in (raised, whole, greedy))


def test_winners_and_their_order_are_those_of_pabutools():
    for seed in range(ELECTIONS):
        election = drawn(seed)
        equal, completed, greedy = theirs(*election)
        mine = ours(*election)
        if len(equal) == len(set().union(*election[2])):
            # All that is supported is bought: we stop, pabutools raises money on and on, and the order may change.
            assert sorted(mine[0]) == sorted(mine[1]) == sorted(equal), seed
            assert mine[2] == greedy, seed
        else:
            assert mine == (equal, completed, greedy), seed
