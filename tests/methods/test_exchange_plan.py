"""The plan that serves most people: every hard rule on thousands of markets, the best of all plans on tiny ones."""

import json
from dataclasses import replace
from random import Random

import pytest

from app.methods import exchange_figures, exchange_result
from app.methods.exchange_demands import Demands, Forbid, Impossible, Pin, input_hash
from app.methods.exchange_market import Guest, Market, Offer, Wish
from app.methods.exchange_plan import most_served
from app.methods.exchange_result import BOUNDED, OPTIMAL, Cancelled
from tests.factories import markets, plans
from tests.factories.markets import week


def worth(market, plan):
    return plans.worth(
        market,
        [
            (stay.person, stay.organisation, stay.sector, stay.rank, market.offer.get(stay.offer))
            for stay in plan.stays
        ],
    )


@pytest.mark.parametrize("block", range(4))
def test_every_hard_rule_holds_on_thousands_of_markets(block):
    for number in range(700):
        market, demands = markets.tiny(Random(f"rules {block} {number}"), people=7)
        plan = most_served(market, demands, seed=number)
        assert plans.broken(market, demands, plan) == [], number


@pytest.mark.parametrize("block", range(4))
def test_no_plan_of_a_tiny_market_is_better(block):
    for number in range(150):
        market, demands = markets.tiny(Random(f"best {block} {number}"), people=5)
        plan = most_served(market, demands, seed=number)
        assert plan.state == OPTIMAL
        assert worth(market, plan) == plans.best(market, demands), number


def test_programmes_of_some_hundred_people_keep_every_rule():
    for people, seed in ((30, 2), (120, 3), (300, 4)):
        market = markets.programme(people, seed)
        plan = most_served(market, seed=seed)
        assert plans.broken(market, Demands(), plan) == []
        assert len(plan.stays) + len(plan.unmatched) == people
        assert plan.state in (OPTIMAL, BOUNDED)


def test_the_same_input_and_seed_give_the_same_plan_in_whatever_order():
    market = markets.programme(120, 5)
    again = Market(market.offers[::-1], market.guests[::-1], market.weeks[::-1])
    one, other = most_served(market, seed=3), most_served(again, seed=3)
    assert json.dumps(exchange_result.to_json(one)) == json.dumps(exchange_result.to_json(other))
    assert input_hash(market, Demands(), "most", 3) == input_hash(again, Demands(), "most", 3)


def test_a_plan_comes_back_from_plain_data_as_it_was():
    market = markets.programme(60, 6)
    plan = most_served(market)
    kept = exchange_result.from_json(json.loads(json.dumps(exchange_result.to_json(plan))))
    assert kept == replace(plan, against={})


def test_as_many_people_are_served_as_scipy_serves_where_nobody_swaps():
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import maximum_bipartite_matching

    from app.methods.exchange_choices import Settled

    market = markets.programme(150, 7)
    market = replace(market, guests=tuple(replace(guest, offers_desk=False) for guest in market.guests))
    choices = Settled(market, Demands()).choices
    places = [offer.key for offer in market.offers for _ in range(offer.places)]
    rows = [[key in choices[guest.person].offers for key in places] for guest in market.guests]
    matched = maximum_bipartite_matching(csr_matrix(rows), perm_type="column")
    assert len(most_served(market).stays) == (matched >= 0).sum()


def guest(person, organisation, sector, *wishes, desk=False):
    return Guest(person, organisation, sector, tuple(wishes), offers_desk=desk)


def test_two_people_swap_their_desks():
    market = Market(
        (),
        (
            guest(1, 1, "public", Wish(organisation=2), desk=True),
            guest(2, 2, "business", Wish(organisation=1), desk=True),
        ),
        (week(0),),
    )
    plan = most_served(market)
    assert [(stay.person, stay.desk_of) for stay in plan.stays] == [(1, 2), (2, 1)]
    assert plan.swaps[0].people == (1, 2)


def test_four_people_swap_in_a_circle_where_no_two_could():
    market = Market(
        (),
        tuple(
            guest(number, number, sector, Wish(organisation=number % 4 + 1), desk=True)
            for number, sector in ((1, "public"), (2, "business"), (3, "public"), (4, "business"))
        ),
        (week(0),),
    )
    plan = most_served(market)
    assert [stay.desk_of for stay in plan.stays] == [2, 3, 4, 1]
    assert [swap.people for swap in plan.swaps] == [(1, 2, 3, 4)]


def test_both_directions_balance_as_far_as_no_one_loses_a_place():
    offers = tuple(
        Offer(f"o{number}", number, organisation, sector, week(0), 1)
        for number, organisation, sector in ((1, 1, "public"), (2, 1, "public"), (3, 2, "business"))
    )
    guests = (
        guest(1, 1, "public", Wish(placement=3)),
        guest(2, 2, "business", Wish(placement=1)),
        guest(3, 2, "business", Wish(placement=2)),
    )
    market = Market(offers, guests)
    plan = most_served(market)
    assert len(plan.stays) == 3
    assert exchange_figures.figures(market, plan).imbalance == 1


def test_a_pinned_person_goes_there_and_a_forbidden_one_does_not():
    market = markets.programme(40, 8)
    free = most_served(market)
    stay = next(stay for stay in free.stays if stay.offer is not None)
    forbids = Demands(forbids=frozenset({Forbid(stay.person, offer=stay.offer)}))
    other = most_served(market, forbids).stay_of(stay.person)
    assert other is None or other.offer != stay.offer
    pins = Demands(pins=frozenset({Pin(stay.person, stay.offer)}))
    assert most_served(market, pins).stay_of(stay.person).demanded


def test_demands_that_exclude_each_other_are_all_named():
    offer = Offer("o", 1, 1, "public", week(0), 1)
    people = tuple(guest(number, 2, "business", Wish(placement=1)) for number in (1, 2))
    market = Market((offer,), people)
    pins = frozenset({Pin(1, "o"), Pin(2, "o"), Pin(1, "gone")})
    with pytest.raises(Impossible) as impossible:
        most_served(market, Demands(pins=pins, forbids=frozenset({Forbid(2, placement=1)})))
    codes = {clash.code for clash in impossible.value.clashes}
    assert codes == {"too_many_pins", "pinned_and_forbidden", "unknown_offer", "placed_twice"}


def test_a_run_that_is_told_to_end_gives_no_plan():
    with pytest.raises(Cancelled):
        most_served(markets.programme(60), tell=lambda step, share: step != "wishes")
