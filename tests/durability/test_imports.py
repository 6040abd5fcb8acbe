"""A worker killed in the middle of an import, twice: its rows are made, each once, when it is started again."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress

import psycopg
import pytest
from sqlalchemy import func, make_url, select

from app.errors import Unavailable
from app.integrations import queue
from app.models import Event, Idea, ImportRow
from app.models.base import table
from app.services import imports
from tests.durability.servers import ROOT

ROWS = 2_000
IDEA, EVENT, ROW = table(Idea), table(Event), table(ImportRow)


class Worker:
    """A worker of our own, of one name at every start."""

    def __init__(self, database_url, log):
        self._log = log
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PARTNERSHIP_")}
        self._environment = kept | {
            "PARTNERSHIP_DATABASE_URL": database_url,
            "PARTNERSHIP_REPLICA": "imports",
        }
        self._process = None

    def start(self):
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "app.cli", "worker"],
                cwd=ROOT,
                env=self._environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self):
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None


@pytest.mark.slow
def test_each_row_is_made_once_however_often_the_worker_dies(world, database_url, tmp_path):
    made = _started(
        world, database_url, "".join(f"Idea {number},r{number % 1990}\n" for number in range(ROWS))
    )
    worker = Worker(database_url, tmp_path / "worker.log")
    try:
        for share in (0.15, 0.5):
            worker.start()
            _until(world, made, lambda view, share=share: view.rows_read > ROWS * share)
            worker.kill()
            assert world.ask(imports.found, made).state == "running"
        worker.start()
        view = _until(world, made, lambda view: view.is_over)
    finally:
        worker.kill()
    assert (view.state, view.rows_made, view.rows_refused, view.attempt) == ("done", 1990, 10, 1)
    marks = world.ask(lambda c: c.execute(select(ROW.c.state, ROW.c.made_id)).all())
    ids = [mark.made_id for mark in marks if mark.state == "made"]
    titles = world.ask(lambda c: c.execute(select(IDEA.c.title).where(IDEA.c.id.in_(ids))).scalars().all())
    assert Counter(titles) == Counter(f"Idea {number}" for number in range(1990))
    posted = select(func.count()).select_from(EVENT).where(EVENT.c.type == "idea.posted")
    here = posted.where(EVENT.c.challenge_id == world.challenge_id)
    assert world.ask(lambda c: c.execute(here).scalar()) == 1990
    assert "Idea 1" not in (tmp_path / "worker.log").read_text()


@pytest.mark.slow
def test_an_import_waits_while_the_database_does_not_answer_and_then_goes_on(world, database_url, tmp_path):
    made = _started(world, database_url, "".join(f"Idea {number},r{number}\n" for number in range(ROWS)))
    log = tmp_path / "worker.log"
    worker = Worker(database_url, log)
    try:
        worker.start()
        _until(world, made, lambda view: view.rows_read > ROWS * 0.1)
        _out_of_reach(database_url, lambda: "job_held_up" in log.read_text())
        view = _until(world, made, lambda view: view.is_over)
    finally:
        worker.kill()
    assert (view.state, view.rows_made, view.attempt) == ("done", ROWS, 1)
    here = select(func.count()).select_from(IDEA).where(IDEA.c.challenge_id == world.challenge_id)
    assert world.ask(lambda c: c.execute(here.where(IDEA.c.title.like("Idea %"))).scalar()) == ROWS


def _started(world, database_url, rows):
    """The id of an import of ideas that waits for a worker."""
    queue.migrate(database_url)
    about = {"kind": "ideas", "format": "csv", "challenge_id": world.challenge_id}
    return world.do(imports.start, world.cora, world.programme, f"title,reference\n{rows}".encode(), **about)


def _out_of_reach(database_url, is_noticed):
    """The database answers nobody else until it is noticed: locked, or with its connections broken again and again."""
    deadline = time.monotonic() + 60
    address = make_url(database_url)
    if address.get_backend_name() == "sqlite":
        holder = sqlite3.connect(address.database, timeout=30, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        end = "ROLLBACK"
    else:
        plain = address.set(drivername="postgresql").render_as_string(hide_password=False)
        holder = psycopg.connect(plain, autocommit=True)
        end = "SELECT 1"
    others = "FROM pg_stat_activity WHERE datname = current_database() AND pid != pg_backend_pid()"
    while not is_noticed():
        assert time.monotonic() < deadline, "nobody noticed"
        if address.get_backend_name() != "sqlite":
            holder.execute(f"SELECT pg_terminate_backend(pid) {others}")
        time.sleep(0.05)
    holder.execute(end)
    holder.close()


def _until(world, import_id, holds):
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        with suppress(Unavailable):  # our own connections were broken, too
            view = world.ask(imports.found, import_id)
            if holds(view):
                return view
        time.sleep(0.02)
    raise AssertionError(f"it does not come: {view}")
