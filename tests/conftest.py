"""Databases to test on, each fresh and migrated, and the small world that lives in them."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config

from app.database import Database
from tests.factories.databases import Server
from tests.factories.world import World

ROOT = Path(__file__).parent.parent
POSTGRES = os.environ.get("PARTNERSHIP_TEST_POSTGRES_URL", "")
ENGINES = ("sqlite", "postgresql")

pytest_plugins = [
    "tests.plugins.garbage",
    "tests.plugins.logs",
    "tests.plugins.long",
    "tests.plugins.patience",
    "tests.plugins.statements",
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
def postgres_server() -> Iterator[Server]:
    if not POSTGRES:
        pytest.skip("PostgreSQL: PARTNERSHIP_TEST_POSTGRES_URL is not set")
    server = Server(POSTGRES)
    yield server
    server.close()


@pytest.fixture(scope="session")
def postgres_template(postgres_server: Server) -> Iterator[str]:
    name = postgres_server.create(prefix="pfc_template")
    migrate(postgres_server.url(name))
    yield name
    postgres_server.drop(name)


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    path = tmp_path / "partnership.db"
    shutil.copy(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def postgres_url(postgres_server: Server, postgres_template: str) -> Iterator[str]:
    name = postgres_server.take(postgres_template)
    yield postgres_server.url(name)
    postgres_server.give_back(name, postgres_template)


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
