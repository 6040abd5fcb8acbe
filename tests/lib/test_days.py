"""Days: both ends count, weeks go over the year's end, and a day begins where its zone says."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.lib.days import Span, begins, parse_day, today, week_of

LJUBLJANA = "Europe/Ljubljana"
some_day = st.dates(date(1990, 1, 1), date(2090, 12, 31))
spans = st.builds(
    lambda first, more: Span(first, first + timedelta(days=more)), some_day, st.integers(0, 800)
)


def day_list(span):
    return [span.first_day + timedelta(days=number) for number in range(span.days)]


def test_both_ends_count():
    assert Span(date(2026, 5, 4), date(2026, 5, 8)).days == 5
    assert Span(date(2026, 5, 4), date(2026, 5, 4)).days == 1
    assert Span(date(2026, 3, 29), date(2026, 3, 30)).days == 2
    assert Span(date(2024, 2, 28), date(2024, 3, 1)).days == 3
    assert Span(date(2026, 2, 28), date(2026, 3, 1)).days == 2


def test_an_end_before_the_start_is_refused():
    with pytest.raises(ValueError, match="before the first"):
        Span(date(2026, 5, 4), date(2026, 5, 3))


@given(spans, spans)
def test_overlapping_is_having_a_day_in_common_and_holding_is_having_all(one, other):
    assert one.overlaps(other) == bool(set(day_list(one)) & set(day_list(other)))
    assert one.holds(other) == (set(day_list(other)) <= set(day_list(one)))


@pytest.mark.parametrize(
    ("first", "last", "overlaps"),
    [(1, 3, False), (1, 4, True), (4, 8, True), (6, 6, True), (8, 12, True), (9, 12, False), (1, 30, True)],
)
def test_spans_that_touch_at_one_day_overlap_and_neighbours_do_not(first, last, overlaps):
    week = Span(date(2026, 5, 4), date(2026, 5, 8))
    other = Span(date(2026, 5, first), date(2026, 5, last))
    assert week.overlaps(other) is overlaps
    assert other.overlaps(week) is overlaps


@given(spans, some_day)
def test_a_day_is_in_a_span_or_not(span, day):
    assert (day in span) == (day in day_list(span))
    assert span.first_day in span
    assert span.last_day in span
    assert span.last_day + timedelta(days=1) not in span


@given(spans)
def test_weeks_are_the_iso_weeks_that_the_span_touches(span):
    weeks = list(span.weeks())
    assert [week.first_day.isocalendar()[:2] for week in weeks] == list(
        dict.fromkeys(day.isocalendar()[:2] for day in day_list(span))
    )
    assert all((week.first_day.isoweekday(), week.last_day.isoweekday()) == (1, 7) for week in weeks)
    assert all(week.days == 7 for week in weeks)


@given(spans)
def test_working_weeks_are_whole_and_none_is_left_out(span):
    mondays = [
        day for day in day_list(span) if day.isoweekday() == 1 and day + timedelta(days=4) <= span.last_day
    ]
    assert span.working_weeks() == tuple(Span(day, day + timedelta(days=4)) for day in mondays)


def test_a_week_may_lie_in_two_years():
    last = Span(date(2026, 12, 28), date(2027, 1, 3))
    assert last.first_day.isocalendar()[:2] == (2026, 53)
    assert week_of(date(2026, 12, 31)) == week_of(date(2027, 1, 1)) == last
    assert (
        week_of(date(2025, 12, 29)) == week_of(date(2026, 1, 4)) == Span(date(2025, 12, 29), date(2026, 1, 4))
    )
    assert date(2025, 12, 29).isocalendar()[:2] == (2026, 1)
    assert Span(date(2026, 12, 24), date(2027, 1, 6)).working_weeks() == (
        Span(date(2026, 12, 28), date(2027, 1, 1)),
    )


def test_the_29th_of_february_is_a_day_like_others():
    leap = date(2028, 2, 29)
    assert week_of(leap) == Span(date(2028, 2, 28), date(2028, 3, 5))
    assert leap in Span(date(2028, 2, 1), date(2028, 3, 1))
    assert Span(date(2028, 1, 1), date(2028, 12, 31)).days == 366


@pytest.mark.parametrize(
    ("instant", "zone", "day"),
    [
        (datetime(2026, 5, 3, 21, 59, 59, tzinfo=UTC), LJUBLJANA, date(2026, 5, 3)),
        (datetime(2026, 5, 3, 22, 0, tzinfo=UTC), LJUBLJANA, date(2026, 5, 4)),
        (datetime(2026, 1, 3, 22, 59, 59, tzinfo=UTC), LJUBLJANA, date(2026, 1, 3)),
        (datetime(2026, 1, 3, 23, 0, tzinfo=UTC), LJUBLJANA, date(2026, 1, 4)),
        (datetime(2026, 12, 31, 23, 0, tzinfo=UTC), LJUBLJANA, date(2027, 1, 1)),
        (datetime(2026, 5, 4, 3, 0, tzinfo=UTC), "America/New_York", date(2026, 5, 3)),
    ],
)
def test_today_is_the_day_of_the_zone(instant, zone, day):
    assert today(zone, instant) == day
    assert today(zone, instant.astimezone(ZoneInfo("Asia/Tokyo"))) == day


@pytest.mark.parametrize(
    ("day", "zone", "instant"),
    [
        (date(2026, 3, 29), LJUBLJANA, datetime(2026, 3, 28, 23, tzinfo=UTC)),
        (date(2026, 3, 30), LJUBLJANA, datetime(2026, 3, 29, 22, tzinfo=UTC)),
        (date(2026, 10, 25), LJUBLJANA, datetime(2026, 10, 24, 22, tzinfo=UTC)),
        (date(2026, 10, 26), LJUBLJANA, datetime(2026, 10, 25, 23, tzinfo=UTC)),
        # At midnight Lebanon's clocks go to one, and an hour after midnight Cuba's go back to midnight.
        (date(2026, 3, 29), "Asia/Beirut", datetime(2026, 3, 28, 22, tzinfo=UTC)),
        (date(2026, 11, 1), "America/Havana", datetime(2026, 11, 1, 4, tzinfo=UTC)),
    ],
)
def test_a_day_begins_at_its_midnight_also_when_clocks_change(day, zone, instant):
    assert begins(day, zone) == instant
    assert begins(day, zone).tzinfo is UTC


@given(some_day, st.sampled_from([LJUBLJANA, "UTC", "America/Havana", "Asia/Beirut", "Pacific/Auckland"]))
def test_a_day_begins_when_today_turns_to_it(day, zone):
    assert today(zone, begins(day, zone)) == day
    assert today(zone, begins(day, zone) - timedelta(seconds=1)) == day - timedelta(days=1)


def test_an_instant_without_a_zone_and_a_zone_that_is_none_are_refused():
    with pytest.raises(ValueError, match="time zone"):
        today(LJUBLJANA, datetime(2026, 5, 4))  # noqa: DTZ001
    with pytest.raises(ZoneInfoNotFoundError):
        begins(date(2026, 5, 4), "Europe/Nowhere")


@given(some_day)
def test_a_written_day_is_read(day):
    assert parse_day(f" {day.isoformat()}\n") == day


@pytest.mark.parametrize(
    "text",
    [
        *("", "2026-02-29", "2026-13-01", "1969-12-31", "0001-01-01", "9999-12-31", "-2026-05-04"),
        *(
            "20260504",
            "2026-W19-1",
            "4. 5. 2026",
            "2026-5-4",
            "2026-05-045",
            "2026-05-04T00:00",
            "2026-05-04\x00",
        ),
        "".join(chr(0x660 + int(sign)) if sign.isdigit() else sign for sign in "2026-05-04"),
    ],
)
def test_what_names_no_day_is_none(text):
    assert parse_day(text) is None
