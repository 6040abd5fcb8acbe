"""Statements are put into words once a process, as in a server, and not once for each test's own engines.

SQLAlchemy keeps them by engine and by dialect, so both are shared by all engines of one kind.
"""

from typing import Any, Final

import pytest
from sqlalchemy import Engine
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.util import LRUCache

from app import database

AT_ONCE: Final = 5_000

_shared: dict[tuple[str, object], tuple[Dialect, Any]] = {}
_create = database.create_engine


def pytest_configure(config: pytest.Config) -> None:
    database.create_engine = create_engine  # type: ignore[assignment]


def create_engine(url: Any, **options: Any) -> Engine:
    """As SQLAlchemy's, with what an earlier engine of its kind knows."""
    engine = _create(url, **options)
    kind = (engine.dialect.name, options.get("isolation_level"))
    dialect, statements = _shared.get(kind, (None, None))
    if (
        dialect is None or dialect.server_version_info is None
    ):  # no engine of its kind has been connected so far
        engine._compiled_cache = LRUCache(AT_ONCE)
        _shared[kind] = engine.dialect, engine._compiled_cache
    else:
        engine.dialect = engine.pool._dialect = dialect
        engine._compiled_cache = statements
    return engine
