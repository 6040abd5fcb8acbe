"""Moving a stay: the place in line stays, decisions are taken anew, and what cannot be had changes nothing."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from app.errors import Conflict, Invalid, Moved, NotAllowed, NotFound
from app.lib import clock
from app.models import Booking, Notice
from app.models.base import table
from app.services import asking, booking_clock, bookings, deciding, moving, taking_back
from app.services.home_managers import Manager

DAY = timedelta(days=1)


@pytest.fixture
def weeks(world):
    """A placement with one place in each of three weeks."""
    return world.placement(periods=[world.period(number, places=1) for number in range(3)])


def ask(world, actor, placement, number=0, **days):
    period = world.periods(placement)[number].id
    manager = Manager(None, "Maja", "maja@example.org")
    return world.do(asking.ask, actor, placement, period_id=period, manager=manager, **days)


def move(world, actor, booking, number, **named):
    placement = found(world, booking).placement_id
    world.do(moving.move, actor, booking, period_id=world.periods(placement)[number].id, **named)


def found(world, booking):
    return world.ask(bookings.find, world.cora, booking)


def told(world, actor, booking):
    query = select(table(Notice).c.kind).where(
        table(Notice).c.person_id == actor.person_id, table(Notice).c.booking_id == booking
    )
    return world.ask(lambda c: c.execute(query).scalars().all())


def test_a_held_stay_moves_and_is_decided_anew(world, weeks):
    world.rules(approvals=("host", "coordinator"))
    booking = ask(world, world.bob, weeks)
    world.do(deciding.decide, world.hana, booking, approved=True)
    before = found(world, booking)
    move(world, world.bob, booking, 1, version=before.version)
    after = found(world, booking)
    assert (after.state, after.round, after.decisions, after.asked) == ("held", 2, (), ("host",))
    assert (after.first_day, after.line_at, after.uid) == (world.week(1)[0], before.line_at, before.uid)
    assert told(world, world.hana, booking) == ["booking_to_decide", "booking_moved", "booking_to_decide"]
    with pytest.raises(Moved):
        move(world, world.bob, booking, 2, version=before.version)


def test_a_confirmed_stay_that_moves_has_to_be_confirmed_anew(world, weeks):
    world.rules(approvals=("host",), checklist=())
    booking = ask(world, world.bob, weeks)
    world.do(deciding.decide, world.hana, booking, approved=True)
    sequence = found(world, booking).sequence
    move(world, world.cora, booking, 1)
    after = found(world, booking)
    assert (after.state, after.confirmed_at) == ("held", None)
    assert after.sequence > sequence
    for actor in (world.bob, world.hana):
        assert "booking_unconfirmed" in told(world, actor, booking)


def test_the_place_that_is_left_goes_to_the_next_in_line(world, weeks):
    first, second = ask(world, world.bob, weeks), ask(world, world.bea, weeks)
    move(world, world.bob, first, 1)
    assert [found(world, each).state for each in (first, second)] == ["held", "offered"]


def test_where_no_place_is_free_it_stays_as_it_was(world, weeks):
    mine, _ = ask(world, world.bob, weeks), ask(world, world.bea, weeks, 1)
    before = found(world, mine)
    with pytest.raises(Conflict, match="present place is kept"):
        move(world, world.bob, mine, 1)
    assert found(world, mine).version == before.version


def test_nobody_moves_to_where_they_are_elsewhere(world, weeks):
    other = world.placement(periods=[world.period(1)])
    mine, _ = ask(world, world.bob, weeks), ask(world, world.bob, other)
    with pytest.raises(Conflict, match="elsewhere"):
        move(world, world.bob, mine, 1)


def test_who_waits_keeps_the_place_in_line_and_gets_what_is_free(world, weeks):
    for number, person in enumerate(world.people(3, "business")):
        ask(world, person, weeks, number)
    early, late = ask(world, world.bob, weeks), ask(world, world.bea, weeks, 1)
    move(world, world.bob, early, 1)
    views = {each: found(world, each) for each in (early, late)}
    assert views[early].state == "waiting"
    assert world.ask(bookings.place_in_line, views[early]) == 1, "it was asked for before"
    assert world.ask(bookings.place_in_line, views[late]) == 2


def test_who_waits_and_moves_to_free_days_holds_them(world, weeks):
    ask(world, world.bob, weeks)
    waiting = ask(world, world.bea, weeks)
    move(world, world.bea, waiting, 2)
    assert found(world, waiting).state == "held"
    assert told(world, world.hana, waiting) == []


def test_one_before_in_line_who_could_not_come_anyway_does_not_keep_a_place_empty(world, weeks):
    """Bea stands before Cora in line for the second week, and is at another host's then."""
    other = world.placement(periods=[world.period(1)])
    ask(world, world.bea, other)
    before = ask(world, world.bea, weeks, 1)
    ask(world, world.bob, weeks)
    mine = ask(world, world.cora, weeks)
    move(world, world.cora, mine, 1)
    assert found(world, before).state == "waiting"
    assert found(world, mine).state == "offered"


def test_days_that_cannot_be_are_named(world):
    window = world.period(places=1, is_window=True)
    placement = world.placement(periods=[window])
    first = window["first_day"]
    booking = ask(world, world.bob, placement, first_day=first, last_day=first + DAY)
    for days in (
        {"first_day": first, "last_day": first + DAY},
        {"first_day": first + DAY, "last_day": first},
        {"first_day": first - DAY, "last_day": first},
        {"first_day": first, "last_day": first + 400 * DAY},
    ):
        with pytest.raises(Invalid):
            move(world, world.bob, booking, 0, **days)
    move(world, world.bob, booking, 0, first_day=first + DAY, last_day=first + 2 * DAY)
    assert found(world, booking).stay.first_day == first + DAY, "its own old day is not in its way"


def test_strangers_do_not_find_it_and_others_do_not_move_it(world, weeks):
    booking = ask(world, world.bob, weeks)
    for actor in (world.charlie, world.alice):
        with pytest.raises(NotFound):
            world.do(moving.move, actor, booking, period_id=world.periods(weeks)[1].id)
    with pytest.raises(NotAllowed):
        move(world, world.hana, booking, 1)


def test_what_has_ended_or_is_offered_does_not_move(world, weeks):
    first, second = ask(world, world.bob, weeks), ask(world, world.bea, weeks)
    world.do(taking_back.take_back, world.bob, first)
    for actor, booking in ((world.bob, first), (world.bea, second)):
        with pytest.raises(Conflict, match="cannot be changed"):
            move(world, actor, booking, 1)


def test_a_hold_that_is_over_is_not_begun_anew_by_moving(world, weeks):
    """The clock comes by every ten seconds, or later: until then nobody takes the place from those in line."""
    booking = ask(world, world.bob, weeks)
    past = update(Booking).where(Booking.id == booking).values(expires_at=clock.now() - DAY)
    world.do(lambda tx: tx.execute(past))
    with pytest.raises(Conflict, match="cannot be changed any more"):
        move(world, world.bob, booking, 1)
    world.do(booking_clock.settle, booking)
    assert found(world, booking).state == "expired"
