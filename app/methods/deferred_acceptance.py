"""The stable plan: people ask for places in the order of their wishes, hosts keep whom they would rather have.

Deferred acceptance with people asking (Gale and Shapley 1962, section 5; hospitals and residents). No person and host
would both rather have each other: where someone would rather have had another offer, all its places are with people
whom its host likes at least as much. That is weak stability, since there are ties: hosts like all equally whom they do
not name, people like equally what one wish names. The lot puts them in order, one order of people for all hosts
(Abdulkadiroğlu, Pathak and Roth 2009). Of all plans that are stable by these orders this is the best for every person.

Desks are not swapped here: stability is between people and hosts, and in a swap each is both. What a demand has settled
or forbidden stays as it is.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from heapq import heappop, heappush
from typing import Final

from app.methods.exchange_choices import Settled, at_offer
from app.methods.exchange_demands import Demands, checked, kept
from app.methods.exchange_figures import host_place
from app.methods.exchange_market import Market
from app.methods.exchange_result import STABLE, Cancelled, Plan, Tell, quietly

TOLD_EVERY: Final = 500

_Held = list[tuple[int, int, int]]
"""Who is kept at an offer, as a heap: the one whom the host likes least comes first, with the place in its list."""


def stable(market: Market, demands: Demands | None = None, *, seed: int = 1, tell: Tell = quietly) -> Plan:
    """The stable plan: the same for the same market, demands and seed, in whatever order they stand.

    :raises Impossible: the demands exclude each other
    :raises Cancelled: `tell` answered False
    """
    settled = Settled(market, demands or Demands())
    checked(market, settled.demands)
    if not tell("reading", 0.0):
        raise Cancelled
    stays = [
        at_offer(market.offer[key], person, settled.choices[person].offers[key])
        for key, people in _kept_by_hosts(settled, seed, tell).items()
        for *_, person in people
    ]
    stays = sorted((*stays, *settled.stays), key=lambda stay: stay.person)
    placed = {stay.person for stay in stays}
    return Plan(
        aim=STABLE,
        seed=seed,
        stays=tuple(stays),
        unmatched=tuple(guest.person for guest in market.guests if guest.person not in placed),
        swaps=kept(settled.demands),
    )


def _kept_by_hosts(settled: Settled, seed: int, tell: Tell) -> Mapping[str, _Held]:
    """Who is kept at each offer, once nobody has anything left to ask for."""
    held: dict[str, _Held] = defaultdict(list)
    asking = {person: _asks(settled, person, seed) for person in settled.people}
    for turn, asks_first in enumerate(settled.people):
        if turn % TOLD_EVERY == 0 and not tell("proposing", 0.1 + 0.8 * turn / len(asking)):
            raise Cancelled
        person: int | None = asks_first
        while person is not None:
            key = next(asking[person], None)
            person = None if key is None else _asked(settled, held[key], key, person, seed)
    return held


def _asks(settled: Settled, person: int, seed: int) -> Iterator[str]:
    """What a person asks for, one after the other: the best wish first, what is equal to it in the order of a lot."""
    offers = settled.choices[person].offers
    return iter(sorted(offers, key=lambda key: (offers[key], _lot(seed, str(person), key), key)))


def _asked(settled: Settled, held: _Held, key: str, person: int, seed: int) -> int | None:
    """A host is asked: whom it turns away, if anyone, who then asks elsewhere."""
    place = host_place(settled.market.offer[key], person)
    heappush(held, (-place, -_lot(seed, "people", str(person)), person))
    if len(held) <= settled.places[key]:
        return None
    return heappop(held)[-1]


def _lot(seed: int, *purpose: str) -> int:
    """A number that nobody chose: the same always for the same seed and purpose."""
    digest = hashlib.sha256("\n".join((str(seed), *purpose)).encode()).digest()
    return int.from_bytes(digest[:8])
