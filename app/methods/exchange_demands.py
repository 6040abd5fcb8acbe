"""What a coordinator demands of a plan, and which of the demands exclude each other."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import date
from itertools import chain
from typing import Any, Final

from app.lib.days import Span
from app.lib.i18n import N_
from app.methods.election import canonical
from app.methods.exchange_market import Market, Offer, hindrance, hindrance_at

LONGEST_CYCLE: Final = 4
"""No swap is among more people."""


@dataclass(frozen=True, slots=True, order=True)
class Pin:
    """The person shall have the offer, whether it is among their wishes or not."""

    person: int
    offer: str


@dataclass(frozen=True, slots=True, order=True)
class Forbid:
    """The person shall not have an offer, any of a placement, or anything at an organisation (no desk either).

    Exactly one of the three is given; the others are None.
    """

    person: int
    offer: str | None = None
    placement: int | None = None
    organisation: int | None = None

    def hits(self, offer: Offer) -> bool:
        """Whether it forbids this offer."""
        return (
            self.hits_desk(offer.organisation)
            or (self.placement is not None and self.placement == offer.placement)
            or (self.offer is not None and self.offer == offer.key)
        )

    def hits_desk(self, organisation: int) -> bool:
        """Whether it forbids a desk at this organisation."""
        return self.organisation is not None and self.organisation == organisation


@dataclass(frozen=True, slots=True, order=True)
class Swap:
    """People who go to each other's desks on these days: each to the desk of the next, the last to that of the first.

    In a plan the person with the least id comes first.
    """

    people: tuple[int, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Demands:
    """All demands of a run, in any order. `swaps`: those that shall be kept as they are."""

    pins: frozenset[Pin] = frozenset()
    forbids: frozenset[Forbid] = frozenset()
    swaps: frozenset[Swap] = frozenset()


@dataclass(frozen=True, slots=True)
class Clash:
    """Demands that exclude each other, or one that nothing can meet: `code` chooses the words, one of `CLASHES`.

    `values` fill them: `person` (id), `offer` (key), `organisation` (id), `places` and `pins`, as the words name them.
    """

    code: str
    demands: tuple[Pin | Forbid | Swap, ...]
    values: Mapping[str, Any] = field(default_factory=dict)


class Impossible(Exception):
    """No plan can meet the demands: `clashes` names every set of them that excludes itself."""

    def __init__(self, clashes: Iterable[Clash]) -> None:
        self.clashes = tuple(clashes)
        super().__init__(", ".join(clash.code for clash in self.clashes))


CLASHES: Final[Mapping[str, str]] = {
    "unknown_person": N_("%(person)s is to be kept in the plan, but takes no part in this match any more."),
    "unknown_offer": N_("%(person)s is to have an offer that is not there any more."),
    "placed_twice": N_("%(person)s is to have more than one stay; each person goes once."),
    "too_many_pins": N_("%(pins)s people are to have %(offer)s, which has places for %(places)s."),
    "pinned_and_forbidden": N_("%(person)s is to have %(offer)s, and is not to go there."),
    "kept_and_forbidden": N_(
        "%(person)s is to take part in a swap with %(organisation)s, and is not to go there."
    ),
    "own_organisation": N_("%(person)s is to go to %(organisation)s, which is their own organisation."),
    "sector": N_("%(person)s is to go to %(organisation)s, which takes guests of other sectors only."),
    "conflict": N_(
        "%(person)s is to go to %(organisation)s, and has declared a conflict of interest with it."
    ),
    "unavailable": N_("%(person)s is to go to %(organisation)s on days on which they cannot."),
    "desk_not_offered": N_("%(person)s is to take part in a swap, but does not offer their desk."),
    "swap_length": N_("A swap that is to be kept is not one of two to four people."),
}
"""Words for each clash. `person`, `offer` and `organisation` are to be replaced by what people call them."""


def checked(market: Market, demands: Demands) -> None:
    """Nothing, if a plan can meet the demands.

    :raises Impossible: it cannot; with all that `check` finds
    """
    clashes = check(market, demands)
    if clashes:
        raise Impossible(clashes)


def check(market: Market, demands: Demands) -> tuple[Clash, ...]:
    """Every set of demands that excludes itself; nothing, if a plan can meet them all. In the same order always.

    That is exact: if nothing is found, there is such a plan. To forbid what is not there any more does no harm.
    """
    found = chain(
        _clashes_of_pins(market, demands),
        _clashes_of_swaps(market, demands),
        _placed_twice(demands),
        _too_many_pins(market, demands),
    )
    return tuple(found)


def forbidden(demands: Demands) -> Mapping[int, tuple[Forbid, ...]]:
    """What each person shall not have."""
    found: dict[int, tuple[Forbid, ...]] = {}
    for forbid in sorted(demands.forbids, key=repr):
        found[forbid.person] = (*found.get(forbid.person, ()), forbid)
    return found


def around(ring: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Each of the ring with the next, the last with the first."""
    return zip(ring, (*ring[1:], *ring[:1]), strict=True)


