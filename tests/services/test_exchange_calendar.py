"""The calendar of exchanges: weeks by hosts, with closing days."""

from datetime import date, timedelta

import pytest

from app.errors import Invalid, NotAllowed
from app.lib import clock
from app.services import exchange_calendar


def calendar(world, actor=None, start=None):
    asked = {"start": start, "now": clock.now(), "language": "en"}
    return world.ask(exchange_calendar.of, actor or world.bob, world.programme, **asked)


def test_a_window_shows_in_each_of_its_weeks_with_what_is_free_then(world):
    first, last = world.week(4)[0], world.week(6)[1]
    world.placement(
        world.henk,
        periods=[{"first_day": first, "last_day": last, "is_window": True, "places": 2}],
    )
    found = calendar(world, start=first)
    (host,) = found.hosts
    shown = [[period.first_day for _, period in offers] for offers in host.offers]
    assert shown[:4] == [[first], [first + timedelta(weeks=1)], [first + timedelta(weeks=2)], []]
    assert [week.first_day for week, _ in found.weeks[:2]] == [first, first + timedelta(weeks=1)]
    assert (found.earlier, found.later) == (first - timedelta(weeks=12), first + timedelta(weeks=12))
    with pytest.raises(NotAllowed):
        calendar(world, world.charlie)


def test_closing_days_are_looked_at_for_two_years_at_the_most(world):
    def found(first, last, actor=world.bob):
        return world.ask(
            exchange_calendar.closing_days_of,
            actor,
            world.programme,
            first,
            last,
            now=clock.now(),
            language="en",
        )

    year = date(2026, 1, 1), date(2026, 12, 31)
    assert date(2026, 5, 1) in [each.day for each in found(*year)]
    assert found(None, None)
    for last in (date(2025, 12, 31), date(2028, 1, 3)):
        with pytest.raises(Invalid):
            found(date(2026, 1, 1), last)
    with pytest.raises(NotAllowed):
        found(*year, world.charlie)
