"""Taking a stay back: who ends it, with which reason, who hears of it, and who comes next."""

import pytest
from sqlalchemy import select

from app.errors import Conflict, Invalid, Moved, NotAllowed, NotFound
from app.models import Notice
from app.models.base import table
from app.services import asking, bookings, deciding, taking_back
from app.services.home_managers import Manager

NOTICE = table(Notice)


@pytest.fixture
def week(world):
    return world.placement(periods=[world.period(places=1)])


def ask(world, actor, placement):
    period = world.periods(placement)[0].id
    return world.do(
        asking.ask, actor, placement, period_id=period, manager=Manager(None, "Maja", "m@example.org")
    )


def found(world, booking):
    return world.ask(bookings.find, world.cora, booking)


def told(world, booking, kind):
    """Who was told of it, and why."""
    query = select(NOTICE.c.person_id, NOTICE.c.data).where(
        NOTICE.c.booking_id == booking, NOTICE.c.kind == kind
    )
    return {row.person_id: row.data["reason"] for row in world.ask(lambda c: c.execute(query).all())}


@pytest.fixture
def confirmed(world, week):
    world.rules(approvals=("host",), checklist=())
    booking = ask(world, world.bob, week)
    world.do(deciding.decide, world.hana, booking, approved=True)
    return booking


def test_a_guest_withdraws_without_a_word_and_the_next_is_asked(world, week):
    first, second = ask(world, world.bob, week), ask(world, world.bea, week)
    world.do(taking_back.take_back, world.bob, first)
    assert [found(world, each).state for each in (first, second)] == ["withdrawn", "offered"]
    assert told(world, first, "booking_ended") == {}, "the host was never asked, and Bob did it"


def test_who_waits_leaves_the_line(world, week):
    ask(world, world.bob, week)
    waiting, behind = ask(world, world.bea, week), ask(world, world.cora, week)
    world.do(taking_back.take_back, world.bea, waiting)
    assert found(world, waiting).state == "withdrawn"
    assert world.ask(bookings.place_in_line, found(world, behind)) == 1


@pytest.mark.parametrize("name", ["bob", "hana", "cora"])
def test_what_is_confirmed_is_cancelled_with_a_reason_and_all_who_have_it_in_a_calendar_are_told(
    world, week, confirmed, name
):
    next_one = ask(world, world.bea, week)
    actor = getattr(world, name)
    with pytest.raises(Invalid) as caught:
        world.do(taking_back.take_back, actor, confirmed)
    assert [error.field for error in caught.value.errors] == ["reason"]
    sequence = found(world, confirmed).sequence
    world.do(taking_back.take_back, actor, confirmed, reason="The roof leaks")
    booking = found(world, confirmed)
    assert (booking.state, booking.sequence) == ("cancelled", sequence + 1)
    both = {world.bob.person_id, world.hana.person_id}
    assert told(world, confirmed, "booking_cancelled") == dict.fromkeys(both, "The roof leaks")
    assert found(world, next_one).state == "offered"


def test_a_host_ends_what_is_not_confirmed_with_a_reason_too(world, week):
    booking = ask(world, world.bob, week)
    with pytest.raises(Invalid):
        world.do(taking_back.take_back, world.hana, booking)
    world.do(taking_back.take_back, world.hana, booking, reason="No desk")
    assert found(world, booking).state == "cancelled"
    assert told(world, booking, "booking_ended") == {world.bob.person_id: "No desk"}


def test_it_ends_once(world, week, confirmed):
    version = found(world, confirmed).version
    world.do(taking_back.take_back, world.bob, confirmed, reason="Ill", version=version)
    with pytest.raises(Moved):
        world.do(taking_back.take_back, world.cora, confirmed, reason="Ill", version=version)
    with pytest.raises(Conflict, match="ended already"):
        world.do(taking_back.take_back, world.cora, confirmed, reason="Again")


def test_strangers_do_not_find_it_and_a_manager_does_not_end_it(world, week):
    booking = ask(world, world.bob, week)
    for actor in (world.charlie, world.alice, world.fay):
        with pytest.raises(NotFound):
            world.do(taking_back.take_back, actor, booking, reason="Mine")
    second = world.placement()
    chosen = Manager(world.bob.person_id)
    period = world.periods(second)[0].id
    managed = world.do(asking.ask, world.bea, second, period_id=period, manager=chosen)
    with pytest.raises(NotAllowed):
        world.do(taking_back.take_back, world.bob, managed, reason="I need her here")
