"""Merges: two cards made one, with the other author's consent, and support united and never counted twice."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, func, insert, literal, or_, select
from sqlalchemy.engine import Connection

from app.database import Transaction
from app.errors import Conflict, FieldError, Invalid, NotFound
from app.lib.i18n import N_
from app.models import Idea, Merge, Objection, Person, Support
from app.models.base import table
from app.models.idea import MERGED, OPEN
from app.models.merge import ACCEPTED, DECLINED, PROPOSED, UNDONE
from app.models.support import ALL
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import may, require
from app.schemas import text
from app.services import notices, support
from app.services.challenges import ChallengeView
from app.services.events import record
from app.services.held import HeldIdea, hold, require_shown

IDEA = table(Idea)
MERGE = table(Merge)
OBJECTION = table(Objection)
SUPPORT = table(Support)
PERSON = table(Person)


UNTOLD = "…"
"""In place of a title that its reader may not see."""


@dataclass(frozen=True, slots=True)
class MergeView:
    """A merge with the titles of both ideas; `objections` counts the supporters who did not go along."""

    id: int
    programme_id: int
    challenge_id: int
    source_id: int
    source_title: str
    source_language: str
    target_id: int
    target_title: str
    target_language: str
    proposed_by: int
    asked_id: int
    state: str
    objections: int
    created_at: datetime
    updated_at: datetime


# queries


def find(connection: Connection, actor: Actor, merge_id: int) -> MergeView:
    """One merge.

    :raises NotFound: there is none, or the actor does not see its challenge
    """
    row = connection.execute(_selection().where(MERGE.c.id == merge_id)).first()
    view = _view(actor, row) if row is not None else None
    if view is None or not may(actor, Permission.READ_CHALLENGE, view):
        raise NotFound(N_("There is no such merge, or it is not open to you."))
    return view


def waiting_for(connection: Connection, actor: Actor) -> list[MergeView]:
    """Merges that wait for the actor's consent, the oldest first."""
    rows = connection.execute(
        _selection()
        .where(MERGE.c.asked_id == actor.person_id, MERGE.c.state == PROPOSED)
        .order_by(MERGE.c.id)
    )
    return [_view(actor, row) for row in rows]


def of_idea(connection: Connection, actor: Actor, idea_id: int) -> list[MergeView]:
    """Merges proposed or made with this idea, the newest first."""
    rows = connection.execute(
        _selection()
        .where(or_(MERGE.c.source_id == idea_id, MERGE.c.target_id == idea_id))
        .where(MERGE.c.state.in_([PROPOSED, ACCEPTED]))
        .order_by(MERGE.c.id.desc())
    )
    return [_view(actor, row) for row in rows]


def made_of(connection: Connection, merge_ids: Collection[int]) -> dict[int, int]:
    """Of these merges those that are made: each source's id to its target's."""
    rows = connection.execute(
        select(MERGE.c.source_id, MERGE.c.target_id).where(
            MERGE.c.id.in_(merge_ids), MERGE.c.state == ACCEPTED
        )
    )
    return {row.source_id: row.target_id for row in rows}


def objections(connection: Connection, actor: Actor, merge: MergeView) -> Sequence[Any]:
    """Who objected, when and why (name, reason, objected_at); for those who moderate."""
    if not may(actor, Permission.MODERATE, merge):
        return []
    return connection.execute(
        select(PERSON.c.name, OBJECTION.c.reason, OBJECTION.c.objected_at)
        .join(PERSON, PERSON.c.id == OBJECTION.c.person_id)
        .where(OBJECTION.c.merge_id == merge.id)
        .order_by(OBJECTION.c.objected_at, OBJECTION.c.person_id)
    ).all()


def candidates(connection: Connection, challenge: ChallengeView, idea_id: int) -> Sequence[Any]:
    """Open ideas of the same board (id, title, language) that this one could go into, by title; 500 at most."""
    return connection.execute(
        select(IDEA.c.id, IDEA.c.title, IDEA.c.language)
        .where(IDEA.c.challenge_id == challenge.id, IDEA.c.state == OPEN, IDEA.c.id != idea_id)
        .order_by(func.lower(IDEA.c.title), IDEA.c.id)
        .limit(500)
    ).all()


