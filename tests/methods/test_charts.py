"""Charts say with lengths what the numbers say: bars by share, steps by time, shapes in their box and labels apart."""

import math
import re
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.methods import charts, opinion_map
from app.methods.election import Reason, Standing
from app.methods.opinion_map import Ellipse, Group, OpinionMap, SectorShare
from app.web.templating import Templates

START = datetime(2026, 11, 2, 8, tzinfo=UTC)
SECTORS = {key: {"key": key, "name": key.title()} for key in ("public", "business", "university")}
ENVIRONMENTS = Templates()._environments


def titles(count, language="en"):
    return {str(key): {"title": f"<Solution {key}>", "language": language} for key in range(count)}


def standing(key, *support, passed=True, winner=False):
    return Standing(key, support, Fraction(1, 2), passed, winner)


def drawn(call, language="en", **values):
    """What a macro of `macros/chart.html` gives, as text, and its words alone."""
    template = ENVIRONMENTS[language].from_string(
        '{% import "macros/chart.html" as charts %}{{ charts.' + call + " }}"
    )
    html = template.render(sectors=SECTORS, **values)
    return html, " ".join(re.sub(r"<[^>]*>", " ", html).split())


def group(letter, x, y, wide=0.5, high=0.3, *, angle=20.0, shares=((40, 0.8), (10, 0.2))):
    sectors = tuple(SectorShare(key, *share) for key, share in zip(SECTORS, shares, strict=False))
    return Group(letter, 50, Ellipse(x, y, wide, high, angle), sectors, ())


def a_map(*groups):
    return OpinionMap(100, groups, (), (), (), (0.4, 0.2), 0.5)


def test_bars_are_as_long_as_the_share():
    chart = charts.support(
        [standing("3", (1, 4), (0, 0), winner=True), standing("5", (2, 3), (7, 7))],
        ["public", "business"],
        50,
    )
    assert [[bar.width for bar in row.bars] for row in chart.rows] == [["25%", "0%"], ["66.67%", "100%"]]
    assert [(bar.sector, bar.yes, bar.votes) for bar in chart.rows[0].bars] == [
        ("public", 1, 4),
        ("business", 0, 0),
    ]
    assert [row.winner for row in chart.rows] == [True, False]
    assert chart.line == "50%"


@pytest.mark.parametrize(
    ("threshold", "anchor"), [(0, "start"), (29, "start"), (50, "middle"), (71, "end"), (100, "end")]
)
def test_the_label_of_the_threshold_stays_in_the_room(threshold, anchor):
    assert charts.support([], [], threshold).anchor == anchor


def test_support_is_said_in_words_too():
    chart = charts.support(
        [
            standing("0", (31, 48), (0, 0), winner=True),
            standing("1", (3, 4), (2, 2)),
            standing("2", (1, 4), (0, 2), passed=False),
        ],
        ["public", "business"],
        50,
    )
    html, words = drawn('support("support", chart, titles, sectors)', chart=chart, titles=titles(3, "sl"))
    assert words.count("31 of 48 (65%)") == 2
    assert words.count("no votes") == 2
    assert "needed: more than 50%" in words
    assert ("Enough support, not chosen" in words, "Not enough support" in words) == (True, True)
    assert '<span lang="sl">&lt;Solution 0&gt;</span>' in html
    assert 'x1="50%"' in html
    assert (
        "needed: 67%"
        in drawn('support("support", chart, titles, sectors)', chart=charts.support([], [], 67), titles={})[1]
    )
    assert (
        "needed"
        not in drawn(
            'support("support", chart, titles, sectors)', chart=charts.support([], [], 0), titles={}
        )[1]
    )


def test_any_number_of_sectors_has_bars():
    chart = charts.support([standing("0", (1, 2), (2, 2), (3, 4))], list(SECTORS), 0)
    html, _ = drawn('support("support", chart, titles, sectors)', chart=chart, titles=titles(1))
    assert html.count('class="bar-part"') == 3


