"""The opinion map: who votes alike, drawn as shapes of groups and never as dots of people.

As Polis makes it (Small, Bjorkegren, Erkkilä, Shaw, Megill 2021, "Polis: Scaling deliberation by mapping high
dimensional opinion spaces"): principal components of the votes with column means where nobody voted,
projections pushed out where a person has voted on few options, k-means on about a hundred base clusters, groups of
base clusters with the best silhouette. What differs, and why, is in `docs/methods/opinion-map.md`.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import degrees
from typing import TYPE_CHECKING, Any, Final

from app.methods.election import Election, Reason, read

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

FEWEST_VOTERS: Final = 20
FEWEST_VOTES: Final = 7
SMALLEST_GROUP: Final = 5
"""No shape and no number on the map stands for fewer people; counts of people are rounded to multiples of it."""

MOST_GROUPS: Final = 5
PEOPLE_A_GROUP: Final = 12
"""Two groups are looked for, and one more for every twelve people."""
BASE_CLUSTERS: Final = 100
BASE_STEPS: Final = 12
GROUP_STEPS: Final = 40
GROUP_TRIES: Final = 8
SEED: Final = 20

MOST_NAMED: Final = 3
"""How many options are named as uniting, as dividing, and as setting one group apart."""
LEAST_GAP: Final = 0.2
"""What divides: groups whose support lies at least a fifth apart."""
Z_90: Final = 1.2816
"""The one-sided 90 % point of the normal distribution: from here on a difference is called one, as in Polis."""


@dataclass(frozen=True, slots=True)
class Ellipse:
    """Where a group lies: an evenly filled ellipse with the same mean and spread. `angle`: degrees, from x to y."""

    x: float
    y: float
    radius_x: float
    radius_y: float
    angle: float


@dataclass(frozen=True, slots=True)
class SectorShare:
    """People of a sector in a group, to the nearest five, and their share of it; None for fewer than five people."""

    sector: str
    people: int | None
    share: float | None


@dataclass(frozen=True, slots=True)
class Mark:
    """An option that sets a group apart: whether it supports it, its share of doing so, and that of all others."""

    key: str
    supports: bool
    share: float
    elsewhere: float


@dataclass(frozen=True, slots=True)
class Group:
    """People who vote alike; `size` to the nearest five. The letters begin with the largest group."""

    letter: str
    size: int
    shape: Ellipse
    sectors: tuple[SectorShare, ...]
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Opinion:
    """What the groups make of an option.

    `x`, `y`: its loadings. `support`: of each group in order, (supporters + 1) / (votes + 2), None where fewer than
    five of the group have voted on it. `consensus`: the product over all groups. `gap`: the greatest support less the
    least. Both are None where a group's support is.
    """

    key: str
    x: float
    y: float
    support: tuple[float | None, ...]
    consensus: float | None
    gap: float | None


@dataclass(frozen=True, slots=True)
class OpinionMap:
    """One possible view of the votes. `explained`: the share of all variance along x and along y."""

    voters: int
    groups: tuple[Group, ...]
    options: tuple[Opinion, ...]
    unites: tuple[Opinion, ...]
    divides: tuple[Opinion, ...]
    explained: tuple[float, float]
    silhouette: float


def of_election(election: Election) -> OpinionMap | Reason:
    """The map of an election's votes, or why there is none; see `draw`.

    Supported is 1, not supported is -1. In a score ballot what a person left out is no opinion; in every other method
    it means something: not approved, no points, ranked after everything else. Abstentions are not on the map.
    """
    profile = read(election)
    votes = profile.supports.astype("float64") * 2.0 - 1.0
    if election.settings.method == "score":
        _mask_left_out(votes, election, profile.keys)
    return draw(votes, profile.sector, keys=profile.keys, sectors=profile.sectors)


def draw(
    votes: "Floats", sector: "Integers", *, keys: Sequence[str], sectors: Sequence[str]
) -> OpinionMap | Reason:
    """The map of these votes, or why there is none: `too_few_voters`, `too_few_votes` or `no_groups`.

    `votes` [n, m] holds 1, 0 (seen and passed), -1, and NaN for what a person has not seen; `sector` [n] indexes
    `sectors`; `keys` names the m options. People with fewer than seven votes take part in finding the axes, but are
    not on the map. The same votes give the same map, in whatever order they stand. Nothing in a map is NaN.
    """
    import numpy as np

    reason = _missing(np.asarray(votes))
    if reason:
        return reason
    votes, sector = _in_order(np.asarray(votes), np.asarray(sector))
    placed = _seen(votes) >= FEWEST_VOTES
    axes, explained, places = _components(votes)
    labels, silhouette, shapes = _groups(places[placed])
    if len(shapes) < 2:
        return Reason("no_groups")
    table = _Table.count(votes[placed], labels, len(shapes))
    options = _opinions(table, axes, keys)
    return OpinionMap(
        voters=int(placed.sum()),
        groups=_described(labels, sector[placed], sectors, shapes, _marks(table, keys)),
        options=options,
        unites=_uniting(options),
        divides=_dividing(options),
        explained=explained,
        silhouette=silhouette,
    )


def to_json(found: OpinionMap | Reason) -> dict[str, Any]:
    """A map, or `{"reason": …}`, as plain JSON data."""
    if isinstance(found, Reason):
        return {"reason": found.code, **found.values}
    return asdict(found)


def _mask_left_out(votes: "Floats", election: Election, keys: Sequence[str]) -> None:
    counting = [vote.choice for vote in election.votes if "abstain" not in vote.choice]
    for row, choice in enumerate(counting):
        if "scores" in choice:
            left_out = [column for column, key in enumerate(keys) if key not in choice["scores"]]
            votes[row, left_out] = float("nan")


def _missing(votes: "Floats") -> Reason | None:
    voters, there = len(votes), int((_seen(votes) >= FEWEST_VOTES).sum())
    if voters < FEWEST_VOTERS:
        return Reason("too_few_voters", {"needed": FEWEST_VOTERS, "there": voters})
    if there < FEWEST_VOTERS:
        return Reason("too_few_votes", {"needed": FEWEST_VOTERS, "votes": FEWEST_VOTES, "there": there})
    return None


def _seen(votes: "Floats") -> "Integers":
    """How many options each person has voted on."""
    import numpy as np

    found: Integers = (~np.isnan(votes)).sum(axis=1)
    return found


def _in_order(votes: "Floats", sector: "Integers") -> "tuple[Floats, Integers]":
    """The rows by what they hold, so that it plays no part who came first, not even in the last digit of a sum."""
    import numpy as np

    letters = np.where(np.isnan(votes), 4.0, votes + 2.0).astype(np.int8)
    order = np.argsort(letters.view(f"S{votes.shape[1]}").ravel(), kind="stable")
    return votes[order], sector[order]


def _components(votes: "Floats") -> "tuple[Floats, tuple[float, float], Floats]":
    """The two axes [2, m], the share of the variance that each explains, and where everyone stands [n, 2].

    The axes come from the m by m covariance, which is far smaller than the votes. What was not seen is at the column's
    mean, and so adds nothing; each place is pushed out by sqrt(m / seen) to make up for it.
    """
    import numpy as np

    unseen = np.isnan(votes)
    means = np.nansum(votes, axis=0) / np.maximum((~unseen).sum(axis=0), 1)
    centred = votes - means
    centred[unseen] = 0.0
    sizes, vectors = np.linalg.eigh(centred.T @ centred)
    total = float(sizes.sum())
    axes = np.stack([_signed(vectors[:, -1 - axis], sizes[-1 - axis], total) for axis in (0, 1)])
    reach = np.sqrt(votes.shape[1] / np.maximum(votes.shape[1] - unseen.sum(axis=1), 1))
    places = np.round(centred @ axes.T * reach[:, None], 9) + 0.0
    first, second = (round(float(max(sizes[-1 - axis], 0.0)) / total, 4) if total else 0.0 for axis in (0, 1))
    return axes, (first, second), places


def _signed(vector: "Floats", size: float, total: float) -> "Floats":
    """An axis with its largest loading positive (the first of equals), or noughts where nothing lies along it."""
    import numpy as np

    if size <= total * 1e-9:
        return np.zeros_like(vector)
    weight = np.abs(vector)
    largest = int(np.argmax(weight >= weight.max() - 1e-9))
    signed: Floats = vector * (1.0 if vector[largest] > 0 else -1.0)
    return signed


def _groups(places: "Floats") -> "tuple[Integers, float, list[Ellipse]]":
    """The group of each person [n], the silhouette, and the groups' shapes, the largest group first.

    Fewer than two shapes: there are no groups.
    """
    import numpy as np

    centres, weights, base = _base_clusters(places)
    most = min(MOST_GROUPS, 2 + len(places) // PEOPLE_A_GROUP, len(centres))
    distances = np.linalg.norm(centres[:, None] - centres[None], axis=2)
    best: Integers = np.zeros(len(centres), dtype=np.int64)
    height = -2.0
    for count in range(2, most + 1):
        labels = _merged(centres, weights, _best_of_tries(centres, weights, count))
        found = silhouette(distances, weights, labels) if labels.max() > 0 else -2.0
        if found > height + 1e-9:
            best, height = labels, found
    best = _largest_first(centres, weights, best)
    chosen = range(int(best.max()) + 1)
    shapes = [_ellipse(centres[best == group], weights[best == group]) for group in chosen]
    return best[base], round(height, 4), shapes


def _base_clusters(places: "Floats") -> "tuple[Floats, Floats, Integers]":
    """At most a hundred centres [b, 2], how many people each stands for [b], and the one of each person [n]."""
    import numpy as np

    points, spot, people = np.unique(
        np.ascontiguousarray(places).view(np.complex128).ravel(), return_inverse=True, return_counts=True
    )
    centres = np.stack([points.real, points.imag], axis=1)
    weights = people.astype(np.float64)
    if len(centres) <= BASE_CLUSTERS:
        return centres, weights, spot.ravel()
    generator = np.random.default_rng(SEED)
    seeds = _seeds(centres, weights, BASE_CLUSTERS, generator)
    labels = _settled(centres, weights, seeds, BASE_STEPS)
    means, sizes = _means(centres, weights, labels, int(labels.max()) + 1)
    return means, sizes, labels[spot.ravel()]


def _best_of_tries(points: "Floats", weights: "Floats", count: int) -> "Integers":
    """The tightest of several k-means clusterings [b] into at most `count`, each from its own seeds."""
    import numpy as np

    generator = np.random.default_rng(SEED + count)
    best: Integers = np.zeros(len(points), dtype=np.int64)
    least = np.inf
    for _ in range(GROUP_TRIES):
        labels = _settled(points, weights, _seeds(points, weights, count, generator), GROUP_STEPS)
        means, _sizes = _means(points, weights, labels, int(labels.max()) + 1)
        spread = float((weights * ((points - means[labels]) ** 2).sum(axis=1)).sum())
        if spread < least - 1e-9:
            best, least = labels, spread
    return best


def _seeds(points: "Floats", weights: "Floats", count: int, generator: "np.random.Generator") -> "Floats":
    """Points to begin with, likelier the farther from those already chosen (Arthur, Vassilvitskii 2007, k-means++)."""
    import numpy as np

    x, y = np.ascontiguousarray(points.T)
    chance = weights.copy()
    nearest = np.full(len(points), np.inf)
    chosen: list[int] = []
    for throw in generator.random(count):
        total = np.cumsum(chance)
        if total[-1] <= 0:
            break
        one = int(np.searchsorted(total, throw * total[-1], side="right"))
        chosen.append(min(one, len(points) - 1))
        np.minimum(nearest, (x - x[chosen[-1]]) ** 2 + (y - y[chosen[-1]]) ** 2, out=nearest)
        np.multiply(weights, nearest, out=chance)
    return points[chosen]


def _settled(points: "Floats", weights: "Floats", centres: "Floats", steps: int) -> "Integers":
    """Lloyd's steps until nobody moves, at most `steps`; clusters without anyone are dropped. Labels from 0 on."""
    import numpy as np

    labels = _nearest(points, centres)
    for _ in range(steps):
        centres, sizes = _means(points, weights, labels, len(centres))
        moved = _nearest(points, centres[sizes > 0])
        centres = centres[sizes > 0]
        if np.array_equal(moved, labels):
            break
        labels = moved
    packed: Integers = np.unique(labels, return_inverse=True)[1].ravel()
    return packed