# verbs


def propose(tx: Transaction, actor: Actor, source_id: int, target_id: int) -> int:
    """Propose that the source goes into the target; the merge's id. The other's author is asked.

    One of the two has to be the actor's own, unless the actor moderates: then the source's author is asked. Who
    wrote both is asked by nobody, and the merge is made.

    :raises NotAllowed: neither idea is the actor's, and the actor does not moderate
    :raises Invalid: both are the same idea, or of different boards
    :raises Conflict: one of them is not open, the phase is past, or a merge of the source is proposed already
    """
    source, target = _both(tx, actor, source_id, target_id)
    require(actor, Permission.PROPOSE_MERGE, source)
    own = [idea for idea in (source, target) if may(actor, Permission.EDIT_IDEA, idea)]
    if not own:
        require(actor, Permission.MODERATE, source)
    asked_id = target.author_id if source in own else source.author_id
    merge_id = tx.execute(
        insert(MERGE)
        .values(
            programme_id=source.programme_id,
            challenge_id=source.challenge_id,
            source_id=source_id,
            target_id=target_id,
            proposed_by=actor.person_id,
            asked_id=asked_id,
            state=PROPOSED,
            created_at=tx.now,
            updated_at=tx.now,
        )
        .returning(MERGE.c.id)
    ).scalar_one()
    _record(tx, "merge.proposed", source, merge_id, data={"target_id": target_id})
    if asked_id == actor.person_id:
        _unite(tx, actor, source, target, merge_id)
    else:
        _tell(tx, [asked_id], "merge_proposed", source, merge_id)
    return int(merge_id)


def accept(tx: Transaction, actor: Actor, merge_id: int) -> MergeView:
    """Consent: the source goes into the target, support is united, supporters are told and may object.

    :raises NotAllowed: someone else is asked
    :raises Conflict: it is decided already, or one of the ideas is no longer open
    """
    merge = _decidable(tx, actor, merge_id)
    source, target = _both(tx, actor, merge.source_id, merge.target_id, but=merge_id)
    _unite(tx, actor, source, target, merge_id)
    _tell(tx, {merge.proposed_by} - {actor.person_id}, "merge_accepted", source, merge_id)
    return merge


def decline(tx: Transaction, actor: Actor, merge_id: int) -> MergeView:
    """Refuse consent: both cards stay, and the proposer is told.

    :raises NotAllowed: someone else is asked
    :raises Conflict: it is decided already
    """
    merge = _decidable(tx, actor, merge_id)
    source = hold(tx, actor, merge.source_id)
    _decide(tx, actor, merge_id, DECLINED)
    _record(tx, "merge.declined", source, merge_id, data={"target_id": merge.target_id})
    _tell(tx, {merge.proposed_by} - {actor.person_id}, "merge_declined", source, merge_id)
    return merge


def object_to(tx: Transaction, actor: Actor, merge_id: int, *, reason: str = "") -> MergeView:
    """As a supporter of the source, take one's support out of the united idea; facilitators read the reason.

    :raises Conflict: the merge is not made, or the actor's support did not come along with it
    """
    merge = _held(tx, actor, merge_id)
    require(actor, Permission.OBJECT_TO_MERGE, merge)
    if merge.state != ACCEPTED:
        raise Conflict(N_("This merge is not in force."))
    reason, errors = text.passage("reason", reason, most=1000)
    if errors:
        raise Invalid(*errors)
    source = hold(tx, actor, merge.source_id)
    supported = select(SUPPORT.c.person_id).where(
        SUPPORT.c.idea_id == merge.source_id, SUPPORT.c.person_id == actor.person_id
    )
    if tx.execute(supported).first() is None:
        raise Conflict(N_("You did not support the idea that was merged."))
    known = select(OBJECTION.c.merge_id).where(
        OBJECTION.c.merge_id == merge_id, OBJECTION.c.person_id == actor.person_id
    )
    if tx.execute(known).first() is not None:
        return merge
    tx.execute(
        insert(OBJECTION).values(
            merge_id=merge_id,
            person_id=actor.person_id,
            programme_id=merge.programme_id,
            reason=reason,
            objected_at=tx.now,
        )
    )
    _take_out(tx, merge, SUPPORT.c.person_id == actor.person_id)
    _record(tx, "merge.objected", source, merge_id, data={"target_id": merge.target_id})
    _tell(tx, {merge.proposed_by, merge.asked_id} - {actor.person_id}, "merge_objected", source, merge_id)
    return merge


