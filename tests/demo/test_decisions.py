"""The demo's decisions: two ballots wait for its visitors, one is counted and can be counted again."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from sqlalchemy import func, select

from app.database import Database
from app.demo import leanings, story
from app.demo.fill import fill
from app.lib.i18n import LANGUAGES
from app.lib.receipts import normal_receipt
from app.methods import ballot_log, choices, log_check, log_reader
from app.methods.election import Option, Settings
from app.models import (
    Ballot,
    BallotChange,
    BallotKey,
    BallotOption,
    BallotResult,
    Event,
    Idea,
    Interest,
    Membership,
    Notice,
    Person,
    Phase,
    PublishedVote,
    RollEntry,
    Solution,
    SolutionIdea,
    Turnout,
    Vote,
    metadata,
)
from app.models.base import table
from app.policies.actor import Actor
from app.policies.actor import Membership as Place
from app.services import ballots, counting, notices, reminders, solutions, votes
from tests.demo.test_fill import rows

BASE_URL = "http://demo.test"
PROGRAMME = 1
TOLD = story.read()
BRAND, SCHOOLS, DAYS = 1, 2, 3
"""The ids of the ballots, in the order in which they were made."""

SECTORS = ("public", "business")
VISITORS = {
    "public@demo.example",
    "business@demo.example",
    "facilitator@demo.example",
    "host@demo.example",
    "sponsor@demo.example",
    "coordinator@demo.example",
}


@pytest.fixture
def demo(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    fill(database, base_url=BASE_URL)
    yield database
    database.close()


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A demo of now, for tests that only read it."""
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('decisions')}/still.db")
    metadata.create_all(database.writes)
    fill(database, base_url=BASE_URL)
    yield database
    database.close()


def actor(database: Database, person_id: int) -> Actor:
    (place,) = rows(database, Membership, table(Membership).c.person_id == person_id)
    (person,) = rows(database, Person, table(Person).c.id == person_id)
    key = SECTORS[place.sector_id - 1]
    member = Place(place.id, PROGRAMME, place.role, place.organisation_id, place.sector_id, key)
    return Actor(person_id=person_id, name=person.name, memberships={PROGRAMME: member})


def people(database: Database) -> dict[str, Actor]:
    """The visitors' seats by their mail address."""
    return {row.email: actor(database, row.id) for row in rows(database, Person) if row.email in VISITORS}


def view(database: Database, ballot_id: int, reader: Actor) -> ballots.BallotView:
    return database.read_now(lambda connection: ballots.find(connection, reader, ballot_id))


def log_of(database: Database) -> ballot_log.Log:
    reader = people(database)["public@demo.example"]
    ballot = view(database, BRAND, reader)
    written = database.read_now(lambda connection: counting.log(connection, ballot))
    return log_reader.read("".join(ballot_log.lines(written)))


def test_two_open_ballots_wait_for_everyone_whose_seat_is_kept(demo):
    found = people(demo)
    assert found.keys() == VISITORS
    for email, visitor in found.items():
        waiting = demo.read_now(lambda connection, who=visitor: ballots.waiting_for(connection, who))
        assert [(ballot.id, ballot.state) for ballot in waiting] == [
            (SCHOOLS, ballots.OPEN),
            (DAYS, ballots.OPEN),
        ], email
    one = view(demo, SCHOOLS, found["public@demo.example"])
    other = view(demo, DAYS, found["public@demo.example"])
    assert (one.method, one.rule, one.mode, len(one.solutions)) == ("approval", "least_sector", "secret", 8)
    assert (other.method, other.rule, other.mode) == ("budget", "equal_split", "open")
    assert other.settings.budget == 60
    assert sum(solution.cost for solution in other.solutions) > 60


