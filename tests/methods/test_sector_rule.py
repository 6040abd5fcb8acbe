"""How sectors decide together: the bar, the measure, small sectors; each example is worked out by hand."""

from dataclasses import replace
from fractions import Fraction

import pytest

from app.methods import bridging, sector_rule
from app.methods import count as counting
from app.methods.election import RULES, Reason, Vote, input_hash
from tests.factories.elections import approving, election

# 4 of public and 8 of business: a has 4/4 and 2/8, b has 3/4 and 5/8, c has 2/4 and 8/8.
VOTES = approving("public", "abc", "abc", "ab", "a") + approving(
    "business", "abc", "abc", "bc", "bc", "bc", "c", "c", "c"
)
HALF = Fraction(1, 2)


def outcome(rule, **settings):
    return counting.count(election(VOTES, rule=rule, **settings))


def measures(rule, **settings):
    return {row.key: row.measure for row in outcome(rule, **settings).standings}


def passing(rule, threshold):
    return {row.key for row in outcome(rule, threshold=threshold).standings if row.passed}


def test_support_is_counted_in_each_sector():
    support = {row.key: row.support for row in outcome("one_person").standings}
    assert support == {"a": ((4, 4), (2, 8)), "b": ((3, 4), (5, 8)), "c": ((2, 4), (8, 8))}


def test_least_sector_measures_the_sector_that_likes_it_less():
    assert measures("least_sector") == {"a": Fraction(3, 10), "b": Fraction(6, 10), "c": HALF}


def test_bridging_measures_the_product():
    assert measures("bridging") == {
        "a": Fraction(5, 6) * Fraction(3, 10),
        "b": Fraction(4, 6) * Fraction(6, 10),
        "c": Fraction(3, 6) * Fraction(9, 10),
    }


def test_both_sectors_measures_the_least_share():
    assert measures("both_sectors") == {"a": Fraction(1, 4), "b": Fraction(5, 8), "c": HALF}


def test_equal_weight_measures_the_mean_share():
    assert measures("equal_weight") == {"a": Fraction(5, 8), "b": Fraction(11, 16), "c": Fraction(3, 4)}


def test_one_person_measures_all_votes_alike():
    assert measures("one_person") == {"a": HALF, "b": Fraction(8, 12), "c": Fraction(10, 12)}


def test_each_rule_can_choose_another():
    assert outcome("least_sector", threshold=0).order == ("b", "c", "a")
    assert outcome("bridging", threshold=0).order == ("c", "b", "a")
    assert outcome("both_sectors").winners == ("b",)
    assert outcome("equal_weight").order == ("c", "b", "a")
    assert outcome("one_person").winners == ("c",)


@pytest.mark.parametrize("rule", ["least_sector", "both_sectors"])
def test_at_fifty_more_than_half_of_each_sector_is_needed(rule):
    assert passing(rule, 50) == {"b"}
    assert passing(rule, 49) == {"b", "c"}
    assert passing(rule, 25) == {"a", "b", "c"}
    assert passing(rule, 26) == {"b", "c"}
    assert passing(rule, 62) == {"b"}
    assert passing(rule, 63) == set()
    assert passing(rule, 0) == {"a", "b", "c"}


def test_the_bar_of_bridging_is_for_the_geometric_mean():
    # The products are 1/4, 15/32 and 1/2; at 50 they must exceed 1/4.
    assert passing("bridging", 50) == {"b", "c"}
    assert passing("bridging", 49) == {"a", "b", "c"}
    assert passing("bridging", 51) == {"b", "c"}
    assert passing("bridging", 69) == {"c"}
    assert passing("bridging", 71) == set()


def test_the_bar_of_equal_weight_is_for_the_mean():
    assert passing("equal_weight", 50) == {"a", "b", "c"}
    assert passing("equal_weight", 62) == {"a", "b", "c"}
    assert passing("equal_weight", 63) == {"b", "c"}
    assert passing("equal_weight", 75) == {"c"}
    assert passing("equal_weight", 76) == set()


def test_the_bar_of_one_person_is_for_all():
    assert passing("one_person", 50) == {"b", "c"}
    assert passing("one_person", 49) == {"a", "b", "c"}
    assert passing("one_person", 67) == {"c"}


@pytest.mark.parametrize("rule", ["least_sector", "both_sectors", "bridging", "equal_weight", "one_person"])
def test_exactly_half_is_not_more_than_half(rule):
    halves = election(approving("public", "a", "") + approving("business", "a", ""), "a", rule=rule)
    assert [counting.count(_at(halves, percent)).winners for percent in (0, 49, 50, 51)] == [
        ("a",),
        ("a",),
        (),
        (),
    ]