def _nearest(points: "Floats", centres: "Floats") -> "Integers":
    import numpy as np

    # In single precision, without |point|², which is the same for all centres: half the memory to walk through.
    flat = np.vstack([-2.0 * centres.T, (centres**2).sum(axis=1)]).astype(np.float32)
    ones = np.ones((len(points), 1))
    found: Integers = np.argmin(np.hstack([points, ones]).astype(np.float32) @ flat, axis=1)
    return found


def _means(points: "Floats", weights: "Floats", labels: "Integers", count: int) -> "tuple[Floats, Floats]":
    """The weighted mean and the weight of each cluster; noughts for one without anyone."""
    import numpy as np

    sizes: Floats = np.bincount(labels, weights, count).astype(np.float64)
    sums = [np.bincount(labels, weights * points[:, axis], count) for axis in (0, 1)]
    return np.stack(sums, axis=1) / np.maximum(sizes, 1e-300)[:, None], sizes


def _merged(points: "Floats", weights: "Floats", labels: "Integers") -> "Integers":
    """The same clustering, but each group of fewer than five people, the smallest first, joined to its nearest."""
    import numpy as np

    while labels.max() > 0:
        means, sizes = _means(points, weights, labels, int(labels.max()) + 1)
        smallest = int(np.argmin(sizes))
        if sizes[smallest] >= SMALLEST_GROUP:
            break
        away = np.linalg.norm(means - means[smallest], axis=1)
        away[smallest] = np.inf
        labels = np.where(labels == smallest, int(np.argmin(away)), labels)
        labels = np.unique(labels, return_inverse=True)[1].ravel()
    return labels