def test_a_visitor_can_vote_at_once_and_one_of_the_voters_can_change_their_mind(demo):
    visitor = people(demo)["business@demo.example"]
    chosen = [solution.key for solution in view(demo, SCHOOLS, visitor).solutions[:2]]
    receipt = demo.write_now(lambda tx: votes.cast(tx, visitor, SCHOOLS, {"approved": chosen}))
    assert not receipt.replaced
    voter = actor(demo, rows(demo, RollEntry, table(RollEntry).c.ballot_id == SCHOOLS)[0].person_id)
    ballot = view(demo, SCHOOLS, voter)
    before = demo.read_now(lambda connection: votes.mine(connection, voter, ballot))
    assert before is not None
    again = demo.write_now(lambda tx: votes.cast(tx, voter, SCHOOLS, {"none": True}))
    assert again.replaced
    after = demo.read_now(lambda connection: votes.mine(connection, voter, ballot))
    assert after == votes.MyVote(again.code, {"none": True})


def test_the_log_of_the_counted_ballot_verifies(demo):
    assert log_check.check(log_of(demo)) == []
    assert rows(demo, Vote, table(Vote).c.ballot_id == BRAND) == []
    assert [row.ballot_id for row in rows(demo, BallotKey)] == [SCHOOLS, DAYS]


def test_nothing_is_left_to_do_for_the_clock(demo):
    assert demo.read_now(counting.due) == []
    assert demo.read_now(reminders.due) == []


def test_the_counted_ballot_chose_what_the_brief_tells(still):
    reader = people(still)["public@demo.example"]
    ballot = view(still, BRAND, reader)
    found = still.read_now(lambda connection: counting.result(connection, ballot))
    assert ballot.state == ballots.CLOSED
    assert found.result["passed"]
    titles = {solution.key: solution.title for solution in ballot.solutions}
    winners = [titles[key] for key in found.result["winners"]]
    assert [winner.partition(",")[0].partition(":")[0] for winner in winners] == [
        "Zemljevid za november",
        "The twelve-page brand book",
    ]
    standings = {standing["key"]: standing for standing in found.result["standings"]}
    for key in found.result["winners"]:
        supports = standings[key]["support"]
        assert [support["sector"] for support in supports] == list(SECTORS)
        assert all(2 * support["yes"] > support["votes"] for support in supports)
    assert "worked out eight solutions" in TOLD.challenges[4].brief
    assert len(ballot.solutions) == 8


def test_the_counted_ballot_shows_an_opinion_map_and_rules_that_disagree(still):
    ballot = view(still, BRAND, people(still)["public@demo.example"])
    beside = still.read_now(lambda connection: counting.result(connection, ballot)).beside
    assert len(beside["map"]["groups"]) >= 2
    assert beside["rules"]["one_person"]["winners"] != beside["rules"]["both_sectors"]["winners"]
    assert len({row["hour"][:10] for row in beside["turnout"]}) >= 5


def test_turnout_roll_and_votes_are_of_the_same_people(still):
    sector_of = {row.person_id: row.sector_id for row in rows(still, Membership)}
    for ballot in rows(still, Ballot):
        mine = {"roll": RollEntry, "turnout": Turnout, "vote": Vote, "published": PublishedVote}
        found = {
            name: rows(still, model, table(model).c.ballot_id == ballot.id) for name, model in mine.items()
        }
        voted = Counter(sector_of[row.person_id] for row in found["roll"])
        first = Counter()
        for row in found["turnout"]:
            first[row.sector_id] += row.voters
            assert row.changes >= row.voters >= 0
            assert ballot.opens_at - timedelta(hours=1) < row.hour < ballot.closes_at
        assert first == voted
        cast = found["published"] or found["vote"]
        assert len(cast) == len(found["roll"]) >= 15
        assert min(voted.values()) >= 5
        assert len({normal_receipt(row.receipt) for row in cast}) == len(cast)
        told = rows(still, Event, table(Event).c.type == "vote.cast", table(Event).c.subject_id == ballot.id)
        assert len(told) == sum(row.changes for row in found["turnout"]) > len(cast)
        assert {event.actor_id for event in told} == {None}
    assert len(rows(still, PublishedVote)) >= 40


def test_no_vote_of_a_secret_ballot_leads_to_a_person(still):
    secret = [row.id for row in rows(still, Ballot) if row.mode == "secret"]
    assert secret == [BRAND, SCHOOLS]
    assert all((row.person_id is None) == (row.ballot_id in secret) for row in rows(still, Vote))
    assert all(row.voter is None for row in rows(still, PublishedVote))


