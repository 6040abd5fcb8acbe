"""The market of an exchange: who wishes to go where, what hosts offer, and the rules that no plan may break.

Everything that matching needs, as plain data that a service fills from its rows; every room of the method takes it:

| call | gives |
|---|---|
| `exchange_demands.check(market, demands)` | the demands that exclude each other; a run raises them as `Impossible` |
| `exchange_plan.most_served(market, demands, seed=…, tell=…)` | the `Plan` that serves most people |
| `deferred_acceptance.stable(market, demands, seed=…, tell=…)` | the stable `Plan` |
| `exchange_figures.figures(market, plan)` and `.difference(one, other)` | what a plan reaches, and what another costs |
| `exchange_reasons.explain(market, demands, plan)` | for each person why, why not better, and what is still free |
| `exchange_demands.input_hash(market, demands, aim, seed)` | SHA-256 of all that decides the plan |
| `exchange_result.to_json(plan)` and `.from_json(plain)` | a plan as plain data to store, and back |

Whoever is away already, has left or has declined is not among the guests; a place that is taken is not among the
places. So matching the rest again is simply another run: those who go already are told as `Earlier`, for balance and
fairness.
"""

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final, TypeVar

from app.lib.days import Span

OTHER: Final = "other"
ANY: Final = "any"
"""Whom a host takes: guests of another sector than its own only, or of any."""

OWN_ORGANISATION: Final = "own_organisation"
SECTOR: Final = "sector"
CONFLICT: Final = "conflict"
UNAVAILABLE: Final = "unavailable"
HINDRANCES: Final = (OWN_ORGANISATION, SECTOR, CONFLICT, UNAVAILABLE)
"""Why a person can never be a guest somewhere: the codes of the hard rules, in the order in which they are named."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A placement for certain days, both included in `span`. `key` names it and is unlike every other.

    `places`: how many are free now. `period`: the row that the days came from, where a wish may name one; a window is
    one offer for each stay that is possible in it. `preferences`: people whom the host would rather have, the best
    first; whoever is not named comes after them, all equal.
    """

    key: str
    placement: int
    organisation: int
    sector: str
    span: Span
    places: int
    period: int | None = None
    open_to: str = OTHER
    preferences: tuple[int, ...] = ()
    competencies: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Wish:
    """For a placement (or one of its periods), for an organisation, or for a competency: exactly one of the three.

    A wish for an organisation is met by a placement there as well as by a desk in a swap. `within`: the stay must lie
    in one of these spans; none given: any days.

    :raises ValueError: not exactly one of the three, or a period without its placement
    """

    placement: int | None = None
    organisation: int | None = None
    competency: str | None = None
    period: int | None = None
    within: tuple[Span, ...] = ()

    def __post_init__(self) -> None:
        named = [self.placement is not None, self.organisation is not None, self.competency is not None]
        if sum(named) != 1 or (self.period is not None and self.placement is None):
            raise ValueError("a wish is for a placement, an organisation or a competency")

    def names(self, offer: Offer) -> bool:
        """Whether the offer is of what is wished for, whatever its days."""
        if self.placement is not None:
            return offer.placement == self.placement and self.period in (None, offer.period)
        if self.organisation is not None:
            return offer.organisation == self.organisation
        return self.competency in offer.competencies

    def allows(self, span: Span) -> bool:
        """Whether the wish holds for these days."""
        return not self.within or any(one.holds(span) for one in self.within)


@dataclass(frozen=True, slots=True)
class Guest:
    """A person who would go. `wishes`: the best first. `conflicts`: organisations with a declared conflict of interest.

    `unavailable`: days on which they cannot be away, or are away already. `offers_desk`: someone can have their desk
    while they are away, so that they can take part in a swap.
    """

    person: int
    organisation: int
    sector: str
    wishes: tuple[Wish, ...] = ()
    unavailable: tuple[Span, ...] = ()
    conflicts: frozenset[int] = frozenset()
    offers_desk: bool = False


@dataclass(frozen=True, slots=True)
class Earlier:
    """A stay that is settled already: by whose organisation and sector, at which sector."""

    organisation: int
    sector: str
    host_sector: str


