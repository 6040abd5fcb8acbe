"""The rules of a programme's exchanges: what is usual, what can be decided, and what becomes of bookings then."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from app.database import Database
from app.errors import DomainError, Invalid, Moved, NotAllowed
from app.services import asking, booking_clock, bookings, deciding, exchange_rules
from app.services.exchange_rules import Item
from app.services.home_managers import Manager


def rules(world):
    return world.ask(exchange_rules.find, world.programme_id)


def test_without_a_word_the_usual_rules_hold(world):
    usual = rules(world)
    assert (usual.approvals, usual.in_order, usual.version) == (("manager", "host", "coordinator"), True, 0)
    assert (usual.hold_days, usual.offer_days, usual.link_days) == (14, 3, 7)
    assert usual.zone == "Europe/Ljubljana"


def test_what_is_changed_stays_and_the_rest_as_it_was(world):
    world.rules(approvals=("host",), hold_days=3)
    world.rules(in_order=False, checklist=(Item("badge", "host", "A badge waits at the door."),))
    found = rules(world)
    assert (found.approvals, found.hold_days, found.in_order, found.version) == (("host",), 3, False, 2)
    assert [item.text for item in found.checklist] == ["A badge waits at the door."]
    assert world.ask(exchange_rules.find, world.other_programme_id).version == 0


@pytest.mark.parametrize("name", ["alice", "fay", "sam", "olga", "charlie", "hana"])
def test_only_coordinators_change_them(world, name):
    with pytest.raises(NotAllowed):
        world.do(exchange_rules.set_rules, getattr(world, name), world.programme, hold_days=3)


def test_of_two_changes_the_second_hears_of_the_first(world):
    world.do(exchange_rules.set_rules, world.cora, world.programme, version=0, hold_days=3)
    with pytest.raises(Moved):
        world.do(exchange_rules.set_rules, world.cora, world.programme, version=0, hold_days=4)
    assert rules(world).hold_days == 3


def test_of_two_changes_at_once_one_is_told_of_the_other(world):
    other = Database(world.database.url.render_as_string(hide_password=False))
    programme = world.programme

    def one(database, days):
        try:
            return database.write_now(
                lambda tx: exchange_rules.set_rules(tx, world.cora, programme, version=0, hold_days=days)
            ).hold_days
        except DomainError as error:
            return type(error)

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(one, (world.database, other), (3, 4)))
    other.close()
    assert Moved in answers
    assert rules(world).hold_days in answers


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"hold_days": 0}, "hold_days"),
        ({"hold_days": 91}, "hold_days"),
        ({"offer_days": 31}, "offer_days"),
        ({"link_days": 0}, "link_days"),
        ({"remind_days": 0}, "remind_days"),
        ({"way": "lottery"}, "way"),
        ({"aim": "fun"}, "aim"),
        ({"approvals": ("king",)}, "approvals"),
        ({"approvals": ("host", "host")}, "approvals"),
        ({"country": "XX"}, "country"),
        ({"region": "x" * 11}, "region"),
        ({"region": "B\0"}, "region"),
        ({"zone": "Europe/Atlantis"}, "zone"),
        ({"zone": "../../etc/passwd"}, "zone"),
        ({"zone": ""}, "zone"),
        ({"checklist": (Item("a", "guest", "x"),) * 2}, "checklist"),
        ({"checklist": tuple(Item(str(n), "guest", "x") for n in range(13))}, "checklist"),
        ({"checklist": (Item("a", "king", "x"),)}, "checklist/0/party"),
        ({"checklist": (Item("a", "guest", ""),)}, "checklist/0/text"),
        ({"checklist": (Item("", "guest", "x"),)}, "checklist/0/key"),
    ],
)
def test_what_cannot_be_is_named(world, changes, field):
    with pytest.raises(Invalid) as caught:
        world.rules(**changes)
    assert [error.field for error in caught.value.errors] == [field]
    assert rules(world).version == 0


def test_who_decides_next_goes_by_the_order_given():
    in_order = exchange_rules.Rules(1, approvals=("host", "manager"))
    assert in_order.asked([]) == ("host",)
    assert in_order.asked(["host"]) == ("manager",)
    assert in_order.asked(["manager"]) == ("host",)
    assert in_order.asked(["host", "manager"]) == ()
    at_once = exchange_rules.Rules(1, approvals=("host", "manager"), in_order=False)
    assert at_once.asked([]) == ("host", "manager")


def test_bookings_on_their_way_go_on_by_the_new_rules(world):
    placement = world.placement()
    period = world.periods(placement)[0].id
    booking = world.do(
        asking.ask, world.bob, placement, period_id=period, manager=Manager(world.bea.person_id)
    )
    world.do(deciding.decide, world.bea, booking, approved=True)
    world.rules(approvals=("manager",))
    assert world.do(booking_clock.settle, booking) == "cleared"
    assert world.ask(bookings.find, world.bob, booking).state == "approved"
    world.rules(checklist=())
    assert world.do(booking_clock.settle, booking) == "confirmed"
    assert world.ask(bookings.find, world.bob, booking).state == "confirmed"
