"""`partnership tally FILE`: elections from outside, as JSON or from Pabulib; never a traceback."""

import json
import random
import re
import time
from dataclasses import replace

import pytest

from app.errors import Invalid
from app.methods import interchange
from tests.factories.elections import random_election
from tests.methods.test_equal_shares import counted, lines, phases
from tests.methods.test_pabulib import FILE
from tests.operation.test_commands import ROOT, partnership

DOCUMENT = (ROOT / "docs" / "methods" / "tally.md").read_text()
EXAMPLE = re.search(r"```json\n(.*?)```", DOCUMENT, re.DOTALL).group(1)


@pytest.fixture
def tally(tmp_path):
    def tallied(text, *options):
        file = tmp_path / "election"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return partnership(f"sqlite:///{tmp_path}/none.db", "tally", file, *options)

    return tallied


def changed(**parts):
    return json.dumps(json.loads(EXAMPLE) | parts)


def test_the_documented_example_is_counted(tally):
    told = tally(EXAMPLE)
    assert (told.returncode, told.stderr) == (0, "")
    assert "public: 3 of 5 voted, 2 votes count" in told.stdout
    assert "2. One form for both [1], costs 3: public 2/2, business 0/3" in told.stdout
    assert "1. A shared calendar [2], costs 2: public 1/2, business 1/3" in told.stdout
    assert "Spent: 5 of 6" in told.stdout
    assert "By support alone (greedy): the same options." in told.stdout
    assert re.search(r"Input: [0-9a-f]{64}\n", told.stdout)


def test_json_says_the_same_as_the_words(tally):
    found = json.loads(tally(EXAMPLE, "--json").stdout)
    assert found["result"]["winners"] == ["2", "1"]
    assert found["names"]["3"] == "Visits in pairs"
    assert found["result"]["input_hash"] in tally(EXAMPLE).stdout


def test_a_pabulib_file_is_counted_with_greedy_beside_it(tally):
    told = tally(FILE)
    assert (told.returncode, told.stderr) == (0, "")
    assert "1. A path; with a hedge [1], costs 60: everyone 3/4" in told.stdout
    assert "Equal shares: 25 for each voter" in told.stdout
    assert "The file names other winners: 1" in told.stdout


def test_rule_method_and_seats_can_be_asked_for(tally):
    assert (
        json.loads(tally(EXAMPLE, "--rule", "one_person", "--json").stdout)["result"]["rule"] == "one_person"
    )
    found = json.loads(tally(FILE, "--method", "approval", "--seats", "2", "--json").stdout)
    assert (found["result"]["method"], found["result"]["winners"]) == ("approval", ["1", "2"])
    assert tally(EXAMPLE, "--method", "score").returncode == 2
    assert tally(EXAMPLE, "--rule", "dice").returncode == 2
    assert tally(EXAMPLE, "--seats", "9").returncode == 2


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "file: It is empty."),
        (b"\xff\xfe", "file: It is not UTF-8 from byte 1 on."),
        ("[]", "file: An object is needed here, not a list."),
        ("{", "file: It is cut off"),
        ('{"options": [', "file: It is cut off"),
        ('{"a" 1}', "line 1: This is not JSON"),
        ('{"a": 1, "a": 2}', "a: This name stands twice"),
        ('{"a": NaN}', "NaN: This is no number"),
        ('{"a": 1' + "0" * 5000 + "}", "file: It holds a number with too many digits."),
        ('{"a": ' + "[" * 200_000, "file: It is nested too deeply"),
        ("{}", "options: This is missing."),
        (changed(more=1), "more: This does not belong here."),
        (changed(options={}), "options: A list is needed here, not an object."),
        (changed(options=[]), "settings/options: Choose at least one solution"),
        (changed(options=[{"key": 1}]), "options/1/key: Text is needed here, not a number."),
        (changed(options=[{"key": "1", "cost": -1}]), "options/1/cost: A whole number from 0"),
        (changed(settings={"method": "dice"}), "settings/method: Choose one of these methods"),
        (changed(settings={"method": "budget", "budget": True}), "settings/budget: A whole number from 0"),
        (changed(settings={"method": "approval", "quorum": 101}), "settings/quorum: Give a whole number of per cent"),
        (changed(votes=[{"choice": {"approved": ["9"]}}]), "votes/1/choice/approved: 9 is not a solution"),
        (changed(votes=[{"choice": {"approved": ["1", "1"]}}]), "votes/1/choice/approved: 1 is named twice"),
        (changed(votes=[{"choice": {"approved": ["1", "3"]}}]), "votes/1/choice/approved: What you have chosen"),
        (changed(votes=[{"sector": "x"}]), "votes/1/choice: This is missing."),
        (changed(votes=[{"choice": []}]), "votes/1/choice/choice: Send an object"),
        (changed(eligible={"public": 5}), "eligible: The sector business has votes, but is not here."),
        (changed(eligible=[1]), "eligible: An object with a number for each sector"),
        (changed(options=[{"key": "\ud800"}]), "options/1/key: The text holds half of a character"),
    ],
)  # fmt: skip
def test_a_bad_file_is_status_2_and_names_the_field(tally, text, told):
    found = tally(text)
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr.startswith(f"partnership: {told}")
    assert "Traceback" not in found.stderr


