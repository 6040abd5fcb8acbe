"""What someone who is erased did for others goes on without them: placements pass on, managers are named anew."""

from typing import Any

from sqlalchemy import case, or_, select, update

from app.database import Transaction, same_in_any_case
from app.methods.booking_machine import HELD, LIVE, OFFERED, WAITING
from app.models import Booking, Decision, Membership, Person, Placement
from app.models.base import table
from app.models.exchange import HOST, MANAGER
from app.policies.actor import Actor
from app.services import booking_steps, exchange_people, notices, taking_back
from app.services.erasure_of_traces import NO_ADDRESS
from app.services.events import record

BOOKING = table(Booking)
DECISION = table(Decision)
MEMBERSHIP = table(Membership)
PERSON = table(Person)
PLACEMENT = table(Placement)


def hand_over(tx: Transaction, actor: Actor | None, person_id: int) -> None:
    """Pass on the placements that a person is the contact of, and let guests name another home manager."""
    mine = select(PLACEMENT).where(PLACEMENT.c.contact_id == person_id, PLACEMENT.c.withdrawn_at.is_(None))
    for placement in tx.execute(mine.order_by(PLACEMENT.c.id)).all():
        contact_id = None if placement.is_desk else _successor(tx, placement, person_id)
        if contact_id is None:
            _take_back(tx, actor, placement)
        else:
            _pass_on(tx, actor, placement, contact_id)
    _leave_to_others(tx, person_id)


def _successor(tx: Transaction, placement: Any, person_id: int) -> int | None:
    """Another host of the organisation, or else a coordinator."""
    is_host = (MEMBERSHIP.c.role == "host") & (MEMBERSHIP.c.organisation_id == placement.organisation_id)
    found: int | None = tx.execute(
        select(MEMBERSHIP.c.person_id)
        .join(PERSON, PERSON.c.id == MEMBERSHIP.c.person_id)
        .where(
            MEMBERSHIP.c.programme_id == placement.programme_id,
            MEMBERSHIP.c.ended_at.is_(None),
            MEMBERSHIP.c.person_id != person_id,
            PERSON.c.disabled_at.is_(None),
            PERSON.c.is_machine.is_(False),
            or_(is_host, MEMBERSHIP.c.role == "coordinator"),
        )
        .order_by(case((is_host, 0), else_=1), MEMBERSHIP.c.person_id)
        .limit(1)
    ).scalar()
    return found


def _pass_on(tx: Transaction, actor: Actor | None, placement: Any, contact_id: int) -> None:
    tx.execute(
        update(PLACEMENT)
        .where(PLACEMENT.c.id == placement.id)
        .values(contact_id=contact_id, updated_at=tx.now, version=PLACEMENT.c.version + 1)
    )
    about = {"programme_id": placement.programme_id}
    notices.tell(tx, [contact_id], "placement_passed_on", placement_id=placement.id, **about)
    record(tx, "placement.changed", actor, subject_id=placement.id, **about)


def _take_back(tx: Transaction, actor: Actor | None, placement: Any) -> None:
    """Take a placement off the list, and end the stays at it that are to come."""
    tx.execute(
        update(PLACEMENT)
        .where(PLACEMENT.c.id == placement.id)
        .values(withdrawn_at=tx.now, updated_at=tx.now, version=PLACEMENT.c.version + 1)
    )
    live = select(BOOKING.c.id).where(BOOKING.c.placement_id == placement.id, BOOKING.c.state.in_(LIVE))
    for booking_id in tx.execute(live.order_by(BOOKING.c.id)).scalars().all():
        booking = booking_steps.found(tx.connection, booking_id)
        if booking.state in LIVE:
            taking_back.end(tx, booking, "cancel", actor=actor, role=HOST, reason="")
    record(tx, "placement.withdrawn", actor, programme_id=placement.programme_id, subject_id=placement.id)


def _leave_to_others(tx: Transaction, person_id: int) -> None:
    """Let the guests whose home manager someone was name another, where that one's decision is waited for.

    A manager without an account is known by the address alone, which is compared without regard to case.
    """
    email = tx.execute(select(PERSON.c.email).where(PERSON.c.id == person_id)).scalar()
    is_theirs = or_(
        BOOKING.c.manager_id == person_id,
        same_in_any_case(BOOKING.c.manager_email, email or NO_ADDRESS),
    )
    awaited = tx.execute(
        select(BOOKING.c.id).where(
            is_theirs, BOOKING.c.person_id != person_id, BOOKING.c.state.in_((HELD, OFFERED, WAITING))
        )
    )
    for booking_id in awaited.scalars().all():
        booking = booking_steps.found(tx.connection, booking_id)
        has_decided = any(each.role == MANAGER for each in booking.decisions)
        if MANAGER in booking.rules.approvals and not has_decided:
            booking_steps.revoke_links(tx, booking_id)
            tx.execute(
                update(BOOKING)
                .where(BOOKING.c.id == booking_id)
                .values(
                    manager_id=None,
                    manager_name="",
                    manager_email="",
                    updated_at=tx.now,
                    version=BOOKING.c.version + 1,
                )
            )
            exchange_people.tell(tx, booking, ("guest",), "booking_manager_left")
    tx.execute(update(BOOKING).where(is_theirs).values(manager_name="", manager_email=""))
