"""What becomes of people who are not known: joined, let wait, refused; and never by a mail address."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import insert, select, update

from app.database import Database
from app.errors import Conflict, DomainError, Invalid, Moved, NotAllowed, NotFound
from app.lib import clock
from app.models import (
    AuditEntry,
    JoinRequest,
    Login,
    Membership,
    Notice,
    OrganisationDomain,
    OrganisationIdentity,
    Person,
    Programme,
)
from app.models.base import table
from app.services import actors, join_requests, joining, memberships, people
from tests.factories.world import ISSUER
from tests.services.test_memberships import administrator, assign, join
from tests.services.test_people import arrival

DOMAIN = table(OrganisationDomain)
MEMBERSHIP = table(Membership)


def choose(world, way):
    programme = world.ask(joining.programmes_of, world.cora)[0]
    world.do(joining.choose, world.cora, programme, way)


def rows(world, model):
    of = table(model)
    return world.ask(lambda connection: connection.execute(select(of).order_by(of.c.id)).all())


def counts(world):
    return {model: len(rows(world, model)) for model in (Person, Login, Membership)}


def claiming(value, subject="new-1", **changes):
    """Someone of a provider that tells of organisations by a claim."""
    who = arrival(subject, organisation=None, organisation_claim="org", **changes)
    return replace(who, organisation=value)


def wait(world, who=None):
    """Someone comes back from a provider and is written down as one who waits; the request's id."""
    who = who or arrival()
    with pytest.raises(people.Waits) as caught:
        world.do(people.enter, who)
    world.do(join_requests.ask, who, caught.value.organisation_id)
    return rows(world, JoinRequest)[-1].id


def domain(world, *, verified=True):
    values = {"programme_id": world.programme_id, "organisation_id": world.organisations["business"]}
    values |= {"domain": "company.example", "verified_at": clock.now() if verified else None}
    world.do(lambda tx: tx.execute(insert(DOMAIN), values))


def known_as(world, value, sector="business"):
    values = {"programme_id": world.programme_id, "organisation_id": world.organisations[sector]}
    values |= {"issuer": "https://login.company.example", "value": value}
    world.do(lambda tx: tx.execute(insert(table(OrganisationIdentity)), values))


# the choice


def test_a_coordinator_chooses_and_the_audit_log_has_it(world):
    choose(world, "approve")
    assert rows(world, Programme)[0].joining == "approve"
    assert rows(world, AuditEntry)[-1].action == "programme.changed"
    before = len(rows(world, AuditEntry))
    choose(world, "approve")
    assert len(rows(world, AuditEntry)) == before
    with pytest.raises(Invalid):
        choose(world, "anyone")


@pytest.mark.parametrize("who", ["alice", "fay", "charlie"])
def test_nobody_else_chooses(world, who):
    programme = world.ask(joining.programmes_of, world.cora)[0]
    with pytest.raises(NotAllowed):
        world.do(joining.choose, getattr(world, who), programme, "refuse")


def test_whoever_sees_to_it_finds_their_programmes(world):
    def slugs(actor):
        return [each.slug for each in world.ask(joining.programmes_of, actor)]

    ana = assign(
        world, world.ana, "organisation_administrator", organisation_id=world.organisations["public"]
    )
    assert slugs(world.cora) == slugs(ana) == ["here"]
    assert slugs(world.alice) == []
    assert slugs(administrator(world, world.bob)) == ["here", "there"]


# refuse


def test_where_unknown_people_are_refused_even_a_known_organisation_lets_nobody_in(world):
    choose(world, "refuse")
    before = counts(world)
    with pytest.raises(NotAllowed, match="by invitation"):
        world.do(people.enter, arrival())
    assert counts(world) == before


def test_whoever_has_a_place_comes_in_whatever_is_chosen(world):
    person_id = world.do(people.enter, arrival())
    for way in ("refuse", "approve"):
        choose(world, way)
        assert world.do(people.enter, arrival()) == person_id


# approve


def test_someone_unknown_waits_and_nobody_is_made(world):
    choose(world, "approve")
    before = counts(world)
    wait(world)
    (request,) = rows(world, JoinRequest)
    assert (request.state, request.organisation_id) == ("waiting", world.organisations["business"])
    assert counts(world) == before


def test_coming_again_makes_no_second_request_and_tells_nobody_again(world):
    choose(world, "approve")
    wait(world)
    wait(world)
    assert len(rows(world, JoinRequest)) == 1
    told = [row.person_id for row in rows(world, Notice) if row.kind == "join_requested"]
    assert told == [world.cora.person_id]


def test_two_requests_of_one_login_at_once_are_one(world):
    choose(world, "approve")
    other = Database(world.database.url.render_as_string(hide_password=False))
    with ThreadPoolExecutor(2) as threads:
        list(
            threads.map(
                lambda database: database.write_now(lambda tx: join_requests.ask(tx, arrival())),
                (world.database, other),
            )
        )
    other.close()
    assert len(rows(world, JoinRequest)) == 1


