"""Making a ballot: what a draft needs, what stands once it opens, and what needs a reason."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from app.database import Database
from app.errors import Conflict, DomainError, Invalid, Moved, NotAllowed, NotFound
from app.lib import clock
from app.methods.election import METHODS
from app.methods.shuffle import shuffled
from app.models import Ballot, BallotKey, Event
from app.models.base import table
from app.services import ballot_making, ballots, solutions
from app.services.ballot_making import Draft

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def three(world):
    return [world.solution(title, cost=cost) for title, cost in (("A", 30), ("B", 20), ("C", 10))]


def found(world, ballot, actor=None):
    return world.ask(ballots.find, actor or world.alice, ballot)


def draft(three, **values):
    usual = {"title": "Which one first?", "solutions": three, "closes_at": clock.now() + 7 * DAY}
    return Draft(**(usual | values))


def checked(world, three, **values):
    return world.ask(ballot_making.check, world.cora, world.challenge_id, draft(three, **values))


def count(world, of):
    return world.ask(lambda c: c.execute(select(func.count()).select_from(table(of))).scalar_one())


def wrong(world, three, **values):
    with pytest.raises(Invalid) as caught:
        world.do(ballot_making.make, world.cora, world.challenge_id, draft(three, **values))
    assert count(world, Ballot) == 0
    return {error.field for error in caught.value.errors}


def test_a_ballot_over_solutions_opens_at_once(world, three):
    ballot = found(world, world.ballot(solutions=list(reversed(three)), unit="days"))
    assert ballot.state == "open"
    assert [solution.id for solution in ballot.solutions] == three
    assert (ballot.method, ballot.rule, ballot.mode, ballot.unit) == (
        "approval",
        "least_sector",
        "secret",
        "days",
    )
    assert (ballot.settings.threshold, ballot.settings.seats) == (50, 1)
    assert ballot.awaits
    types = world.ask(lambda c: c.execute(select(table(Event).c.type)).scalars().all())
    assert types[-1] == "ballot.made"


@pytest.mark.parametrize(
    ("method", "rule", "threshold"),
    [
        ("approval", "least_sector", 50),
        ("score", "least_sector", 50),
        ("ranked", "least_sector", 50),
        ("points", "least_sector", 0),
        ("quadratic", "least_sector", 0),
        ("budget", "equal_split", 0),
    ],
)
def test_each_method_has_its_usual_rule_and_bar(world, method, rule, threshold):
    ballot = found(world, world.ballot(method))
    assert (ballot.rule, ballot.settings.threshold) == (rule, threshold)
    assert method in METHODS


def test_the_tie_order_comes_from_the_published_seed(world, three):
    orders = set()
    for _ in range(12):
        ballot = found(world, world.ballot(solutions=three))
        keys = [str(each) for each in three]
        assert ballot.settings.tie_order == tuple(shuffled(keys, ballot.seed, "ties"))
        orders.add(ballot.settings.tie_order)
    assert len(orders) > 1, "no row comes first by its place"


def test_each_person_sees_an_order_of_their_own_that_stays(world, three):
    ballot = found(world, world.ballot(solutions=three))
    assert ballot.shuffled(7) == ballot.shuffled(7)
    first = Counter(ballot.shuffled(person)[0].id for person in range(300))
    assert set(first) == set(three)
    assert min(first.values()) > 60


@pytest.mark.parametrize("name", ["alice", "fay", "bob", "olga"])
def test_only_coordinators_and_sponsors_make_ballots(world, three, name):
    with pytest.raises(NotAllowed):
        world.ballot(solutions=three, actor=getattr(world, name))
    assert found(world, world.ballot(solutions=three, actor=world.sam)).made_by == world.sam.person_id


def test_a_stranger_finds_none(world, three):
    ballot = world.ballot(solutions=three)
    assert world.ask(ballots.on_challenge, world.charlie, world.challenge_id) == []
    assert world.ask(ballots.waiting_for, world.charlie) == []
    later = clock.now() + 30 * DAY
    for verb, named in (
        (ballot_making.cancel, {}),
        (ballot_making.close, {"reason": "x"}),
        (ballot_making.extend, {"reason": "x", "closes_at": later}),
    ):
        with pytest.raises(NotFound):
            world.do(verb, world.charlie, ballot, **named)
    with pytest.raises(NotFound):
        world.do(ballot_making.make, world.charlie, world.challenge_id, draft(three))


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"title": ""}, "title"),
        ({"explanation": "x" * 4001}, "explanation"),
        ({"language": "xx"}, "language"),
        ({"mode": "whispered"}, "mode"),
        ({"method": "dice"}, "method"),
        ({"rule": "loudest"}, "rule"),
        ({"rule": "equal_split"}, "rule"),
        ({"method": "budget", "numbers": {"budget": 50}}, "unit"),
        ({"method": "budget", "unit": "days"}, "budget"),
        ({"method": "budget", "unit": "days", "numbers": {"budget": 9}}, "budget"),
        ({"numbers": {"seats": 4}}, "seats"),
        ({"numbers": {"seats": 0}}, "seats"),
        ({"numbers": {"least": 4}}, "least"),
        ({"numbers": {"least": 2, "most": 1}}, "most"),
        ({"method": "points", "numbers": {"points": 0}}, "points"),
        ({"numbers": {"threshold": 101}}, "threshold"),
        ({"numbers": {"quorum": 101}}, "quorum"),
        ({"numbers": {"sector_quorum": -1}}, "sector_quorum"),
        ({"roles": ["observer"]}, "roles"),
        ({"sectors": ["clergy"]}, "sectors"),
        ({"organisations": [999_999]}, "organisations"),
        ({"closes_at": None}, "closes_at"),
        ({"reminder_hours": -1}, "reminder_hours"),
        ({"reminder_hours": 721}, "reminder_hours"),
    ],
)
def test_what_cannot_be_is_named(world, three, values, field):
    assert wrong(world, three, **values) == {field}


def test_it_closes_after_it_opens_ahead_and_within_a_year(world, three):
    now = clock.now()
    for times in (
        {"closes_at": now - HOUR},
        {"opens_at": now + 2 * DAY, "closes_at": now + DAY},
        {"opens_at": now + DAY, "closes_at": now + DAY},
        {"closes_at": now + timedelta(days=367)},
    ):
        assert wrong(world, three, **times) == {"closes_at"}


def test_it_decides_on_solutions_of_its_challenge_each_named_once(world, three):
    elsewhere = world.solution("Elsewhere", world.challenge())
    for chosen in ([], [*three, three[0]], [elsewhere], [999_999], list(range(1, 102))):
        assert "solutions" in wrong(world, chosen)


def test_each_sector_that_votes_has_voters(world, three):
    fields = wrong(world, three, roles=["sponsor"])
    assert fields == {"sectors"}, "Sam, of the public sector, is the only sponsor"
    assert wrong(world, three, organisations=[world.organisations["public"]]) == {"sectors"}
    assert wrong(world, three, member_since=clock.now() - DAY) == {"sectors"}
    assert checked(world, three, roles=["sponsor"], sectors=["public"]).eligible == {"public": 1}


def test_a_draft_says_how_many_may_vote_and_makes_nothing(world, three):
    world.people(3, "business")
    found = checked(world, three)
    assert found.eligible == {"public": 4, "business": 6}, "Olga observes"
    assert count(world, Ballot) == count(world, BallotKey) == 0


def test_a_ballot_can_change_until_it_opens(world, three):
    ballot = world.ballot(solutions=three, opens_at=clock.now() + DAY)
    before = found(world, ballot)
    again = ballot_making.draft_of(before)
    changed = draft(three[:2], method="score", numbers={"quorum": 30}, opens_at=again.opens_at)
    assert world.do(ballot_making.change, world.cora, ballot, changed, version=1) == 2
    after = found(world, ballot)
    assert (after.method, after.settings.quorum, after.state) == ("score", 30, "scheduled")
    assert [solution.id for solution in after.solutions] == three[:2]
    assert set(after.settings.tie_order) == {str(each) for each in three[:2]}
    assert after.seed == before.seed


def test_the_draft_of_a_ballot_makes_it_again(world, three):
    ballot = world.ballot(
        "budget",
        three,
        opens_at=clock.now() + DAY,
        roles=["participant"],
        sectors=["public", "business"],
        mode="open",
        tallies_live=True,
    )
    before = found(world, ballot)
    again = ballot_making.draft_of(before)
    assert world.do(ballot_making.change, world.cora, ballot, again) == before.version, "nothing to write"
    assert world.do(ballot_making.change, world.cora, ballot, replace(again, reminder_hours=1)) == 2
    after = found(world, ballot)
    for name in ("title", "method", "rule", "unit", "settings", "roles", "sectors", "opens_at", "closes_at"):
        assert getattr(after, name) == getattr(before, name), name


def test_nothing_of_an_open_ballot_changes(world, three):
    ballot = world.ballot(solutions=three)
    before = found(world, ballot)
    with pytest.raises(Conflict, match="has opened"):
        world.do(ballot_making.change, world.cora, ballot, draft(three, rule="one_person"))
    with pytest.raises(Conflict, match="has opened"):
        world.do(ballot_making.cancel, world.cora, ballot)
    assert found(world, ballot).rule == before.rule


def test_who_made_it_may_change_it_and_other_sponsors_not(world, three):
    ballot = world.ballot(solutions=three, actor=world.cora, opens_at=clock.now() + DAY)
    with pytest.raises(NotAllowed):
        world.do(ballot_making.change, world.sam, ballot, draft(three))
    own = world.ballot(solutions=three, actor=world.sam, opens_at=clock.now() + DAY)
    world.do(ballot_making.change, world.sam, own, draft(three, opens_at=clock.now() + DAY))
    world.do(ballot_making.cancel, world.sam, own)
    assert found(world, own).state == "cancelled"


def test_of_two_changes_at_once_one_is_told_of_the_other(world, three):
    ballot = world.ballot(solutions=three, opens_at=clock.now() + DAY)
    other = Database(world.database.url.render_as_string(hide_password=False))

    def change(database, title):
        changed = draft(three, title=title, opens_at=clock.now() + DAY)
        try:
            return database.write_now(
                lambda tx: ballot_making.change(tx, world.cora, ballot, changed, version=1)
            )
        except DomainError as error:
            return error

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(change, (world.database, other), ("One", "Two")))
    other.close()
    assert Counter(type(answer) for answer in answers) == {int: 1, Moved: 1}


def test_a_ballot_that_was_taken_back_is_gone_from_lists_and_its_key_with_it(world, three):
    ballot = world.ballot(solutions=three, opens_at=clock.now() + DAY)
    for _ in range(2):
        world.do(ballot_making.cancel, world.cora, ballot)
    assert found(world, ballot).state == "cancelled"
    assert world.ask(ballots.on_challenge, world.alice, world.challenge_id) == []
    assert world.ask(ballots.on_board, world.alice, world.challenge_id).ballots == ()
    assert count(world, BallotKey) == 0


def test_an_extension_has_a_reason_and_a_later_end(world, three):
    ballot = world.ballot(solutions=three)
    ends = found(world, ballot).closes_at
    for closes_at, reason, field in (
        (ends + DAY, " ", "reason"),
        (ends, "Holidays", "closes_at"),
        (ends - HOUR, "Holidays", "closes_at"),
        (ends + timedelta(days=400), "Holidays", "closes_at"),
    ):
        with pytest.raises(Invalid) as caught:
            world.do(ballot_making.extend, world.cora, ballot, closes_at=closes_at, reason=reason)
        assert {error.field for error in caught.value.errors} == {field}
    world.do(ballot_making.extend, world.cora, ballot, closes_at=ends + DAY, reason="Holidays")
    (change,) = world.ask(ballots.changes, ballot)
    assert (change.kind, change.reason, change.by) == ("extension", "Holidays", "Cora Golob")
    assert (change.closed_at, change.closes_at) == (ends, ends + DAY)
    assert found(world, ballot).closes_at == ends + DAY


def test_a_ballot_is_closed_early_for_a_reason_and_once(world, three):
    ballot = world.ballot(solutions=three)
    with pytest.raises(Invalid):
        world.do(ballot_making.close, world.cora, ballot, reason="")
    world.do(ballot_making.close, world.cora, ballot, reason="All have voted")
    assert found(world, ballot).state == "counting"
    for verb, named in (
        (ballot_making.close, {"reason": "Again"}),
        (ballot_making.extend, {"reason": "Late", "closes_at": clock.now() + 30 * DAY}),
    ):
        with pytest.raises(Conflict, match="not open"):
            world.do(verb, world.cora, ballot, **named)
    assert [change.kind for change in world.ask(ballots.changes, ballot)] == ["closure"]


@pytest.mark.parametrize("name", ["alice", "fay", "sam", "olga"])
def test_only_coordinators_extend_and_close(world, three, name):
    actor = getattr(world, name)
    ballot = world.ballot(solutions=three)
    with pytest.raises(NotAllowed):
        world.do(ballot_making.close, actor, ballot, reason="Mine")
    with pytest.raises(NotAllowed):
        world.do(ballot_making.extend, actor, ballot, reason="Mine", closes_at=clock.now() + 30 * DAY)


def test_a_ballot_waits_for_those_who_may_vote_and_have_not(world, three):
    first = world.ballot(solutions=three, closes_at=clock.now() + 2 * DAY)
    world.ballot(solutions=three, sectors=["business"])
    world.ballot(solutions=three, opens_at=clock.now() + DAY)
    closed = world.ballot(solutions=three)
    world.close_now(closed)
    assert [ballot.id for ballot in world.ask(ballots.waiting_for, world.alice)] == [first]
    assert [ballot.id for ballot in world.ask(ballots.waiting_for, world.bob)] == [first, first + 1]
    assert world.ask(ballots.waiting_for, world.olga) == []


def test_a_board_knows_its_version_and_its_ballots_with_those_that_run_first(world, three):
    closed = world.ballot(solutions=three)
    world.do(lambda tx: tx.execute(update(Ballot).where(Ballot.id == closed).values(counted_at=tx.now)))
    running = world.ballot(solutions=three)
    board = world.ask(ballots.on_board, world.alice, world.challenge_id)
    assert [ballot.id for ballot in board.ballots] == [running, closed]
    assert [ballot.state for ballot in board.ballots] == ["open", "closed"]
    assert board.ballots[0].awaits
    assert board.event_id == world.ask(lambda c: c.execute(select(func.max(table(Event).c.id))).scalar_one())
    assert world.ask(ballots.on_board, world.alice, world.challenge()).ballots == ()


def test_a_solution_does_not_change_under_a_ballot_that_takes_it_up_meanwhile(world, three):
    ballot = world.ballot(solutions=three)
    with pytest.raises(Conflict):
        world.do(solutions.change, world.fay, three[0], cost=1)
    assert found(world, ballot).solutions[0].cost == 30