def test_many_errors_are_told_up_to_ten(tally):
    found = tally(changed(votes=[{"choice": {"approved": ["%s"]}}] * 50))
    assert found.returncode == 2
    assert len(found.stderr.splitlines()) == 11
    assert "There is more that is wrong" in found.stderr


def test_a_file_that_is_not_there_is_status_2(tmp_path):
    for path in (tmp_path / "none.json", tmp_path):
        found = partnership("sqlite:///none.db", "tally", path)
        assert found.returncode == 2
        assert "Traceback" not in found.stderr


def test_a_file_that_is_too_large_is_not_read(tally, monkeypatch):
    monkeypatch.setattr("app.services.tally.MOST_BYTES", 100)
    assert tally(EXAMPLE).stderr.startswith("partnership: file: It is larger than")


def test_a_file_cut_off_anywhere_is_refused():
    text = EXAMPLE.strip()
    for end in range(1, len(text)):
        with pytest.raises(Invalid):
            interchange.read(text[:end])


def test_what_a_file_holds_cannot_steer_the_terminal(tally):
    found = tally(changed(options=[{"key": "1", "cost": 3, "name": "\x1b[2J"}, {"key": "2", "cost": 2}, {"key": "3"}],
                          settings={"method": "budget", "budget": 6}))  # fmt: skip
    assert found.returncode == 0
    assert "\x1b" not in found.stdout


@pytest.mark.parametrize("method", ["approval", "score", "ranked", "points", "quadratic", "budget"])
def test_an_election_written_and_read_again_is_the_same(method):
    for seed in range(50):
        election = random_election(seed, method, "one_person")
        election = replace(election, settings=replace(election.settings, budget=99, points=999))
        text = json.dumps(interchange.to_json(interchange.Given(election)))
        assert interchange.read(text).election == election


def test_a_large_file_takes_seconds(tally):
    rng = random.Random(1)
    projects = "\n".join(f"{key};{rng.randint(20_000, 200_000)}" for key in range(30))
    votes = "\n".join(f"{voter};{','.join(map(str, rng.sample(range(30), 5)))}" for voter in range(50_000))
    started = time.process_time()
    found = tally(
        "META\nkey;value\nnum_projects;30\nnum_votes;50000\nbudget;1000000\nvote_type;approval\n"
        f"PROJECTS\nproject_id;cost\n{projects}\nVOTES\nvoter_id;vote\n{votes}\n"
    )
    assert found.returncode == 0
    assert time.process_time() - started < 20


def test_the_worked_example_of_budgets_is_what_is_counted():
    votes, costs = ["ab"] * 4 + ["c"] * 2, [6, 5, 4]
    count = counted(votes, costs, 12, tie_order="abc")
    assert count.winners == ("a", "c")
    assert phases(count) == {"a": "equal_shares", "c": "equal_shares"}
    first, second = lines(count, "purchase")
    assert (first["amount"], first["part"], second["amount"]) == ("3/2", "1/4", 2)
    assert [(tie.over, tie.between, tie.first) for tie in count.ties] == [("purchase", ("a", "b"), "a")]
    (limit,) = lines(count, "limit")
    assert (limit["raised"], limit["cost"]) == (1, 15)
    (beside,) = lines(count, "greedy")
    assert (beside["winners"], beside["cost"]) == (["a", "b"], 11)
