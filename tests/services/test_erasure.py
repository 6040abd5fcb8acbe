"""Erasure: no trace of who someone was; what others build on stays, nameless."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import func, select, update

from app.database import Database
from app.errors import Conflict, Invalid, NotAllowed, NotFound, NotFresh, NotSignedIn
from app.lib import clock
from app.models import (
    Assignment,
    Booking,
    Comment,
    Erasure,
    Idea,
    Membership,
    Person,
    Placement,
    Vote,
    metadata,
)
from app.models.base import table
from app.policies.actor import ANONYMOUS, Actor
from app.policies.actor import Assignment as Role
from app.services import actors, asking, bookings, counting, erasure, ideas
from tests.factories import traces


@pytest.fixture
def zvezdana(world):
    return traces.someone(world)


def erase(world, actor, person=None, **how):
    person = person or actor
    world.do(erasure.erase, actor, person.person_id, **({"confirmed": True} | how))


def rows(world, model, **where):
    of = table_named(model) if isinstance(model, str) else table(model)
    query = select(of).where(*(of.c[name] == value for name, value in where.items()))
    return world.ask(lambda connection: connection.execute(query).all())


def test_no_table_has_a_trace_of_who_someone_was(world, zvezdana):
    traces.everywhere(world, zvezdana)
    assert len(traces.found(world)) > 20
    erase(world, zvezdana)
    assert traces.found(world) == []


def test_stays_to_come_end_and_hosts_are_told_why(world, zvezdana):
    made = traces.everywhere(world, zvezdana)
    erase(world, zvezdana)
    states = {row.id: row.state for row in rows(world, Booking, person_id=zvezdana.person_id)}
    assert states == {made.past: "completed", made.coming: "withdrawn"}
    booking = world.ask(bookings.find, world.henk, made.coming)
    assert booking.guest == "—"
    assert [step.reason for step in world.ask(bookings.steps, made.coming)][-1] == erasure.LEFT


def test_placements_pass_on_and_guests_name_another_manager(world, zvezdana):
    made = traces.everywhere(world, zvezdana)
    hana = world.hana
    erase(world, zvezdana)
    (placement,) = rows(world, Placement, id=made.hosting)
    assert placement.contact_id == hana.person_id
    for booking in (made.hosted, made.managed):
        (row,) = rows(world, Booking, id=booking)
        assert (row.manager_id, row.manager_name, row.manager_email) == (None, "", "")
    told = [row.kind for row in rows(world, "notice", person_id=world.alice.person_id)]
    assert "booking_manager_left" in told
    assert "placement_passed_on" in [row.kind for row in rows(world, "notice", person_id=hana.person_id)]


def test_a_desk_is_taken_back_and_so_is_a_placement_that_nobody_can_take_over(world, zvezdana):
    desk = world.placement(zvezdana)
    period = world.periods(desk)[0].id
    world.rules(approvals=("host",), checklist=())
    booking = world.do(asking.ask, world.bob, desk, period_id=period)
    world.do(lambda tx: tx.execute(update(Placement).where(Placement.id == desk).values(is_desk=True)))
    erase(world, zvezdana)
    assert rows(world, Placement, id=desk)[0].withdrawn_at is not None
    assert rows(world, Booking, id=booking)[0].state == "cancelled"


def test_ideas_and_comments_stay_without_a_name_unless_they_shall_go(world, zvezdana):
    made = traces.everywhere(world, zvezdana)
    erase(world, zvezdana)
    (idea,) = rows(world, Idea, id=made.idea)
    assert (idea.title, idea.state) == ("A form that asks once", "open")
    assert rows(world, Comment, id=made.comment)[0].body == "I like that."


def test_with_their_texts_ideas_and_comments_go_with_all_that_they_said(world, zvezdana):
    made = traces.everywhere(world, zvezdana)
    before = rows(world, Idea, id=rows(world, Comment, id=made.comment)[0].idea_id)[0].comments
    erase(world, zvezdana, with_texts=True)
    for idea in rows(world, Idea, author_id=zvezdana.person_id):
        assert (idea.title, idea.body, idea.body_html, idea.state) == ("—", "", "", "withdrawn")
    assert rows(world, "idea_version", editor_id=zvezdana.person_id) == []
    (comment,) = rows(world, Comment, id=made.comment)
    assert (comment.body, comment.body_html) == ("", "")
    assert rows(world, Idea, id=comment.idea_id)[0].comments == before - 1


def test_what_someone_wrote_with_others_stays_for_them(world, zvezdana):
    idea = world.idea(zvezdana, "Ours")
    world.do(ideas.add_co_author, zvezdana, idea, world.alice.person_id)
    erase(world, zvezdana, with_texts=True)
    assert rows(world, Idea, id=idea)[0].title == "Ours"


def test_a_secret_vote_counts_and_an_open_one_is_taken_back(world, zvezdana):
    made = traces.everywhere(world, zvezdana)
    erase(world, zvezdana)
    assert len(rows(world, Vote, ballot_id=made.secret)) == 1
    assert rows(world, Vote, ballot_id=made.open) == []
    for ballot, voters in ((made.secret, 1), (made.open, 0)):
        turnout = select(func.sum(table_named("turnout").c.voters)).where(
            table_named("turnout").c.ballot_id == ballot
        )
        assert world.ask(lambda connection, turnout=turnout: connection.execute(turnout).scalar()) == voters
        world.close_now(ballot)
        assert counting.finish(world.database, ballot, "https://here.example")
    assert traces.found(world) == []


def test_an_open_vote_that_is_counted_keeps_the_name_as_the_page_says_before(world, zvezdana):
    made = traces.everywhere(world, zvezdana)
    world.close_now(made.open)
    assert counting.finish(world.database, made.open, "https://here.example")
    before = world.ask(erasure.preview, zvezdana, zvezdana.person_id)
    assert before.named == ("Which one first?",)
    erase(world, zvezdana)
    assert [place.partition(":")[0] for place in traces.found(world)] == ["published_vote.voter"]


def test_a_merge_that_waits_for_them_is_declined(world, zvezdana):
    made = traces.everywhere(world, zvezdana)
    erase(world, zvezdana)
    assert rows(world, "merge", id=made.merge)[0].state == "declined"


def test_places_roles_and_what_was_lent_end(world, zvezdana):
    traces.everywhere(world, zvezdana)
    erase(world, zvezdana)
    assert all(row.ended_at for row in rows(world, Membership, person_id=zvezdana.person_id))
    assert all(row.ended_at for row in rows(world, "assignment"))
    with pytest.raises(NotFound):
        world.ask(actors.find, zvezdana.person_id)


def test_the_row_stays_empty_and_the_erasure_is_noted_and_audited(world, zvezdana):
    erase(world, zvezdana)
    (person,) = rows(world, Person, id=zvezdana.person_id)
    assert (person.name, person.email, person.language) == ("—", None, None)
    assert person.erased_at is not None
    assert person.disabled_at is not None
    (noted,) = rows(world, Erasure)
    assert (noted.person_id, noted.asked_by, noted.reason) == (
        zvezdana.person_id,
        zvezdana.person_id,
        "own_wish",
    )
    entry = rows(world, "audit_entry", action="person.erased")[-1]
    assert (entry.subject_id, entry.data) == (zvezdana.person_id, {"reason": "own_wish"})


def test_others_are_left_as_they_were(world, zvezdana):
    traces.everywhere(world, zvezdana)
    others = [row for row in rows(world, Person) if row.id != zvezdana.person_id]
    logins = [row for row in rows(world, "login") if row.person_id != zvezdana.person_id]
    erase(world, zvezdana)
    assert [row for row in rows(world, Person) if row.id != zvezdana.person_id] == others
    assert rows(world, "login") == logins


def test_a_person_without_a_mail_address_takes_nobody_elses_data_along(world, zvezdana):
    """An empty address equals no other empty one."""
    traces.everywhere(world, zvezdana)
    world.do(lambda tx: tx.execute(update(Person).where(Person.id == world.ana.person_id).values(email=None)))
    invitation = update(table_named("invitation")).values(email=None, name="Someone", used_by=None)
    world.do(lambda tx: tx.execute(invitation))
    erase(world, fresh(world.ana))
    assert {row.name for row in rows(world, "invitation")} == {"Someone"}
    assert len(rows(world, "scim_user")) == 1
    assert rows(world, "decision_link")[0].email


def test_a_borrowed_mail_address_takes_nobody_elses_data_along(world, zvezdana):
    """Anyone can say that an address is theirs; a directory's word on another person does not go with it."""
    traces.everywhere(world, zvezdana)
    borrowed = update(Person).where(Person.id == world.ana.person_id)
    world.do(lambda tx: tx.execute(borrowed.values(email=traces.EMAIL.upper(), email_is_own=True)))
    names = ("invitation", "scim_user", "decision_link")
    before = {name: [(row.id, row.email) for row in rows(world, name)] for name in names}
    erase(world, fresh(world.ana))
    assert {name: [(row.id, row.email) for row in rows(world, name)] for name in names} == before


