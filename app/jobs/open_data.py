"""Open data: its files are made by the clock, soon after it is opened, and anew each day.

What is due stands in the database. Done twice, or by two workers at once, the same files come of it.
"""

from functools import partial

import structlog

from app.errors import Unavailable
from app.jobs.workplace import Workplace
from app.services import open_data

log = structlog.get_logger(__name__)


def make(workplace: Workplace, programme_id: int) -> bool:
    """Make the files of one programme; whether they were kept: not if it has closed or changed its open data since."""
    database = workplace.database
    made = database.read_now(partial(open_data.make, programme_id=programme_id, base_url=workplace.base_url))
    return made is not None and database.write_now(partial(open_data.keep, made=made))


def keep(workplace: Workplace) -> None:
    """Make what is not there yet, or a day old; what fails is tried at the next look."""
    for programme_id in workplace.database.read_now(open_data.due):
        try:
            make(workplace, programme_id)
        except Unavailable:
            log.warning("open_data_held_up", programme_id=programme_id)
