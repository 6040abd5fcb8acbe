"""Waiting lines: a place that becomes free is offered at once, to the first whose days fit and who can come."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from app.lib import clock
from app.models import Booking, Notice, Placement
from app.models.base import table
from app.services import asking, booking_clock, bookings, deciding, placement_making, taking_back, wishes
from app.services.home_managers import Manager

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


@pytest.fixture
def week(world):
    return world.placement(periods=[world.period(places=1)])


def ask(world, actor, placement, **days):
    period = world.periods(placement)[0].id
    manager = Manager(None, "Maja", "maja@example.org")
    return world.do(asking.ask, actor, placement, period_id=period, manager=manager, **days)


def state(world, booking):
    return world.ask(bookings.find, world.cora, booking).state


def lapse(world, booking):
    past = update(Booking).where(Booking.id == booking).values(expires_at=clock.now() - SECOND)
    world.do(lambda tx: tx.execute(past))
    world.do(booking_clock.settle, booking)


def withdraw(world, actor, booking):
    world.do(taking_back.take_back, actor, booking)


def test_each_way_to_lose_a_place_gives_it_to_the_next_in_line(world, week):
    people = [world.bob, *world.people(6, "business")]
    line = [ask(world, person, week) for person in people]
    world.do(deciding.decide, world.hana, line[0], approved=False, reason="No")
    assert [state(world, each) for each in line[:3]] == ["declined", "offered", "waiting"]
    world.do(asking.pass_on, people[1], line[1])
    assert state(world, line[2]) == "offered"
    lapse(world, line[2])
    assert (state(world, line[2]), state(world, line[3])) == ("passed_on", "offered")
    world.do(asking.accept, people[3], line[3])
    lapse(world, line[3])
    assert (state(world, line[3]), state(world, line[4])) == ("expired", "offered")
    withdraw(world, people[4], line[4])
    assert state(world, line[5]) == "offered"
    world.do(taking_back.take_back, world.cora, line[5], reason="The house burns")
    assert state(world, line[6]) == "offered"
    query = select(table(Notice).c.booking_id).where(table(Notice).c.kind == "booking_offered")
    assert world.ask(lambda c: c.execute(query).scalars().all()) == line[1:]


def test_more_places_are_offered_at_once_in_order(world, week):
    people = world.people(4, "business")
    line = [ask(world, person, week) for person in people]
    period = world.periods(week)[0]
    row = {"id": period.id, "first_day": period.first_day, "last_day": period.last_day, "places": 3}
    world.do(placement_making.change, world.hana, week, periods=[row])
    assert [state(world, each) for each in line] == ["held", "offered", "offered", "waiting"]


def test_who_is_elsewhere_keeps_the_place_in_line_and_is_asked_when_free_again(world, week):
    other = world.placement()
    first = ask(world, world.bob, week)
    elsewhere = ask(world, world.bea, other)
    second, third = ask(world, world.bea, week), ask(world, world.cora, week)
    withdraw(world, world.bob, first)
    assert [state(world, each) for each in (second, third)] == ["waiting", "offered"]
    assert world.ask(bookings.place_in_line, world.ask(bookings.find, world.bea, second)) == 1
    withdraw(world, world.cora, third)
    assert state(world, second) == "waiting", "a free place, and Bea is still elsewhere"
    withdraw(world, world.bea, elsewhere)
    assert state(world, second) == "offered"


def test_who_waits_in_two_lines_is_offered_one_place_at_a_time(world, week):
    other = world.placement(periods=[world.period(places=1)])
    held = [ask(world, world.bob, week), ask(world, world.cora, other)]
    mine = [ask(world, world.bea, week), ask(world, world.bea, other)]
    withdraw(world, world.bob, held[0])
    withdraw(world, world.cora, held[1])
    assert [state(world, each) for each in mine] == ["offered", "waiting"]
    world.do(asking.pass_on, world.bea, mine[0])
    assert [state(world, each) for each in mine] == ["passed_on", "offered"]


def test_in_a_window_whoever_wants_fewer_days_may_fit_first(world):
    period = world.period(places=1, is_window=True)
    first = period["first_day"]
    placement = world.placement(periods=[period])
    people = world.people(4, "business")

    def days(begin, end):
        return {"first_day": first + begin * DAY, "last_day": first + end * DAY}

    taken = [ask(world, people[0], placement, **days(0, 1)), ask(world, people[1], placement, **days(2, 4))]
    long = ask(world, people[2], placement, **days(0, 4))
    short = ask(world, people[3], placement, **days(0, 1))
    withdraw(world, people[0], taken[0])
    assert [state(world, each) for each in (long, short)] == ["waiting", "offered"]


def test_one_person_can_be_offered_two_stays_that_do_not_touch(world):
    period = world.period(places=1, is_window=True)
    first = period["first_day"]
    placement = world.placement(periods=[period])
    whole = ask(world, world.bob, placement, first_day=first, last_day=first + 4 * DAY)
    mine = [
        ask(world, world.bea, placement, first_day=first + day * DAY, last_day=first + day * DAY)
        for day in (0, 2)
    ]
    withdraw(world, world.bob, whole)
    assert [state(world, each) for each in mine] == ["offered", "offered"]


def test_nothing_is_offered_that_would_have_begun(world, week):
    first, second = ask(world, world.bob, week), ask(world, world.bea, week)
    today = clock.now().date()
    begun = update(Booking).where(Booking.id == second).values(first_day=today, last_day=today + DAY)
    world.do(lambda tx: tx.execute(begun))
    withdraw(world, world.bob, first)
    assert state(world, second) == "waiting"


def test_nothing_is_offered_of_what_was_taken_back(world, week):
    first, second = ask(world, world.bob, week), ask(world, world.bea, week)
    gone = update(Placement).where(Placement.id == week).values(withdrawn_at=clock.now())
    world.do(lambda tx: tx.execute(gone))
    withdraw(world, world.bob, first)
    assert state(world, second) == "waiting"


def test_whoever_must_not_go_there_any_more_is_passed_over_until_they_may_again(world, week):
    world.rules(approvals=("host",), checklist=())
    first, second, third = (ask(world, actor, week) for actor in (world.bea, world.bob, world.henk))
    host = {"organisation_id": world.organisations["public"]}
    world.do(wishes.declare_conflict, world.bob, world.programme, **host)
    withdraw(world, world.bea, first)
    assert (state(world, second), state(world, third)) == ("waiting", "offered")
    withdraw(world, world.henk, third)
    assert state(world, second) == "waiting"
    world.do(wishes.withdraw_conflict, world.bob, world.programme, host["organisation_id"])
    assert state(world, second) == "offered"
