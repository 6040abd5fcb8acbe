"""A vote costs the same on a ballot of any size: both engines find every row of it by a key."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.engine import Connection

from app.database import Database, Transaction
from app.policies.actor import Actor
from app.services import tokens, votes
from bench import electorates

MANY, CASTERS, OPTIONS = 400, 2, 4


def cast(tx: Transaction, actor: Actor) -> None:
    votes.cast(tx, actor, 1, {"approved": ["1"]})


def cast_twice(tx: Transaction, actor: Actor) -> None:
    cast(tx, actor)
    votes.cast(tx, actor, 1, {"approved": ["2"]})


def take_back(tx: Transaction, actor: Actor) -> None:
    cast(tx, actor)
    votes.withdraw(tx, actor, 1)


@pytest.fixture
def world(database_url: str) -> Iterator[tuple[Database, Actor]]:
    """An open ballot with votes, and someone who has not voted on it."""
    token, *_ = electorates.open_with(database_url, MANY, CASTERS, OPTIONS)
    database = Database(database_url)
    yield database, database.read_now(lambda connection: tokens.find(connection, token))[0]
    database.close()


@pytest.mark.parametrize("verb", [cast, cast_twice, take_back])
def test_no_table_that_grows_with_votes_is_looked_through(
    world: tuple[Database, Actor], verb: Callable[[Transaction, Actor], None]
) -> None:
    plans = _plans(*world, verb)
    asked = " ".join(statement for statement, _ in plans)
    for name in ("FROM ballot", "INTO vote", "INTO roll_entry", "INTO turnout"):
        assert name in asked
    assert [step for _, steps in plans for step in steps]
    assert not [step for _, steps in plans for step in steps if _scans(step)]


def test_a_statement_without_a_key_is_found_out(world: tuple[Database, Actor]) -> None:
    def look_through(tx: Transaction, _: Actor) -> None:
        tx.execute(text("SELECT count(*) FROM vote WHERE choice = '-'"))

    assert [step for _, steps in _plans(*world, look_through) for step in steps if _scans(step)]


def _plans(
    database: Database, actor: Actor, verb: Callable[[Transaction, Actor], None]
) -> list[tuple[str, list[str]]]:
    """The statements of a verb, each with the steps by which the database finds its rows."""
    with _listening(database) as heard:
        database.write_now(lambda tx: verb(tx, actor))
    return [
        (statement, database.read_now(lambda connection, one=(statement, given): _plan(connection, *one)))
        for statement, given in heard
        if statement.split()[0] in {"SELECT", "INSERT", "UPDATE", "DELETE"}
    ]


@contextmanager
def _listening(database: Database) -> Iterator[list[tuple[str, Any]]]:
    heard: list[tuple[str, Any]] = []

    def hear(_connection: Any, _cursor: Any, statement: str, given: Any, _context: Any, many: bool) -> None:
        heard.append((statement, given[0] if many else given))

    event.listen(database.writes, "before_cursor_execute", hear)
    try:
        yield heard
    finally:
        event.remove(database.writes, "before_cursor_execute", hear)


def _plan(connection: Connection, statement: str, given: Any) -> list[str]:
    if connection.dialect.name == "sqlite":
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given)
        return [row[3] for row in rows]
    # What can be found by a key is: PostgreSQL would rather read a small table whole.
    connection.exec_driver_sql("SET enable_seqscan = off")
    return [row[0].strip(" ->") for row in connection.exec_driver_sql(f"EXPLAIN {statement}", given)]


def _scans(step: str) -> bool:
    """Whether a step reads a table from end to end."""
    return step.startswith(("SCAN", "Seq Scan"))
