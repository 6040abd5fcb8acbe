"""Counting: once, whole, and so that anyone can count again and nobody can find the voter."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.errors import Conflict, Invalid
from app.integrations import seal
from app.lib import clock
from app.methods import ballot_log, log_check, log_reader, merkle
from app.models import (
    BallotKey,
    BallotResult,
    Challenge,
    Event,
    Membership,
    PublishedVote,
    RollEntry,
    Turnout,
    Vote,
)
from app.models.base import table
from app.services import ballots, challenges, counting, votes
from tests.factories import traces

KEY, RESULT, PUBLISHED, VOTE, ROLL, EVENT = (
    table(each) for each in (BallotKey, BallotResult, PublishedVote, Vote, RollEntry, Event)
)
CHALLENGE, MEMBERSHIP, TURNOUT = table(Challenge), table(Membership), table(Turnout)
HERE = "https://partnership.example"
METHODS = ("approval", "score", "ranked", "points", "quadratic", "budget")


def view(world, ballot):
    return world.ask(ballots.find, world.cora, ballot)


def keys(world, ballot):
    return [solution.key for solution in view(world, ballot).solutions]


def rows(world, of, ballot):
    return world.ask(lambda c: c.execute(select(of).where(of.c.ballot_id == ballot)).all())


def finish(world, ballot):
    return counting.finish(world.database, ballot, HERE)


def result(world, ballot):
    return world.ask(counting.result, view(world, ballot))


def read(world, ballot):
    """The log as anyone reads it."""
    return log_reader.read("".join(ballot_log.lines(world.ask(counting.log, view(world, ballot)))))


def choice(method, options, number):
    first, second, third = options if number % 3 else (options[1], options[0], options[2])
    return {
        "approval": {"approved": [first]},
        "budget": {"approved": [first, second]},
        "score": {"scores": {first: 5, third: 1}},
        "ranked": {"ranking": [[first], [second, third]]},
        "points": {"points": {first: 6, second: 4}},
        "quadratic": {"points": {first: 3, second: 1}},
    }[method]


def voted(world, method="approval", *, public=6, business=6, close=True, **draft):
    """A ballot on which so many have voted: it, and who voted with their receipts."""
    people = [*world.people(public, "public"), *world.people(business, "business")]
    ballot = world.ballot(method, **draft)
    options = keys(world, ballot)
    receipts = [
        (person, world.do(votes.cast, person, ballot, choice(method, options, number)))
        for number, person in enumerate(people)
    ]
    if close:
        world.close_now(ballot)
    return ballot, receipts


@pytest.mark.parametrize("method", METHODS)
def test_each_methods_log_stands_up_to_every_check(world, method):
    ballot, receipts = voted(world, method)
    assert finish(world, ballot)
    log, found = read(world, ballot), result(world, ballot)
    fingerprint = seal.fingerprint(seal.public_key())
    assert (
        log_check.check(log, expect_root=found.tree["root"], expect_key=fingerprint, expect_ballot=ballot)
        == []
    )
    assert {vote["receipt"] for vote in log.votes} == {receipt.code for _, receipt in receipts}
    assert found.result["passed"]
    assert keys(world, ballot)[0] in found.result["winners"]
    assert result(world, ballot).head["installation"] == HERE


def test_nothing_leads_from_a_person_to_a_vote(world):
    ballot, receipts = voted(world)
    finish(world, ballot)
    assert rows(world, KEY, ballot) == rows(world, VOTE, ballot) == []
    people = {person.person_id for person, _ in receipts}
    assert {row.person_id for row in rows(world, ROLL, ballot)} == people
    published = rows(world, PUBLISHED, ballot)
    assert all(row.voter is None for row in published)
    names = " ".join(str(row) for row in published)
    assert not any(person.name in names for person, _ in receipts)
    # The order is not that of the voting, nor of the roll (the chance that it is by chance: one in 479 million).
    cast = [receipt.code for _, receipt in receipts]
    assert [row.receipt for row in published] != cast


def test_counted_once_by_many_at_once(world):
    ballot, _ = voted(world)
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: finish(world, ballot), range(4)))
    assert done.count(True) == 1
    assert len(rows(world, RESULT, ballot)) == 1
    told = world.ask(lambda c: c.execute(select(EVENT).where(EVENT.c.type == "ballot.counted")).all())
    assert len(told) == 1
    before = result(world, ballot)
    assert not finish(world, ballot)
    assert result(world, ballot) == before


def test_before_it_closes_nothing_is_counted_nor_told(world):
    ballot, _ = voted(world, close=False)
    assert not finish(world, ballot)
    assert ballot not in world.ask(counting.due)
    for query in (counting.result, counting.log, counting.voters):
        with pytest.raises(Conflict):
            world.ask(query, view(world, ballot))
    world.close_now(ballot)
    assert world.ask(counting.due) == [ballot]
    finish(world, ballot)
    assert world.ask(counting.due) == []


def test_a_ballot_that_was_taken_back_is_never_counted(world):
    from datetime import timedelta

    from app.lib import clock
    from app.services import ballot_making

    ballot = world.ballot(opens_at=clock.now() + timedelta(days=1))
    world.do(ballot_making.cancel, world.cora, ballot)
    world.close_now(ballot)
    assert world.ask(counting.due) == []
    assert not finish(world, ballot)


def test_a_ballot_on_which_nobody_voted_is_counted_and_chooses_nothing(world):
    ballot = world.ballot()
    world.close_now(ballot)
    assert finish(world, ballot)
    found = result(world, ballot)
    assert not found.result["passed"]
    assert found.result["winners"] == []
    assert log_check.check(read(world, ballot)) == []


def test_a_small_sector_of_a_secret_ballot_is_told_nowhere(world):
    ballot, _ = voted(world, public=6, business=2)
    finish(world, ballot)
    log, found = read(world, ballot), result(world, ballot)
    assert log.head["too_small"] == ["business"]
    assert {vote["sector"] for vote in log.votes} == {""}
    assert found.result["sectors"] == [""]
    assert {row["sector"] for row in found.beside["turnout"]} == {""}
    assert not found.result["passed"]
    assert log_check.check(log) == []


def test_of_an_open_ballot_a_small_sector_is_told(world):
    ballot, receipts = voted(world, public=6, business=2, mode="open")
    finish(world, ballot)
    assert result(world, ballot).result["sectors"] == ["public", "business"]
    named = world.ask(counting.voters, view(world, ballot))
    assert sorted(entry["voter"]["name"] for entry in named) == sorted(person.name for person, _ in receipts)
    assert [entry["voter"]["name"] for entry in named] == sorted(entry["voter"]["name"] for entry in named)
    assert log_check.check(read(world, ballot)) == []


def test_a_handful_of_secret_votes_is_neither_counted_nor_published(world):
    ballot, receipts = voted(world, public=3, business=1)
    finish(world, ballot)
    assert rows(world, PUBLISHED, ballot) == rows(world, VOTE, ballot) == []
    found = result(world, ballot)
    assert found.head["withheld"] == 4
    assert not found.result["passed"]
    assert sum(row["voted"] for row in found.result["turnout"]) == 4
    assert world.ask(counting.receipt_proof, view(world, ballot), receipts[0][1].code) is None
    assert log_check.check(read(world, ballot)) == []


def test_a_receipt_has_a_way_to_the_root(world):
    ballot, receipts = voted(world)
    finish(world, ballot)
    found = view(world, ballot)
    root = bytes.fromhex(result(world, ballot).tree["root"])
    for _, receipt in receipts:
        proof = world.ask(counting.receipt_proof, found, receipt.code.lower().replace("-", " "))
        assert proof.vote["choice"] == receipt.choice
        leaf = ballot_log.leaf(ballot, proof.vote)
        path = [bytes.fromhex(step) for step in proof.path]
        assert merkle.verify_inclusion(leaf, proof.index, proof.size, path, root)
    assert world.ask(counting.receipt_proof, found, seal.new_receipt()) is None
    assert world.ask(counting.receipt_proof, found, "no receipt") is None


def test_only_the_last_vote_is_counted(world):
    (person, *_) = world.people(5, "public")
    others = world.people(5, "business")
    ballot = world.ballot(mode="open")
    first, second, _ = keys(world, ballot)
    void = world.do(votes.cast, person, ballot, {"approved": [first]})
    last = world.do(votes.cast, person, ballot, {"approved": [second]})
    for other in others:
        world.do(votes.cast, other, ballot, {"approved": [second]})
    world.close_now(ballot)
    finish(world, ballot)
    log = read(world, ballot)
    assert len(log.votes) == 6
    assert void.code not in {vote["receipt"] for vote in log.votes}
    assert last.code in {vote["receipt"] for vote in log.votes}
    assert result(world, ballot).result["winners"] == [second]


def test_a_live_tally_of_an_open_ballot_follows_the_votes(world):
    ballot, receipts = voted(world, mode="open", public=5, business=5, tallies_live=True, close=False)
    assert world.ask(counting.live) == [ballot]
    assert counting.refresh(world.database, ballot)
    shown = view(world, ballot).live_tally
    yes = {one["key"]: sum(each["yes"] for each in one["support"]) for one in shown["standings"]}
    assert sum(yes.values()) == 10
    assert not counting.refresh(world.database, ballot)
    world.do(votes.cast, receipts[0][0], ballot, {"none": True})
    assert counting.refresh(world.database, ballot)
    assert view(world, ballot).live_tally != shown
    world.close_now(ballot)
    assert not counting.refresh(world.database, ballot)
    assert not world.do(counting.show, ballot, shown), "a tally that comes late shows no more"


def test_a_secret_ballot_has_no_live_tally(world):
    with pytest.raises(Invalid) as refused:
        world.ballot(tallies_live=True)
    assert [error.field for error in refused.value.errors] == ["tallies_live"]


def test_a_hidden_tally_stays_hidden(world):
    ballot, _ = voted(world, mode="open", close=False)
    assert world.ask(counting.live) == []
    assert not counting.refresh(world.database, ballot)
    assert view(world, ballot).live_tally is None


def test_who_changes_sector_counts_where_they_voted(world):
    ballot, receipts = voted(world, public=6, business=6, close=False, sectors=["public", "business"])
    moved = receipts[0][0]
    before = world.ask(ballots.eligible, view(world, ballot))

    def move(tx):
        values = {"sector_id": world.sectors["business"]}
        tx.execute(MEMBERSHIP.update().where(MEMBERSHIP.c.person_id == moved.person_id).values(**values))

    world.do(move)
    assert world.ask(ballots.eligible, view(world, ballot)) == before
    world.do(votes.cast, moved, ballot, {"none": True})
    world.close_now(ballot)
    finish(world, ballot)
    assert log_check.check(read(world, ballot)) == []
    turnout = {row["sector"]: row["voted"] for row in result(world, ballot).result["turnout"]}
    assert turnout == {"public": 6, "business": 6}


def test_a_vote_taken_back_in_a_later_hour_leaves_no_trace_in_the_turnout(world):
    ballot, receipts = voted(world, public=6, business=6, close=False)

    hours = world.ask(ballots.turnout, ballot)
    for row in hours:
        world.do(
            lambda tx, row=row: tx.execute(
                TURNOUT.update()
                .where(TURNOUT.c.ballot_id == ballot, TURNOUT.c.hour == row.hour)
                .values(hour=row.hour - timedelta(hours=2))
            )
        )
    world.do(votes.withdraw, receipts[0][0], ballot)
    world.close_now(ballot)
    finish(world, ballot)
    told = result(world, ballot).beside["turnout"]
    assert min(row["voters"] for row in told) > 0
    assert sum(row["voters"] for row in told) == 11


def test_a_ballot_is_counted_though_its_challenge_is_gone(world):
    ballot, _ = voted(world)
    with pytest.raises(Conflict):
        world.do(challenges.delete, world.cora, world.challenge_id)
    gone = CHALLENGE.update().where(CHALLENGE.c.id == world.challenge_id).values(deleted_at=clock.now())
    world.do(lambda tx: tx.execute(gone))
    assert world.ask(counting.due) == [ballot]
    finish(world, ballot)
    assert world.ask(counting.due) == []
    assert rows(world, KEY, ballot) == []


def test_turnout_is_told_by_the_hour_and_adds_up(world):
    ballot, _ = voted(world)
    finish(world, ballot)
    told = result(world, ballot).beside["turnout"]
    by_sector = {}
    for row in told:
        by_sector[row["sector"]] = by_sector.get(row["sector"], 0) + row["voters"]
        assert row["hour"].endswith(":00:00.000000Z")
    assert by_sector == {"public": 6, "business": 6}


def test_other_rules_and_methods_stand_beside_the_result(world):
    ballot, _ = voted(world, "budget")
    finish(world, ballot)
    beside = result(world, ballot).beside
    assert set(beside["rules"]) == {
        "least_sector",
        "both_sectors",
        "equal_weight",
        "bridging",
        "one_person",
        "equal_split",
    }
    assert {"approval", "schulze", "stv", "budget", "greedy"} <= set(beside["methods"])
    assert beside["map"] == {"reason": "too_few_voters", "needed": 20, "there": 12}


def test_whoever_changed_employer_counts_once_with_the_newest(world):
    """A person may have had several places in a programme, one after another."""
    ballot = world.ballot(mode="open")
    option = str(world.ask(ballots.find, world.alice, ballot).solutions[0].id)
    world.do(votes.cast, world.alice, ballot, {"approved": [option]})
    own = MEMBERSHIP.c.person_id == world.alice.person_id
    world.do(lambda tx: tx.execute(MEMBERSHIP.update().where(own).values(ended_at=tx.now)))
    traces.insert(
        world,
        Membership,
        programme_id=world.programme_id,
        person_id=world.alice.person_id,
        organisation_id=world.organisations["business"],
        sector_id=world.sectors["business"],
    )
    world.close_now(ballot)
    assert counting.finish(world.database, ballot, HERE)
    (vote,) = world.ask(counting.log, world.ask(ballots.find, world.bob, ballot))["votes"]
    assert vote["voter"] == {"name": "Alice Novak", "organisation": "Business House of Here"}
