"""Reflections: what guest and host take from a stay, in three short answers each."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.engine import Connection

from app.database import Transaction
from app.errors import Conflict, FieldError, Invalid, Moved, NotAllowed
from app.lib.i18n import LANGUAGES, N_
from app.methods.booking_machine import COMPLETED, REFLECTED
from app.models import Person, Reflection
from app.models.base import table
from app.models.exchange import GUEST, HOST
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import may
from app.schemas import text
from app.services import booking_steps
from app.services.bookings import BookingView
from app.services.events import record

REFLECTION = table(Reflection)
PERSON = table(Person)

ANSWERS: Final = ("learned", "surprised", "next")


def side(actor: Actor, booking: Any) -> str | None:
    """On which side of a stay `actor` is: `guest`, `host`, or none."""
    if may(actor, Permission.AGREE_AS_GUEST, booking):
        return GUEST
    return HOST if may(actor, Permission.AGREE_AS_HOST, booking) else None


def require_side(actor: Actor, booking: Any) -> str:
    """On which side of a stay `actor` is.

    :raises NotAllowed: on neither
    """
    party = side(actor, booking)
    if party is None:
        raise NotAllowed(N_("Guest and host write what they take from a stay."))
    return party


def of_booking(connection: Connection, actor: Actor, booking: BookingView) -> Sequence[Any]:
    """What was written after a stay (party, by, the answers, language), for those who may read it. One statement."""
    if not may(actor, Permission.READ_REFLECTIONS, booking):
        return []
    return connection.execute(
        select(REFLECTION, PERSON.c.name.label("by"))
        .join(PERSON, PERSON.c.id == REFLECTION.c.written_by)
        .where(REFLECTION.c.booking_id == booking.id)
        .order_by(REFLECTION.c.id)
    ).all()


def own(connection: Connection, actor: Actor, booking: BookingView) -> tuple[str, Any | None]:
    """One's own side of a stay, and what was written for it, if something was. One statement.

    :raises NotAllowed: the actor is on neither side
    """
    party = require_side(actor, booking)
    written = of_booking(connection, actor, booking)
    return party, next((row for row in written if row.party == party), None)


def version_of(written: Any | None) -> int:
    """What stands for a version of what was written: the instant of it in microseconds, 0 where nothing was."""
    return 0 if written is None else (written.written_at - _EPOCH) // timedelta(microseconds=1)


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def write(
    tx: Transaction,
    actor: Actor,
    booking_id: int,
    *,
    language: str = "en",
    version: int | None = None,
    **answers: str,
) -> None:
    """Write for one's own side what one takes from a stay; the second side's completes it. One's own can be rewritten.

    :raises NotAllowed: the actor is on neither side
    :raises Conflict: the stay is not over
    :raises Moved: `version` is given, and someone of the same side has written meanwhile
    :raises Invalid: an answer is missing or too long
    """
    booking = booking_steps.hold(tx, actor, booking_id)
    party, before = own(tx.connection, actor, booking)
    if version is not None and version != version_of(before):
        raise Moved(N_("The text is another by now. Please read it again."), current=version_of(before))
    if booking.state not in (COMPLETED, REFLECTED):
        raise Conflict(N_("This stay is not over yet."))
    values, errors = _checked(answers)
    if language not in LANGUAGES:
        errors.append(FieldError("language", N_("Please choose one of the languages in the list.")))
    if errors:
        raise Invalid(*errors)
    values |= {"language": language, "written_by": actor.person_id, "written_at": tx.now}
    if party in booking.reflected:
        is_own = (REFLECTION.c.booking_id == booking_id) & (REFLECTION.c.party == party)
        tx.execute(REFLECTION.update().where(is_own).values(values))
    else:
        belongs = {"programme_id": booking.programme_id, "booking_id": booking_id, "party": party}
        tx.execute(REFLECTION.insert(), {**belongs, **values})
    record(tx, "reflection.written", actor, programme_id=booking.programme_id, subject_id=booking_id)
    if booking.state == COMPLETED and {*booking.reflected, party} == {GUEST, HOST}:
        booking_steps.take(tx, booking, "reflect", actor, party)


def _checked(answers: dict[str, str]) -> tuple[dict[str, Any], list[FieldError]]:
    values: dict[str, Any] = {}
    errors: list[FieldError] = []
    for name in ANSWERS:
        values[name], wrong = text.passage(name, answers.get(name, ""), most=1000, least=1)
        errors += wrong
    return values, errors
