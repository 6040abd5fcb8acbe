"""Runs migrations on the configured database, or on a connection that the caller hands over."""

from typing import Literal

from alembic import context
from sqlalchemy.engine import Connection
from sqlmodel.sql.sqltypes import AutoString

from app.database import Database, UTCDateTime
from app.models import metadata
from app.settings import settings

OURS = frozenset(metadata.tables)


def _include(_o: object, name: str | None, type_: str, reflected: bool, _c: object) -> bool:  # noqa: FBT001
    """Leave alone what is not in the models: the search index, and the tables of the durable queue."""
    if type_ == "table" and reflected:
        return name in OURS
    return not (type_ == "index" and name == "ix_idea_search")


def _render(kind: str, item: object, _autogen: object) -> str | Literal[False]:
    """Name plain column types, so that a migration stands without the code of its day."""
    if kind == "type" and isinstance(item, UTCDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, AutoString):
        return f"sa.String(length={item.length})" if item.length else "sa.Text()"
    return False


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        include_object=_include,
        render_item=_render,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


connection = context.config.attributes.get("connection")
if connection is not None:
    _run(connection)
else:
    database = Database(settings().database)
    with database.writes.connect() as connection:
        _run(connection)
        connection.commit()
    database.close()
