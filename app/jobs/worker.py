"""The worker: one process that does the jobs in line and keeps the clocks, until it is told to stop."""

import os
import signal
import threading
import time
from collections.abc import Sequence

import structlog

from app.integrations import queue
from app.jobs import schedule
from app.jobs.schedule import Clock
from app.jobs.workplace import opened
from app.settings import Settings

STOP_WITHIN_S = 10
"""What jobs in hand get after SIGTERM; what takes longer begins again at the next start."""

TICK_S = 1.0

log = structlog.get_logger(__name__)


def run(settings: Settings, *, parent: int | None = None) -> None:
    """Work until SIGTERM or SIGINT, or until the process `parent` (an id) is no longer ours.

    Two workers at a time need two names in `PARTNERSHIP_REPLICA`: each takes up, at its start, what the one
    of its name had in hand. To be called in the main thread of a process of its own.
    """
    told_to_stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told_to_stop.set())
    workplace = opened(settings, told_to_stop)
    queue.start(settings.database, settings.replica, schedule.jobs(workplace))
    log.info("worker_started", replica=settings.replica)
    try:
        _keep(schedule.clocks(workplace, settings.replica), told_to_stop, parent)
    finally:
        log.info("worker_stopping")
        told_to_stop.set()
        queue.stop(STOP_WITHIN_S)
        workplace.database.close()
        log.info("worker_stopped")


def main(settings: Settings, *, parent: int | None = None) -> None:
    """`run`, and then end the process at once: a job that still waits for its mail server begins again later."""
    status = 1
    try:
        run(settings, parent=parent)
        status = 0
    except Exception:
        log.exception("worker_failed")
    finally:
        # The interpreter would wait for every thread that waits for another machine.
        os._exit(status)


def _keep(clocks: Sequence[Clock], told_to_stop: threading.Event, parent: int | None) -> None:
    """Do what is due, every second."""
    due = {clock.name: 0.0 for clock in clocks}
    while not told_to_stop.wait(TICK_S):
        if parent is not None and os.getppid() != parent:
            log.warning("worker_left_alone")
            return
        for clock in clocks:
            if time.monotonic() >= due[clock.name]:
                due[clock.name] = time.monotonic() + clock.every_s
                _do(clock)


def _do(clock: Clock) -> None:
    try:
        clock.work()
    except Exception as error:  # noqa: BLE001 -- a clock that fails once ticks on; the text may hold an address
        log.error("clock_failed", clock=clock.name, error=type(error).__name__)  # noqa: TRY400