def test_every_vote_is_one_that_its_ballot_takes(still):
    for ballot in rows(still, Ballot):
        found = view(still, ballot.id, people(still)["public@demo.example"])
        cast = [*rows(still, Vote, table(Vote).c.ballot_id == ballot.id)]
        cast += rows(still, PublishedVote, table(PublishedVote).c.ballot_id == ballot.id)
        for vote in cast:
            choice = json.loads(vote.choice)
            assert choices.check(found.settings, found.options, choice) == []
            assert choices.normal(choice) == choice


def test_only_those_who_may_vote_have_and_none_of_the_visitors(still):
    may = {row.person_id for row in rows(still, Membership) if row.role != "observer"}
    voted = {row.person_id for row in rows(still, RollEntry)}
    visitors = {visitor.person_id for visitor in people(still).values()}
    assert voted <= may
    assert not voted & visitors


def test_a_ballot_could_have_been_made_as_it_is(still):
    for ballot in rows(still, Ballot):
        settings = ballots.settings_of(ballot)
        found = view(still, ballot.id, people(still)["public@demo.example"])
        assert choices.check_settings(settings, found.options) == []
        assert 0 < len(ballot.title) <= 120
        assert ballot.explanation_html.startswith("<p>")
        assert ballot.language in LANGUAGES
        assert ballot.created_at < ballot.announced_at
        assert ballot.opens_at < ballot.announced_at < ballot.opens_at + timedelta(minutes=1)


def test_solutions_are_made_of_ideas_on_the_board_of_their_challenge(still):
    ideas = {row.id: row for row in rows(still, Idea)}
    found = {row.id: row for row in rows(still, Solution)}
    sources = rows(still, SolutionIdea)
    assert Counter(row.challenge_id for row in found.values()) == {4: 8, 5: 8}
    assert {row.solution_id for row in sources} == found.keys()
    for row in sources:
        idea, solution = ideas[row.idea_id], found[row.solution_id]
        assert (idea.challenge_id, idea.state) == (solution.challenge_id, "open")
        assert idea.created_at < solution.created_at
    for ballot in rows(still, Ballot):
        options = rows(still, BallotOption, table(BallotOption).c.ballot_id == ballot.id)
        assert {found[row.solution_id].challenge_id for row in options} == {ballot.challenge_id}


def test_solutions_keep_to_what_a_facilitator_could_write(still):
    for row in rows(still, Solution):
        solutions._checked(
            title=row.title,
            summary=row.summary,
            language=row.language,
            cost=row.cost,
            carrier=row.carrier,
            links=row.links,
        )
        assert row.cost
        assert row.carrier
        assert row.summary_html.startswith("<p>")


def test_the_counted_ballot_was_extended_once_by_the_coordinator_for_a_reason(still):
    (change,) = rows(still, BallotChange)
    (ballot,) = rows(still, Ballot, table(Ballot).c.id == BRAND)
    assert (change.ballot_id, change.kind) == (BRAND, "extension")
    assert change.changed_by == people(still)["coordinator@demo.example"].person_id
    assert change.reason
    assert change.changed_at < change.closed_at < change.closes_at == ballot.closes_at
    assert ballot.closes_at < ballot.counted_at
    assert ballot.version == 3
    assert log_of(still).head["changes"][0]["reason"] == change.reason


def test_interests_are_declared_by_people_who_may_vote_in_solutions_on_the_ballot(still):
    options = {(row.ballot_id, row.solution_id) for row in rows(still, BallotOption)}
    found = rows(still, Interest)
    assert {row.ballot_id for row in found} == {BRAND, SCHOOLS}
    for row in found:
        assert (row.ballot_id, row.solution_id) in options
        assert actor(still, row.person_id).memberships[PROGRAMME].role != "observer"
    declared = rows(still, Event, table(Event).c.type == "interest.declared")
    assert [event.data["solution_id"] for event in declared] == [row.solution_id for row in found]


