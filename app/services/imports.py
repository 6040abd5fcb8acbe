"""Imports: brought, followed, cancelled, taken up again. What happens row by row is in `import_runs`.

The file is kept in the database, in pieces, so that any machine's worker can read it; it goes as soon as nothing is
left to do with it, and at the latest after `KEPT`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.engine import Connection

from app.database import Transaction
from app.errors import Conflict, FieldError, Gone, Invalid, NotFound, TooMany
from app.integrations import queue
from app.lib import rows as files
from app.lib.i18n import N_
from app.models import Import, ImportChunk, ImportRow
from app.models.base import table
from app.models.imports import (
    CANCELLED,
    DONE,
    FINE,
    IDEAS,
    KINDS,
    MADE,
    QUEUED,
    REFUSED,
    RUNNING,
    SKIPPED,
    STOPPED,
)
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import may, require
from app.schemas import text
from app.services import challenges, memberships
from app.services.events import record

IMPORT = table(Import)
CHUNK = table(ImportChunk)
ROW = table(ImportRow)

CHUNK_BYTES: Final = 256 * 1024
MOST_BYTES: Final = 10 * 1024 * 1024
MOST_ROWS: Final = 50_000
MOST_WAITING: Final = 5
"""Imports of one programme that may be on their way at a time."""

MOST_KEPT: Final = 20
"""Files of one programme that are kept at a time; the oldest of an import that is over goes for a new one."""

KEPT: Final = timedelta(days=7)
"""How long a file is kept after its import has ended, if something is left to do with it."""

NOTED: Final = timedelta(days=90)
"""How long is noted what became of each row."""

ON_ITS_WAY: Final = (QUEUED, RUNNING)

TOO_MANY_ROWS: Final = N_("The file has more than %(most)s rows. Please bring it in several files.")

UNSEEN: Final = N_("There is no such import, or it is not open to you.")


@dataclass(frozen=True, slots=True)
class ImportView:
    """An import and how far it is. `reason`: why it stopped or failed, a msgid with its values."""

    id: int
    programme_id: int
    challenge_id: int | None
    kind: str
    format: str
    name: str
    size_bytes: int
    dry_run: bool
    state: str
    reason: dict[str, Any] | None
    attempt: int
    has_file: bool
    rows_total: int | None
    rows_made: int
    rows_fine: int
    rows_skipped: int
    rows_refused: int
    made_by: int
    carried_by: int
    token_id: int | None
    started_at: datetime | None
    ended_at: datetime | None
    version: int
    created_at: datetime
    updated_at: datetime

    @property
    def rows_read(self) -> int:
        """How many rows have been dealt with."""
        return self.rows_made + self.rows_fine + self.rows_skipped + self.rows_refused

    @property
    def is_over(self) -> bool:
        """Whether nothing more happens by itself."""
        return self.state not in ON_ITS_WAY

    @property
    def is_resumable(self) -> bool:
        """Whether something is left to do: to make what a dry run found fine, the rows left, or those refused."""
        return self.has_file and self.state in (DONE, STOPPED)


# queries


def find(connection: Connection, actor: Actor, import_id: int) -> ImportView:
    """One import, for those who run imports. One statement.

    :raises NotFound: there is none, or the actor does not run imports there
    """
    view = found(connection, import_id)
    if not may(actor, Permission.RUN_IMPORTS, view):
        raise NotFound(UNSEEN)
    return view


def in_programme(
    connection: Connection, actor: Actor, programme: Any, *, after: int = 0, limit: int = 50
) -> list[ImportView]:
    """The imports of a programme with ids greater than `after`, by id. One statement."""
    require(actor, Permission.RUN_IMPORTS, programme)
    query = select(IMPORT).where(IMPORT.c.programme_id == programme.programme_id, IMPORT.c.id > after)
    return [_view(row) for row in connection.execute(query.order_by(IMPORT.c.id).limit(limit))]


def newest(connection: Connection, actor: Actor, programme: Any, *, limit: int = 50) -> list[ImportView]:
    """The newest imports of a programme, the newest first. One statement."""
    require(actor, Permission.RUN_IMPORTS, programme)
    query = select(IMPORT).where(IMPORT.c.programme_id == programme.programme_id)
    return [_view(row) for row in connection.execute(query.order_by(IMPORT.c.id.desc()).limit(limit))]


def rows(
    connection: Connection, view: ImportView, *, state: str | None = None, after: int = 0, limit: int = 50
) -> Sequence[Any]:
    """What became of the rows (number, line, state, made_id, errors) with numbers greater than `after`, by number.

    The caller has loaded the import through its viewer.
    """
    query = select(ROW).where(ROW.c.import_id == view.id, ROW.c.number > after)
    if state is not None:
        query = query.where(ROW.c.state == state)
    return connection.execute(query.order_by(ROW.c.number).limit(limit)).all()


def found(connection: Connection, import_id: int) -> ImportView:
    """One import, for the job.

    :raises NotFound: there is none
    """
    row = connection.execute(select(IMPORT).where(IMPORT.c.id == import_id)).first()
    if row is None:
        raise NotFound(UNSEEN)
    return _view(row)


# verbs


def start(
    tx: Transaction,
    actor: Actor,
    programme: Any,
    content: bytes,
    *,
    kind: str,
    format: str,
    name: str = "",
    challenge_id: int | None = None,
    dry_run: bool = False,
) -> int:
    """Bring a file and put its import in line; its id. The caller has looked at its text and its header.

    :raises NotAllowed: the actor runs no imports here
    :raises NotFound: there is no such challenge
    :raises TooMany: `MOST_WAITING` are on their way
    :raises Invalid: the kind, the format, the challenge or the name cannot be taken
    """
    require(actor, Permission.RUN_IMPORTS, programme)
    name, problems = text.line("name", name, most=160, least=0)
    for field, value, known in (("kind", kind, KINDS), ("format", format, files.FORMATS)):
        if value not in known:
            problems.append(FieldError(field, N_("Please choose one of the list.")))
    if not content:
        problems.append(FieldError("file", N_("The file is empty.")))
    if kind == IDEAS and challenge_id is None:
        problems.append(FieldError("challenge", N_("Please say into which challenge the ideas go.")))
    if problems:
        raise Invalid(*problems)
    about = _challenge(tx, actor, programme, challenge_id) if kind == IDEAS else None
    _require_room(tx, programme.id)
    _make_room(tx, programme.id)
    id = int(
        tx.execute(
            IMPORT.insert().returning(IMPORT.c.id),
            {
                **_NEW,
                "programme_id": programme.id,
                "challenge_id": about,
                "kind": kind,
                "format": format,
                "name": name,
                "size_bytes": len(content),
                "dry_run": dry_run,
                "made_by": actor.person_id,
                "carried_by": actor.person_id,
                "token_id": actor.token_id,
                "created_at": tx.now,
                "updated_at": tx.now,
            },
        ).scalar_one()
    )
    for number, place in enumerate(range(0, len(content), CHUNK_BYTES)):
        piece = {"import_id": id, "number": number, "programme_id": programme.id}
        tx.execute(CHUNK.insert(), {**piece, "content": content[place : place + CHUNK_BYTES]})
    _put_in_line(tx, id, 1)
    _record(tx, "import.started", actor, found(tx.connection, id))
    return id


_NEW: Final = {
    "state": QUEUED,
    "attempt": 1,
    "has_file": True,
    "rows_made": 0,
    "rows_fine": 0,
    "rows_skipped": 0,
    "rows_refused": 0,
    "version": 1,
}


def cancel(tx: Transaction, actor: Actor, import_id: int) -> ImportView:
    """Let an import end here, and forget its file. What it has made stays. Asked again, nothing more happens.

    One that has ended keeps its state, and can be resumed no longer.

    :raises NotFound: there is none, or the actor does not run imports there
    """
    view = find(tx.connection, actor, held(tx, import_id).id)
    if view.is_over and not view.has_file:
        return view
    forget_file(tx, import_id)
    ended = {} if view.is_over else {"state": CANCELLED, "ended_at": tx.now}
    set_values(tx, import_id, **ended)
    if not view.is_over:
        _record(tx, "import.cancelled", actor, view)
    return found(tx.connection, import_id)


def resume(tx: Transaction, actor: Actor, import_id: int) -> ImportView:
    """Let an import go on, in the actor's name: make what was tried, or the rows left, or try the refused ones again.

    :raises NotFound: there is none, or the actor does not run imports there
    :raises Conflict: it is on its way
    :raises Gone: its file is not kept any more
    :raises TooMany: `MOST_WAITING` are on their way
    """
    view = find(tx.connection, actor, held(tx, import_id).id)
    if not view.is_over:
        raise Conflict(N_("This import is on its way already."))
    if not view.is_resumable:
        raise Gone(
            N_(
                "Nothing is left to do for this import, or its file is not kept any more. Please bring it again."
            )
        )
    _require_room(tx, view.programme_id)
    is_tried = view.dry_run and view.state == DONE
    again = delete(ROW).where(ROW.c.import_id == import_id)
    tx.execute(again if is_tried else again.where(ROW.c.state == REFUSED))
    set_values(
        tx,
        import_id,
        state=QUEUED,
        dry_run=view.dry_run and not is_tried,
        reason=None,
        ended_at=None,
        attempt=view.attempt + 1,
        carried_by=actor.person_id,
        token_id=actor.token_id,
        **counted(tx.connection, import_id),
    )
    _put_in_line(tx, import_id, view.attempt + 1)
    resumed = found(tx.connection, import_id)
    _record(tx, "import.started", actor, resumed)
    return resumed


def forget(tx: Transaction) -> int:
    """Delete files that nobody has asked for in `KEPT`, and what became of imports that ended `NOTED` ago; how many."""
    old = (
        select(IMPORT.c.id)
        .where(IMPORT.c.has_file, IMPORT.c.ended_at <= tx.now - KEPT)
        .order_by(IMPORT.c.id)
        .limit(20)
    )
    ids = tx.execute(old).scalars().all()
    for id in ids:
        forget_file(tx, id)
    gone = tx.execute(
        delete(IMPORT)
        .where(IMPORT.c.id.in_(select(IMPORT.c.id).where(IMPORT.c.ended_at <= tx.now - NOTED).limit(1)))
        .returning(IMPORT.c.id)
    ).all()
    return len(ids) + len(gone)


def forget_of(tx: Transaction, person_id: int, programme_ids: Sequence[int]) -> None:
    """Forget the files that someone has brought, and those that may name them: of people, in their programmes."""
    is_theirs = or_(
        IMPORT.c.made_by == person_id,
        IMPORT.c.carried_by == person_id,
        (IMPORT.c.kind == "people") & IMPORT.c.programme_id.in_(programme_ids),
    )
    for id in tx.execute(select(IMPORT.c.id).where(IMPORT.c.has_file, is_theirs)).scalars().all():
        forget_file(tx, id)
    tx.execute(update(IMPORT).where(IMPORT.c.made_by == person_id).values(name=""))


# what runs share


def held(tx: Transaction, import_id: int) -> ImportView:
    """An import that nobody else goes on with until the commit.

    :raises NotFound: there is none
    """
    row = tx.execute(select(IMPORT).where(IMPORT.c.id == import_id).with_for_update()).first()
    if row is None:
        raise NotFound(UNSEEN)
    return _view(row)


def set_values(tx: Transaction, import_id: int, **values: Any) -> None:
    """Change what is noted of an import."""
    tx.execute(
        update(IMPORT)
        .where(IMPORT.c.id == import_id)
        .values(**values, updated_at=tx.now, version=IMPORT.c.version + 1)
    )


def forget_file(tx: Transaction, import_id: int) -> None:
    """Delete the pieces of a file."""
    tx.execute(delete(CHUNK).where(CHUNK.c.import_id == import_id))
    tx.execute(update(IMPORT).where(IMPORT.c.id == import_id).values(has_file=False))


def counted(connection: Connection, import_id: int) -> dict[str, int]:
    """How many rows came to what, as columns of the import."""
    query = (
        select(ROW.c.state, func.count().label("rows"))
        .where(ROW.c.import_id == import_id)
        .group_by(ROW.c.state)
    )
    numbers: dict[str, int] = {row.state: row.rows for row in connection.execute(query)}
    return {f"rows_{state}": numbers.get(state, 0) for state in (MADE, FINE, SKIPPED, REFUSED)}


# within


def _put_in_line(tx: Transaction, import_id: int, attempt: int) -> None:
    queue.enqueue(
        tx,
        "import.run",
        workflow_id=f"import-{import_id}-{attempt}",
        import_id=import_id,
        attempt=attempt,
        turn=1,
    )


def _challenge(tx: Transaction, actor: Actor, programme: Any, challenge_id: int | None) -> int:
    about = challenges.find(tx.connection, actor, challenge_id or 0)
    if about.programme_id != programme.id:
        raise Invalid(FieldError("challenge", N_("Please choose a challenge of this programme.")))
    return about.id


def _make_room(tx: Transaction, programme_id: int) -> None:
    """Forget the oldest files of imports that are over, so that with one more no more than `MOST_KEPT` are there."""
    kept = (IMPORT.c.programme_id == programme_id, IMPORT.c.has_file)
    over = select(IMPORT.c.id).where(*kept, IMPORT.c.state.not_in(ON_ITS_WAY)).order_by(IMPORT.c.ended_at)
    there = tx.execute(select(func.count()).select_from(IMPORT).where(*kept)).scalar_one()
    oldest = over.limit(max(0, there - MOST_KEPT + 1)).with_for_update(skip_locked=True)
    for id in tx.execute(oldest).scalars().all():
        forget_file(tx, id)


def _require_room(tx: Transaction, programme_id: int) -> None:
    """The programme is held until the commit, so that two who ask at once are not counted as one."""
    memberships.hold(tx, [programme_id])
    waiting = select(func.count()).select_from(IMPORT)
    waiting = waiting.where(IMPORT.c.programme_id == programme_id, IMPORT.c.state.in_(ON_ITS_WAY))
    if tx.execute(waiting).scalar_one() >= MOST_WAITING:
        message = N_("%(most)s imports are on their way here already. Please wait until one has ended.")
        raise TooMany(message, retry_after_s=60, most=MOST_WAITING)


def _record(tx: Transaction, type: str, actor: Actor | None, of: ImportView) -> None:
    data = {"kind": of.kind, "dry_run": of.dry_run}
    record(tx, type, actor, programme_id=of.programme_id, subject_id=of.id, data=data)


def _view(row: Any) -> ImportView:
    return ImportView(**{name: getattr(row, name) for name in ImportView.__slots__})