def _at(held, threshold):
    return replace(held, settings=replace(held.settings, threshold=threshold))


def test_reasons_say_what_was_reached_and_what_was_needed():
    reasons = {row.key: row.reasons for row in outcome("both_sectors").standings}
    assert reasons == {
        "a": (Reason("sector_below_bar", {"sector": "business", "yes": 2, "votes": 8, "needed": 5}),),
        "b": (Reason("bar_reached", {"percent": 50}), Reason("won", {"place": 1})),
        "c": (Reason("sector_below_bar", {"sector": "public", "yes": 2, "votes": 4, "needed": 3}),),
    }
    whole = {row.key: row.reasons for row in outcome("one_person", threshold=51).standings}
    assert whole["a"] == (Reason("whole_below_bar", {"yes": 6, "votes": 12, "needed": 7}),)
    assert whole["b"] == (Reason("bar_reached", {"percent": 51}), Reason("no_seat", {"seats": 1}))
    mean = {row.key: row.reasons for row in outcome("equal_weight", threshold=69).standings}
    assert mean["b"] == (Reason("mean_below_bar", {"given": 68.7, "needed": 69.0}),)
    product = {row.key: row.reasons for row in outcome("bridging").standings}
    assert product["a"] == (Reason("product_not_over_bar", {"given": 25.0, "needed": 25.0}),)
    assert {row.key: row.reasons for row in outcome("bridging", threshold=69).standings}["b"] == (
        Reason("product_below_bar", {"given": 46.8, "needed": 47.7}),
    )


def test_those_set_aside_follow_by_measure_then_tie_order():
    votes = approving("public", "c", "c", "c", "ab", "") + approving("business", "c", "d", "c", "ab", "")
    result = counting.count(election(votes, "abcd", rule="both_sectors", tie_order=("d", "b", "a", "c")))
    # c has 3/5 and 2/5, a and b 1/5 in both, d 0 and 1/5: nothing passes.
    assert result.order == ("c", "b", "a", "d")
    assert not result.passed
    assert result.reasons == (Reason("none_over_bar"),)


def test_the_method_counts_only_what_passed():
    # a has the largest score, but only half of business supports it.
    votes = [("public", {"scores": {"a": 5, "b": 3}})] * 3
    votes += [("business", {"scores": {"a": 5, "b": 3}}), ("business", {"scores": {"a": 2, "b": 3}})]
    result = counting.count(election(votes, "ab", method="score", rule="both_sectors"))
    assert result.winners == ("b",)
    assert result.order == ("b", "a")
    assert [row.score for row in result.standings] == [15, None]
    assert counting.count(election(votes, "ab", method="score", rule="one_person")).winners == ("a",)


def test_under_equal_weight_each_sector_weighs_as_much_as_another():
    votes = [("public", {"scores": {"a": 5, "b": 3}})] * 6 + [("business", {"scores": {"a": 0, "b": 3}})] * 2
    weighed = counting.count(election(votes, "ab", method="score", rule="equal_weight", threshold=0))
    assert {row.key: row.score for row in weighed.standings} == {"a": 5, "b": 6}
    assert weighed.winners == ("b",)
    plain = counting.count(election(votes, "ab", method="score", rule="one_person", threshold=0))
    assert {row.key: row.score for row in plain.standings} == {"a": 30, "b": 24}
    assert plain.winners == ("a",)


def test_under_equal_weight_one_more_vote_for_an_option_can_cost_it_its_seat():
    # The first vote of public leads for a by 5, business for b by 4; a second, lukewarm one halves what public says.
    votes = [("public", {"scores": {"a": 5}}), ("business", {"scores": {"b": 4}})]
    more = [*votes, ("public", {"scores": {"a": 1}})]
    held = {"method": "score", "rule": "equal_weight", "threshold": 0}
    assert counting.count(election(votes, "ab", **held)).winners == ("a",)
    assert counting.count(election(more, "ab", **held)).winners == ("b",)


def test_equal_measures_are_ordered_by_the_method_and_then_the_tie_order():
    votes = [
        ("public", {"scores": {"a": 3, "b": 5, "c": 3}}),
        ("business", {"scores": {"a": 3, "b": 4, "c": 3}}),
    ]
    result = counting.count(
        election(votes, method="score", rule="least_sector", seats=2, tie_order=("c", "b", "a"))
    )
    assert result.order == ("b", "c", "a")
    assert [(tie.over, tie.between, tie.first) for tie in result.ties] == [("seat", ("c", "a"), "c")]


