"""Wishes, expanded: which offers and which desks each guest could have, each by the best of their wishes."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product

from app.lib.days import Span
from app.methods.exchange_demands import Demands, Forbid, Pin, Swap, around, forbidden
from app.methods.exchange_market import Guest, Market, Offer, hindrance, hindrance_at
from app.methods.exchange_result import Stay

Desk = tuple[int, Span]
"""Any desk at this organisation, in this week."""


@dataclass(frozen=True, slots=True)
class Choices:
    """What a guest wishes for and may have: the rank of the best wish for each, 1 is the first.

    No hard rule and no demand forbids it; whether there is a place, or someone to swap with, is not asked here.
    """

    offers: Mapping[str, int]
    desks: Mapping[Desk, int]


@dataclass(frozen=True)
class Settled:
    """A market without what demands have settled: people who may still be placed, and places that are left."""

    market: Market
    demands: Demands

    @cached_property
    def people(self) -> tuple[int, ...]:
        """Who is not placed by a demand, by id."""
        placed = {pin.person for pin in self.demands.pins}
        placed.update(person for swap in self.demands.swaps for person in swap.people)
        return tuple(guest.person for guest in self.market.guests if guest.person not in placed)

    @cached_property
    def stays(self) -> tuple[Stay, ...]:
        """The stays that demands have settled, by person."""
        pinned = (self._pinned(pin) for pin in self.demands.pins)
        kept = (stay for swap in self.demands.swaps for stay in stays_of(self.market, swap, demanded=True))
        return tuple(sorted((*pinned, *kept), key=lambda stay: stay.person))

    @cached_property
    def places(self) -> Mapping[str, int]:
        """How many places of each offer no demand has taken."""
        left = {offer.key: offer.places for offer in self.market.offers}
        for pin in self.demands.pins:
            left[pin.offer] -= 1
        return left

    @cached_property
    def choices(self) -> Mapping[int, Choices]:
        """What each of `people` could have."""
        market, forbidding, desks_at = self.market, forbidden(self.demands), self.desks_at
        return {
            person: choices_of(market, market.guest[person], forbidding.get(person, ()), desks_at)
            for person in self.people
        }

    @cached_property
    def desks_at(self) -> frozenset[int]:
        """The organisations in which one of `people` offers a desk."""
        guests = (self.market.guest[person] for person in self.people)
        return frozenset(guest.organisation for guest in guests if guest.offers_desk)

    def _pinned(self, pin: Pin) -> Stay:
        offer = self.market.offer[pin.offer]
        return at_offer(offer, pin.person, rank_of(self.market.guest[pin.person], offer), demanded=True)


def choices_of(
    market: Market, guest: Guest, forbids: Collection[Forbid], desks_at: Collection[int]
) -> Choices:
    """What this guest could have. `desks_at`: organisations in which someone offers a desk."""
    offers: dict[str, int] = {}
    desks: dict[Desk, int] = {}
    for rank, wish in enumerate(guest.wishes, 1):
        for offer in market.named_by(wish):
            if offer.key not in offers and wish.allows(offer.span) and not barred(guest, offer, forbids):
                offers[offer.key] = rank
        if guest.offers_desk and wish.organisation is not None and wish.organisation in desks_at:
            for desk in product((wish.organisation,), market.weeks):
                if desk not in desks and wish.allows(desk[1]) and may_sit(market, guest, desk, forbids):
                    desks[desk] = rank
    return Choices(offers, desks)


def barred(guest: Guest, offer: Offer, forbids: Collection[Forbid]) -> bool:
    """Whether a hard rule or a demand keeps the guest from the offer."""
    return hindrance(guest, offer) is not None or any(forbid.hits(offer) for forbid in forbids)


def may_sit(market: Market, guest: Guest, desk: Desk, forbids: Collection[Forbid]) -> bool:
    """Whether no hard rule and no demand keeps the guest from a desk there in that week."""
    organisation, week = desk
    sector = market.sector_of[organisation]
    return hindrance_at(guest, organisation, sector, week, market.open_to) is None and not any(
        forbid.hits_desk(organisation) for forbid in forbids
    )


def at_offer(offer: Offer, person: int, rank: int | None, *, demanded: bool = False) -> Stay:
    """A person's stay at an offer."""
    return Stay(
        person,
        offer.organisation,
        offer.sector,
        offer.span,
        rank,
        offer=offer.key,
        placement=offer.placement,
        demanded=demanded,
    )


def stays_of(market: Market, swap: Swap, *, demanded: bool = False) -> Iterator[Stay]:
    """The stays that a swap consists of."""
    for person, host in around(swap.people):
        guest, desk_of = market.guest[person], market.guest[host]
        rank = desk_rank(guest, desk_of.organisation, swap.span)
        yield Stay(
            person, desk_of.organisation, desk_of.sector, swap.span, rank, desk_of=host, demanded=demanded
        )


def rank_of(guest: Guest, offer: Offer) -> int | None:
    """The rank of the best wish that the offer meets; None if it meets none."""
    met = (rank for rank, wish in enumerate(guest.wishes, 1) if wish.names(offer) and wish.allows(offer.span))
    return next(met, None)


def desk_rank(guest: Guest, organisation: int, week: Span) -> int | None:
    """The rank of the best wish that a desk meets; None if it meets none."""
    wishes = enumerate(guest.wishes, 1)
    met = (rank for rank, wish in wishes if wish.organisation == organisation and wish.allows(week))
    return next(met, None)
