"""Markets of exchanges, made from a seed: as a programme might have them, and tiny ones full of quirks."""

from collections import defaultdict
from datetime import date, timedelta
from random import Random

from app.lib.days import Span
from app.methods.exchange_demands import Demands, Forbid, Pin, Swap, check
from app.methods.exchange_market import Earlier, Guest, Market, Offer, Wish

FIRST_MONDAY = date(2027, 3, 1)
COMPETENCIES = tuple(f"competency-{number}" for number in range(24))


def week(number):
    """The working week, from Monday to Friday, that many weeks after the first."""
    monday = FIRST_MONDAY + timedelta(weeks=number)
    return Span(monday, monday + timedelta(days=4))


def programme(people, seed=1, *, weeks=12, capacity=0.85):
    """A programme of two sectors: `capacity` places for each person, some hosts far more popular than others.

    A third of the people offer their desks, and these wish for organisations too.
    """
    random = Random(seed)
    organisations = {
        number: ("public", "business")[number % 2] for number in range(1, max(4, people // 12) + 1)
    }
    offers = _offers(random, organisations, weeks, round(people * capacity))
    hosts = _popularity(random, offers)
    guests = tuple(_guest(random, person, organisations, hosts, weeks) for person in range(1, people + 1))
    offers = _preferred(random, offers, guests)
    return Market(offers, guests, tuple(map(week, range(weeks))))


def _offers(random, organisations, weeks, places):
    offers = []
    placement = 0
    while places > 0:
        placement += 1
        organisation = random.choice(list(organisations))
        competencies = frozenset(random.sample(COMPETENCIES, random.randint(1, 3)))
        for number in random.sample(range(weeks), random.randint(1, 3)):
            there = min(places, random.choice((1, 1, 1, 2)))
            if there:
                places -= there
                offers.append(
                    Offer(
                        f"{placement}:{week(number).first_day}",
                        placement,
                        organisation,
                        organisations[organisation],
                        week(number),
                        there,
                        competencies=competencies,
                    )
                )
    return offers


def _popularity(random, offers):
    """By sector: placements, their organisations, and how much they are liked, as a few much more than most."""
    placements = {offer.placement: offer for offer in offers}
    liked = defaultdict(list)
    for offer in placements.values():
        liked[offer.sector].append((offer, 1 / random.uniform(0.05, 1)))
    return liked


def _guest(random, person, organisations, hosts, weeks):
    organisation = random.choice(list(organisations))
    sector = organisations[organisation]
    other = "business" if sector == "public" else "public"
    offers_desk = random.random() < 0.33
    wishes = [_wish(random, hosts[other], offers_desk) for _ in range(random.randint(2, 5))]
    away = [week(random.randrange(weeks)) for _ in range(random.randint(0, 3))]
    return Guest(person, organisation, sector, tuple(wishes), tuple(away), offers_desk=offers_desk)


def _wish(random, liked, offers_desk):
    (offer,) = random.choices([each for each, _ in liked], [weight for _, weight in liked])
    kind = random.random()
    if kind < 0.08:
        return Wish(competency=random.choice(sorted(offer.competencies)))
    if offers_desk and kind < 0.5:
        return Wish(organisation=offer.organisation)
    return Wish(placement=offer.placement)


def _preferred(random, offers, guests):
    """A third of the hosts name up to five people who wish to come."""
    wishing = defaultdict(list)
    for guest in guests:
        for wish in guest.wishes:
            wishing[wish.placement].append(guest.person)
    return tuple(
        Offer(
            **{
                **{name: getattr(offer, name) for name in Offer.__slots__},
                "preferences": tuple(_some(random, wishing[offer.placement])),
            }
        )
        for offer in offers
    )


def _some(random, people):
    named = sorted(set(people))
    return random.sample(named, min(len(named), random.randint(1, 5))) if random.random() < 1 / 3 else ()


def tiny(random, *, people=5, demands=True):
    """A market of few people with every quirk there is, and demands on it that a plan can meet.

    In one of three people wish for little but each other's desks.
    """
    sectors = random.choice(
        (("public", "business"), ("public", "business"), ("public", "business", "science"))
    )
    organisations = {number: sectors[number % len(sectors)] for number in range(1, random.randint(3, 5))}
    weeks = tuple(week(number) for number in range(random.choice((1, 1, 2))))
    open_to = random.choice(("other", "other", "any"))
    desks = random.choice((0.2, 0.5, 1))
    offers = tuple(
        _tiny_offer(random, number, organisations, open_to)
        for number in range(random.randint(0, 1) if desks == 1 else random.randint(1, 4))
    )
    guests = tuple(
        _tiny_guest(random, number, organisations, offers, desks)
        for number in range(random.choice((0, *range(2, people + 1), people, people)))
    )
    earlier = tuple(
        Earlier(organisation, organisations[organisation], random.choice(sectors))
        for organisation in random.choices(list(organisations), k=random.choice((0, 0, 2)))
    )
    market = Market(offers, guests, weeks, open_to, earlier)
    return market, _tiny_demands(random, market) if demands else Demands()


def _tiny_offer(random, number, organisations, open_to):
    organisation = random.choice(list(organisations)) if number % 2 == 0 else 1
    first, last = random.choice(((0, 0), (0, 0), (1, 1), (0, 1)))
    return Offer(
        f"offer-{number}",
        number if number % 2 == 0 else 1,
        organisation,
        organisations[organisation],
        Span(week(first).first_day, week(last).last_day),
        random.choice((0, 1, 1, 1, 1, 2)),
        period=number,
        open_to=open_to,
        preferences=tuple(random.sample(range(6), random.choice((0, 0, 1, 3)))),
        competencies=frozenset(random.sample(("law", "data"), random.randint(0, 2))),
    )


def _tiny_guest(random, person, organisations, offers, desks):
    organisation = random.choice(list(organisations))
    others = (list(organisations), offers)
    if random.random() < 0.8:  # whoever looks first who could take them
        others = (
            [one for one, sector in organisations.items() if sector != organisations[organisation]],
            [offer for offer in offers if offer.sector != organisations[organisation] and offer.places],
        )
    return Guest(
        person,
        organisation,
        organisations[organisation],
        tuple(_tiny_wish(random, *others, desks) for _ in range(random.choice((0, 1, 2, 3, 3, 4)))),
        tuple(Span(day, day) for day in random.choices(_DAYS, k=random.choice((0, 0, 0, 0, 1)))),
        frozenset(random.choices(list(organisations), k=random.choice((0, 0, 0, 0, 1)))),
        offers_desk=random.random() < desks,
    )


_DAYS = tuple(FIRST_MONDAY + timedelta(days=number) for number in range(12))


def _tiny_wish(random, organisations, offers, desks):
    within = random.choice(((), (), (), (), (), (), (week(0),), (week(1), week(3))))
    kind = random.random()
    if kind < 0.8 - desks / 2 and offers:
        offer = random.choice(offers)
        return Wish(placement=offer.placement, period=random.choice((None, offer.period)), within=within)
    if kind < 0.9 - desks / 2:
        return Wish(competency=random.choice(("law", "data", "nothing")), within=within)
    return Wish(organisation=random.choice(organisations), within=within)


def _tiny_demands(random, market):
    """Demands as they come, without those that exclude each other."""
    people = [guest.person for guest in market.guests]
    pins, forbids, swaps = set(), set(), set()
    if people and random.random() < 0.4:
        if market.offers:
            pins.add(Pin(random.choice(people), random.choice(market.offers).key))
        forbids.add(
            random.choice(
                (
                    Forbid(random.choice(people), organisation=random.choice(list(market.sector_of))),
                    Forbid(random.choice(people), placement=random.randint(0, 1)),
                    Forbid(random.choice(people), offer=f"offer-{random.randint(0, 3)}"),
                )
            )
        )
    if len(people) > 1 and random.random() < 0.2:
        swaps.add(Swap(tuple(random.sample(people, min(len(people), random.randint(2, 4)))), market.weeks[0]))
    for clash in check(market, Demands(frozenset(pins), frozenset(forbids), frozenset(swaps))):
        pins.difference_update(clash.demands)
        swaps.difference_update(clash.demands)
    return Demands(frozenset(pins), frozenset(forbids), frozenset(swaps))
