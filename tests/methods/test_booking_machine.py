"""The table of states: what leads where, and that events which could not have happened are not believed."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from app.methods import booking_machine as machine
from app.methods.booking_machine import ENDED, HOLDING, LIVE, STATES, TABLE, Impossible
from app.services.events import TYPES


@dataclass
class Row:
    """An event as the log has it."""

    id: int
    type: str
    subject_id: int
    data: dict[str, Any] = field(default_factory=dict)


def event(id, type, source, target, *, booking=1, period=1, days=("2027-05-03", "2027-05-07")):
    first_day, last_day = days
    data = {"from": source, "to": target, "period": period, "first_day": first_day, "last_day": last_day}
    return Row(id, type, booking, data)


def reached(sources):
    """Where the table leads from `sources`, in any number of steps."""
    found = set(sources)
    while more := {t for each in TABLE for t in each.targets if found & set(each.sources)} - found:
        found |= more
    return found


def test_every_state_can_be_reached_and_none_is_unknown():
    assert reached({"asked"}) == {"asked", *STATES}
    for each in TABLE:
        assert set(each.sources) <= {"asked", *STATES}
        assert set(each.targets) <= set(STATES)


def test_what_has_ended_stays_so():
    for state in (*ENDED, "reflected"):
        assert not any(state in each.sources for each in TABLE), state


def test_what_has_ended_holds_no_place_and_from_each_live_state_it_can_end():
    assert not set(ENDED) & set(HOLDING)
    assert not set(ENDED) & set(LIVE)
    for state in LIVE:
        assert reached({state}) & set(ENDED), state


def test_each_event_of_the_table_is_known_to_the_log():
    assert machine.EVENTS <= TYPES


def test_a_confirmed_stay_was_approved_first():
    assert {s for each in TABLE if "confirmed" in each.targets for s in each.sources} == {"approved"}
    assert {s for each in TABLE if "approved" in each.targets for s in each.sources} == {"held"}


def test_a_step_is_found_by_its_state_and_target():
    assert machine.step("move", "waiting", "waiting").event == "booking.moved"
    assert machine.step("move", "confirmed").targets == ("held",)
    assert machine.step("approve", "held", "approved").action == "approve"


@pytest.mark.parametrize(
    ("action", "source", "target"),
    [
        ("confirm", "held", None),
        ("approve", "waiting", None),
        ("accept", "held", None),
        ("withdraw", "confirmed", None),
        ("expire", "confirmed", None),
        ("move", "offered", None),
        ("move", "held", "waiting"),
        ("dance", "held", None),
    ],
)
def test_what_the_table_does_not_have_is_impossible(action, source, target):
    with pytest.raises(Impossible):
        machine.step(action, source, target)


def test_a_role_may_be_asked_for():
    assert machine.can("withdraw", "held", "guest")
    assert not machine.can("withdraw", "held", "host")
    assert machine.can("cancel", "held", "host")
    assert not machine.can("cancel", "held", "guest")
    assert machine.can("cancel", "confirmed", "guest")


def test_events_lead_to_states_days_and_places_in_line():
    later = ("2027-05-10", "2027-05-14")
    traced = machine.replay(
        [
            event(3, "booking.held", "asked", "held"),
            event(4, "booking.queued", "asked", "waiting", booking=2),
            Row(5, "booking.reminded", 1),
            event(6, "booking.moved", "held", "held", period=2, days=later),
            event(7, "booking.offered", "waiting", "offered", booking=2),
        ]
    )
    assert traced[1] == machine.Traced("held", 2, *later, 3)
    assert (traced[2].state, traced[2].line) == ("offered", 4)


@pytest.mark.parametrize(
    "events",
    [
        [event(1, "booking.confirmed", "approved", "confirmed")],
        [event(1, "booking.held", "asked", "held"), event(2, "booking.accepted", "offered", "held")],
        [event(1, "booking.held", "asked", "held"), event(2, "booking.confirmed", "held", "confirmed")],
        [event(1, "booking.held", "asked", "held"), event(2, "booking.held", "asked", "held")],
        [event(1, "booking.held", "asked", "waiting")],
    ],
)
def test_events_that_cannot_have_happened_are_not_believed(events):
    with pytest.raises(Impossible):
        machine.replay(events)
