"""Delegations: lent to a colleague for a while, with what waits; never a second vote, and never lent on."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from app.errors import Conflict, Invalid, NotAllowed, NotFound
from app.lib import clock
from app.lib.i18n import ZONE
from app.models import Membership, Notice, Person
from app.models.base import table
from app.policies.permissions import Permission
from app.policies.rules import may
from app.services import actors, asking, bookings, deciding, delegations, roles
from app.services.delegations import Absence
from app.services.home_managers import Manager
from app.services.roles import Wanted


def day(number):
    return clock.now().astimezone(ZONE).date() + timedelta(days=number)


def lend(world, lender, to, *, until=10, since=None, **named):
    absence = Absence(day(since) if since is not None else None, day(until))
    return world.do(delegations.lend, lender, world.programme_id, to.person_id, absence, **named)


def now(world, person):
    return world.ask(actors.find, person.person_id)


@pytest.fixture
def stay(world):
    """Bob asks for a stay at Hana's; his home manager is Bea."""
    placement = world.placement(periods=[world.period(places=1)])
    period = world.periods(placement)[0].id
    return world.do(asking.ask, world.bob, placement, period_id=period, manager=Manager(world.bea.person_id))


def test_who_stands_in_can_do_what_the_role_does_until_the_last_day(world, monkeypatch):
    lend(world, world.fay, world.bob)
    assert may(now(world, world.bob), Permission.MODERATE, world.programme)
    later = clock.now() + timedelta(days=12)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert not may(now(world, world.bob), Permission.MODERATE, world.programme)


def test_it_begins_on_its_first_day(world, monkeypatch):
    lend(world, world.fay, world.bob, since=3)
    assert not may(now(world, world.bob), Permission.MODERATE, world.programme)
    later = clock.now() + timedelta(days=4)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert may(now(world, world.bob), Permission.MODERATE, world.programme)


def test_who_stands_in_is_told(world):
    lend(world, world.fay, world.bob)
    notice = table(Notice)
    query = select(notice.c.kind).where(notice.c.person_id == world.bob.person_id)
    assert world.ask(lambda c: c.execute(query).scalars().all()) == ["role_lent"]


def test_who_stands_in_for_a_home_manager_decides_for_them_and_finds_what_waits(world, stay):
    carl = world.people(1, "business")[0]
    lend(world, world.bea, carl)
    carl = now(world, carl)
    assert [each.id for each in world.ask(bookings.waiting_for, carl)] == [stay]
    world.do(deciding.decide, carl, stay, approved=True)
    decision = world.ask(bookings.find, world.cora, stay).decisions[0]
    assert (decision.role, decision.by) == ("manager", carl.name)


def test_nobody_decides_on_their_own_stay_by_what_is_lent_to_them(world, stay):
    lend(world, world.bea, world.bob)
    with pytest.raises(NotAllowed):
        world.do(deciding.decide, now(world, world.bob), stay, approved=True)


def test_nobody_decides_on_a_stay_by_what_its_guest_has_lent_to_them(world):
    world.do(roles.change, world.cora, world.programme_id, world.bob.person_id, "coordinator")
    placement = world.placement(periods=[world.period(places=1)])
    period = world.periods(placement)[0].id
    stay = world.do(asking.ask, world.bob, placement, period_id=period, manager=Manager(world.bea.person_id))
    lend(world, now(world, world.bob), world.alice)
    alice = now(world, world.alice)
    view = world.ask(bookings.find, world.cora, stay)
    assert may(alice, Permission.RUN_EXCHANGES, world.programme)
    assert not may(alice, Permission.DECIDE_AS_COORDINATOR, view)


def test_nobody_decides_twice_by_standing_in(world, stay):
    world.rules(in_order=False, approvals=("manager", "coordinator"))
    lend(world, world.bea, world.cora)
    cora = now(world, world.cora)
    world.do(deciding.decide, cora, stay, approved=True, role="manager")
    with pytest.raises(Conflict):
        world.do(deciding.decide, cora, stay, approved=True, role="coordinator")


def test_it_gives_no_second_vote_and_none_to_who_has_none(world):
    lend(world, world.fay, world.olga)
    olga = now(world, world.olga)
    assert may(olga, Permission.MODERATE, world.programme)
    for permission in (Permission.VOTE, Permission.SUPPORT_IDEA, Permission.BOOK_PLACEMENT):
        assert not may(olga, permission, world.programme)


def test_what_would_outlive_the_lending_is_not_lent(world):
    lend(world, world.cora, world.alice)
    alice = now(world, world.alice)
    assert may(alice, Permission.CLOSE_BALLOT, world.programme)
    for permission in (Permission.MANAGE_ROLES, Permission.INVITE, Permission.MANAGE_CLIENTS):
        assert not may(alice, permission, world.programme)
    with pytest.raises(NotAllowed):
        world.do(roles.change, alice, world.programme_id, world.ana.person_id, "coordinator")


def test_it_cannot_be_lent_on(world):
    id = lend(world, world.fay, world.bob)
    bob = now(world, world.bob)
    with pytest.raises(NotFound):
        lend(world, bob, world.bea, assignment_id=id)
    lend(world, bob, world.bea)
    assert not may(now(world, world.bea), Permission.MODERATE, world.programme)


def test_a_role_besides_is_lent_as_far_as_it_reaches(world):
    wanted = Wanted("facilitator", challenge_id=world.challenge_id)
    id = world.do(roles.give, world.cora, world.programme_id, world.alice.person_id, wanted)
    lend(world, now(world, world.alice), world.bob, assignment_id=id)
    (held,) = now(world, world.bob).assignments
    assert (held.role, held.challenge_id, held.delegated_by) == (
        "facilitator",
        world.challenge_id,
        world.alice.person_id,
    )
    world.do(roles.take, world.cora, id)
    assert now(world, world.bob).assignments == ()


