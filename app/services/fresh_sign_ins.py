"""Signing in once more before a step with consequences: the same person proves anew who they are."""

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import select, update
from sqlalchemy.engine import Connection

from app.database import Transaction
from app.errors import Conflict, NotAllowed
from app.integrations.arrivals import Arrival
from app.lib import secrets
from app.lib.i18n import N_
from app.models import Login, Person
from app.models.base import table
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import require
from app.services.events import record
from app.services.sessions import IDLE, LONGEST_ACR, SESSION, of_cookie

LOGIN = table(Login)
PERSON = table(Person)

PURPOSE: Final = "step_up"
"""The purpose of a way to a provider that ends in `prove`."""

OLDEST_PROOF: Final = timedelta(minutes=5)
"""How long ago the provider may have asked who is there, by its own word: longer, and it did not ask anew."""


class OtherPerson(NotAllowed):
    """Someone else's login came back. `reason` is for the audit log."""

    reason = "other_person"


class NotAnew(NotAllowed):
    """The provider did not ask anew who is there."""

    reason = "not_asked_anew"


class SessionGone(Conflict):
    """The session that was to be renewed is not the one of this browser, or is over."""

    reason = "session_gone"


def issuers(connection: Connection, actor: Actor) -> set[str]:
    """The issuers at which the actor can prove who they are: those of their logins."""
    require(actor, Permission.MANAGE_OWN)
    return set(
        connection.execute(select(LOGIN.c.issuer).where(LOGIN.c.person_id == actor.person_id)).scalars()
    )


def prove(tx: Transaction, session_id: int | None, arrival: Arrival, secret: str) -> str:
    """Note that the person of a session has just proved anew who they are; the new secret for their cookie.

    Any of their logins will do. `secret` is that of the browser that comes back.

    :raises SessionGone: this browser has not that session, or it is over
    :raises OtherPerson: the login is someone else's, or nobody's
    :raises NotAnew: by its own word the provider asked too long ago
    """
    session = _session(tx, session_id, secret)
    if _person_of(tx, arrival) != session.person_id:
        raise OtherPerson(
            N_(
                "That was another login than one of yours, so nothing was changed. "
                "Please sign in with a login that belongs to you here."
            )
        )
    _require_asked_anew(arrival, tx.now)
    renewed = secrets.renewed(secret)
    tx.execute(
        update(SESSION)
        .where(SESSION.c.id == session.id)
        .values(
            token_hash=secrets.digest(renewed),
            previous_hash=SESSION.c.token_hash,
            rotated_at=tx.now,
            rotation_due_at=None,
            authenticated_at=tx.now,
            seen_at=tx.now,
            **_told(session, arrival),
        )
    )
    record(tx, "session.renewed", Actor(person_id=session.person_id), subject_id=session.id)
    return renewed


def _session(tx: Transaction, session_id: int | None, secret: str) -> Any:
    session = tx.execute(
        select(SESSION.c.id, SESSION.c.person_id, SESSION.c.issuer, SESSION.c.subject, SESSION.c.acr)
        .join(PERSON, PERSON.c.id == SESSION.c.person_id)
        .where(
            SESSION.c.id == session_id,
            of_cookie(secret, tx.now),
            SESSION.c.revoked_at.is_(None),
            SESSION.c.expires_at > tx.now,
            SESSION.c.seen_at > tx.now - IDLE,
            PERSON.c.disabled_at.is_(None),
        )
    ).first()
    if session is None:
        raise SessionGone(N_("Your session has ended meanwhile. Please sign in again."))
    return session


def _person_of(tx: Transaction, arrival: Arrival) -> int | None:
    found: int | None = tx.execute(
        select(LOGIN.c.person_id).where(LOGIN.c.issuer == arrival.issuer, LOGIN.c.subject == arrival.subject)
    ).scalar()
    return found


def _require_asked_anew(arrival: Arrival, now: datetime) -> None:
    if arrival.auth_time is not None and now - arrival.auth_time > OLDEST_PROOF:
        raise NotAnew(
            N_(
                "Your identity provider did not ask you anew who you are, so nothing was changed. "
                "Please sign out there first, or tell those who run this site."
            )
        )


def _told(session: Any, arrival: Arrival) -> dict[str, Any]:
    """What the provider tells now; what is by another login says nothing of the session at the first one's provider."""
    told: dict[str, Any] = {"acr": arrival.acr[:LONGEST_ACR] if arrival.acr else session.acr}
    if (session.issuer, session.subject) == (arrival.issuer, arrival.subject):
        told["id_token"] = arrival.id_token
        if arrival.sid is not None:
            told["sid"] = arrival.sid
    return told
