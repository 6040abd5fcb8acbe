"""Single transferable vote: seats for groups of voters by their size; no vote is used twice.

The weighted inclusive Gregory method, as in Schedule 1 to the Scottish Local Government Elections Order 2007 (where
these are said to differ, below), with exact fractions in place of its five decimals:

1. A vote stands with the option that it places first. Options placed equally share it evenly among those still in the
   count, so that a vote with equal ranks counts as the mean of all strict votes that agree with it.
2. The quota is Droop's: the least whole number over votes/(seats + 1), counted in the smallest unit of which every
   vote's weight is a multiple. With one weight for all that unit is one vote, as in every textbook; with fractions it
   is the least amount over votes/(seats + 1) that any group of unsplit votes can weigh. So at most `seats` options can
   reach it, and scaling all weights changes nothing.
3. In each round all options that reach the quota are elected, the largest first. What each has over the quota passes
   on, all at once: every vote with it goes to the voter's next option in the count with the share (total -
   quota)/total of what it weighed there. (The Order passes on one surplus after the other.)
4. Where none reaches the quota, the one with the least is eliminated and its votes go on as they are. (The Order
   looks back to earlier rounds where several have the least; here the tie order decides at once.)
5. As soon as no more are left than seats, they are elected, the largest first.

A vote helps none that its voter does not support, so it stops before what was left out and before "none of these".
What finds no next option is exhausted. Votes that support no option are not counted in the quota.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property, partial
from itertools import compress, groupby
from math import floor, gcd, lcm
from operator import mul
from typing import TYPE_CHECKING, Any, Final

from app.methods.election import Count, Profile, Settings, Tie, number

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CLOSE: Final = 1e-9
"""Part of all votes within which two totals are compared exactly: far above what floats can be wrong by."""
LONGEST: Final = 10**40
"""The largest denominator that is told. Each surplus about doubles a fraction's digits."""


def count(profile: Profile, settings: Settings, weights: tuple[Fraction, ...]) -> Count:
    """Fill `settings.seats` seats (see the module); `order`: the elected, those left over, the eliminated, last first.

    `weights`: what a vote of each sector weighs; none below 0. Among options with equal totals the tie order says who
    is elected first, and who stays when one is eliminated: the last in it goes. Each such tie is reported, over
    `order` or `elimination`. In `rounds`, `votes` is exact, and is left out once denominators exceed `LONGEST` (what
    is decided stays exact); `about` is always there.
    """
    counting = _Counting(_Piles(profile, weights), profile.keys, settings)
    counting.run()
    return counting.result()


