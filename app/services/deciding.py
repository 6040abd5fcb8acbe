"""Deciding on a stay: manager, host and coordinator approve it or decline it, as the programme says."""

from typing import Any, Final

from sqlalchemy import select

from app.database import Transaction
from app.errors import Conflict, FieldError, Invalid, NotAllowed
from app.lib.i18n import N_
from app.methods.booking_machine import APPROVED, CLOCK, HELD, OFFERED, WAITING
from app.models import Decision, Membership
from app.models.base import table
from app.models.exchange import COORDINATOR, GUEST, HOST, MANAGER
from app.policies import reach
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import may, require
from app.schemas import text
from app.services import booking_steps, decision_links, exchange_people, stays, swaps
from app.services.bookings import BookingView

DECISION = table(Decision)
MEMBERSHIP = table(Membership)

_PERMISSIONS: Final = {
    MANAGER: Permission.DECIDE_AS_MANAGER,
    HOST: Permission.DECIDE_AS_HOST,
    COORDINATOR: Permission.DECIDE_AS_COORDINATOR,
}


# verbs


def decide(
    tx: Transaction,
    actor: Actor,
    booking_id: int,
    *,
    approved: bool,
    role: str | None = None,
    reason: str = "",
    version: int | None = None,
) -> None:
    """Approve a stay, or decline it with a reason, as `role`; left out, as what the actor is asked as.

    Whether there still is a place is looked at again here, in the transaction that approves.

    :raises NotAllowed: the actor does not decide in that role; nobody decides on their own stay
    :raises Conflict: nothing is to be decided, it is another's turn, it was decided, or no place is left
    :raises Invalid: a refusal without a reason
    """
    booking = booking_steps.hold(tx, actor, booking_id, version=version)
    role = role or _usual_role(actor, booking)
    if role not in _PERMISSIONS:
        raise Invalid(FieldError("role", N_("Please choose one of the list.")))
    require(actor, _PERMISSIONS[role], booking)
    _refuse_twice(tx, actor, booking)
    _decide(tx, booking, role, approved=approved, reason=reason, actor=actor)


def decide_by_link(tx: Transaction, token: str, *, approved: bool, reason: str = "") -> int:
    """Decide as the home manager to whom a link was mailed, once; the booking's id.

    :raises NotFound: there is no such link
    :raises Gone: it was used or has expired, or nothing is to be decided any more
    :raises Conflict: no place is left
    :raises Invalid: a refusal without a reason
    """
    link = decision_links.use(tx, token)
    _decide(
        tx,
        link.booking,
        MANAGER,
        approved=approved,
        reason=reason,
        link_id=link.id,
        decided_as=link.name or link.email,
    )
    return link.booking.id


def open_decisions(tx: Transaction, booking: BookingView) -> None:
    """Ask those who decide on a stay that now holds a place; where nobody does, it is approved."""
    if booking.asked:
        exchange_people.ask(tx, booking, booking.asked)
    else:
        _settle(tx, booking_steps.take(tx, booking, "clear", None, CLOCK, expires_at=None))


def settle(tx: Transaction, booking: BookingView, actor: Actor | None, role: str) -> None:
    """Confirm an approved stay once nothing of its checklist is open, and tell everyone. For the agreements."""
    if booking.state != APPROVED or booking.open_items:
        return
    confirmed = booking_steps.take(
        tx,
        booking,
        "confirm",
        actor,
        role,
        confirmed_at=tx.now,
        expires_at=None,
        sequence=booking.sequence + 1,
    )
    exchange_people.tell(tx, confirmed, (GUEST, HOST, MANAGER), "booking_confirmed")


# within


def _decide(
    tx: Transaction,
    booking: BookingView,
    role: str,
    *,
    approved: bool,
    reason: str,
    actor: Actor | None = None,
    **link: Any,
) -> None:
    reason, errors = text.passage("reason", reason, most=1000, least=0 if approved else 1)
    if errors:
        raise Invalid(*errors)
    _refuse_untimely(booking, role, approved=approved)
    if approved:
        _refuse_unfit(tx, booking)
    tx.execute(
        DECISION.insert(),
        {
            "programme_id": booking.programme_id,
            "booking_id": booking.id,
            "round": booking.round,
            "role": role,
            "approved": approved,
            "reason": reason,
            "decided_by": actor.person_id if actor else None,
            "decided_at": tx.now,
            **link,
        },
    )
    if approved:
        _approve(tx, booking, role, actor, reason)
    else:
        _decline(tx, booking, role, actor, reason)


