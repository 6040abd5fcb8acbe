"""An erased person is not in the bytes of the database, in its rows, or in the logs of server and worker."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import httpx2
import pytest
from sqlalchemy.engine import make_url

from app.integrations import queue
from app.models import Ballot, DataExport
from app.models.base import table
from app.services import counting
from tests.durability.servers import ROOT, ServerProcess
from tests.factories import traces

ENCODED = [trace.encode() for trace in traces.TRACES] + [
    trace.encode("unicode_escape") for trace in traces.TRACES
]


@pytest.fixture
def logs(tmp_path):
    return [tmp_path / "server.log", tmp_path / "worker.log"]


@pytest.fixture
def server(world, database_url, logs):
    queue.migrate(database_url)
    started = ServerProcess(database_url, logs[0]).start()
    yield started
    started.kill()


@pytest.fixture
def worker(world, database_url, logs):
    queue.migrate(database_url)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PARTNERSHIP_")}
    with logs[1].open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "worker"],
            cwd=ROOT,
            env=kept | {"PARTNERSHIP_DATABASE_URL": database_url, "PARTNERSHIP_REPLICA": "erasure"},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    yield process
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def test_nothing_is_left_of_who_someone_was(world, database_url, server, worker, logs):
    someone = traces.someone(world)
    made = traces.everywhere(world, someone)
    browser = httpx2.Client(
        base_url=server.base_url,
        headers={"Cookie": f"session={world.cookie(someone)}", "Sec-Fetch-Site": "same-origin"},
        timeout=30,
    )
    with browser:
        _use_every_way(browser, made)
        _until(lambda: "ready" in _states(world), "the worker has made the copy")
        assert _found(database_url), "the search finds what is there"
        done = browser.post("/me/data/erasure", data={"confirmed": "1", "with_texts": "1"})
        assert done.status_code == 200, done.text
        assert browser.get("/me/data").status_code == 303
    _close(world, made)
    server.kill()
    _vacuum(world, database_url)
    assert traces.found(world) == []
    assert _found(database_url) == []
    for log in logs:
        text = log.read_bytes()
        assert [trace for trace in ENCODED if trace in text] == [], log.name


def _use_every_way(browser, made):
    """Type one's name wherever a page takes text, also what is refused, so that logs could have it."""
    says = traces.SAYS
    browser.post(f"/ideas/{made.idea}/comments", data={"body": says})
    browser.post(f"/ideas/{made.idea}/edit", data={"title": says, "body": says})
    browser.get("/programmes/here/people", params={"q": traces.NAME})
    browser.get(f"/nowhere/{traces.NAME}")
    browser.post("/me/data/corrections", data={"name": f"{traces.NAME} the Second", "email": traces.EMAIL})
    browser.post("/me/data/corrections", data={"name": traces.NAME * 9, "email": traces.EMAIL})
    browser.post("/me/tokens", data={"name": traces.NAME, "scopes": ["read"], "days": "5"})
    browser.post(f"/bookings/{made.past}/reflection", data={"learned": says, "surprised": says, "next": says})
    assert browser.post("/me/data/copies").status_code == 303


def _states(world):
    query = table(DataExport).select().order_by(table(DataExport).c.id.desc())
    return [row.state for row in world.ask(lambda connection: connection.execute(query).all())][:1]


def _until(condition, what, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.2)


def _close(world, made):
    """Count the ballots afterwards: nothing of what is published then has the name."""
    for ballot in (made.secret, made.open):
        world.close_now(ballot)
        _until(lambda ballot=ballot: _is_counted(world, ballot), "counted")


def _is_counted(world, ballot):
    if counting.finish(world.database, ballot, "https://here.example"):
        return True
    query = table(Ballot).select().where(table(Ballot).c.id == ballot)
    return world.ask(lambda connection: connection.execute(query).one()).counted_at is not None


def _vacuum(world, database_url):
    world.database.close()
    address = make_url(database_url)
    if address.get_backend_name() == "sqlite":
        with closing(sqlite3.connect(address.database, timeout=30)) as connection:
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _found(database_url):
    """Where a trace is: in the bytes of the files, or in the text of all rows of all schemas."""
    address = make_url(database_url)
    if address.get_backend_name() == "sqlite":
        files = {ending: f"{address.database}{ending}" for ending in ("", "-wal", "-shm", "-journal")}
        kept = {
            ending: open(path, "rb").read()  # noqa: SIM115, PTH123 -- read at once
            for ending, path in files.items()
            if os.path.exists(path)  # noqa: PTH110 -- names made of an address
        }
    else:
        dumped = subprocess.run(
            ["pg_dump", "--data-only", "--inserts", address.render_as_string(hide_password=False)],
            check=True,
            capture_output=True,
        )
        kept = {"dump": dumped.stdout}
    return [(name, trace) for name, text in kept.items() for trace in ENCODED if _is_in(trace, text)]


def _is_in(trace, text):
    """Also as PostgreSQL writes bytes, in hexadecimal, and whatever the case: an index folds it."""
    folded = text.lower()
    return trace.lower() in folded or trace.hex().encode() in folded
