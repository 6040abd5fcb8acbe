"""The pages on methods and sector rules: their examples are counted, and each number on them is what comes out."""

import re
from fractions import Fraction
from math import ceil
from pathlib import Path

import pytest

from app.methods import choices, count, sector_rule
from app.methods.election import METHODS, RULES, SMALLEST_SECTOR, Election, Option, Settings, Vote
from app.services import ballot_making
from app.web import words

DOCS = Path(__file__).parents[2] / "docs/methods"
APPROVAL, SCORE, POINTS, RULES_PAGE, INDEX = (
    (DOCS / f"{name}.md").read_text() for name in ("approval", "score", "points", "sector-rules", "README")
)
AGREE = "each sector must agree"


def example(page, kind="votes"):
    return re.search(rf"```{kind}\n(.*?)```", page, re.DOTALL)[1]


def choice_of(said, method):
    """What is written after the colon, as the choice that it stands for."""
    if said in {"none", "abstain"}:
        return {said: True}
    given = [part.split(" (")[0] for part in said.split(", ")]
    if method in {"approval", "budget"}:
        return {"approved": given}
    return {choices.PART[method]: {key: int(number) for key, number in map(str.split, given)}}


def election(page, method, *, kind="votes", rule="least_sector", threshold=50, budget=0, cost=0):
    """The example of a page as an election, with its tie order; each choice is one that a voter could send."""
    tie_order = tuple(re.search(r"The tie order is ([^.]+)\.", page)[1].split(", "))
    options = tuple(Option(key, cost) for key in tie_order)
    settings = Settings(method, rule, threshold=threshold, budget=budget, tie_order=tie_order)
    votes = []
    for line in example(page, kind).splitlines():
        sector, times, said = re.fullmatch(r"(\w+) (\d+): (.+)", line).groups()
        choice = choice_of(said, method)
        assert choices.check(settings, options, choice) == []
        votes += [Vote(sector, choices.normal(choice))] * int(times)
    assert choices.check_settings(settings, options) == []
    eligible = {sector: sum(vote.sector == sector for vote in votes) for sector in ("public", "business")}
    return Election(options, settings, votes, eligible)


def table(page, head):
    """The rows of the table whose first line starts so, by their first cell: cells by column."""
    lines = page[page.index(f"\n| {head}") :].strip().split("\n\n")[0].splitlines()
    names, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)
    return {key: dict(zip(names[1:], row, strict=True)) for key, *row in rows}


def standings(result):
    return {standing.key: standing for standing in result.standings}


def told(value):
    return f"{float(value):.3f}"


def chosen(page, after):
    """What a page says in bold is chosen, first after some words."""
    return re.search(r"\*\*([^*]+)\*\*", page[page.index(after) + len(after) :].split("hosen", 1)[1])[1]


def shares(text):
    """What stands as (a + 1)/(b + 2) = 0.xyz in a text: each is so."""
    found = re.findall(r"\((\d+) \+ 1\)/\((\d+) \+ 2\) = (\d\.\d{3})", text)
    for yes, votes, share in found:
        assert told(Fraction(int(yes) + 1, int(votes) + 2)) == share
    return {(int(yes), int(votes)) for yes, votes, _ in found}


def support_in(result, key):
    return set(standings(result)[key].support)


# approval


def test_the_example_of_approval():
    result = count.count(election(APPROVAL, "approval"))
    assert {
        key: (int(row["public"]), int(row["business"]), int(row["marks in all"]), row[LEAST])
        for key, row in table(APPROVAL, "solution").items()
    } == {
        key: (*(yes for yes, _ in one.support), sum(yes for yes, _ in one.support), told(one.measure))
        for key, one in standings(result).items()
    }
    assert shares(APPROVAL) == support_in(result, "Bikes")
    assert {told(Fraction(yes + 1, votes + 2)) for yes, votes in support_in(result, "Shade")} == {
        "0.625",
        "0.700",
    }
    assert "Shade has 0.625 and 0.700, so 0.625 counts" in APPROVAL
    assert result.winners == (chosen(APPROVAL, "By the usual rule"),)
    assert [key for key, one in standings(result).items() if not one.passed] == ["Bus"]


LEAST = "least of (yes + 1)/(votes + 2)"


