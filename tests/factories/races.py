"""Two processes at one moment: the one has written and not yet committed when the other begins."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from sqlalchemy import text

from app.database import Database, Transaction

Work = Callable[[Transaction], Any]

PATIENCE_S = 10


def overlapping(database: Database, first: Work, second: Work) -> tuple[Any, Any]:
    """What both answered, or the error that they were told.

    `first` commits as soon as `second` waits for it, or has ended without. SQLite lets `second` begin only then.
    """
    other = Database(database.url.render_as_string(hide_password=False))
    written, ended = threading.Event(), threading.Event()

    def held(tx: Transaction) -> Any:
        try:
            answer = first(tx)
        finally:
            written.set()
        give_up = time.monotonic() + PATIENCE_S
        while not (database.is_sqlite or ended.is_set() or _somebody_waits(database)):
            if time.monotonic() > give_up:
                raise TimeoutError("the second neither waits nor ends")
            time.sleep(0.005)
        return answer

    def follow() -> Any:
        try:
            return other.write_now(second)
        finally:
            ended.set()

    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(database.write_now, held)
        written.wait(PATIENCE_S)
        another = pool.submit(follow)
        answers = _outcome(one), _outcome(another)
    other.close()
    return answers


def _somebody_waits(database: Database) -> bool:
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    return bool(database.read_now(lambda connection: connection.execute(waiting).scalar_one()))


def _outcome(future: Future[Any]) -> Any:
    return future.exception() or future.result()
