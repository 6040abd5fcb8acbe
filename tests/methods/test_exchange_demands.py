"""Demands that exclude each other: each kind is named by itself, with the demands that it is about."""

from random import Random

import pytest

from app.lib.days import Span
from app.methods.deferred_acceptance import stable
from app.methods.exchange_demands import (
    CLASHES,
    Clash,
    Demands,
    Forbid,
    Impossible,
    Pin,
    Swap,
    check,
    input_hash,
)
from app.methods.exchange_market import Guest, Market, Offer, Wish
from app.methods.exchange_plan import most_served
from tests.factories import markets, plans
from tests.factories.markets import FIRST_MONDAY, week

OFFERS = (
    Offer("public", 1, 1, "public", week(0), 1),
    Offer("other", 2, 1, "public", week(1), 2, open_to="other"),
    Offer("any", 3, 1, "public", week(0), 1, open_to="any"),
)
MARKET = Market(
    OFFERS,
    (
        Guest(1, 1, "public", offers_desk=True),
        Guest(2, 2, "business", conflicts=frozenset({4}), offers_desk=True),
        Guest(3, 2, "business", unavailable=(Span(FIRST_MONDAY, FIRST_MONDAY),)),
        Guest(4, 3, "public", conflicts=frozenset({1}), offers_desk=True),
        Guest(5, 4, "public", offers_desk=True),
        Guest(6, 5, "business", conflicts=frozenset({1}), offers_desk=True),
    ),
    (week(0), week(1)),
)


def demanding(*demands):
    by_kind = {Pin: set(), Forbid: set(), Swap: set()}
    for demand in demands:
        by_kind[type(demand)].add(demand)
    return Demands(*map(frozenset, by_kind.values()))


CASES = {
    "unknown_person": (Pin(99, "other"),),
    "unknown_offer": (Pin(2, "gone"),),
    "placed_twice": (Pin(2, "public"), Pin(2, "other")),
    "too_many_pins": (Pin(2, "any"), Pin(5, "any")),
    "pinned_and_forbidden": (Pin(2, "public"), Forbid(2, placement=1)),
    "kept_and_forbidden": (Swap((1, 2), week(0)), Forbid(1, organisation=2)),
    "own_organisation": (Pin(1, "any"),),
    "sector": (Pin(5, "other"),),
    "conflict": (Pin(6, "public"),),
    "unavailable": (Pin(3, "public"),),
    "desk_not_offered": (Swap((1, 3), week(1)),),
    "swap_length": (Swap((1, 2, 4, 6, 5), week(0)),),
}


@pytest.mark.parametrize("code", CASES)
@pytest.mark.parametrize("run", [most_served, stable])
def test_each_set_of_demands_that_excludes_itself_is_named(code, run):
    demands = demanding(*CASES[code])
    with pytest.raises(Impossible) as impossible:
        run(MARKET, demands)
    (found,) = (clash for clash in impossible.value.clashes if clash.code == code)
    assert set(found.demands) == set(CASES[code])
    assert impossible.value.clashes == check(MARKET, demands)


def test_every_kind_has_its_case_and_its_words():
    assert set(CASES) == set(CLASHES)
    for code, demands in CASES.items():
        named = {clash.code for clash in check(MARKET, demanding(*demands))}
        assert code in named


@pytest.mark.parametrize("code", sorted(set(CASES) - {"unknown_person", "own_organisation", "swap_length"}))
def test_without_one_of_its_demands_a_clash_is_gone(code):
    for left_out in CASES[code]:
        rest = [demand for demand in CASES[code] if demand != left_out]
        assert code not in {clash.code for clash in check(MARKET, demanding(*rest))}


@pytest.mark.parametrize("code", CASES)
def test_the_words_can_be_filled_from_the_values(code):
    for clash in check(MARKET, demanding(*CASES[code])):
        said = CLASHES[clash.code] % dict.fromkeys(clash.values, "…")
        assert ("…" in said) is (clash.code != "swap_length")


def test_a_swap_that_is_kept_breaks_no_hard_rule():
    conflict = check(MARKET, demanding(Swap((2, 5), week(0))))
    assert [(clash.code, dict(clash.values)) for clash in conflict] == [
        ("conflict", {"person": 2, "organisation": 4})
    ]
    alike = check(MARKET, demanding(Swap((1, 4), week(0))))
    assert [(clash.code, clash.values["person"]) for clash in alike] == [("sector", 1), ("sector", 4)]


def test_someone_twice_in_a_swap_is_placed_twice():
    assert "placed_twice" in {clash.code for clash in check(MARKET, demanding(Swap((1, 2, 1), week(0))))}


def test_all_clashes_are_named_at_once_and_always_in_the_same_order():
    demands = [demand for case in CASES.values() for demand in case]
    one, other = check(MARKET, demanding(*demands)), check(MARKET, demanding(*demands[::-1]))
    assert one == other
    assert {clash.code for clash in one} == set(CLASHES)
    assert all(isinstance(clash, Clash) for clash in one)


def test_what_is_forbidden_may_be_there_no_more():
    demands = demanding(Forbid(99, offer="gone"), Forbid(2, placement=99), Forbid(1, organisation=98))
    assert check(MARKET, demands) == ()


def test_demands_without_a_clash_can_always_be_met():
    met = 0
    for number in range(600):
        market, demands = markets.tiny(Random(f"demands {number}"), people=6)
        if demands.pins or demands.swaps:
            met += 1
            for run in (most_served, stable):
                plan = run(market, demands)
                assert plans.broken(market, demands, plan) == []
                placed = {pin.person for pin in demands.pins} | {
                    person for swap in demands.swaps for person in swap.people
                }
                assert {stay.person for stay in plan.stays if stay.demanded} == placed
    assert met > 40


def test_a_swap_that_is_kept_stays_and_the_others_are_matched_around_it():
    people = tuple(
        Guest(number, number, sector, (Wish(organisation=host),), offers_desk=True)
        for number, sector, host in (
            (1, "public", 2),
            (2, "business", 1),
            (3, "public", 2),
            (4, "business", 3),
        )
    )
    market = Market((), people, (week(0),))
    kept = Swap((4, 3), week(0))
    plan = most_served(market, demanding(kept))
    assert plan.swaps == (Swap((1, 2), week(0)), Swap((3, 4), week(0)))
    assert [(stay.person, stay.rank, stay.demanded) for stay in plan.stays] == [
        (1, 1, False),
        (2, 1, False),
        (3, None, True),
        (4, 1, True),
    ]


def test_the_hash_is_of_all_that_decides():
    market, demands = MARKET, demanding(Pin(2, "public"), Forbid(1, organisation=2))
    base = input_hash(market, demands, "most", 1)
    assert base == input_hash(
        Market(market.offers[::-1], market.guests[::-1], market.weeks[::-1]),
        demanding(Forbid(1, organisation=2), Pin(2, "public")),
        "most",
        1,
    )
    fewer = Market(market.offers[1:], market.guests, market.weeks)
    others = [
        input_hash(market, demands, "most", 2),
        input_hash(market, demands, "stable", 1),
        input_hash(market, Demands(), "most", 1),
        input_hash(fewer, demands, "most", 1),
        input_hash(Market(market.offers, market.guests, (week(0),)), demands, "most", 1),
    ]
    assert len({base, *others}) == 6
