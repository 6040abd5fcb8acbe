"""Durable work: put in line inside the caller's transaction, done by the worker, lost by neither's death.

All that knows DBOS is in this file, so that it can be exchanged. The web process only puts in line; it
imports DBOS when it first does so. A job may run twice (a worker that dies is followed by one that begins
the step again), so whatever it does outside is keyed by the job's id.
"""

import asyncio
import inspect
import itertools
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import bindparam, text
from sqlalchemy.engine import Connection, Engine, make_url

from app.database import Transaction
from app.errors import Unavailable
from app.lib import clock

if TYPE_CHECKING:
    from dbos import DBOSClient, DBOSPortableJSONSerializer

Job = Callable[..., str | Awaitable[str]]
"""What a job does with its arguments (names, numbers, texts); it answers how it ended, in one word.

One that is a coroutine holds no thread while it waits.
"""

APPLICATION = "partnership"
LINE = "work"
"""The name of the line in which jobs wait."""

HOOKS = "hooks"
"""The line of webhooks: one job for each that has something to deliver, so that no mail waits for a slow receiver."""

VERSION = "1"
"""Pinned: by default it is a hash of the code, and a deploy would leave behind what waited before it."""

POLL_S = 1.0
AT_ONCE = 16
"""Jobs that one worker has in hand at the same time; they wait for other servers most of it."""

HOOKS_AT_ONCE = 500
"""Webhooks that one worker delivers to at the same time; their jobs are coroutines and hold no thread."""

STEP_TRIES = 4
STEP_WAIT_S = 1.0
"""The first wait between two tries of a step; each further one is twice as long."""

HELD_UP_S = (1.0, 2.0, 4.0, 8.0, 15.0)
"""The waits of a job that finds no database; the last one again and again."""

LOST_AFTER_S = 900
"""No job takes this long, so one that has been in hand for longer belongs to a worker that is no more."""

FORGOTTEN_AT_ONCE = 200
"""So many jobs that have ended go in one transaction."""

FORGET_S = 0.5
"""So long a look at what has ended may take: other clocks tick in the same thread."""

BREATH_S = 0.02
"""Between two transactions, so that every other writer gets its turn."""

SCHEMA = "dbos"

log = structlog.get_logger(__name__)


class Exhausted(Exception):
    """A step has failed as often as it may."""


# putting in line


def enqueue(tx: Transaction, name: str, *, workflow_id: str, line: str = LINE, **arguments: Any) -> None:
    """Put a job in line, within the transaction: no commit, no job. Two statements.

    The same `workflow_id` again changes nothing. `arguments` are plain values, kept in the database until
    the job is forgotten: ids, and nothing personal.
    """
    options: Any = {"workflow_name": name, "queue_name": line, "workflow_id": workflow_id}
    _client(tx.connection.engine).enqueue_in_transaction(tx.connection, options, **arguments)


def prepare(engine: Engine) -> None:
    """Import DBOS (0.4 s, 24 MiB) ahead of the first `enqueue`, so that no write waits for it."""
    _client(engine)


@lru_cache(maxsize=4)
def _client(engine: Engine) -> "DBOSClient":
    from dbos import DBOSClient

    _tell_in_our_log()
    return DBOSClient(
        system_database_engine=engine,
        dbos_system_schema=SCHEMA,
        serializer=_serializer(),
        application_name=APPLICATION,
        lazy=True,
    )


def _serializer() -> "DBOSPortableJSONSerializer":
    """JSON: the default would unpickle whatever stands in the database."""
    from dbos import DBOSPortableJSONSerializer

    return DBOSPortableJSONSerializer()


# its tables


def migrate(database_url: str) -> None:
    """Make or mend the tables in which jobs wait: on SQLite beside ours, on PostgreSQL in the schema `dbos`.

    Alembic has no part in them. Doing it again changes nothing.
    """
    from dbos import DBOS

    _tell_in_our_log()
    address = make_url(database_url)
    if address.get_backend_name() == "sqlite" and address.database:
        Path(address.database).parent.mkdir(parents=True, exist_ok=True)
    DBOS.migrate(_plain(database_url), schema=SCHEMA)


