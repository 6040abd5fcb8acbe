"""The aims one by one, where they differ, and what a plan reaches and costs against another, in numbers."""

import json
from collections import Counter
from dataclasses import replace
from fractions import Fraction
from random import Random

import pytest

from app.lib.days import Span
from app.methods import exchange_figures
from app.methods.deferred_acceptance import stable
from app.methods.exchange_choices import Settled
from app.methods.exchange_demands import Demands
from app.methods.exchange_figures import difference, figures
from app.methods.exchange_market import Earlier, Guest, Market, Offer, Wish
from app.methods.exchange_plan import most_served
from tests.factories import markets
from tests.factories.markets import week

PLACES = tuple(Offer(f"place-{number}", number, 1, "public", week(number), 1) for number in (1, 2, 3))


def wanting(person, organisation, *placements):
    return Guest(person, organisation, "business", tuple(Wish(placement=number) for number in placements))


def whose(plan):
    return {stay.person: stay.offer for stay in plan.stays}


# the aims


def test_more_people_come_before_better_wishes():
    market = Market(PLACES[:2], (wanting(1, 2, 1, 2), wanting(2, 3, 1)))
    assert whose(most_served(market)) == {1: "place-2", 2: "place-1"}


def test_balance_comes_before_better_wishes():
    offers = (
        Offer("away", 1, 1, "public", week(1), 1),
        Offer("alike", 2, 3, "business", week(1), 1, open_to="any"),
    )
    earlier = (Earlier(2, "business", "public"),)
    guest = (wanting(1, 2, 1, 2),)
    assert whose(most_served(Market(offers, guest))) == {1: "alike"}
    assert whose(most_served(Market(offers, guest, earlier=(Earlier(1, "public", "business"),)))) == {
        1: "away"
    }
    assert whose(most_served(Market(offers, guest, earlier=earlier))) == {1: "alike"}


def test_the_best_wishes_are_those_with_the_least_sum_of_ranks():
    market = Market(PLACES, (wanting(1, 2, 1, 2), wanting(2, 3, 1, 3), wanting(3, 4, 1, 2, 3)))
    plan = most_served(market)
    assert sum(stay.rank for stay in plan.stays) == 5
    assert next(proof for proof in plan.proofs if proof.aim == "wishes").value == 5


@pytest.mark.parametrize("seed", range(5))
def test_the_first_of_one_organisation_comes_before_the_second_of_another(seed):
    market = Market(PLACES[:2], (wanting(1, 2, 1, 2), wanting(2, 2, 1, 2), wanting(3, 3, 1, 2)))
    plan = most_served(market, seed=seed)
    assert Counter(market.guest[stay.person].organisation for stay in plan.stays) == {2: 1, 3: 1}
    assert figures(market, plan).turns == 2 * 27_720
    again = replace(market, earlier=(Earlier(3, "business", "public"), Earlier(3, "business", "public")))
    plan = most_served(again, seed=seed)
    assert Counter(again.guest[stay.person].organisation for stay in plan.stays) == {2: 2}
    assert figures(again, plan).turns == 27_720 + 27_720 // 2


@pytest.mark.parametrize("seed", range(5))
def test_where_all_else_is_equal_hosts_have_whom_they_named(seed):
    offer = replace(PLACES[0], preferences=(3, 1))
    market = Market((offer,), (wanting(1, 2, 1), wanting(2, 3, 1), wanting(3, 4, 1)))
    assert whose(most_served(market, seed=seed)) == {3: "place-1"}


def test_what_is_equal_by_all_aims_is_decided_by_the_lot():
    market = Market(PLACES[:1], tuple(wanting(number, number + 1, 1) for number in (1, 2, 3)))
    for run in (most_served, stable):
        chosen = Counter(next(iter(whose(run(market, seed=seed)))) for seed in range(60))
        assert set(chosen) == {1, 2, 3}
        assert min(chosen.values()) >= 8


def test_nobody_is_left_without_a_wish_that_is_still_free():
    for number in range(150):
        market, demands = markets.tiny(Random(f"free {number}"), people=7)
        for run in (most_served, stable):
            plan = run(market, demands, seed=number)
            settled = Settled(market, demands)
            taken = Counter(stay.offer for stay in plan.stays)
            for person in plan.unmatched:
                for key in settled.choices[person].offers:
                    assert taken[key] >= market.offer[key].places


