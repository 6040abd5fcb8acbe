"""Bookings by the clock: what is due is done once, whoever looks, and a second look finds nothing to do."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select, update

from app.jobs import bookings as job
from app.jobs.workplace import Workplace
from app.lib import clock
from app.models import Booking, BookingStep, Event, ExchangeRules, Membership, Notice, Person
from app.services import asking, booking_clock, booking_steps, bookings, deciding
from app.services.exchange_rules import Rules
from app.services.home_managers import Manager

DAY = timedelta(days=1)


@pytest.fixture
def look(world):
    """One look of the clock; the ids of what was due."""
    place = Workplace(world.database, "http://board.test", "Partnership <no-reply@board.test>", None)

    def look():
        found = world.ask(booking_clock.due)
        job.settle(place)
        return found

    return look


@pytest.fixture
def placement(world):
    """One place in one week."""
    world.rules(checklist=(), zone="UTC")
    settled(world)
    return world.placement(periods=[world.period(places=1)])


def settled(world):
    """As if the rules stood since yesterday: new rules alone have all that waits looked at."""
    world.do(lambda tx: tx.execute(update(ExchangeRules).values(updated_at=clock.now() - DAY)))


def asked(world, placement, guest):
    manager = world.bob if guest is world.bea else world.bea
    period = world.periods(placement)[0]
    named = Manager(manager.person_id)
    return world.do(asking.ask, guest, placement, period_id=period.id, manager=named)


def confirmed(world, placement):
    booking = asked(world, placement, world.bob)
    for who in (world.bea, world.hana, world.cora):
        world.do(deciding.decide, who, booking, approved=True)
    return booking


def change(world, booking, **values):
    """As if time had passed."""
    world.do(lambda tx: tx.execute(update(Booking).where(Booking.id == booking).values(**values)))


def state(world, booking):
    return world.ask(booking_steps.found, booking).state


def told(world, booking, kind):
    """Who was told, as often as they were."""
    query = select(Notice.person_id).where(Notice.booking_id == booking, Notice.kind == kind)
    return sorted(world.ask(lambda connection: connection.execute(query).scalars().all()))


def traces(world):
    """How much has been written: steps, events, notices."""
    return tuple(
        world.ask(lambda connection, model=model: len(connection.execute(select(model.id)).all()))
        for model in (BookingStep, Event, Notice)
    )


def nothing_is_left(world, look):
    before = traces(world)
    assert look() == []
    assert traces(world) == before


def test_what_is_not_due_is_not_looked_at(world, placement, look):
    confirmed(world, placement)
    assert look() == []


def test_a_hold_that_runs_out_frees_the_place_and_asks_the_next_in_line(world, placement, look):
    first, second = asked(world, placement, world.bob), asked(world, placement, world.bea)
    assert state(world, second) == "waiting"
    change(world, first, expires_at=clock.now() - timedelta(seconds=1))
    assert look() == [first]
    assert (state(world, first), state(world, second)) == ("expired", "offered")
    assert world.bob.person_id in told(world, first, "booking_expired")
    assert told(world, second, "booking_offered") == [world.bea.person_id]
    nothing_is_left(world, look)


def test_an_offer_without_an_answer_passes_on_down_the_line(world, placement, look):
    first, second = asked(world, placement, world.bob), asked(world, placement, world.bea)
    third = asked(world, placement, world.cora)
    change(world, first, expires_at=clock.now() - timedelta(seconds=1))
    look()
    change(world, second, expires_at=clock.now() - timedelta(seconds=1))
    assert look() == [second]
    assert (state(world, second), state(world, third)) == ("passed_on", "offered")
    nothing_is_left(world, look)


def test_the_line_is_over_when_the_stay_begins(world, placement, look):
    first, second = confirmed(world, placement), asked(world, placement, world.bea)
    today = datetime.now(UTC).date()
    for booking in (first, second):
        change(world, booking, first_day=today, last_day=today + 4 * DAY)
    assert look() == [first, second]
    assert (state(world, first), state(world, second)) == ("under_way", "expired")
    assert told(world, second, "booking_line_over") == [world.bea.person_id]
    nothing_is_left(world, look)


def test_a_stay_that_is_over_is_completed_and_both_sides_are_asked_what_they_learned(world, placement, look):
    booking = confirmed(world, placement)
    today = datetime.now(UTC).date()
    change(world, booking, first_day=today - 5 * DAY, last_day=today - DAY)
    assert look() == [booking]
    assert state(world, booking) == "completed"
    asked_to = told(world, booking, "booking_to_reflect")
    assert asked_to == sorted({world.bob.person_id, world.hana.person_id})
    nothing_is_left(world, look)


@pytest.mark.parametrize(("zone", "ahead"), [("Pacific/Kiritimati", 14), ("Etc/GMT+12", -12)])
def test_a_day_begins_when_it_begins_where_the_programme_is(world, placement, look, zone, ahead):
    world.rules(zone=zone)
    settled(world)
    booking = confirmed(world, placement)
    there = (clock.now() + timedelta(hours=ahead)).date()
    change(world, booking, first_day=there + DAY, last_day=there + 2 * DAY)
    assert look() == []
    change(world, booking, first_day=there, last_day=there + DAY)
    assert look() == [booking]
    assert state(world, booking) == "under_way"
    change(world, booking, first_day=there - DAY, last_day=there)
    assert look() == []
    change(world, booking, last_day=there - DAY)
    assert look() == [booking]
    assert state(world, booking) == "completed"


@pytest.mark.parametrize(
    ("day", "midnight"),
    [
        (date(2026, 3, 29), datetime(2026, 3, 28, 23, tzinfo=UTC)),
        (date(2026, 3, 30), datetime(2026, 3, 29, 22, tzinfo=UTC)),
        (date(2026, 10, 25), datetime(2026, 10, 24, 22, tzinfo=UTC)),
        (date(2026, 10, 26), datetime(2026, 10, 25, 23, tzinfo=UTC)),
    ],
)
def test_midnight_is_that_of_ljubljana_on_both_sides_of_a_change_of_time(day, midnight):
    rules = Rules(1)
    assert rules.begins(day) == midnight
    assert rules.today(midnight) == day
    assert rules.today(midnight - timedelta(microseconds=1)) == day - DAY


def test_whoever_leaves_the_organisation_leaves_the_place_to_the_next(world, placement, look):
    first, second = confirmed(world, placement), asked(world, placement, world.bea)
    left = update(Membership).where(Membership.person_id == world.bob.person_id)
    world.do(lambda tx: tx.execute(left.values(ended_at=clock.now())))
    assert first in look()
    assert state(world, first) == "cancelled"
    assert state(world, second) == "offered"
    assert world.hana.person_id in told(world, first, "booking_cancelled")
    nothing_is_left(world, look)


def test_whose_account_is_disabled_leaves_the_place_as_well(world, placement, look):
    booking = confirmed(world, placement)
    disabled = update(Person).where(Person.id == world.bob.person_id).values(disabled_at=clock.now())
    world.do(lambda tx: tx.execute(disabled))
    assert look() == [booking]
    assert state(world, booking) == "cancelled"
    nothing_is_left(world, look)


def test_those_who_have_to_act_are_reminded_once_and_then_the_coordinators_once(world, placement, look):
    booking = asked(world, placement, world.bob)
    change(world, booking, updated_at=clock.now() - 2.9 * DAY)
    assert look() == []
    change(world, booking, updated_at=clock.now() - 3.1 * DAY)
    assert look() == [booking]
    assert told(world, booking, "booking_reminder") == [world.bea.person_id]
    nothing_is_left(world, look)
    change(world, booking, updated_at=clock.now() - 6.1 * DAY, reminded_at=clock.now() - 3 * DAY)
    assert look() == [booking]
    assert told(world, booking, "booking_overdue") == [world.cora.person_id]
    assert told(world, booking, "booking_reminder") == [world.bea.person_id]
    nothing_is_left(world, look)
    change(world, booking, updated_at=clock.now() - 12 * DAY, reminded_at=clock.now() - 5 * DAY)
    assert look() == []
    assert state(world, booking) == "held"


def test_a_programme_says_after_how_many_days_it_reminds(world, placement, look):
    booking = asked(world, placement, world.bob)
    change(world, booking, updated_at=clock.now() - 3.1 * DAY)
    world.rules(remind_days=5)
    settled(world)
    assert look() == []
    change(world, booking, updated_at=clock.now() - 5.1 * DAY)
    assert look() == [booking]


def test_the_two_sides_of_a_stay_that_is_over_are_reminded_once(world, placement, look):
    booking = confirmed(world, placement)
    today = datetime.now(UTC).date()
    change(world, booking, first_day=today - 5 * DAY, last_day=today - DAY)
    look()
    change(world, booking, updated_at=clock.now() - 4 * DAY)
    assert look() == [booking]
    assert told(world, booking, "booking_reminder") == sorted({world.bob.person_id, world.hana.person_id})
    change(world, booking, updated_at=clock.now() - 30 * DAY, reminded_at=clock.now() - 27 * DAY)
    nothing_is_left(world, look)


def test_fewer_approvals_than_before_let_what_waits_go_on(world, placement, look):
    booking = asked(world, placement, world.bob)
    world.do(deciding.decide, world.bea, booking, approved=True)
    world.rules(approvals=("manager",))
    assert look() == [booking]
    assert state(world, booking) == "confirmed"
    nothing_is_left(world, look)


def test_one_that_fails_does_not_hold_up_the_others(world, placement, look, monkeypatch):
    first, second = asked(world, placement, world.bob), asked(world, placement, world.bea)
    change(world, first, expires_at=clock.now() - timedelta(seconds=1))
    today = datetime.now(UTC).date()
    change(world, second, first_day=today, last_day=today)
    settle = booking_clock.settle

    def broken(tx, booking_id):
        if booking_id == first:
            settle(tx, booking_id)
            raise RuntimeError("the power is cut in the middle")
        return settle(tx, booking_id)

    with monkeypatch.context() as cut:
        cut.setattr(booking_clock, "settle", broken)
        look()
    assert (state(world, first), state(world, second)) == ("held", "expired")
    assert told(world, first, "booking_expired") == []
    assert look() == [first]
    assert state(world, first) == "expired"
    assert told(world, first, "booking_expired").count(world.bob.person_id) == 1


def test_more_than_one_look_names_at_once_are_all_settled(world, placement, look, monkeypatch):
    monkeypatch.setattr(booking_clock, "MOST_AT_ONCE", 1)
    first, second = asked(world, placement, world.bob), asked(world, placement, world.bea)
    today = datetime.now(UTC).date()
    for booking in (first, second):
        change(world, booking, first_day=today, last_day=today)
    look()
    assert {state(world, first), state(world, second)} == {"expired"}
    assert world.ask(bookings.find, world.bob, first).state == "expired"
