"""Memberships: ended with all that hung on them, moved to another employer, and people put out of action."""

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, insert, select, update

from app.database import Database
from app.errors import Conflict, Moved, NotAllowed, NotFound
from app.lib import clock, secrets
from app.models import (
    AccessToken,
    Assignment,
    AuditEntry,
    BrowserSession,
    Membership,
    Notice,
    Person,
    Support,
    Tally,
)
from app.models.base import table
from app.services import actors, ballots, counting, memberships, reminders, sessions, support, tokens, votes

ASSIGNMENT = table(Assignment)
MEMBERSHIP = table(Membership)
NOTICE = table(Notice)
PERSON = table(Person)
SESSION = table(BrowserSession)
SUPPORT = table(Support)
TALLY = table(Tally)
TOKEN = table(AccessToken)


def place(world, actor, programme_id=None):
    return actor.memberships[programme_id or world.programme_id].id


def again(world, actor):
    """The actor as the next request finds them."""
    return world.ask(actors.find, actor.person_id)


def assign(world, actor, role, **values):
    row = {"programme_id": world.programme_id, "person_id": actor.person_id, "role": role} | values
    row |= {"starts_at": clock.now() - timedelta(days=1), "created_at": clock.now()}
    world.do(lambda tx: tx.execute(insert(ASSIGNMENT), row))
    return again(world, actor)


def administrator(world, actor):
    is_it = PERSON.c.id == actor.person_id
    world.do(lambda tx: tx.execute(update(PERSON).where(is_it).values(administrator_since=clock.now())))
    return again(world, actor)


def make_coordinator(world, actor):
    is_it = MEMBERSHIP.c.id == place(world, actor)
    world.do(lambda tx: tx.execute(update(MEMBERSHIP).where(is_it).values(role="coordinator")))
    return again(world, actor)


def scalar(world, statement):
    return world.ask(lambda connection: connection.execute(statement).scalar())


def test_whoever_has_no_other_place_is_signed_out_at_once_and_their_tokens_end(world):
    cookie, token = world.cookie(world.bob), world.token(world.bob)
    world.do(memberships.end, world.cora, place(world, world.bob))
    assert not world.ask(sessions.find, cookie)[0].is_known
    assert not world.ask(tokens.find, token)[0].is_known
    assert again(world, world.bob).memberships == {}


def test_whoever_has_another_place_stays_signed_in_and_gets_another_cookie(world):
    cookie = world.cookie(world.charlie)
    joined = world.do(join, world, world.charlie)
    world.do(memberships.end, world.cora, joined)
    assert world.ask(sessions.find, cookie)[0].is_known
    assert scalar(world, select(SESSION.c.rotation_due_at)) is not None


def join(tx, world, actor):
    there = memberships.organisation(tx.connection, world.programme_id, world.organisations["public"])
    return memberships.admit(tx, None, actor.person_id, there)


def test_a_place_that_has_ended_is_ended_again_without_effect(world):
    world.do(memberships.end, world.cora, place(world, world.bob))
    ended = scalar(world, select(MEMBERSHIP.c.ended_at).where(MEMBERSHIP.c.id == place(world, world.bob)))
    world.do(memberships.end, world.cora, place(world, world.bob))
    assert ended == scalar(
        world, select(MEMBERSHIP.c.ended_at).where(MEMBERSHIP.c.id == place(world, world.bob))
    )


def test_colleagues_may_not_end_a_place(world):
    with pytest.raises(NotAllowed):
        world.do(memberships.end, world.ana, place(world, world.bob))


def test_a_stranger_does_not_learn_of_a_place(world):
    with pytest.raises(NotFound):
        world.do(memberships.end, world.charlie, place(world, world.bob))


def test_an_organisations_administrator_ends_places_there_alone(world):
    ana = assign(
        world, world.ana, "organisation_administrator", organisation_id=world.organisations["public"]
    )
    world.do(memberships.end, ana, place(world, world.alice))
    with pytest.raises(NotAllowed):
        world.do(memberships.end, ana, place(world, world.bob))