def corners(shape):
    """Points on the outline of a drawn ellipse."""
    turn = math.radians(float(re.match(r"rotate\((\S+)", shape.turn)[1]))
    for step in range(36):
        x = float(shape.rx) * math.cos(step * math.pi / 18)
        y = float(shape.ry) * math.sin(step * math.pi / 18)
        yield (
            float(shape.cx) + x * math.cos(turn) - y * math.sin(turn),
            float(shape.cy) + x * math.sin(turn) + y * math.cos(turn),
        )


places = st.floats(-50, 50, allow_nan=False)
radii = st.floats(0, 20, allow_nan=False)


@given(st.lists(st.tuples(places, places, radii, radii, st.floats(0, 179.9)), min_size=2, max_size=5))
def test_every_shape_is_within_its_box_and_no_label_on_another(found):
    groups = [
        group("ABCDE"[number], x, y, max(radius), min(radius), angle=angle)
        for number, (x, y, *radius, angle) in enumerate(found)
    ]
    chart = charts.opinion_map(a_map(*groups))
    left, top, width, height = map(float, chart.box.split())
    assert (left, top, width) == (0, 0, 320)
    assert 180 <= height <= 320.01
    for shape in chart.shapes:
        for x, y in corners(shape):
            assert -0.1 <= x <= width + 0.1
            assert -0.1 <= y <= height + 0.1
    for one, other in combinations(chart.shapes, 2):
        aside = abs(float(one.label_x) - float(other.label_x))
        above = abs(float(one.label_y) - float(other.label_y))
        assert aside >= 45 or above >= 35


def test_both_axes_have_one_scale_and_up_is_up():
    chart = charts.opinion_map(a_map(group("A", 0, 0), group("B", 2, 0), group("C", 0, 1)))
    first, right, above = chart.shapes
    aside = float(right.cx) - float(first.cx)
    assert aside == pytest.approx(2 * (float(first.cy) - float(above.cy)), abs=0.05)
    assert aside > 0
    assert first.turn.startswith("rotate(-20 ")
    assert chart.axes.startswith(f"M{first.cx} 0V")
    assert f"M0 {first.cy}H" in chart.axes


def test_a_group_that_votes_as_one_is_drawn_large_enough_for_its_label():
    chart = charts.opinion_map(a_map(group("A", 0, 0, 0, 0), group("B", 3, 0, 0, 0)))
    assert {(shape.rx, shape.ry) for shape in chart.shapes} == {("30", "30")}


def test_the_parts_of_a_groups_bar_follow_each_other_and_what_is_not_told_is_left_out():
    parts = (
        charts.opinion_map(
            a_map(group("A", 0, 0, shares=((None, None), (30, 0.6), (20, 0.5))), group("B", 1, 1))
        )
        .shapes[0]
        .parts
    )
    assert [(part.x, part.width) for part in parts] == [("0%", "0%"), ("0%", "60%"), ("60%", "40%")]
    assert [(part.map_x, part.map_width) for part in parts][1:] == [("0", "26.4"), ("26.4", "17.6")]


def found_map():
    votes = np.ones((60, 8))
    votes[30:, 1:4] = -1
    votes[:, 5] = -1
    sector = np.repeat([0, 1, 0, 1], [28, 2, 10, 20])
    keys = [str(key) for key in range(8)]
    return opinion_map.draw(votes, sector, keys=keys, sectors=("public", "business"))


def test_the_map_says_in_words_what_it_shows():
    found = found_map()
    values = {"found": found, "chart": charts.opinion_map(found), "titles": titles(8)}
    html, words = drawn('opinion_map("map", chart, found, titles, sectors)', **values)
    assert "One possible view" in words
    assert "People on this map: 60. They fall into 2 groups that voted alike." in words
    assert html.count("<ellipse") == 2
    assert words.count("fewer than five") == 2
    assert words.count("about 30") == 4
    assert "Supports more than others do:" in words
    assert "Rejects more than others do:" in words
    assert ' style="' not in html
    ground = drawn('common_ground("ground", found, titles)', **values)[1]
    unites, divides = ground.split("What divides")
    assert "<Solution 0>" in unites.replace("&lt;", "<").replace("&gt;", ">")
    assert all(f"Solution {key}" in divides for key in (1, 2, 3))


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (Reason("too_few_voters", {"needed": 20, "there": 12}), "from 20 votes; here were 12"),
        (
            Reason("too_few_votes", {"needed": 20, "votes": 7, "there": 3}),
            "of 7 solutions or more; here were 3",
        ),
        (Reason("no_groups"), "too much alike"),
    ],
)
def test_without_a_map_it_says_why(reason, words):
    assert words in drawn("no_map(reason)", reason=reason)[1]


