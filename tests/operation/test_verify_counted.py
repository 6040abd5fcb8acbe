"""Logs of ballots that were voted on and counted, not made for a test: they are whole, on both engines."""

import random

import pytest

from app.integrations import seal
from app.lib.signatures import verify
from app.methods import ballot_log, log_check, log_reader
from app.methods.election import METHODS
from app.models.ballot import OPEN, SECRET
from app.services import ballots, counting, votes

URL = "https://partnership.example"


def choice(method, keys, dice):
    some = dice.sample(keys, dice.randint(1, 2))
    return {
        "approval": {"approved": some},
        "budget": {"approved": some[:1]},
        "score": {"scores": {key: dice.randint(1, 5) for key in some}},
        "ranked": {"ranking": [[key] for key in some]},
        "points": {"points": dict.fromkeys(some, 2)},
        "quadratic": {"points": dict.fromkeys(some, 2)},
    }[method]


def counted(world, method, *, each=6, **draft):
    """A ballot on which so many of each sector have voted, half of them twice; its log as text, and all receipts."""
    people = world.people(each, "public") + world.people(each, "business")
    ballot_id = world.ballot(method, **draft)
    keys = [option.key for option in world.ask(ballots.find, world.cora, ballot_id).options]
    dice = random.Random(method)
    old = [world.do(votes.cast, person, ballot_id, choice(method, keys, dice)) for person in people[::2]]
    new = [world.do(votes.cast, person, ballot_id, choice(method, keys, dice)) for person in people]
    world.close_now(ballot_id)
    assert counting.finish(world.database, ballot_id, URL)
    ballot = world.ask(ballots.find, world.olga, ballot_id)
    return ballot_id, "".join(ballot_log.lines(world.ask(counting.log, ballot))), old, new


def findings(text, **expected):
    return [finding.says for finding in log_check.check(log_reader.read(text), **expected)]


@pytest.mark.parametrize("method", METHODS)
def test_the_log_of_a_counted_ballot_is_whole(world, method):
    ballot_id, text, _, _ = counted(world, method)
    key = seal.fingerprint(seal.public_key())
    assert findings(text, expect_ballot=ballot_id, expect_key=key) == []


@pytest.mark.parametrize(("mode", "each"), [(OPEN, 2), (SECRET, 2), (SECRET, 0)])
def test_few_votes_open_votes_and_none_are_whole_too(world, mode, each):
    _, text, _, new = counted(world, "approval", each=each, mode=mode)
    assert findings(text) == []
    log = log_reader.read(text)
    withheld = len(new) if mode == SECRET else 0  # fewer than five secret votes are not published
    assert len(log.votes) + withheld == len(new) == log.head["voted"]
    assert log.head["withheld"] == withheld
    assert {"voter" in vote for vote in log.votes} <= {mode == OPEN}


def test_the_last_receipt_of_each_voter_is_in_the_log_and_no_earlier_one(world):
    _, text, old, new = counted(world, "approval")
    log = log_reader.read(text)
    found = {vote["receipt"]: vote["choice"] for vote in log.votes}
    assert found == {receipt.code: receipt.choice for receipt in new}
    assert all(ballot_log.receipt_proof(log, receipt.code) is None for receipt in old)


def test_receipts_are_signed_with_the_key_of_the_log(world):
    ballot_id, text, old, new = counted(world, "approval")
    key = bytes.fromhex(log_reader.read(text).signature["key"])
    for receipt in old + new:
        said = ballot_log.receipt_message(ballot_id, receipt.code, receipt.choice)
        assert verify(key, bytes.fromhex(receipt.signature), said)
        assert not verify(key, bytes.fromhex(receipt.signature), said.replace(b"receipt/1", b"receipt/2"))