def test_an_administrator_of_the_installation_ends_places_everywhere(world):
    charlie = administrator(world, world.charlie)
    world.do(memberships.end, charlie, place(world, world.bob))
    assert again(world, world.bob).memberships == {}


def test_the_last_coordinator_stays(world):
    with pytest.raises(Conflict, match="Nobody else coordinates"):
        world.do(memberships.end, world.cora, place(world, world.cora))
    with pytest.raises(Conflict, match="Nobody else coordinates"):
        world.do(memberships.leave, world.cora, world.programme_id)


def test_with_another_coordinator_for_good_the_first_may_leave(world):
    make_coordinator(world, world.sam)
    world.do(memberships.leave, world.cora, world.programme_id)
    assert again(world, world.cora).memberships == {}


def test_one_who_coordinates_in_absence_alone_does_not_let_the_last_one_go(world):
    assign(
        world,
        world.sam,
        "coordinator",
        delegated_by=world.cora.person_id,
        ends_at=clock.now() + timedelta(days=5),
    )
    with pytest.raises(Conflict):
        world.do(memberships.leave, world.cora, world.programme_id)


def test_two_coordinators_who_end_each_other_at_once_leave_one(world):
    both = threading.Barrier(2)
    second = make_coordinator(world, world.sam)
    other = Database(world.database.url.render_as_string(hide_password=False))

    def ending(database, actor, of):
        def work(tx):
            with contextlib.suppress(threading.BrokenBarrierError):
                both.wait(0.5)
            memberships.end(tx, actor, place(world, of))

        try:
            database.write_now(work)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(2) as threads:
        pairs = [(world.database, world.cora, second), (other, second, world.cora)]
        done = list(threads.map(lambda pair: ending(*pair), pairs))
    other.close()
    assert sorted(done) == [False, True]
    assert len(world.ask(memberships.coordinators, world.programme_id)) == 1


def test_roles_held_and_lent_end_with_the_place_and_tokens_of_the_programme_too(world):
    world.do(join_other, world, world.sam)
    assign(world, world.sam, "facilitator")
    assign(
        world,
        world.ana,
        "sponsor",
        delegated_by=world.sam.person_id,
        ends_at=clock.now() + timedelta(days=5),
    )
    bound, free = world.token(world.sam), world.token(world.sam)
    world.do(
        lambda tx: tx.execute(
            update(TOKEN)
            .where(TOKEN.c.token_hash == secrets.digest(bound))
            .values(programme_id=world.programme_id)
        )
    )
    world.do(memberships.end, world.cora, place(world, world.sam))
    assert (
        scalar(world, select(func.count()).select_from(ASSIGNMENT).where(ASSIGNMENT.c.ended_at.is_(None)))
        == 0
    )
    assert not world.ask(tokens.find, bound)[0].is_known
    assert world.ask(tokens.find, free)[0].is_known


def join_other(tx, world, actor):
    there = world.charlie.memberships[world.other_programme_id].organisation_id
    found = memberships.organisation(tx.connection, world.other_programme_id, there)
    return memberships.admit(tx, None, actor.person_id, found)


def test_an_older_version_is_refused(world):
    with pytest.raises(Moved):
        world.do(memberships.end, world.cora, place(world, world.bob), version=7)


def test_ending_is_in_the_audit_log(world):
    world.do(memberships.end, world.cora, place(world, world.bob))
    entry = table(AuditEntry)
    found = world.ask(
        lambda connection: connection.execute(select(entry).where(entry.c.action == "membership.ended")).one()
    )
    assert (found.actor_id, found.data["person_id"]) == (world.cora.person_id, world.bob.person_id)


# a change of employer


def test_a_change_of_employer_keeps_the_person_and_the_role_that_a_coordinator_gives(world):
    cookie = world.cookie(world.sam)
    world.do(memberships.move, world.cora, place(world, world.sam), world.organisations["business"])
    sam = again(world, world.sam)
    now = sam.memberships[world.programme_id]
    assert (now.role, now.organisation_id, now.sector_key) == (
        "sponsor",
        world.organisations["business"],
        "business",
    )
    assert world.ask(sessions.find, cookie)[0].is_known


