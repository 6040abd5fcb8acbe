"""What a coordinator looks at: how full the weeks are, who waits, what is stuck, and if both directions balance."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from app.lib.days import Span, week_of
from app.methods import capacity
from app.methods.booking_machine import (
    APPROVED,
    COMPLETED,
    CONFIRMED,
    HELD,
    HOLDING,
    REFLECTED,
    UNDER_WAY,
    WAITING,
)
from app.models import Booking, Organisation, Placement, Sector
from app.models.base import table
from app.policies.actor import Actor
from app.services import booking_clock, bookings, exchange_rules, placements
from app.services.bookings import BookingView
from app.services.placements import PlacementView
from app.services.programmes import SectorRef

BOOKING = table(Booking)
PLACEMENT = table(Placement)
ORGANISATION = table(Organisation)
SECTOR = table(Sector)
HOST_SECTOR = SECTOR.alias("host_sector")

WEEKS: Final = 12
"""How many weeks a console shows."""


@dataclass(frozen=True, slots=True)
class Week:
    """A week from Monday to Sunday: the places that are offered in it, how many are taken, how many people wait."""

    span: Span
    places: int
    taken: int
    waiting: int

    @property
    def share(self) -> float:
        """How full it is, from 0 to 1."""
        return self.taken / self.places if self.places else 0.0


@dataclass(frozen=True, slots=True)
class Direction:
    """Stays from one sector to another: those that are asked for, and those that are settled or have been."""

    home: SectorRef
    host: SectorRef
    asked: int
    settled: int


@dataclass(frozen=True, slots=True)
class Overview:
    """The console of a programme. `stuck` are the bookings that waited longest, oldest first."""

    weeks: tuple[Week, ...]
    stuck: tuple[BookingView, ...]
    waiting: tuple[BookingView, ...]
    to_review: tuple[PlacementView, ...]
    directions: tuple[Direction, ...]

    @property
    def imbalance(self) -> int:
        """By how many settled stays the fullest direction is ahead of its way back."""
        by_pair = {(each.home.key, each.host.key): each.settled for each in self.directions}
        return max((n - by_pair.get((host, home), 0) for (home, host), n in by_pair.items()), default=0)


def of(connection: Connection, actor: Actor, programme: Any, *, now: datetime) -> Overview:
    """The overview of a programme at the instant `now`. Six statements, whatever its size.

    :raises NotAllowed: the actor does not coordinate it
    """
    offered = placements.to_coordinate(connection, actor, programme)
    open_ones = bookings.in_programme(
        connection, actor, programme, states=(WAITING, HELD, APPROVED), limit=MOST_BOOKINGS
    )
    # Bookings bring the rules along; only where there is none they are asked for.
    rules = open_ones[0].rules if open_ones else exchange_rules.find(connection, programme.id)
    by_age = sorted(open_ones, key=lambda each: (each.updated_at, each.id))
    waiting = [each for each in open_ones if each.state == WAITING]
    published = [each for each in offered if each.is_published]
    return Overview(
        weeks=tuple(_weeks(published, waiting, rules.today(now))),
        stuck=tuple(each for each in by_age if booking_clock.is_stuck(each)),
        waiting=tuple(sorted(waiting, key=lambda each: (each.first_day, each.line_at, each.id))),
        to_review=tuple(each for each in offered if not each.is_published),
        directions=tuple(_directions(connection, programme.id)),
    )


MOST_BOOKINGS: Final = 2000


def _weeks(offered: Sequence[PlacementView], waiting: Iterable[BookingView], today: date) -> Iterable[Week]:
    """The next weeks in which anything is offered or waited for."""
    periods = [period for placement in offered for period in placement.periods]
    stays = [booking.stay for booking in waiting]
    week = week_of(today)
    for _ in range(WEEKS):
        touching = [each for each in periods if each.span.overlaps(week)]
        yield Week(
            week,
            sum(each.places for each in touching),
            sum(capacity.most_taken(week, each.taken) for each in touching),
            sum(stay.overlaps(week) for stay in stays),
        )
        week = Span(week.first_day + timedelta(weeks=1), week.last_day + timedelta(weeks=1))


def _directions(connection: Connection, programme_id: int) -> Iterable[Direction]:
    rows = connection.execute(
        select(
            SECTOR.c.key,
            SECTOR.c.name,
            HOST_SECTOR.c.key,
            HOST_SECTOR.c.name,
            BOOKING.c.state.in_(SETTLED).label("is_settled"),
            func.count(),
        )
        .select_from(BOOKING)
        .join(PLACEMENT, PLACEMENT.c.id == BOOKING.c.placement_id)
        .join(ORGANISATION, ORGANISATION.c.id == PLACEMENT.c.organisation_id)
        .join(SECTOR, SECTOR.c.id == BOOKING.c.sector_id)
        .join(HOST_SECTOR, HOST_SECTOR.c.id == ORGANISATION.c.sector_id)
        .where(BOOKING.c.programme_id == programme_id, BOOKING.c.state.in_((WAITING, *HOLDING)))
        .group_by(
            SECTOR.c.key,
            SECTOR.c.name,
            HOST_SECTOR.c.key,
            HOST_SECTOR.c.name,
            # By its name: written again, PostgreSQL takes its parameters for others.
            "is_settled",
        )
        .order_by(SECTOR.c.key, HOST_SECTOR.c.key)
    )
    found: dict[tuple[SectorRef, SectorRef], list[int]] = {}
    for home, home_name, host, host_name, is_settled, count in rows:
        pair = (SectorRef(home, home_name), SectorRef(host, host_name))
        found.setdefault(pair, [0, 0])[bool(is_settled)] += count
    return [Direction(home, host, *counts) for (home, host), counts in found.items()]


SETTLED: Final = (CONFIRMED, UNDER_WAY, COMPLETED, REFLECTED)
