"""Stays as calendars have them: in a feed that is read again and again, or in a letter that says it once."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import and_, or_
from sqlalchemy.engine import Connection
from sqlalchemy.sql import ColumnElement

from app.lib.ical import Status
from app.methods.booking_machine import (
    APPROVED,
    CANCELLED,
    COMPLETED,
    CONFIRMED,
    HELD,
    REFLECTED,
    UNDER_WAY,
)
from app.models import Booking, Placement
from app.models.base import table
from app.models.exchange import GUEST, HOST, MANAGER
from app.policies.actor import Actor
from app.services import booking_steps, bookings

BOOKING = table(Booking)
PLACEMENT = table(Placement)

TENTATIVE: Final = (HELD, APPROVED)
FIRM: Final = (CONFIRMED, UNDER_WAY, COMPLETED, REFLECTED)

KEPT: Final = timedelta(days=400)
"""How long a stay that is over stands in a feed."""

CANCELLED_FOR: Final = timedelta(days=90)
"""How long a cancelled stay stands in a feed as cancelled, so that calendars which keep what they have read drop it."""

GOES, COMES = "goes", "comes"


@dataclass(frozen=True, slots=True)
class Entry:
    """A stay as one calendar has it: its owner `goes`, or someone `comes` to them or goes for them (`guest`).

    `is_own`: the calendar's owner is the guest, and so away meanwhile. Nothing of the message or of the manager.
    """

    booking_id: int
    uid: str
    sequence: int
    status: Status
    way: str
    is_own: bool
    guest: str
    organisation: str
    host: str
    placement: str
    place: str
    contact: str
    first_day: date
    last_day: date
    created_at: datetime
    updated_at: datetime


def in_calendars(today: date, now: datetime) -> ColumnElement[bool]:
    """The condition that a booking stands in a feed now."""
    is_kept_as_cancelled = and_(
        BOOKING.c.state == CANCELLED,
        BOOKING.c.confirmed_at.is_not(None),
        BOOKING.c.updated_at > now - CANCELLED_FOR,
    )
    return and_(
        BOOKING.c.last_day >= today - KEPT,
        or_(BOOKING.c.state.in_((*TENTATIVE, *FIRM)), is_kept_as_cancelled),
    )


def of_rows(rows: Iterable[Any], *, person_id: int, organisation_id: int | None) -> tuple[Entry, ...]:
    """Rows of `bookings.selection` as entries of an organisation's calendar, or else of a person's."""
    return tuple(
        _entry(
            row,
            way=COMES if _comes(row, person_id, organisation_id) else GOES,
            is_own=organisation_id is None and row.person_id == person_id,
        )
        for row in rows
    )


def invited(connection: Connection, reader: Actor, booking_id: int, method: str) -> Entry | None:
    """What a letter by `method` (REQUEST or CANCEL) does to its reader's calendar, if it still says what is true.

    Only to those who were invited: the guest, the hosts, the manager.

    :raises NotFound: there is no such booking
    """
    booking = booking_steps.found(connection, booking_id)
    is_firm = booking.state in FIRM
    if is_firm != (method == "REQUEST") or not {GUEST, HOST, MANAGER} & set(
        bookings.roles_of(reader, booking)
    ):
        return None
    is_guest = reader.person_id == booking.person_id
    has_come = not is_guest and HOST in bookings.roles_of(reader, booking)
    return _entry(booking, way=COMES if has_come else GOES, is_own=is_guest)


def _comes(row: Any, person_id: int, organisation_id: int | None) -> bool:
    return bool(row.person_id != person_id if organisation_id is None else row.host_id == organisation_id)


def _entry(row: Any, *, way: str, is_own: bool) -> Entry:
    return Entry(
        booking_id=row.id,
        uid=row.uid,
        sequence=row.sequence,
        status=_status(row.state),
        way=way,
        is_own=is_own,
        guest=row.guest,
        organisation=row.organisation,
        host=row.host,
        placement=row.placement_title,
        place=row.placement_place,
        contact=row.contact,
        first_day=row.first_day,
        last_day=row.last_day,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _status(state: str) -> Status:
    if state in FIRM:
        return "CONFIRMED"
    return "TENTATIVE" if state in TENTATIVE else "CANCELLED"
