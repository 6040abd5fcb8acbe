"""Where the tests of jobs take place: a fresh database, a small world in it, and a post office on loopback."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from contextlib import contextmanager
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from types import SimpleNamespace

import psycopg
from aiosmtpd.controller import Controller
from sqlalchemy import event
from sqlalchemy.engine import make_url

from app.database import Database
from app.integrations import queue
from app.models import (
    Challenge,
    Idea,
    Membership,
    Organisation,
    Person,
    Programme,
    Sector,
    metadata,
)
from app.policies import actor

POSTGRES = os.environ.get("PARTNERSHIP_TEST_POSTGRES_URL", "postgresql:///test").replace("+psycopg:", ":")
ENGINES = ("sqlite", "postgresql")


def postgres_answers():
    try:
        psycopg.connect(POSTGRES, connect_timeout=3).close()
    except psycopg.Error:
        return False
    return True


@contextmanager
def fresh_url(engine, directory, *, copy_of=None):
    """The address of a database of its own, empty or a copy, gone afterwards."""
    if engine == "sqlite":
        path = Path(directory) / "jobs.db"
        if copy_of:
            shutil.copy(make_url(copy_of).database, path)
        yield f"sqlite:///{path}"
        return
    name = f"partnership_jobs_{uuid.uuid4().hex[:12]}"
    template = f' TEMPLATE "{make_url(copy_of).database}"' if copy_of else ""
    with psycopg.connect(POSTGRES, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"{template}')
        try:
            yield make_url(POSTGRES).set(database=name).render_as_string(hide_password=False)
        finally:
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@contextmanager
def migrated_url(engine, directory):
    """The address of a database with our tables and those of the line."""
    with fresh_url(engine, directory) as url:
        database = Database(url)
        metadata.create_all(database.writes)
        database.close()
        queue.migrate(url)
        yield url


@contextmanager
def fresh_database(engine, directory, *, copy_of=None):
    """A database with our tables and those of the line, opened."""
    make = fresh_url(engine, directory, copy_of=copy_of) if copy_of else migrated_url(engine, directory)
    with make as url:
        database = Database(url)
        database.plain_url = url
        try:
            yield database
        finally:
            database.close()


def settle(database, *, people=3):
    """A programme with one open idea by alice (public); bob (business) and others; charlie is a stranger."""

    def work(tx):
        def add(row):
            tx.session.add(row)
            tx.session.flush()
            return row

        programme = add(Programme(slug="p", name="P", language="sl"))
        sectors = [
            add(Sector(programme_id=programme.id, key=key, name=key)) for key in ("public", "business")
        ]
        organisations = [
            add(Organisation(programme_id=programme.id, sector_id=sector.id, name=sector.key))
            for sector in sectors
        ]
        names = ["alice", "bob", *(f"person{number}" for number in range(2, people))]
        ids = []
        for number, name in enumerate(names):
            side = number % 2
            person = add(Person(name=name, email=f"{name}@example.test", language="en"))
            add(
                Membership(
                    programme_id=programme.id,
                    person_id=person.id,
                    organisation_id=organisations[side].id,
                    sector_id=sectors[side].id,
                )
            )
            ids.append(person.id)
        stranger = add(Person(name="charlie", email="charlie@example.test", language="en"))
        challenge = add(Challenge(programme_id=programme.id, title="C"))
        ideas = [
            add(
                Idea(
                    programme_id=programme.id,
                    challenge_id=challenge.id,
                    author_id=ids[side],
                    organisation_id=organisations[side].id,
                    sector_id=sectors[side].id,
                    title=title,
                )
            ).id
            for side, title in ((0, "Fewer forms"), (1, "One window"))
        ]
        return SimpleNamespace(
            programme=programme.id,
            challenge=challenge.id,
            alice=ids[0],
            bob=ids[1],
            people=ids,
            charlie=stranger.id,
            idea=ideas[0],
            other_idea=ideas[1],
            organisations=[organisation.id for organisation in organisations],
            sectors=[sector.id for sector in sectors],
        )

    return database.write_now(work)


def as_actor(world, person_id, *, role="participant"):
    """A member of the programme, as services know them."""
    membership = actor.Membership(
        id=1,
        programme_id=world.programme,
        role=role,
        organisation_id=world.organisations[0],
        sector_id=world.sectors[0],
        sector_key="public",
    )
    return actor.Actor(person_id=person_id, memberships={world.programme: membership})


@contextmanager
def statements(engine):
    """The statements that run on `engine` meanwhile, without the begin and end of transactions."""
    seen = []

    def note(*event):
        statement = event[2]
        if not statement.upper().startswith(("SAVEPOINT", "RELEASE", "ROLLBACK", "BEGIN", "COMMIT")):
            seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


class PostOffice:
    """A real SMTP server that keeps what it takes. `answers(address, nth)` may refuse, by an SMTP reply."""

    def __init__(self, answers=None, *, delay_s=0.0, **options):
        self.letters = []
        self.tries = []
        self._answers = answers or (lambda address, nth: None)
        self._delay_s = delay_s
        self._lock = threading.Lock()
        self.port = free_port()
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port, **options)

    def __enter__(self):
        self._controller.start()
        return self

    def __exit__(self, *_):
        self._controller.stop()

    @property
    def url(self):
        return f"smtp://127.0.0.1:{self.port}"

    async def handle_RCPT(self, server, session, envelope, address, options):
        self.tries.append(address)
        reply = self._answers(address, self.tries.count(address))
        if reply:
            return reply
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        await asyncio.sleep(self._delay_s)
        message = message_from_bytes(envelope.original_content or envelope.content, policy=default)
        with self._lock:
            self.letters.append((envelope.rcpt_tos[0], message))
        return "250 taken"

    def addresses(self):
        with self._lock:
            return [address for address, _ in self.letters]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Worker:
    """A worker in a process of its own."""

    def __init__(self, database_url, smtp_url, *, replica="one", directory, parent=None):
        self._environment = os.environ | {
            "PARTNERSHIP_DATABASE_URL": database_url,
            "PARTNERSHIP_SMTP_URL": smtp_url,
            "PARTNERSHIP_BASE_URL": "http://board.test",
            "PARTNERSHIP_MAIL_FROM": "Partnership <no-reply@board.test>",
            "PARTNERSHIP_REPLICA": replica,
            "PYTHONPATH": str(Path(__file__).parents[2]),
        }
        self._parent = parent
        self._directory = directory
        self.log = Path(directory) / f"worker-{uuid.uuid4().hex[:6]}.log"
        self.process = None

    def __enter__(self):
        main = f"main(Settings(), parent={self._parent})"
        program = f"from app.jobs.worker import main; from app.settings import Settings; {main}"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", program],
                env=self._environment,
                cwd=self._directory,
                stdout=log,
                stderr=log,
            )
        return self

    def __exit__(self, kind, *_):
        if kind:
            print(f"status {self.process.poll()}", self.log.read_text())
        self.kill()

    def kill(self):
        """Without a chance to tidy up, as a power cut would."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def stop(self, within_s=60):
        self.process.terminate()
        return self.process.wait(within_s)


PATIENCE = 3
"""A machine that is busy with other things may take that many times as long."""


def until(condition, within_s, what):
    """Wait for `condition`, and fail with `what` if it does not come true."""
    end = time.monotonic() + PATIENCE * within_s
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError(f"not within {PATIENCE * within_s} s: {what}")
