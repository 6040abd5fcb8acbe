"""What is true of every plan of an exchange, and the best plan by looking at all of them: the slow way, on its own."""

from collections import Counter
from itertools import combinations, permutations


def days_of(span):
    return set(range(span.first_day.toordinal(), span.last_day.toordinal() + 1))


def may_go(guest, organisation, sector, span, open_to):
    """Whether no hard rule is broken, day by day."""
    busy = set().union(*map(days_of, guest.unavailable))
    return (
        guest.organisation != organisation
        and (open_to == "any" or guest.sector != sector)
        and organisation not in guest.conflicts
        and not days_of(span) & busy
    )


def may_take(guest, offer):
    return may_go(guest, offer.organisation, offer.sector, offer.span, offer.open_to)


def may_sit_with(market, guest, host, week):
    """Whether a guest may be at another's desk in a week."""
    return guest.offers_desk and may_go(guest, host.organisation, host.sector, week, market.open_to)


def is_forbidden(demands, person, organisation, offer=None):
    """Whether a demand keeps a person from an offer, or from a desk at an organisation."""
    return any(
        forbid.person == person
        and (
            forbid.organisation == organisation
            or (offer is not None and (forbid.offer == offer.key or forbid.placement == offer.placement))
        )
        for forbid in demands.forbids
    )


def rank_at(guest, offer):
    """The place of the first wish that an offer meets, from 1; None if there is none."""
    for rank, wish in enumerate(guest.wishes, 1):
        named = {
            "placement": wish.placement == offer.placement and wish.period in (None, offer.period),
            "organisation": wish.organisation == offer.organisation,
            "competency": wish.competency in offer.competencies,
        }
        asked = next(name for name in named if getattr(wish, name) is not None)
        if named[asked] and _in_time(wish, offer.span):
            return rank
    return None


def desk_rank(guest, organisation, week):
    for rank, wish in enumerate(guest.wishes, 1):
        if wish.organisation == organisation and _in_time(wish, week):
            return rank
    return None


def _in_time(wish, span):
    return not wish.within or any(days_of(span) <= days_of(one) for one in wish.within)


def broken(market, demands, plan):
    """What is wrong with a plan; nothing, if it keeps every rule."""
    wrong = []
    people = [stay.person for stay in plan.stays]
    if len(set(people)) < len(people) or sorted([*people, *plan.unmatched]) != [
        g.person for g in market.guests
    ]:
        wrong.append("not everyone is there once")
    taken = Counter(stay.offer for stay in plan.stays if stay.offer is not None)
    wrong += [f"{key} has too many" for key, number in taken.items() if number > market.offer[key].places]
    for stay in plan.stays:
        wrong += _broken_by(market, demands, stay)
    wrong += _wrong_swaps(market, demands, plan)
    stays = {stay.person: stay for stay in plan.stays}
    wrong += [f"{pin} is not kept" for pin in demands.pins if stays[pin.person].offer != pin.offer]
    return wrong


def _broken_by(market, demands, stay):  # noqa: C901 -- one rule a line
    guest = market.guest[stay.person]
    if (stay.offer is None) == (stay.desk_of is None):
        yield f"{stay} is nowhere"
        return
    if stay.offer is not None:
        offer = market.offer[stay.offer]
        if (stay.organisation, stay.sector, stay.span, stay.placement) != (
            offer.organisation,
            offer.sector,
            offer.span,
            offer.placement,
        ):
            yield f"{stay} is not as offered"
        if not may_take(guest, offer) or is_forbidden(demands, guest.person, offer.organisation, offer):
            yield f"{stay} is not allowed"
        if stay.rank != rank_at(guest, offer):
            yield f"{stay} has another rank"
    else:
        host = market.guest[stay.desk_of]
        if not may_sit_with(market, guest, host, stay.span):
            yield f"{stay} is not allowed"
        if is_forbidden(demands, guest.person, host.organisation):
            yield f"{stay} is forbidden"
        if stay.rank != desk_rank(guest, host.organisation, stay.span):
            yield f"{stay} has another rank"
    if stay.rank is None and not stay.demanded:
        yield f"{stay} is not wished for"