@dataclass
class _Counting:
    """A count as it goes on: which options (as columns) are still in it, elected, eliminated."""

    piles: "_Piles"
    keys: Sequence[str]
    settings: Settings
    inside: list[int] = field(default_factory=list)
    elected: list[int] = field(default_factory=list)
    eliminated: list[int] = field(default_factory=list)
    rounds: list[Mapping[str, Any]] = field(default_factory=list)
    ties: list[Tie] = field(default_factory=list)

    def run(self) -> None:
        self.inside = list(range(len(self.keys)))
        start = {"round": "quota", "seats": self.settings.seats, **_told(self.piles.total)}
        self.rounds.append({**start, "quota": number(self.quota)})
        while self.inside and len(self.elected) < self.settings.seats:
            self._round()

    def result(self) -> Count:
        winners = self._named(self.elected)
        amounts = self.piles.amounts(self.inside)
        levels = self._levels(amounts)
        if levels:
            self.rounds.append({"round": "left", **self._standing(levels, amounts)})
        left = self._in_order(levels)
        order = winners + self._named(left) + self._named(reversed(self.eliminated))
        return Count(winners, order, {}, tuple(self.rounds), tuple(self.ties))

    @cached_property
    def quota(self) -> Fraction:
        return _quota(self.piles.weights, self.piles.votes, self.settings.seats)

    def _round(self) -> None:
        amounts = self.piles.amounts(self.inside)
        levels = self._levels(amounts)
        standing = self._standing(levels, amounts)
        reached = [level for level in levels if self._reaches_quota(amounts[level[0]])]
        passing: dict[int, _Amount] = {}
        out: list[int] = []
        remaining = len(self.inside) <= self.settings.seats - len(self.elected)
        if remaining:
            chosen = self._elect(levels)
        elif reached:
            chosen = self._elect(reached)
            passing = {column: amounts[column].less(self.quota) for column in chosen}
        else:
            chosen = []
            out = [self._eliminate(levels[-1])]
            passing = {column: amounts[column] for column in out}
        if passing:
            shares = {column: passed.of(amounts[column]) for column, passed in passing.items()}
            self.piles.pass_on(shares, self.inside)
        self.rounds.append(
            {
                "round": "count",
                **standing,
                "elected": list(self._named(chosen)),
                "eliminated": list(self._named(out)),
                "remaining": remaining,
                "passed_on": [
                    {"key": self.keys[column], **_told(passed)} for column, passed in passing.items()
                ],
            }
        )

    def _reaches_quota(self, amount: "_Amount") -> bool:
        apart = amount.about - float(self.quota)
        if abs(apart) > self.piles.close:
            return apart > 0
        return amount.exact >= self.quota

    def _elect(self, levels: Sequence[Sequence[int]]) -> list[int]:
        chosen = self._in_order(levels)
        self.elected += chosen
        self.inside = [column for column in self.inside if column not in chosen]
        return chosen

    def _eliminate(self, least: Sequence[int]) -> int:
        out = self._in_tie_order(least, "elimination")[-1]
        self.inside.remove(out)
        self.eliminated.append(out)
        return out

    def _in_order(self, levels: Sequence[Sequence[int]]) -> list[int]:
        return [column for level in levels for column in self._in_tie_order(level, "order")]

    def _in_tie_order(self, level: Sequence[int], over: str) -> list[int]:
        """Options with equal totals by the tie order; said so, where it decides."""
        columns = sorted(level, key=self._place.__getitem__)
        if len(columns) > 1:
            between = self._named(columns)
            self.ties.append(Tie(over, between, between[0]))
        return columns

    @cached_property
    def _place(self) -> Mapping[int, int]:
        """The place of each column in the tie order."""
        place = {key: index for index, key in enumerate(self.settings.tie_order)}
        return {column: place[key] for column, key in enumerate(self.keys)}

    def _levels(self, amounts: Mapping[int, "_Amount"]) -> list[list[int]]:
        """The options with the largest total first, exactly equal ones together."""
        columns = sorted(amounts, key=lambda column: -amounts[column].about)
        near: list[list[int]] = []
        for column in columns:
            if near and amounts[near[-1][-1]].about - amounts[column].about <= self.piles.close:
                near[-1].append(column)
            else:
                near.append([column])
        return [level for group in near for level in self._exactly(group, amounts)]

    def _exactly(self, group: list[int], amounts: Mapping[int, "_Amount"]) -> list[list[int]]:
        # Options with the same votes on them are equal without any reckoning; long fractions take long.
        if len(group) == 1 or self.piles.alike(group):
            return [group]

        def total(column: int) -> Fraction:
            return amounts[column].exact

        return [list(level) for _, level in groupby(sorted(group, key=total, reverse=True), key=total)]

    def _standing(self, levels: Sequence[Sequence[int]], amounts: Mapping[int, "_Amount"]) -> dict[str, Any]:
        """What each option in the count has, what the elected keep, what is exhausted: together always all votes."""
        columns = [column for level in levels for column in sorted(level, key=self._place.__getitem__)]
        return {
            "totals": [{"key": self.keys[column], **_told(amounts[column])} for column in columns],
            "kept": [{"key": key, "votes": number(self.quota)} for key in self._named(self.elected)],
            "exhausted": _told(self.piles.exhausted),
        }

    def _named(self, columns: Iterable[int]) -> tuple[str, ...]:
        return tuple(self.keys[column] for column in columns)


def _quota(weights: Sequence[Fraction], votes: Sequence[int], seats: int) -> Fraction:
    """Droop's quota; `votes` is how many there are of each weight."""
    present = [weight for weight, there in zip(weights, votes, strict=True) if weight and there]
    if not present:
        return Fraction(1)
    unit = Fraction(
        gcd(*(weight.numerator for weight in present)), lcm(*(weight.denominator for weight in present))
    )
    total = sum((weight * there for weight, there in zip(weights, votes, strict=True)), Fraction(0))
    return (floor(total / unit / (seats + 1)) + 1) * unit


def _known(value: Fraction, *, short: bool = True) -> "_Amount":
    return _Amount(float(value), lambda: value, short=short)