def undo(tx: Transaction, actor: Actor, merge_id: int) -> MergeView:
    """Part the two cards again, by a facilitator: the source is back with its supporters; both authors are told.

    :raises NotAllowed: the actor does not moderate
    :raises Conflict: the merge is not in force
    """
    merge = _held(tx, actor, merge_id)
    require(actor, Permission.UNDO_MERGE, merge)
    source = hold(tx, actor, merge.source_id)
    if not _decide(tx, actor, merge_id, UNDONE, was=ACCEPTED):
        raise Conflict(N_("This merge is not in force."))
    _take_out(tx, merge, SUPPORT.c.via_id == merge.source_id)
    tx.execute(
        IDEA.update()
        .where(IDEA.c.id == merge.source_id)
        .values(state=OPEN, merged_into_id=None, version=source.version + 1, updated_at=tx.now)
    )
    _record(tx, "merge.undone", source, merge_id, data={"target_id": merge.target_id})
    _tell(tx, {merge.proposed_by, merge.asked_id} - {actor.person_id}, "merge_undone", source, merge_id)
    return merge


# within


def _selection() -> Any:
    source, target = IDEA.alias("source"), IDEA.alias("target")
    objected = (
        select(func.count())
        .select_from(OBJECTION)
        .where(OBJECTION.c.merge_id == MERGE.c.id)
        .scalar_subquery()
    )
    return (
        select(
            MERGE,
            *_named("source", source),
            *_named("target", target),
            objected.label("objections"),
        )
        .join(source, source.c.id == MERGE.c.source_id)
        .join(target, target.c.id == MERGE.c.target_id)
    )


def _named(name: str, idea: Any) -> list[Any]:
    """An idea's title, and what the policy asks to know before the title is told."""
    return [
        idea.c[column].label(f"{name}_{column}") for column in ("title", "language", "state", "author_id")
    ]


def _view(actor: Actor, row: Row[Any]) -> MergeView:
    """A merge as the actor sees it: the title of an idea that is not open to them is left out."""
    fields = {name: getattr(row, name) for name in MergeView.__dataclass_fields__}
    for name in ("source", "target"):
        idea = _Titled(row.programme_id, getattr(row, f"{name}_state"), getattr(row, f"{name}_author_id"))
        if not may(actor, Permission.READ_IDEA, idea):
            fields[f"{name}_title"] = UNTOLD
    return MergeView(**fields)


@dataclass(frozen=True, slots=True)
class _Titled:
    programme_id: int
    state: str
    author_id: int


def _both(
    tx: Transaction, actor: Actor, source_id: int, target_id: int, *, but: int | None = None
) -> tuple[HeldIdea, HeldIdea]:
    """Both ideas, held in the order of their ids so that two merges cannot lock each other out."""
    if source_id == target_id:
        raise Invalid(FieldError("target_id", N_("Please choose another idea than this one.")))
    held = {idea_id: hold(tx, actor, idea_id) for idea_id in sorted((source_id, target_id))}
    source, target = held[source_id], held[target_id]
    if source.challenge_id != target.challenge_id:
        raise Invalid(FieldError("target_id", N_("Please choose an idea of the same board.")))
    require_shown(source)
    require_shown(target)
    if source.phase.kind not in ("ideation", "shaping"):
        raise Conflict(N_("Ideas can no longer be merged in this phase."))
    pending = select(MERGE.c.id).where(
        MERGE.c.source_id == source_id, MERGE.c.state == PROPOSED, MERGE.c.id != (but or 0)
    )
    if tx.execute(pending).first() is not None:
        raise Conflict(N_("A merge of this idea is proposed already."))
    return source, target


def _held(tx: Transaction, actor: Actor, merge_id: int) -> MergeView:
    """The merge, locked on PostgreSQL until the commit, so that of two decisions the later one sees the other."""
    tx.execute(select(MERGE.c.id).where(MERGE.c.id == merge_id).with_for_update())
    return find(tx.connection, actor, merge_id)


