"""The sector rule: how sectors decide together. First the bar, then the method.

Support is counted in each sector as yes of votes (without abstentions). From it each rule makes two numbers:

| rule | what is compared with the bar | measure, which orders |
|---|---|---|
| `least_sector` | the least of the sectors' yes/votes | the least of the sectors' (yes+1)/(votes+2) |
| `both_sectors` | the least of the sectors' yes/votes | the same |
| `bridging` | the product of the sectors' yes/votes | the product of the sectors' (yes+1)/(votes+2) |
| `equal_weight`, `equal_split` | the mean of the sectors' yes/votes | the same |
| `one_person` | all yes/all votes | the same |

A sector without votes has yes/votes of 0. The bar is `threshold` percent (for the product that percent to the power of
the number of sectors, so that the geometric mean must reach it); at 50 it must be exceeded, any other must be reached,
and 0 is no bar. The added one and two are those of `bridging.score`.

The method then counts the options that passed, each vote weighing 1; under `equal_weight` and `equal_split` 1/votes of
its sector. Under `least_sector` and `bridging` the measure orders those that passed, and the method's order only
where measures are equal; the first win, in budgets each that still fits into the money. Options set aside follow
by measure, then in the tie order. In budgets no money is spent on what nobody supports, also where there is no bar.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, floor, prod
from typing import Any, Final

from app.methods import totals
from app.methods.election import (
    RULES,
    SMALLEST_SECTOR,
    Count,
    Election,
    Option,
    Profile,
    Reason,
    Settings,
    Tie,
    Vote,
    number,
)

Method = Callable[[Profile, Settings, tuple[Fraction, ...]], Count]
Pair = tuple[int, int]
"""Yes, votes."""

MEASURED: Final = ("least_sector", "bridging")
"""Rules whose measure comes before the method's order."""
SPLIT: Final = ("equal_weight", "equal_split")
"""Rules under which all votes of one sector together weigh as much as all votes of another."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What a rule and a method decide of a profile, before any quorum.

    By key of each option: `support` as (yes, votes) in each sector, `carried` (what the bar is compared with),
    `measure` (what orders), and `reasons` for passing the bar or not.
    `passed` are those over the bar; `count` holds the winners, the order of all options, and the explanation.
    """

    count: Count
    support: Mapping[str, tuple[Pair, ...]]
    carried: Mapping[str, Fraction]
    measure: Mapping[str, Fraction]
    passed: tuple[str, ...]
    reasons: Mapping[str, tuple[Reason, ...]]


def suiting(method: str) -> tuple[str, ...]:
    """The rules that suit a method: `equal_split` is for budgets alone."""
    return tuple(rule for rule in RULES if rule != "equal_split" or method == "budget")


def small_sectors(votes: Iterable[Vote], eligible: Mapping[str, int]) -> tuple[str, ...]:
    """The sectors, in the programme's order, with fewer than `SMALLEST_SECTOR` votes, abstentions included.

    A sector in which nobody voted is one of them.
    """
    cast = Counter(vote.sector for vote in votes)
    names = [*eligible, *sorted(set(cast) - set(eligible))]
    return tuple(name for name in names if cast[name] < SMALLEST_SECTOR)


def pooled(election: Election) -> Election:
    """The election as it may be counted and published; the same again if it is so already (idempotent).

    In a secret ballot with a sector that is too small, no sector is counted apart: every vote has the sector ``, and
    `too_small` names those that were. With fewer than `SMALLEST_SECTOR` votes in all, none is counted nor published,
    and `withheld` says how many there were. `eligible` stays. Any other election is returned as it is. The published
    log holds the votes so, and is counted to the very same result.
    """
    small = election.too_small
    if not small and election.settings.secret:
        small = small_sectors(election.votes, election.eligible)
    if not small or election.withheld:
        return election
    if len(election.votes) < SMALLEST_SECTOR:
        return replace(election, votes=(), too_small=small, withheld=len(election.votes))
    votes = [vote if not vote.sector else vote._replace(sector="") for vote in election.votes]
    return replace(election, votes=votes, too_small=small)


