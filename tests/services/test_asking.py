"""Asking for a stay: a place or a place in line, on which days, and what the offer of a place is answered with."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest
from sqlalchemy import select, update

from app.database import Database
from app.errors import Conflict, DomainError, Invalid, NotAllowed, NotFound
from app.lib import clock
from app.models import Booking, ConflictOfInterest, Notice
from app.models import Period as PeriodRow
from app.models.base import table
from app.services import asking, bookings, deciding, stays, taking_back
from app.services.home_managers import Manager
from app.services.placements import PeriodView

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
NOTICE = table(Notice)


@pytest.fixture
def window(world):
    """A placement with one place in a window of two weeks, for stays of two to five days."""
    first_day, last_day = world.week()[0], world.week(1)[1]
    period = world.period(places=1, is_window=True, first_day=first_day, last_day=last_day)
    return world.placement(periods=[period], least_days=2)


@pytest.fixture
def week(world):
    """A placement with one place in one week; nobody has to approve, and nothing to be agreed."""
    return world.placement(periods=[world.period(places=1)])


def ask(world, actor, placement, **named):
    period = named.pop("period_id", None) or world.periods(placement)[0].id
    manager = Manager(None, "Maja", "maja@example.org")
    return world.do(asking.ask, actor, placement, period_id=period, **{"manager": manager, **named})


def state(world, booking):
    return world.ask(bookings.find, world.cora, booking).state


def told(world, actor, booking):
    query = select(NOTICE.c.kind).where(NOTICE.c.person_id == actor.person_id, NOTICE.c.booking_id == booking)
    return world.ask(lambda c: c.execute(query.order_by(NOTICE.c.id)).scalars().all())


def let_lapse(world, booking):
    past = update(Booking).where(Booking.id == booking).values(expires_at=clock.now() - SECOND)
    world.do(lambda tx: tx.execute(past))


def wrong(world, placement, **named):
    with pytest.raises(Invalid) as caught:
        ask(world, world.bob, placement, **named)
    return [error.field for error in caught.value.errors]


def test_whoever_asks_holds_a_place_until_a_day(world, week):
    booking = world.ask(bookings.find, world.bob, ask(world, world.bob, week, message="I buy, too"))
    assert (booking.state, booking.message, booking.organisation_id) == (
        "held",
        "I buy, too",
        world.organisations["business"],
    )
    assert booking.expires_at - booking.created_at == pytest.approx(14 * DAY, abs=60 * SECOND)
    assert world.periods(week)[0].free == 0
    assert [step.action for step in world.ask(bookings.steps, booking.id)] == ["hold"]


def test_a_hold_never_outlasts_the_beginning_of_the_stay(world):
    world.rules(hold_days=90)
    placement = world.placement()
    booking = world.ask(bookings.find, world.bob, ask(world, world.bob, placement))
    assert booking.expires_at == booking.rules.begins(world.week()[0])


def test_whoever_comes_later_waits_in_the_order_of_asking(world, week):
    ask(world, world.bob, week)
    line = [ask(world, person, week) for person in (world.bea, *world.people(3, "business"))]
    views = [world.ask(bookings.find, world.cora, booking) for booking in line]
    assert [view.state for view in views] == ["waiting"] * 4
    assert [world.ask(bookings.place_in_line, view) for view in views] == [1, 2, 3, 4]
    assert {view.expires_at for view in views} == {None}


def test_who_does_not_want_to_wait_is_told_that_nothing_is_free(world, week):
    ask(world, world.bob, week)
    with pytest.raises(Conflict, match="No place is free"):
        ask(world, world.bea, week, may_wait=False)
    assert world.ask(bookings.of_person, world.bea) == []


def test_a_stranger_finds_no_placement_and_an_observer_may_not_ask(world, week):
    with pytest.raises(NotFound):
        ask(world, world.charlie, week)
    with pytest.raises(NotAllowed):
        ask(world, world.olga, week)


def test_only_published_placements_are_open(world):
    with pytest.raises(NotFound):
        ask(world, world.bob, world.placement(published=False), period_id=1)
    own = world.placement(published=False)
    with pytest.raises(Conflict, match="not open"):
        ask(world, world.cora, own)


def test_an_exchange_leads_to_another_organisation_of_the_other_sector(world, week):
    with pytest.raises(Conflict, match="own organisation"):
        ask(world, world.alice, week)
    host = type("Host", (), {"host_id": 1, "sector_key": "public", "open_to": "other"})
    assert "other sector" in stays.unfit(host, 2, "public")
    assert stays.unfit(host, 2, "business") is None
    host.open_to = "any"
    assert stays.unfit(host, 2, "public") is None


def test_who_has_declared_a_conflict_of_interest_does_not_go_there(world, week):
    row = ConflictOfInterest(
        programme_id=world.programme_id,
        person_id=world.bob.person_id,
        organisation_id=world.organisations["public"],
        declared_at=clock.now(),
    )
    world.do(lambda tx: tx.session.add(row))
    with pytest.raises(Conflict, match="conflict of interest"):
        ask(world, world.bob, week)


def test_where_places_go_by_matching_nobody_asks(world, week):
    world.rules(way="matching")
    with pytest.raises(Conflict, match="matching"):
        ask(world, world.bob, week)


def test_the_same_days_at_the_same_placement_are_asked_for_once(world, week):
    ask(world, world.bob, week)
    with pytest.raises(Conflict, match="already asked"):
        ask(world, world.bob, week)


def test_a_person_has_so_many_bookings_on_their_way_and_no_more(world):
    weeks = [world.period(number) for number in range(asking.MOST_LIVE + 1)]
    placement = world.placement(periods=weeks)
    *first, last = world.periods(placement)
    for period in first:
        ask(world, world.bob, placement, period_id=period.id)
    with pytest.raises(Conflict, match="take one back"):
        ask(world, world.bob, placement, period_id=last.id)


def test_who_is_elsewhere_waits_even_where_a_place_is_free(world, week):
    other = world.placement()
    ask(world, world.bob, week)
    assert state(world, ask(world, world.bob, other)) == "waiting"
    assert world.periods(other)[0].free == 2


def test_days_that_cannot_be_are_named(world, window):
    (period,) = world.periods(window)
    first = period.first_day
    assert wrong(world, window, first_day=first, last_day=first) == ["last_day"], "one day; at least two"
    assert wrong(world, window, first_day=first + DAY, last_day=first) == ["last_day"]
    assert wrong(world, window, first_day=first, last_day=first + 5 * DAY) == ["last_day"]
    assert wrong(world, window, first_day=first - DAY, last_day=first + DAY) == ["first_day"]
    assert wrong(world, window, first_day=first, last_day=first + 400 * DAY) == ["last_day"]
    assert wrong(world, window, first_day=period.last_day, last_day=period.last_day + DAY) == ["last_day"]
    assert wrong(world, window) == ["last_day"], "the whole window is more than five days"
    assert wrong(world, window, period_id=999_999) == ["period_id"]
    assert wrong(world, window, first_day=first, last_day=first + DAY, message="x" * 1001) == ["message"]


def test_a_week_is_offered_as_a_whole(world, week):
    monday, friday = world.week()
    assert wrong(world, week, last_day=friday - DAY) == ["first_day"]
    assert state(world, ask(world, world.bob, week, first_day=monday, last_day=friday)) == "held"


def test_a_period_of_another_placement_is_none_of_this_one(world, week, window):
    assert wrong(world, week, period_id=world.periods(window)[0].id) == ["period_id"]


def days_of(first, last, *, least=1, most=5, window=("2027-12-01", "2028-03-31")):
    """What is wrong with a stay in a window."""
    days = [date.fromisoformat(day) for day in (*window, first, last)]
    period = PeriodView(1, 1, days[0], days[1], True, 1)
    placement = type("Placement", (), {"least_days": least, "most_days": most})
    return [error.field for error in stays.problems(placement, period, days[2], days[3])]


def test_days_across_the_years_end_and_on_a_leap_day_count_as_days():
    assert days_of("2027-12-30", "2028-01-03") == []
    assert days_of("2027-12-30", "2028-01-04") == ["last_day"]
    assert days_of("2028-02-28", "2028-03-03") == []
    assert days_of("2028-02-28", "2028-03-04") == ["last_day"]
    assert days_of("2028-02-29", "2028-02-29") == []
    assert days_of("2028-02-29", "2028-02-28") == ["last_day"]


def test_a_stay_does_not_begin_in_the_past_nor_after_two_years(world, week):
    period = update(table(PeriodRow)).where(table(PeriodRow).c.placement_id == week)
    today = clock.now().date()
    for first in (today - DAY, today, today + 800 * DAY):
        world.do(lambda tx, day=first: tx.execute(period.values(first_day=day, last_day=day + 4 * DAY)))
        assert wrong(world, week) == ["first_day"]


def test_the_last_place_goes_to_one_of_many_who_ask_at_once(world, week):
    people = world.people(8, "business")
    other = Database(world.database.url.render_as_string(hide_password=False))
    period = world.periods(week)[0].id

    def one(number):
        database = (world.database, other)[number % 2]
        return database.write_now(
            lambda tx: asking.ask(
                tx, people[number], week, period_id=period, manager=Manager(None, "Maja", "m@example.org")
            )
        )

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(one, range(8)))
    other.close()
    assert Counter(state(world, booking) for booking in made) == {"held": 1, "waiting": 7}


def test_one_person_who_asks_in_two_places_at_once_gets_one(world, week):
    places = [week, world.placement(periods=[world.period(places=1)])]
    periods = [world.periods(place)[0].id for place in places]
    other = Database(world.database.url.render_as_string(hide_password=False))

    def one(number):
        return (world.database, other)[number].write_now(
            lambda tx: asking.ask(
                tx,
                world.bob,
                places[number],
                period_id=periods[number],
                manager=Manager(None, "Maja", "m@example.org"),
            )
        )

    with ThreadPoolExecutor(2) as pool:
        made = list(pool.map(one, range(2)))
    other.close()
    assert Counter(state(world, booking) for booking in made) == {"held": 1, "waiting": 1}


# the offer of a place


@pytest.fixture
def offered(world, week):
    """Bea was next in line when Bob withdrew."""
    first, second = ask(world, world.bob, week), ask(world, world.bea, week)
    world.do(taking_back.take_back, world.bob, first)
    return second


def test_an_offer_is_told_and_has_a_time(world, offered):
    booking = world.ask(bookings.find, world.bea, offered)
    assert (booking.state, booking.awaited) == ("offered", ("guest",))
    assert booking.expires_at - booking.now == pytest.approx(3 * DAY, abs=60 * SECOND)
    assert told(world, world.bea, offered) == ["booking_offered"]


def test_an_offer_that_is_accepted_is_held_and_the_manager_asked(world, offered):
    manager = Manager(world.bob.person_id)
    world.do(asking.accept, world.bea, offered, manager=manager)
    booking = world.ask(bookings.find, world.bea, offered)
    assert (booking.state, booking.asked, booking.manager_name) == ("held", ("manager",), "Bob Kos")
    assert told(world, world.bob, offered) == ["booking_to_decide"]


def test_only_the_guest_answers_an_offer(world, offered):
    for verb in (asking.accept, asking.pass_on):
        with pytest.raises(NotFound):
            world.do(verb, world.charlie, offered)
        with pytest.raises(NotFound):
            world.do(verb, world.bob, offered)
        for actor in (world.hana, world.cora):
            with pytest.raises(NotAllowed):
                world.do(verb, actor, offered)


def test_an_offer_is_answered_once(world, offered):
    world.do(asking.accept, world.bea, offered)
    for verb in (asking.accept, asking.pass_on):
        with pytest.raises(Conflict):
            world.do(verb, world.bea, offered)
    assert state(world, offered) == "held"


def test_an_offer_is_not_accepted_after_its_time(world, offered):
    let_lapse(world, offered)
    with pytest.raises(Conflict, match="time to accept"):
        world.do(asking.accept, world.bea, offered)


def test_whoever_passes_gives_the_place_to_the_next(world, week, offered):
    third = ask(world, world.cora, week)
    assert state(world, third) == "waiting"
    world.do(asking.pass_on, world.bea, offered, reason="I am ill then")
    assert (state(world, offered), state(world, third)) == ("passed_on", "offered")
    assert world.ask(bookings.steps, offered)[-1].reason == "I am ill then"


def test_a_passed_offer_and_an_acceptance_at_once_end_in_one_state(world, offered):
    other = Database(world.database.url.render_as_string(hide_password=False))

    def one(database, verb):
        try:
            return database.write_now(lambda tx: verb(tx, world.bea, offered))
        except DomainError as error:
            return error

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(one, (world.database, other), (asking.accept, asking.pass_on)))
    other.close()
    assert Counter(type(answer) for answer in answers) == {type(None): 1, Conflict: 1}
    assert state(world, offered) == ("held" if answers[0] is None else "passed_on")


def test_where_nobody_approves_asking_is_enough(world, week):
    world.rules(approvals=(), checklist=())
    booking = ask(world, world.bob, week, manager=Manager())
    assert state(world, booking) == "confirmed"
    assert told(world, world.bob, booking) == ["booking_confirmed"]
    with pytest.raises(Conflict):
        world.do(deciding.decide, world.hana, booking, approved=True)