def test_whoever_may_not_give_roles_moves_people_as_participants(world):
    fay = assign(
        world, world.ana, "organisation_administrator", organisation_id=world.organisations["public"]
    )
    fay = assign(world, fay, "organisation_administrator", organisation_id=world.organisations["business"])
    world.do(memberships.move, fay, place(world, world.sam), world.organisations["business"])
    assert again(world, world.sam).role_in(world.programme_id) == "participant"


def test_an_organisations_administrator_moves_nobody_into_another_organisation(world):
    ana = assign(
        world, world.ana, "organisation_administrator", organisation_id=world.organisations["public"]
    )
    with pytest.raises(NotAllowed):
        world.do(memberships.move, ana, place(world, world.alice), world.organisations["business"])


def test_nobody_moves_to_an_organisation_of_another_programme(world):
    there = world.charlie.memberships[world.other_programme_id].organisation_id
    with pytest.raises(NotFound):
        world.do(memberships.move, world.cora, place(world, world.alice), there)


def test_the_only_coordinator_can_change_employer(world):
    world.do(memberships.move, world.cora, place(world, world.cora), world.organisations["public"])
    assert world.ask(memberships.coordinators, world.programme_id) == {world.cora.person_id}


def test_support_counts_for_the_new_sector_and_can_be_taken_back(world):
    idea_id, other_id = world.idea(world.bob), world.idea(world.bob, "Another")
    for id in (idea_id, other_id):
        world.do(support.give, world.alice, id)
    world.do(support.give, world.bob, idea_id)
    world.do(memberships.move, world.cora, place(world, world.alice), world.organisations["business"])
    assert cube(world) == recounted(world)
    for id in (idea_id, other_id):
        world.do(support.withdraw, again(world, world.alice), id)
    assert cube(world) == recounted(world)


def cube(world):
    rows = world.ask(lambda connection: connection.execute(select(TALLY)).all())
    return {(row.challenge_id, row.idea_id, row.sector_id): row.people for row in rows if row.people}


def recounted(world):
    """The tallies, counted anew from all supports."""
    people = {}
    for row in world.ask(lambda connection: connection.execute(select(SUPPORT)).all()):
        for idea_id in (row.idea_id, 0):
            for sector_id in (row.sector_id, 0):
                people.setdefault((row.challenge_id, idea_id, sector_id), set()).add(row.person_id)
    return {key: len(found) for key, found in people.items()}


# ballots after a change of employer


@pytest.mark.parametrize("mode", ["secret", "open"])
def test_a_vote_cast_before_a_change_of_employer_stays_one_vote_for_its_sector(world, mode):
    crowd = [*world.people(6, "public"), *world.people(6, "business")]
    ballot_id = world.ballot(mode=mode)
    ballot = world.ask(ballots.find, world.cora, ballot_id)
    choice = {"approved": [str(ballot.solutions[0].id)]}
    before = world.ask(ballots.eligible, ballot)
    world.do(votes.cast, world.alice, ballot_id, choice)
    world.do(memberships.move, world.cora, place(world, world.alice), world.organisations["business"])
    world.do(memberships.move, world.cora, again_place(world, world.alice), world.organisations["public"])
    world.do(memberships.move, world.cora, again_place(world, world.alice), world.organisations["business"])
    assert world.ask(ballots.eligible, ballot) == before
    assert world.do(votes.cast, again(world, world.alice), ballot_id, choice).replaced
    for someone in crowd:
        world.do(votes.cast, someone, ballot_id, choice)
    world.close_now(ballot_id)
    tallied = world.ask(counting.tally, ballot_id)
    assert sorted(vote.sector for vote in tallied.election.votes) == ["business"] * 6 + ["public"] * 7
    if mode == "open":
        named = [voter["organisation"] for _, voter in tallied.beside if voter["name"] == world.alice.name]
        assert named == ["Business House of Here"]


def again_place(world, actor):
    return place(world, again(world, actor))


