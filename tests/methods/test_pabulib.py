"""Pabulib's files: what they hold is counted, and what is wrong with them is named by its line."""

import random

import pytest

from app.errors import Invalid
from app.methods import count, pabulib
from app.methods.election import Option, Vote

FILE = """META
key;value
description;Three projects; and an unquoted semicolon
num_projects;3
num_votes;4
budget;100
vote_type;approval
PROJECTS
project_id;cost;votes;name;selected
1;60;3;"A path; with a hedge";1
2;40;2;Lamps;0
x7;50;0;A fountain;0
VOTES
voter_id;vote;age
a;1,2;30
b;1;
c;2,1;41
d;;
"""
POINTS = FILE.replace("approval", "cumulative").replace("voter_id;vote;age", "voter_id;vote;points")
POINTS = POINTS.replace("a;1,2;30", "a;1,2;3,0").replace("b;1;", "b;1;2").replace("c;2,1;41", "c;2,1;1,4")


def refused(text, **asked):
    with pytest.raises(Invalid) as caught:
        pabulib.read(text, **asked)
    (error,) = caught.value.errors
    return f"{error.field}: {error.message % dict(error.values)}"


def test_approvals_become_a_budget_election():
    given = pabulib.read(FILE)
    election = given.election
    assert election.options == (Option("1", 60), Option("2", 40), Option("x7", 50))
    assert election.votes == [
        Vote("", {"approved": ["1", "2"]}),
        Vote("", {"approved": ["1"]}),
        Vote("", {"approved": ["2", "1"]}),
        Vote("", {"none": True}),
    ]
    assert election.settings.budget == 100
    assert election.settings.tie_order == ("2", "x7", "1")
    assert election.eligible == {"": 4}
    assert given.names["1"] == "A path; with a hedge"
    assert given.published == ("1",)
    assert count.count(election).winners == ("1", "2")


def test_byte_order_mark_windows_lines_and_empty_lines_change_nothing():
    told = "\ufeff" + FILE.replace("PROJECTS", "\nPROJECTS").replace("\n", "\r\n") + "\r\n;;\r\n"
    assert pabulib.read(told).election == pabulib.read(FILE).election


def test_points_scores_and_ranks_keep_what_they_say():
    assert [vote.choice for vote in pabulib.read(POINTS).election.votes] == [
        {"points": {"1": 3}},
        {"points": {"1": 2}},
        {"points": {"2": 1, "1": 4}},
        {"none": True},
    ]
    scores = pabulib.read(POINTS.replace("cumulative", "scoring")).election
    assert (scores.settings.method, scores.votes[2].choice) == ("score", {"scores": {"2": 1, "1": 4}})
    ranks = pabulib.read(FILE.replace("approval", "ordinal")).election
    assert (ranks.settings.method, ranks.votes[2].choice) == ("ranked", {"ranking": [["2"], ["1"]]})


def test_points_counted_for_a_budget_are_approvals():
    votes = pabulib.read(POINTS, method="budget").election.votes
    assert votes[0].choice == {"approved": ["1"]}


def test_naming_a_project_twice_approves_it_once_and_is_refused_where_it_says_two_things():
    """Real files do so, such as Amsterdam 604."""
    twice = FILE.replace("b;1;", "b;1,1;")
    assert pabulib.read(twice).election == pabulib.read(FILE).election
    assert refused(twice.replace("approval", "ordinal")) == "line 16 vote: The project 1 is named twice."


def test_a_column_of_sectors_is_read():
    text = FILE.replace("voter_id;vote;age", "voter_id;vote;sector")
    text = text.replace("a;1,2;30", "a;1,2;public").replace("b;1;", "b;1;business")
    text = text.replace("c;2,1;41", "c;2,1;public").replace("d;;", "d;;business")
    election = pabulib.read(text, rule="equal_split").election
    assert election.eligible == {"public": 2, "business": 2}
    assert count.count(election).rule == "equal_split"


def test_decimals_are_counted_in_the_smallest_unit():
    given = pabulib.read(FILE.replace("1;60;", "1;60,25;").replace("2;40;", "2;39.5;"))
    assert given.unit == 4
    assert given.election.settings.budget == 400
    assert [option.cost for option in given.election.options] == [241, 158, 200]
    assert pabulib.read(FILE.replace("1;60;", "1;60.0;")).unit == 1


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("META\n", "", "line 1: A .pb file starts"),
        ("VOTES\n", "PROJECTS\n", "line 13: The section PROJECTS stands twice"),
        ("budget;100", "budget;", "META budget: A number"),
        ("budget;100", "budget;-5", "META budget: A number"),
        ("budget;100", "budget;0", "META budget: There is no money"),
        ("budget;100", "budget;1e9", "META budget: A number"),
        ("vote_type;approval", "vote_type;secret%s", "META vote_type: Votes of the kind “secret%s”"),
        ("vote_type;approval\n", "", "META vote_type: This is missing"),
        ("num_votes;4", "num_votes;5", "META num_votes: It says 5, but the file holds 4; it may be cut off"),
        ("num_projects;3", "num_projects;2", "META num_projects: It says 2, but the file holds 3"),
        ("2;40;", "1;40;", "line 11: The project 1 stands twice"),
        ("2;40;", "none;40;", "line 11: A project cannot be called none"),
        ("2;40;", "2;;", "line 11 cost: A number"),
        ("project_id;cost", "project_id;price", "line 9: The header has no field cost"),
        ("b;1;", "b;9;", "line 16 vote: There is no project 9"),
        ("b;1;", "b;1;;;x", "line 16: There are 5 fields, but the header names 3"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(old, new, told):
    assert old in FILE
    assert refused(FILE.replace(old, new, 1)).startswith(told)


@pytest.mark.parametrize(
    ("text", "asked", "told"),
    [
        (POINTS.replace("3,0", "3"), {}, "line 15 points: There are 1 numbers for 2 projects"),
        (POINTS.replace("b;1;2", "b;1;0.5"), {}, "line 16 points: Only whole points"),
        (POINTS.replace("cumulative", "scoring").replace("b;1;2", "b;1;8"), {}, "line 16 points: A score is at most 5"),
        (FILE, {"method": "ranked"}, "method: Votes of the kind approval cannot be counted so"),
        (FILE, {"rule": "dice"}, "rule: For budget choose one of these"),
        (FILE, {"method": "approval", "seats": 4}, "seats: Choose a number of winners from 1 to 3"),
    ],
)  # fmt: skip
def test_votes_that_do_not_fit_what_is_asked_for_are_refused(text, asked, told):
    assert refused(text, **asked).startswith(told)


def test_a_file_cut_off_anywhere_is_refused():
    """But for its very last field, in which nothing says that more was to come."""
    for end in range(FILE.index("\nd;;")):
        refused(FILE[:end])


def test_noise_is_refused_and_never_a_crash():
    rng = random.Random(1)
    refusals = 0
    for _ in range(500):
        text = list(FILE)
        for _ in range(rng.randint(1, 8)):
            text[rng.randrange(len(text))] = rng.choice(';,\n"\0x9é')
        try:
            count.count(pabulib.read("".join(text)).election)
        except Invalid:
            refusals += 1
    assert 100 < refusals < 500
