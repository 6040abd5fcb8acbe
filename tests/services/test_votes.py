"""Voting: who may, one vote each, the last one counts, nothing after the end, and nothing that leads to the voter."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import event, select, update

from app.database import Database, UTCDateTime, present
from app.errors import Conflict, Gone, Invalid, NotAllowed, NotFound
from app.integrations import seal
from app.lib import clock
from app.methods import ballot_log
from app.models import Ballot, BallotKey, Event, Membership, Organisation, RollEntry, Turnout, Vote
from app.models.base import table
from app.policies.actor import ANONYMOUS
from app.services import ballot_making, ballots, counting, votes
from app.services.votes import Wish

BALLOT, KEY, EVENT = table(Ballot), table(BallotKey), table(Event)
MEMBERSHIP, ROLL, TURNOUT, VOTE = table(Membership), table(RollEntry), table(Turnout), table(Vote)
STATEMENTS = 5


def keys(world, ballot):
    return [solution.key for solution in world.ask(ballots.find, world.cora, ballot).solutions]


def rows(world, of, ballot):
    return world.ask(lambda c: c.execute(select(of).where(of.c.ballot_id == ballot)).all())


def mine(world, actor, ballot):
    return world.ask(votes.mine, actor, world.ask(ballots.find, actor, ballot))


def changed(world, ballot, **values):
    world.do(lambda tx: tx.execute(update(BALLOT).where(BALLOT.c.id == ballot).values(**values)))


@pytest.fixture
def ballot(world):
    return world.ballot()


@pytest.fixture
def some(world, ballot):
    """A choice that can be counted."""
    return {"approved": keys(world, ballot)[:1]}


def test_a_vote_is_taken_and_its_receipt_is_signed(world, ballot, some):
    receipt = world.do(votes.cast, world.alice, ballot, some)
    assert receipt.choice == some
    assert not receipt.replaced
    message = ballot_log.receipt_message(ballot, receipt.code, some)
    assert seal.verify(seal.public_key(), bytes.fromhex(receipt.signature), message)
    assert mine(world, world.alice, ballot) == votes.MyVote(receipt.code, some)
    assert mine(world, world.bob, ballot) is None
    assert world.ask(ballots.find, world.alice, ballot).has_voted
    assert not world.ask(ballots.find, world.bob, ballot).has_voted


def test_a_second_vote_replaces_the_first(world, ballot, some):
    first = world.do(votes.cast, world.alice, ballot, some)
    other = {"approved": keys(world, ballot)[1:]}
    second = world.do(votes.cast, world.alice, ballot, other)
    assert second.replaced
    assert second.code != first.code
    assert mine(world, world.alice, ballot).choice == other
    assert [row.receipt for row in rows(world, VOTE, ballot)] == [second.code]
    assert len(rows(world, ROLL, ballot)) == 1
    assert [(row.voters, row.changes) for row in rows(world, TURNOUT, ballot)] == [(1, 2)]


def test_of_two_by_one_person_in_one_batch_the_later_counts(world, ballot):
    one, other = ({"approved": [key]} for key in keys(world, ballot)[:2])
    answers = world.do(
        votes.meet,
        [Wish(world.alice, ballot, one), Wish(world.alice, ballot, other), Wish(world.bob, ballot, one)],
    )
    assert [answer.replaced for answer in answers] == [False, True, False]
    assert mine(world, world.alice, ballot).choice == other
    assert len(rows(world, VOTE, ballot)) == 2


def test_two_at_once_on_two_databases_leave_one(world, ballot, some, database_url):
    others = [Database(database_url) for _ in range(2)]
    wishes = [{"approved": [key]} for key in keys(world, ballot)[:2]] * 10

    def send(number):
        return others[number % 2].write_now(lambda tx: votes.cast(tx, world.alice, ballot, wishes[number]))

    with ThreadPoolExecutor(8) as pool:
        receipts = list(pool.map(send, range(len(wishes))))
    for other in others:
        other.close()
    (left,) = rows(world, VOTE, ballot)
    assert left.receipt in {receipt.code for receipt in receipts}
    assert [receipt.replaced for receipt in receipts].count(False) == 1
    assert sum(row.voters for row in rows(world, TURNOUT, ballot)) == 1


def test_one_wish_that_cannot_be_leaves_the_others_alone(world, ballot, some):
    answers = world.do(
        votes.meet,
        [
            Wish(world.alice, ballot, {"approved": ["999"]}),
            Wish(world.olga, ballot, some),
            Wish(world.bob, ballot, some),
        ],
    )
    assert [type(answer) for answer in answers] == [Invalid, NotAllowed, votes.Receipt]
    assert len(rows(world, VOTE, ballot)) == 1


def test_after_the_end_by_the_databases_clock_nothing_is_taken(world, ballot, some, monkeypatch):
    def close(tx):
        ends = present(tx.dialect)
        tx.execute(update(BALLOT).where(BALLOT.c.id == ballot).values(closes_at=ends))

    world.do(close)
    time.sleep(0.001)
    # The process believes that it is yesterday: its clock decides nothing.
    earlier = clock.now() - timedelta(days=1)
    monkeypatch.setattr(clock, "now", lambda: earlier)
    for verb in (
        lambda: world.do(votes.cast, world.alice, ballot, some),
        lambda: world.do(votes.withdraw, world.alice, ballot),
    ):
        with pytest.raises(Conflict, match="closed"):
            verb()
    assert rows(world, VOTE, ballot) == []
    assert rows(world, ROLL, ballot) == []


def test_a_millisecond_before_the_end_it_is_taken_and_at_the_end_not(world, ballot, some, monkeypatch):
    """The very condition, at a clock that stands still."""
    ends = world.ask(ballots.find, world.alice, ballot).closes_at
    loading = votes._loading
    step = timedelta(milliseconds=1)
    for now, is_taken in ((ends - step, True), (ends, False), (ends + step, False)):
        loading.cache_clear()
        monkeypatch.setattr(votes, "present", lambda _dialect, now=now: _literal(now))
        if is_taken:
            assert world.do(votes.cast, world.alice, ballot, some)
        else:
            with pytest.raises(Conflict, match="closed"):
                world.do(votes.cast, world.bob, ballot, some)
    loading.cache_clear()
    assert len(rows(world, VOTE, ballot)) == 1


def _literal(instant):
    from sqlalchemy import literal

    return literal(instant, UTCDateTime)


def test_before_it_opens_and_once_taken_back_nothing_is_taken(world, some):
    later = world.ballot(opens_at=clock.now() + timedelta(days=1))
    choice = {"approved": keys(world, later)[:1]}
    with pytest.raises(Conflict, match="not opened"):
        world.do(votes.cast, world.alice, later, choice)
    world.do(ballot_making.cancel, world.cora, later)
    with pytest.raises(Conflict, match="taken back"):
        world.do(votes.cast, world.alice, later, choice)


def test_of_another_programme_it_is_not_there(world, ballot, some):
    for actor in (world.charlie, ANONYMOUS):
        with pytest.raises(NotFound):
            world.do(votes.cast, actor, ballot, some)
    with pytest.raises(NotFound):
        world.do(votes.cast, world.alice, 999_999, some)
    assert rows(world, VOTE, ballot) == []


def test_an_observer_does_not_vote(world, ballot, some):
    with pytest.raises(NotAllowed):
        world.do(votes.cast, world.olga, ballot, some)
    assert "Observers" in world.ask(ballots.find, world.olga, ballot).why_not.message


@pytest.mark.parametrize(
    ("draft", "said"),
    [
        ({"roles": ["coordinator", "sponsor"]}, "role"),
        ({"sectors": ["business"]}, "sector"),
    ],
)
def test_who_is_not_among_the_voters_is_told_why(world, draft, said):
    ballot = world.ballot(**draft)
    with pytest.raises(NotAllowed, match=said) as refused:
        world.do(votes.cast, world.alice, ballot, {"approved": keys(world, ballot)[:1]})
    assert refused.value.message == world.ask(ballots.find, world.alice, ballot).why_not.message
    assert world.do(votes.cast, world.cora, ballot, {"approved": keys(world, ballot)[:1]})


def test_who_is_of_another_organisation_does_not_vote(world):
    def move(tx):
        elsewhere = Organisation(
            programme_id=world.programme_id, sector_id=world.sectors["business"], name="A third house"
        )
        tx.session.add(elsewhere)
        tx.session.flush()
        moved = update(MEMBERSHIP).where(MEMBERSHIP.c.person_id == world.bob.person_id)
        tx.execute(moved.values(organisation_id=elsewhere.id))

    world.do(move)
    ballot = world.ballot(organisations=list(world.organisations.values()))
    with pytest.raises(NotAllowed, match="organisation"):
        world.do(votes.cast, world.bob, ballot, {"approved": keys(world, ballot)[:1]})
    assert world.do(votes.cast, world.bea, ballot, {"approved": keys(world, ballot)[:1]})


def test_who_joined_too_late_does_not_vote(world, ballot, some):
    (late,) = world.people(1, "public")
    world.do(
        lambda tx: tx.execute(
            update(MEMBERSHIP)
            .where(MEMBERSHIP.c.person_id == late.person_id)
            .values(created_at=clock.now() + timedelta(hours=1))
        )
    )
    with pytest.raises(NotAllowed, match="joined after"):
        world.do(votes.cast, late, ballot, some)


def test_who_has_left_does_not_vote(world, ballot, some):
    world.do(
        lambda tx: tx.execute(
            update(MEMBERSHIP)
            .where(MEMBERSHIP.c.person_id == world.alice.person_id)
            .values(ended_at=clock.now())
        )
    )
    with pytest.raises(NotAllowed):
        world.do(votes.cast, world.alice, ballot, some)
    assert rows(world, VOTE, ballot) == []


@pytest.mark.parametrize(
    ("method", "choice"),
    [
        ("approval", lambda _: {"approved": ["999"]}),
        ("approval", lambda keys: {"approved": [keys[0], keys[0]]}),
        ("approval", lambda keys: {"approved": keys[:1] * 10_000}),
        ("approval", lambda _: {"approved": [], "none": True}),
        ("approval", lambda _: None),
        ("score", lambda keys: {"scores": {keys[0]: 6}}),
        ("ranked", lambda keys: {"ranking": [[keys[0]], [], [keys[1]]]}),
        ("ranked", lambda keys: {"ranking": [[keys[0]], [keys[0]]]}),
        ("points", lambda keys: {"points": {keys[0]: 11}}),
        ("quadratic", lambda keys: {"points": {keys[0]: 3, keys[1]: 2}}),
        ("budget", lambda keys: {"approved": keys}),
    ],
)
def test_a_choice_that_the_method_does_not_know_is_not_kept(world, method, choice):
    ballot = world.ballot(method)
    with pytest.raises(Invalid) as refused:
        world.do(votes.cast, world.alice, ballot, choice(keys(world, ballot)))
    assert 1 <= len(refused.value.errors) < 3
    assert rows(world, VOTE, ballot) == []


def test_a_vote_is_taken_back_once(world, ballot, some):
    world.do(votes.cast, world.alice, ballot, some)
    for _ in range(2):
        world.do(votes.withdraw, world.alice, ballot)
    assert mine(world, world.alice, ballot) is None
    assert rows(world, VOTE, ballot) == rows(world, ROLL, ballot) == []
    assert [row.voters for row in rows(world, TURNOUT, ballot)] == [0]
    assert not world.do(votes.cast, world.alice, ballot, some).replaced


def test_nothing_tells_when_or_who(world, ballot, some):
    world.do(votes.cast, world.alice, ballot, some)
    for kept in (ROLL, VOTE):
        assert not [column.name for column in kept.c if isinstance(column.type, UTCDateTime)]
    (vote,) = rows(world, VOTE, ballot)
    assert vote.person_id is None
    told = world.ask(lambda c: c.execute(select(EVENT).where(EVENT.c.type == "vote.cast")).all())
    assert [(row.actor_id, row.subject_id, row.data) for row in told] == [(None, ballot, {})]


def test_a_person_has_another_pseudonym_on_each_ballot(world):
    seen = set()
    for _ in range(2):
        ballot = world.ballot()
        world.do(votes.cast, world.alice, ballot, {"approved": keys(world, ballot)[:1]})
        seen |= {row.pseudonym for row in rows(world, VOTE, ballot)}
    assert len(seen) == 2


def test_an_open_ballot_names_the_voter(world):
    ballot = world.ballot(mode="open")
    world.do(votes.cast, world.alice, ballot, {"none": True})
    assert [row.person_id for row in rows(world, VOTE, ballot)] == [world.alice.person_id]


def test_once_counted_nobody_reads_their_vote(world, ballot, some):
    world.do(votes.cast, world.alice, ballot, some)
    world.close_now(ballot)
    assert counting.finish(world.database, ballot, "https://partnership.example")
    with pytest.raises(Gone):
        mine(world, world.alice, ballot)
    assert rows(world, KEY, ballot) == rows(world, VOTE, ballot) == []
    with pytest.raises(Conflict):
        world.do(votes.cast, world.alice, ballot, some)


def test_a_vote_costs_few_statements_whatever_is_replaced(world, ballot, some):
    seen = []

    def note(*told):
        if not told[2].startswith(("BEGIN", "SAVEPOINT", "RELEASE", "COMMIT", "SELECT pg_advisory")):
            seen.append(told[2])

    event.listen(world.database.writes, "before_cursor_execute", note)
    for _ in range(2):
        seen.clear()
        world.do(votes.cast, world.alice, ballot, some)
        assert len(seen) <= STATEMENTS, seen
    event.remove(world.database.writes, "before_cursor_execute", note)


def declared(world, ballot):
    return [(row.name, row.solution_id, row.statement) for row in world.ask(ballots.interests, ballot)]


def test_an_interest_is_declared_replaced_and_taken_back(world, ballot):
    first = int(keys(world, ballot)[0])
    for statement in ("We print forms.", "We sell forms."):
        world.do(votes.declare_interest, world.bob, ballot, first, statement=statement)
    assert declared(world, ballot) == [("Bob Kos", first, "We sell forms.")]
    for _ in range(2):
        world.do(votes.declare_interest, world.bob, ballot, first, statement="")
    assert declared(world, ballot) == []


def test_an_interest_is_declared_on_a_solution_of_the_ballot_until_it_closes(world, ballot):
    first, elsewhere = int(keys(world, ballot)[0]), world.solution("On no ballot")
    with pytest.raises(NotFound):
        world.do(votes.declare_interest, world.bob, ballot, elsewhere, statement="Mine")
    with pytest.raises(Invalid):
        world.do(votes.declare_interest, world.bob, ballot, first, statement="x" * 501)
    with pytest.raises(NotFound):
        world.do(votes.declare_interest, world.charlie, ballot, first, statement="Mine")
    world.close_now(ballot)
    with pytest.raises(Conflict):
        world.do(votes.declare_interest, world.bob, ballot, first, statement="Mine")
    assert declared(world, ballot) == []
