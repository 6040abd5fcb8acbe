"""The plan that serves most people, by six aims in this order: the next only among plans that are best by all before.

1. `served`: most people have a stay, at an offer or in a swap.
2. `balance`: as many go from one sector to another as back, over all pairs of sectors.
3. `wishes`: the sum of the ranks of the wishes that are met is least.
4. `fairness`: the first person of an organisation counts for more than its second, that for more than the third.
5. `hosts`: the people whom hosts would rather have.
6. `lot`: what is equal by all of these is decided by lots drawn from the seed.

`exchange_swaps` finds who could swap, `exchange_model` writes the problem down, `exchange_search` solves it.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, repeat
from typing import Final

from app.methods.exchange_choices import Desk, Settled, at_offer, stays_of
from app.methods.exchange_demands import Demands, Swap, checked, kept
from app.methods.exchange_figures import values
from app.methods.exchange_market import Market
from app.methods.exchange_model import Going, Problem, problem, unringed
from app.methods.exchange_result import (
    AIMS,
    BOUNDED,
    FAIRNESS,
    LOT,
    MOST,
    OPTIMAL,
    SERVED,
    Cancelled,
    Plan,
    Proof,
    Stay,
    Tell,
    quietly,
)
from app.methods.exchange_search import Ended, Found, bound, search
from app.methods.exchange_swaps import Way, cycles, filled, ways

SHARES: Final = {
    "reading": 0.0,
    "swaps": 0.02,
    "served": 0.05,
    "balance": 0.4,
    "wishes": 0.45,
    "fairness": 0.75,
    "hosts": 0.85,
    "lot": 0.9,
    "": 1.0,
}
"""What share of a run is done when each step begins, and at the end."""
HALFWAY: Final = 20_000
"""After so many iterations a step is told as half done: how many it will take cannot be known."""


def most_served(
    market: Market, demands: Demands | None = None, *, seed: int = 1, tell: Tell = quietly
) -> Plan:
    """The plan that serves most people: the same for the same market, demands and seed, in whatever order they stand.

    HiGHS finds and proves it on one thread; its limits count nodes, never seconds. `Plan.state` and `Plan.proofs` say
    how far it is proved to be the best. `tell` is asked several times a second whether to go on.

    :raises Impossible: the demands exclude each other
    :raises Cancelled: `tell` answered False
    """
    telling = _Telling(tell)
    settled = Settled(market, demands or Demands())
    checked(market, settled.demands)
    try:
        telling("reading")
        telling("swaps")
        to_look_at, all_cycles = cycles(ways(settled), seed)
        posed = problem(settled, to_look_at, seed)
        found = search(posed, AIMS, seed, telling.hears)
        if not all_cycles:
            found.bounds[SERVED] = bound(unringed(settled, ways(settled)), SERVED, seed, telling.hears)
    except Ended:
        raise Cancelled from None
    return _plan(settled, posed, found, seed, all_cycles=all_cycles)


class _Telling:
    """Tells how far a run is, which never goes back."""

    def __init__(self, tell: Tell) -> None:
        self.tell = tell
        self.share = 0.0

    def __call__(self, step: str) -> None:
        """A step begins.

        :raises Ended: it shall not
        """
        if not self.tell(step, SHARES[step]):
            raise Ended

    def hears(self, step: str, iterations: int) -> bool:
        """A step has taken so many iterations; whether it shall go on."""
        steps = list(SHARES)
        begins, ends = SHARES[step], SHARES[steps[steps.index(step) + 1]]
        self.share = max(self.share, begins + (ends - begins) * iterations / (iterations + HALFWAY))
        return self.tell(step, self.share)


def _plan(settled: Settled, posed: Problem, found: Found, seed: int, *, all_cycles: bool) -> Plan:
    market = settled.market
    going = [going for going, taken in zip(posed.goings, found.columns, strict=False) if taken]
    swaps = _swaps(settled, posed, found, going)
    stays = [
        at_offer(market.offer[one.offer], one.person, one.rank) for one in going if one.offer is not None
    ]
    stays += chain.from_iterable(stays_of(market, swap) for swap in swaps)
    stays = sorted((*stays, *settled.stays), key=lambda stay: stay.person)
    proofs = tuple(_proofs(market, stays, found))
    placed = {stay.person for stay in stays}
    return Plan(
        aim=MOST,
        seed=seed,
        stays=tuple(stays),
        unmatched=tuple(guest.person for guest in market.guests if guest.person not in placed),
        swaps=tuple(sorted((*swaps, *kept(settled.demands)))),
        state=OPTIMAL if all_cycles and all(map(_is_proved, proofs)) else BOUNDED,
        proofs=proofs,
        cycles=len(posed.cycles),
        all_cycles=all_cycles,
        against=_against(posed, found, {stay.person: stay for stay in stays}),
    )


def _swaps(settled: Settled, posed: Problem, found: Found, going: Sequence[Going]) -> tuple[Swap, ...]:
    """The swaps of the cycles that are used."""
    people: dict[Way, list[int]] = defaultdict(list)
    for one in going:
        if one.desk is not None:
            people[settled.market.guest[one.person].organisation, *one.desk].append(one.person)
    used = found.columns[len(posed.goings) :]
    times = chain.from_iterable(
        repeat(cycle, int(number)) for cycle, number in zip(posed.cycles, used, strict=False)
    )
    return filled(times, people)


def _proofs(market: Market, stays: Sequence[Stay], found: Found) -> Iterator[Proof]:
    reached = values(market, stays)
    for aim in AIMS:
        if aim != LOT:
            gap = found.totals[aim] - found.bounds[aim]
            better = gap if aim in {SERVED, FAIRNESS} else -gap
            yield Proof(aim, reached[aim], reached[aim] + better, same_swaps=aim in found.same_swaps)


def _is_proved(proof: Proof) -> bool:
    return not proof.gap and not proof.same_swaps


def _against(posed: Problem, found: Found, stays: Mapping[int, Stay]) -> dict[tuple[int, str | Desk], str]:
    """Which aim speaks against what people would rather have had."""
    against: dict[tuple[int, str | Desk], str] = {}
    for number, aim in sorted(found.against.items()):
        going = posed.goings[number]
        stay = stays.get(going.person)
        where = going.offer or going.desk
        if where is not None and (stay is None or stay.rank is None or going.rank < stay.rank):
            against[going.person, where] = aim
    return against
