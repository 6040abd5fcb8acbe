"""Runs of imports: some rows a transaction, each row's effect and its mark together, so that none is made twice.

A run can be begun again at any time, by another worker, or by two at once: a row that has a mark is passed over, and
whoever marks rows holds the import meanwhile.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from app.database import Database, Transaction
from app.errors import DomainError, FieldError, Invalid, NotAllowed, NotFound, Unavailable
from app.lib.i18n import N_
from app.models.imports import DONE, FAILED, FINE, MADE, QUEUED, REFUSED, RUNNING, SKIPPED, STOPPED
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import require
from app.services import actors, import_kinds, imports, programmes, tokens
from app.services.events import record
from app.services.import_kinds import Outcome
from app.services.imports import CHUNK, IMPORT, ROW, ImportView

AT_ONCE: Final = 50
"""Rows that one transaction deals with at the most."""

HELD_S: Final = 0.2
"""After so long a transaction takes no other row, so that everyone else gets their turn."""

MOST_ERRORS: Final = 20

RIGHT_LOST: Final = N_(
    "Whoever lets this import run may no longer do so, or their access was taken back. What was made until then stays."
)
FILE_GONE: Final = N_("The file of this import is not kept any more. Please bring it again.")
BROKEN: Final = N_("Something went wrong on our side. It is logged; please let the import go on.")


@dataclass(frozen=True, slots=True)
class Draft:
    """A row as it was read: `values` as its kind takes them, or None and what is wrong with it."""

    number: int
    line: int
    values: Mapping[str, Any] | None = None
    errors: Sequence[FieldError] = ()


class Progress(NamedTuple):
    """How many of the rows that were handed over are dealt with, and whether the run shall go on."""

    dealt_with: int
    goes_on: bool


def take_up(tx: Transaction, import_id: int, attempt: int) -> ImportView | None:
    """Begin a run, or begin it again; None if it has ended, or another attempt has taken its place."""
    try:
        view = imports.held(tx, import_id)
    except NotFound:
        return None
    if view.state not in (QUEUED, RUNNING) or view.attempt != attempt:
        return None
    imports.set_values(tx, import_id, state=RUNNING, started_at=func.coalesce(IMPORT.c.started_at, tx.now))
    return view


def pieces(database: Database, view: ImportView) -> Iterator[bytes]:
    """The file of an import, piece by piece.

    :raises NotFound: it is not there any more
    """
    number = 0
    while True:
        content = database.read_now(partial(_piece, import_id=view.id, number=number))
        if content is None:
            if number * imports.CHUNK_BYTES < view.size_bytes:
                raise NotFound(FILE_GONE)
            return
        yield bytes(content)
        number += 1


def _piece(connection: Connection, *, import_id: int, number: int) -> bytes | None:
    query = select(CHUNK.c.content).where(CHUNK.c.import_id == import_id, CHUNK.c.number == number)
    found: bytes | None = connection.execute(query).scalar()
    return found


def count(tx: Transaction, import_id: int, attempt: int, total: int) -> bool:
    """Note how many rows a file has, once all of it was read; whether the run shall go on."""
    view = imports.held(tx, import_id)
    if not _is_on(view, attempt):
        return False
    imports.set_values(tx, import_id, rows_total=total)
    return True


def carry(tx: Transaction, import_id: int, attempt: int, drafts: Sequence[Draft]) -> Progress:
    """Deal with rows, in order, as many as there is time for.

    Whoever carries the import is asked for their right anew each time; without it the import stops.
    """
    view = imports.held(tx, import_id)
    if not _is_on(view, attempt):
        return Progress(0, goes_on=False)
    try:
        actor = _carrier(tx.connection, view)
        programme = programmes.find(tx.connection, actor, view.programme_id)
        require(actor, Permission.RUN_IMPORTS, programme)
    except (NotFound, NotAllowed):
        _end(tx, view, STOPPED, RIGHT_LOST)
        return Progress(0, goes_on=False)
    import_kinds.hold(tx, view.kind, view.programme_id)
    until = time.monotonic() + HELD_S
    marked = _marked(tx, view, drafts)
    marks: list[dict[str, Any]] = []
    dealt_with = 0
    for draft in drafts:
        if dealt_with and time.monotonic() > until:
            break
        dealt_with += 1
        if draft.number not in marked:
            marks.append(_dealt_with(tx, actor, programme, view, draft))
    if marks:
        tx.execute(ROW.insert(), marks)
        states = [mark["state"] for mark in marks]
        more = {
            f"rows_{state}": IMPORT.c[f"rows_{state}"] + states.count(state)
            for state in (MADE, FINE, SKIPPED, REFUSED)
        }
        imports.set_values(tx, import_id, **more)
    return Progress(dealt_with, goes_on=True)


def finish(tx: Transaction, import_id: int, attempt: int) -> None:
    """The last row is dealt with. The file goes, unless rows were refused or only tried."""
    view = imports.held(tx, import_id)
    if _is_on(view, attempt):
        _end(tx, view, DONE)
        if not view.dry_run and not view.rows_refused:
            imports.forget_file(tx, import_id)


def fail(tx: Transaction, import_id: int, attempt: int, message: str, values: Mapping[str, Any]) -> None:
    """The file cannot be read, so nothing is made of it; it goes."""
    view = imports.held(tx, import_id)
    if _is_on(view, attempt):
        _end(tx, view, FAILED, message, values)
        imports.forget_file(tx, import_id)


def stop(tx: Transaction, import_id: int, attempt: int, message: str = BROKEN) -> None:
    """A run cannot go on now; it can be resumed."""
    view = imports.held(tx, import_id)
    if _is_on(view, attempt):
        _end(tx, view, STOPPED, message)


# within


class _OnlyTried(Exception):
    """Carries what a row would have led to out of the savepoint that undoes it."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__()
        self.outcome = outcome


