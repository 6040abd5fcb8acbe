"""The worker, in a process of its own: nothing that was put in line is lost, whatever happens to it."""

import os
import time
from collections import defaultdict
from functools import partial

import pytest
from sqlalchemy import text

from app.errors import Conflict
from app.integrations import queue
from app.services import notices
from tests.jobs.places import PostOffice, Worker, settle, until

pytest_plugins = ["tests.jobs.fixtures"]
pytestmark = pytest.mark.usefixtures("mail_on")

on_one_engine = pytest.mark.parametrize("jobs_template", ["sqlite"], indirect=True)
"""For what has nothing to do with the database: each of these tests takes seconds."""

DOZENS = 100


def tell(database, world, person_ids):
    database.write_now(
        lambda tx: notices.tell(
            tx, person_ids, "comment_posted", programme_id=world.programme, idea_id=world.idea
        )
    )


def counts(database):
    return database.read_now(queue.counts)


def change_jobs(database, change, where):
    """As if time had passed: what the line remembers of its jobs is moved."""
    table = "workflow_status" if database.is_sqlite else "dbos.workflow_status"
    database.write_now(lambda tx: tx.execute(text(f"UPDATE {table} SET {change} WHERE {where}")))


def are_all_done(database):
    return counts(database) == {"waiting": 0, "postponed": 0, "in_hand": 0, "failed": 0}


def message_ids(office):
    """Every Message-ID that an address has seen, with repetitions."""
    seen = defaultdict(list)
    for address, message in office.letters:
        seen[address].append(message["Message-ID"])
    return seen


@pytest.mark.slow
def test_mail_survives_the_death_of_the_worker(jobs_database, tmp_path):
    world = settle(jobs_database, people=DOZENS)
    for person in world.people:
        tell(jobs_database, world, [person])
    with PostOffice(delay_s=0.03) as office:
        start = partial(Worker, jobs_database.plain_url, office.url, directory=tmp_path)
        for so_far in (20, 50):
            with start() as worker:
                until(lambda so_far=so_far: len(office.letters) >= so_far, 60, f"{so_far} letters")
                worker.kill()
            assert len(set(office.addresses())) < DOZENS, "the worker was done before it was killed"
        with start():
            until(lambda: are_all_done(jobs_database), 90, "all jobs done")
        seen = message_ids(office)
    assert len(seen) == DOZENS, "some mail is lost"
    assert all(len(set(ids)) == 1 for ids in seen.values()), "a repeated mail has another name"
    assert len({ids[0] for ids in seen.values()}) == DOZENS, "two mails have one name"


@pytest.mark.slow
def test_another_replica_takes_over_what_one_that_never_returned_had_in_hand(
    jobs_database, jobs_world, tmp_path
):
    with (
        PostOffice(delay_s=3600) as never_answers,
        Worker(jobs_database.plain_url, never_answers.url, replica="one", directory=tmp_path) as lost,
    ):
        tell(jobs_database, jobs_world, [jobs_world.alice])
        until(lambda: counts(jobs_database)["in_hand"] == 1, 20, "in hand")
        lost.kill()
    with PostOffice() as office:
        with Worker(jobs_database.plain_url, office.url, replica="two", directory=tmp_path) as early:
            until(lambda: "worker_started" in early.log.read_text(), 20, "started")
            time.sleep(5)
            assert not office.letters, "what may still be at work is not taken away"
        an_hour_ago = f"started_at_epoch_ms = started_at_epoch_ms - {3_600_000}"
        change_jobs(jobs_database, an_hour_ago, "status = 'PENDING'")
        with Worker(jobs_database.plain_url, office.url, replica="two", directory=tmp_path):
            until(lambda: are_all_done(jobs_database), 20, "taken over")
        assert office.addresses() == ["alice@example.test"]


@pytest.mark.slow
@on_one_engine
def test_sigterm_ends_the_worker_in_order_and_loses_nothing(jobs_database, tmp_path):
    world = settle(jobs_database, people=40)
    tell(jobs_database, world, world.people)
    with PostOffice(delay_s=0.2) as office:
        with Worker(jobs_database.plain_url, office.url, directory=tmp_path) as worker:
            until(lambda: office.letters, 20, "a letter")
            assert worker.stop() == 0
            assert "Traceback" not in worker.log.read_text()
        assert len(office.letters) < 40
        with Worker(jobs_database.plain_url, office.url, directory=tmp_path):
            until(lambda: are_all_done(jobs_database), 30, "all jobs done")
        assert sorted(office.addresses()) == sorted(set(office.addresses())), "a mail was sent twice"
        assert len(office.letters) == 40