def decide(
    profile: Profile,
    settings: Settings,
    method: Method,
    *,
    measured: bool = True,
    too_small: Sequence[str] = (),
) -> Decision:
    """Set aside the options that do not pass the bar, and let the method and the rule order the others.

    `measured` as False leaves the order to the method under every rule. With `too_small` (and any rule but one person,
    one vote) no option can pass, since support in each sector is not known.
    """
    support = _support(profile)
    shares = {key: carried(settings.rule, pairs) for key, pairs in support.items()}
    measure = shares
    if settings.rule in MEASURED:
        measure = {key: measure_of(settings.rule, pairs) for key, pairs in support.items()}
    failings = {
        key: _failings(settings, pairs, shares[key], profile.sectors) for key, pairs in support.items()
    }
    if too_small and settings.rule != "one_person":
        unknown = Reason("sector_too_small", {"sectors": list(too_small), "least": SMALLEST_SECTOR})
        failings = dict.fromkeys(support, (unknown,))
    passed = tuple(key for key in profile.keys if not failings[key])
    by_measure = measured and settings.rule in MEASURED
    count = _counted(profile, settings, method, passed, measure if by_measure else None)
    aside = totals.in_order([key for key in profile.keys if failings[key]], measure, settings.tie_order)
    reached = Reason("bar_reached" if settings.threshold else "no_bar", {"percent": settings.threshold})
    reasons = {key: failings[key] or (reached,) for key in profile.keys}
    decision = Decision(
        replace(count, order=(*count.order, *aside)), support, shares, measure, passed, reasons
    )
    bar = _bar_round(settings, profile.sectors, decision)
    return replace(decision, count=replace(decision.count, rounds=(bar, *count.rounds)))


def measure_of(rule: str, support: Sequence[Pair]) -> Fraction:
    """The number by which a rule orders, from yes and votes in each sector; between 0 and 1."""
    if rule in MEASURED:
        return _JOIN[rule]([Fraction(yes + 1, votes + 2) for yes, votes in support])
    return carried(rule, support)


def carried(rule: str, support: Sequence[Pair]) -> Fraction:
    """The number that a rule compares with the bar, from yes and votes in each sector; between 0 and 1."""
    if rule == "one_person":
        support = [(sum(yes for yes, _ in support), sum(votes for _, votes in support))]
    return _JOIN[rule]([Fraction(yes, votes) if votes else Fraction(0) for yes, votes in support])


def weights_of(rule: str, votes: Sequence[int]) -> tuple[Fraction, ...]:
    """What one vote of each sector weighs, from the number of votes in each."""
    return tuple(Fraction(1, count) if rule in SPLIT and count else Fraction(1) for count in votes)


def _mean(shares: Sequence[Fraction]) -> Fraction:
    return sum(shares, Fraction(0)) / len(shares) if shares else Fraction(0)


def _least(shares: Sequence[Fraction]) -> Fraction:
    return min(shares, default=Fraction(0))


def _product(shares: Sequence[Fraction]) -> Fraction:
    if not shares:
        return Fraction(0)
    return Fraction(prod(share.numerator for share in shares), prod(share.denominator for share in shares))


_JOIN: Final[Mapping[str, Callable[[Sequence[Fraction]], Fraction]]] = {
    "least_sector": _least,
    "both_sectors": _least,
    "bridging": _product,
    "equal_weight": _mean,
    "equal_split": _mean,
    "one_person": _mean,
}


def _support(profile: Profile) -> dict[str, tuple[Pair, ...]]:
    votes = _votes(profile)
    yes = totals.by_sector(profile.supports, profile.sector, len(profile.sectors))
    return {
        key: tuple((row[column], count) for row, count in zip(yes, votes, strict=True))
        for column, key in enumerate(profile.keys)
    }


def _votes(profile: Profile) -> tuple[int, ...]:
    """How many votes there are in each sector."""
    import numpy as np

    return tuple(np.bincount(profile.sector, minlength=len(profile.sectors)).tolist())


def _counted(
    profile: Profile,
    settings: Settings,
    method: Method,
    passed: tuple[str, ...],
    measure: Mapping[str, Fraction] | None,
) -> Count:
    """The method's count of the options that passed, put in the order of `measure` if there is one."""
    if not passed or not len(profile.sector):
        order = totals.in_order(passed, dict.fromkeys(passed, Fraction(0)), settings.tie_order)
        return Count((), order)
    keys = set(passed)
    inside = profile.only([column for column, key in enumerate(profile.keys) if key in keys])
    narrowed = replace(
        settings,
        seats=min(settings.seats, len(passed)),
        tie_order=tuple(key for key in settings.tie_order if key in keys),
    )
    count = method(inside, narrowed, weights_of(settings.rule, _votes(profile)))
    return count if measure is None else _by_measure(count, narrowed, inside.options, measure)