@dataclass(frozen=True)
class Market:
    """All guests and offers of a run, in any order: it plays no part. Each guest goes at most once in a run.

    `weeks`: when desks can be swapped. `open_to`: whether a desk is for guests of another sector only, or of any.
    `earlier`: stays that are settled already; they count for balance and for fairness between organisations.

    :raises ValueError: a person or a key twice, an organisation in two sectors, fewer than no places
    """

    offers: tuple[Offer, ...]
    guests: tuple[Guest, ...]
    weeks: tuple[Span, ...] = ()
    open_to: str = OTHER
    earlier: tuple[Earlier, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "offers", tuple(sorted(self.offers, key=lambda offer: offer.key)))
        object.__setattr__(self, "guests", tuple(sorted(self.guests, key=lambda guest: guest.person)))
        object.__setattr__(self, "weeks", tuple(sorted(set(self.weeks))))
        object.__setattr__(
            self,
            "earlier",
            tuple(sorted(self.earlier, key=lambda stay: (stay.organisation, stay.sector, stay.host_sector))),
        )
        if len(self.offer) < len(self.offers) or len(self.guest) < len(self.guests):
            raise ValueError("a person or an offer is there twice")
        if any(offer.places < 0 for offer in self.offers):
            raise ValueError("an offer has fewer than no places")
        if any(self.sector_of[organisation] != sector for organisation, sector in self._sectors()):
            raise ValueError("an organisation is in two sectors")

    @cached_property
    def offer(self) -> Mapping[str, Offer]:
        """The offers by key."""
        return {offer.key: offer for offer in self.offers}

    @cached_property
    def guest(self) -> Mapping[int, Guest]:
        """The guests by person."""
        return {guest.person: guest for guest in self.guests}

    @cached_property
    def sector_of(self) -> Mapping[int, str]:
        """The sector of each organisation."""
        return dict(self._sectors())

    def named_by(self, wish: Wish) -> tuple[Offer, ...]:
        """The offers of what is wished for, whatever their days and whether they are possible, by key."""
        if wish.placement is not None:
            found = self._by_placement.get(wish.placement, ())
        elif wish.organisation is not None:
            found = self._by_organisation.get(wish.organisation, ())
        else:
            found = self._by_competency.get(wish.competency or "", ())
        return tuple(offer for offer in found if wish.names(offer))

    def _sectors(self) -> Iterator[tuple[int, str]]:
        yield from ((offer.organisation, offer.sector) for offer in self.offers)
        yield from ((guest.organisation, guest.sector) for guest in self.guests)

    @cached_property
    def _by_placement(self) -> Mapping[int, list[Offer]]:
        return _grouped((offer.placement, offer) for offer in self.offers)

    @cached_property
    def _by_organisation(self) -> Mapping[int, list[Offer]]:
        return _grouped((offer.organisation, offer) for offer in self.offers)

    @cached_property
    def _by_competency(self) -> Mapping[str, list[Offer]]:
        return _grouped((name, offer) for offer in self.offers for name in offer.competencies)


def hindrance(guest: Guest, offer: Offer) -> str | None:
    """The first hard rule that forbids this guest this offer, one of `HINDRANCES`; None if there is none."""
    return hindrance_at(guest, offer.organisation, offer.sector, offer.span, offer.open_to)


def hindrance_at(guest: Guest, organisation: int, sector: str, span: Span, open_to: str) -> str | None:
    """The same for any stay: at an organisation of a sector, on these days."""
    if guest.organisation == organisation:
        return OWN_ORGANISATION
    if open_to == OTHER and guest.sector == sector:
        return SECTOR
    if organisation in guest.conflicts:
        return CONFLICT
    if any(busy.overlaps(span) for busy in guest.unavailable):
        return UNAVAILABLE
    return None


Key = TypeVar("Key", bound=Hashable)


def _grouped(pairs: Iterable[tuple[Key, Offer]]) -> dict[Key, list[Offer]]:
    groups: dict[Key, list[Offer]] = {}
    for key, offer in pairs:
        groups.setdefault(key, []).append(offer)
    return groups
