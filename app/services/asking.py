"""Asking for a stay: for a place, or a place in line; and answering the offer of one."""

import secrets
from datetime import date
from typing import Any, Final

from sqlalchemy import select

from app.database import Transaction
from app.errors import Conflict, Invalid
from app.lib.days import Span
from app.lib.i18n import N_
from app.methods import booking_machine as machine
from app.methods.booking_machine import ASKED, HELD, LIVE, OFFERED, WAITING
from app.models import Booking
from app.models.base import table
from app.models.exchange import GUEST, MATCHING
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import require
from app.schemas import text
from app.services import (
    booking_steps,
    deciding,
    exchange_people,
    exchange_rules,
    home_managers,
    placements,
    stays,
    swaps,
)
from app.services.home_managers import NOBODY, Guest, Manager
from app.services.placements import PeriodView, PlacementView

BOOKING = table(Booking)

MOST_LIVE: Final = 12
"""How many bookings one person may have on their way in a programme."""


# verbs


def ask(
    tx: Transaction,
    actor: Actor,
    placement_id: int,
    *,
    period_id: int,
    first_day: date | None = None,
    last_day: date | None = None,
    message: str = "",
    manager: Manager = NOBODY,
    may_wait: bool = True,
) -> int:
    """Ask for a stay; the booking's id. It holds a place if one is free on all its days, else it waits in line.

    Days left out are those of the period. The last place goes to one of any number who ask at once.

    :raises NotFound: there is no such placement for this actor
    :raises NotAllowed: the actor does not take part
    :raises Conflict: places are not given to who asks here, or all are taken and `may_wait` is False
    :raises Invalid: the days, the message or the manager cannot be taken; each error names its field
    """
    placement = placements.find(tx.connection, actor, placement_id)
    require(actor, Permission.BOOK_PLACEMENT, placement)
    booking_steps.take_turn(tx)
    placement = placements.find(tx.connection, actor, placement_id)
    rules = exchange_rules.find(tx.connection, placement.programme_id)
    _refuse_unfit(tx, actor, placement, rules)
    now = stays.now(tx)
    period, stay = stays.chosen(
        placement, rules, now, period_id=period_id, first_day=first_day, last_day=last_day
    )
    message, errors = text.passage("message", message, most=1000)
    guest = Guest(actor.person_id or 0, actor.memberships[placement.programme_id].organisation_id)
    manager, wrong = home_managers.checked(tx, guest, rules, manager)
    if errors + wrong:
        raise Invalid(*errors, *wrong)
    _refuse_doubled(tx, actor, placement, stay)
    is_free = period.fits(stay) and not booking_steps.is_elsewhere(tx.connection, actor.person_id or 0, stay)
    if not is_free and not may_wait:
        raise Conflict(N_("No place is free on these days. You can ask to wait in line for one."))
    booking_id = _insert(
        tx,
        actor,
        placement,
        period,
        stay,
        state=HELD if is_free else WAITING,
        line_at=now,
        expires_at=booking_steps.until(rules, now, rules.hold_days, stay) if is_free else None,
        message=message,
        manager=manager,
    )
    _write_first(
        tx,
        actor,
        "hold" if is_free else "queue",
        programme_id=placement.programme_id,
        booking_id=booking_id,
        period_id=period.id,
        stay=stay,
    )
    if is_free:
        deciding.open_decisions(tx, booking_steps.found(tx.connection, booking_id))
    return booking_id


def propose(
    tx: Transaction, actor: Actor, *, match_id: int, person: Any, period: PeriodView, stay: Span
) -> int:
    """Offer a person a place by a published match; the booking's id. The caller has looked at places and doubles.

    `person` has person_id, organisation_id, sector_id; the actor is a coordinator, and the programme's turn is taken.
    """
    placement = placements.find(tx.connection, actor, period.placement_id)
    require(actor, Permission.RUN_EXCHANGES, placement)
    rules = exchange_rules.find(tx.connection, placement.programme_id)
    now = stays.now(tx)
    booking_id = _insert(
        tx,
        person,
        placement,
        period,
        stay,
        state=OFFERED,
        line_at=now,
        expires_at=booking_steps.until(rules, now, rules.offer_days, stay),
        match_id=match_id,
    )
    _write_first(
        tx,
        actor,
        "propose",
        programme_id=placement.programme_id,
        booking_id=booking_id,
        period_id=period.id,
        stay=stay,
    )
    exchange_people.tell(tx, booking_steps.found(tx.connection, booking_id), (GUEST,), "booking_proposed")
    return booking_id


