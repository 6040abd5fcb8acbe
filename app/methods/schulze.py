"""Schulze: options are compared in pairs, and a defeat counts for less than a stronger way round it."""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from math import lcm
from typing import TYPE_CHECKING, Any, Final

from app.methods import totals
from app.methods.election import Count, Profile, Settings, number

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CHUNK: Final = 32_768
"""How many votes are compared at once: what 30 options take of them stays in a processor's own memory."""


def count(profile: Profile, settings: Settings, weights: tuple[Fraction, ...]) -> Count:
    """Order the options by how many others each beats by the strongest path, ties by the tie order; the first win.

    Schulze 2011, *A new monotonic, clone-independent, reversal symmetric, and Condorcet-consistent single-winner
    election method*, Social Choice and Welfare 36, section 2, with winning votes as the strength of a link: where more
    weight prefers one option to another, the link is as strong as that weight; the other way there is none. A path is
    as strong as its weakest link. An option beats another if its strongest path there is stronger than the one back.

    Beating is transitive, so whoever beats another also beats more others: the order by their number agrees with it,
    and an option that beats all others is first. Options that beat as many are a tie, and the tie order decides.
    `weights`: what a vote of each sector weighs. Exact: whole numbers within sectors, fractions over them.
    """
    unit, preferred = _preferred(profile, weights)
    strength, strongest = _strongest(preferred)
    beats = strongest > strongest.T
    wins = {key: Fraction(int(beaten)) for key, beaten in zip(profile.keys, beats.sum(axis=1), strict=True)}
    order = totals.in_order(profile.keys, wins, settings.tie_order)
    winners = order[: settings.seats]
    paths = [[strength[place] for place in row] for row in strongest.tolist()]
    rounds = (
        {
            "round": "pairwise",
            "sectors": list(profile.sectors),
            "weights": [number(weight) for weight in weights],
            "preferred": _by_key(profile.keys, preferred, unit),
        },
        {
            "round": "paths",
            "strongest": _by_key(profile.keys, paths, unit),
            "beats": {
                key: [other for other, beaten in zip(profile.keys, row, strict=True) if beaten]
                for key, row in zip(profile.keys, beats.tolist(), strict=True)
            },
        },
    )
    return Count(winners, order, wins, rounds, totals.ties_in(order, wins.__getitem__, winners))


def _preferred(profile: Profile, weights: Sequence[Fraction]) -> tuple[int, list[list[int]]]:
    """How much weight prefers each option (row) to each other (column), in parts of one by `unit`."""
    unit = lcm(*(weight.denominator for weight in weights))
    options = len(profile.options)
    preferred = [[0] * options for _ in range(options)]
    for sector, weight in enumerate(weights):
        parts = int(weight * unit)
        rows = _pairwise(profile.values[profile.sector == sector]).tolist()
        preferred = [
            [have + parts * more for have, more in zip(*pair, strict=True)]
            for pair in zip(preferred, rows, strict=True)
        ]
    return unit, preferred


def _pairwise(values: "NDArray[np.int64]") -> "NDArray[np.int64]":
    """How many votes place each option before each other: [m, m] from places [n, m]."""
    import numpy as np

    options = values.shape[1]
    pairs = np.zeros((options, options), dtype=np.int64)
    for places in _chunks(values):
        for option in range(options):
            before = places[option] < places
            pairs[option] += np.fromiter(map(np.count_nonzero, before), np.int64, options)
    return pairs


def _chunks(values: "NDArray[np.int64]") -> Iterator["NDArray[Any]"]:
    """The places by option, [m, n], some votes at a time, in as few bytes as hold them."""
    import numpy as np

    narrow = np.min_scalar_type(int(values.max(initial=0)))
    for start in range(0, len(values), CHUNK):
        yield np.ascontiguousarray(values[start : start + CHUNK].astype(narrow).T)


def _strongest(preferred: Sequence[Sequence[int]]) -> tuple[list[int], "NDArray[np.int64]"]:
    """The strengths there are, rising from 0 (no path), and which of them each pair's strongest path has."""
    import numpy as np

    links = [
        [there if there > back else 0 for there, back in zip(row, column, strict=True)]
        for row, column in zip(preferred, zip(*preferred, strict=True), strict=True)
    ]
    strength = sorted({0}.union(*links))
    place = {value: index for index, value in enumerate(strength)}
    paths = np.array([[place[value] for value in row] for row in links], dtype=np.int64)
    for middle in range(len(links)):
        np.maximum(paths, np.minimum(paths[:, middle, None], paths[middle]), out=paths)
    np.fill_diagonal(paths, 0)
    return strength, paths


def _by_key(
    keys: Sequence[str], matrix: Sequence[Sequence[int]], unit: int
) -> Mapping[str, Mapping[str, int | str]]:
    def plain(value: int) -> int | str:
        whole, rest = divmod(value, unit)
        return number(Fraction(value, unit)) if rest else whole

    return {
        key: {other: plain(value) for other, value in zip(keys, row, strict=True) if other != key}
        for key, row in zip(keys, matrix, strict=True)
    }
