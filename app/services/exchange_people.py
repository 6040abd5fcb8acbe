"""Whom to tell of a booking: its guest, its hosts, its manager, the coordinators."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.engine import Connection

from app.database import Transaction
from app.lib import clock
from app.models import Assignment, Membership
from app.models.base import table
from app.models.exchange import COORDINATOR, GUEST, HOST, MANAGER
from app.services import actors, decision_links, notices
from app.services.bookings import BookingView

ASSIGNMENT = table(Assignment)
MEMBERSHIP = table(Membership)


def tell(tx: Transaction, booking: BookingView, roles: Sequence[str], kind: str, **data: Any) -> None:
    """Tell those who have a part in a booking in `roles` that something of `kind` happened; nobody of what they did.

    `data` may have `reason`, and `but`: the id of the person who did it.
    """
    but = data.pop("but", None)
    people = set(_people(tx.connection, booking, roles)) - {but}
    values = {"from": booking.first_day.isoformat(), "to": booking.last_day.isoformat(), **data}
    notices.tell(tx, people, kind, programme_id=booking.programme_id, booking_id=booking.id, data=values)


def ask(tx: Transaction, booking: BookingView, roles: Sequence[str], kind: str = "booking_to_decide") -> None:
    """Ask those whose decision is due for it: by a notice, or a manager without an account by a link."""
    tell(tx, booking, roles, kind)
    if MANAGER in roles and booking.manager_id is None and booking.manager_email:
        decision_links.send(tx, booking)


def had_part(booking: BookingView) -> tuple[str, ...]:
    """Who knows of a booking besides its guest: who decided or was asked to, and the host of a confirmed one."""
    roles = {each.role for each in booking.decisions} | set(booking.asked)
    if booking.confirmed_at is not None or booking.agreements:
        roles.add(HOST)
    return tuple(role for role in (MANAGER, HOST, COORDINATOR) if role in roles)


def coordinators(connection: Connection, programme_id: int) -> list[int]:
    """The ids of a programme's coordinators. One statement."""
    rows = connection.execute(
        select(MEMBERSHIP.c.person_id).where(
            MEMBERSHIP.c.programme_id == programme_id,
            MEMBERSHIP.c.ended_at.is_(None),
            actors.holds(COORDINATOR, clock.now()),
        )
    )
    return list(rows.scalars())


def _people(connection: Connection, booking: BookingView, roles: Sequence[str]) -> list[int]:
    """The ids of those people: manager and contact person only while they are of the organisation they speak for."""
    known = [booking.person_id] if GUEST in roles else []
    if MANAGER in roles and booking.manager_id is not None:
        known += _stand_ins(connection, booking)
    if not {MANAGER, HOST, COORDINATOR} & set(roles):
        return known
    wanted = []
    if MANAGER in roles:
        named = [booking.manager_id, *_stand_ins(connection, booking)] if booking.manager_id else []
        is_named = MEMBERSHIP.c.person_id.in_(named)
        wanted.append(and_(is_named, MEMBERSHIP.c.organisation_id == booking.organisation_id))
    if HOST in roles:
        is_contact = MEMBERSHIP.c.person_id == booking.contact_id
        wanted.append(and_(is_contact, MEMBERSHIP.c.organisation_id == booking.host_id))
        wanted.append(actors.holds(HOST, clock.now(), organisation_id=booking.host_id))
    if COORDINATOR in roles:
        wanted.append(actors.holds(COORDINATOR, clock.now()))
    rows = connection.execute(
        select(MEMBERSHIP.c.person_id).where(
            MEMBERSHIP.c.programme_id == booking.programme_id, MEMBERSHIP.c.ended_at.is_(None), or_(*wanted)
        )
    )
    return [*known, *rows.scalars()]


def _stand_ins(connection: Connection, booking: BookingView) -> list[int]:
    """The ids of those at the guest's organisation who act in the manager's absence now."""
    rows = connection.execute(
        select(ASSIGNMENT.c.person_id)
        .join(
            MEMBERSHIP,
            (MEMBERSHIP.c.person_id == ASSIGNMENT.c.person_id)
            & (MEMBERSHIP.c.programme_id == ASSIGNMENT.c.programme_id)
            & MEMBERSHIP.c.ended_at.is_(None)
            & (MEMBERSHIP.c.organisation_id == booking.organisation_id),
        )
        .where(
            ASSIGNMENT.c.programme_id == booking.programme_id,
            ASSIGNMENT.c.delegated_by == booking.manager_id,
            ASSIGNMENT.c.person_id != booking.person_id,
            actors.in_force(clock.now()),
        )
    )
    return list(rows.scalars())
