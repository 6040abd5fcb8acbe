"""The writer: batches, savepoints, answers after the commit; and a database that is locked, full or gone."""

import asyncio
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, literal, null, select, text
from sqlalchemy.exc import IntegrityError

from app.database import Database, same_in_any_case
from app.errors import Conflict, Unavailable
from app.models import Event, Programme, Sector
from app.models.base import table
from app.services.events import record
from tests.factories.races import overlapping

PROGRAMME, EVENT = table(Programme), table(Event)


def add(slug):
    def work(tx):
        tx.session.add(Programme(slug=slug, name=slug))
        record(tx, "programme.created", None, data={"slug": slug})
        return slug

    return work


def slugs(database):
    return set(database.read_now(lambda c: c.execute(select(PROGRAMME.c.slug)).scalars().all()))


def test_a_failed_piece_of_work_takes_no_other_with_it(database):
    def refused(tx):
        add("refused")(tx)
        tx.session.flush()
        raise Conflict("no")

    with ThreadPoolExecutor(9) as pool:
        blocker = threading.Event()
        busy = pool.submit(database.write_now, lambda tx: blocker.wait(10))
        time.sleep(0.1)
        pieces = [
            pool.submit(database.write_now, work) for work in (add("one"), refused, add("two"), add("three"))
        ]
        time.sleep(0.1)
        blocker.set()
        busy.result()
        answers = [piece.exception() for piece in pieces]
    assert [type(answer) for answer in answers] == [type(None), Conflict, type(None), type(None)]
    assert slugs(database) == {"one", "two", "three"}


@pytest.mark.parametrize(
    ("kept", "told"),
    [
        ("Žan.Novak@rivers.example", "žAN.NOVAK@Rivers.example"),
        ("élodie@örte.example", "ÉLODIE@ÖRTE.example"),
        ("İ@rivers.example", "i\u0307@rivers.example"),
        ("İ@rivers.example", "i@rivers.example"),
        ("\u0131@rivers.example", "I@rivers.example"),
        ("straße@rivers.example", "STRASSE@rivers.example"),
        ("жан@rivers.example", "ЖАН@rivers.example"),
    ],
)
def test_a_text_is_the_same_in_any_case_as_python_has_it(database, kept, told):
    same = select(same_in_any_case(literal(kept), told))
    assert bool(database.read_now(lambda c: c.execute(same).scalar_one())) == (kept.lower() == told.lower())


def test_what_is_no_text_has_no_case(database):
    assert database.read_now(lambda c: c.execute(select(func.lower(null()))).scalar_one()) is None


def test_a_part_of_a_work_fails_by_itself(database):
    def parts(tx):
        tx.attempt(add("first"))
        for error in (Conflict, ValueError):

            def fails(inner, error=error):
                add("never")(inner)
                inner.session.flush()
                raise error("no")

            with pytest.raises(error):
                tx.attempt(fails)
        return tx.attempt(add("last"))

    assert database.write_now(parts) == "last"
    assert slugs(database) == {"first", "last"}
    told = select(EVENT.c.data).order_by(EVENT.c.id)
    found = database.read_now(lambda c: c.execute(told).scalars().all())
    assert [data["slug"] for data in found] == ["first", "last"]


def test_a_row_that_cannot_be_does_not_fail_the_batch(database):
    database.write_now(add("taken"))
    with ThreadPoolExecutor(9) as pool:
        blocker = threading.Event()
        busy = pool.submit(database.write_now, lambda tx: blocker.wait(10))
        time.sleep(0.1)
        pieces = [pool.submit(database.write_now, add(slug)) for slug in ("four", "taken", "five")]
        time.sleep(0.1)
        blocker.set()
        busy.result()
        answers = [piece.exception() for piece in pieces]
    assert [type(answer) for answer in answers] == [type(None), IntegrityError, type(None)]
    assert slugs(database) == {"taken", "four", "five"}


