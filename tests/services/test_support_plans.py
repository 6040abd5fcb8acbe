"""Support costs the same on a board of any size: SQLite finds every row of it by a key."""

import json
from typing import Any

import pytest
from sqlalchemy.engine import Connection

from app.database import Database
from app.services import support

WISHES = {"wishes": json.dumps([[1, 2], [3, 4]]), "enough": 2, "now": "2026-05-04 09:30:00"}


@pytest.mark.parametrize("statement", [support._loading("sqlite"), support._withdrawing("sqlite")])
def test_no_table_is_looked_through_for_a_few_wishes(sqlite_url: str, statement: Any) -> None:
    database = Database(sqlite_url)
    steps = database.read_now(lambda connection: _plan(connection, statement))
    database.close()
    assert any(step.startswith("SEARCH support") for step in steps)
    assert not [
        step for step in steps if step.startswith("SCAN") and "wish" not in step and "anon_1" not in step
    ]


def _plan(connection: Connection, statement: Any) -> list[str]:
    compiled = statement.compile(dialect=connection.dialect)
    given = compiled.construct_params(WISHES)
    asked = tuple(given[name] for name in compiled.positiontup)
    rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}", asked)
    return [row[3] for row in rows]