def test_a_claim_that_means_nothing_here_waits_until_the_coordinator_chooses_the_organisation(world):
    choose(world, "approve")
    id = wait(world, claiming("12345"))
    (request,) = rows(world, JoinRequest)
    assert (request.organisation_id, request.organisation_claim) == (None, "12345")
    with pytest.raises(Invalid):
        world.do(join_requests.approve, world.cora, id)
    chosen = world.organisations["business"]
    person_id = world.do(join_requests.approve, world.cora, id, organisation_id=chosen)
    assert world.do(people.enter, claiming("12345")) == person_id


def test_an_organisation_of_another_programme_cannot_be_chosen(world):
    choose(world, "approve")
    id = wait(world, claiming("12345"))
    there = world.charlie.memberships[world.other_programme_id].organisation_id
    with pytest.raises(NotFound):
        world.do(join_requests.approve, world.cora, id, organisation_id=there)


def test_whoever_was_let_in_is_a_participant_told_and_known_at_the_next_sign_in(world):
    choose(world, "approve")
    person_id = world.do(join_requests.approve, world.cora, wait(world))
    assert world.do(people.enter, arrival()) == person_id
    actor = world.ask(actors.find, person_id)
    assert (actor.name, actor.role_in(world.programme_id)) == ("Nika Novak", "participant")
    assert [row.kind for row in rows(world, Notice) if row.person_id == person_id] == ["join_approved"]
    assert "join_request.approved" in {row.action for row in rows(world, AuditEntry)}


def test_whoever_was_declined_reads_why_each_time_and_can_be_let_in_after_all(world):
    choose(world, "approve")
    id = wait(world)
    with pytest.raises(Invalid):
        world.do(join_requests.decline, world.cora, id, reason=" ")
    world.do(join_requests.decline, world.cora, id, reason="We do not know you.")
    for _ in range(2):
        with pytest.raises(NotAllowed) as caught:
            world.do(people.enter, arrival())
        assert caught.value.values == {"reason": "We do not know you."}
    person_id = world.do(join_requests.approve, world.cora, id)
    assert world.do(people.enter, arrival()) == person_id


def test_a_request_is_decided_once_even_by_two_at_once(world):
    choose(world, "approve")
    id = wait(world)
    other = Database(world.database.url.render_as_string(hide_password=False))

    def decide(database):
        try:
            return database.write_now(lambda tx: join_requests.approve(tx, world.cora, id))
        except Conflict:
            return None

    with ThreadPoolExecutor(2) as threads:
        made = list(threads.map(decide, (world.database, other)))
    other.close()
    assert len([each for each in made if each]) == 1
    with pytest.raises(Conflict):
        world.do(join_requests.decline, world.cora, id, reason="Too late")


def test_a_decision_on_what_someone_else_has_decided_is_refused(world):
    choose(world, "approve")
    id = wait(world)
    with pytest.raises(Moved):
        world.do(join_requests.approve, world.cora, id, version=9)


@pytest.mark.parametrize("who", ["alice", "fay", "charlie"])
def test_nobody_else_decides_or_sees_a_request(world, who):
    choose(world, "approve")
    id = wait(world)
    actor = getattr(world, who)
    for verb, said in ((join_requests.approve, {}), (join_requests.decline, {"reason": "No"})):
        with pytest.raises(NotFound):
            world.do(verb, actor, id, **said)
    with pytest.raises(NotFound):
        world.ask(join_requests.find, actor, id)
    with pytest.raises(NotAllowed):
        world.ask(join_requests.in_programme, actor, world.programme)
    assert world.ask(join_requests.waiting_for, actor) == 0


def test_coordinators_see_how_many_wait(world):
    choose(world, "approve")
    wait(world)
    assert world.ask(join_requests.waiting_for, world.cora) == 1
    (found,) = world.ask(join_requests.in_programme, world.cora, world.programme)
    assert (found.name, found.organisation) == ("Nika Novak", "Business House of Here")


def test_where_only_known_people_enter_nobody_waits(world):
    choose(world, "approve")
    with pytest.raises(NotAllowed, match="does not take part") as caught:
        world.do(people.enter, arrival(organisation=None, known_people_only=True))
    assert not isinstance(caught.value, people.Waits)


def test_whoever_comes_in_by_another_way_waits_no_longer(world):
    choose(world, "approve")
    wait(world)
    choose(world, "join")
    person_id = world.do(people.enter, arrival())
    (request,) = rows(world, JoinRequest)
    assert (request.state, request.person_id) == ("approved", person_id)


# a mail address


def test_a_verified_mail_of_a_domain_made_sure_of_suggests_an_organisation_and_no_more(world):
    domain(world)
    choose(world, "approve")
    before = counts(world)
    wait(world, claiming("12345", email_verified=True))
    (request,) = rows(world, JoinRequest)
    assert (request.state, request.organisation_id) == ("waiting", world.organisations["business"])
    assert counts(world) == before