def silhouette(distances: "Floats", weights: "Floats", labels: "Integers") -> float:
    """The mean silhouette of a clustering, between -1 and 1 (Rousseeuw 1987). Someone alone in a cluster counts 0.

    `distances` [b, b] between points, `weights` [b]: how many people stand at each, so that it is the silhouette
    of the people. `labels` [b] from 0 on, two clusters or more.
    """
    import numpy as np

    members = np.eye(int(labels.max()) + 1)[labels] * weights[:, None]
    sizes = members.sum(axis=0)
    sums = distances @ members
    rows = np.arange(len(labels))
    inside = sums[rows, labels] / np.maximum(sizes[labels] - 1, 1)
    others = sums / sizes
    others[rows, labels] = np.inf
    outside = others.min(axis=1)
    largest = np.maximum(inside, outside)
    counted = (sizes[labels] > 1) & (largest > 0)
    values = np.where(counted, (outside - inside) / np.where(largest > 0, largest, 1.0), 0.0)
    return float(values @ weights / weights.sum())


def _largest_first(points: "Floats", weights: "Floats", labels: "Integers") -> "Integers":
    """The labels renamed: 0 for most people; of equals, the one that lies more to the left."""
    import numpy as np

    means, sizes = _means(points, weights, labels, int(labels.max()) + 1)
    order = np.lexsort((means[:, 1], means[:, 0], -sizes))
    rank: Integers = np.argsort(order)
    return rank[labels]