def series():
    days = [START + timedelta(days=day) for day in (1, 2, 3)]
    return [
        charts.Turnout("public", 40, [(days[0], 10), (days[2], 30)]),
        charts.Turnout("business", 10, [(days[1], 5)]),
        charts.Turnout("university", 0, []),
    ]


def test_lines_step_up_when_people_have_voted():
    chart = charts.turnout(series(), START, START + timedelta(days=4))
    assert [line.path for line in chart.lines] == [
        "M0 100H25V75H75V25H100",
        "M0 100H50V50H100",
        "M0 100H100",
    ]
    assert [(line.voted, line.share, line.end) for line in chart.lines] == [
        (30, 0.75, "25%"),
        (5, 0.5, "50%"),
        (0, 0.0, "100%"),
    ]
    assert [totals for _, totals in chart.rows] == [(10, 0, 0), (10, 5, 0), (30, 5, 0)]


def test_what_lies_outside_the_time_of_voting_stands_at_its_end():
    early = charts.Turnout("public", 4, [(START - timedelta(days=1), 1), (START + timedelta(days=9), 8)])
    assert charts.turnout([early], START, START + timedelta(days=2)).lines[0].path == "M0 100H0V75H100V0H100"
    assert charts.turnout([early], START, START).lines[0].path.endswith("H100")


@pytest.mark.parametrize(("language", "number"), [("en", "30 of 40 (75%)"), ("sl", "75\xa0%")])
def test_turnout_is_a_table_too(language, number):
    chart = charts.turnout(series(), START, START + timedelta(days=4))
    html, _ = drawn('turnout("turnout", chart, sectors)', language, chart=chart)
    assert number in html
    assert html.count("<tr>") == 4
    assert html.count("<path") == 3


def test_pairs_have_the_deeper_shade_and_the_mark_where_more_prefer():
    rows = charts.pairwise(["a", "b", "c"], [[0, 7, "7/3"], [1, 0, 0], ["5/3", 0, 0]])
    assert [[cell.count for cell in row.cells] for row in rows] == [
        [None, 7, 2.3],
        [1, None, 0],
        [1.7, 0, None],
    ]
    assert [[cell.level for cell in row.cells] for row in rows] == [[0, 5, 3], [0, 0, 0], [2, 0, 0]]
    assert [[cell.wins for cell in row.cells] for row in rows] == [
        [False, True, True],
        [False] * 3,
        [False] * 3,
    ]


@given(st.integers(0, 1000), st.integers(0, 1000))
def test_a_shade_is_one_of_six(one, other):
    (_, cell), _ = (row.cells for row in charts.pairwise(["a", "b"], [[0, one], [other, 0]]))
    assert 0 <= cell.level <= 5
    assert (cell.level >= 3) == (one + other > 0 and one >= other)


def test_tables_scroll_by_keyboard_and_have_a_name():
    rows = charts.pairwise(["0", "1"], [[0, 3], [2, 0]])
    html, words = drawn('pairwise("pairs", rows, titles)', rows=rows, titles=titles(2))
    assert 'tabindex="0" role="group" aria-labelledby="pairs-caption"' in html
    assert "3 (more)" in words
    html, words = drawn('table("rounds", "Rounds", head, rows)', head=["Round", "A"], rows=[["1", "<3"]])
    assert 'id="rounds-caption"' in html
    assert '<th scope="row">1</th><td>&lt;3</td>' in html


def test_numbers_are_short():
    lengths = {-0.0: "0", 1 / 3: "0.33", 100.0: "100", 12.5: "12.5", -0.001: "0"}
    assert {value: charts._unit(value) for value in lengths} == lengths
    assert charts._percent(2 / 3) == "66.67%"
