"""A copy of one's own data: asked for, made by a job, fetched after a fresh sign-in, and gone when it expires."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import Select, and_, delete, func, select, update
from sqlalchemy.engine import Connection

from app.database import Transaction
from app.errors import Conflict, Gone, NotAllowed, NotFound, TooMany
from app.integrations import queue
from app.lib import clock
from app.lib.i18n import N_
from app.models import DataExport, Membership, Person, Programme
from app.models.base import table
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import require, require_fresh_in_person
from app.services import notices
from app.services.audit import write_down
from app.services.events import record

EXPORT = table(DataExport)
MEMBERSHIP = table(Membership)
PERSON = table(Person)
PROGRAMME = table(Programme)

WAITING, READY, FAILED, EXPIRED = "waiting", "ready", "failed", "expired"

KEPT: Final = timedelta(days=7)
"""How long a copy can be fetched."""

LOST_AFTER: Final = timedelta(hours=1)
"""A copy that has waited so long, and that no job is to make any more, is not waited for."""

NOTED: Final = timedelta(days=90)
"""How long is noted that there was one."""

MOST: Final = 5
"""How many copies someone may ask for in a day."""


class Reader(NamedTuple):
    """Whose copy it is, and in which language they read."""

    person_id: int
    language: str


# queries


def newest(connection: Connection, actor: Actor) -> Any | None:
    """The newest copy that the actor asked for (the columns of `DataExport` but its content), or None."""
    return next(iter(of_person(connection, actor, limit=1)), None)


def of_person(
    connection: Connection, actor: Actor, *, before: int | None = None, limit: int = 50
) -> Sequence[Any]:
    """The copies that the actor asked for, as `newest` has them, with ids less than `before`, the newest first."""
    require(actor, Permission.MANAGE_OWN)
    wanted = _of(actor) if before is None else _of(actor).where(EXPORT.c.id < before)
    return connection.execute(wanted.order_by(EXPORT.c.id.desc()).limit(limit)).all()


def find(connection: Connection, actor: Actor, export_id: int) -> Any:
    """One copy of the actor's own, as `newest` has it.

    :raises NotFound: there is none, or it is someone else's
    """
    require(actor, Permission.MANAGE_OWN)
    found = connection.execute(_of(actor).where(EXPORT.c.id == export_id)).first()
    if found is None:
        raise NotFound(N_("There is no such copy of your data."))
    return found


def _of(actor: Actor) -> Select[Any]:
    columns = (column for column in EXPORT.c if column.name != "content")
    return select(*columns).where(EXPORT.c.person_id == actor.person_id)


def reader(connection: Connection, export_id: int) -> Reader | None:
    """For whom a copy waits to be made; None if for nobody any more."""
    row = connection.execute(
        select(EXPORT.c.person_id, PERSON.c.language)
        .join(PERSON, PERSON.c.id == EXPORT.c.person_id)
        .where(EXPORT.c.id == export_id, EXPORT.c.state == WAITING, PERSON.c.erased_at.is_(None))
    ).first()
    return Reader(row.person_id, row.language or _usual(connection, row.person_id)) if row else None


def _usual(connection: Connection, person_id: int) -> str:
    """The language of the first programme in which someone takes part."""
    query = select(PROGRAMME.c.language).join(MEMBERSHIP, MEMBERSHIP.c.programme_id == PROGRAMME.c.id)
    found = connection.execute(
        query.where(MEMBERSHIP.c.person_id == person_id).order_by(MEMBERSHIP.c.id).limit(1)
    )
    return str(found.scalar() or "en")


# verbs


def ask(tx: Transaction, actor: Actor) -> int:
    """Ask for a copy of one's own data, in place of the one before; its id. One is made at a time.

    :raises NotAllowed: a machine asks
    :raises Conflict: one is being made already
    :raises TooMany: `MOST` were asked for within a day
    """
    require(actor, Permission.MANAGE_OWN)
    if actor.is_machine:
        raise NotAllowed(N_("A machine has no data of its own to take along."))
    tx.execute(select(PERSON.c.id).where(PERSON.c.id == actor.person_id).with_for_update())
    own = EXPORT.c.person_id == actor.person_id
    if tx.execute(select(EXPORT.c.id).where(own, EXPORT.c.state == WAITING)).first() is not None:
        raise Conflict(N_("A copy of your data is being made already. You will be told when it is ready."))
    lately = and_(own, EXPORT.c.created_at > tx.now - timedelta(days=1))
    if tx.execute(select(func.count()).select_from(EXPORT).where(lately)).scalar_one() >= MOST:
        message = N_("You have asked for %(most)s copies today. Please come back tomorrow.")
        raise TooMany(message, retry_after_s=24 * 3600, most=MOST)
    tx.execute(update(EXPORT).where(own, EXPORT.c.state == READY).values(state=EXPIRED, content=None))
    asked: int = tx.execute(
        EXPORT.insert().returning(EXPORT.c.id),
        {"person_id": actor.person_id, "state": WAITING, "size_bytes": 0, "created_at": tx.now},
    ).scalar_one()
    queue.enqueue(tx, "data.export", workflow_id=_job(asked), export_id=asked)
    record(tx, "data.asked", actor, subject_id=asked)
    return asked


def finish(tx: Transaction, export_id: int, content: bytes | None) -> None:
    """Keep what was made and tell its owner; None: it failed. Nothing, if nobody waits for it any more."""
    state = READY if content is not None else FAILED
    done = tx.execute(
        update(EXPORT)
        .where(EXPORT.c.id == export_id, EXPORT.c.state == WAITING)
        .values(
            state=state,
            content=content,
            size_bytes=len(content or b""),
            ready_at=tx.now,
            expires_at=tx.now + KEPT,
        )
        .returning(EXPORT.c.person_id)
    ).scalar()
    if done is None or content is None:
        return
    programme_id = tx.execute(
        select(func.min(MEMBERSHIP.c.programme_id)).where(
            MEMBERSHIP.c.person_id == done, MEMBERSHIP.c.ended_at.is_(None)
        )
    ).scalar()
    if programme_id is not None:
        notices.tell(tx, [done], "data_ready", programme_id=programme_id)
    record(tx, "data.exported", Actor(person_id=done), subject_id=export_id)


def fetch(tx: Transaction, actor: Actor, export_id: int) -> bytes:
    """The copy, for the one whose data it is.

    :raises NotFound: there is none, it is someone else's, or it is not ready
    :raises Gone: it has expired
    :raises NotFresh: the actor has to sign in once more, or a token asks
    """
    require(actor, Permission.MANAGE_OWN)
    require_fresh_in_person(actor)
    found = tx.execute(
        select(EXPORT.c.content, EXPORT.c.expires_at, EXPORT.c.state).where(
            EXPORT.c.id == export_id, EXPORT.c.person_id == actor.person_id
        )
    ).first()
    if found is None or found.state in (WAITING, FAILED):
        raise NotFound(N_("There is no such copy of your data."))
    if found.content is None or found.expires_at <= tx.now:
        raise Gone(N_("This copy of your data has expired. Please ask for a new one."))
    tx.execute(update(EXPORT).where(EXPORT.c.id == export_id).values(fetched_at=tx.now))
    record(tx, "data.fetched", actor, subject_id=export_id)
    return bytes(found.content)


def note_operators(tx: Transaction, person_id: int) -> None:
    """Note in the audit log that an operator took a copy of someone's data.

    :raises NotFound: there is no such person
    """
    person = tx.execute(select(PERSON.c.id).where(PERSON.c.id == person_id, PERSON.c.erased_at.is_(None)))
    if person.first() is None:
        raise NotFound(N_("There is no such person."))
    write_down(tx, "data.exported", None, subject="person", subject_id=person_id, data={"by": "operator"})


def expire(tx: Transaction) -> int:
    """Delete what can be fetched no longer, and the notes of long ago; how many copies went.

    Whoever waits for a copy that nothing makes any more may ask again.
    """
    over = and_(EXPORT.c.content.is_not(None), EXPORT.c.expires_at <= tx.now)
    gone = tx.execute(
        update(EXPORT).where(over).values(content=None, state=EXPIRED).returning(EXPORT.c.id)
    ).all()
    _give_up_lost(tx)
    tx.execute(delete(EXPORT).where(EXPORT.c.state != WAITING, EXPORT.c.created_at <= tx.now - NOTED))
    return len(gone)


def is_open(export: Any | None, now: datetime | None = None) -> bool:
    """Whether a copy can be fetched now."""
    return export is not None and export.state == READY and export.expires_at > (now or clock.now())


# within


def _job(export_id: int) -> str:
    return f"data-export-{export_id}"


def _give_up_lost(tx: Transaction) -> None:
    late = select(EXPORT.c.id).where(EXPORT.c.state == WAITING, EXPORT.c.created_at <= tx.now - LOST_AFTER)
    jobs = {_job(export_id): export_id for export_id in tx.execute(late).scalars()}
    if not jobs:
        return
    lost = [jobs[name] for name in jobs.keys() - queue.unfinished(tx.connection, jobs)]
    tx.execute(update(EXPORT).where(EXPORT.c.id.in_(lost), EXPORT.c.state == WAITING).values(state=FAILED))
