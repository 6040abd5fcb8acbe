"""The calendar and the overview of exchanges, as the API gives them."""

from datetime import date, datetime

from pydantic import Field

from app.schemas.base import Given
from app.schemas.bookings import Role, State


class ClosingDayItem(Given):
    """A day on which offices are closed."""

    day: date
    name: str = Field(description="Why, in the caller's language where it is known.")


class ClosingDayList(Given):
    """A page of closing days, in order."""

    items: list[ClosingDayItem]
    next: str | None


class CalendarWeek(Given):
    """A week from Monday to Sunday."""

    first_day: date
    last_day: date
    closing_days: list[ClosingDayItem]


class CalendarOffer(Given):
    """Days that a host offers in a week and that can still be asked for."""

    week: int = Field(description="Which of `weeks`, counting from 0.")
    placement: int
    title: str
    period: int
    first_day: date = Field(description="Of a window its part in the week.")
    last_day: date
    is_window: bool
    places: int
    free: int
    waiting: int


class CalendarHost(Given):
    """A host with what it offers in these weeks."""

    organisation: int
    name: str
    sector: str
    offers: list[CalendarOffer]


class CalendarItem(Given):
    """Weeks by hosts, with what is free."""

    programme: int
    url: str = Field(description="The page for people.")
    weeks: list[CalendarWeek]
    hosts: list[CalendarHost] = Field(description="By name; those that offer anything in these weeks.")


class WeekItem(Given):
    """How full a week is."""

    first_day: date
    last_day: date
    places: int
    taken: int
    waiting: int = Field(description="People who wait for days in it.")


class StuckItem(Given):
    """A stay that waits, and for whom."""

    id: int
    url: str = Field(description="The page for people.")
    placement: int
    title: str = Field(description="The placement's.")
    guest: str
    first_day: date
    last_day: date
    state: State
    awaited: list[Role]
    updated_at: datetime


class ToReviewItem(Given):
    """A placement that waits for a coordinator's review."""

    id: int
    url: str = Field(description="The page for people.")
    title: str
    host: str


class BalanceItem(Given):
    """Stays from one sector to another."""

    home: str
    host: str
    asked: int = Field(description="Those that are asked for.")
    settled: int = Field(description="Those that are confirmed, under way or over.")


class OverviewItem(Given):
    """What a coordinator looks at."""

    programme: int
    url: str = Field(description="The page for people.")
    weeks: list[WeekItem]
    stuck: list[StuckItem] = Field(description="What waited longest, the oldest first.")
    waiting: list[StuckItem] = Field(description="Who waits in line, by days.")
    to_review: list[ToReviewItem]
    directions: list[BalanceItem]
    imbalance: int = Field(
        description="By how many settled stays the fullest direction is ahead of its way back."
    )
