"""Signed-in browsers: opened at sign-in, found on each request, ended by sign-out, time or a coordinator."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import and_, bindparam, delete, or_, select, update
from sqlalchemy.engine import Connection

from app.database import Transaction
from app.lib import clock, secrets
from app.models import BrowserSession, Person
from app.models.base import table
from app.policies.actor import ANONYMOUS, Actor
from app.services import actors, audit
from app.services.actors import COLUMNS, joined
from app.services.events import record

SESSION = table(BrowserSession)
PERSON = table(Person)

LONGEST: Final = timedelta(hours=12)
"""How long a session lasts at the most, whatever is done with it."""

IDLE: Final = timedelta(hours=2)
"""How long a session lasts when nothing is done with it."""

SEEN_EVERY: Final = timedelta(minutes=5)
"""How far `seen_at` may lag behind, so that reading a page rarely writes."""

GRACE: Final = timedelta(seconds=60)
"""How long a cookie still holds after another took its place: for requests that were on their way."""

LONGEST_ACR: Final = 200

KEPT: Final = timedelta(days=30)
"""How long the row of an ended session is kept."""


class Found(NamedTuple):
    """Who a cookie stands for, and what is to be done about it: `touch`, `rotate`, or `note_refused` of a session."""

    actor: Actor
    is_stale: bool = False
    is_rotation_due: bool = False
    refused_id: int | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """A session that was just ended: its provider, and the hint by which that knows the session again."""

    provider: str
    id_token: str | None


NOBODY: Final = Found(ANONYMOUS)

# Built once: on each request only the values are new.
_FIND: Final = joined(
    select(
        *COLUMNS,
        SESSION.c.id.label("session_id"),
        SESSION.c.authenticated_at,
        (SESSION.c.seen_at < bindparam("stale_before", type_=SESSION.c.seen_at.type)).label("is_stale"),
        SESSION.c.rotation_due_at.is_not(None).label("is_rotation_due"),
    )
    .select_from(SESSION)
    .join(PERSON, PERSON.c.id == SESSION.c.person_id)
).where(
    SESSION.c.token_hash == bindparam("token_hash"),
    SESSION.c.revoked_at.is_(None),
    SESSION.c.expires_at > bindparam("now", type_=SESSION.c.expires_at.type),
    SESSION.c.seen_at > bindparam("idle_since", type_=SESSION.c.seen_at.type),
)

_FORMER: Final = select(
    SESSION.c.id, SESSION.c.token_hash, SESSION.c.rotated_at, SESSION.c.revoked_at, SESSION.c.seen_at
).where(or_(SESSION.c.token_hash == bindparam("hash"), SESSION.c.previous_hash == bindparam("hash")))


def find(connection: Connection, secret: str) -> Found:
    """Who the cookie's `secret` stands for; `ANONYMOUS` where it holds no session."""
    now, hash = clock.now(), secrets.digest(secret)
    return _holding(connection, hash, now) or _former(connection, hash, now)


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
    acr: str | None = None,
    device: str = "",
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
            acr=acr[:LONGEST_ACR] if acr else None,
            device=device,
            created_at=tx.now,
            authenticated_at=tx.now,
            seen_at=tx.now,
            expires_at=tx.now + LONGEST,
        )
        .returning(SESSION.c.id)
    ).scalar_one()
    record(tx, "session.started", Actor(person_id=person_id), subject_id=opened, data={"provider": provider})
    return secret


def rotate(tx: Transaction, session_id: int, secret: str) -> str | None:
    """Change the cookie of a session for which that is due; the new secret, or None: another request was first.

    The old secret holds for `GRACE`. Forms that are open stay usable, live streams go on.
    """
    renewed = secrets.renewed(secret)
    is_due = SESSION.c.rotation_due_at.is_not(None) & SESSION.c.revoked_at.is_(None)
    changed = tx.execute(
        update(SESSION)
        .where(SESSION.c.id == session_id, SESSION.c.token_hash == secrets.digest(secret), is_due)
        .values(
            token_hash=secrets.digest(renewed),
            previous_hash=SESSION.c.token_hash,
            rotated_at=tx.now,
            rotation_due_at=None,
        )
        .returning(SESSION.c.id)
    ).first()
    return renewed if changed is not None else None


def note_refused(tx: Transaction, session_id: int) -> None:
    """Note in the audit log that a cookie came which no longer holds: another replaced it, or its session is over.

    Once for each such cookie, however often it comes. The session itself, if there is one, goes on.
    """
    ended = (SESSION.c.id == session_id) & (SESSION.c.revoked_at >= SESSION.c.seen_at)
    replaced = (SESSION.c.id == session_id) & SESSION.c.previous_hash.is_not(None)
    for reason, which, mark in (
        ("session_ended", ended, {"seen_at": tx.now, "previous_hash": None}),
        ("cookie_replaced", replaced, {"previous_hash": None}),
    ):
        if tx.execute(update(SESSION).where(which).values(**mark).returning(SESSION.c.id)).first():
            audit.refused(tx, "session.refused", None, reason, subject="session", subject_id=session_id)
            return