def _told(amount: "_Amount") -> dict[str, Any]:
    told = {"about": round(amount.about, 4) + 0.0}  # no -0.0
    return {"votes": number(amount.exact), **told} if amount.short else told


class _Amount:
    """An amount of votes: `about` as a float; `exact` is worked out when it is asked for, once."""

    def __init__(self, near: float, exactly: Callable[[], Fraction], *, short: bool = False) -> None:
        self.about = near
        self.short = short
        self._exactly = exactly

    @cached_property
    def exact(self) -> Fraction:
        return self._exactly()

    def less(self, other: Fraction) -> "_Amount":
        return _Amount(self.about - float(other), lambda: self.exact - other, short=self.short)

    def of(self, whole: "_Amount") -> "_Amount":
        """The part of `whole` that this is; all, where both are nothing."""
        if self is whole:
            return _WHOLE
        return _Amount(self.about / whole.about, lambda: self.exact / whole.exact)


_WHOLE: Final = _Amount(1.0, lambda: Fraction(1), short=True)


class _Piles:
    """The votes, and with which options each stands.

    All that is left of a vote stands with one group of options, the best that it has in the count, and evenly: what one
    of them passes on goes to the others of the group, or to the next group once none is left. So a vote is known by
    its group, by how many of it are in the count, and by what is left of it; votes that agree in the last two are
    of one kind, and are only counted.
    """

    def __init__(self, profile: Profile, weights: Sequence[Fraction]) -> None:
        import numpy as np

        counting = profile.supports.any(axis=1)
        sector = profile.sector[counting]
        self.weights = weights
        self.votes: list[int] = np.bincount(sector, minlength=len(weights)).tolist()
        self.total = _known(
            sum((weight * votes for weight, votes in zip(weights, self.votes, strict=True)), Fraction(0))
        )
        self.exhausted = _known(Fraction(0))
        self.close = CLOSE * self.total.about
        self._options = len(profile.options)
        # A place for what is not supported, and one more for where a vote stands that has found none.
        self._nowhere = int(profile.values.max(initial=0)) + 1
        self._exhausted = self._nowhere + 1
        narrow = np.min_scalar_type(self._exhausted)
        places = np.where(profile.supports, profile.values, self._nowhere)[counting].astype(narrow)
        self._places = np.ascontiguousarray(places.T)
        self._current = np.full(len(sector), self._exhausted, dtype=narrow)
        self._kind = np.zeros(len(sector), dtype=np.int64)
        different = list(dict.fromkeys(weights))
        self._left = [_known(weight) for weight in different]
        self._kinds: dict[tuple[int, int], int] = {}
        self._shares: list[_Amount] = []
        self._table = np.zeros((0, self._options + 1), dtype=np.int64)
        self._tell_exactly = True
        left = np.array([different.index(weight) for weight in weights], dtype=np.int64)[sector]
        self._stand(np.arange(len(sector)), left, list(range(self._options)))

    def amounts(self, inside: Sequence[int]) -> dict[int, _Amount]:
        """What stands with each option; `exhausted` is set with them."""
        amounts = self._amounts([*inside, self._options])
        self.exhausted = amounts.pop(self._options)
        return amounts

    def _amounts(self, columns: Sequence[int]) -> dict[int, _Amount]:
        import numpy as np

        table = self._table[:, columns]
        there = np.flatnonzero(table.any(axis=1))
        table = table[there]
        shares = [self._shares[kind] for kind in there]
        near = (table * np.array([share.about for share in shares])[:, None]).sum(axis=0).tolist()
        if self._tell_exactly:
            exact, unit = _exact_sums(table, [share.exact for share in shares])
            self._tell_exactly = unit <= LONGEST
            return {
                column: _known(value, short=self._tell_exactly)
                for column, value in zip(columns, exact, strict=True)
            }
        return {
            column: _Amount(about, partial(_exact_sum, table[:, index], shares))
            for index, (column, about) in enumerate(zip(columns, near, strict=True))
        }

    def alike(self, columns: Sequence[int]) -> bool:
        """Whether as many votes of each kind stand with all of these options."""
        of_them = self._table[:, columns]
        return bool((of_them == of_them[:, :1]).all())

    def pass_on(self, shares: Mapping[int, _Amount], inside: Sequence[int]) -> None:
        """Move the votes that stand with some options, who are not `inside` any more, with a share of their amount."""
        import numpy as np

        going = list(shares)
        hits = self._places[going] == self._current
        votes = np.flatnonzero(hits.any(axis=0))
        left = self._lessened(self._kind[votes], hits[:, votes], list(shares.values()))
        self._table[:, going] = 0
        self._stand(votes, left, inside)

    def _lessened(
        self, kind: "NDArray[np.int64]", hits: "NDArray[np.bool_]", shares: Sequence[_Amount]
    ) -> "NDArray[np.int64]":
        """What is left of votes when those that `hits` names in each one's group keep all but a share."""
        import numpy as np

        kinds = list(self._kinds)
        if shares[0] is _WHOLE:
            return np.array([left for left, _ in kinds], dtype=np.int64)[kind]
        same = kind
        for row in hits:
            same = np.unique(2 * same + row, return_inverse=True)[1]
        _, first, same = np.unique(same, return_index=True, return_inverse=True)
        left = [
            self._less(kinds[one], list(compress(shares, hit)))
            for one, hit in zip(kind[first].tolist(), hits[:, first].T.tolist(), strict=True)
        ]
        return np.array(left, dtype=np.int64)[same]

    def _less(self, kind: tuple[int, int], shares: Sequence[_Amount]) -> int:
        left, size = kind
        whole, staying = self._left[left], size - len(shares)
        self._left.append(
            _Amount(
                whole.about * (staying + sum(share.about for share in shares)) / size,
                lambda: whole.exact * (staying + sum(share.exact for share in shares)) / size,
            )
        )
        return len(self._left) - 1

    def _stand(self, votes: "NDArray[np.int64]", left: "NDArray[np.int64]", inside: Sequence[int]) -> None:
        """Put votes, of which something is left, with the best group that each has among those inside."""
        import numpy as np

        places = self._places[list(inside)][:, votes]
        same = places == self._current[votes]
        self._add(same, self._kind[votes], inside, -1)
        current = np.where(same.any(axis=0), self._current[votes], places.min(axis=0, initial=self._nowhere))
        exhausted = current == self._nowhere
        current[exhausted] = self._exhausted
        same = places == current
        self._current[votes] = current
        self._kind[votes] = self._kinds_of(left, np.count_nonzero(same, axis=0).clip(1))
        self._add(same, self._kind[votes], inside, 1)
        self._add(exhausted[None], self._kind[votes], [self._options], 1)

    def _kinds_of(self, left: "NDArray[np.int64]", size: "NDArray[np.int64]") -> "NDArray[np.int64]":
        import numpy as np

        wide = self._options + 1
        pairs, same = np.unique(left * wide + size, return_inverse=True)
        kinds = [self._kind_of(*divmod(pair, wide)) for pair in pairs.tolist()]
        more = len(self._kinds) - len(self._table)
        self._table = np.concatenate([self._table, np.zeros((more, wide), dtype=np.int64)])
        return np.array(kinds, dtype=np.int64)[same]

    def _kind_of(self, left: int, size: int) -> int:
        if (left, size) not in self._kinds:
            whole = self._left[left]
            self._kinds[left, size] = len(self._kinds)
            self._shares.append(_Amount(whole.about / size, lambda: whole.exact / size))
        return self._kinds[left, size]

    def _add(
        self, same: "NDArray[np.bool_]", kind: "NDArray[np.int64]", columns: Sequence[int], times: int
    ) -> None:
        """Count in the table which votes stand with which options (or, by -1, that they do not any more)."""
        import numpy as np

        row, vote = np.nonzero(same)
        wide = self._options + 1
        cells = kind[vote] * wide + np.array(columns, dtype=np.int64)[row]
        self._table += times * np.bincount(cells, minlength=self._table.size).reshape(self._table.shape)


def _exact_sums(table: "NDArray[np.int64]", shares: Sequence[Fraction]) -> tuple[list[Fraction], int]:
    """Votes of each kind times what they hold, added up by column; and the denominator of all."""
    unit = lcm(*(share.denominator for share in shares))
    parts = [share.numerator * (unit // share.denominator) for share in shares]
    sums = [sum(map(mul, parts, column)) for column in table.T.tolist()]
    return [Fraction(value, unit) for value in sums], unit


def _exact_sum(votes: "NDArray[np.int64]", shares: Sequence[_Amount]) -> Fraction:
    there = [(share.exact, number) for share, number in zip(shares, votes.tolist(), strict=True) if number]
    return sum((share * number for share, number in there), Fraction(0))
