"""Totals: adding up by sector, and the order that sums give. Approval, score and points are counted with these."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import groupby
from math import lcm
from operator import mul
from typing import TYPE_CHECKING, Any

from app.methods.election import Count, Profile, Settings, Tie, number

if TYPE_CHECKING:
    from numpy.typing import NDArray


def count(profile: Profile, settings: Settings, weights: tuple[Fraction, ...]) -> Count:
    """Order the options by the weighted sum of what votes gave them, ties by the tie order; the first win.

    `weights`: what a vote of each sector weighs, in the order of `profile.sectors`. Exact: whole numbers are added
    within each sector, fractions over sectors.
    """
    sums = by_sector(profile.values, profile.sector, len(profile.sectors))
    of_option = dict(zip(profile.keys, zip(*sums, strict=True), strict=True))
    totals = weighed(of_option, weights)
    order = in_order(profile.keys, totals, settings.tie_order)
    winners = order[: settings.seats]
    explanation = {
        "round": "totals",
        "sectors": list(profile.sectors),
        "weights": [number(weight) for weight in weights],
        "options": [
            {
                "key": key,
                "sums": list(of_option[key]),
                "total": number(totals[key]),
                "about": about(totals[key]),
            }
            for key in order
        ],
    }
    return Count(winners, order, totals, (explanation,), ties_in(order, totals.__getitem__, winners))


def by_sector(values: "NDArray[Any]", sector: "NDArray[Any]", sectors: int) -> tuple[tuple[int, ...], ...]:
    """The sums of the columns of `values` [n, m] (whole numbers or yes and no), for each sector."""
    import numpy as np

    sums = np.zeros((sectors, values.shape[1]), dtype=np.int64)
    if not sectors:
        return ()
    # The largest sector is what the others leave of the whole: copying its rows would take longest.
    largest = int(np.bincount(sector, minlength=sectors).argmax())
    for place in range(sectors):
        if place != largest:
            sums[place] = values[np.flatnonzero(sector == place)].sum(axis=0, dtype=np.int64)
    sums[largest] = values.sum(axis=0, dtype=np.int64) - sums.sum(axis=0)
    return tuple(tuple(row) for row in sums.tolist())


def weighed(sums: Mapping[str, Sequence[int]], weights: Sequence[Fraction]) -> dict[str, Fraction]:
    """For each key its sums of the sectors, each times what a vote of that sector weighs, added up."""
    whole = lcm(*(weight.denominator for weight in weights))
    parts = [int(weight * whole) for weight in weights]
    return {key: Fraction(sum(map(mul, parts, row)), whole) for key, row in sums.items()}


def in_order(
    keys: Iterable[str], measure: Mapping[str, Fraction], tie_order: Sequence[str]
) -> tuple[str, ...]:
    """`keys` with the largest measure first; equal ones in the tie order."""
    place = {key: index for index, key in enumerate(tie_order)}
    return tuple(sorted(keys, key=lambda key: (-measure[key], place[key])))


def ties_in(
    order: Sequence[str], same: Callable[[str], Any], winners: Sequence[str], limit: str = "seat"
) -> tuple[Tie, ...]:
    """The runs of `order` that `same` does not tell apart, so that the tie order did.

    A tie is over `limit` (the last seat, or what money is left) if some of the run won and some did not.
    """
    runs = [tuple(run) for _, run in groupby(order, key=same)]
    won = set(winners)
    return tuple(
        Tie(limit if 0 < len(won.intersection(run)) < len(run) else "order", run, run[0])
        for run in runs
        if len(run) > 1
    )


def about(value: Fraction) -> float:
    """An exact number as people read it: four decimals."""
    return round(float(value), 4)