def _wrong_swaps(market, demands, plan):
    at_desks = {stay.person: (stay.desk_of, stay.span) for stay in plan.stays if stay.desk_of is not None}
    told = {}
    for swap in plan.swaps:
        if not 2 <= len(swap.people) <= 4 or swap.people[0] != min(swap.people):
            yield f"{swap} is no swap"
        for place, person in enumerate(swap.people):
            told[person] = (swap.people[(place + 1) % len(swap.people)], swap.span)
        demanded = all(stay.demanded for stay in plan.stays if stay.person in swap.people)
        if swap.span not in market.weeks and not demanded:
            yield f"{swap} is in no week of the programme"
    if told != at_desks:
        yield "swaps and stays differ"
    for swap in demands.swaps:
        pairs = zip(swap.people, swap.people[1:], strict=False)
        if any(at_desks[person] != (host, swap.span) for person, host in pairs):
            yield f"{swap} is not kept"


# every plan there is


def every_plan(market, demands):
    """All ways to place people: tuples of (person, organisation, sector, rank, offer or None)."""
    settled = []
    for pin in demands.pins:
        guest, offer = market.guest[pin.person], market.offer[pin.offer]
        settled.append((guest.person, offer.organisation, offer.sector, rank_at(guest, offer), offer))
    for swap in demands.swaps:
        settled += _ring(market, swap.people, swap.span)
    left = Counter({offer.key: offer.places for offer in market.offers})
    left.subtract(offer.key for *_, offer in settled if offer is not None)
    placed = {person for person, *_ in settled}
    people = [guest.person for guest in market.guests if guest.person not in placed]
    rings = _rings(market, demands, people)
    yield from _on(market, demands, people, rings, left, tuple(settled))


def _on(market, demands, people, rings, left, placed):  # noqa: PLR0917
    if not people:
        yield placed
        return
    person, *others = people
    yield from _on(market, demands, others, rings, left, placed)
    guest = market.guest[person]
    for offer in market.offers:
        rank = rank_at(guest, offer)
        is_open = rank and left[offer.key] > 0 and may_take(guest, offer)
        if is_open and not is_forbidden(demands, person, offer.organisation, offer):
            stay = (person, offer.organisation, offer.sector, rank, offer)
            yield from _on(market, demands, others, rings, left - Counter([offer.key]), (*placed, stay))
    for ring, stays in rings:
        if ring[0] == person and set(ring) <= set(people):
            rest = [other for other in others if other not in ring]
            yield from _on(market, demands, rest, rings, left, (*placed, *stays))


def _rings(market, demands, people):
    """All circles of two to four people, each beginning with its least person, in each week."""
    found = []
    for size in (2, 3, 4):
        for some in combinations(people, size):
            for others in permutations(some[1:]):
                for week in market.weeks:
                    stays = _ring(market, (some[0], *others), week)
                    if all(_is_open(market, demands, stay, week) for stay in stays):
                        found.append(((some[0], *others), stays))
    return found


def _ring(market, people, week):
    stays = []
    for place, person in enumerate(people):
        host = market.guest[people[(place + 1) % len(people)]]
        rank = desk_rank(market.guest[person], host.organisation, week)
        stays.append((person, host.organisation, host.sector, rank, None))
    return stays


def _is_open(market, demands, stay, week):
    person, organisation, sector, rank, _ = stay
    guest = market.guest[person]
    return (
        rank is not None
        and guest.offers_desk
        and may_go(guest, organisation, sector, week, market.open_to)
        and not is_forbidden(demands, person, organisation)
    )


def worth(market, placed):
    """What the aims make of a plan, in their order; the least is the best."""
    between, turns = Counter(), Counter()
    for stay in market.earlier:
        between[stay.sector, stay.host_sector] += 1
        turns[stay.organisation] += 1
    shared = 0
    for person, _, sector, _, _ in placed:
        guest = market.guest[person]
        between[guest.sector, sector] += 1
        turns[guest.organisation] += 1
        shared += 27_720 // turns[guest.organisation]
    sectors = sorted({sector for way in between for sector in way})
    return (
        -len(placed),
        sum(abs(between[one, other] - between[other, one]) for one, other in combinations(sectors, 2)),
        sum(rank or 0 for _, _, _, rank, _ in placed),
        -shared,
        sum(_place(offer, person) for person, *_, offer in placed if offer is not None),
    )


def _place(offer, person):
    return (*offer.preferences, person).index(person)


def best(market, demands):
    """What the best plan is worth."""
    return min(worth(market, placed) for placed in every_plan(market, demands))
