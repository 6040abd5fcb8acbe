"""Ballots by the clock: announced, reminded of, tallied while open, and counted once closed, if anyone looks or not.

What is due stands in the database, so nothing is lost with a worker; what fails is tried again at the next tick.
"""

from collections.abc import Callable, Iterable
from functools import partial

import structlog

from app.jobs.workplace import Workplace
from app.services import counting, reminders

log = structlog.get_logger(__name__)


def count(workplace: Workplace) -> None:
    """Count every ballot that has closed."""
    due = workplace.database.read_now(counting.due)
    _each(due, partial(counting.finish, workplace.database, base_url=workplace.base_url))


def tally(workplace: Workplace) -> None:
    """Bring the tallies up to date that show while people vote."""
    database = workplace.database
    _each(
        database.read_now(counting.live),
        partial(counting.refresh, database),
    )


def tell(workplace: Workplace) -> None:
    """Announce what has opened, and remind of what closes soon."""
    database = workplace.database
    _each(
        database.read_now(reminders.due),
        lambda ballot_id: database.write_now(lambda tx: reminders.tell(tx, ballot_id)),
    )


def _each(ballot_ids: Iterable[int], work: Callable[[int], object]) -> None:
    """Do `work` for each; one that fails does not hold up the others."""
    for ballot_id in ballot_ids:
        try:
            work(ballot_id)
        except Exception as error:  # noqa: BLE001 -- tried again at the next tick; the text may hold what people wrote
            log.error("ballot_job_failed", ballot_id=ballot_id, error=type(error).__name__)  # noqa: TRY400
