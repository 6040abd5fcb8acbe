"""Signing in and out: a departure that is kept until it comes back once, and the session it opens."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete

from app.database import Transaction
from app.errors import Conflict
from app.integrations.arrivals import Arrival, Asked, Departure
from app.lib import secrets
from app.lib.i18n import N_
from app.models import SignIn
from app.models.base import table
from app.services import audit, fresh_sign_ins, logins, people, person_merging, sessions

SIGN_IN = table(SignIn)

LONGEST: Final = timedelta(minutes=10)
"""How long a browser may stay at the provider."""

ENTER, LINK, MERGE = "sign_in", "link", "merge"
"""Purposes of a way to a provider: to open a session, to link another login, to put two accounts together.

`_COMPLETED` has them all.
"""

TRIAL: Final = "trial"
"""The purpose of a way that shows what a sign-in would lead to, and of which nothing comes."""

FRESH: Final = frozenset({fresh_sign_ins.PURPOSE, "merge"})
"""Purposes for which people must prove themselves anew, though the provider knows the browser."""


class Spent(Conflict):
    """An answer to no departure of ours: it expired, was used, or never was."""

    reason = "state"

    def __init__(self) -> None:
        super().__init__(N_("This sign-in has expired or was used already. Please sign in again."))


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a departure left behind, given out once. `purpose`, `session_id`, `invitation_id`: as in `models.SignIn`.

    `device` is that of the browser which came back.
    """

    nonce: str
    code_verifier: str
    next: str
    expires_at: datetime
    purpose: str = ENTER
    session_id: int | None = None
    invitation_id: int | None = None
    device: str = ""

    @property
    def asked(self) -> Asked:
        """What the answer must fit."""
        max_age_s = 0 if self.purpose in FRESH else None
        return Asked(self.nonce, self.code_verifier, self.expires_at - LONGEST, max_age_s)


def depart(
    tx: Transaction,
    departure: Departure,
    *,
    provider: str,
    browser: str,
    next: str,
    purpose: str = ENTER,
    session_id: int | None = None,
    invitation_id: int | None = None,
) -> None:
    """Keep a departure until it comes back from `provider` in the same `browser`; several may be under way."""
    tx.execute(delete(SIGN_IN).where(SIGN_IN.c.expires_at < tx.now))
    tx.execute(
        SIGN_IN.insert().values(
            state_hash=secrets.digest(departure.state),
            browser_hash=secrets.digest(browser),
            provider=provider,
            nonce=departure.nonce,
            code_verifier=departure.code_verifier,
            next=next,
            purpose=purpose,
            session_id=session_id,
            invitation_id=invitation_id,
            expires_at=tx.now + LONGEST,
        )
    )


def come_back(tx: Transaction, *, provider: str, state: str, browser: str) -> Ticket:
    """Take what a departure left, for good: the same answer a second time finds nothing.

    :raises Spent: it expired, was used, left from another browser or for another provider, or never was
    """
    row = tx.execute(
        delete(SIGN_IN)
        .where(
            SIGN_IN.c.state_hash == secrets.digest(state),
            SIGN_IN.c.browser_hash == secrets.digest(browser),
            SIGN_IN.c.provider == provider,
            SIGN_IN.c.expires_at > tx.now,
        )
        .returning(
            SIGN_IN.c.nonce,
            SIGN_IN.c.code_verifier,
            SIGN_IN.c.next,
            SIGN_IN.c.expires_at,
            SIGN_IN.c.purpose,
            SIGN_IN.c.session_id,
            SIGN_IN.c.invitation_id,
        )
    ).first()
    if row is None:
        raise Spent
    return Ticket(**row._mapping)  # noqa: SLF001 -- SQLAlchemy's public name for it


def complete(
    tx: Transaction, ticket: Ticket, arrival: Arrival, *, secret: str = "", device: str = ""
) -> str | None:
    """Do what a way to a provider was for; the secret for a new cookie, or None where the one they have stays.

    `secret` is that of the session with which the browser comes back, if it has one; `device` as `devices.named`.

    :raises NotAllowed: they may not; then nothing was changed
    """
    return _COMPLETED[ticket.purpose](tx, replace(ticket, device=device), arrival, secret)


def refuse(tx: Transaction, *, provider: str, reason: str, purpose: str = ENTER) -> None:
    """Note in the audit log that a way to a provider came to nothing; `reason` is a word of ours."""
    audit.refused(tx, "sign_in.refused", None, reason, data={"provider": provider, "purpose": purpose})


def _enter(tx: Transaction, ticket: Ticket, arrival: Arrival, secret: str) -> str:
    """Open a session for the one who arrived. The session that they had ends."""
    person_id = people.enter(tx, arrival, invitation_id=ticket.invitation_id)
    if secret:
        sessions.end(tx, secret)
    return sessions.open_for(
        tx,
        person_id,
        provider=arrival.provider.id,
        issuer=arrival.issuer,
        subject=arrival.subject,
        sid=arrival.sid,
        id_token=arrival.id_token,
        acr=arrival.acr,
        device=ticket.device,
    )


def _link(tx: Transaction, ticket: Ticket, arrival: Arrival, secret: str) -> None:
    """Link the login that has arrived to the person of the session that left."""
    logins.link(tx, logins.session_of(tx, secret, ticket.session_id), arrival)


def _merge(tx: Transaction, ticket: Ticket, arrival: Arrival, secret: str) -> None:
    """Note that the session that left has proved another account's login too; nothing becomes one yet."""
    person_merging.prove(tx, logins.session_of(tx, secret, ticket.session_id), arrival)


def _prove(tx: Transaction, ticket: Ticket, arrival: Arrival, secret: str) -> str:
    return fresh_sign_ins.prove(tx, ticket.session_id, arrival, secret)


_COMPLETED: Final[Mapping[str, Callable[[Transaction, Ticket, Arrival, str], str | None]]] = {
    ENTER: _enter,
    LINK: _link,
    MERGE: _merge,
    fresh_sign_ins.PURPOSE: _prove,
}
"""What each purpose comes to."""