def test_it_ends_when_the_lenders_role_changes_even_where_nobody_ended_it(world):
    lend(world, world.fay, world.bob)
    member = table(Membership)
    statement = update(member).where(member.c.person_id == world.fay.person_id)
    world.do(lambda tx: tx.execute(statement.values(role="participant")))
    assert now(world, world.bob).assignments == ()
    assert world.ask(delegations.of_person, world.bob) == []


def test_it_ends_when_the_lenders_place_ends_or_they_are_disabled(world):
    for values, what in (({"disabled_at": clock.now()}, Person), ({"ended_at": clock.now()}, Membership)):
        lend(world, world.fay, world.bob, until=10 if what is Person else 11)
        key = table(what).c.id if what is Person else table(what).c.person_id
        statement = update(table(what)).where(key == world.fay.person_id)
        world.do(lambda tx, s=statement, v=values: tx.execute(s.values(**v)))
        assert now(world, world.bob).assignments == ()
        undone = dict.fromkeys(values)
        world.do(lambda tx, s=statement, v=undone: tx.execute(s.values(**v)))
        world.do(roles.end_lent, None, world.programme_id, world.fay.person_id)


@pytest.mark.parametrize("ender", ["fay", "bob", "cora"])
def test_lender_holder_and_coordinator_end_it_before_its_time(world, ender):
    id = lend(world, world.fay, world.bob)
    world.do(delegations.end, getattr(world, ender), id)
    world.do(delegations.end, getattr(world, ender), id)
    assert now(world, world.bob).assignments == ()


@pytest.mark.parametrize("stranger", ["alice", "sam", "charlie"])
def test_others_find_no_delegation_to_end(world, stranger):
    id = lend(world, world.fay, world.bob)
    with pytest.raises(NotFound):
        world.do(delegations.end, getattr(world, stranger), id)
    assert now(world, world.bob).assignments != ()


def test_an_assignment_is_not_ended_as_a_delegation_nor_the_other_way(world):
    id = world.do(roles.give, world.cora, world.programme_id, world.bob.person_id, Wanted("sponsor"))
    with pytest.raises(NotFound):
        world.do(delegations.end, world.cora, id)
    with pytest.raises(NotFound):
        world.do(roles.take, world.cora, lend(world, world.fay, world.bob))


@pytest.mark.parametrize(
    ("absence", "field"),
    [
        (Absence(None, None), "last_day"),
        (Absence(day(-2), day(3)), "first_day"),
        (Absence(day(5), day(3)), "last_day"),
        (Absence(None, day(90)), "last_day"),
    ],
)
def test_days_that_cannot_be_are_refused(world, absence, field):
    with pytest.raises(Invalid) as caught:
        world.do(delegations.lend, world.fay, world.programme_id, world.bob.person_id, absence)
    assert [error.field for error in caught.value.errors] == [field]


@pytest.mark.parametrize("to", ["fay", "charlie"])
def test_one_lends_to_somebody_else_of_the_same_programme(world, to):
    with pytest.raises(Invalid):
        lend(world, world.fay, getattr(world, to))


def test_the_role_of_a_host_stays_in_the_house(world):
    with pytest.raises(Invalid):
        lend(world, world.hana, world.bob)
    lend(world, world.hana, world.alice)
    placement = world.ask(bookings.find, world.cora, asked(world))
    assert may(now(world, world.alice), Permission.DECIDE_AS_HOST, placement)


def asked(world):
    placement = world.placement(periods=[world.period(places=1)])
    period = world.periods(placement)[0].id
    return world.do(asking.ask, world.bob, placement, period_id=period, manager=Manager(world.bea.person_id))


def test_a_machine_lends_nothing_and_strangers_have_nothing_to_lend(world):
    from dataclasses import replace

    with pytest.raises(NotFound):
        lend(world, replace(world.fay, is_machine=True, scopes=frozenset({"admin"})), world.bob)
    with pytest.raises(NotFound):
        lend(world, world.charlie, world.bob)


def test_the_same_is_lent_once_even_at_the_same_moment(world):
    def tried(_):
        try:
            lend(world, world.fay, world.bob)
        except Conflict:
            return "refused"
        return "lent"

    with ThreadPoolExecutor(4) as several:
        assert sorted(several.map(tried, range(4))) == ["lent", "refused", "refused", "refused"]


def test_one_sees_what_one_lends_and_holds_and_coordinators_see_all(world):
    lend(world, world.fay, world.bob)
    for who in (world.fay, world.bob):
        (row,) = world.ask(delegations.of_person, who)
        assert (row.lender, row.name, row.role) == ("Fay Zupan", "Bob Kos", "facilitator")
    assert world.ask(delegations.of_person, world.alice) == []
    assert len(world.ask(delegations.in_programme, world.cora, world.programme_id)) == 1
    with pytest.raises(NotAllowed):
        world.ask(delegations.in_programme, world.alice, world.programme_id)


def test_what_can_be_lent_and_to_whom(world):
    wanted = Wanted("facilitator", challenge_id=world.challenge_id)
    world.do(roles.give, world.cora, world.programme_id, world.alice.person_id, wanted)
    lend(world, world.fay, world.alice)
    own, besides = world.ask(delegations.lendable, now(world, world.alice))
    assert (own.role, own.assignment_id) == ("participant", None)
    assert (besides.role, besides.challenge) == ("facilitator", "Forms that ask once")
    names = [row.name for row in world.ask(delegations.colleagues, world.alice)]
    assert "Alice Novak" not in names
    assert "Charlie Oman" not in names
    assert "Bob Kos" in names