def test_the_measure_comes_before_the_method():
    # a has more points in all, b the larger least share of support.
    votes = [("public", {"points": {"a": 9, "b": 1}})] * 2 + [("public", {"points": {"a": 9}})]
    votes += [("business", {"points": {"b": 1}})] * 2 + [("business", {"points": {"a": 9}})]
    held = {"method": "points", "threshold": 0}
    assert counting.count(election(votes, "ab", rule="least_sector", **held)).winners == ("b",)
    assert counting.count(election(votes, "ab", rule="one_person", **held)).winners == ("a",)
    # What the methods would choose of themselves is shown without the measure.
    assert counting.under_methods(election(votes, "ab", rule="least_sector", **held))["points"] == ("a",)


def test_a_tie_of_rankings_is_told_where_measures_are_equal():
    votes = [("public", {"ranking": [["a"], ["b"]]}), ("business", {"ranking": [["b"], ["a"]]})]
    held = {"method": "ranked", "rule": "least_sector", "tie_order": ("b", "a")}
    result = counting.count(election(votes, "ab", **held))
    assert result.winners == ("b",)
    assert [set(tie.between) for tie in result.ties] == [{"a", "b"}]


def test_the_least_measure_is_that_of_bridging_on_the_board():
    for support in ([(9, 18), (4, 8)], [(18, 18), (0, 8)], [(0, 0), (3, 7), (5, 6)]):
        assert float(sector_rule.measure_of("least_sector", support)) == bridging.score(support)


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule != "equal_split"])
def test_one_sector_alone_and_many_sectors_work(rule):
    one = counting.count(election(approving("public", "a", "a", "b"), rule=rule))
    assert one.winners == ("a",)
    many = [vote for sector in "vwxyz" for vote in approving(sector, "ab", "ab", "b")]
    assert counting.count(election(many, rule=rule)).winners == ("b",)


def test_a_sector_without_votes_carries_nothing():
    votes = approving("public", "a", "a", "a")
    eligible = {"public": 3, "business": 3}
    for rule in ("least_sector", "both_sectors", "bridging", "equal_weight"):
        for threshold in (50, 51, 100):
            held = election(votes, "a", rule=rule, eligible=eligible, threshold=threshold)
            assert not counting.count(held).passed
    for rule in ("least_sector", "both_sectors", "bridging"):
        held = election(votes, "a", rule=rule, eligible=eligible, threshold=1)
        assert not counting.count(held).passed
    assert counting.count(election(votes, "a", rule="one_person", eligible=eligible)).winners == ("a",)
    [row] = counting.count(election(votes, "a", rule="both_sectors", eligible=eligible)).standings
    assert row.reasons == (Reason("sector_without_votes", {"sector": "business"}),)
    [row] = counting.count(election(votes, "a", rule="equal_weight", eligible=eligible)).standings
    assert row.reasons == (Reason("mean_not_over_bar", {"given": 50.0, "needed": 50.0}),)


def test_a_budget_is_spent_in_the_order_of_the_measure_on_all_that_still_fits():
    votes = approving("public", "abcd", "abc", "ab", "a", "a")
    held = {"costs": {"a": 60, "b": 50, "c": 30, "d": 10}, "budget": 100, "threshold": 0}
    ordered = sector_rule.decide(
        *_profile_of(election(votes, "abcd", method="budget", rule="least_sector", **held)),
        counting._method("approval", 1),
    )
    assert ordered.count.order == ("a", "b", "c", "d")
    assert ordered.count.winners == ("a", "c", "d")
    spending = ordered.count.rounds[-1]
    assert spending["round"] == "spending"
    assert [(row["key"], row["taken"], row["left"]) for row in spending["options"]] == [
        ("a", True, 40),
        ("b", False, 40),
        ("c", True, 10),
        ("d", True, 0),
    ]


def test_a_tie_over_the_last_money_is_told():
    votes = approving("public", "ab", "ab", "")
    held = {"costs": {"a": 60, "b": 60}, "budget": 100, "threshold": 0, "tie_order": ("b", "a")}
    decision = sector_rule.decide(
        *_profile_of(election(votes, "ab", method="budget", rule="bridging", **held)),
        counting._method("approval", 1),
    )
    assert decision.count.winners == ("b",)
    assert [(tie.over, tie.between, tie.first) for tie in decision.count.ties] == [("money", ("b", "a"), "b")]


