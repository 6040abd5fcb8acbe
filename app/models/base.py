"""What tables share: keys, instants, and the names of constraints."""

from datetime import datetime
from typing import Any, cast

from sqlalchemy import MetaData, Table, event
from sqlmodel import Field, SQLModel

from app.database import Key, UTCDateTime
from app.lib import clock

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

metadata: MetaData = SQLModel.metadata


def key() -> Any:
    """A surrogate primary key: no number is given a second time, whatever was deleted."""
    return Field(default=None, primary_key=True, sa_type=Key)


def refers(target: str, *, nullable: bool = False, index: bool = False, on_delete: str | None = None) -> Any:
    """A foreign key to `target`, such as `idea.id`."""
    options: dict[str, Any] = {"ondelete": on_delete} if on_delete else {}
    if nullable:
        options["default"] = None
    return Field(sa_type=Key, foreign_key=target, nullable=nullable, index=index, **options)


def instant(*, nullable: bool = False) -> Any:
    """An aware instant; now, unless it may be absent."""
    if nullable:
        return Field(default=None, sa_type=UTCDateTime, nullable=True)
    return Field(default_factory=clock.now, sa_type=UTCDateTime)


class Dated(SQLModel):
    """When a row came to be and when it last changed."""

    created_at: datetime = instant()
    updated_at: datetime = instant()


@event.listens_for(Table, "after_parent_attach")
def _give_no_key_twice(table: Table, of: object) -> None:
    """SQLite would give the largest key out again once its row is deleted; PostgreSQL does not."""
    if of is metadata and "id" in table.c:
        table.dialect_options["sqlite"]["autoincrement"] = True


def table(model: type[SQLModel]) -> Table:
    """The table of a model, for Core statements."""
    return cast("Table", model.__table__)  # type: ignore[attr-defined]