def test_whoever_waits_is_told_also_of_an_error_that_no_future_takes(database):
    """A `next` without a default: the request would hang, for no future takes a StopIteration."""

    async def ask():
        return await asyncio.wait_for(database.write(lambda tx: next(iter(()))), timeout=5)

    with pytest.raises(RuntimeError, match="StopIteration"):
        asyncio.run(ask())


def test_an_error_leaves_no_event(database):
    def refused(tx):
        record(tx, "programme.created", None)
        raise Conflict("no")

    with pytest.raises(Conflict):
        database.write_now(refused)
    assert database.read_now(lambda c: c.execute(select(func.count()).select_from(EVENT)).scalar()) == 0


def test_ids_of_events_grow_in_the_order_of_commits(database):
    """Whoever has read up to an id, as each listener here does after each commit, has missed nothing before it."""
    seen, gaps = [], []

    def listen(appended):
        found = database.read_now(
            lambda c: c.execute(select(EVENT.c.id).order_by(EVENT.c.id)).scalars().all()
        )
        gaps.extend(id for id in found if seen and id < seen[-1] and id not in seen)
        seen.extend(id for id in found if id not in seen)

    database.after_commit(listen)
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda number: database.write_now(add(f"p{number}")), range(60)))
    database.write_now(add("last"))
    assert gaps == []
    assert len(seen) >= 60


def test_two_processes_append_without_overtaking_each_other(database_url):
    """On PostgreSQL two transactions could commit in another order than they drew their ids."""
    writers = [Database(database_url), Database(database_url)]
    reader = Database(database_url)
    done, late, newest = threading.Event(), [], 0
    known = set()

    def follow():
        nonlocal newest
        while not done.is_set():
            found = reader.read_now(lambda c: c.execute(select(EVENT.c.id)).scalars().all())
            late.extend(id for id in found if id not in known and id < newest)
            known.update(found)
            newest = max(known, default=0)

    with ThreadPoolExecutor(17) as pool:
        following = pool.submit(follow)
        list(pool.map(lambda number: writers[number % 2].write_now(add(f"p{number}")), range(200)))
        done.set()
        following.result()
    assert late == []
    for database in (*writers, reader):
        database.close()


def test_a_listener_that_fails_fails_nobody_else(database):
    database.after_commit(lambda appended: 1 / 0)
    assert database.write_now(add("one")) == "one"


def test_readers_cannot_write(sqlite_url):
    database = Database(sqlite_url)
    database.write_now(add("kept"))
    with pytest.raises(Unavailable):
        database.read_now(lambda c: c.execute(text("DELETE FROM programme")))
    assert slugs(database) == {"kept"}
    database.close()


def test_every_commit_reaches_the_disk_before_it_is_acknowledged(sqlite_url):
    database = Database(sqlite_url)
    assert database.write_now(lambda tx: tx.execute(text("PRAGMA synchronous")).scalar()) == 2
    assert database.write_now(lambda tx: tx.execute(text("PRAGMA journal_mode")).scalar()) == "wal"
    database.close()


def test_a_locked_database_is_said_and_nothing_is_saved(sqlite_url, monkeypatch):
    monkeypatch.setattr("app.database.BUSY_TIMEOUT_S", 0.2)
    database = Database(sqlite_url)
    other = sqlite3.connect(database.url.database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable):
        database.write_now(add("locked out"))
    other.execute("ROLLBACK")
    other.close()
    assert database.write_now(add("afterwards")) == "afterwards"
    assert slugs(database) == {"afterwards"}
    database.close()


def test_a_full_database_is_said_and_what_was_saved_stays(sqlite_url):
    database = Database(sqlite_url)
    database.write_now(add("before"))

    def fill(tx):
        pages = tx.execute(text("PRAGMA page_count")).scalar()
        tx.execute(text(f"PRAGMA max_page_count = {pages + 1}"))

    database.write_now(fill)

    def large(tx):
        tx.session.add(Programme(slug="large", name="large", description="x" * 200_000))

    with pytest.raises(Unavailable):
        database.write_now(large)
    database.write_now(lambda tx: tx.execute(text("PRAGMA max_page_count = 1000000")))
    database.write_now(add("after"))
    assert slugs(database) == {"before", "after"}
    database.close()


