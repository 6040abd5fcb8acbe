"""The schedule: every job that is put in line has someone to do it, and clocks tick on."""

import re
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from app.integrations import queue
from app.jobs import schedule, worker
from app.jobs.schedule import Clock
from app.jobs.workplace import Workplace
from app.lib import clock
from tests.jobs.places import until

pytest_plugins = ["tests.jobs.fixtures"]

APP = Path(schedule.__file__).parents[1]


@pytest.fixture
def workplace(jobs_database):
    return Workplace(jobs_database, "http://board.test", "no-reply@board.test", None)


@pytest.fixture
def working(workplace):
    """This process does jobs; the line is reached through `queue`."""

    def start(jobs):
        queue.start(workplace.database.plain_url, "one", jobs)

    yield start
    queue.stop(0)


def test_every_job_that_is_put_in_line_is_in_the_schedule(workplace):
    asked_for = {
        name
        for path in APP.rglob("*.py")
        for name in re.findall(r"queue\.(?:enqueue\(\s*tx|postpone\()\s*,?\s*\"([^\"]+)\"", path.read_text())
    }
    assert asked_for == {
        *("mail.invitation", "mail.link", "mail.send", "mail.spread", "mail.warning"),
        *("match.run", "data.export", "hook.deliver", "import.run"),
    }
    assert asked_for <= set(schedule.jobs(workplace))


def test_a_clock_that_fails_does_not_stop_the_others():
    ticks = []
    told_to_stop = threading.Event()

    def fail():
        ticks.append("fails")
        raise ZeroDivisionError

    def end():
        ticks.append("works")
        told_to_stop.set()

    worker._keep((Clock("fails", 60, fail), Clock("works", 60, end)), told_to_stop, None)
    assert ticks == ["fails", "works"]


def test_a_clock_waits_for_its_time():
    ticks = []
    told_to_stop = threading.Event()
    threading.Timer(2.5, told_to_stop.set).start()
    worker._keep(
        (Clock("often", 0.1, lambda: ticks.append(1)), Clock("seldom", 60, lambda: ticks.append(60))),
        told_to_stop,
        None,
    )
    assert ticks.count(1) == 2
    assert ticks.count(60) == 1


def fails(*, number):
    raise ZeroDivisionError


def test_what_is_long_done_is_forgotten_and_what_failed_is_kept_longer(jobs_database, working):
    for name in ("works", "fails"):
        jobs_database.write_now(lambda tx, name=name: queue.enqueue(tx, name, workflow_id=name, number=1))
    working({"works": lambda *, number: "done", "fails": fails})
    until(lambda: has_ended(jobs_database, failed=1), 15, "both have ended")
    assert queue.forget() == 0, "what ended just now is kept"
    assert queue.forget(done_days=0) == 1
    assert jobs_database.read_now(queue.counts)["failed"] == 1
    assert queue.forget(done_days=0, failed_days=0) == 1
    assert jobs_database.read_now(queue.counts)["failed"] == 0


def test_many_that_are_long_done_are_forgotten_in_one_go(jobs_database, working):
    done(jobs_database, 25)
    working({})
    assert queue.forget(at_once=10, within_s=60) == 25
    assert left(jobs_database) == 0


def test_where_time_does_not_suffice_the_rest_is_forgotten_later(jobs_database, working):
    done(jobs_database, 25)
    working({})
    assert queue.forget(within_s=0) == 0
    assert left(jobs_database) == 25


def done(database, jobs):
    """Jobs of webhooks that ended two hours ago."""
    ended = int((clock.now() - timedelta(hours=2)).timestamp() * 1000)

    def work(tx):
        for number in range(jobs):
            queue.enqueue(tx, "hook.deliver", workflow_id=f"hook-1-{number}", line=queue.HOOKS, webhook_id=1)
        tx.execute(text(f"UPDATE {_table(database)} SET status = 'SUCCESS', completed_at = {ended}"))

    database.write_now(work)


def left(database):
    query = text(f"SELECT count(*) FROM {_table(database)}")
    return database.read_now(lambda connection: connection.execute(query).scalar_one())


def _table(database):
    return "workflow_status" if database.is_sqlite else "dbos.workflow_status"


@pytest.mark.parametrize("jobs_template", ["sqlite"], indirect=True)
def test_an_unexpected_failure_is_recorded_and_not_repeated(jobs_database, working):
    runs = []

    def fails_and_counts(*, number):
        runs.append(number)
        raise ZeroDivisionError

    jobs_database.write_now(lambda tx: queue.enqueue(tx, "fails", workflow_id="one", number=1))
    working({"fails": fails_and_counts})
    until(lambda: has_ended(jobs_database, failed=1), 15, "it has failed")
    time.sleep(1.5)
    assert runs == [1]


def has_ended(database, *, failed):
    return database.read_now(queue.counts) == {"waiting": 0, "postponed": 0, "in_hand": 0, "failed": failed}
