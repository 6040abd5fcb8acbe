"""Roles: changed, given and taken by those who may; never one's own up, never the last coordinator away."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from app.errors import Conflict, Invalid, Moved, NotAllowed, NotFound
from app.lib import clock
from app.models import AuditEntry, BrowserSession, Membership, Person
from app.models.base import table
from app.policies.permissions import Permission
from app.policies.rules import may
from app.services import actors, challenges, memberships, moderation, placements, roles
from app.services.roles import Wanted


def now(world, person):
    return world.ask(actors.find, person.person_id)


def change(world, actor, person, role, **named):
    world.do(roles.change, actor, world.programme_id, person.person_id, role, **named)


def give(world, actor, person, role, **named):
    version = named.pop("version", None)
    wanted = Wanted(role, **named)
    return world.do(roles.give, actor, world.programme_id, person.person_id, wanted, version=version)


def version_of(world, person):
    query = select(table(Membership).c.version).where(table(Membership).c.person_id == person.person_id)
    return world.ask(lambda c: c.execute(query).scalar_one())


def audited(world, action):
    entry = table(AuditEntry)
    return world.ask(lambda c: c.execute(select(entry).where(entry.c.action == action)).all())


def test_a_coordinator_changes_a_role_and_the_log_says_who_whose_and_from_what_to_what(world):
    change(world, world.cora, world.alice, "facilitator")
    assert now(world, world.alice).role_in(world.programme_id) == "facilitator"
    (entry,) = audited(world, "role.changed")
    assert entry.actor_id == world.cora.person_id
    assert entry.data["person_id"] == world.alice.person_id
    assert (entry.data["from"], entry.data["to"]) == ("participant", "facilitator")
    assert entry.organisation_id == world.organisations["public"]


def test_the_same_role_again_changes_nothing(world):
    change(world, world.cora, world.alice, "participant")
    assert audited(world, "role.changed") == []
    assert version_of(world, world.alice) == 1


def test_a_changed_role_asks_for_another_cookie(world):
    world.cookie(world.alice)
    change(world, world.cora, world.alice, "observer")
    session = table(BrowserSession)
    query = select(session.c.rotation_due_at).where(session.c.person_id == world.alice.person_id)
    assert world.ask(lambda c: c.execute(query).scalar_one()) is not None


@pytest.mark.parametrize("name", ["alice", "fay", "sam", "olga"])
def test_others_of_the_programme_change_no_roles(world, name):
    with pytest.raises(NotFound):
        change(world, getattr(world, name), world.bob, "observer")
    with pytest.raises(NotFound):
        give(world, getattr(world, name), world.bob, "sponsor")


def test_those_of_another_programme_find_nobody(world):
    with pytest.raises(NotFound):
        change(world, world.charlie, world.alice, "observer")
    with pytest.raises(NotFound):
        world.do(roles.change, world.cora, world.programme_id, world.charlie.person_id, "observer")


def test_an_organisation_administrator_sees_people_and_gives_no_roles(world):
    give(
        world,
        world.cora,
        world.ana,
        "organisation_administrator",
        organisation_id=world.organisations["public"],
    )
    ana = now(world, world.ana)
    with pytest.raises(NotAllowed):
        change(world, ana, world.alice, "observer")
    with pytest.raises(NotFound):
        change(world, ana, world.bob, "observer")


def test_nobody_raises_themselves(world):
    administer(world, world.alice)
    alice = now(world, world.alice)
    with pytest.raises(NotAllowed):
        change(world, alice, world.alice, "coordinator")
    with pytest.raises(NotAllowed):
        give(world, alice, world.alice, "facilitator")
    change(world, alice, world.bob, "coordinator")


def test_the_last_coordinator_stays(world):
    with pytest.raises(Conflict):
        change(world, world.cora, world.cora, "participant")
    change(world, world.cora, world.fay, "coordinator")
    change(world, world.cora, world.cora, "participant")
    assert now(world, world.cora).role_in(world.programme_id) == "participant"


def test_a_disabled_coordinator_is_none_that_stays(world):
    change(world, world.cora, world.fay, "coordinator")
    disabled = update(table(Person)).where(table(Person).c.id == world.fay.person_id)
    world.do(lambda tx: tx.execute(disabled.values(disabled_at=tx.now)))
    with pytest.raises(Conflict):
        change(world, world.cora, world.cora, "participant")


def test_two_coordinators_who_leave_at_once_leave_one(world):
    change(world, world.cora, world.fay, "coordinator")
    fay = now(world, world.fay)

    def leave(actor):
        try:
            change(world, actor, actor, "participant")
        except Conflict:
            return "kept"
        return "gone"

    with ThreadPoolExecutor(2) as both:
        assert sorted(both.map(leave, (world.cora, fay))) == ["gone", "kept"]


def test_two_who_change_the_same_person_from_the_same_page_do_not_overwrite_each_other(world):
    version = version_of(world, world.alice)
    change(world, world.cora, world.alice, "host", version=version)
    with pytest.raises(Moved):
        change(world, world.cora, world.alice, "sponsor", version=version)
    with pytest.raises(Moved):
        give(world, world.cora, world.alice, "sponsor", version=version)
    give(world, world.cora, world.alice, "sponsor", version=version + 1)
    assert version_of(world, world.alice) == version + 2


def test_a_facilitator_of_one_challenge_moderates_that_one_alone(world):
    other = world.challenge()
    give(world, world.cora, world.alice, "facilitator", challenge_id=world.challenge_id)
    alice = now(world, world.alice)
    here = world.idea(world.bob)
    there = world.idea(world.bob, "Elsewhere", other)
    world.do(moderation.hide, alice, here, reason="It names someone.")
    with pytest.raises(NotAllowed):
        world.do(moderation.hide, alice, there, reason="It names someone.")
    for challenge_id, expected in ((world.challenge_id, True), (other, False)):
        challenge = world.ask(challenges.find, alice, challenge_id)
        assert may(alice, Permission.CHANGE_PHASES, challenge) is expected
    assert may(alice, Permission.RUN_EXCHANGES, world.programme) is False


def test_a_host_for_another_organisation_speaks_for_it(world):
    placement = world.placement(world.henk)
    view = world.ask(placements.find, world.cora, placement)
    assert not may(world.alice, Permission.CHANGE_PLACEMENT, view)
    give(world, world.cora, world.alice, "host", organisation_id=world.organisations["business"])
    alice = now(world, world.alice)
    assert may(alice, Permission.CHANGE_PLACEMENT, view)
    assert not may(
        alice, Permission.CHANGE_PLACEMENT, world.ask(placements.find, world.cora, world.placement())
    )
    own = {"organisation_id": world.organisations["business"], "contact_id": world.henk.person_id}
    assert world.placement(alice, **own)


def test_a_role_that_was_taken_back_or_has_run_out_counts_no_more(world):
    id = give(world, world.cora, world.alice, "facilitator")
    assert may(now(world, world.alice), Permission.MODERATE, world.programme)
    world.do(roles.take, world.cora, id)
    world.do(roles.take, world.cora, id)
    assert not may(now(world, world.alice), Permission.MODERATE, world.programme)
    assert len(audited(world, "assignment.ended")) == 1
    give(world, world.cora, world.alice, "facilitator", last_day=clock.now().date() + timedelta(days=3))
    assert may(now(world, world.alice), Permission.MODERATE, world.programme)
    with pytest.MonkeyPatch.context() as patch:
        later = clock.now() + timedelta(days=5)
        patch.setattr(clock, "now", lambda: later)
        assert not may(now(world, world.alice), Permission.MODERATE, world.programme)


def test_one_lays_down_a_role_of_ones_own_and_takes_none_from_others(world):
    id = give(world, world.cora, world.alice, "facilitator")
    with pytest.raises(NotFound):
        world.do(roles.take, world.bob, id)
    world.do(roles.take, now(world, world.alice), id)
    assert now(world, world.alice).assignments == ()


def test_a_role_is_given_once(world):
    give(world, world.cora, world.alice, "sponsor")
    with pytest.raises(Conflict):
        give(world, world.cora, world.alice, "sponsor")
    with pytest.raises(Conflict):
        give(world, world.cora, world.fay, "facilitator")
    give(world, world.cora, world.alice, "sponsor", challenge_id=world.challenge_id)


@pytest.mark.parametrize(
    ("named", "field"),
    [
        ({"role": "observer"}, "role"),
        ({"role": "host"}, "organisation"),
        ({"role": "organisation_administrator", "organisation_id": 99999}, "organisation"),
        ({"role": "facilitator", "organisation_id": 1}, "organisation"),
        ({"role": "coordinator", "challenge_id": 1}, "challenge"),
        ({"role": "facilitator", "challenge_id": 99999}, "challenge"),
        ({"role": "sponsor", "last_day": clock.now().date() - timedelta(days=2)}, "last_day"),
    ],
)
def test_what_cannot_be_given_names_its_field(world, named, field):
    with pytest.raises(Invalid) as caught:
        give(world, world.cora, world.alice, **named)
    assert [error.field for error in caught.value.errors] == [field]


def test_a_challenge_and_an_organisation_of_another_programme_cannot_be_named(world):
    for named in ({"role": "facilitator", "challenge_id": world.other_challenge_id},):
        with pytest.raises(Invalid):
            give(world, world.cora, world.alice, **named)


def test_unknown_roles_are_refused(world):
    with pytest.raises(Invalid):
        change(world, world.cora, world.alice, "king")


def test_when_a_place_ends_every_role_besides_ends(world):
    give(world, world.cora, world.alice, "facilitator")
    place = now(world, world.alice).membership_in(world.programme_id)
    world.do(memberships.end, world.cora, place.id)
    assert now(world, world.alice).assignments == ()


def test_a_coordinator_by_assignment_is_one_that_stays_and_cannot_be_taken_back_as_the_last(world):
    id = give(world, world.cora, world.alice, "coordinator")
    change(world, world.cora, world.cora, "participant")
    with pytest.raises(Conflict):
        world.do(roles.take, now(world, world.alice), id)
    assert now(world, world.alice).assignments != ()


def administer(world, person):
    person_table = table(Person)
    statement = update(person_table).where(person_table.c.id == person.person_id)
    world.do(lambda tx: tx.execute(statement.values(administrator_since=tx.now)))
