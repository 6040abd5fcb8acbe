"""What the operator's handbook says of ballots: intervals and limits, votes without a worker, a changed secret key."""

import re
from pathlib import Path

import pytest

from app.errors import Conflict
from app.integrations import seal
from app.jobs import schedule
from app.services import ballot_making, ballots, counting, votes
from app.web import closing
from tests.operation.test_commands import COMMANDS

ROOT = Path(__file__).parents[2]
HANDBOOK = (ROOT / "docs/operation.md").read_text().split("## Ballots")[1].split("\n## ")[0]


@pytest.fixture
def decided(world):
    """A ballot on which Alice has voted; its id and a choice."""
    solution = world.solution("A")
    ballot = world.ballot(solutions=[solution])
    choice = {"approved": [str(solution)]}
    world.do(votes.cast, world.alice, ballot, choice)
    return ballot, choice


def end(world, ballot):
    world.do(ballot_making.close, world.cora, ballot, reason="All have voted.")
    assert counting.finish(world.database, ballot, "https://here.example")
    return world.ask(counting.log, world.ask(ballots.find, world.alice, ballot))


def changed_secret(monkeypatch):
    monkeypatch.setattr(seal, "_secret", lambda: "another secret, of thirty-two signs or more")


def test_the_clocks_and_limits_in_it_are_the_real_ones():
    every = {clock.name: clock.every_s for clock in schedule.clocks(None, "one")}
    assert "counts what has closed, each second" in HANDBOOK
    assert every["count_ballots"] == 1
    assert re.search(r"live tallies up to date, every ten\.", HANDBOOK)
    assert every["tell_of_ballots"] == every["tally_ballots"] == 10
    assert f"counts up to {closing.AT_ONCE} votes at once" in HANDBOOK


def test_with_another_secret_a_vote_stands_and_cannot_be_changed(world, decided, monkeypatch):
    ballot, choice = decided
    changed_secret(monkeypatch)
    assert world.ask(votes.mine, world.alice, world.ask(ballots.find, world.alice, ballot)) is None
    with pytest.raises(Conflict):
        world.do(votes.withdraw, world.alice, ballot)
    with pytest.raises(Conflict):
        world.do(votes.cast, world.alice, ballot, choice)
    assert world.ask(ballots.roll_size, ballot) == 1
    assert world.ask(counting.tally, ballot).election.withheld == 1


def test_a_vote_after_closing_is_refused_without_a_worker(world, decided):
    ballot, choice = decided
    world.do(ballot_making.close, world.cora, ballot, reason="All have voted.")
    with pytest.raises(Conflict):
        world.do(votes.cast, world.alice, ballot, choice)
    assert world.ask(ballots.find, world.alice, ballot).state == "counting"
    assert world.ask(counting.due) == [ballot]


def test_published_logs_hold_the_key_they_were_signed_with(world, decided, monkeypatch):
    log = end(world, decided[0])
    key = seal.public_key()
    changed_secret(monkeypatch)
    assert seal.public_key() != key
    assert (
        bytes.fromhex(
            world.ask(counting.log, world.ask(ballots.find, world.alice, decided[0]))["signature"]["key"]
        )
        == key
    )
    assert log["signature"]["key"] == key.hex()


def test_the_readme_names_every_command():
    readme = (ROOT / "README.md").read_text()
    for command in COMMANDS:
        assert re.search(rf"`{' '.join(command)}\b", readme), command
