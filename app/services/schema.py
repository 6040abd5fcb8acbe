"""The database's tables: leading them to today's form, and saying whether they are there."""

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection

from app.database import Database
from app.integrations import queue

ROOT: Final = Path(__file__).parent.parent.parent


def migrate(url: str) -> None:
    """Lead the database at `url`, which may not be there yet, to today's tables; again changes nothing.

    :raises sqlalchemy.exc.SQLAlchemyError: the database does not answer
    """
    database = Database(url)
    config = _config()
    try:
        with database.writes.connect() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()
    finally:
        database.close()
    queue.migrate(url)


def head() -> str | None:
    """The revision of today's tables."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def revision(connection: Connection) -> str | None:
    """The revision of the database's tables; None where it has none."""
    return MigrationContext.configure(connection).get_current_revision()


def _config() -> Config:
    return Config(ROOT / "alembic.ini")