def _decidable(tx: Transaction, actor: Actor, merge_id: int) -> MergeView:
    merge = _held(tx, actor, merge_id)
    require(actor, Permission.DECIDE_MERGE, merge)
    if merge.state != PROPOSED:
        raise Conflict(N_("This merge is decided already."))
    return merge


def _decide(tx: Transaction, actor: Actor, merge_id: int, state: str, *, was: str = PROPOSED) -> bool:
    """Turn the merge's state once: of two at the same moment only one finds it as it was."""
    return (
        tx.execute(
            MERGE.update()
            .where(MERGE.c.id == merge_id, MERGE.c.state == was)
            .values(state=state, decided_by=actor.person_id, decided_at=tx.now, updated_at=tx.now)
            .returning(MERGE.c.id)
        ).first()
        is not None
    )


def _unite(tx: Transaction, actor: Actor, source: HeldIdea, target: HeldIdea, merge_id: int) -> None:
    """Make the merge: who supports only the source supports the target from now on, with a mark whence it came."""
    if not _decide(tx, actor, merge_id, ACCEPTED):
        raise Conflict(N_("This merge is decided already."))
    support.take_turns_on(tx, [source.challenge_id])
    already = select(SUPPORT.c.person_id).where(SUPPORT.c.idea_id == target.id)
    carried = select(
        literal(target.id),
        SUPPORT.c.person_id,
        SUPPORT.c.programme_id,
        SUPPORT.c.challenge_id,
        SUPPORT.c.sector_id,
        literal(source.id),
        literal(tx.now, SUPPORT.c.created_at.type),
    ).where(SUPPORT.c.idea_id == source.id, SUPPORT.c.person_id.not_in(already))
    names = ["idea_id", "person_id", "programme_id", "challenge_id", "sector_id", "via_id", "created_at"]
    rows = tx.execute(insert(SUPPORT).from_select(names, carried).returning(SUPPORT.c.sector_id)).all()
    _count(tx, target, rows, 1, idea_id=target.id)
    tx.execute(
        IDEA.update()
        .where(IDEA.c.id == source.id)
        .values(state=MERGED, merged_into_id=target.id, version=source.version + 1, updated_at=tx.now)
    )
    _record(tx, "merge.accepted", source, merge_id, data={"target_id": target.id})
    supporters = tx.execute(select(SUPPORT.c.person_id).where(SUPPORT.c.idea_id == source.id)).scalars().all()
    _tell(tx, set(supporters) - {source.author_id, target.author_id}, "merge_supporters", source, merge_id)


def _take_out(tx: Transaction, merge: MergeView, which: Any) -> None:
    """Take carried support out of the target again."""
    support.take_turns_on(tx, [merge.challenge_id])
    rows = tx.execute(
        delete(SUPPORT)
        .where(SUPPORT.c.idea_id == merge.target_id, SUPPORT.c.via_id == merge.source_id, which)
        .returning(SUPPORT.c.sector_id)
    ).all()
    _count(tx, merge, rows, -1, idea_id=merge.target_id)


def _count(
    tx: Transaction, of: HeldIdea | MergeView, rows: Sequence[Any], step: int, *, idea_id: int
) -> None:
    """Tallies by sector; who is active on the board does not change, since the source's support stays."""
    steps: Counter[tuple[int, int, int, int]] = Counter()
    for row in rows:
        for sector in (row.sector_id, ALL):
            steps[of.challenge_id, idea_id, sector, of.programme_id] += step
    support.add(tx, steps)


def _tell(tx: Transaction, people: Any, kind: str, source: HeldIdea, merge_id: int) -> None:
    notices.tell(tx, people, kind, programme_id=source.programme_id, idea_id=source.id, merge_id=merge_id)


def _record(
    tx: Transaction, type: str, source: HeldIdea, merge_id: int, *, data: dict[str, Any] | None = None
) -> None:
    """Tell the log, and not who did it: that could show who wrote an anonymous idea, or who supports one."""
    record(
        tx,
        type,
        None,
        programme_id=source.programme_id,
        challenge_id=source.challenge_id,
        idea_id=source.id,
        subject_id=merge_id,
        data=data,
    )
