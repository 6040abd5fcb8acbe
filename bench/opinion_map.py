"""The opinion map of a large ballot, against what numpy alone takes for the singular values of the same votes."""

import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from app.methods import opinion_map
from bench.duels import Plan
from bench.figures import Figure

VOTERS = 10_000
OPTIONS = 100
GROUPS = 3
UNSEEN = 0.3
AIM = 2.0


def draw(plan: Plan, _: Path) -> list[Figure]:
    """Both sides take turns; the map is all of it, from the votes to its last number, the other side only the SVD."""
    import numpy as np

    votes, sector = _votes()
    filled = np.where(np.isnan(votes), np.nanmean(votes, axis=0), votes)
    keys = [str(column) for column in range(OPTIONS)]
    here = _timed(
        lambda: opinion_map.draw(votes, sector, keys=keys, sectors=("public", "business")), plan.rounds
    )
    floor = _timed(lambda: np.linalg.svd(filled, full_matrices=False), plan.rounds)
    rounds = [(next(here), next(floor)) for _ in range(plan.rounds)]
    ratios = [ours / theirs for ours, theirs in rounds]
    ours, theirs = (statistics.median(side) * 1e3 for side in zip(*rounds, strict=True))
    return [
        Figure(
            f"opinion map, {VOTERS:,} voters, {OPTIONS} options",
            "numpy's SVD",
            "time",
            statistics.median(ratios),
            min(ratios),
            max(ratios),
            f"{ours:,.0f} ms",
            f"{theirs:,.0f} ms",
            ("at most", AIM),
        )
    ]


def _timed(work: Callable[[], Any], rounds: int) -> Iterator[float]:
    """How long each round takes, in seconds; a first one, which nobody counts, loads what is loaded once."""
    work()
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        yield time.perf_counter() - began


def _votes() -> tuple[Any, Any]:
    """Votes of three groups, each leaning its own way on every option, as far as they have seen them."""
    import numpy as np

    generator = np.random.default_rng(7)
    leaning = 1 / (1 + np.exp(-generator.normal(size=(GROUPS, OPTIONS))))
    group = generator.integers(0, GROUPS, VOTERS)
    votes = np.where(generator.random((VOTERS, OPTIONS)) < leaning[group], 1.0, -1.0)
    votes[generator.random(votes.shape) < UNSEEN] = np.nan
    return votes, generator.integers(0, 2, VOTERS)
