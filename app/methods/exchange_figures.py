"""What a plan reaches, as numbers, and what one plan costs against another."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from app.methods.election import number
from app.methods.exchange_market import Market, Offer
from app.methods.exchange_result import BALANCE, FAIRNESS, HOSTS, SERVED, WISHES, Plan, Stay

TURN: Final = 27_720
"""What the first person of an organisation who goes counts for fairness: the least number that 1 to 12 all divide."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What a plan reaches. `wishes`: how many people have their wish of each rank. `swapped`: people who go in swaps.

    `mean_wish`: the mean rank of the wishes that are met, None if none is. `directions`: how many go from one sector to
    another, as (from, to, people), and `imbalance` by how many people these differ, over all pairs of sectors and with
    those who went earlier. `organisations`: for each with a guest or an offer (id, who wish to go, who go, who come).
    `turns`: the measure of fairness between organisations, in 27,720ths: the more the fairer.
    """

    people: int
    served: int
    swapped: int
    first_wishes: int
    wishes: Mapping[int, int]
    mean_wish: Fraction | None
    directions: tuple[tuple[str, str, int], ...]
    imbalance: int
    turns: int
    organisations: tuple[tuple[int, int, int, int], ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """What the other plan has more (or less, below 0) than the one.

    `better` and `worse`: people who have a higher wish in the other plan, or a stay at all, and those who have a lower
    one, or none. `moved`: all who go elsewhere, no more or newly.
    """

    served: int
    first_wishes: int
    mean_wish: Fraction | None
    imbalance: int
    turns: int
    better: tuple[int, ...]
    worse: tuple[int, ...]
    moved: tuple[int, ...]


def figures(market: Market, plan: Plan) -> Figures:
    """What the plan reaches."""
    ranks: Counter[int] = Counter(stay.rank for stay in plan.stays if stay.rank is not None)
    wishing = Counter(guest.organisation for guest in market.guests if guest.wishes)
    going = Counter(market.guest[stay.person].organisation for stay in plan.stays)
    coming = Counter(stay.organisation for stay in plan.stays)
    directions = Counter((market.guest[stay.person].sector, stay.sector) for stay in plan.stays)
    return Figures(
        people=len(market.guests),
        served=len(plan.stays),
        swapped=sum(len(swap.people) for swap in plan.swaps),
        first_wishes=ranks[1],
        wishes=dict(sorted(ranks.items())),
        mean_wish=_mean(ranks),
        directions=tuple((*way, directions[way]) for way in sorted(directions)),
        imbalance=imbalance(market, plan.stays),
        turns=turns(market, plan.stays),
        organisations=tuple((one, wishing[one], going[one], coming[one]) for one in sorted(market.sector_of)),
    )


def difference(market: Market, one: Plan, other: Plan) -> Difference:
    """What the other plan has more or less than the one, of the same market."""
    ours, theirs = figures(market, one), figures(market, other)
    before, after = ({stay.person: stay for stay in plan.stays} for plan in (one, other))
    people = sorted(before.keys() | after.keys())
    changed = [(person, _height(before.get(person)), _height(after.get(person))) for person in people]
    means = None if ours.mean_wish is None or theirs.mean_wish is None else theirs.mean_wish - ours.mean_wish
    return Difference(
        served=theirs.served - ours.served,
        first_wishes=theirs.first_wishes - ours.first_wishes,
        mean_wish=means,
        imbalance=theirs.imbalance - ours.imbalance,
        turns=theirs.turns - ours.turns,
        better=tuple(person for person, was, is_now in changed if is_now < was),
        worse=tuple(person for person, was, is_now in changed if is_now > was),
        moved=tuple(person for person in people if _where(before.get(person)) != _where(after.get(person))),
    )


def to_json(found: Figures | Difference) -> dict[str, Any]:
    """Figures or a difference as plain data, exact: a fraction that is not whole is text such as `7/3`."""
    return {name: _plain(getattr(found, name)) for name in found.__slots__}


def values(market: Market, stays: Iterable[Stay]) -> dict[str, int]:
    """What the aims of a plan count, by aim: the numbers of `Proof.value`."""
    stays = tuple(stays)
    return {
        SERVED: len(stays),
        BALANCE: imbalance(market, stays),
        WISHES: sum(stay.rank or 0 for stay in stays),
        FAIRNESS: turns(market, stays),
        HOSTS: sum(
            host_place(market.offer[stay.offer], stay.person) for stay in stays if stay.offer is not None
        ),
    }


def imbalance(market: Market, stays: Iterable[Stay]) -> int:
    """By how many people the directions differ, over all pairs of sectors; earlier stays count as well."""
    ways = ways_between(market, stays)
    return sum(
        abs(ways[one, other] - ways[other, one]) for one, other in {tuple(sorted(way)) for way in ways}
    )


def turns(market: Market, stays: Iterable[Stay]) -> int:
    """Fairness between organisations: its first person counts 27,720, the second a half, the third a third, and so on.

    Whoever went earlier has had the first turns. Fractions are rounded down, each on its own.
    """
    had = Counter(stay.organisation for stay in market.earlier)
    found = 0
    for stay in stays:
        organisation = market.guest[stay.person].organisation
        had[organisation] += 1
        found += TURN // had[organisation]
    return found


def host_place(offer: Offer, person: int) -> int:
    """The place of a person in the host's list, from 0; all whom it does not name stand after the last."""
    named = offer.preferences
    return named.index(person) if person in named else len(named)


def ways_between(market: Market, stays: Iterable[Stay]) -> Counter[tuple[str, str]]:
    """How many go from one sector to another, earlier stays included; also within a sector."""
    ways = Counter((stay.sector, stay.host_sector) for stay in market.earlier)
    ways.update((market.guest[stay.person].sector, stay.sector) for stay in stays)
    return ways


def _mean(ranks: Mapping[int, int]) -> Fraction | None:
    met = sum(ranks.values())
    return Fraction(sum(rank * people for rank, people in ranks.items()), met) if met else None


def _height(stay: Stay | None) -> tuple[int, int]:
    """How good a stay is for the person, the least the best: a wish, a stay that none of the wishes named, none."""
    if stay is None:
        return (2, 0)
    return (1, 0) if stay.rank is None else (0, stay.rank)


def _where(stay: Stay | None) -> tuple[Any, ...]:
    return () if stay is None else (stay.organisation, stay.span, stay.offer)


def _plain(value: Any) -> Any:
    if isinstance(value, Fraction):
        return number(value)
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    if isinstance(value, Mapping):
        return {str(key): part for key, part in value.items()}
    return value
