"""Exchanges of the demo: the events lead to the rows, nobody is in two places, and nothing of it is overdue."""

from collections import Counter
from datetime import UTC, datetime

from app.demo import plot, story
from app.methods import booking_machine as machine
from app.models import (
    Agreement,
    Booking,
    BookingStep,
    Event,
    Membership,
    Period,
    Placement,
    Reflection,
    Wish,
)
from app.models.base import table

NOW = datetime(2026, 5, 6, 10, 30, tzinfo=UTC)


class Row:
    def __init__(self, values):
        self.__dict__.update(values)


def played():
    rows = plot.play(story.read(), scale=1, now=NOW, base_url="http://demo.test").rows
    return {model: [Row(values) for values in rows[table(model)]] for model in MODELS}


MODELS = (Agreement, Booking, BookingStep, Event, Membership, Period, Placement, Reflection, Wish)


def test_the_events_lead_to_the_states():
    rows = played()
    traced = machine.replay(sorted(rows[Event], key=lambda event: event.id))
    assert {id: found.state for id, found in traced.items()} == {row.id: row.state for row in rows[Booking]}
    states = Counter(row.state for row in rows[Booking])
    assert {"held", "waiting", "approved", "confirmed", "under_way", "reflected", "declined"} <= states.keys()


def test_no_place_is_given_twice_and_nobody_is_in_two_places():
    rows = played()
    periods = {period.id: period for period in rows[Period]}
    holding = [row for row in rows[Booking] if row.state in machine.HOLDING]
    for period_id, taken in Counter(row.period_id for row in holding).items():
        assert taken <= periods[period_id].places
    for one in holding:
        others = [row for row in holding if row.person_id == one.person_id and row.id != one.id]
        assert not [row for row in others if row.first_day <= one.last_day and row.last_day >= one.first_day]


def test_whoever_waits_has_no_free_place_and_nothing_held_has_lapsed():
    rows = played()
    for row in rows[Booking]:
        if row.state == "waiting":
            taken = [each for each in rows[Booking] if each.period_id == row.period_id]
            places = next(period.places for period in rows[Period] if period.id == row.period_id)
            assert sum(each.state in machine.HOLDING for each in taken) >= places
        if row.state == "held":
            assert row.expires_at > NOW


def test_guests_go_to_the_other_sector():
    rows = played()
    sectors = {row.organisation_id: row.sector_id for row in rows[Membership]}
    hosts = {row.id: row.organisation_id for row in rows[Placement]}
    for row in rows[Booking]:
        assert sectors[hosts[row.placement_id]] != row.sector_id


def test_confirmed_stays_have_their_checklist_and_reflected_ones_both_sides():
    rows = played()
    for row in rows[Booking]:
        agreed = [each for each in rows[Agreement] if each.booking_id == row.id]
        assert len(agreed) == (4 if row.confirmed_at else 0)
        sides = {each.party for each in rows[Reflection] if each.booking_id == row.id}
        assert sides == ({"guest", "host"} if row.state == "reflected" else set())
