"""Bookings by the clock: begun, ended, lapsed, promoted and reminded of, if anyone looks or not.

What is due stands in the database, so nothing is lost with a worker; what fails is tried again at the next tick.
"""

from collections.abc import Iterator
from functools import partial

import structlog

from app.jobs.workplace import Workplace
from app.services import booking_clock

log = structlog.get_logger(__name__)


def settle(workplace: Workplace) -> None:
    """Do what is due with each booking, in a transaction of its own; one that fails does not hold up the others."""
    for booking_id in _due(workplace):
        try:
            workplace.database.write_now(partial(booking_clock.settle, booking_id=booking_id))
        except Exception as error:  # noqa: BLE001 -- tried again at the next tick; the text may hold what people wrote
            log.error("booking_job_failed", booking_id=booking_id, error=type(error).__name__)  # noqa: TRY400


def _due(workplace: Workplace) -> Iterator[int]:
    """All that is due, some hundreds a look."""
    after = 0
    while ids := workplace.database.read_now(partial(booking_clock.due, after=after)):
        yield from ids
        after = ids[-1]