def test_a_database_that_is_gone_is_said(tmp_path):
    database = Database(f"sqlite:///{tmp_path}/nowhere/p.db")
    (tmp_path / "nowhere").rmdir()
    with pytest.raises(Unavailable):
        database.write_now(add("lost"))
    with pytest.raises(Unavailable):
        database.read_now(lambda c: c.execute(text("SELECT 1")).scalar())
    database.close()


def test_a_server_that_cuts_its_connections_is_found_again(postgres_url):
    database, other = Database(postgres_url), Database(postgres_url)
    database.write_now(add("before"))
    slugs(database)
    other.write_now(
        lambda tx: tx.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    )
    outcomes = []
    for slug in ("one", "two"):
        try:
            outcomes.append(database.write_now(add(slug)))
        except Unavailable:
            outcomes.append(None)
    assert outcomes[-1] == "two"
    for _ in range(6):
        try:
            found = slugs(database)
            break
        except Unavailable:
            continue
    assert found == {"before", *filter(None, outcomes)}
    database.close()
    other.close()


def test_two_processes_that_lock_each_other_out_are_both_served(postgres_url):
    """A deadlock ends one of two transactions; its pieces of work are done again."""
    first, second = Database(postgres_url), Database(postgres_url)
    for slug in ("a", "b"):
        first.write_now(add(slug))

    def touch(*slugs_in_order):
        def work(tx):
            for slug in slugs_in_order:
                tx.execute(
                    PROGRAMME.update().where(PROGRAMME.c.slug == slug).values(version=PROGRAMME.c.version + 1)
                )
                time.sleep(0.2)

        return work

    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(first.write_now, touch("a", "b"))
        other = pool.submit(second.write_now, touch("b", "a"))
        failures = [failure for failure in (one.exception(), other.exception()) if failure]
    versions = first.read_now(lambda c: c.execute(select(PROGRAMME.c.version)).scalars().all())
    assert failures == []
    assert versions == [3, 3]
    first.close()
    second.close()


def test_who_lost_a_race_is_told_what_a_later_one_would_be_told(database):
    """The rule has seen nothing in its way, and the key was taken before the row was written."""

    def add_once(tx):
        if tx.execute(select(PROGRAMME.c.id).where(PROGRAMME.c.slug == "one")).first() is not None:
            raise Conflict("taken")
        slug = add("one")(tx)
        tx.session.flush()
        return slug

    won, lost = overlapping(database, add_once, add_once)
    assert won == "one"
    assert isinstance(lost, Conflict)


def test_what_refers_to_a_row_that_has_just_gone_is_told_so(database):
    database.write_now(add("one"))

    def found(tx):
        return tx.execute(select(PROGRAMME.c.id).where(PROGRAMME.c.slug == "one")).scalar()

    def remove(tx):
        tx.execute(PROGRAMME.delete().where(PROGRAMME.c.id == found(tx)))

    def refer(tx):
        if found(tx) is None:
            raise Conflict("gone")
        tx.session.add(Sector(programme_id=found(tx), key="public", name="Public"))

    _, told = overlapping(database, remove, refer)
    assert isinstance(told, Conflict)


def test_a_key_that_is_really_taken_is_told_after_the_second_try(database):
    database.write_now(add("taken"))
    tried = []

    def mistaken(tx):
        tried.append(tx)
        add("taken")(tx)

    with pytest.raises(IntegrityError):
        database.write_now(mistaken)
    assert len(tried) == (1 if database.is_sqlite else 2)
    assert database.write_now(add("afterwards")) == "afterwards"
    assert slugs(database) == {"taken", "afterwards"}
