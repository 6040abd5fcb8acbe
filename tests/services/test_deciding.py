"""Deciding on a stay: who, in which order, once, and whether there still is a place."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from app.database import Database
from app.errors import Conflict, DomainError, Invalid, NotAllowed, NotFound
from app.lib import clock
from app.models import Booking, Membership, Notice, Period, Placement
from app.models.base import table
from app.policies.actor import Actor
from app.policies.actor import Membership as Place
from app.services import asking, bookings, deciding, taking_back, wishes
from app.services.home_managers import Manager

NOTICE = table(Notice)


@pytest.fixture
def week(world):
    return world.placement(periods=[world.period(places=1)])


@pytest.fixture
def held(world, week):
    """Bob's stay at Hana's, for which Bea is his manager."""
    return ask(world, world.bob, week)


def ask(world, actor, placement, manager=None):
    chosen = Manager((manager or world.bea).person_id)
    return world.do(asking.ask, actor, placement, period_id=world.periods(placement)[0].id, manager=chosen)


def approve(world, booking, *actors, **named):
    for actor in actors:
        world.do(deciding.decide, actor, booking, approved=True, **named)


def found(world, booking):
    return world.ask(bookings.find, world.cora, booking)


def told(world, booking):
    """Who was told what, in order."""
    query = select(NOTICE.c.person_id, NOTICE.c.kind).where(NOTICE.c.booking_id == booking)
    names = {getattr(world, name).person_id: name for name in ("alice", "bob", "bea", "hana", "cora")}
    rows = world.ask(lambda c: c.execute(query.order_by(NOTICE.c.id)).all())
    return [(names[row.person_id], row.kind) for row in rows]


def set_on(world, model, id, **values):
    world.do(lambda tx: tx.execute(update(model).where(model.id == id).values(**values)))


def test_manager_host_and_coordinator_approve_one_after_another(world, held):
    world.rules(checklist=())
    asked = []
    for actor in (world.bea, world.hana, world.cora):
        asked.append(found(world, held).asked)
        approve(world, held, actor)
    assert asked == [("manager",), ("host",), ("coordinator",)]
    booking = found(world, held)
    assert (booking.state, booking.expires_at, booking.sequence) == ("confirmed", None, 1)
    assert booking.confirmed_at is not None
    assert told(world, held) == [
        ("bea", "booking_to_decide"),
        ("hana", "booking_to_decide"),
        ("cora", "booking_to_decide"),
        ("bob", "booking_confirmed"),
        ("bea", "booking_confirmed"),
        ("hana", "booking_confirmed"),
    ]
    actions = [(step.action, step.role, step.by) for step in world.ask(bookings.steps, held)]
    assert actions[1:4] == [
        ("approve", "manager", "Bea Čeh"),
        ("approve", "host", "Hana Vidmar"),
        ("approve", "coordinator", "Cora Golob"),
    ]


def test_in_order_nobody_approves_before_their_turn(world, held):
    for actor in (world.hana, world.cora):
        with pytest.raises(Conflict, match="not your turn"):
            approve(world, held, actor)
    assert found(world, held).decisions == ()


def test_all_at_once_each_may_be_first(world, week):
    world.rules(in_order=False, checklist=())
    held = ask(world, world.bob, week)
    assert found(world, held).asked == ("manager", "host", "coordinator")
    assert {name for name, _ in told(world, held)} == {"bea", "hana", "cora"}
    approve(world, held, world.cora, world.hana)
    assert found(world, held).asked == ("manager",)
    approve(world, held, world.bea)
    assert found(world, held).state == "confirmed"
    kinds = Counter(kind for _, kind in told(world, held))
    assert kinds["booking_to_decide"] == 3, "nobody is asked twice"


def test_the_programme_says_who_approves(world, week):
    world.rules(approvals=("host",), checklist=())
    held = ask(world, world.bob, week)
    with pytest.raises(Conflict, match="not your turn"):
        approve(world, held, world.cora)
    approve(world, held, world.hana)
    assert found(world, held).state == "confirmed"


def test_what_is_approved_waits_for_the_checklist(world, held):
    approve(world, held, world.bea, world.hana, world.cora)
    booking = found(world, held)
    assert (booking.state, booking.expires_at) == ("approved", None)
    assert booking.awaited == ("guest", "host")
    assert told(world, held)[-2:] == [("bob", "booking_approved"), ("hana", "booking_to_agree")]


def test_a_refusal_has_a_reason_and_is_told_and_frees_the_place(world, week, held):
    waiting = ask(world, world.cora, week)
    with pytest.raises(Invalid) as caught:
        world.do(deciding.decide, world.hana, held, approved=False, reason=" ")
    assert [error.field for error in caught.value.errors] == ["reason"]
    world.do(deciding.decide, world.hana, held, approved=False, reason="The office moves that week")
    assert found(world, held).state == "declined"
    assert ("bob", "booking_declined") in told(world, held)
    query = select(NOTICE.c.data).where(NOTICE.c.kind == "booking_declined")
    assert world.ask(lambda c: c.execute(query).scalar())["reason"] == "The office moves that week"
    assert found(world, waiting).state == "offered"


def test_who_has_approved_hears_of_a_later_refusal(world, held):
    approve(world, held, world.bea)
    world.do(deciding.decide, world.hana, held, approved=False, reason="No")
    assert ("bea", "booking_declined") in told(world, held)
    assert ("hana", "booking_declined") not in told(world, held)


def test_those_who_wait_can_be_declined_but_not_approved(world, week, held):
    waiting = ask(world, world.cora, week)
    with pytest.raises(Conflict, match="moved on"):
        approve(world, waiting, world.hana)
    world.do(deciding.decide, world.hana, waiting, approved=False, reason="Two of one house are too many")
    assert found(world, waiting).state == "declined"
    assert found(world, held).state == "held"


def test_a_decision_stands(world, held):
    approve(world, held, world.bea)
    for approved in (True, False):
        with pytest.raises(Conflict, match="decided already"):
            world.do(deciding.decide, world.bea, held, approved=approved, reason="Again")
    assert [each.approved for each in found(world, held).decisions] == [True]


def test_nothing_is_decided_on_what_has_ended(world, held):
    world.do(taking_back.take_back, world.bob, held)
    for approved in (True, False):
        with pytest.raises(Conflict, match="moved on"):
            world.do(deciding.decide, world.hana, held, approved=approved, reason="Late")


def test_strangers_do_not_find_it_and_others_do_not_decide(world, held):
    for name in ("charlie", "alice", "fay"):
        with pytest.raises(NotFound):
            approve(world, held, getattr(world, name))
    with pytest.raises(NotAllowed):
        approve(world, held, world.bob)
    for actor, role in ((world.bea, "host"), (world.hana, "coordinator"), (world.cora, "manager")):
        with pytest.raises(NotAllowed):
            approve(world, held, actor, role=role)
    with pytest.raises(Invalid):
        approve(world, held, world.cora, role="king")
    assert found(world, held).decisions == ()


def test_nobody_decides_on_their_own_stay_whatever_their_role(world, week):
    world.rules(in_order=False)
    own = ask(world, world.cora, week)
    with pytest.raises(NotAllowed):
        approve(world, own, world.cora)
    for role in ("manager", "host", "coordinator"):
        with pytest.raises(NotAllowed):
            approve(world, own, world.cora, role=role)
    approve(world, own, world.bea, world.hana)
    assert found(world, own).state == "held"


def test_who_is_contact_of_the_host_but_goes_there_is_no_host_of_themselves(world):
    placement = world.placement(periods=[world.period(places=1)])
    held = ask(world, world.bob, placement)
    set_on(world, Placement, placement, contact_id=world.bob.person_id)
    with pytest.raises(NotAllowed):
        approve(world, held, world.bob, role="host")


def test_a_manager_who_went_to_another_organisation_does_not_decide(world, held):
    place = world.bea.memberships[world.programme_id]
    moved = Place(place.id, place.programme_id, "participant", world.organisations["public"], 1, "public")
    elsewhere = Actor(person_id=world.bea.person_id, memberships={world.programme_id: moved})
    with pytest.raises(NotFound):
        approve(world, held, elsewhere)


def test_capacity_is_looked_at_again_by_whoever_approves(world, held):
    period = found(world, held).period_id
    set_on(world, Period, period, places=0)
    with pytest.raises(Conflict, match="No place is left"):
        approve(world, held, world.bea)
    assert found(world, held).state == "held", "nothing happens by itself"
    set_on(world, Period, period, places=1)
    approve(world, held, world.bea)


def test_it_is_not_approved_after_its_time(world, held):
    set_on(world, Booking, held, expires_at=clock.now() - timedelta(seconds=1))
    with pytest.raises(Conflict, match="time in which"):
        approve(world, held, world.bea)


def test_it_is_not_approved_once_it_would_have_begun(world, held):
    today = clock.now().date()
    set_on(world, Booking, held, first_day=today, last_day=today + timedelta(days=4))
    with pytest.raises(Conflict, match="would have begun"):
        approve(world, held, world.bea)


def test_it_is_not_approved_while_the_guest_is_elsewhere(world, week, held):
    other = world.placement()
    waiting = ask(world, world.bob, other)
    set_on(world, Booking, waiting, state="held")
    with pytest.raises(Conflict, match="another host"):
        approve(world, held, world.bea)


def test_it_is_not_approved_for_someone_who_has_left(world, held):
    place = world.bob.memberships[world.programme_id]
    set_on(world, Membership, place.id, ended_at=clock.now())
    with pytest.raises(Conflict, match="no longer in the organisation"):
        approve(world, held, world.bea)


def test_two_decisions_at_once_are_one(world, held):
    other = Database(world.database.url.render_as_string(hide_password=False))

    def one(database, approved):
        try:
            return database.write_now(
                lambda tx: deciding.decide(tx, world.bea, held, approved=approved, reason="So")
            )
        except DomainError as error:
            return error

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(one, (world.database, other), (True, False)))
    other.close()
    assert Counter(type(answer) for answer in answers) == {type(None): 1, Conflict: 1}
    assert found(world, held).state == ("held" if answers[0] is None else "declined")


def test_a_conflict_that_was_declared_since_is_heeded_when_it_is_approved_or_accepted(world, week):
    world.rules(approvals=("host",))
    first, second = ask(world, world.bea, week, world.bob), ask(world, world.bob, week)
    host = world.organisations["public"]
    world.do(wishes.declare_conflict, world.bea, world.programme, organisation_id=host)
    with pytest.raises(Conflict, match="conflict of interest"):
        approve(world, first, world.hana)
    world.do(taking_back.take_back, world.bea, first)
    world.do(wishes.declare_conflict, world.bob, world.programme, organisation_id=host)
    with pytest.raises(Conflict, match="conflict of interest"):
        world.do(asking.accept, world.bob, second)
    assert found(world, second).state == "offered", "passing it on is left"
