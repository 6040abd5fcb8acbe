"""Watching a board: who may still do so, and the names of those who do."""

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.engine import Connection

from app.lib import clock
from app.models import BrowserSession, Membership, Person
from app.models.base import table
from app.services.sessions import IDLE

SESSION = table(BrowserSession)
PERSON = table(Person)
MEMBERSHIP = table(Membership)


def still_allowed(connection: Connection, watching: Collection[tuple[int, int]]) -> set[tuple[int, int]]:
    """Of these pairs of a session and a programme those whose session holds and whose person is still a member."""
    now = clock.now()
    holding = (
        select(SESSION.c.id, MEMBERSHIP.c.programme_id)
        .join(PERSON, PERSON.c.id == SESSION.c.person_id)
        .join(MEMBERSHIP, MEMBERSHIP.c.person_id == PERSON.c.id)
        .where(
            SESSION.c.id.in_({session_id for session_id, _ in watching}),
            SESSION.c.revoked_at.is_(None),
            SESSION.c.expires_at > now,
            SESSION.c.seen_at > now - IDLE,
            PERSON.c.disabled_at.is_(None),
            MEMBERSHIP.c.ended_at.is_(None),
        )
    )
    return {(session_id, programme_id) for session_id, programme_id in connection.execute(holding)}


def names(connection: Connection, person_ids: Collection[int]) -> dict[int, str]:
    """The names of these people."""
    rows = connection.execute(select(PERSON.c.id, PERSON.c.name).where(PERSON.c.id.in_(person_ids)))
    return {row.id: row.name for row in rows}
