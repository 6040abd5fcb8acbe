"""The market of a match: what the method takes, from the rows of a programme."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import exists, select
from sqlalchemy.engine import Connection
from sqlalchemy.sql import ColumnElement

from app.lib.days import Span
from app.methods import capacity
from app.methods.booking_machine import HOLDING, LIVE
from app.methods.exchange_market import Earlier, Guest, Market, Offer, Wish
from app.models import (
    Booking,
    ConflictOfInterest,
    Membership,
    Organisation,
    Period,
    Person,
    Placement,
    Preference,
    Sector,
    WishList,
)
from app.models import Wish as WishRow
from app.models.base import table
from app.services import placements, wishes
from app.services.placements import PeriodView

BOOKING = table(Booking)
CONFLICT = table(ConflictOfInterest)
MEMBERSHIP = table(Membership)
ORGANISATION = table(Organisation)
PERIOD = table(Period)
PERSON = table(Person)
PLACEMENT = table(Placement)
PREFERENCE = table(Preference)
SECTOR = table(Sector)
WISH = table(WishRow)
WISH_LIST = table(WishList)
HOST_SECTOR = SECTOR.alias("host_sector")
HOST = ORGANISATION.alias("host")

IS_SERVED: Final[ColumnElement[bool]] = exists().where(
    BOOKING.c.person_id == WISH_LIST.c.person_id,
    BOOKING.c.programme_id == WISH_LIST.c.programme_id,
    BOOKING.c.match_id.is_not(None),
    BOOKING.c.state.in_(LIVE),
)
"""Whom a match has given a place: other runs are for those who are left, until that stay is over."""


def of(connection: Connection, programme_id: int, span: Span, today: date) -> Market:
    """What can be matched within `span`, after `today`. Eight statements, whatever the size of the programme."""
    return Market(
        offers=tuple(_offers(connection, programme_id, span, today)),
        guests=tuple(_guests(connection, programme_id)),
        weeks=tuple(week for week in span.working_weeks() if week.first_day > today),
        earlier=tuple(_earlier(connection, programme_id)),
    )


def key_of(period_id: int, stay: Span) -> str:
    """The key of an offer: a period, and the days in it."""
    return f"{period_id}:{stay.first_day.isoformat()}:{stay.last_day.isoformat()}"


def offer_of(key: str) -> tuple[int, Span]:
    """What `key_of` wrote: a period's id, and days.

    :raises ValueError: it is no such key
    """
    period_id, first_day, last_day = key.split(":")
    return int(period_id), Span(date.fromisoformat(first_day), date.fromisoformat(last_day))


def periods(connection: Connection, keys: Sequence[str]) -> dict[str, Any]:
    """What offers are of, by their keys: placement_id, title, language. One statement."""
    by_period = {offer_of(key)[0]: key for key in keys}
    rows = connection.execute(
        select(PERIOD.c.id, PLACEMENT.c.id.label("placement_id"), PLACEMENT.c.title, PLACEMENT.c.language)
        .join(PLACEMENT, PLACEMENT.c.id == PERIOD.c.placement_id)
        .where(PERIOD.c.id.in_(sorted(by_period)))
    )
    found = {row.id: row for row in rows}
    return {key: found[offer_of(key)[0]] for key in keys if offer_of(key)[0] in found}


def named(explanations: Iterable[Mapping[str, Any]]) -> list[str]:
    """The keys of the offers that explanations name, each once."""
    found: dict[str, None] = {}
    for explanation in explanations:
        reasons = [each for missed in explanation["missed"] for each in missed["reasons"]]
        keys = [key for each in reasons for key in each["values"].get("offers", ())]
        found |= dict.fromkeys([*keys, *explanation["free"]])
    return list(found)


def _offers(connection: Connection, programme_id: int, span: Span, today: date) -> Iterator[Offer]:
    rows = connection.execute(
        select(
            PERIOD,
            PLACEMENT.c.organisation_id,
            PLACEMENT.c.open_to,
            PLACEMENT.c.competencies,
            PLACEMENT.c.least_days,
            PLACEMENT.c.most_days,
            SECTOR.c.key.label("sector"),
        )
        .join(PLACEMENT, PLACEMENT.c.id == PERIOD.c.placement_id)
        .join(ORGANISATION, ORGANISATION.c.id == PLACEMENT.c.organisation_id)
        .join(SECTOR, SECTOR.c.id == ORGANISATION.c.sector_id)
        .where(
            PERIOD.c.programme_id == programme_id,
            PERIOD.c.withdrawn_at.is_(None),
            PERIOD.c.first_day <= span.last_day,
            PERIOD.c.last_day >= span.first_day,
            PLACEMENT.c.published_at.is_not(None),
            PLACEMENT.c.withdrawn_at.is_(None),
        )
        .order_by(PERIOD.c.id)
    ).all()
    taken, _ = placements.stays(connection, [row.id for row in rows])
    preferred = _preferred(connection, programme_id)
    for row in rows:
        period = placements.period_view(row, taken.get(row.id, ()))
        for stay in _stays(period, row, span, today):
            places = free(period, stay)
            if places > 0:
                yield Offer(
                    key=key_of(row.id, stay),
                    placement=row.placement_id,
                    organisation=row.organisation_id,
                    sector=row.sector,
                    span=stay,
                    places=places,
                    period=row.id,
                    open_to=row.open_to,
                    preferences=tuple(preferred.get(row.placement_id, ())),
                    competencies=frozenset(placements.folded(name) for name in row.competencies),
                )


def free(period: PeriodView, stay: Span) -> int:
    """How many places are free on every day of a stay."""
    return max(0, period.places - capacity.most_taken(stay, period.taken))


def _stays(period: PeriodView, row: Any, span: Span, today: date) -> Iterator[Span]:
    """The stays that a period offers: itself; of a window, from Monday on as many as lie in it one after another."""
    if not period.is_window:
        if span.holds(period.span) and period.first_day > today:
            yield period.span
        return
    days = max(min(row.most_days, WORKING_DAYS), row.least_days)
    free_from = today + timedelta(days=1)
    for week in period.span.weeks():
        stay = Span(week.first_day, week.first_day + timedelta(days=days - 1))
        if stay.first_day >= free_from and period.span.holds(stay) and span.holds(stay):
            yield stay
            free_from = stay.last_day + timedelta(days=1)


WORKING_DAYS: Final = 5


def _guests(connection: Connection, programme_id: int) -> Iterator[Guest]:
    wished = _by_person(
        connection.execute(select(WISH).where(WISH.c.programme_id == programme_id).order_by(WISH.c.rank))
    )
    declared = _by_person(connection.execute(select(CONFLICT).where(CONFLICT.c.programme_id == programme_id)))
    takes_part = select(WISH_LIST.c.person_id).where(WISH_LIST.c.programme_id == programme_id)
    # Of all programmes: nobody is in two places at once.
    away = _by_person(
        connection.execute(
            select(BOOKING.c.person_id, BOOKING.c.first_day, BOOKING.c.last_day).where(
                BOOKING.c.state.in_(HOLDING), BOOKING.c.person_id.in_(takes_part)
            )
        )
    )
    rows = connection.execute(
        select(
            WISH_LIST.c.person_id,
            WISH_LIST.c.unavailable,
            WISH_LIST.c.offers_desk,
            MEMBERSHIP.c.organisation_id,
            SECTOR.c.key.label("sector"),
        )
        .join(
            MEMBERSHIP,
            (MEMBERSHIP.c.person_id == WISH_LIST.c.person_id)
            & (MEMBERSHIP.c.programme_id == WISH_LIST.c.programme_id)
            & MEMBERSHIP.c.ended_at.is_(None)
            & (MEMBERSHIP.c.role != "observer"),
        )
        .join(PERSON, (PERSON.c.id == WISH_LIST.c.person_id) & PERSON.c.disabled_at.is_(None))
        .join(SECTOR, SECTOR.c.id == MEMBERSHIP.c.sector_id)
        .where(WISH_LIST.c.programme_id == programme_id, ~IS_SERVED)
        .order_by(WISH_LIST.c.person_id)
    )
    for row in rows:
        own = away.get(row.person_id, ())
        yield Guest(
            person=row.person_id,
            organisation=row.organisation_id,
            sector=row.sector,
            wishes=tuple(_wish(each) for each in wished.get(row.person_id, ())),
            unavailable=(
                *wishes.spans_of(row.unavailable),
                *(Span(each.first_day, each.last_day) for each in own),
            ),
            conflicts=frozenset(each.organisation_id for each in declared.get(row.person_id, ())),
            offers_desk=bool(row.offers_desk),
        )


def _wish(row: Any) -> Wish:
    has_days = row.first_day is not None or row.last_day is not None
    span = Span(row.first_day or date.min, row.last_day or date.max) if has_days else None
    return Wish(
        placement=row.placement_id,
        organisation=row.organisation_id,
        competency=placements.folded(row.competency) if row.competency else None,
        period=row.period_id,
        within=(span,) if span else (),
    )


def _preferred(connection: Connection, programme_id: int) -> dict[int, list[int]]:
    rows = connection.execute(
        select(PREFERENCE.c.placement_id, PREFERENCE.c.person_id)
        .where(PREFERENCE.c.programme_id == programme_id)
        .order_by(PREFERENCE.c.placement_id, PREFERENCE.c.rank)
    )
    found: dict[int, list[int]] = {}
    for placement_id, person_id in rows:
        found.setdefault(placement_id, []).append(person_id)
    return found


def _earlier(connection: Connection, programme_id: int) -> Iterator[Earlier]:
    rows = connection.execute(
        select(BOOKING.c.organisation_id, SECTOR.c.key, HOST_SECTOR.c.key)
        .join(PLACEMENT, PLACEMENT.c.id == BOOKING.c.placement_id)
        .join(HOST, HOST.c.id == PLACEMENT.c.organisation_id)
        .join(SECTOR, SECTOR.c.id == BOOKING.c.sector_id)
        .join(HOST_SECTOR, HOST_SECTOR.c.id == HOST.c.sector_id)
        .where(BOOKING.c.programme_id == programme_id, BOOKING.c.state.in_(HOLDING))
        .order_by(BOOKING.c.id)
    )
    yield from (Earlier(*row) for row in rows)


def _by_person(rows: Iterable[Any]) -> dict[int, Sequence[Any]]:
    found: dict[int, list[Any]] = {}
    for row in rows:
        found.setdefault(row.person_id, []).append(row)
    return dict(found)
