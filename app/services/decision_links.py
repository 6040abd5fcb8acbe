"""Decision links: by which a home manager without an account decides on a booking, once, within some days.

A link is signed with the installation's secret and kept nowhere. What opens it shows what is to be decided; only a
click on that page decides, so that a mail scanner which follows links decides nothing.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.engine import Connection

from app.database import Transaction, present
from app.errors import Gone, NotFound
from app.integrations import mail, queue, seal
from app.lib.i18n import N_
from app.models import DecisionLink, Person, Programme
from app.models.base import table
from app.services import booking_steps
from app.services.bookings import BookingView
from app.services.events import record

LINK = table(DecisionLink)
PERSON = table(Person)
PROGRAMME = table(Programme)


@dataclass(frozen=True, slots=True)
class LinkView:
    """A link that was opened: the booking that it is for, and why it decides nothing any more, if it does not.

    `problem` is a msgid: used, expired, taken back, or the booking has moved on.
    """

    id: int
    name: str
    email: str
    language: str
    created_at: datetime
    expires_at: datetime
    booking: BookingView
    problem: str | None


def send(tx: Transaction, booking: BookingView) -> None:
    """Mail the manager of a booking a link, good for the days that the programme allows; earlier ones end."""
    booking_steps.revoke_links(tx, booking.id)
    made = tx.execute(
        LINK.insert().returning(LINK.c.id),
        {
            "programme_id": booking.programme_id,
            "booking_id": booking.id,
            "round": booking.round,
            "name": booking.manager_name,
            "email": booking.manager_email,
            "language": _language(tx.connection, booking),
            "nonce": secrets.token_bytes(16),
            "created_at": tx.now,
            "expires_at": tx.now + timedelta(days=booking.rules.link_days),
        },
    ).scalar_one()
    if mail.is_set_up():
        queue.enqueue(tx, "mail.link", workflow_id=mail_id(made), link_id=made)
    record(tx, "decision_link.sent", None, programme_id=booking.programme_id, subject_id=booking.id)


def mail_id(link_id: int) -> str:
    """The name that a link's mail has however often it is tried: as a job, and as a message."""
    return f"decision-link-{link_id}"


def token(connection: Connection, link_id: int) -> str | None:
    """What stands in the address of a link; None where it is no longer good, so that nothing is mailed."""
    row = connection.execute(
        select(LINK.c.id, LINK.c.nonce).where(
            LINK.c.id == link_id,
            LINK.c.used_at.is_(None),
            LINK.c.revoked_at.is_(None),
            LINK.c.expires_at > present(connection.dialect.name),
        )
    ).first()
    return seal.link_token(row.id, row.nonce) if row else None


def opened(connection: Connection, token: str) -> LinkView:
    """What a link is about, for the page that it opens. Reading it changes nothing.

    :raises NotFound: there is no such link, or its signature is not ours
    """
    row = _row(connection, token)
    booking = booking_steps.found(connection, row.booking_id)
    return LinkView(
        id=row.id,
        name=row.name,
        email=row.email,
        language=row.language,
        created_at=row.created_at,
        expires_at=row.expires_at,
        booking=booking,
        problem=_problem(row, booking),
    )


def use(tx: Transaction, token: str) -> LinkView:
    """Take up a link to decide by it: from then on it is used. The booking is held until the commit.

    :raises NotFound: there is no such link
    :raises Gone: it was used, has expired or was taken back, or the booking waits for no such decision any more
    """
    booking_steps.take_turn(tx)
    link = opened(tx.connection, token)
    if link.problem is not None:
        raise Gone(link.problem)
    tx.execute(LINK.update().where(LINK.c.id == link.id, LINK.c.used_at.is_(None)).values(used_at=tx.now))
    return link


USED: Final = N_("This link has been used: the decision stands as it was taken.")
OUT_OF_TIME: Final = N_("This link has expired. Please ask your colleague to have a new one sent.")
TAKEN_BACK: Final = N_("This link is no longer good: a newer one was sent, or another manager was named.")
MOVED_ON: Final = N_(
    "Nothing is to be decided here any more: the booking was withdrawn, moved or decided in the meantime."
)


def _problem(row: Any, booking: BookingView) -> str | None:
    if row.used_at is not None:
        return USED
    if row.round != booking.round or "manager" not in booking.asked:
        return MOVED_ON
    if row.revoked_at is not None:
        return TAKEN_BACK
    return OUT_OF_TIME if row.expires_at <= booking.now else None


def _row(connection: Connection, token: str) -> Any:
    link_id = seal.link_id(token)
    row = (
        connection.execute(select(LINK).where(LINK.c.id == link_id)).first() if link_id is not None else None
    )
    if row is None or not seal.is_link(token, row.id, row.nonce):
        raise NotFound(N_("There is no such link. Please open it just as it stands in the mail."))
    return row


def _language(connection: Connection, booking: BookingView) -> str:
    """The manager's language is not known: the guest's, or else the programme's."""
    row = connection.execute(
        select(PERSON.c.language, PROGRAMME.c.language.label("usual"))
        .select_from(PERSON)
        .join(PROGRAMME, PROGRAMME.c.id == booking.programme_id)
        .where(PERSON.c.id == booking.person_id)
    ).one()
    return str(row.language or row.usual)
