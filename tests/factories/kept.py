"""What was made once and is put back for the next test, as old as it was then: in one transaction, not in twenty."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, func, select
from sqlmodel import SQLModel

from app.database import Database, Transaction
from app.lib import clock


@dataclass(frozen=True, slots=True)
class Kept:
    """Every row of a database, in an order in which they may be written; and what their maker called them."""

    made_at: datetime
    rows: Sequence[tuple[Table, Sequence[Mapping[str, Any]]]]
    names: Mapping[str, Any]

    @classmethod
    def of(cls, database: Database, names: Mapping[str, Any]) -> "Kept":
        """What is there now, just made."""

        def query(connection: Connection) -> list[tuple[Table, list[dict[str, Any]]]]:
            found = [
                (each, [dict(row) for row in connection.execute(select(each)).mappings()])
                for each in SQLModel.metadata.sorted_tables
            ]
            return [(each, rows) for each, rows in found if rows]

        return cls(clock.now(), database.read_now(query), names)

    def put_back(self, tx: Transaction) -> bool:
        """Write the rows again, unless something is there already; whether that was done."""
        first = [each for each, _ in self.rows if not each.foreign_keys]
        if any(tx.execute(select(each).limit(1)).first() for each in first):
            return False
        since = clock.now() - self.made_at
        for each, rows in self.rows:
            later = [
                {name: value + since if isinstance(value, datetime) else value for name, value in row.items()}
                for row in rows
            ]
            tx.execute(each.insert(), later)
        if tx.dialect == "postgresql":
            counted = [each for each, _ in self.rows if "id" in each.c]
            tx.execute(
                select(
                    *(
                        func.setval(
                            func.pg_get_serial_sequence(each.name, "id"),
                            select(func.max(each.c.id)).scalar_subquery(),
                        )
                        for each in counted
                    )
                )
            )
        return True