def _ellipse(points: "Floats", weights: "Floats") -> Ellipse:
    """From the mean and the spread alone: an outline through the outermost points would show single people."""
    import numpy as np

    share = weights / weights.sum()
    mean = share @ points
    away = points - mean
    sizes, vectors = np.linalg.eigh((away * share[:, None]).T @ away)
    # An evenly filled ellipse reaches twice as far as its standard deviation.
    short, long = (2.0 * float(max(size, 0.0)) ** 0.5 for size in sizes)
    angle = degrees(float(np.arctan2(vectors[1, 1], vectors[0, 1]))) % 180.0
    x, y = (round(float(value), 3) + 0.0 for value in mean)
    return Ellipse(x, y, round(long, 3), round(short, 3), round(angle, 1) % 180.0)


@dataclass(frozen=True, slots=True)
class _Table:
    """Votes by group and option [g, m]: how many were for, against, and any at all."""

    agree: "Floats"
    against: "Floats"
    seen: "Floats"

    @classmethod
    def count(cls, votes: "Floats", labels: "Integers", groups: int) -> "_Table":
        import numpy as np

        # Whole numbers below 2**24 are exact in single precision, which is twice as quick.
        members = np.eye(groups, dtype=np.float32)[labels].T
        kinds = (votes > 0, votes < 0, ~np.isnan(votes))
        return cls(*((members @ kind.astype(np.float32)).astype(np.float64) for kind in kinds))


def _opinions(table: _Table, axes: "Floats", keys: Sequence[str]) -> tuple[Opinion, ...]:
    found = []
    for column, key in enumerate(keys):
        told = table.seen[:, column] >= SMALLEST_GROUP
        support = (table.agree[:, column] + 1) / (table.seen[:, column] + 2)
        shown = tuple(_rounded(share) if tell else None for share, tell in zip(support, told, strict=True))
        consensus, gap = (support.prod(), support.max() - support.min()) if told.all() else (None, None)
        x, y = (float(_rounded(loading) or 0.0) for loading in axes[:, column])
        found.append(Opinion(key, x, y, shown, _rounded(consensus), _rounded(gap)))
    return tuple(found)