def from_least(ring: Sequence[int]) -> tuple[int, ...]:
    """The same ring, beginning with the least."""
    first = ring.index(min(ring))
    return (*ring[first:], *ring[:first])


def kept(demands: Demands) -> tuple[Swap, ...]:
    """The swaps that shall be kept, as a plan has them."""
    return tuple(sorted(Swap(from_least(swap.people), swap.span) for swap in demands.swaps))


def input_hash(market: Market, demands: Demands, aim: str, seed: int) -> str:
    """SHA-256, in hexadecimal, of all that decides a plan; the order of guests, offers and demands plays no part."""
    plain = {
        "market": {name: _plain(getattr(market, name)) for name in Market.__dataclass_fields__},
        "demands": _plain(demands),
        "aim": aim,
        "seed": seed,
    }
    return hashlib.sha256(canonical(plain)).hexdigest()


def _plain(value: Any) -> Any:
    """The value as plain data in one form only: what has no order is sorted by how it is written."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, frozenset):
        return sorted(map(_plain, value), key=canonical)
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    if is_dataclass(value):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    return value


def _clashes_of_pins(market: Market, demands: Demands) -> Iterator[Clash]:
    forbidding = forbidden(demands)
    for pin in sorted(demands.pins):
        guest, offer = market.guest.get(pin.person), market.offer.get(pin.offer)
        values = {"person": pin.person, "offer": pin.offer}
        if guest is None:
            yield Clash("unknown_person", (pin,), values)
        if offer is None:
            yield Clash("unknown_offer", (pin,), values)
        if guest is None or offer is None:
            continue
        values = {**values, "organisation": offer.organisation}
        against = hindrance(guest, offer)
        if against:
            yield Clash(against, (pin,), values)
        for forbid in forbidding.get(pin.person, ()):
            if forbid.hits(offer):
                yield Clash("pinned_and_forbidden", (pin, forbid), values)


def _clashes_of_swaps(market: Market, demands: Demands) -> Iterator[Clash]:
    for swap in sorted(demands.swaps):
        if not 2 <= len(swap.people) <= LONGEST_CYCLE:
            yield Clash("swap_length", (swap,))
        unknown = [person for person in swap.people if person not in market.guest]
        yield from (Clash("unknown_person", (swap,), {"person": person}) for person in unknown)
        if not unknown:
            yield from _clashes_of_swap(market, demands, swap)


def _clashes_of_swap(market: Market, demands: Demands, swap: Swap) -> Iterator[Clash]:
    forbidding = forbidden(demands)
    for person, next_person in around(swap.people):
        guest, host = market.guest[person], market.guest[next_person]
        values = {"person": person, "organisation": host.organisation}
        if not guest.offers_desk:
            yield Clash("desk_not_offered", (swap,), values)
        against = hindrance_at(guest, host.organisation, host.sector, swap.span, market.open_to)
        if against:
            yield Clash(against, (swap,), values)
        for forbid in forbidding.get(person, ()):
            if forbid.hits_desk(host.organisation):
                yield Clash("kept_and_forbidden", (swap, forbid), values)


def _placed_twice(demands: Demands) -> Iterator[Clash]:
    placing: dict[int, list[Pin | Swap]] = defaultdict(list)
    for pin in sorted(demands.pins):
        placing[pin.person].append(pin)
    for swap in sorted(demands.swaps):
        for person in swap.people:
            placing[person].append(swap)
    for person, placed in sorted(placing.items()):
        if len(placed) > 1:
            yield Clash("placed_twice", tuple(placed), {"person": person})


def _too_many_pins(market: Market, demands: Demands) -> Iterator[Clash]:
    pinned: dict[str, list[Pin]] = defaultdict(list)
    for pin in sorted(demands.pins):
        pinned[pin.offer].append(pin)
    for key, pins in sorted(pinned.items()):
        offer = market.offer.get(key)
        if offer and len(pins) > offer.places:
            yield Clash(
                "too_many_pins", tuple(pins), {"offer": key, "pins": len(pins), "places": offer.places}
            )
