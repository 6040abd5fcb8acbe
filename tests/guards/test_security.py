"""The list of OWASP's ASVS in docs/security.md: each requirement once, and each test that it names is there."""

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LIST = (ROOT / "docs/security.md").read_text(encoding="utf-8")
REQUIREMENTS = Path(__file__).with_name("asvs-5.0.0.txt").read_text().splitlines()
STATES = ("met", "in part", "not met", "operator", "does not apply")
ROW = re.compile(r"^\| (V[\d.]+) L([12]) \| (.+?) \| (.+?) \| (.*?) \| (.*?) \|$", re.MULTILINE)
ROWS = ROW.findall(LIST)
NAMED = sorted(set(re.findall(r"`(tests/[\w/.]+\.py::\w+)`", LIST)))


def test_each_requirement_of_levels_1_and_2_stands_there_once():
    """`asvs-5.0.0.txt` has their numbers and levels, taken from the standard."""
    assert len(REQUIREMENTS) == 253
    assert [f"{id} {level}" for id, level, *_ in ROWS] == REQUIREMENTS


def test_each_says_how_it_stands_and_why():
    for id, _, asks, state, how, _ in ROWS:
        assert state in STATES, id
        assert asks, id
        assert len(how) >= 4, id


def test_the_sum_is_right():
    counted = Counter(state for _, _, _, state, _, _ in ROWS)
    said = [
        int(number)
        for number in re.search(r"^(\d+ requirements: .+)$", LIST, re.MULTILINE)[1].split()
        if number.isdecimal()
    ]
    assert said == [
        253,
        *(counted[state] for state in ("met", "in part", "not met", "operator", "does not apply")),
    ]


@pytest.mark.parametrize("test", NAMED)
def test_the_test_that_it_names_is_there(test):
    path, _, name = test.partition("::")
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    assert name in {
        node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def test_no_name_of_a_test_is_written_so_that_this_guard_misses_it():
    assert len(set(re.findall(r"tests/[^`|<\s]+", LIST))) == len(NAMED) + 1  # and the list of the numbers


def test_it_is_found_from_where_people_look():
    for page in ("SECURITY.md", "README.md"):
        assert "docs/security.md" in (ROOT / page).read_text(encoding="utf-8")
