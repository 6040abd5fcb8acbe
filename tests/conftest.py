"""Databases to test on, each fresh and migrated, and the small world that lives in them."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from app.database import Database
from tests.factories.world import World

ROOT = Path(__file__).parent.parent
POSTGRES = os.environ.get("PARTNERSHIP_TEST_POSTGRES_URL", "")
ENGINES = ("sqlite", "postgresql")

pytest_plugins = [
    "tests.plugins.logs",
    "tests.plugins.patience",
    "tests.plugins.turns",
    "tests.plugins.unavailable",
]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def migrate(url: str, revision: str = "head") -> None:
    """Lead the database at `url` to `revision`."""
    database = Database(url)
    config = Config(ROOT / "alembic.ini")
    with database.writes.connect() as connection:
        config.attributes["connection"] = connection
        if revision == "base":
            command.downgrade(config, revision)
        else:
            command.upgrade(config, revision)
        connection.commit()
    database.close()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "template.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_template() -> Iterator[str]:
    if not POSTGRES:
        pytest.skip("PostgreSQL: PARTNERSHIP_TEST_POSTGRES_URL is not set")
    name = f"pfc_template_{uuid4().hex[:8]}"
    _on_server(f'CREATE DATABASE "{name}"')
    migrate(_address(name))
    yield name
    _on_server(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    path = tmp_path / "partnership.db"
    shutil.copy(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def postgres_url(postgres_template: str) -> Iterator[str]:
    name = f"pfc_{uuid4().hex[:12]}"
    _on_server(f'CREATE DATABASE "{name}" TEMPLATE "{postgres_template}"')
    yield _address(name)
    _on_server(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(params=ENGINES)
def database_url(request: pytest.FixtureRequest) -> str:
    """The address of a fresh, migrated database; a test that asks for it runs on both engines."""
    return request.getfixturevalue(f"{request.param.removesuffix('ql')}_url")


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    yield database
    database.close()


@pytest.fixture
def world(database: Database) -> World:
    """Alice, Bob, Fay and the others, on both engines."""
    return World(database)


def _address(name: str) -> str:
    return make_url(POSTGRES).set(database=name).render_as_string(hide_password=False)


def _on_server(statement: str) -> None:
    url = make_url(POSTGRES)
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()