def test_a_write_that_fails_sends_no_mail(jobs_database, jobs_world, tmp_path):
    def work(tx):
        notices.tell(
            tx, [jobs_world.bob], "comment_posted", programme_id=jobs_world.programme, idea_id=jobs_world.idea
        )
        raise Conflict("no")

    with pytest.raises(Conflict):
        jobs_database.write_now(work)
    tell(jobs_database, jobs_world, [jobs_world.alice])
    with PostOffice() as office, Worker(jobs_database.plain_url, office.url, directory=tmp_path):
        until(lambda: are_all_done(jobs_database), 20, "all jobs done")
    assert office.addresses() == ["alice@example.test"]


@on_one_engine
def test_a_letter_that_is_refused_for_good_is_tried_once_and_stays_on_record(
    jobs_database, jobs_world, tmp_path
):
    def answers(address, nth):
        return "550 5.1.1 no such person alice@example.test" if address.startswith("alice") else None

    tell(jobs_database, jobs_world, [jobs_world.alice])
    tell(jobs_database, jobs_world, [jobs_world.bob])
    with (
        PostOffice(answers) as office,
        Worker(jobs_database.plain_url, office.url, directory=tmp_path) as worker,
    ):
        until(lambda: counts(jobs_database)["failed"] == 1 and office.letters, 20, "one failed, one sent")
        log = worker.log.read_text()
    assert office.tries.count("alice@example.test") == 1
    assert office.addresses() == ["bob@example.test"]
    assert "recipient 550" in log
    assert "example.test" not in log, "an address stands in the log"
    assert "example.test" not in recorded(jobs_database), "an address stands in the line"
    assert versions(jobs_database) == {queue.VERSION}, "the next deploy will not do what waits"


@pytest.mark.slow
@on_one_engine
def test_a_busy_server_is_asked_again_shortly(jobs_database, jobs_world, tmp_path):
    tell(jobs_database, jobs_world, [jobs_world.alice])
    with (
        PostOffice(lambda address, nth: "451 4.7.1 greylisted" if nth < 3 else None) as office,
        Worker(jobs_database.plain_url, office.url, directory=tmp_path) as worker,
    ):
        until(lambda: office.letters, 30, "taken at the third try")
        log = worker.log.read_text()
    assert len(office.tries) == 3
    assert "example.test" not in log


@pytest.mark.slow
@on_one_engine
def test_a_server_that_takes_nothing_is_left_alone_for_a_while(jobs_database, jobs_world, tmp_path):
    is_open = []
    tell(jobs_database, jobs_world, [jobs_world.alice])
    with (
        PostOffice(lambda address, nth: None if is_open else "451 4.3.2 later") as office,
        Worker(jobs_database.plain_url, office.url, directory=tmp_path) as worker,
    ):
        apart = {"waiting": 0, "postponed": 1, "in_hand": 0, "failed": 0}
        until(lambda: counts(jobs_database) == apart, 30, "postponed, and holds no place while it waits")
        assert len(office.tries) == 4
        is_open.append(True)
        change_jobs(jobs_database, "delay_until_epoch_ms = 0", "status = 'DELAYED'")
        until(lambda: office.letters, 20, "taken in the second round")
        assert "example.test" not in worker.log.read_text()
    assert [message["Message-ID"] for _, message in office.letters] == ["<notice-1@board.test>"]


@on_one_engine
def test_the_worker_ends_when_the_server_that_started_it_is_gone(jobs_database, tmp_path):
    """`serve` may be killed; its worker does not go on beside the next one's."""
    with PostOffice() as office:
        worker = Worker(jobs_database.plain_url, office.url, directory=tmp_path, parent=os.getpid() + 1)
        with worker:
            assert worker.process.wait(60) == 0
            assert "worker_left_alone" in worker.log.read_text()


def versions(database):
    table = "workflow_status" if database.is_sqlite else "dbos.workflow_status"
    query = text(f"SELECT DISTINCT application_version FROM {table}")
    return set(database.read_now(lambda connection: connection.execute(query).scalars().all()))


def recorded(database):
    """All that the line keeps about its jobs, as one text."""
    schema = "" if database.is_sqlite else "dbos."
    tables = ("workflow_status", "workflow_input", "workflow_output", "operation_outputs")
    return " ".join(
        str(row)
        for table in tables
        for row in database.read_now(
            lambda connection, table=table: connection.execute(text(f"SELECT * FROM {schema}{table}")).all()
        )
    )
