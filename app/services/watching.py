"""Watching a board: who may still do so, the names of those who do, and what changes by time alone."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.engine import Connection

from app.lib import clock
from app.models import BrowserSession, Membership, Person, Phase
from app.models.base import table
from app.services.sessions import IDLE

SESSION = table(BrowserSession)
PERSON = table(Person)
MEMBERSHIP = table(Membership)
PHASE = table(Phase)


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


def turned(
    connection: Connection, challenge_ids: Collection[int], *, after: datetime, until: datetime
) -> set[int]:
    """Those of the challenges in which a phase began or ended in that time: no event tells of it."""
    began = (PHASE.c.starts_at > after) & (PHASE.c.starts_at <= until)
    ended = (PHASE.c.ends_at > after) & (PHASE.c.ends_at <= until)
    rows = connection.execute(
        select(PHASE.c.challenge_id).where(PHASE.c.challenge_id.in_(challenge_ids), or_(began, ended))
    )
    return {row.challenge_id for row in rows}