def test_an_address_with_letters_beyond_ascii_leaves_no_trace_in_any_case(world, zvezdana):
    traces.everywhere(world, zvezdana)
    person = update(Person).where(Person.id == zvezdana.person_id).values(email="Žvezdana@Rivers.example")
    world.do(lambda tx: tx.execute(person))
    copies = {
        "invitation": "email",
        "scim_user": "email",
        "decision_link": "email",
        "booking": "manager_email",
    }
    for name, column in copies.items():
        told = {column: "žvezdana@RIVERS.example", **({"person_id": None} if name == "scim_user" else {})}
        world.do(lambda tx, name=name, told=told: tx.execute(update(table_named(name)).values(**told)))
    erase(world, zvezdana)
    for name, column in copies.items():
        assert not any("rivers" in (getattr(row, column) or "").lower() for row in rows(world, name)), name


def test_it_asks_for_a_fresh_sign_in_and_a_yes(world, zvezdana):
    with pytest.raises(Invalid):
        erase(world, zvezdana, confirmed=False)
    stale = Actor(person_id=zvezdana.person_id, memberships=zvezdana.memberships)
    with pytest.raises(NotFresh):
        erase(world, stale)
    with pytest.raises(NotFresh):
        world.ask(erasure.preview, stale, zvezdana.person_id)
    with pytest.raises(NotAllowed):
        erase(world, Actor(person_id=zvezdana.person_id, scopes=frozenset({"admin", "write"})))
    with pytest.raises(NotSignedIn):
        erase(world, ANONYMOUS, zvezdana)
    assert rows(world, Erasure) == []