@pytest.mark.parametrize(
    ("changes", "verified"),
    [({"email_verified": False}, True), ({"email_verified": True}, False)],
    ids=["mail not verified", "domain not made sure of"],
)
def test_without_both_proofs_a_domain_suggests_nothing(world, changes, verified):
    domain(world, verified=verified)
    choose(world, "approve")
    wait(world, claiming("12345", **changes))
    assert rows(world, JoinRequest)[0].organisation_id is None


@pytest.mark.parametrize("way", ["join", "refuse"])
def test_a_mail_address_lets_nobody_in_and_nobody_wait(world, way):
    domain(world)
    choose(world, way)
    before = counts(world)
    with pytest.raises(NotAllowed):
        world.do(people.enter, claiming("12345", email_verified=True))
    assert counts(world) == before
    assert rows(world, JoinRequest) == []


@pytest.mark.parametrize("verified", [False, True])
def test_the_mail_of_someone_else_leads_to_nobody_but_oneself(world, verified):
    known_as(world, "77")
    who = claiming("77", email=world.alice.email, email_verified=verified)
    assert world.do(people.enter, who) != world.alice.person_id


# a place that has ended, or is elsewhere


def test_a_claim_does_not_bring_back_whoever_was_let_go(world):
    person_id = world.do(people.enter, arrival())
    place = world.ask(actors.find, person_id).memberships[world.programme_id]
    world.do(memberships.end, world.cora, place.id)
    with pytest.raises(NotAllowed, match="has ended"):
        world.do(people.enter, arrival())


def test_whoever_has_a_place_elsewhere_comes_in_for_that_one(world):
    person_id = world.do(people.enter, arrival())
    actor = world.ask(actors.find, person_id)
    world.do(in_the_other, world, person_id)
    world.do(memberships.end, world.cora, actor.memberships[world.programme_id].id)
    assert world.do(people.enter, arrival()) == person_id
    assert set(world.ask(actors.find, person_id).memberships) == {world.other_programme_id}


def in_the_other(tx, world, person_id):
    there = world.charlie.memberships[world.other_programme_id].organisation_id
    found = memberships.organisation(tx.connection, world.other_programme_id, there)
    memberships.admit(tx, None, person_id, found)


def test_after_a_change_of_employer_the_old_employers_provider_lets_them_in_no_more(world):
    person_id = world.do(people.enter, arrival())
    place = world.ask(actors.find, person_id).memberships[world.programme_id]
    world.do(memberships.move, world.cora, place.id, world.organisations["public"])
    with pytest.raises(NotAllowed, match="another organisation"):
        world.do(people.enter, arrival())


def test_a_claim_that_means_nothing_any_more_closes_the_door_unless_the_place_was_given_here(world):
    known_as(world, "77")
    person_id = world.do(people.enter, claiming("77"))
    with pytest.raises(NotAllowed, match="does not take part"):
        world.do(people.enter, claiming("88"))
    is_theirs = MEMBERSHIP.c.person_id == person_id
    world.do(lambda tx: tx.execute(update(MEMBERSHIP).where(is_theirs).values(is_given=True)))
    assert world.do(people.enter, claiming("88")) == person_id


def test_an_administrator_of_the_installation_needs_no_place(world):
    charlie = administrator(world, world.charlie)
    world.do(lambda tx: tx.execute(update(MEMBERSHIP).values(ended_at=clock.now())))
    known = arrival(str(charlie.person_id), issuer=ISSUER, organisation=None, known_people_only=True)
    assert world.do(people.enter, known) == charlie.person_id


def test_nobody_signs_in_as_a_machine(world):
    is_bob = table(Person).c.id == world.bob.person_id
    world.do(lambda tx: tx.execute(update(table(Person)).where(is_bob).values(is_machine=True)))
    known = arrival(str(world.bob.person_id), issuer=ISSUER, organisation=None, known_people_only=True)
    with pytest.raises(DomainError):
        world.do(people.enter, known)


def test_a_place_is_begun_anew_beside_the_one_that_has_ended(world):
    place = world.alice.memberships[world.programme_id]
    world.do(memberships.end, world.cora, place.id)
    world.do(join, world, world.alice)
    is_hers = [row for row in rows(world, Membership) if row.person_id == world.alice.person_id]
    assert [row.ended_at is None for row in is_hers] == [False, True]


def test_whoever_was_declined_is_not_let_in_by_a_place_elsewhere(world):
    known_as(world, "77", "business")
    choose(world, "approve")
    who = claiming("77", str(world.charlie.person_id), issuer=ISSUER)
    world.do(join_requests.ask, who)
    world.do(join_requests.decline, world.cora, rows(world, JoinRequest)[-1].id, reason="Not yet.")
    choose(world, "join")
    assert world.do(people.enter, who) == world.charlie.person_id
    assert set(world.ask(actors.find, world.charlie.person_id).memberships) == {world.other_programme_id}
