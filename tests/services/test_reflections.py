"""Reflections: three answers of each side after a stay; both together complete it."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import update

from app.database import Database
from app.errors import Conflict, Invalid, NotAllowed, NotFound
from app.models import Booking
from app.services import asking, bookings, deciding, reflections

ANSWERS = {"learned": "How you buy.", "surprised": "The pace.", "next": "A shared form."}


@pytest.fixture
def confirmed(world):
    world.rules(approvals=("host",), checklist=())
    placement = world.placement()
    booking = world.do(asking.ask, world.bob, placement, period_id=world.periods(placement)[0].id)
    world.do(deciding.decide, world.hana, booking, approved=True)
    return booking


@pytest.fixture
def over(world, confirmed):
    ended = update(Booking).where(Booking.id == confirmed).values(state="completed")
    world.do(lambda tx: tx.execute(ended))
    return confirmed


def write(world, actor, booking, **changes):
    world.do(reflections.write, actor, booking, **{**ANSWERS, **changes})


def found(world, booking):
    return world.ask(bookings.find, world.cora, booking)


def read(world, actor, booking):
    rows = world.ask(lambda c: reflections.of_booking(c, actor, bookings.find(c, world.cora, booking)))
    return [(row.party, row.by, row.learned, row.language) for row in rows]


def test_both_sides_complete_the_stay(world, over):
    write(world, world.bob, over, language="sl")
    assert found(world, over).state == "completed"
    write(world, world.hana, over, learned="What an engineer asks.")
    assert found(world, over).state == "reflected"
    both = [
        ("guest", "Bob Kos", "How you buy.", "sl"),
        ("host", "Hana Vidmar", "What an engineer asks.", "en"),
    ]
    for actor in (world.bob, world.hana, world.cora):
        assert read(world, actor, over) == both
    for actor in (world.bea, world.alice, world.charlie):
        assert read(world, actor, over) == []


def test_what_one_wrote_can_be_written_anew_and_completes_nothing_alone(world, over):
    write(world, world.bob, over)
    write(world, world.bob, over, learned="Patience.")
    assert read(world, world.bob, over) == [("guest", "Bob Kos", "Patience.", "en")]
    assert found(world, over).state == "completed"


def test_before_the_end_there_is_nothing_to_reflect(world, confirmed):
    with pytest.raises(Conflict, match="not over"):
        write(world, world.bob, confirmed)


def test_only_guest_and_host_write(world, over):
    with pytest.raises(NotAllowed):
        write(world, world.cora, over)
    with pytest.raises(NotFound):
        write(world, world.charlie, over)
    assert read(world, world.cora, over) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [("learned", ""), ("surprised", "  "), ("next", "x" * 1001), ("language", "xx")],
)
def test_each_answer_is_due(world, over, field, value):
    with pytest.raises(Invalid) as caught:
        write(world, world.bob, over, **{field: value})
    assert [error.field for error in caught.value.errors] == [field]


def test_both_at_the_same_moment_are_one_step(world, over, database_url):
    def reflect(actor):
        database = Database(database_url)
        try:
            database.write_now(lambda tx: reflections.write(tx, actor, over, **ANSWERS))
        finally:
            database.close()

    who = [world.bob, world.hana] * 3
    with ThreadPoolExecutor(len(who)) as pool:
        list(pool.map(reflect, who))
    assert found(world, over).state == "reflected"
    assert sorted(party for party, *_ in read(world, world.cora, over)) == ["guest", "host"]
    actions = [step.action for step in world.ask(bookings.steps, over)]
    assert actions.count("reflect") == 1