def _by_measure(
    count: Count, settings: Settings, options: Sequence[Option], measure: Mapping[str, Fraction]
) -> Count:
    order = tuple(
        sorted(count.order, key=lambda key: -measure[key])
    )  # stable: equal ones as the method has them
    steps: tuple[Mapping[str, Any], ...] = ()
    if settings.method == "budget":
        winners, steps = _affordable(order, {option.key: option.cost for option in options}, settings.budget)
    else:
        winners = order[: settings.seats]
    explanation = {
        "round": "measure",
        "rule": settings.rule,
        "options": [
            {"key": key, "measure": number(measure[key]), "about": totals.about(measure[key])}
            for key in order
        ],
    }
    ties = _ties_by_measure(count, order, winners, measure, settings.method)
    return replace(
        count, winners=winners, order=order, rounds=(*count.rounds, explanation, *steps), ties=ties
    )


def _affordable(
    order: Sequence[str], costs: Mapping[str, int], budget: int
) -> tuple[tuple[str, ...], tuple[Mapping[str, Any], ...]]:
    """Each option in order that still fits into the money, and how that went."""
    left = budget
    winners: list[str] = []
    steps: list[Mapping[str, Any]] = []
    for key in order:
        taken = costs[key] <= left
        if taken:
            winners.append(key)
            left -= costs[key]
        steps.append({"key": key, "cost": costs[key], "taken": taken, "left": left})
    return tuple(winners), ({"round": "spending", "budget": budget, "options": steps},)


def _ties_by_measure(
    count: Count, order: Sequence[str], winners: Sequence[str], measure: Mapping[str, Fraction], method: str
) -> tuple[Tie, ...]:
    """The ties that still matter once the measure has ordered: those within a group of equal measure."""
    limit = "money" if method == "budget" else "seat"
    groups = totals.ties_in(order, measure.__getitem__, winners, limit)
    if count.scores:
        return totals.ties_in(order, lambda key: (measure[key], count.scores[key]), winners, limit)
    # Where the method's order is no row of numbers, each of its ties may have shaped the order within a group.
    return count.ties if groups else ()


def _failings(
    settings: Settings, support: Sequence[Pair], share: Fraction, sectors: Sequence[str]
) -> tuple[Reason, ...]:
    """Why an option does not pass the bar; empty if it does. `share` is what its rule compares with the bar."""
    if settings.method == "budget" and not any(yes for yes, _ in support):
        return (Reason("no_support"),)
    needed = Fraction(settings.threshold, 100)
    rule = settings.rule
    if rule == "bridging":
        needed **= len(support)
    if not settings.threshold or _reaches(share, needed, settings):
        return ()
    if rule in {"least_sector", "both_sectors"}:
        rows = zip(sectors, support, strict=True)
        return tuple(
            _sector_failing(*row, settings) for row in rows if row[1][0] < _needed(row[1][1], settings)
        )
    if rule == "one_person":
        return (_whole_failing(support, settings),)
    # What was reached is cut off and what is needed rounded up, so that the two never look equal.
    given, bar = floor(share * 1000) / 10, ceil(needed * 1000) / 10
    code = "product" if rule == "bridging" else "mean"
    code += "_not_over_bar" if settings.threshold == 50 else "_below_bar"
    return (Reason(code, {"given": given, "needed": bar}),)


def _reaches(share: Fraction, needed: Fraction, settings: Settings) -> bool:
    return share > needed if settings.threshold == 50 else share >= needed


def _sector_failing(sector: str, pair: Pair, settings: Settings) -> Reason:
    yes, votes = pair
    if not votes:
        return Reason("sector_without_votes", {"sector": sector})
    values = {"sector": sector, "yes": yes, "votes": votes, "needed": _needed(votes, settings)}
    return Reason("sector_below_bar", values)


def _whole_failing(support: Sequence[Pair], settings: Settings) -> Reason:
    yes, votes = sum(yes for yes, _ in support), sum(votes for _, votes in support)
    return Reason("whole_below_bar", {"yes": yes, "votes": votes, "needed": _needed(votes, settings)})


def _needed(votes: int, settings: Settings) -> int:
    """The least number of yes among `votes` that passes the bar: at least one, so that no votes carry nothing."""
    if settings.threshold == 50:
        return votes // 2 + 1
    return max(1, ceil(Fraction(settings.threshold * votes, 100)))


def _bar_round(settings: Settings, sectors: Sequence[str], decision: Decision) -> dict[str, Any]:
    return {
        "round": "bar",
        "rule": settings.rule,
        "threshold": settings.threshold,
        "sectors": list(sectors),
        "options": [
            {
                "key": key,
                "support": [list(pair) for pair in decision.support[key]],
                "carried": number(decision.carried[key]),
                "measure": number(decision.measure[key]),
                "about": totals.about(decision.measure[key]),
                "passed": key in decision.passed,
            }
            for key in decision.count.order
        ],
    }
