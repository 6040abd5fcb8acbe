"""Retention by the clock: warns and erases people whose time is over, and deletes what is kept no longer.

What is due stands in the database, so nothing is lost with a worker, and two at once do nothing twice.
"""

from collections.abc import Callable, Iterator
from functools import partial

import structlog

from app.database import Transaction
from app.jobs.workplace import Workplace
from app.services import erasure, retention

log = structlog.get_logger(__name__)


def keep(workplace: Workplace) -> None:
    """Look at everyone whose time may be over, each in a transaction of its own, and delete what has long ended."""
    database = workplace.database
    ended = [_settled(workplace, person_id) for person_id in _due(workplace)]
    if "erased" in ended:
        erasure.tidy(database)
    for verb in (retention.forget_requests, retention.forget_ended, retention.prune_audit):
        _until_done(workplace, verb)


def _settled(workplace: Workplace, person_id: int) -> str:
    try:
        return workplace.database.write_now(partial(retention.settle, person_id=person_id))
    except Exception as error:  # noqa: BLE001 -- tried again at the next look; the text may hold a programme's name
        log.error("retention_held_up", person_id=person_id, error=type(error).__name__)  # noqa: TRY400
        return "held up"


def _due(workplace: Workplace) -> Iterator[int]:
    """All that is due, some hundreds a look."""
    after = 0
    while ids := workplace.database.read_now(partial(retention.due, after=after)):
        yield from ids
        after = ids[-1]


def _until_done(workplace: Workplace, verb: Callable[[Transaction], int]) -> None:
    """Some hundreds of rows a transaction, so that everyone else gets their turn between."""
    while workplace.database.write_now(verb):
        pass
