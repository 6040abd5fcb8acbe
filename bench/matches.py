"""A match of exchanges: against SciPy's assignment solver, and against first come, first served, on the same data."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from app.methods import deferred_acceptance, exchange_figures, exchange_plan
from app.methods.exchange_choices import Settled
from app.methods.exchange_demands import Demands
from app.methods.exchange_market import Market
from app.methods.exchange_result import Plan as ExchangePlan
from bench.duels import Plan
from bench.figures import Figure
from tests.factories import markets

SIZES = (30, 300, 3_000)
FEW_VOTERS = 10_000
"""A plan that counts fewer voters than this wants to be quick: the largest market is left to the full one."""

UNSERVED = 1_000
IMPOSSIBLE = 1_000_000
"""What it costs SciPy's solver to leave someone without a place, and to break a rule."""


@dataclass(frozen=True, slots=True)
class Side:
    """What one way of matching reaches: people with a place, with their first wish, the sum of ranks; its time."""

    served: int
    first: int
    ranks: int
    seconds: float

    def said(self) -> str:
        """For the table."""
        mean = self.ranks / self.served if self.served else 0.0
        return f"{self.served} served, {self.first} first, mean {mean:.2f}, {self.seconds * 1e3:,.0f} ms"


def match(plan: Plan, _: Path) -> list[Figure]:
    """One run of each way a size: plans are the same each time, so only the time could differ."""
    sizes = SIZES if plan.voters > FEW_VOTERS else SIZES[:2]
    return [figure for people in sizes for figure in _size(people)]


def _size(people: int) -> list[Figure]:
    market = markets.programme(people)
    choices = {
        person: found.offers for person, found in Settled(market, Demands()).choices.items() if found.offers
    }
    most, plan = _ours(market)
    stable, _ = _ours(market, stable=True)
    solver, queue = _assigned(market, choices), _queued(market, choices)
    imbalance = exchange_figures.figures(market, plan).imbalance
    gaps = sum(proof.gap for proof in plan.proofs)
    note = f"{plan.state}, gaps {gaps}, directions differ by {imbalance}"
    job = f"match, {people:,} people"
    return [
        _figure(job, "SciPy's assignment", "time", most.seconds / solver.seconds, (most, solver), note=note),
        _figure(job, "SciPy's assignment", "served", most.served / solver.served, (most, solver), least=1),
        _figure(
            job, "first come, first served", "served", most.served / queue.served, (most, queue), least=1
        ),
        _figure(job, "stable instead of most", "served", stable.served / most.served, (stable, most)),
    ]


def _figure(
    job: str,
    against: str,
    what: str,
    ratio: float,
    sides: tuple[Side, Side],
    *,
    least: float | None = None,
    note: str = "",
) -> Figure:
    here, floor = sides
    bound: Any = ("at least", least) if least else None
    return Figure(job, against, what, ratio, ratio, ratio, here.said(), floor.said(), bound, note=note)


def _ours(market: Market, *, stable: bool = False) -> tuple[Side, ExchangePlan]:
    began = time.process_time()
    plan = deferred_acceptance.stable(market) if stable else exchange_plan.most_served(market)
    seconds = time.process_time() - began
    ranks = [stay.rank for stay in plan.stays if stay.rank is not None]
    return Side(len(plan.stays), ranks.count(1), sum(ranks), seconds), plan


def _assigned(market: Market, choices: Mapping[int, Mapping[str, int]]) -> Side:
    """SciPy's: people by places and by as many ways to have none; it knows no swaps, no balance and no fairness."""
    import numpy as np
    from scipy.optimize import linear_sum_assignment

    began = time.process_time()
    places = [offer.key for offer in market.offers for _ in range(offer.places)]
    at: dict[str, list[int]] = {}
    for column, key in enumerate(places):
        at.setdefault(key, []).append(column)
    costs = np.full((len(choices), len(places) + len(choices)), UNSERVED)
    costs[:, : len(places)] = IMPOSSIBLE
    for row, offers in enumerate(choices.values()):
        for key, rank in offers.items():
            costs[row, at[key]] = rank
    rows, columns = linear_sum_assignment(costs)
    ranks = [int(costs[row, column]) for row, column in zip(rows, columns, strict=True)]
    met = [rank for rank in ranks if rank < UNSERVED]
    return Side(len(met), met.count(1), sum(met), max(time.process_time() - began, 1e-6))


def _queued(market: Market, choices: Mapping[int, Mapping[str, int]]) -> Side:
    """First come, first served, in an order by chance: everyone takes the best that is left."""
    began = time.process_time()
    left = {offer.key: offer.places for offer in market.offers}
    people = sorted(choices)
    Random(1).shuffle(people)
    met = []
    for person in people:
        open_to = [(rank, key) for key, rank in choices[person].items() if left[key]]
        if open_to:
            rank, key = min(open_to)
            left[key] -= 1
            met.append(rank)
    return Side(len(met), met.count(1), sum(met), max(time.process_time() - began, 1e-6))
