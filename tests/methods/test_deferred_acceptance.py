"""The stable plan: no person and no host would both rather have each other."""

from random import Random

from app.methods.deferred_acceptance import stable
from app.methods.exchange_choices import Settled
from app.methods.exchange_figures import host_place
from app.methods.exchange_market import Guest, Market, Offer, Wish
from tests.factories import markets, plans
from tests.factories.markets import week


def blocking(market, demands, plan):
    """Pairs of a person and an offer that would both rather have each other; demanded stays are out of it."""
    settled = Settled(market, demands)
    stays = {stay.person: stay for stay in plan.stays}
    found = []
    for person in settled.people:
        stay = stays.get(person)
        for key, rank in settled.choices[person].offers.items():
            if stay is not None and rank >= stay.rank:
                continue
            offer = market.offer[key]
            kept = [each for each in plan.stays if each.offer == key]
            worse = [
                each
                for each in kept
                if not each.demanded and host_place(offer, each.person) > host_place(offer, person)
            ]
            if len(kept) < offer.places or worse:
                found.append((person, key))
    return found


def test_no_person_and_host_would_both_rather_have_each_other_on_thousands_of_markets():
    for number in range(1500):
        market, demands = markets.tiny(Random(f"stable {number}"), people=7)
        plan = stable(market, demands, seed=number)
        assert blocking(market, demands, plan) == [], number
        assert plans.broken(market, demands, plan) == [], number


def test_a_programme_of_three_hundred_is_stable_and_the_same_again():
    market = markets.programme(300, 9)
    plan = stable(market, seed=2)
    assert blocking(market, markets.Demands(), plan) == []
    again = Market(market.offers[::-1], market.guests[::-1], market.weeks)
    assert stable(again, seed=2) == plan


def test_the_host_has_the_person_whom_it_would_rather_have():
    offer = Offer("o", 1, 1, "public", week(0), 1, preferences=(2,))
    guests = tuple(Guest(number, 2, "business", (Wish(placement=1),)) for number in (1, 2, 3))
    plan = stable(Market((offer,), guests))
    assert [stay.person for stay in plan.stays] == [2]
    assert plan.unmatched == (1, 3)