def counts(connection: Connection) -> dict[str, int]:
    """How many jobs are `waiting`, `postponed`, `in_hand` and `failed`, for the doctor and the metrics."""
    query = f"SELECT status, count(*) FROM {_table(connection)} GROUP BY status"  # noqa: S608 -- our own two names
    found: dict[str, int] = {status: count for status, count in connection.execute(text(query))}  # noqa: C416
    return {
        "waiting": found.get("ENQUEUED", 0),
        "postponed": found.get("DELAYED", 0),
        "in_hand": found.get("PENDING", 0),
        "failed": found.get("ERROR", 0) + found.get("MAX_RECOVERY_ATTEMPTS_EXCEEDED", 0),
    }


def unfinished(connection: Connection, workflow_ids: Collection[str]) -> set[str]:
    """Which of these jobs wait, or are in hand. One statement."""
    query = text(
        f"SELECT workflow_uuid FROM {_table(connection)} "  # noqa: S608 -- our own two names
        "WHERE workflow_uuid IN :ids AND status IN ('ENQUEUED', 'DELAYED', 'PENDING')"
    ).bindparams(bindparam("ids", expanding=True))
    return set(connection.execute(query, {"ids": sorted(workflow_ids)}).scalars())


def _table(connection: Connection) -> str:
    return "workflow_status" if connection.dialect.name == "sqlite" else f"{SCHEMA}.workflow_status"


def _plain(database_url: str) -> str:
    """The address without a driver's name: DBOS brings psycopg along."""
    address = make_url(database_url)
    return address.set(drivername=address.get_backend_name()).render_as_string(hide_password=False)


# doing: only in the worker


def start(database_url: str, executor: str, jobs: Mapping[str, Job]) -> None:
    """Begin to take jobs from the line, first those that `executor` had in hand when it last ended.

    `executor` is a name that this replica, and no other, has at every start.
    """
    from dbos import DBOS

    _tell_in_our_log()
    sqlite = make_url(database_url).get_backend_name() == "sqlite"
    DBOS(
        config={
            "name": APPLICATION,
            "system_database_url": _plain(database_url),
            "dbos_system_schema": SCHEMA,
            "executor_id": executor,
            "application_version": VERSION,
            "serializer": _serializer(),
            "run_migrations": False,
            "use_listen_notify": False,
            "log_level": "WARNING",
            # SQLite has one lock for all who write: few connections here leave it to the web's writer.
            "sys_db_pool_size": 2 if sqlite else 8,
            "max_executor_threads": AT_ONCE + 8,
        }
    )
    for name, job in jobs.items():
        _register(name, job)
    DBOS.launch()
    for line, at_once in ((LINE, AT_ONCE), (HOOKS, HOOKS_AT_ONCE)):
        DBOS.register_queue(
            line, worker_concurrency=at_once, polling_interval_sec=POLL_S, on_conflict="always_update"
        )


def stop(within_s: int) -> None:
    """Take no more jobs, and give those in hand `within_s` seconds; the rest begin anew at the next start."""
    from dbos import DBOS

    DBOS.destroy(workflow_completion_timeout_sec=within_s)


def _register(name: str, job: Job) -> None:
    """Let a job be found by its name. While the database does not answer it waits and begins again: ended, it would
    be ended for good.
    """
    from dbos import DBOS

    def run(**arguments: Any) -> Any:
        waits = _waits()
        with _told(name):
            while True:
                try:
                    return job(**arguments)
                except Unavailable:
                    log.warning("job_held_up", job=name, id=DBOS.workflow_id)
                time.sleep(next(waits))

    async def run_waiting(**arguments: Any) -> Any:
        waits = _waits()
        with _told(name):
            while True:
                try:
                    return await job(**arguments)  # type: ignore[misc]
                except Unavailable:
                    log.warning("job_held_up", job=name, id=DBOS.workflow_id)
                await asyncio.sleep(next(waits))

    runner = run_waiting if inspect.iscoroutinefunction(job) else run
    runner.__qualname__ = name
    DBOS.workflow(name=name)(runner)


def _waits() -> Iterator[float]:
    return itertools.chain(HELD_UP_S, itertools.repeat(HELD_UP_S[-1]))


