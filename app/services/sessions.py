"""Signed-in browsers: opened at sign-in, found on each request, ended by sign-out, time or a coordinator."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Row, bindparam, delete, select, update
from sqlalchemy.engine import Connection

from app.database import Transaction
from app.lib import clock, secrets
from app.models import BrowserSession, Membership, Person, Sector
from app.models.base import table
from app.policies.actor import ANONYMOUS, Actor
from app.policies.actor import Membership as Place
from app.services.events import record

SESSION = table(BrowserSession)
PERSON = table(Person)
MEMBERSHIP = table(Membership)
SECTOR = table(Sector)

LONGEST: Final = timedelta(hours=12)
"""How long a session lasts at the most, whatever is done with it."""

IDLE: Final = timedelta(hours=2)
"""How long a session lasts when nothing is done with it."""

SEEN_EVERY: Final = timedelta(minutes=5)
"""How far `seen_at` may lag behind, so that reading a page rarely writes."""

KEPT: Final = timedelta(days=30)
"""How long the row of an ended session is kept."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A session that was just ended: its provider, and the hint by which that knows the session again."""

    provider: str
    id_token: str | None


PERSON_AND_PLACES: Final = (
    PERSON.c.id,
    PERSON.c.name,
    PERSON.c.email,
    PERSON.c.language,
    PERSON.c.version,
    MEMBERSHIP.c.id.label("membership_id"),
    MEMBERSHIP.c.programme_id,
    MEMBERSHIP.c.role,
    MEMBERSHIP.c.organisation_id,
    MEMBERSHIP.c.sector_id,
    SECTOR.c.key.label("sector_key"),
)

# Built once: on each request only the three values are new.
_FIND: Final = (
    select(
        *PERSON_AND_PLACES,
        SESSION.c.id.label("session_id"),
        (SESSION.c.seen_at < bindparam("stale_before", type_=SESSION.c.seen_at.type)).label("is_stale"),
    )
    .select_from(SESSION)
    .join(PERSON, PERSON.c.id == SESSION.c.person_id)
    .outerjoin(MEMBERSHIP, (MEMBERSHIP.c.person_id == PERSON.c.id) & MEMBERSHIP.c.ended_at.is_(None))
    .outerjoin(SECTOR, SECTOR.c.id == MEMBERSHIP.c.sector_id)
    .where(
        SESSION.c.token_hash == bindparam("token_hash"),
        SESSION.c.revoked_at.is_(None),
        SESSION.c.expires_at > bindparam("now", type_=SESSION.c.expires_at.type),
        SESSION.c.seen_at > bindparam("idle_since", type_=SESSION.c.seen_at.type),
        PERSON.c.disabled_at.is_(None),
    )
)


def find(connection: Connection, secret: str) -> tuple[Actor, bool]:
    """Who the cookie's `secret` stands for, and whether `touch` is due; or `ANONYMOUS`."""
    now = clock.now()
    rows = connection.execute(
        _FIND,
        {
            "token_hash": secrets.digest(secret),
            "now": now,
            "idle_since": now - IDLE,
            "stale_before": now - SEEN_EVERY,
        },
    ).all()
    if not rows:
        return ANONYMOUS, False
    return actor_from(rows, session_id=rows[0].session_id), bool(rows[0].is_stale)


def actor_from(rows: Any, **how: Any) -> Actor:
    """The actor that `PERSON_AND_PLACES` rows of one person describe; `how` says by what they came."""
    first = rows[0]
    return Actor(
        person_id=first.id,
        name=first.name,
        email=first.email,
        language=first.language,
        version=first.version,
        memberships={row.programme_id: _place(row) for row in rows if row.membership_id is not None},
        **how,
    )


def touch(tx: Transaction, session_id: int) -> None:
    """Note that a session is in use; at most once in `SEEN_EVERY`, however often it is called."""
    tx.execute(
        update(SESSION)
        .where(SESSION.c.id == session_id, SESSION.c.seen_at < tx.now - SEEN_EVERY)
        .values(seen_at=tx.now)
    )


def open_for(
    tx: Transaction,
    person_id: int,
    *,
    provider: str,
    issuer: str,
    subject: str,
    sid: str | None = None,
    id_token: str | None = None,
) -> str:
    """Open a session for a person who has just signed in; the secret for their cookie, kept nowhere."""
    _forget_old(tx, person_id)
    secret = secrets.new_secret()
    opened = tx.execute(
        SESSION.insert()
        .values(
            token_hash=secrets.digest(secret),
            person_id=person_id,
            provider=provider,
            issuer=issuer,
            subject=subject,
            sid=sid,
            id_token=id_token,
            created_at=tx.now,
            seen_at=tx.now,
            expires_at=tx.now + LONGEST,
        )
        .returning(SESSION.c.id)
    ).scalar_one()
    record(tx, "session.started", Actor(person_id=person_id), subject_id=opened, data={"provider": provider})
    return secret


def end(tx: Transaction, secret: str) -> Ended | None:
    """End the session of this cookie; what signing out at the provider needs, or None.

    Idempotent: a session that has ended before, or never was, is no error.
    """
    session = tx.execute(
        select(SESSION.c.id, SESSION.c.person_id, SESSION.c.provider, SESSION.c.id_token).where(
            SESSION.c.token_hash == secrets.digest(secret), SESSION.c.revoked_at.is_(None)
        )
    ).first()
    if session is None:
        return None
    _revoke(tx, [session], "signed_out")
    return Ended(session.provider, session.id_token)


def end_all(tx: Transaction, person_id: int, *, reason: str = "revoked") -> int:
    """End every session of a person; how many there were."""
    return _revoke(
        tx,
        tx.execute(
            select(SESSION.c.id, SESSION.c.person_id).where(
                SESSION.c.person_id == person_id,
                SESSION.c.revoked_at.is_(None),
                SESSION.c.expires_at > tx.now,
            )
        ).all(),
        reason,
    )


def _forget_old(tx: Transaction, person_id: int) -> None:
    """Delete the rows of a person's sessions that are long over."""
    tx.execute(delete(SESSION).where(SESSION.c.person_id == person_id, SESSION.c.expires_at < tx.now - KEPT))


def _revoke(tx: Transaction, sessions: Any, reason: str) -> int:
    """End these sessions. The provider's id_token has people's data in it and is not kept any longer."""
    for session in sessions:
        tx.execute(update(SESSION).where(SESSION.c.id == session.id).values(revoked_at=tx.now, id_token=None))
        record(
            tx,
            "session.ended",
            Actor(person_id=session.person_id),
            subject_id=session.id,
            data={"reason": reason},
        )
    return len(sessions)


def _place(row: Row[Any]) -> Place:
    return Place(
        id=row.membership_id,
        programme_id=row.programme_id,
        role=row.role,
        organisation_id=row.organisation_id,
        sector_id=row.sector_id,
        sector_key=row.sector_key,
    )