def test_only_administrators_erase_others(world, zvezdana):
    for actor in (world.alice, world.cora, world.charlie):
        with pytest.raises(NotAllowed):
            erase(world, fresh(actor), zvezdana)
    erase(world, fresh(world.olga, is_administrator=True), zvezdana)
    assert rows(world, Erasure)[0].reason == "administrator"


def test_an_organisations_administrator_erases_its_own_people_alone(world, zvezdana):
    assignment = administers(world, world.ana)
    actor = fresh(world.ana, assignments=(assignment,))
    with pytest.raises(NotAllowed):
        erase(world, actor, world.bob)
    coordinator = update(Membership).where(Membership.person_id == world.alice.person_id)
    world.do(lambda tx: tx.execute(coordinator.values(role="coordinator")))
    with pytest.raises(NotAllowed):
        erase(world, actor, world.alice)
    erase(world, actor, zvezdana)


def test_whoever_coordinates_by_a_role_besides_their_place_is_no_organisations_own(world, zvezdana):
    about = {"programme_id": world.programme_id, "person_id": zvezdana.person_id}
    traces.insert(world, Assignment, **about, role="coordinator")
    actor = fresh(world.ana, assignments=(administers(world, world.ana),))
    with pytest.raises(NotAllowed):
        erase(world, actor, zvezdana)


def test_the_last_coordinator_hands_over_first(world):
    cora = fresh(world.cora)
    before = world.ask(erasure.preview, cora, cora.person_id)
    assert (before.alone, before.is_possible) == (("Here",), False)
    with pytest.raises(Conflict):
        erase(world, cora)
    another = update(Membership).where(Membership.person_id == world.bea.person_id)
    world.do(lambda tx: tx.execute(another.values(role="coordinator")))
    assert world.ask(erasure.preview, cora, cora.person_id).is_possible
    erase(world, cora)
    with pytest.raises(Conflict):
        erase(world, fresh(world.bea))


def test_a_role_that_is_only_lent_takes_over_nothing(world):
    traces.insert(world, Assignment, programme_id=world.programme_id, person_id=world.bea.person_id,
            role="coordinator", delegated_by=world.cora.person_id)  # fmt: skip
    with pytest.raises(Conflict):
        erase(world, fresh(world.cora))
    traces.insert(
        world, Assignment, programme_id=world.programme_id, person_id=world.bob.person_id, role="coordinator"
    )
    erase(world, fresh(world.cora))


def test_the_last_administrator_hands_over_first(world, zvezdana):
    made = (
        update(Person)
        .where(Person.id == zvezdana.person_id)
        .values(administrator_since=world.programme.created_at)
    )
    world.do(lambda tx: tx.execute(made))
    with pytest.raises(Conflict):
        erase(world, zvezdana)
    made = (
        update(Person)
        .where(Person.id == world.ana.person_id)
        .values(administrator_since=world.programme.created_at)
    )
    world.do(lambda tx: tx.execute(made))
    erase(world, zvezdana)


def test_a_second_time_there_is_nobody_and_machines_are_none(world, zvezdana):
    erase(world, zvezdana)
    with pytest.raises(NotFound):
        world.do(erasure.erase_by_operator, zvezdana.person_id)
    world.do(
        lambda tx: tx.execute(update(Person).where(Person.id == world.ana.person_id).values(is_machine=True))
    )
    with pytest.raises(Conflict):
        world.do(erasure.erase_by_operator, world.ana.person_id)
    with pytest.raises(NotFound):
        world.do(erasure.erase_by_operator, 999_999)


def test_of_two_coordinators_at_once_one_stays(world, database_url):
    another = update(Membership).where(Membership.person_id == world.bea.person_id)
    world.do(lambda tx: tx.execute(another.values(role="coordinator")))
    second = Database(database_url)

    def try_to(database, actor):
        try:
            database.write_now(lambda tx: erasure.erase(tx, fresh(actor), actor.person_id, confirmed=True))
        except Conflict:
            return "stays"
        return "gone"

    with ThreadPoolExecutor(2) as both:
        ended = list(both.map(try_to, (world.database, second), (world.cora, world.bea)))
    second.close()
    assert sorted(ended) == ["gone", "stays"]


def fresh(actor, **more):
    return replace(actor, authenticated_at=clock.now(), **more)


def administers(world, actor):
    return Role(
        1,
        world.programme_id,
        "organisation_administrator",
        actor.memberships[world.programme_id].organisation_id,
    )


def table_named(name):
    return metadata.tables[name]
