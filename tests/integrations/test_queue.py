"""The line of jobs: within the transaction, on both engines, at a cost that is known."""

import json
import subprocess
import sys

import pytest
from sqlalchemy import text

from app.errors import Conflict
from app.integrations import queue
from tests.jobs.places import statements

pytest_plugins = ["tests.jobs.fixtures"]


def jobs(database):
    schema = "" if database.is_sqlite else "dbos."
    query = text(f"SELECT workflow_uuid, name, status FROM {schema}workflow_status ORDER BY workflow_uuid")
    return [tuple(row) for row in database.read_now(lambda connection: connection.execute(query).all())]


def arguments(database, job_id):
    schema = "" if database.is_sqlite else "dbos."
    query = text(f"SELECT inputs FROM {schema}workflow_input WHERE workflow_uuid = :id")
    return database.read_now(lambda connection: connection.execute(query, {"id": job_id}).scalar_one())


def test_a_commit_puts_the_job_in_line(jobs_database):
    jobs_database.write_now(lambda tx: queue.enqueue(tx, "mail.send", workflow_id="notice-1", notice_id=1))
    assert jobs(jobs_database) == [("notice-1", "mail.send", "ENQUEUED")]
    assert jobs_database.read_now(queue.counts) == {"waiting": 1, "postponed": 0, "in_hand": 0, "failed": 0}


def test_work_that_fails_leaves_no_job(jobs_database):
    def work(tx):
        queue.enqueue(tx, "mail.send", workflow_id="notice-1", notice_id=1)
        raise Conflict("no")

    with pytest.raises(Conflict):
        jobs_database.write_now(work)
    assert jobs(jobs_database) == []


def test_work_that_breaks_leaves_no_job(jobs_database):
    def work(tx):
        queue.enqueue(tx, "mail.send", workflow_id="notice-1", notice_id=1)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        jobs_database.write_now(work)
    assert jobs(jobs_database) == []


def test_the_same_job_twice_is_one_job(jobs_database):
    for _ in range(2):
        jobs_database.write_now(
            lambda tx: queue.enqueue(tx, "mail.send", workflow_id="notice-1", notice_id=1)
        )
    assert len(jobs(jobs_database)) == 1


def test_a_job_costs_two_statements(jobs_database):
    with statements(jobs_database.writes) as seen:
        jobs_database.write_now(
            lambda tx: queue.enqueue(tx, "mail.send", workflow_id="notice-1", notice_id=1)
        )
    assert len(seen) == 2, seen


def test_the_rest_of_the_batch_still_works_after_a_job(jobs_database, jobs_world):
    """DBOS leaves an option on the connection; what follows on it is not to mind."""

    def work(tx):
        queue.enqueue(tx, "mail.send", workflow_id="notice-1", notice_id=1)
        return tx.execute(text("SELECT count(*) FROM person")).scalar_one()

    assert jobs_database.write_now(work) == 4


def test_arguments_are_json_and_not_pickle(jobs_database):
    jobs_database.write_now(
        lambda tx: queue.enqueue(tx, "mail.spread", workflow_id="notices-1-2", notice_ids=[1, 2])
    )
    assert json.loads(arguments(jobs_database, "notices-1-2"))["namedArgs"] == {"notice_ids": [1, 2]}


def test_migrating_again_changes_nothing(jobs_database):
    jobs_database.write_now(lambda tx: queue.enqueue(tx, "mail.send", workflow_id="notice-1", notice_id=1))
    queue.migrate(jobs_database.plain_url)
    assert len(jobs(jobs_database)) == 1


def test_the_web_process_does_not_import_dbos_until_a_job_is_made():
    program = "import app.services.notices, app.integrations.queue, sys; print('dbos' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "False"
