"""Why each person has what a plan gives them, why nothing that they would rather have had, and what is still free.

Reasons are data: a code, which chooses the words in `exchange_words`, and the values that fill them. They tell offers
and numbers of people, and never name another person. Each is true by itself: that all places are taken, and how high
those who have them had put it, is counted; that an aim speaks against something has been proved (`Plan.against`).
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from app.methods.election import Reason
from app.methods.exchange_choices import Settled, barred
from app.methods.exchange_demands import Demands, Forbid, forbidden
from app.methods.exchange_figures import host_place
from app.methods.exchange_market import UNAVAILABLE, Guest, Market, Offer, Wish, hindrance, hindrance_at
from app.methods.exchange_result import AIMS, LOT, STABLE, Cancelled, Plan, Stay, Tell, quietly
from app.methods.exchange_swaps import cycles, ways

MOST_FREE: Final = 12
"""So many offers that are still free are told, the earliest first."""
GIVEN_OTHERWISE: Final = ("full", "kept_free", "swapped_otherwise")
"""Reasons that the plan is behind, and no rule: each has a `because`."""
MOST_NAMED: Final = 5
"""So many offers of one wish are named for one reason; how many there are is told."""
TOLD_EVERY: Final = 100


@dataclass(frozen=True, slots=True)
class Missed:
    """A wish that is not met, though it is better than what the person has. `rank`: the first is 1.

    `reasons`: one for each kind of reason, over all offers and desks that would have met the wish.
    """

    rank: int
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """What one person can read. `reason`: why they have what they have, or nothing.

    `missed`: what they would rather have had, the best first. `free`: for one who has nothing, keys of offers that they
    could still take, the earliest first; `free_in_all` says how many there are.
    """

    person: int
    reason: Reason
    missed: tuple[Missed, ...] = ()
    free: tuple[str, ...] = ()
    free_in_all: int = 0


def explain(market: Market, demands: Demands, plan: Plan, *, tell: Tell = quietly) -> tuple[Explanation, ...]:
    """An explanation for each guest, by person. `plan` is one of this market and these demands, as its run gave it.

    :raises Cancelled: `tell` answered False
    """
    reading = _Reading(Settled(market, demands), plan)
    found = []
    for number, guest in enumerate(market.guests):
        if number % TOLD_EVERY == 0 and not tell("reasons", 1.0):
            raise Cancelled
        found.append(reading.explained(guest))
    return tuple(found)


def to_json(explanations: tuple[Explanation, ...]) -> dict[str, Any]:
    """Explanations as plain data, by person."""
    return {
        str(one.person): {
            "reason": _plain(one.reason),
            "missed": [
                {"rank": missed.rank, "reasons": [_plain(reason) for reason in missed.reasons]}
                for missed in one.missed
            ],
            "free": list(one.free),
            "free_in_all": one.free_in_all,
        }
        for one in explanations
    }


def _plain(reason: Reason) -> dict[str, Any]:
    return {"code": reason.code, "values": dict(reason.values)}


@dataclass(frozen=True)
class _Reading:
    """A plan as it is asked for reasons."""

    settled: Settled
    plan: Plan

    def explained(self, guest: Guest) -> Explanation:
        """Why this guest has what they have."""
        stay = self.stays.get(guest.person)
        if stay is None:
            missed = tuple(self._missed(guest, len(guest.wishes)))
            free = self._free(guest)
            return Explanation(
                guest.person, _nothing(guest, missed), missed, tuple(free[:MOST_FREE]), len(free)
            )
        if stay.demanded:
            return Explanation(guest.person, Reason("demanded", {"rank": stay.rank}))
        code = "wish" if stay.desk_of is None else "swap"
        rank = stay.rank or 0
        reason = Reason(code, {"rank": rank, "wishes": len(guest.wishes)})
        return Explanation(guest.person, reason, tuple(self._missed(guest, rank - 1)))

    @cached_property
    def stays(self) -> Mapping[int, Stay]:
        """The stays by person."""
        return {stay.person: stay for stay in self.plan.stays}

    @cached_property
    def holders(self) -> Mapping[str, list[Stay]]:
        """Who has each offer."""
        holders: dict[str, list[Stay]] = defaultdict(list)
        for stay in self.plan.stays:
            if stay.offer is not None:
                holders[stay.offer].append(stay)
        return holders

    @cached_property
    def forbids(self) -> Mapping[int, tuple[Forbid, ...]]:
        """What each person shall not have."""
        return forbidden(self.settled.demands)

    @cached_property
    def swappable(self) -> frozenset[Any]:
        """The ways that some swap takes which was looked at."""
        if self.plan.aim == STABLE:
            return frozenset()
        found, _ = cycles(ways(self.settled), self.plan.seed)
        return frozenset(way for cycle in found for way in cycle.ways)

    @cached_property
    def left(self) -> tuple[Offer, ...]:
        """Offers with places that nobody has, the earliest first."""
        offers = self.settled.market.offers
        free = (offer for offer in offers if len(self.holders[offer.key]) < offer.places)
        return tuple(sorted(free, key=lambda offer: (offer.span, offer.key)))

    def _free(self, guest: Guest) -> list[str]:
        forbids = self.forbids.get(guest.person, ())
        return [offer.key for offer in self.left if not barred(guest, offer, forbids)]

    def _missed(self, guest: Guest, wishes: int) -> Iterator[Missed]:
        for rank, wish in enumerate(guest.wishes[:wishes], 1):
            yield Missed(rank, (*self._of_offers(guest, wish, rank), *self._of_desks(guest, wish)))

    def _of_offers(self, guest: Guest, wish: Wish, rank: int) -> Iterator[Reason]:
        """Why none of the offers, one reason for all that have the same."""
        groups: dict[tuple[str, str], list[Offer]] = defaultdict(list)
        for offer in self.settled.market.named_by(wish):
            groups[self._why_not(guest, wish, offer)].append(offer)
        if not groups:
            yield Reason(_nothing_there(wish))
        for (code, because), offers in groups.items():
            values: dict[str, Any] = {
                "offers": [offer.key for offer in offers[:MOST_NAMED]],
                "number": len(offers),
            }
            if because:
                ranks = [stay.rank for offer in offers for stay in self.holders[offer.key]]
                values["places"] = sum(offer.places for offer in offers)
                values["higher"] = sum(other is not None and other < rank for other in ranks)
                values["because"] = because
            yield Reason(code, values)

    def _why_not(self, guest: Guest, wish: Wish, offer: Offer) -> tuple[str, str]:
        """The kind of reason, and for what the plan could have done the reason behind it."""
        against = hindrance(guest, offer)
        if against:
            return against, ""
        if not wish.allows(offer.span):
            return "outside", ""
        if any(forbid.hits(offer) for forbid in self.forbids.get(guest.person, ())):
            return "forbidden", ""
        if not offer.places:
            return "no_places", ""
        holders = self.holders[offer.key]
        if len(holders) < offer.places:
            return "kept_free", self.plan.against.get((guest.person, offer.key), LOT)
        return "full", self._because(guest, offer, holders)

    def _because(self, guest: Guest, offer: Offer, holders: list[Stay]) -> str:
        """Why others have all places: the code of a clause."""
        if all(stay.demanded for stay in holders):
            return "demanded"
        if self.plan.aim != STABLE:
            return self.plan.against.get((guest.person, offer.key), LOT)
        place = host_place(offer, guest.person)
        least = max(host_place(offer, stay.person) for stay in holders if not stay.demanded)
        return "preferred" if least < place else "drawn"

    def _of_desks(self, guest: Guest, wish: Wish) -> Iterator[Reason]:
        """Why no desk, where the wish is for an organisation of which someone takes part."""
        if wish.organisation is None or wish.organisation not in self.hosts:
            return
        if self.plan.aim == STABLE:
            yield Reason("no_swaps")
        elif not guest.offers_desk:
            yield Reason("desk_not_offered")
        else:
            yield self._no_desk(guest, wish, wish.organisation)

    def _no_desk(self, guest: Guest, wish: Wish, organisation: int) -> Reason:
        market = self.settled.market
        sector = market.sector_of[organisation]
        for week in market.weeks:
            against = hindrance_at(guest, organisation, sector, week, market.open_to)
            if against and against != UNAVAILABLE:
                return Reason(against)
        if any(forbid.hits_desk(organisation) for forbid in self.forbids.get(guest.person, ())):
            return Reason("forbidden")
        possible = self.settled.choices[guest.person].desks
        desks = [(organisation, week) for week in market.weeks if (organisation, week) in possible]
        desks = [desk for desk in desks if wish.allows(desk[1])]
        if not desks:
            return Reason("no_week" if organisation in self.settled.desks_at else "no_desk_there")
        desks = [desk for desk in desks if (guest.organisation, *desk) in self.swappable]
        if not desks:
            return Reason("no_partner")
        # Each is worse by its own aim, or by one before it: all are worse by the last of them, or one before.
        against = max((self.plan.against.get((guest.person, desk), LOT) for desk in desks), key=AIMS.index)
        return Reason("swapped_otherwise", {"because": against})

    @cached_property
    def hosts(self) -> frozenset[int]:
        """The organisations with a guest, who has a desk."""
        return frozenset(guest.organisation for guest in self.settled.market.guests)


def _nothing(guest: Guest, missed: tuple[Missed, ...]) -> Reason:
    """Why someone has nothing, in short."""
    if not guest.wishes:
        return Reason("no_wishes")
    codes = {reason.code for wish in missed for reason in wish.reasons}
    return Reason("went_to_others" if codes & set(GIVEN_OTHERWISE) else "nothing_possible")


def _nothing_there(wish: Wish) -> str:
    """Why a wish names no offer at all."""
    if wish.competency is not None:
        return "not_taught"
    return "nothing_offered" if wish.organisation is not None else "not_offered"