@contextmanager
def _told(name: str) -> Iterator[None]:
    from dbos import DBOS

    try:
        yield
    except Exception as error:
        # The kind alone: a text may say what the job was about.
        log.error("job_failed", job=name, id=DBOS.workflow_id, error=type(error).__name__)  # noqa: TRY400
        raise


def step(name: str, work: Callable[[], str], *, worth_again: type[Exception]) -> str:
    """Do what reaches outside, within a job: once it has answered it is not done again.

    An error of the type `worth_again` is tried again after 1, 2 and 4 seconds; any other ends the job.

    :raises Exhausted: it failed as often as it may
    """
    from dbos import DBOS

    try:
        return DBOS.run_step(
            {
                "name": name,
                "retries_allowed": True,
                "interval_seconds": STEP_WAIT_S,
                "max_attempts": STEP_TRIES,
                "backoff_rate": 2.0,
                "should_retry": lambda error: isinstance(error, worth_again),
            },
            work,
        )
    except Exception as error:
        # Read back after a restart it is no longer the class it was, but it keeps the name.
        if getattr(error, "name", type(error).__name__) != "DBOSMaxStepRetriesExceeded":
            raise
        raise Exhausted(f"{name} failed {STEP_TRIES} times") from None


def postpone(name: str, *, workflow_id: str, delay_s: int, **arguments: Any) -> None:
    """Put a job in line for later, from within a job that then ends: meanwhile it holds no place in hand."""
    from dbos import DBOS

    options: Any = {
        "workflow_name": name,
        "queue_name": LINE,
        "workflow_id": workflow_id,
        "delay_seconds": delay_s,
    }
    DBOS.enqueue_workflow_with_options(options, **arguments)


def reap(executor: str) -> int:
    """Put back in line what workers that did not come back had in hand; how many.

    Its own jobs are left alone: `start` has taken those up. Two replicas that reap in the same instant may
    put one job back twice, so that it runs twice, as any job may.
    """
    from dbos import DBOS

    before = (clock.now() - timedelta(seconds=LOST_AFTER_S)).isoformat()
    stuck = DBOS.list_workflows(status="PENDING", dequeued_before=before, load_input=False, load_output=False)
    lost = [job for job in stuck if job.executor_id != executor]
    for job in lost:
        DBOS.resume_workflow(job.workflow_id, queue_name=job.queue_name or LINE)
    if lost:
        log.warning("jobs_put_back_in_line", jobs=len(lost))
    return len(lost)


def forget(
    *,
    done_days: int = 30,
    failed_days: int = 90,
    at_once: int = FORGOTTEN_AT_ONCE,
    within_s: float = FORGET_S,
) -> int:
    """Delete what remains of jobs that ended long ago; how many. What `within_s` does not suffice for stays for later.

    Those of webhooks go after an hour: there are many, and the deliveries tell what they did. A transaction takes
    `at_once`, and between two of them whoever else writes has a turn.
    """
    ends = time.monotonic() + within_s
    forgotten = 0
    for line, statuses, after in (
        (None, ["SUCCESS"], timedelta(days=done_days)),
        (HOOKS, ["SUCCESS"], timedelta(hours=1)),
        (None, ["ERROR", "CANCELLED"], timedelta(days=failed_days)),
    ):
        before = (clock.now() - after).isoformat()
        while time.monotonic() < ends:
            some = _forget_some(line, statuses, before, at_once)
            forgotten += some
            if some < at_once:
                break
            time.sleep(BREATH_S)
    return forgotten


def _forget_some(line: str | None, statuses: list[str], before: str, most: int) -> int:
    from dbos import DBOS

    ended = DBOS.list_workflows(
        status=statuses,
        queue_name=line,
        completed_before=before,
        limit=most,
        load_input=False,
        load_output=False,
    )
    if ended:
        DBOS.delete_workflows([job.workflow_id for job in ended])
    return len(ended)


class _OurLog(logging.Handler):
    """DBOS's own messages in our log: without the traces, which may carry what a job was about."""

    def emit(self, record: logging.LogRecord) -> None:
        log.log(record.levelno, "dbos", said=record.getMessage())


def _tell_in_our_log() -> None:
    logger = logging.getLogger("dbos")
    if not any(isinstance(handler, _OurLog) for handler in logger.handlers):
        logger.addHandler(_OurLog())
        logger.propagate = False
        logger.setLevel(logging.WARNING)
