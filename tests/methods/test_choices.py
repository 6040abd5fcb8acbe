"""What people send: each bad choice and each bad setting is told by the field that it stands in, with its mend."""

import json
import random
import time
from dataclasses import replace

import pytest

from app.methods import choices
from app.methods.election import METHODS, Option, Settings
from tests.factories.elections import random_choice

OPTIONS = (Option("3", 40), Option("5", 70), Option("7", 20))
ORDER = ("5", "3", "7")


def settings(method="approval", **values):
    return Settings(method, rule="one_person", tie_order=ORDER, budget=100, **values)


def fields(method, choice, **values):
    return [error.field for error in choices.check(settings(method, **values), OPTIONS, choice)]


GOOD = {
    "approval": {"approved": ["3", "7"]},
    "score": {"scores": {"3": 5, "7": 0}},
    "ranked": {"ranking": [["3"], ["5", "none"], ["7"]]},
    "points": {"points": {"3": 9, "5": 1}},
    "quadratic": {"points": {"3": 3, "5": 1}},
    "budget": {"approved": ["7", "5"]},
}


@pytest.mark.parametrize("method", METHODS)
def test_each_method_takes_its_own_choice_abstention_and_none_of_these(method):
    for choice in (GOOD[method], {"abstain": True}, {"none": True}):
        assert fields(method, choice) == []


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "choice",
    [
        None,
        17,
        "3",
        [],
        ["3"],
        {},
        {"votes": ["3"]},
        {"abstain": True, "none": True},
        {"approved": ["3"], "scores": {"3": 1}},
    ],
)
def test_what_is_no_single_choice_is_refused(method, choice):
    assert fields(method, choice) == ["choice"]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("value", [False, None, 1, "true", []])
def test_abstaining_and_none_can_only_be_true(method, value):
    assert fields(method, {"abstain": value}) == ["abstain"]
    assert fields(method, {"none": value}) == ["none"]


def test_a_choice_for_another_method_is_refused():
    assert fields("score", GOOD["approval"]) == ["choice"]
    assert fields("budget", GOOD["points"]) == ["choice"]
    assert fields("quadratic", GOOD["points"], points=10) == ["points"]


@pytest.mark.parametrize("method", ["approval", "budget"])
@pytest.mark.parametrize(
    "approved",
    ["3", {"3": 1}, None, True, [], ["4"], ["3", "3"], [3], [["3"]], ["none"], ["3", None], ["x" * 5000]],
)
def test_a_list_of_approvals_with_a_fault_is_refused(method, approved):
    assert fields(method, {"approved": approved}) == ["approved"]


def test_approvals_stay_within_the_least_and_the_most():
    assert fields("approval", {"approved": ["3"]}, least=2) == ["approved"]
    assert fields("approval", {"approved": ["3", "5"]}, least=2, most=2) == []
    assert fields("approval", {"approved": ["3", "5", "7"]}, least=2, most=2) == ["approved"]
    assert fields("approval", {"none": True}, least=2) == []


def test_a_choice_within_the_budget_may_use_it_all_and_no_more():
    assert fields("budget", {"approved": ["5", "7"]}) == []
    assert fields("budget", {"approved": ["3", "5"]}) == ["approved"]
    [error] = choices.check(settings("budget"), OPTIONS, {"approved": ["3", "5"]})
    assert dict(error.values) == {"total": 110, "budget": 100}
    assert "110" in error.message % dict(error.values)


@pytest.mark.parametrize("score", [-1, 6, 2.0, 2.5, "2", None, True, [1], 10**4000])
def test_a_score_is_a_whole_number_from_nought_to_five(score):
    assert fields("score", {"scores": {"3": score, "5": 1}}) == ["scores/3"]


@pytest.mark.parametrize("scores", [[], ["3"], "3", 4, None, {}])
def test_scores_are_an_object(scores):
    assert fields("score", {"scores": scores}) == ["scores"]


def test_every_wrong_score_is_told():
    assert fields("score", {"scores": {"3": 9, "4": 1, "5": -1, "7": 2}}) == [
        "scores/4",
        "scores/3",
        "scores/5",
    ]


@pytest.mark.parametrize(
    "ranking",
    [
        None,
        "3",
        {"3": 1},
        [],
        ["3", "5"],
        [["3"], []],
        [[]],
        [["3"], ["3"]],
        [["3", "3"]],
        [["4"]],
        [["none"], ["3"], ["none"]],
        [[3]],
        [[["3"]]],
        [["3"], None],
    ],
)
def test_a_ranking_with_a_fault_is_refused(ranking):
    assert fields("ranked", {"ranking": ranking}) == ["ranking"]


@pytest.mark.parametrize("method", ["points", "quadratic"])
@pytest.mark.parametrize("points", [-1, 1.5, "1", None, True])
def test_points_are_whole_and_not_negative(method, points):
    assert fields(method, {"points": {"3": points}}) == ["points/3"]


def test_points_stay_within_what_each_has():
    assert fields("points", {"points": {"3": 6, "5": 4}}, points=10) == []
    assert fields("points", {"points": {"3": 6, "5": 5}}, points=10) == ["points"]
    assert fields("points", {"points": {"3": 10**5000}}, points=10) == ["points"]
    assert fields("points", {"points": {"4": 1}}, points=10) == ["points/4"]


def test_votes_cost_their_square():
    assert fields("quadratic", {"points": {"3": 3, "5": 1}}, points=10) == []
    assert fields("quadratic", {"points": {"3": 3, "5": 1}}, points=9) == ["points"]
    assert fields("quadratic", {"points": {"3": 10**5000}}, points=10) == ["points"]


