"""Imports: read once to see that all of it can be read, then made, some rows a transaction. Begun again, it goes on."""

import itertools
import time
from collections.abc import Iterator
from functools import partial
from typing import Any, Final

from app.errors import DomainError, Unavailable
from app.integrations import queue
from app.jobs.workplace import Workplace
from app.lib.rows import Unreadable
from app.services import import_runs, imports
from app.services.import_runs import Draft
from app.services.imports import MOST_ROWS, TOO_MANY_ROWS, ImportView
from app.web import import_rows

BREATH_S: Final = 0.02
"""Between two transactions, so that every other writer gets its turn."""

TURN_S: Final = 300.0
"""After so long a run goes to the end of the line, since no job may be in hand for as long as `queue.LOST_AFTER_S`."""


def run(workplace: Workplace, *, import_id: int, attempt: int, turn: int) -> str:
    """Run one import, or go on with it: what is marked is passed over."""
    database = workplace.database
    view = database.write_now(partial(import_runs.take_up, import_id=import_id, attempt=attempt))
    if view is None:
        return "nothing to do"
    about: dict[str, Any] = {"import_id": import_id, "attempt": attempt}
    try:
        if view.rows_total is None and not _is_readable(workplace, view):
            return "ended"
        is_done = _carried(workplace, view, until=time.monotonic() + TURN_S)
    except Unreadable as error:
        told = partial(import_runs.fail, message=error.message, values=error.values)
        database.write_now(partial(told, **about))
        return "unreadable"
    except Unavailable:
        raise  # the line begins it again
    except DomainError as error:
        database.write_now(partial(import_runs.stop, **about, message=error.message))
        return "stopped"
    except Exception:
        # Whatever it was, nobody shall wait for rows that do not come.
        database.write_now(partial(import_runs.stop, **about))
        raise
    if is_done:
        database.write_now(partial(import_runs.finish, **about))
        return "done"
    name = f"import-{import_id}-{attempt}-{turn + 1}"
    queue.postpone("import.run", workflow_id=name, delay_s=1, **about, turn=turn + 1)
    return "goes on later"


def forget(workplace: Workplace) -> None:
    """Delete files and marks whose time is over."""
    while workplace.database.write_now(imports.forget):
        pass


def _is_readable(workplace: Workplace, view: ImportView) -> bool:
    """Read the file to its end before anything is made of it; whether the run shall go on.

    :raises Unreadable: it cannot be read, or is too long
    """
    total = 0
    for _ in _drafts(workplace, view):
        total += 1
        if total > MOST_ROWS:
            raise Unreadable(TOO_MANY_ROWS, most=MOST_ROWS)
    return workplace.database.write_now(
        partial(import_runs.count, import_id=view.id, attempt=view.attempt, total=total)
    )


def _carried(workplace: Workplace, view: ImportView, *, until: float) -> bool:
    """Make what the rows say; False where there was no time for all of them."""
    drafts = _drafts(workplace, view)
    waiting: list[Draft] = []
    while True:
        waiting += itertools.islice(drafts, import_runs.AT_ONCE - len(waiting))
        if not waiting:
            return True
        progress = workplace.database.write_now(
            partial(import_runs.carry, import_id=view.id, attempt=view.attempt, drafts=tuple(waiting))
        )
        if not progress.goes_on:
            return True  # it has ended meanwhile, and `finish` leaves it as it is
        del waiting[: progress.dealt_with]
        if time.monotonic() > until:
            return False
        time.sleep(BREATH_S)


def _drafts(workplace: Workplace, view: ImportView) -> Iterator[Draft]:
    return import_rows.drafts(view.kind, view.format, import_runs.pieces(workplace.database, view))