def _is_on(view: ImportView, attempt: int) -> bool:
    return view.state == RUNNING and view.attempt == attempt


def _carrier(connection: Connection, view: ImportView) -> Actor:
    """In whose name rows are made, with what they may do now; by a token no more than it lets them.

    :raises NotFound: they, or the token, are put out of action
    """
    if view.token_id is None:
        return actors.find(connection, view.carried_by)
    actor = tokens.still_of(connection, view.token_id)
    if actor.person_id != view.carried_by:
        raise NotFound(RIGHT_LOST)
    return actor


def _marked(tx: Transaction, view: ImportView, drafts: Sequence[Draft]) -> set[int]:
    numbers = [draft.number for draft in drafts]
    query = select(ROW.c.number).where(
        ROW.c.import_id == view.id, ROW.c.number.between(min(numbers), max(numbers))
    )
    return set(tx.execute(query).scalars())


def _dealt_with(
    tx: Transaction, actor: Actor, programme: Any, view: ImportView, draft: Draft
) -> dict[str, Any]:
    """The mark of a row whose effect, if it has any, is in this transaction now."""
    state, made_id, errors = REFUSED, None, [_told(error) for error in draft.errors]
    if draft.values is not None:
        try:
            outcome = _made(tx, actor, programme, view, draft.values)
            state = (FINE if view.dry_run else MADE) if outcome.is_new else SKIPPED
            made_id = None if state == FINE else outcome.id
        except Unavailable:
            raise
        except Invalid as error:
            errors = [_told(each) for each in error.errors]
        except DomainError as error:
            errors = [_told(FieldError("", error.message, tuple(error.values.items())))]
    return {
        "import_id": view.id,
        "number": draft.number,
        "programme_id": view.programme_id,
        "line": draft.line,
        "state": state,
        "made_id": made_id,
        "errors": errors[:MOST_ERRORS],
    }


def _made(
    tx: Transaction, actor: Actor, programme: Any, view: ImportView, values: Mapping[str, Any]
) -> Outcome:
    def work(inner: Transaction) -> Outcome:
        outcome = import_kinds.make(
            inner, actor, programme, view.kind, values, challenge_id=view.challenge_id
        )
        if view.dry_run:
            raise _OnlyTried(outcome)
        return outcome

    try:
        return tx.attempt(work)
    except _OnlyTried as tried:
        return tried.outcome


def _told(error: FieldError) -> dict[str, Any]:
    """What is wrong as the row keeps it: words of ours, with numbers and names of fields in them."""
    values = {
        name: value if isinstance(value, int | float | bool) else str(value) for name, value in error.values
    }
    return {"field": error.field, "message": error.message, "values": values}


def _end(
    tx: Transaction, view: ImportView, state: str, message: str = "", values: Mapping[str, Any] | None = None
) -> None:
    reason = {"message": message, "values": dict(values or {})} if message else None
    imports.set_values(tx, view.id, state=state, reason=reason, ended_at=tx.now)
    data = {
        "kind": view.kind,
        "state": state,
        "dry_run": view.dry_run,
        "made": view.rows_made,
        "refused": view.rows_refused,
    }
    carrier = Actor(person_id=view.carried_by)
    record(tx, "import.ended", carrier, programme_id=view.programme_id, subject_id=view.id, data=data)