@pytest.mark.parametrize(
    ("method", "choice"),
    [
        ("approval", {"approved": ["3"] * 10_000}),
        ("approval", {"approved": [str(number) for number in range(10_000)]}),
        ("budget", {"approved": ["3"] * 10_000}),
        ("score", {"scores": {str(number): 9 for number in range(10_000)}}),
        ("ranked", {"ranking": [["3"]] * 10_000}),
        ("ranked", {"ranking": [["3"] * 10_000]}),
        ("ranked", {"ranking": [[]] * 10_000}),
        ("points", {"points": {str(number): -1 for number in range(10_000)}}),
        ("quadratic", {"points": {str(number): -1 for number in range(10_000)}}),
    ],
)
def test_ten_thousand_entries_get_one_error_at_once(method, choice):
    started = time.perf_counter()
    [error] = choices.check(settings(method), OPTIONS, choice)
    assert time.perf_counter() - started < 0.05
    assert dict(error.values)["entries"] == 10_000
    assert dict(error.values)["options"] == 3


def test_every_message_can_be_filled_and_stays_short():
    bad = [
        ("approval", {"approved": ["x" * 100_000, "3", "3"]}),
        ("score", {"scores": {"x" * 100_000: 1, "3": "y" * 100_000}}),
        ("ranked", {"ranking": [[], ["4"], [None]]}),
        ("quadratic", {"points": {"3": 10**5000}}),
    ]
    for method, choice in bad:
        for error in choices.check(settings(method), OPTIONS, choice):
            assert len(error.message % dict(error.values)) < 200
            assert len(error.field) < 60


# the normal form


def test_equal_choices_become_equal():
    normal = choices.normal
    assert normal({"approved": ["7", "3"]}) == {"approved": ["3", "7"]}
    assert json.dumps(normal({"scores": {"7": 0, "5": 2, "3": 1}})) == '{"scores": {"3": 1, "5": 2}}'
    assert normal({"points": {"7": 0, "3": 1}}) == {"points": {"3": 1}}
    assert normal({"ranking": [["7", "3"], ["none"]]}) == {"ranking": [["3", "7"]]}
    assert normal({"ranking": [["none"], ["3"]]}) == {"ranking": [["none"], ["3"]]}
    for nothing in ({"none": True}, {"scores": {"3": 0}}, {"points": {"3": 0}}, {"ranking": [["none"]]}):
        assert normal(nothing) == {"none": True}
    assert normal({"abstain": True}) == {"abstain": True}


@pytest.mark.parametrize("method", METHODS)
def test_the_normal_form_is_its_own_and_can_be_sent_again(method):
    rng = random.Random(5)
    held = replace(settings(method, points=100), budget=1000)
    for _ in range(2000):
        choice = random_choice(rng, method, [option.key for option in OPTIONS])
        assert choices.check(held, OPTIONS, choice) == []
        normal = choices.normal(choice)
        assert choices.check(held, OPTIONS, normal) == []
        assert choices.normal(normal) == normal


# the settings of a ballot


def wrong(method="approval", options=OPTIONS, **values):
    held = replace(settings(method), **{"tie_order": tuple(option.key for option in options), **values})
    return [error.field for error in choices.check_settings(held, options)]


@pytest.mark.parametrize("method", METHODS)
def test_sound_settings_pass(method):
    assert wrong(method) == []


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("percent", [101, -1, 50.0, True, None, "50"])
def test_a_percentage_beyond_a_hundred_is_refused(method, percent):
    for name in ("quorum", "sector_quorum", "threshold"):
        assert wrong(method, **{name: percent}) == [name]
        assert wrong(method, **{name: 100}) == []


def test_an_unknown_method_or_rule_is_refused():
    assert wrong("lottery") == ["method"]
    assert wrong(rule="loudest") == ["rule"]
    assert wrong(rule="equal_split") == ["rule"]
    assert wrong("budget", rule="equal_split") == []


@pytest.mark.parametrize("method", METHODS)
def test_a_ballot_without_solutions_is_refused(method):
    assert wrong(method, options=()) == ["options"]


def test_a_solution_twice_or_without_a_sound_key_is_refused():
    assert wrong(options=(*OPTIONS, Option("3"))) == ["options"]
    assert wrong(options=(Option("none"),)) == ["options"]
    assert wrong(options=(Option(""),)) == ["options"]


@pytest.mark.parametrize("seats", [0, -1, 4, 1.0, True])
def test_there_are_at_least_one_and_at_most_all_winners(seats):
    assert wrong(seats=seats) == ["seats"]
    assert wrong("budget", seats=seats) == ([] if seats in (0, 4) and type(seats) is int else ["seats"])
    assert wrong(seats=3) == []


def test_least_and_most_fit_each_other_and_the_solutions():
    assert wrong(least=2, most=3) == []
    assert wrong(least=2) == []
    assert wrong(least=3, most=2) == ["most"]
    assert wrong(least=4) == ["least"]
    assert wrong(most=4) == ["most"]
    assert wrong(least=-1, most=-1) == ["least", "most"]


@pytest.mark.parametrize("method", ["points", "quadratic"])
def test_each_has_from_one_to_a_thousand_points(method):
    assert [wrong(method, points=points) for points in (0, 1, 1000, 1001)] == [["points"], [], [], ["points"]]


def test_a_budget_can_pay_for_something():
    assert wrong("budget", budget=20) == []
    assert wrong("budget", budget=19) == ["budget"]
    assert wrong("budget", budget=0) == ["budget"]
    assert wrong("budget", options=(Option("3", -1),)) == ["options"]


@pytest.mark.parametrize("order", [(), ("3", "5"), ("3", "5", "5"), ("3", "5", "7", "9"), ("3", "5", "9")])
def test_the_tie_order_names_each_solution_once(order):
    assert wrong(tie_order=order) == ["tie_order"]
