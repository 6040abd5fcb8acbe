"""The orders of lists: by which column, which way, and where a page begins: after the last row of the page before.

A place in a list is the value that it is sorted by, and the id, compared as one row: so a page costs the same
wherever it begins, and what is added meanwhile neither repeats nor hides others.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Date, Select, bindparam, literal, tuple_
from sqlalchemy.sql import ColumnElement

from app.database import UTCDateTime

Place = tuple[Any, ...]
"""A place in a list, as a cursor keeps it: the value, as text, and the id; in the order of ids the id alone."""

ID: Final = "id"


@dataclass(frozen=True, slots=True)
class Order:
    """By the column called `name`, ascending unless `is_descending`, and on from the place `after`."""

    name: str = ID
    is_descending: bool = False
    after: Place = ()

    def place(self, row: Any) -> Place:
        """Where `row`, or the view of one, stands."""
        return (row.id,) if self.name == ID else (written(getattr(row, self.name)), row.id)


BY_ID: Final = Order()


def of(sort: str | None, after: Place = ()) -> Order:
    """The order that a name means, `-` before it for descending; of ids, where there is none."""
    if sort is None:
        return Order(after=after)
    return Order(sort.removeprefix("-"), sort.startswith("-"), after)


def since(id: int) -> Order:
    """The order of ids, on from this one; 0 for the beginning."""
    return Order(after=(id,) if id else ())


def page(
    chosen: Select[Any], order: Order, columns: Mapping[str, ColumnElement[Any]], limit: int | None
) -> Select[Any]:
    """`limit` rows of `chosen`, or all, in that order, from its place on. `columns`: what to sort by, `id` among it."""
    id = columns[ID]
    if order.after:
        begun = literal(int(order.after[-1]), id.type)
        if order.name == ID:
            chosen = chosen.where(id < begun if order.is_descending else id > begun)
        else:
            column = columns[order.name]
            value = bindparam(None, read(order.after[0], column), column.type, unique=True)
            here, there = tuple_(column, id), tuple_(value, begun)
            chosen = chosen.where(here < there if order.is_descending else here > there)
    return chosen.order_by(*by(order, columns)).limit(limit)


def by(order: Order, columns: Mapping[str, ColumnElement[Any]]) -> list[ColumnElement[Any]]:
    """What to order by."""
    steps = [columns[order.name]] if order.name == ID else [columns[order.name], columns[ID]]
    return [step.desc() if order.is_descending else step.asc() for step in steps]


def written(value: Any) -> Any:
    """A value that is sorted by, as a cursor can keep it."""
    return value.isoformat() if isinstance(value, date) else value


def read(kept: Any, column: ColumnElement[Any]) -> Any:
    """The value of a column that `written` gave."""
    if isinstance(column.type, UTCDateTime):
        return datetime.fromisoformat(kept)
    return date.fromisoformat(kept) if isinstance(column.type, Date) else kept
