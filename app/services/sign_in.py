"""Signing in and out: a departure that is kept until it comes back once, and the session it opens."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import delete

from app.database import Transaction
from app.errors import Conflict
from app.integrations.oidc import Arrival, Departure
from app.lib import secrets
from app.lib.i18n import N_
from app.models import SignIn
from app.models.base import table
from app.services import people, sessions

SIGN_IN = table(SignIn)

LONGEST: Final = timedelta(minutes=10)
"""How long a browser may stay at the provider."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a departure left behind, given out once."""

    nonce: str
    code_verifier: str
    next: str


def depart(tx: Transaction, departure: Departure, *, provider: str, browser: str, next: str) -> None:
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
            expires_at=tx.now + LONGEST,
        )
    )


def come_back(tx: Transaction, *, provider: str, state: str, browser: str) -> Ticket:
    """Take what a departure left, for good: the same answer a second time finds nothing.

    :raises Conflict: it expired, was used, left from another browser or for another provider, or never was
    """
    row = tx.execute(
        delete(SIGN_IN)
        .where(
            SIGN_IN.c.state_hash == secrets.digest(state),
            SIGN_IN.c.browser_hash == secrets.digest(browser),
            SIGN_IN.c.provider == provider,
            SIGN_IN.c.expires_at > tx.now,
        )
        .returning(SIGN_IN.c.nonce, SIGN_IN.c.code_verifier, SIGN_IN.c.next)
    ).first()
    if row is None:
        raise Conflict(N_("This sign-in has expired or was used already. Please sign in again."))
    return Ticket(row.nonce, row.code_verifier, row.next)


def complete(tx: Transaction, arrival: Arrival, *, replaces: str = "") -> str:
    """Open a session for the one who arrived; the secret for their cookie. The session it `replaces` ends.

    :raises NotAllowed: they may not enter; then nothing was changed
    """
    person_id = people.enter(tx, arrival)
    if replaces:
        sessions.end(tx, replaces)
    return sessions.open_for(
        tx,
        person_id,
        provider=arrival.provider.id,
        issuer=arrival.provider.issuer,
        subject=arrival.subject,
        sid=arrival.sid,
        id_token=arrival.id_token,
    )