def _profile_of(held):
    return counting.elections.read(held), held.settings


# small sectors


def secret(business, rule="one_person", **settings):
    votes = approving("public", *["ab"] * 6, "b") + approving("business", *business)
    return election(votes, "ab", rule=rule, secret=True, eligible={"public": 9, "business": 8}, **settings)


def test_fewer_than_five_secret_votes_are_counted_by_nobody():
    votes, eligible = approving("public", "a", "a", "a", "a"), {"public": 9, "business": 9}
    held = election(votes, eligible=eligible, secret=True)
    few = sector_rule.pooled(held)
    assert (few.votes, few.withheld, few.too_small) == ((), 4, ("public", "business"))
    assert sector_rule.pooled(few) == few
    result = counting.count(few)
    assert result.reasons == (Reason("too_few_votes", {"voted": 4, "least": 5}),)
    assert (result.winners, result.passed) == ((), False)
    assert [(row.sector, row.eligible, row.voted, row.counted) for row in result.turnout] == [("", 18, 4, 0)]
    opened = replace(held, settings=replace(held.settings, secret=False))
    assert sector_rule.pooled(opened) == opened


def test_a_sector_is_too_small_below_five_votes_with_abstentions():
    four = secret(["a"] * 4)
    assert sector_rule.small_sectors(four.votes, four.eligible) == ("business",)
    five = [*four.votes, Vote("business", {"abstain": True})]
    assert sector_rule.small_sectors(five, four.eligible) == ()
    assert sector_rule.small_sectors(five, {**four.eligible, "science": 4}) == ("science",)
    assert sector_rule.small_sectors([*five, Vote("guest", {"none": True})], four.eligible) == ("guest",)


def test_where_every_sector_is_large_enough_nothing_is_pooled():
    large = secret(["a"] * 5)
    assert sector_rule.pooled(large) is large
    open_ballot = election(approving("public", "a"))
    assert sector_rule.pooled(open_ballot) is open_ballot


def test_pooled_votes_tell_no_sector():
    held = sector_rule.pooled(secret(["a"] * 4))
    assert held.too_small == ("business",)
    assert {vote.sector for vote in held.votes} == {""}
    assert sector_rule.pooled(held) == held


@pytest.mark.parametrize("rule", ["least_sector", "both_sectors", "bridging", "equal_weight"])
def test_with_a_sector_too_small_only_one_person_one_vote_can_pass(rule):
    result = counting.count(sector_rule.pooled(secret(["ab"] * 4, rule)))
    assert not result.passed
    assert result.winners == ()
    assert result.reasons == (Reason("sector_too_small", {"sectors": ["business"], "least": 5}),)
    assert result.sectors == ("",)
    assert [(row.sector, row.eligible, row.voted, row.counted) for row in result.turnout] == [
        ("", 17, 11, 11)
    ]
    assert all(not row.passed and row.reasons[0].code == "sector_too_small" for row in result.standings)


def test_with_a_sector_too_small_one_person_one_vote_counts_all_together():
    result = counting.count(sector_rule.pooled(secret(["a"] * 4)))
    assert result.winners == ("a",)
    assert [row.support for row in result.standings] == [((10, 11),), ((7, 11),)]
    with_sector_quorum = counting.count(sector_rule.pooled(secret(["a"] * 4, sector_quorum=90)))
    assert [reason.code for reason in with_sector_quorum.reasons] == ["sector_too_small"]


def test_nothing_in_the_result_tells_how_the_small_sector_voted():
    # Which of the four of business voted how is swapped with votes of public: the published result stays the same.
    votes = secret(["a", "a", "a", ""]).votes
    swapped = [Vote("business" if place < 4 else "public", vote.choice) for place, vote in enumerate(votes)]
    one = sector_rule.pooled(secret(["a", "a", "a", ""], "least_sector"))
    other = sector_rule.pooled(
        election(
            [(vote.sector, vote.choice) for vote in swapped],
            "ab",
            rule="least_sector",
            secret=True,
            eligible=one.eligible,
        )
    )
    assert counting.count(one) == counting.count(other)


def test_the_published_log_counts_to_the_same_result():
    held = secret(["a"] * 4)
    published = sector_rule.pooled(held)
    unpooled_but_named = type(held)(held.options, held.settings, held.votes, held.eligible, ("business",))
    assert counting.count(published) == counting.count(unpooled_but_named)
    assert counting.count(published).input_hash == input_hash(published)
    assert input_hash(published) != input_hash(held)