def test_wishes_are_met_as_well_as_scipy_meets_them_where_nobody_swaps():
    import numpy as np
    from scipy.optimize import linear_sum_assignment

    for seed in range(8):
        market = markets.programme(60, seed)
        market = replace(market, guests=tuple(replace(one, offers_desk=False) for one in market.guests))
        choices = Settled(market, Demands()).choices
        places = [offer.key for offer in market.offers for _ in range(offer.places)]
        none = 1_000
        costs = np.full((len(choices), len(places) + len(choices)), none)
        for row, choice in enumerate(choices.values()):
            costs[row, : len(places)] = [choice.offers.get(key, none * none) for key in places]
        met = costs[linear_sum_assignment(costs)]
        found = figures(market, most_served(market))
        assert found.served == (met < none).sum()
        assert found.mean_wish == Fraction(int(met[met < none].sum()), found.served)


# the numbers


def both():
    """A market with both plans: the host would rather have the one of two guests who would go elsewhere too."""
    offers = (
        replace(PLACES[0], preferences=(1,)),
        PLACES[1],
        Offer("back", 9, 2, "business", week(1), 1),
    )
    guests = (
        wanting(1, 2, 1, 2),
        wanting(2, 3, 1),
        Guest(3, 1, "public", (Wish(placement=9),)),
        Guest(4, 1, "public"),
    )
    market = Market(offers, guests, earlier=(Earlier(3, "business", "public"),))
    return market, most_served(market), stable(market)


def test_figures_count_what_a_plan_reaches():
    market, most, _ = both()
    found = figures(market, most)
    assert (found.people, found.served, found.swapped) == (4, 3, 0)
    assert (found.first_wishes, found.wishes, found.mean_wish) == (2, {1: 2, 2: 1}, Fraction(4, 3))
    assert found.directions == (("business", "public", 2), ("public", "business", 1))
    assert found.imbalance == 2
    assert found.turns == 27_720 + 27_720 // 2 + 27_720
    assert found.organisations == ((1, 1, 1, 2), (2, 1, 1, 1), (3, 1, 1, 0))


def test_a_difference_says_what_stability_costs_and_to_whom():
    market, most, firm = both()
    assert whose(most) == {1: "place-2", 2: "place-1", 3: "back"}
    assert whose(firm) == {1: "place-1", 3: "back"}
    found = difference(market, most, firm)
    assert (found.served, found.first_wishes, found.mean_wish, found.imbalance) == (
        -1,
        0,
        Fraction(-1, 3),
        -1,
    )
    assert (found.better, found.worse, found.moved) == ((1,), (2,), (1, 2))
    back = difference(market, firm, most)
    assert (back.served, back.better, back.worse, back.moved) == (1, (2,), (1,), (1, 2))
    same = difference(market, most, most)
    assert (same.served, same.turns, same.better, same.worse, same.moved) == (0, 0, (), (), ())


def test_figures_of_nothing_have_no_mean():
    market = Market((), (wanting(1, 2, 1),))
    plan = most_served(market)
    assert figures(market, plan).mean_wish is None
    assert difference(market, plan, plan).mean_wish is None


def test_figures_are_plain_data():
    market, most, firm = both()
    plain = json.loads(json.dumps(exchange_figures.to_json(figures(market, most))))
    assert plain["mean_wish"] == "4/3"
    assert plain["wishes"] == {"1": 2, "2": 1}
    assert plain["directions"] == [["business", "public", 2], ["public", "business", 1]]
    assert json.loads(json.dumps(exchange_figures.to_json(difference(market, most, firm))))["worse"] == [2]


# the market


def test_a_market_that_contradicts_itself_is_refused():
    guest = wanting(1, 2, 1)
    for offers, guests in (
        ((PLACES[0], PLACES[0]), ()),
        (PLACES, (guest, guest)),
        ((replace(PLACES[0], places=-1),), ()),
        (PLACES, (replace(guest, organisation=1),)),
    ):
        with pytest.raises(ValueError):
            Market(offers, guests)


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"placement": 1, "organisation": 1},
        {"organisation": 1, "competency": "law"},
        {"period": 3, "competency": "law"},
    ],
)
def test_a_wish_is_for_one_thing(wrong):
    with pytest.raises(ValueError):
        Wish(**wrong)


def test_the_same_offer_by_two_wishes_counts_at_its_best_rank():
    offer = replace(PLACES[0], competencies=frozenset({"law"}))
    wishes = (Wish(competency="law", within=(week(2),)), Wish(organisation=1), Wish(placement=1))
    market = Market((offer,), (Guest(1, 2, "business", wishes),))
    assert [stay.rank for stay in most_served(market).stays] == [2]


def test_a_wish_holds_within_one_of_its_spans():
    span = Span(week(1).first_day, week(2).last_day)
    long = replace(PLACES[0], span=span)
    for within, served in (((span,), 1), ((week(1), week(2)), 0), ((week(1),), 0), ((), 1)):
        guest = Guest(1, 2, "business", (Wish(placement=1, within=within),))
        assert len(most_served(Market((long,), (guest,))).stays) == served