def test_whoever_changes_employer_before_voting_votes_for_the_new_sector(world):
    ballot_id = world.ballot()
    ballot = world.ask(ballots.find, world.cora, ballot_id)
    before = world.ask(ballots.eligible, ballot)
    world.do(memberships.move, world.cora, place(world, world.alice), world.organisations["business"])
    after = world.ask(ballots.eligible, ballot)
    assert after == {"public": before["public"] - 1, "business": before["business"] + 1}
    world.do(votes.cast, again(world, world.alice), ballot_id, {"approved": [str(ballot.solutions[0].id)]})
    assert world.ask(ballots.eligible, ballot) == after


def test_who_left_before_the_ballot_and_comes_back_after_it_opened_does_not_vote(world):
    world.do(memberships.end, world.cora, place(world, world.alice))
    ballot_id = world.ballot()
    ballot = world.ask(ballots.find, world.cora, ballot_id)
    before = world.ask(ballots.eligible, ballot)
    world.do(join, world, world.alice)
    assert world.ask(ballots.eligible, ballot) == before
    with pytest.raises(NotAllowed):
        world.do(
            votes.cast, again(world, world.alice), ballot_id, {"approved": [str(ballot.solutions[0].id)]}
        )


def test_a_declared_interest_is_shown_once_with_the_newest_organisation(world):
    ballot_id = world.ballot()
    ballot = world.ask(ballots.find, world.cora, ballot_id)
    world.do(votes.declare_interest, world.alice, ballot_id, ballot.solutions[0].id, statement="I wrote it")
    world.do(memberships.move, world.cora, place(world, world.alice), world.organisations["business"])
    found = world.ask(ballots.interests, ballot_id)
    assert [row.organisation for row in found] == ["Business House of Here"]


def test_reminders_and_results_go_once_to_whoever_had_several_places(world):
    ballot_id = world.ballot()
    ballot = world.ask(ballots.find, world.cora, ballot_id)
    world.do(votes.cast, world.alice, ballot_id, {"approved": [str(ballot.solutions[0].id)]})
    world.do(memberships.move, world.cora, place(world, world.alice), world.organisations["business"])
    world.do(reminders.remind, world.cora, ballot_id)
    world.close_now(ballot_id)
    assert counting.finish(world.database, ballot_id, "http://testserver")
    told = world.ask(
        lambda connection: (
            connection.execute(select(NOTICE.c.kind).where(NOTICE.c.person_id == world.alice.person_id))
            .scalars()
            .all()
        )
    )
    assert sorted(told) == ["ballot_counted"]


# people out of action


def test_an_administrator_puts_someone_out_of_action_and_back(world):
    charlie = administrator(world, world.charlie)
    cookie = world.cookie(world.bob)
    world.do(memberships.deactivate, charlie, world.bob.person_id)
    assert not world.ask(sessions.find, cookie)[0].is_known
    with pytest.raises(NotFound):
        again(world, world.bob)
    world.do(memberships.reactivate, charlie, world.bob.person_id)
    assert again(world, world.bob).role_in(world.programme_id) == "participant"
    assert not world.ask(sessions.find, cookie)[0].is_known


def test_nobody_else_puts_people_out_of_action(world):
    with pytest.raises(NotAllowed):
        world.do(memberships.deactivate, world.cora, world.bob.person_id)
    with pytest.raises(NotAllowed):
        world.do(memberships.reactivate, world.cora, world.bob.person_id)


def test_nobody_puts_themselves_out_of_action_nor_the_last_coordinator(world):
    charlie = administrator(world, world.charlie)
    with pytest.raises(Conflict, match="yourself"):
        world.do(memberships.deactivate, charlie, charlie.person_id)
    with pytest.raises(Conflict, match="Nobody else coordinates"):
        world.do(memberships.deactivate, charlie, world.cora.person_id)


def test_whoever_was_erased_does_not_come_back(world):
    charlie = administrator(world, world.charlie)
    world.do(memberships.deactivate, charlie, world.bob.person_id)
    is_bob = PERSON.c.id == world.bob.person_id
    world.do(lambda tx: tx.execute(update(PERSON).where(is_bob).values(erased_at=clock.now())))
    with pytest.raises(Conflict):
        world.do(memberships.reactivate, charlie, world.bob.person_id)
