"""The checklist: ticked by the one it concerns, kept as it was agreed, and the last one confirms."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from app.database import Database
from app.errors import Conflict, DomainError, Invalid, Moved, NotAllowed, NotFound
from app.models import Event
from app.models.base import table
from app.services import agreements, asking, bookings, deciding, taking_back
from app.services.exchange_rules import USUAL_CHECKLIST

EVENT = table(Event)
GUESTS = ("confidentiality", "interest", "insurance")


@pytest.fixture
def held(world):
    world.rules(approvals=("host",))
    placement = world.placement(confidentiality="Nothing of open tenders.")
    return world.do(asking.ask, world.bob, placement, period_id=world.periods(placement)[0].id)


def tick(world, actor, booking, *items, **named):
    for item in items:
        world.do(agreements.tick, actor, booking, item, **named)


def approve(world, booking):
    world.do(deciding.decide, world.hana, booking, approved=True)


def found(world, booking):
    return world.ask(bookings.find, world.cora, booking)


def given(world, booking):
    query = select(EVENT.c.id).where(EVENT.c.type == "agreement.given", EVENT.c.subject_id == booking)
    return len(world.ask(lambda c: c.execute(query).all()))


def test_the_last_open_item_confirms_an_approved_stay(world, held):
    approve(world, held)
    tick(world, world.bob, held, *GUESTS)
    assert found(world, held).state == "approved"
    tick(world, world.hana, held, "contact", answer="Metka, 01 234 56 78")
    booking = found(world, held)
    assert (booking.state, booking.sequence, booking.open_items) == ("confirmed", 1, ())
    assert given(world, held) == 4


def test_ticked_while_held_the_approval_confirms(world, held):
    tick(world, world.bob, held, *GUESTS)
    tick(world, world.hana, held, "contact", answer="Metka")
    assert found(world, held).state == "held"
    approve(world, held)
    assert found(world, held).state == "confirmed"


def test_what_was_agreed_is_kept_with_the_terms_the_answer_the_name_and_the_time(world, held):
    tick(world, world.bob, held, "confidentiality", "interest")
    tick(world, world.hana, held, "contact", answer="Metka")
    world.rules(checklist=())
    kept = {each.item: each for each in found(world, held).agreements}
    texts = {item.key: item.text for item in USUAL_CHECKLIST}
    assert kept["confidentiality"].statement == f"{texts['confidentiality']}\n\nNothing of open tenders."
    assert kept["interest"].statement == texts["interest"], "the terms go with confidentiality alone"
    assert (kept["contact"].answer, kept["contact"].by) == ("Metka", "Hana Vidmar")
    assert kept["contact"].agreed_at is not None


@pytest.mark.parametrize(
    ("name", "item"), [("hana", "interest"), ("cora", "interest"), ("bob", "contact"), ("cora", "contact")]
)
def test_only_the_one_whom_it_concerns_agrees(world, held, name, item):
    with pytest.raises(NotAllowed):
        tick(world, getattr(world, name), held, item, answer="Me")
    assert found(world, held).agreements == ()


@pytest.mark.parametrize("name", ["charlie", "alice", "bea"])
def test_to_a_stranger_there_is_no_such_booking(world, held, name):
    with pytest.raises(NotFound):
        tick(world, getattr(world, name), held, "interest")


def test_again_nothing_changes(world, held):
    tick(world, world.hana, held, "contact", answer="Metka")
    tick(world, world.hana, held, "contact", answer="Someone else")
    assert [each.answer for each in found(world, held).agreements] == ["Metka"]
    assert given(world, held) == 1


def test_an_item_that_is_not_on_the_list(world, held):
    with pytest.raises(NotFound, match="no such item"):
        tick(world, world.bob, held, "parking")


@pytest.mark.parametrize("answer", ["", "   ", "x" * 401])
def test_the_contact_person_is_named(world, held, answer):
    with pytest.raises(Invalid) as caught:
        tick(world, world.hana, held, "contact", answer=answer)
    assert [error.field for error in caught.value.errors] == ["answer_contact"]


def test_a_booking_that_has_changed_or_ended_is_not_agreed_to(world, held):
    with pytest.raises(Moved):
        tick(world, world.bob, held, "interest", version=99)
    world.do(taking_back.take_back, world.bob, held)
    with pytest.raises(Conflict):
        tick(world, world.bob, held, "interest")


def test_guest_and_host_agree_at_the_same_moment(world, held, database_url):
    tick(world, world.bob, held, "confidentiality", "interest")
    approve(world, held)

    def agree(actor, item):
        database = Database(database_url)
        try:
            database.write_now(lambda tx: agreements.tick(tx, actor, held, item, answer="Metka"))
        except DomainError as error:
            return type(error).__name__
        finally:
            database.close()
        return "done"

    who = [(world.bob, "insurance"), (world.hana, "contact")] * 3
    with ThreadPoolExecutor(len(who)) as pool:
        answers = list(pool.map(lambda each: agree(*each), who))
    booking = found(world, held)
    assert (booking.state, booking.sequence) == ("confirmed", 1)
    assert set(answers) == {"done"}
    assert given(world, held) == 4
    actions = [step.action for step in world.ask(bookings.steps, held)]
    assert actions.count("confirm") == 1