def accept(
    tx: Transaction, actor: Actor, booking_id: int, *, manager: Manager = NOBODY, version: int | None = None
) -> None:
    """Accept the place that is offered; then it is held, and those who approve are asked.

    :raises NotAllowed: the actor is not the guest
    :raises Conflict: nothing is offered any more, or the guest must not go there
    :raises Invalid: a manager has to approve, and none was named yet
    """
    booking = booking_steps.hold(tx, actor, booking_id, version=version)
    require(actor, Permission.ANSWER_OFFER, booking)
    if booking.state != OFFERED:
        raise Conflict(N_("No place is offered here any more."))
    if booking.expires_at is not None and booking.expires_at <= booking.now:
        raise Conflict(N_("The time to accept this place is over."))
    if stays.is_conflicted(tx, booking.person_id, booking.programme_id, booking.host_id):
        raise Conflict(N_("You have declared a conflict of interest with this host."))
    rules, values = booking.rules, {}
    if manager != NOBODY or not (booking.manager_id or booking.manager_email):
        manager, wrong = home_managers.checked(
            tx, Guest(booking.person_id, booking.organisation_id), rules, manager
        )
        if wrong:
            raise Invalid(*wrong)
        values = home_managers.values_of(manager)
    expires_at = booking_steps.until(rules, booking.now, rules.hold_days, booking.stay)
    deciding.open_decisions(
        tx, booking_steps.take(tx, booking, "accept", actor, GUEST, expires_at=expires_at, **values)
    )


def pass_on(
    tx: Transaction, actor: Actor, booking_id: int, *, reason: str = "", version: int | None = None
) -> None:
    """Pass the place that is offered on to the next in line.

    :raises NotAllowed: the actor is not the guest
    :raises Conflict: nothing is offered any more
    """
    booking = booking_steps.hold(tx, actor, booking_id, version=version)
    require(actor, Permission.ANSWER_OFFER, booking)
    reason, errors = text.passage("reason", reason, most=1000)
    if errors:
        raise Invalid(*errors)
    passed = booking_steps.take(tx, booking, "pass", actor, GUEST, reason=reason, expires_at=None)
    swaps.release(tx, passed)


# within


def _refuse_unfit(tx: Transaction, actor: Actor, placement: PlacementView, rules: Any) -> None:
    """Refuse who can be no guest there at all.

    :raises Conflict: with the reason
    """
    if rules.way == MATCHING:
        raise Conflict(N_("Places go by matching in this programme. Please state your wishes instead."))
    if placement.state != placements.PUBLISHED:
        raise Conflict(N_("This placement is not open to be asked for."))
    membership = actor.memberships[placement.programme_id]
    problem = stays.unfit(placement, membership.organisation_id, membership.sector_key)
    if problem is not None:
        raise Conflict(problem)
    if stays.is_conflicted(tx, actor.person_id or 0, placement.programme_id, placement.host_id):
        raise Conflict(N_("You have declared a conflict of interest with this host."))


def _refuse_doubled(tx: Transaction, actor: Actor, placement: PlacementView, stay: Span) -> None:
    """Refuse what the person has asked for already, and more than they may have on their way."""
    rows = tx.execute(
        select(BOOKING.c.placement_id, BOOKING.c.first_day, BOOKING.c.last_day).where(
            BOOKING.c.person_id == actor.person_id,
            BOOKING.c.programme_id == placement.programme_id,
            BOOKING.c.state.in_(LIVE),
        )
    ).all()
    if any(
        row.placement_id == placement.id and Span(row.first_day, row.last_day).overlaps(stay) for row in rows
    ):
        raise Conflict(N_("You have already asked for these days here."))
    if len(rows) >= MOST_LIVE:
        raise Conflict(
            N_("You have %(most)s bookings on their way. Please take one back first."), most=MOST_LIVE
        )


def _insert(
    tx: Transaction,
    guest: Any,
    placement: PlacementView,
    period: PeriodView,
    stay: Span,
    *,
    manager: Manager = NOBODY,
    **values: Any,
) -> int:
    """The new booking's id. `line_at` is read in the programme's turn, so that lines grow in the order of turns."""
    membership = guest.memberships[placement.programme_id] if isinstance(guest, Actor) else guest
    row = {
        "programme_id": placement.programme_id,
        "placement_id": placement.id,
        "period_id": period.id,
        "person_id": guest.person_id,
        "organisation_id": membership.organisation_id,
        "sector_id": membership.sector_id,
        "first_day": stay.first_day,
        "last_day": stay.last_day,
        "round": 1,
        "uid": secrets.token_hex(16),
        "sequence": 0,
        "message": "",
        "version": 1,
        "created_at": tx.now,
        "updated_at": tx.now,
        **home_managers.values_of(manager),
        **values,
    }
    return int(tx.execute(BOOKING.insert().returning(BOOKING.c.id), row).scalar_one())


def _write_first(
    tx: Transaction,
    actor: Actor,
    action: str,
    *,
    programme_id: int,
    booking_id: int,
    period_id: int,
    stay: Span,
) -> None:
    transition = machine.step(action, ASKED)
    booking_steps.write(
        tx,
        transition,
        actor,
        transition.roles[0],
        programme_id=programme_id,
        booking_id=booking_id,
        source=ASKED,
        state=transition.targets[0],
        period_id=period_id,
        stay=stay,
    )
