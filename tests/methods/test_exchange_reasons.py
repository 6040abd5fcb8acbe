"""Why each person has what a plan gives them: true by itself, and nobody is named."""

from random import Random

from app.methods import deferred_acceptance, exchange_plan
from app.methods.exchange_demands import Demands
from app.methods.exchange_market import Guest, Market, Offer, Wish
from app.methods.exchange_reasons import explain, to_json
from app.methods.exchange_words import BECAUSE, MISSED, STANDING
from tests.factories import markets
from tests.factories.markets import week


def test_everyone_is_told_and_every_reason_has_its_words():
    for number in range(200):
        market, demands = markets.tiny(Random(f"reasons {number}"), people=6)
        for method in (exchange_plan.most_served, deferred_acceptance.stable):
            plan = method(market, demands, seed=number)
            told = explain(market, demands, plan)
            assert [one.person for one in told] == [guest.person for guest in market.guests]
            for one in told:
                assert one.reason.code in STANDING
                for missed in one.missed:
                    for reason in missed.reasons:
                        assert reason.code in MISSED
                        assert dict(reason.values).get("because", "lot") in BECAUSE


def test_what_is_free_can_be_taken_by_who_has_nothing():
    offers = (
        Offer("full", 1, 1, "public", week(0), 1),
        Offer("free", 2, 1, "public", week(1), 1),
        Offer("own", 3, 2, "business", week(1), 1),
    )
    guests = tuple(Guest(number, 2, "business", (Wish(placement=1),)) for number in (1, 2))
    market = Market(offers, guests)
    plan = exchange_plan.most_served(market)
    (left,) = plan.unmatched
    one = next(one for one in explain(market, Demands(), plan) if one.person == left)
    assert one.free == ("free",)
    assert one.missed[0].reasons[0].code == "full"
    assert to_json((one,))[str(left)]["free"] == ["free"]
