"""Databases on a PostgreSQL server: each as fresh as a copy of the template, and most of them emptied, not made anew.

To copy a template of some hundred tables takes half a second, to empty those that a test has filled a twentieth of it.
"""

from collections.abc import Callable
from typing import Any, TypeVar
from uuid import uuid4

import psycopg
from sqlalchemy.engine import make_url

T = TypeVar("T")
Connection = psycopg.Connection[Any]

_TABLES = """
    SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
    WHERE schemaname NOT IN ('pg_catalog', 'information_schema') AND tablename <> 'alembic_version'
"""
_SEQUENCES = "SELECT format('%I.%I', schemaname, sequencename) FROM pg_sequences WHERE last_value IS NOT NULL"
_SHAPE = """
    SELECT (SELECT count(*) FROM pg_class), (SELECT count(*) FROM pg_attribute), (SELECT count(*) FROM pg_trigger),
        (SELECT count(*) FROM pg_trigger WHERE tgenabled <> 'O'),
        (SELECT count(*) FROM pg_proc), (SELECT count(*) FROM pg_constraint), (SELECT count(*) FROM pg_db_role_setting)
"""
_OTHERS = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


class Server:
    """A server, and the databases on it that wait to be used again."""

    def __init__(self, url: str) -> None:
        self._address = make_url(url)
        self._idle: dict[str, list[str]] = {}
        self._shapes: dict[str, tuple[object, str]] = {}

    def url(self, name: str) -> str:
        """The address of one of its databases."""
        return self._address.set(database=name).render_as_string(hide_password=False)

    def create(self, template: str | None = None, *, prefix: str = "pfc") -> str:
        """A database of its own, a copy of `template`; its name."""
        name = f"{prefix}_{uuid4().hex[:12]}"
        copied = f' TEMPLATE "{template}"' if template else ""
        self.run(f'CREATE DATABASE "{name}"{copied}')
        return name

    def drop(self, name: str) -> None:
        """Let go of a database, whoever is still connected to it."""
        self.run(f'DROP DATABASE "{name}" WITH (FORCE)')

    def take(self, template: str) -> str:
        """A database like `template`: one that was given back, or a new copy."""
        idle = self._idle.setdefault(template, [])
        if idle:
            return idle.pop()
        name = self.create(template)
        if template not in self._shapes:
            self._shapes[template] = self._in(name, _shape)
        return name

    def give_back(self, name: str, template: str) -> None:
        """Empty a database for the next one; one that was altered, or that someone still talks to, is dropped."""
        if self._in(name, lambda connection: _emptied(connection, *self._shapes[template])):
            self._idle[template].append(name)
        else:
            self.drop(name)

    def close(self) -> None:
        """Drop what waits."""
        for names in self._idle.values():
            while names:
                self.drop(names.pop())

    def run(self, statement: str) -> None:
        """Run a statement on the server, outside the databases that it may be about."""
        self._in(self._address.database or "postgres", lambda connection: connection.execute(statement))

    def _in(self, name: str, work: Callable[[Connection], T]) -> T:
        address = self._address.set(database=name, drivername="postgresql")
        with psycopg.connect(address.render_as_string(hide_password=False), autocommit=True) as connection:
            return work(connection)


def _shape(connection: Connection) -> tuple[object, str]:
    """What tells whether a database was altered, and the question which of its tables hold anything."""
    tables = [name for (name,) in connection.execute(_TABLES)]
    looks = " UNION ALL ".join(f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM {table})" for table in tables)
    return connection.execute(_SHAPE).fetchone(), looks


def _emptied(connection: Connection, shape: object, looks: str) -> bool:
    others = connection.execute(_OTHERS).fetchone()
    if others != (0,) or connection.execute(_SHAPE).fetchone() != shape:
        return False
    filled = [name for (name,) in connection.execute(looks)]
    moved = [name for (name,) in connection.execute(_SEQUENCES)]
    # In this role no trigger keeps what refers to another row, or the audit log.
    steps = ["SET session_replication_role = replica", *(f"DELETE FROM {table}" for table in filled)]
    steps += [f"ALTER SEQUENCE {sequence} RESTART" for sequence in moved]
    connection.execute(";".join(steps))
    return True
