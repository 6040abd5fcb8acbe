"""An idea held for a change: what policy and rules need of it, in one statement."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, select

from app.database import Transaction
from app.errors import Conflict, Moved, NotFound
from app.lib.i18n import N_
from app.models import Challenge, CoAuthor, Idea
from app.models.base import table
from app.models.idea import MERGED, OPEN
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import may
from app.services import phases
from app.services.phases import PHASE, PhaseView

IDEA = table(Idea)
CHALLENGE = table(Challenge)
CO_AUTHOR = table(CoAuthor)


@dataclass(frozen=True, slots=True)
class HeldIdea:
    """An idea as a verb sees it. `co_author_ids` names the actor alone, if they write along."""

    id: int
    programme_id: int
    challenge_id: int
    cluster_id: int | None
    author_id: int
    co_author_ids: tuple[int, ...]
    title: str
    body: str
    language: str
    anonymous: bool
    state: str
    version: int
    updated_at: datetime
    phase: PhaseView


def hold(tx: Transaction, actor: Actor, idea_id: int, *, version: int | None = None) -> HeldIdea:
    """The idea, through its viewer; on PostgreSQL locked until the commit, so that two changes follow one another.

    :raises NotFound: there is none, or the actor may not see it
    :raises Moved: `version` is given and someone has changed the idea since
    """
    row = tx.execute(
        select(
            IDEA,
            CO_AUTHOR.c.person_id.label("co_author_id"),
            *phases.selected(),
        )
        .select_from(IDEA)
        .join(CHALLENGE, and_(CHALLENGE.c.id == IDEA.c.challenge_id, CHALLENGE.c.deleted_at.is_(None)))
        .outerjoin(PHASE, phases.in_force(IDEA.c.challenge_id))
        .outerjoin(
            CO_AUTHOR, and_(CO_AUTHOR.c.idea_id == IDEA.c.id, CO_AUTHOR.c.person_id == actor.person_id)
        )
        .where(IDEA.c.id == idea_id)
        .with_for_update(of=IDEA)
    ).first()
    idea = _held(row) if row is not None else None
    if idea is None or not may(actor, Permission.READ_IDEA, idea):
        raise NotFound(N_("There is no such idea, or it is not open to you."))
    if version is not None and version != idea.version:
        raise Moved(N_("Someone has changed this idea in the meantime."), current=idea.version)
    return idea


def require_shown(idea: HeldIdea) -> None:
    """Raise unless the idea stands on its board.

    :raises Conflict: it is merged, withdrawn or hidden
    """
    if idea.state == MERGED:
        raise Conflict(N_("This idea has been merged into another one."))
    if idea.state != OPEN:
        raise Conflict(N_("This idea is no longer open."))


def _held(row: Any) -> HeldIdea:
    return HeldIdea(
        id=row.id,
        programme_id=row.programme_id,
        challenge_id=row.challenge_id,
        cluster_id=row.cluster_id,
        author_id=row.author_id,
        co_author_ids=(row.co_author_id,) if row.co_author_id is not None else (),
        title=row.title,
        body=row.body,
        language=row.language,
        anonymous=row.anonymous,
        state=row.state,
        version=row.version,
        updated_at=row.updated_at,
        phase=phases.from_row(row),
    )