def test_who_takes_part_and_what_is_half_in_the_example_of_approval():
    result = count.count(election(APPROVAL, "approval"))
    (public, business) = result.turnout
    assert f"{public.voted} public servants and {business.voted} company employees take part" in APPROVAL
    assert f"there are {public.counted} votes in public and {business.counted} in business" in APPROVAL
    half = [row.counted // 2 + 1 for row in result.turnout]
    assert "More than half is {} in public and {} in business".format(*half) in APPROVAL


def test_the_marks_themselves_choose_another_in_the_example_of_approval():
    result = count.count(election(APPROVAL, "approval", rule="both_sectors"))
    assert result.winners == (chosen(APPROVAL, f"By “{AGREE}”".replace("“", '"').replace("”", '"')),)
    assert "Bikes has {} marks against {}".format(
        *(standings(result)[key].score for key in result.order[:2])
    ) in (APPROVAL)


# score


def test_the_example_of_scores():
    result = count.count(election(SCORE, "score", rule="both_sectors"))
    usual = count.count(election(SCORE, "score"))
    (explanation,) = (each for each in result.rounds if each["round"] == "totals")
    sums = {each["key"]: each["sums"] for each in explanation["options"]}
    sums["Bus"] = [5, 4]  # set aside, so that the method does not add it up
    assert not standings(result)["Bus"].passed
    for key, row in table(SCORE, "solution").items():
        assert [int(row["supported in public"]), int(row["supported in business"])] == [
            yes for yes, _ in standings(result)[key].support
        ]
        assert [int(row["sum in public"]), int(row["sum in business"]), int(row["sum"])] == [
            *sums[key],
            sum(sums[key]),
        ]
        assert row[LEAST] == told(standings(usual)[key].measure)
    assert usual.winners == (chosen(SCORE, "By the usual rule"),)
    assert result.winners == (chosen(SCORE, f'By "{AGREE}"'),)
    assert f"Bikes has {standings(result)['Bikes'].score} against {standings(result)['Shade'].score}" in SCORE


def test_the_numbers_beside_the_example_of_scores():
    usual = count.count(election(SCORE, "score"))
    assert shares(SCORE) == support_in(usual, "Bikes")
    two = [told(Fraction(yes + 1, votes + 2)) for yes, votes in standings(usual)["Shade"].support]
    assert f"Shade has {two[0]} and {two[1]}, so {min(two)} counts" in SCORE
    votes = [row.voted for row in usual.turnout]
    assert "{} public servants and {} company employees vote".format(*votes) in SCORE
    assert "6 times 5 and 3 times 1: 33. Shade has 6 times 3, 3 times 4 and once 2: 32" in SCORE
    public = [line for line in example(SCORE).splitlines() if line.startswith("public")]
    assert public == ["public 6: Bikes 5, Shade 3", "public 3: Shade 4, Bikes 1", "public 1: Bus 5, Shade 2"]
    assert (6 * 5 + 3 * 1, 6 * 3 + 3 * 4 + 2) == (33, 32)


# points and credits


def points(method, rule):
    return count.count(election(POINTS, method, kind=method, rule=rule, threshold=0))


def test_the_example_of_points_and_credits():
    dots, credits = (points(method, "both_sectors") for method in ("points", "quadratic"))
    usual = [points(method, "least_sector") for method in ("points", "quadratic")]
    for key, row in table(POINTS, "solution").items():
        assert int(row["points"]) == standings(dots)[key].score
        assert int(row["votes by credits"]) == standings(credits)[key].score
        assert row[f"{LEAST}, points"] == told(standings(usual[0])[key].measure)
        assert row["the same, credits"] == told(standings(usual[1])[key].measure)
    assert dots.winners == (chosen(POINTS, f'Points, by "{AGREE}"'),)
    assert credits.winners == (chosen(POINTS, f'Credits, by "{AGREE}"'),)
    assert usual[0].winners == (re.search(r"Chosen with points: \*\*(\w+)\*\*", POINTS)[1],)
    assert usual[1].winners == (re.search(r"Chosen with credits: \*\*(\w+)\*\*", POINTS)[1],)


def test_what_the_page_says_of_support_in_the_example_of_points():
    usual = points("points", "least_sector")
    assert shares(POINTS) == {
        standings(usual)["Garden"].support[1],
        *(standings(usual)[key].support[0] for key in ("Bikes", "Shade", "Bus")),
    }
    equal = [points(method, "least_sector") for method in ("points", "quadratic")]
    assert [
        [key for key, one in standings(each).items() if one.measure == Fraction(1, 2)] for each in equal
    ] == [["Bikes", "Shade", "Bus"], ["Bikes", "Shade"]]
    assert "make 50 points" in POINTS
    assert standings(usual)["Garden"].score == 50
    assert "three votes each, 15. Eight people's votes for Bikes are 4 times 2 and 4 times 3: 20" in POINTS
    assert max(one.support[0] for one in usual.standings) == (4, 8)
    for method in ("points", "quadratic"):
        assert count.count(election(POINTS, method, kind=method)).winners == ()


def test_what_credits_cost_in_the_example():
    for line in example(POINTS, "quadratic").splitlines():
        votes = map(int, re.findall(r"[A-Z]\w+ (\d+)", line))
        assert sum(number * number for number in votes) == int(re.search(r"\((\d+)\)", line)[1]) <= 10
    people = [re.findall(r"(?m)^\w+ \d+:", example(POINTS, kind)) for kind in ("points", "quadratic")]
    assert people[0] == people[1]
    assert Settings("points").points == 10


def test_points_without_a_bar_are_counted_by_both_sectors_as_by_one_person():
    for method in ("points", "quadratic"):
        assert points(method, "both_sectors").order == points(method, "one_person").order


@pytest.mark.parametrize("method", ["points", "quadratic", "budget", "approval", "score", "ranked"])
def test_the_pages_say_which_bar_is_usual(method):
    bar = ballot_making.USUAL_THRESHOLD_OF.get(method, ballot_making.USUAL_THRESHOLD)
    assert bar == (0 if method in {"points", "quadratic", "budget"} else 50)
    assert (
        "Usually it is 50 for marks, scores and rankings, and 0 for points, credits and budgets" in RULES_PAGE
    )


# sector rules

SHOWN = {
    "public (of 40)": lambda one: str(one.support[0][0]),
    "business (of 20)": lambda one: str(one.support[1][0]),
    "all (of 60)": lambda one: str(sum(yes for yes, _ in one.support)),
    "mean share": lambda one: rounded(sector_rule.carried("equal_weight", one.support)),
    "shares multiplied": lambda one: rounded(sector_rule.carried("bridging", one.support)),
    "least (yes + 1)/(votes + 2)": lambda one: rounded(sector_rule.measure_of("least_sector", one.support)),
    "product of those": lambda one: rounded(sector_rule.measure_of("bridging", one.support)),
}


def rounded(share):
    """Three decimals, halves up, as people round."""
    return f"{int(share * 1000 + Fraction(1, 2)) / 1000:.3f}"


def test_the_table_of_the_sector_rules():
    result = count.count(election(RULES_PAGE, "approval"))
    rows = table(RULES_PAGE, "| public")
    assert len(rows) == 5
    for key, row in rows.items():
        assert row == {name: show(standings(result)[key]) for name, show in SHOWN.items()}
    assert [row.counted for row in result.turnout] == [40, 20]


@pytest.mark.parametrize("rule", sector_rule.suiting("approval"))
def test_each_sector_rule_chooses_what_the_page_says(rule):
    result = count.count(election(RULES_PAGE, "approval", rule=rule))
    line = re.search(rf"(?m)^- `{rule}`: .*$", RULES_PAGE)[0]
    assert result.winners == (re.search(r"\*\*(\w+)\*\*", line)[1],)
    assert result.ties == () or result.winners[0] not in {key for tie in result.ties for key in tie.between}
    aside = [one.key for one in result.standings if not one.passed]
    assert sorted(aside) == (["Bikes", "Lamps"] if rule in {"both_sectors", "least_sector"} else [])


def test_the_sector_rules_all_disagree():
    results = count.under_rules(election(RULES_PAGE, "approval"))
    assert len({result.winners for result in results.values()}) == len(results) == 5


def test_the_fractions_beside_the_table_of_the_sector_rules():
    result = standings(count.count(election(RULES_PAGE, "approval")))
    of = {key: [(yes + 1, votes + 2) for yes, votes in one.support] for key, one in result.items()}
    assert of["Bus"][1] == (12, 22)
    assert of["Shade"][0] == (28, 42)
    assert of["Garden"] == [(26, 42), (17, 22)]
    assert "Bus has 12/22 in business, Shade 28/42 in public, Garden 26/42 in public" in RULES_PAGE
    assert "Garden's 26/42 times 17/22" in RULES_PAGE
    assert result["Bikes"].support[1] == (20 - 13, 20)
    assert result["Lamps"].support[0][0] * 2 < 40
    assert "at least 21 in public and 11 in business are needed" in RULES_PAGE
    assert "more than 30 of 60 are needed" in RULES_PAGE


def shared(rule):
    return count.count(
        election(RULES_PAGE, "budget", kind="budget", rule=rule, threshold=0, budget=30, cost=15)
    )


@pytest.mark.parametrize("rule", ["one_person", "equal_split"])
def test_the_money_goes_where_the_page_says(rule):
    assert "Let there be 30, and each solution cost 15" in RULES_PAGE
    said = re.search(rf"(?m)^- `{rule}`: .*Bought: \*\*([^*]+)\*\*", RULES_PAGE)[1]
    assert shared(rule).winners == tuple(said.split(", "))


def test_what_each_has_of_the_money():
    support = {
        key: sum(yes for yes, _ in one.support) for key, one in standings(shared("one_person")).items()
    }
    assert support == {"Bikes": 12, "Bus": 11, "Lamps": 3, "Shade": 0, "Garden": 0}
    bought = Fraction(15, 12)
    assert [bought, 2 - bought, 11 * (2 - bought), 3 * Fraction(2), 3 - bought, 11 * (3 - bought)] == [
        Fraction(each) for each in ("1.25", "0.75", "8.25", "6", "1.75", "19.25")
    ]
    assert [12 * bought, 11 * bought, 3 * Fraction(15, 3)] == [15, Fraction("13.75"), 15]


def test_for_budgets_equal_weight_comes_to_the_same_as_the_money_split():
    for threshold in (0, 50):
        settings = {"kind": "budget", "threshold": threshold, "budget": 30, "cost": 15}
        results = count.under_rules(election(RULES_PAGE, "budget", rule="equal_split", **settings))
        assert results["equal_weight"].order == results["equal_split"].order
        assert results["equal_weight"].winners == results["equal_split"].winners


def test_the_other_numbers_on_sector_rules():
    assert told(sector_rule.measure_of("least_sector", [(3, 3)])) == "0.800"
    assert told(sector_rule.measure_of("least_sector", [(30, 30)])) == "0.969"
    assert "3 of 3 (0.800)" in RULES_PAGE
    assert "30 of 30 (0.969)" in RULES_PAGE
    assert Fraction(50, 100) ** 2 == Fraction("0.25")
    assert ceil(Fraction(25 * 90, 100)) == 23
    assert "25 per cent of 90 people are 23" in RULES_PAGE
    assert SMALLEST_SECTOR == 5
    assert "fewer than five votes (abstentions included)" in RULES_PAGE


def test_a_quorum_of_the_page_is_missed_by_one():
    given = election(RULES_PAGE, "approval", rule="one_person")
    settings = Settings("approval", "one_person", quorum=25, tie_order=given.settings.tie_order)
    abstentions = [Vote("public", {"abstain": True})] * 23
    for people, needed in ((22, True), (23, False)):
        result = count.count(
            Election(given.options, settings, abstentions[:people], {"public": 60, "business": 30})
        )
        assert any(reason.code == "quorum_missing" for reason in result.reasons) is needed


def test_every_rule_is_explained_by_the_name_that_pages_use():
    for rule in RULES:
        assert re.search(rf"\*\*{re.escape(words.RULES[rule])}\*\* \(`{rule}`", RULES_PAGE), rule


# the index


def test_every_method_is_in_the_index():
    rows = INDEX.split("## Which sector rule")[0]
    for method in METHODS:
        assert f"[{method}](" in rows, method


@pytest.mark.parametrize("page", ["README", "approval", "score", "points", "sector-rules"])
def test_every_link_leads_to_a_page(page):
    links = re.findall(r"\]\(([^)]+)\)", (DOCS / f"{page}.md").read_text())
    assert links
    for link in links:
        assert (DOCS / link).is_file(), link


def test_every_page_is_in_the_index():
    assert {path.name for path in DOCS.glob("*.md")} - {"README.md"} <= set(
        re.findall(r"\]\(([^)]+)\)", INDEX)
    )
