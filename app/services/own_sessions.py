"""One's own sessions: where one is signed in, and ending one of them or all the others."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.engine import Connection

from app.database import Transaction
from app.errors import NotAllowed, NotFound
from app.lib import clock, devices
from app.lib.i18n import N_
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import require
from app.services import sessions
from app.services.sessions import IDLE, SESSION

UNSEEN: Final = N_("There is no such session.")


@dataclass(frozen=True, slots=True)
class SessionView:
    """A signed-in browser as its person sees it; `browser` and `system` are names, or empty where they are not known.

    `ends_at`: when it ends by itself, whatever is done with it.
    """

    id: int
    browser: str
    system: str
    provider: str
    began_at: datetime
    seen_at: datetime
    ends_at: datetime
    is_this: bool


def of_person(connection: Connection, actor: Actor) -> Sequence[SessionView]:
    """Where the actor is signed in now: this browser first, then the one seen last."""
    _require_own(actor)
    rows = connection.execute(select(SESSION).where(*_own(actor)).order_by(SESSION.c.seen_at.desc())).all()
    return sorted((_view(row, actor) for row in rows), key=lambda session: not session.is_this)


def find(connection: Connection, actor: Actor, session_id: int) -> SessionView:
    """One of the actor's sessions that still hold.

    :raises NotFound: there is none, or it is someone else's
    :raises NotAllowed: a bound token asks
    """
    _require_own(actor)
    row = connection.execute(select(SESSION).where(SESSION.c.id == session_id, *_own(actor))).first()
    if row is None:
        raise NotFound(UNSEEN)
    return _view(row, actor)


def end(tx: Transaction, actor: Actor, session_id: int) -> None:
    """End one of the actor's own sessions; idempotent. Its page of a board stops within seconds.

    :raises NotFound: there is none, or it is someone else's
    :raises NotAllowed: a bound token asks
    """
    _require_own(actor)
    mine = (SESSION.c.id == session_id) & (SESSION.c.person_id == actor.person_id)
    if tx.execute(select(SESSION.c.id).where(mine)).first() is None:
        raise NotFound(UNSEEN)
    sessions.revoke(tx, mine, "ended_by_owner")


def end_others(tx: Transaction, actor: Actor) -> int:
    """End all the actor's sessions but this one; how many there were. Idempotent."""
    _require_own(actor)
    others = (SESSION.c.person_id == actor.person_id) & (SESSION.c.id != (actor.session_id or 0))
    return sessions.revoke(tx, others, "ended_by_owner")


def _require_own(actor: Actor) -> None:
    """Raise unless these are the actor's affair: a token of one programme or organisation alone ends nothing elsewhere.

    :raises NotSignedIn: nobody is signed in
    :raises NotAllowed: a bound token asks
    """
    require(actor, Permission.MANAGE_OWN)
    if actor.is_bound and not actor.is_machine:
        raise NotAllowed(N_("A token cannot do this. Please sign in and use your own page."))


def _own(actor: Actor) -> tuple[Any, ...]:
    """The conditions of the actor's sessions that still hold."""
    now = clock.now()
    return (
        SESSION.c.person_id == actor.person_id,
        SESSION.c.revoked_at.is_(None),
        SESSION.c.expires_at > now,
        SESSION.c.seen_at > now - IDLE,
    )


def _view(row: Any, actor: Actor) -> SessionView:
    browser, system = devices.parts(row.device)
    return SessionView(
        id=row.id,
        browser=browser,
        system=system,
        provider=row.provider,
        began_at=row.created_at,
        seen_at=row.seen_at,
        ends_at=row.expires_at,
        is_this=row.id == actor.session_id,
    )
