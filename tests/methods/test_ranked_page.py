"""The page on ranked votes: its examples are counted, and each number in its tables is what comes out."""

import re
from fractions import Fraction
from pathlib import Path

from app.methods import schulze, stv
from tests.factories.rankings import counted, of_votes

PAGE = (Path(__file__).parents[2] / "docs/methods/ranked.md").read_text()
EXAMPLES = re.findall(r"```votes\n(.*?)```", PAGE, re.DOTALL)
TIE_ORDER = ("Bikes", "Bus", "Shade", "Garden")


def table(head):
    """The rows of the table whose first line starts so: a dictionary each, without empty cells."""
    lines = PAGE[PAGE.index(f"| {head} |") :].split("\n\n")[0].splitlines()
    names, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)
    return [{name: cell for name, cell in zip(names, row, strict=True) if cell} for row in rows]


def told(amount):
    """An exact number as the page has it: two decimals at most."""
    value = Fraction(amount)
    return str(value) if value.denominator == 1 else f"{float(value):.2f}"


def said(text):
    """What the page says in bold after some words, as keys."""
    return tuple(re.search(rf"{text} \*\*([^*]+)\*\*", PAGE)[1].split(", "))


def matrix(rows, first, prefix=""):
    return {
        row.pop(first).removeprefix("from "): {
            name.removeprefix(prefix): int(cell) for name, cell in row.items()
        }
        for row in rows
    }


def test_the_first_example_by_schulze():
    count = counted(schulze, of_votes(EXAMPLES[0], tie_order=TIE_ORDER))
    assert matrix(table("before"), "before") == count.rounds[0]["preferred"]
    assert PAGE.count("The order is **") == 2
    assert said("beats all. The order is") == count.order
    assert count.rounds[1]["beats"]["Shade"] == ["Bikes", "Bus", "Garden"]


def test_the_first_example_by_stv():
    count = counted(stv, of_votes(EXAMPLES[0], seats=2, tie_order=TIE_ORDER))
    assert f"so the quota is {count.rounds[0]['quota']}." in PAGE
    assert said("The chosen are") == count.winners
    assert table("round") == [row(number, one) for number, one in enumerate(count.rounds[1:], 1)]
    assert count.rounds[2]["totals"][1]["votes"] == number_of(7 + Fraction(48, 17))
    assert count.rounds[2]["totals"][0]["votes"] == number_of(13 + Fraction(3, 17))
    assert count.ties == ()


def number_of(value):
    return f"{value.numerator}/{value.denominator}"


def row(number, one):
    amounts = {each["key"]: told(each["votes"]) for each in (*one["kept"], *one["totals"])}
    (key,) = (*one["elected"], *one["eliminated"])
    happens = f"{key} {'is chosen' if one['elected'] else 'drops out'}"
    happens += "".join(f", passes on {told(each['votes'])}" for each in one["passed_on"])
    row = {"round": str(number), "exhausted": told(one["exhausted"]["votes"]), "what happens": happens}
    return row | amounts


def test_the_two_methods_choose_differently_in_it():
    best = counted(schulze, of_votes(EXAMPLES[0], tie_order=TIE_ORDER)).winners
    both = counted(stv, of_votes(EXAMPLES[0], seats=2, tie_order=TIE_ORDER)).winners
    assert not set(best) & set(both)


def test_the_example_with_a_circle():
    count = counted(schulze, of_votes(EXAMPLES[1], tie_order=TIE_ORDER))
    assert matrix(table("strongest chain"), "strongest chain", "to ") == count.rounds[1]["strongest"]
    pairs = re.findall(r"(\w+)(?: goes)? before (\w+) by (\d+) to (\d+)", PAGE)
    assert len(pairs) == 3
    for one, other, more, less in pairs:
        assert count.rounds[0]["preferred"][one][other] == int(more)
        assert count.rounds[0]["preferred"][other][one] == int(less)
    assert said("with 5 only. The order is") == count.order
    assert count.ties == ()