def test_people_were_told_what_the_services_tell(still):
    kinds = Counter((row.ballot_id, row.kind) for row in rows(still, Notice) if row.ballot_id)
    absent = 118 - len(rows(still, RollEntry, table(RollEntry).c.ballot_id == BRAND))
    assert kinds.keys() == {
        (BRAND, "ballot_opened"),
        (BRAND, "ballot_reminder"),
        (BRAND, "ballot_counted"),
        (BRAND, "ballot_sealed"),
        (SCHOOLS, "ballot_opened"),
        (DAYS, "ballot_opened"),
    }
    assert kinds[BRAND, "ballot_counted"] == kinds[SCHOOLS, "ballot_opened"] == 118
    assert absent <= kinds[BRAND, "ballot_reminder"] < 118
    root = log_of(still).tree["root"]
    sealed = rows(still, Notice, table(Notice).c.kind == "ballot_sealed")
    assert {row.data["root"] for row in sealed} == {root}
    assert all(row.read_at for row in rows(still, Notice, table(Notice).c.ballot_id == BRAND))
    (counted,) = rows(still, Event, table(Event).c.type == "ballot.counted")
    assert counted.data == {"root": root, "passed": True}
    visitor = people(still)["public@demo.example"]
    waiting = still.read_now(lambda connection: notices.waiting(connection, visitor))
    assert f"/ballots/{DAYS}" in {notice.path for notice in waiting}


def test_the_same_moment_gives_the_same_decisions(tmp_path):
    now = datetime(2026, 5, 6, 10, 30, tzinfo=UTC)
    both = [Database(f"sqlite:///{tmp_path}/{name}.db") for name in ("one", "other")]
    for database in both:
        metadata.create_all(database.writes)
        fill(database, now=now, base_url=BASE_URL)
    one, other = both
    for model in (Solution, SolutionIdea, Ballot, BallotOption, BallotKey, BallotChange, BallotResult):
        assert rows(one, model) == rows(other, model), model
    for model in (Vote, RollEntry, Turnout, Interest, PublishedVote):
        assert rows(one, model) == rows(other, model), model
    for database in both:
        database.close()


@pytest.mark.parametrize(
    "now", [datetime(2026, 3, 30, 22, tzinfo=UTC), datetime(2026, 10, 27, 6, tzinfo=UTC)]
)
def test_decisions_keep_to_the_phase_of_voting_when_the_clocks_change(tmp_path, now):
    database = Database(f"sqlite:///{tmp_path}/clocks.db")
    metadata.create_all(database.writes)
    fill(database, now=now, base_url=BASE_URL)
    ends = {row.challenge_id: row.ends_at for row in rows(database, Phase) if row.kind == "voting"}
    for ballot in rows(database, Ballot):
        assert ballot.closes_at == ends[ballot.challenge_id]
    database.close()


def test_what_is_told_as_written_is_there(tmp_path):
    database = Database(f"sqlite:///{tmp_path}/sizes.db")
    metadata.create_all(database.writes)
    written = fill(database, scale=2, base_url=BASE_URL)
    for found in metadata.sorted_tables:
        counted = database.read_now(
            lambda connection, of=found: connection.execute(select(func.count()).select_from(of)).scalar_one()
        )
        assert written.get(found.name, 0) == counted, found.name
    assert log_check.check(log_of(database)) == []
    database.close()


def test_leanings_name_every_solution_and_ideas_are_named_once():
    for challenge in TOLD.challenges:
        keys = {solution.key for solution in challenge.solutions}
        names = [idea.name for idea in challenge.ideas if idea.name]
        assert len(set(names)) == len(names)
        assert {name for solution in challenge.solutions for name in solution.ideas} <= set(names)
        for ballot in challenge.ballots:
            assert all(leaning.likes.keys() == keys for leaning in ballot.leanings)
            assert {interest.solution for interest in ballot.interests} <= keys


@pytest.mark.parametrize("method", ["approval", "score", "budget"])
def test_whatever_someone_likes_their_choice_can_be_counted(method):
    settings = Settings(method=method, budget=10)
    options = [Option(str(key), cost) for key, cost in enumerate((4, 7, 10, 11), 1)]
    costs = {option.key: option.cost for option in options}
    kinds = Counter()
    for seed in range(400):
        random = Random(seed)
        likes = {option.key: random.uniform(0, 5) for option in options}
        choice = leanings.choose(random, settings, likes, costs)
        assert choices.check(settings, options, choice) == []
        kinds.update(choice.keys())
    assert {"abstain", "none"} < kinds.keys()
