"""The checklist before a stay: each item ticked by the one it concerns, and kept as it was agreed."""

import hashlib
from typing import Final

from app.database import Transaction
from app.errors import Conflict, FieldError, Invalid, NotFound
from app.lib.i18n import N_
from app.methods.booking_machine import APPROVED, HELD
from app.models import Agreement
from app.models.base import table
from app.models.exchange import GUEST, HOST
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import require
from app.schemas import text
from app.services import booking_steps, deciding
from app.services.bookings import BookingView
from app.services.events import record
from app.services.exchange_rules import CONFIDENTIALITY, Item

AGREEMENT = table(Agreement)

_PERMISSIONS: Final = {GUEST: Permission.AGREE_AS_GUEST, HOST: Permission.AGREE_AS_HOST}


def tick(
    tx: Transaction,
    actor: Actor,
    booking_id: int,
    item_key: str,
    *,
    answer: str = "",
    seen: str | None = None,
    version: int | None = None,
) -> None:
    """Agree to an item of the checklist; again, and nothing changes. The last one confirms an approved stay.

    What is kept is the item's text as the programme has it, with the placement's own terms where it is about them.
    `seen`, where given, is the `mark` of the text that was read: nobody agrees to another.

    :raises NotFound: there is no such item
    :raises NotAllowed: it concerns someone else
    :raises Conflict: the stay is not held or approved now, or the text is another than the one that was read
    :raises Invalid: the item asks for an answer, and there is none
    """
    booking = booking_steps.hold(tx, actor, booking_id, version=version)
    item = next((each for each in booking.rules.checklist if each.key == item_key), None)
    if item is None:
        raise NotFound(N_("There is no such item on the checklist."))
    require(actor, _PERMISSIONS[item.party], booking)
    if item not in booking.open_items:
        return
    if booking.state not in (HELD, APPROVED):
        raise Conflict(N_("The checklist is open while a stay is held or approved."))
    if seen is not None and seen != mark(booking, item):
        raise Conflict(N_("The text is another by now. Please read it again."))
    answer, errors = text.line("answer", answer, most=400, least=1 if item.asks else 0)
    if errors:
        raise Invalid(*(FieldError(f"answer_{item.key}", each.message, each.values) for each in errors))
    tx.execute(
        AGREEMENT.insert(),
        {
            "programme_id": booking.programme_id,
            "booking_id": booking_id,
            "item": item.key,
            "party": item.party,
            "statement": statement(booking, item),
            "answer": answer,
            "agreed_by": actor.person_id,
            "agreed_at": tx.now,
        },
    )
    record(tx, "agreement.given", actor, programme_id=booking.programme_id, subject_id=booking_id)
    deciding.settle(tx, booking_steps.found(tx.connection, booking_id), actor, item.party)


def statement(booking: BookingView, item: Item) -> str:
    """What is agreed to: the item's text, and for confidentiality the placement's own terms."""
    terms = booking.confidentiality if item.key == CONFIDENTIALITY else ""
    return "\n\n".join(filter(None, (item.text, terms)))


def mark(booking: BookingView, item: Item) -> str:
    """What stands for the text of an item as it is now."""
    return hashlib.blake2b(statement(booking, item).encode(), digest_size=16).hexdigest()
