"""Bookings by the clock: what lapses, begins and ends, who is reminded, and that looking again changes nothing."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from app.lib import clock
from app.models import Booking, BookingStep, Event, ExchangeRules, Membership, Notice, Person
from app.models.base import table
from app.services import asking, booking_clock, bookings, deciding, taking_back
from app.services.home_managers import Manager

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
NOTICE = table(Notice)


@pytest.fixture
def week(world):
    world.rules(approvals=("host",), checklist=())
    long_ago = update(ExchangeRules).values(updated_at=clock.now() - 30 * DAY)
    world.do(lambda tx: tx.execute(long_ago))
    return world.placement(periods=[world.period(places=1)])


def ask(world, actor, placement):
    return world.do(asking.ask, actor, placement, period_id=world.periods(placement)[0].id)


@pytest.fixture
def held(world, week):
    return ask(world, world.bob, week)


@pytest.fixture
def confirmed(world, held):
    world.do(deciding.decide, world.hana, held, approved=True)
    return held


def travel(world, booking, **values):
    world.do(lambda tx: tx.execute(update(Booking).where(Booking.id == booking).values(**values)))


def look(world):
    """What the clock's job does; what it did to each booking with which something was due."""
    return {booking: world.do(booking_clock.settle, booking) for booking in world.ask(booking_clock.due)}


def found(world, booking):
    return world.ask(bookings.find, world.cora, booking)


def told(world, booking):
    query = (
        select(NOTICE.c.person_id, NOTICE.c.kind).where(NOTICE.c.booking_id == booking).order_by(NOTICE.c.id)
    )
    return [tuple(row) for row in world.ask(lambda c: c.execute(query).all())]


def count(world, model):
    return world.ask(lambda c: c.execute(select(func.count()).select_from(table(model))).scalar_one())


def test_nothing_is_due_of_what_was_just_asked(world, held):
    assert look(world) == {}


def test_a_hold_expires_and_guest_and_host_are_told(world, held):
    travel(world, held, expires_at=clock.now() - SECOND)
    assert look(world) == {held: "expired"}
    assert found(world, held).state == "expired"
    for actor in (world.bob, world.hana):
        assert (actor.person_id, "booking_expired") in told(world, held)
    before = count(world, BookingStep), count(world, Notice), count(world, Event)
    assert look(world) == {}
    world.do(booking_clock.settle, held)
    assert (count(world, BookingStep), count(world, Notice), count(world, Event)) == before


def test_an_offer_that_nobody_answers_passes_on(world, week, held):
    second, third = ask(world, world.bea, week), ask(world, world.cora, week)
    world.do(taking_back.take_back, world.bob, held)
    travel(world, second, expires_at=clock.now() - SECOND)
    assert look(world) == {second: "passed_on"}
    assert found(world, third).state == "offered"
    assert (world.bea.person_id, "booking_passed_on") in told(world, second)


def test_a_line_ends_when_the_days_begin(world, week, held):
    waiting = ask(world, world.bea, week)
    today = clock.now().date()
    travel(world, waiting, first_day=today, last_day=today + DAY)
    assert look(world) == {waiting: "expired"}
    assert told(world, waiting) == [(world.bea.person_id, "booking_line_over")]


def test_what_is_not_settled_when_it_begins_expires(world, held):
    today = clock.now().date()
    travel(world, held, first_day=today, last_day=today + DAY)
    assert look(world) == {held: "expired"}


def test_a_confirmed_stay_begins_and_ends_and_both_sides_are_asked_how_it_was(world, confirmed):
    today = clock.now().date()
    travel(world, confirmed, first_day=today - DAY, last_day=today + DAY)
    look(world)
    assert found(world, confirmed).state == "under_way"
    travel(world, confirmed, first_day=today - 5 * DAY, last_day=today - 2 * DAY)
    assert look(world) == {confirmed: "completed"}
    kinds = [kind for _, kind in told(world, confirmed)]
    assert kinds.count("booking_to_reflect") == 2
    assert world.periods(found(world, confirmed).placement_id)[0].taken != (), "it still took its place"


def test_a_stay_that_nobody_looked_at_meanwhile_begins_and_ends_in_one_look(world, confirmed):
    today = clock.now().date()
    travel(world, confirmed, first_day=today - 5 * DAY, last_day=today - 2 * DAY)
    assert look(world) == {confirmed: "completed"}
    actions = [step.action for step in world.ask(bookings.steps, confirmed)]
    assert actions[-2:] == ["start", "complete"]


@pytest.mark.parametrize("way", ["left", "disabled"])
def test_who_left_the_organisation_has_their_bookings_ended_and_places_freed(world, week, confirmed, way):
    next_one = ask(world, world.bea, week)
    place = world.bob.memberships[world.programme_id].id
    gone = {
        "left": update(Membership).where(Membership.id == place).values(ended_at=clock.now()),
        "disabled": update(Person).where(Person.id == world.bob.person_id).values(disabled_at=clock.now()),
    }[way]
    world.do(lambda tx: tx.execute(gone))
    assert look(world) == {confirmed: "left"}
    assert found(world, confirmed).state == "cancelled"
    assert world.ask(bookings.steps, confirmed)[-1].reason == booking_clock.LEFT
    for actor in (world.bob, world.hana):
        assert (actor.person_id, "booking_cancelled") in told(world, confirmed)
    assert found(world, next_one).state == "offered"


def test_who_has_to_act_is_reminded_once_and_then_the_coordinators_are_told_once(world, held):
    def after(days):
        since = {"updated_at": clock.now() - days * DAY}
        reminded = found(world, held).reminded_at
        if reminded is not None:
            since["reminded_at"] = clock.now() - (days - 3) * DAY
        travel(world, held, **since)
        return look(world).get(held)

    assert after(2) is None
    assert after(3) == "reminded"
    assert (world.hana.person_id, "booking_reminder") in told(world, held)
    assert look(world) == {}
    assert not booking_clock.is_stuck(found(world, held))
    assert after(6) == "overdue"
    assert booking_clock.is_stuck(found(world, held))
    assert look(world) == {}
    kinds = [kind for _, kind in told(world, held)]
    assert (kinds.count("booking_reminder"), kinds.count("booking_overdue")) == (1, 1)
    assert (world.cora.person_id, "booking_overdue") in told(world, held)


def test_a_manager_without_an_account_is_reminded_by_a_new_link(world):
    placement = world.placement()
    manager = Manager(None, "Maja", "maja@example.org")
    period = world.periods(placement)[0].id
    held = world.do(asking.ask, world.bob, placement, period_id=period, manager=manager)
    travel(world, held, updated_at=clock.now() - 3 * DAY)
    assert look(world) == {held: "reminded"}
    query = select(func.count()).select_from(Event).where(Event.type == "decision_link.sent")
    assert world.ask(lambda c: c.execute(query).scalar_one()) == 2


def test_all_that_is_due_is_found_however_much_else_is_looked_at(world, week, held, monkeypatch):
    """One look names so many at the most; the next goes on after them."""
    monkeypatch.setattr(booking_clock, "MOST_AT_ONCE", 1)
    waiting = ask(world, world.bea, week)
    travel(world, held, updated_at=clock.now() - 4 * DAY)
    today = clock.now().date()
    travel(world, waiting, first_day=today, last_day=today)
    assert world.ask(booking_clock.due) == [held]
    assert world.ask(booking_clock.due, after=held) == [waiting]
    assert world.ask(booking_clock.due, after=waiting) == []