def end(tx: Transaction, secret: str) -> Ended | None:
    """End the session of this cookie; what signing out at the provider needs, or None.

    Idempotent: a session that has ended before, or never was, is no error.
    """
    session = tx.execute(
        select(SESSION.c.id, SESSION.c.provider, SESSION.c.id_token).where(
            of_cookie(secret, tx.now), SESSION.c.revoked_at.is_(None), SESSION.c.expires_at > tx.now
        )
    ).first()
    if session is None:
        return None
    revoke(tx, SESSION.c.id == session.id, "signed_out")
    return Ended(session.provider, session.id_token)


def end_all(tx: Transaction, person_id: int, *, reason: str = "revoked") -> int:
    """End every session of a person; how many there were."""
    return revoke(tx, SESSION.c.person_id == person_id, reason)


def end_at_provider(
    tx: Transaction, issuer: str, *, sid: str | None = None, subject: str | None = None
) -> int:
    """End the sessions that a provider says are over: of its session `sid`, of its `subject`, or where both agree.

    Where both are told, so do the subject's sessions end of which no `sid` is known. Idempotent; how many there were.
    Where neither is told none ends.
    """
    told = {name: value for name, value in (("sid", sid), ("subject", subject)) if value is not None}
    if not told:
        return 0
    matches = [SESSION.c[name] == value for name, value in told.items()]
    if len(matches) == 2:
        matches[0] |= SESSION.c.sid.is_(None)
    return revoke(tx, and_(SESSION.c.issuer == issuer, *matches), "ended_at_provider")


def revoke(tx: Transaction, which: Any, reason: str) -> int:
    """End those of the sessions `which` that have not ended yet; how many there were.

    The provider's id_token has people's data in it and is not kept any longer.
    """
    ended = tx.execute(
        update(SESSION)
        .where(which, SESSION.c.revoked_at.is_(None), SESSION.c.expires_at > tx.now)
        .values(revoked_at=tx.now, id_token=None)
        .returning(SESSION.c.id, SESSION.c.person_id)
    ).all()
    for session in ended:
        record(
            tx,
            "session.ended",
            Actor(person_id=session.person_id),
            subject_id=session.id,
            data={"reason": reason},
        )
    return len(ended)


def end_of_login(tx: Transaction, issuer: str, subject: str) -> int:
    """End every session that was opened by a login; how many there were."""
    return revoke(tx, and_(SESSION.c.issuer == issuer, SESSION.c.subject == subject), "unlinked")


def rotate_later(tx: Transaction, person_id: int) -> None:
    """Have the cookies of a person's sessions changed at their next page: what they may do has changed.

    Idempotent; the sessions go on.
    """
    tx.execute(
        update(SESSION)
        .where(
            SESSION.c.person_id == person_id,
            SESSION.c.revoked_at.is_(None),
            SESSION.c.expires_at > tx.now,
            SESSION.c.rotation_due_at.is_(None),
        )
        .values(rotation_due_at=tx.now)
    )


def of_cookie(secret: str, now: datetime) -> Any:
    """The condition that a session is that of a cookie, also one that was changed a moment ago."""
    hash = secrets.digest(secret)
    is_former = (SESSION.c.previous_hash == hash) & (SESSION.c.rotated_at > now - GRACE)
    return or_(SESSION.c.token_hash == hash, is_former)


def _holding(connection: Connection, hash: bytes, now: datetime) -> Found | None:
    """The session whose cookie has this hash, if it holds."""
    rows = connection.execute(
        _FIND,
        {"token_hash": hash, "now": now, "idle_since": now - IDLE, "stale_before": now - SEEN_EVERY},
    ).all()
    if not rows:
        return None
    first = rows[0]
    actor = actors.of_rows(rows, session_id=first.session_id, authenticated_at=first.authenticated_at)
    return Found(actor, bool(first.is_stale), bool(first.is_rotation_due))


def _former(connection: Connection, hash: bytes, now: datetime) -> Found:
    """What a cookie stands for that holds no session by itself: one that was changed, or whose session is over."""
    row = connection.execute(_FORMER, {"hash": hash}).first()
    if row is None:
        return NOBODY
    is_replaced = row.token_hash != hash
    if is_replaced and row.revoked_at is None and row.rotated_at > now - GRACE:
        found = _holding(connection, row.token_hash, now) or NOBODY
        return found._replace(is_rotation_due=False)
    is_ended = row.revoked_at is not None and row.seen_at <= row.revoked_at
    return Found(ANONYMOUS, refused_id=row.id if is_replaced or is_ended else None)


def _forget_old(tx: Transaction, person_id: int) -> None:
    """Delete the rows of a person's sessions that are long over."""
    tx.execute(delete(SESSION).where(SESSION.c.person_id == person_id, SESSION.c.expires_at < tx.now - KEPT))
