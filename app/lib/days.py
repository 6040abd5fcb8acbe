"""Days without a clock time: spans of them, the weeks they touch, and where in time a day begins."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

FIRST_YEAR: Final = 1970
LAST_YEAR: Final = 9998
"""The years that a written day may be of: each has a week before and after it."""

_WRITTEN: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Whole days from the first to the last, both of them included. Spans sort by their first day.

    :raises ValueError: the last day is before the first
    """

    first_day: date
    last_day: date

    def __post_init__(self) -> None:
        if self.last_day < self.first_day:
            raise ValueError("the last day is before the first")

    def __contains__(self, day: date) -> bool:
        return self.first_day <= day <= self.last_day

    @property
    def days(self) -> int:
        """How many days, at least one."""
        return (self.last_day - self.first_day).days + 1

    def overlaps(self, other: "Span") -> bool:
        """Whether the two have a day in common."""
        return self.first_day <= other.last_day and other.first_day <= self.last_day

    def holds(self, other: "Span") -> bool:
        """Whether every day of `other` is one of this span."""
        return self.first_day <= other.first_day and other.last_day <= self.last_day

    def weeks(self) -> Iterator["Span"]:
        """The weeks that this span touches, whole, from Monday to Sunday, in order."""
        week = week_of(self.first_day)
        while week.first_day <= self.last_day:
            yield week
            week = Span(week.first_day + timedelta(weeks=1), week.last_day + timedelta(weeks=1))

    def working_weeks(self) -> tuple["Span", ...]:
        """The spans from Monday to Friday that lie wholly inside, in order."""
        fridays = (Span(week.first_day, week.last_day - timedelta(days=2)) for week in self.weeks())
        return tuple(working for working in fridays if self.holds(working))


def week_of(day: date) -> Span:
    """The week from Monday to Sunday that `day` is in: an ISO week, also over a year's end."""
    monday = day - timedelta(days=day.isoweekday() - 1)
    return Span(monday, monday + timedelta(days=6))


def today(zone_name: str, now: datetime) -> date:
    """The day that people in the zone have at the aware instant `now`.

    :raises ValueError: `now` has no zone
    :raises ZoneInfoNotFoundError: there is no such zone
    """
    if now.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return now.astimezone(ZoneInfo(zone_name)).date()


def begins(day: date, zone_name: str) -> datetime:
    """The instant, in UTC, at which `day` begins in the zone: its midnight, or where clocks skip it, the skip.

    :raises ZoneInfoNotFoundError: there is no such zone
    """
    return datetime.combine(day, time.min, ZoneInfo(zone_name)).astimezone(UTC)


def parse_day(text: str) -> date | None:
    """The day that `text` names as `2026-05-04`, with space around it; None if it names none that can be."""
    text = text.strip()
    if not _WRITTEN.fullmatch(text):
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if FIRST_YEAR <= day.year <= LAST_YEAR else None