def _rounded(value: Any) -> float | None:
    return None if value is None else round(float(value), 4)


def _uniting(options: Sequence[Opinion]) -> tuple[Opinion, ...]:
    """Options that more than half of every group supports, those with the highest group-aware consensus first."""
    found = [option for option in options if all(share and share > 0.5 for share in option.support)]
    return tuple(sorted(found, key=lambda option: -(option.consensus or 0.0))[:MOST_NAMED])


def _dividing(options: Sequence[Opinion]) -> tuple[Opinion, ...]:
    """Options on which two groups lie far apart, the farthest first."""
    found = [option for option in options if (option.gap or 0.0) >= LEAST_GAP]
    return tuple(sorted(found, key=lambda option: -(option.gap or 0.0))[:MOST_NAMED])


def _marks(table: _Table, keys: Sequence[str]) -> list[tuple[Mark, ...]]:
    """For each group, the options that set it apart: most representative of it (Small et al. 2021), the first three."""
    found: list[list[tuple[float, Mark]]] = [[] for _ in table.seen]
    for supports, count in ((True, table.agree), (False, table.against)):
        share, elsewhere, strength = _representative(count, table.seen)
        for group, column in zip(*strength.nonzero(), strict=True):
            mark = Mark(
                keys[column],
                supports,
                round(float(share[group, column]), 4),
                round(float(elsewhere[group, column]), 4),
            )
            found[group].append((float(strength[group, column]), mark))
    return [
        tuple(mark for _, mark in sorted(marks, key=lambda pair: -pair[0])[:MOST_NAMED]) for marks in found
    ]


def _representative(count: "Floats", seen: "Floats") -> "tuple[Floats, Floats, Floats]":
    """Shares here and elsewhere [g, m], and how strongly each option marks each group: 0 where it is no sure sign.

    Polis' measure: R * z(R) * p * z(p), with R the ratio of the shares, where both tests pass at 90 %.
    """
    import numpy as np

    others, others_seen = count.sum(axis=0) - count, seen.sum(axis=0) - seen
    share, elsewhere = (count + 1) / (seen + 2), (others + 1) / (others_seen + 2)
    more_than_half = 2.0 * np.sqrt(seen + 1) * ((count + 1) / (seen + 1) - 0.5)
    here, there = (count + 1) / (seen + 1), (others + 1) / (others_seen + 1)
    pooled = (count + others + 2) / (seen + others_seen + 2)
    spread = pooled * (1 - pooled) * (1 / (seen + 1) + 1 / (others_seen + 1))
    more_than_others = np.where(spread > 0, (here - there) / np.sqrt(np.where(spread > 0, spread, 1.0)), 0.0)
    told = np.minimum(seen, others_seen) >= SMALLEST_GROUP
    sure = told & (more_than_half > Z_90) & (more_than_others > Z_90)
    strength = np.where(sure, share / elsewhere * more_than_others * share * more_than_half, 0.0)
    return share, elsewhere, strength


def _described(
    labels: "Integers",
    sector: "Integers",
    sectors: Sequence[str],
    shapes: Sequence[Ellipse],
    marks: Sequence[tuple[Mark, ...]],
) -> tuple[Group, ...]:
    import numpy as np

    people = np.zeros((len(shapes), len(sectors)), dtype=np.int64)
    np.add.at(people, (labels, sector), 1)
    return tuple(
        Group("ABCDE"[group], _to_five(int(people[group].sum())), shape, shares, marks[group])
        for group, shape in enumerate(shapes)
        for shares in [_shares(people[group].tolist(), sectors)]
    )


def _shares(people: Sequence[int], sectors: Sequence[str]) -> tuple[SectorShare, ...]:
    """How many of each sector, as far as it may be told: exact numbers would give small ones away by subtraction."""
    told = [_to_five(count) if count >= SMALLEST_GROUP else None for count in people]
    whole = max(_to_five(sum(people)), sum(count or 0 for count in told))
    return tuple(
        SectorShare(name, count, None if count is None else round(count / whole, 2))
        for name, count in zip(sectors, told, strict=True)
    )


def _to_five(count: int) -> int:
    return (count + SMALLEST_GROUP // 2) // SMALLEST_GROUP * SMALLEST_GROUP