def _approve(tx: Transaction, booking: BookingView, role: str, actor: Actor | None, reason: str) -> None:
    decided = [*(each.role for each in booking.decisions), role]
    is_last = not booking.rules.asked(decided)
    if not is_last:
        after = booking_steps.take(tx, booking, "approve", actor, role, to=HELD, reason=reason)
        new = tuple(each for each in after.asked if each not in booking.asked)
        if new:
            exchange_people.ask(tx, after, new)
        return
    approved = booking_steps.take(
        tx, booking, "approve", actor, role, to=APPROVED, reason=reason, expires_at=None
    )
    _settle(tx, approved)


def _settle(tx: Transaction, approved: BookingView) -> None:
    """Go on from the last approval: to the checklist, or past it where nothing of it is open."""
    if not approved.open_items:
        settle(tx, approved, None, CLOCK)
        return
    exchange_people.tell(tx, approved, (GUEST,), "booking_approved")
    if HOST in approved.awaited:
        exchange_people.tell(tx, approved, (HOST,), "booking_to_agree")


def _decline(tx: Transaction, booking: BookingView, role: str, actor: Actor | None, reason: str) -> None:
    declined = booking_steps.take(tx, booking, "decline", actor, role, reason=reason, expires_at=None)
    others = (GUEST, *{each.role for each in booking.decisions})
    exchange_people.tell(
        tx, declined, others, "booking_declined", reason=reason, but=actor.person_id if actor else None
    )
    swaps.release(tx, declined)


def _usual_role(actor: Actor, booking: BookingView) -> str:
    """As what `actor` decides: as what they are asked now, or else as what they may."""
    able = [role for role, permission in _PERMISSIONS.items() if may(actor, permission, booking)]
    due = [role for role in able if role in booking.asked]
    if not able:
        raise NotAllowed(N_("You are not one of those who decide on this stay."))
    return (due or able)[0]


def _refuse_twice(tx: Transaction, actor: Actor, booking: BookingView) -> None:
    """Refuse a second decision to someone who acts in another's absence too: lending must not make two of one."""
    if not reach.stood_in_for(actor, booking.programme_id):
        return
    has_decided = tx.execute(
        select(DECISION.c.id)
        .where(
            DECISION.c.booking_id == booking.id,
            DECISION.c.round == booking.round,
            DECISION.c.decided_by == actor.person_id,
        )
        .limit(1)
    ).first()
    if has_decided:
        raise Conflict(
            N_(
                "You have decided on this stay already. As you act in someone's absence, another has to decide."
            )
        )


def _refuse_untimely(booking: BookingView, role: str, *, approved: bool) -> None:
    """Refuse a decision for which it is too late or too early; one may decline whenever nothing is settled."""
    if booking.state not in (HELD, OFFERED, WAITING) or (approved and booking.state != HELD):
        raise Conflict(N_("Nothing is to be decided here now: the booking has moved on."))
    if role not in booking.rules.approvals and role == MANAGER:
        raise Conflict(N_("Managers do not decide in this programme."))
    if any(each.role == role for each in booking.decisions):
        raise Conflict(N_("This was decided already; the decision stands."))
    if approved and booking.expires_at is not None and booking.expires_at <= booking.now:
        raise Conflict(N_("The time in which this could be approved is over."))
    if approved and role not in booking.asked:
        raise Conflict(N_("It is not your turn to decide yet: someone else decides first."))


def _refuse_unfit(tx: Transaction, booking: BookingView) -> None:
    """Look again at what was true when the stay was asked for.

    :raises Conflict: it would begin in the past, its guest has left the organisation or must not go there, or no place
        is left
    """
    if booking.first_day <= booking.rules.today(booking.now):
        raise Conflict(N_("This stay would have begun already."))
    is_there = tx.execute(
        select(MEMBERSHIP.c.id).where(
            MEMBERSHIP.c.programme_id == booking.programme_id,
            MEMBERSHIP.c.person_id == booking.person_id,
            MEMBERSHIP.c.organisation_id == booking.organisation_id,
            MEMBERSHIP.c.ended_at.is_(None),
        )
    ).first()
    if is_there is None:
        raise Conflict(N_("The guest is no longer in the organisation for which they asked."))
    period = booking_steps.period(tx.connection, booking.period_id, without=booking.id)
    if not period.fits(booking.stay):
        raise Conflict(N_("No place is left on these days, so this stay cannot be approved."))
    if booking_steps.is_elsewhere(tx.connection, booking.person_id, booking.stay, without=booking.id):
        raise Conflict(N_("The guest is at another host's on these days."))
    if stays.is_conflicted(tx, booking.person_id, booking.programme_id, booking.host_id):
        raise Conflict(N_("The guest has declared a conflict of interest with this host."))
