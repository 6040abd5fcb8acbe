"""Filters and orders of SCIM as conditions of SQL, over the columns in which people and groups are kept."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from scim2_models import InvalidFilterException, ScimFilter, SearchRequest
from scim2_models.path import (
    AttrPath,
    CompareOperator,
    Comparison,
    FilterVisitor,
    LogicalExpr,
    LogicalOperator,
    Not,
    Present,
    ValuePath,
)
from sqlalchemy import ColumnElement, and_, false, func, literal, not_, or_

Condition = ColumnElement[bool]


@dataclass(frozen=True, slots=True)
class Column:
    """Where an attribute is kept. `kind`: text, exact (text whose case counts), id, flag or instant."""

    column: ColumnElement[Any]
    kind: str = "text"


Columns = Mapping[str, Column]
"""By the name of an attribute in small letters, with a point before a part of it."""


def condition(scim_filter: ScimFilter[Any] | None, columns: Columns) -> Condition:
    """The condition that a filter states; all, where there is none.

    :raises InvalidFilterException: it asks for an attribute that cannot be searched, or compares it in vain
    """
    return literal(value=True) if scim_filter is None else _Conditions(columns).visit(scim_filter.ast)


def order(asked: SearchRequest[Any], columns: Columns) -> list[ColumnElement[Any]]:
    """In which order resources are listed; by id where nothing is asked.

    :raises InvalidFilterException: by an attribute that cannot be searched
    """
    ids = columns["id"].column
    if asked.sort_by is None:
        return [ids]
    found = _found(columns, str(asked.sort_by))
    column = func.lower(found.column) if found.kind == "text" else found.column
    is_falling = asked.sort_order == SearchRequest.SortOrder.descending
    return [found.column.is_(None), column.desc() if is_falling else column.asc(), ids]


class _Conditions(FilterVisitor[Condition]):
    """Walks a filter. The columns stand in a table of ours, so nothing of what was sent becomes a part of SQL."""

    def __init__(self, columns: Columns, within: str = "") -> None:
        self.columns = columns
        self.within = within

    def visit_logical_expr(self, node: LogicalExpr) -> Condition:
        terms = [self.visit(term) for term in node.terms]
        return and_(*terms) if node.op == LogicalOperator.and_ else or_(*terms)

    def visit_not(self, node: Not) -> Condition:
        return not_(func.coalesce(self.visit(node.expr), false()))

    def visit_present(self, node: Present) -> Condition:
        found = self._find(node.attr_path)
        is_there: Condition = found.column.is_not(None)
        return and_(is_there, found.column != "") if found.kind in ("text", "exact") else is_there

    def visit_comparison(self, node: Comparison) -> Condition:
        found = self._find(node.attr_path)
        if node.value is None:
            return _of_nothing(found, node.op)
        return _KINDS[found.kind](found.column, node.op, node.value)

    def visit_value_path(self, node: ValuePath) -> Condition:
        if self.within:
            raise InvalidFilterException(detail="A selection cannot stand within another")
        return _Conditions(self.columns, _name(node.attr_path)).visit(node.val_filter)

    def _find(self, path: AttrPath) -> Column:
        return _found(self.columns, f"{self.within}.{_name(path)}" if self.within else _name(path))


def _found(columns: Columns, name: str) -> Column:
    found = columns.get(name.rpartition(":")[2].lower())
    if found is None:
        raise InvalidFilterException(detail=f"Searched can be: {', '.join(sorted(columns))}")
    return found


def _name(path: AttrPath) -> str:
    return f"{path.attr}.{path.sub_attr}".lower() if path.sub_attr else path.attr.lower()


def _of_nothing(found: Column, operator: CompareOperator) -> Condition:
    if operator == CompareOperator.eq:
        return found.column.is_(None)
    if operator == CompareOperator.ne:
        return found.column.is_not(None)
    raise InvalidFilterException(detail="null is compared by eq and ne")


def _text(column: ColumnElement[Any], operator: CompareOperator, value: Any) -> Condition:
    """Text whose case does not count; both sides are folded by the database, in the same way."""
    return _exact(func.lower(column), operator, value, func.lower)


def _exact(
    column: ColumnElement[Any],
    operator: CompareOperator,
    value: Any,
    folded: Callable[..., Any] = lambda value: value,
) -> Condition:
    if not isinstance(value, str):
        raise InvalidFilterException(detail="This attribute is compared with text")
    wanted = folded(literal(value))
    if operator in _PLAIN:
        return _plain(column, operator, wanted)
    pattern = value.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    before = "" if operator == CompareOperator.sw else "%"
    after = "" if operator == CompareOperator.ew else "%"
    found: Condition = column.like(folded(literal(f"{before}{pattern}{after}")), escape="\\")
    return found


def _flag(column: ColumnElement[Any], operator: CompareOperator, value: Any) -> Condition:
    if not isinstance(value, bool) or operator not in (CompareOperator.eq, CompareOperator.ne):
        raise InvalidFilterException(detail="This attribute is compared by eq and ne, with true or false")
    return column.is_(value) if operator == CompareOperator.eq else column.is_not(value)


def _id(column: ColumnElement[Any], operator: CompareOperator, value: Any) -> Condition:
    if operator not in (CompareOperator.eq, CompareOperator.ne):
        raise InvalidFilterException(detail="This attribute is compared by eq and ne")
    is_one = isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= 15
    return _plain(column, operator, int(value) if is_one else 0)


def _instant(column: ColumnElement[Any], operator: CompareOperator, value: Any) -> Condition:
    try:
        wanted = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise InvalidFilterException(detail="This attribute is compared with a dateTime") from None
    if operator not in _PLAIN or wanted.tzinfo is None:
        raise InvalidFilterException(detail="This attribute is compared with a dateTime and its zone")
    return _plain(column, operator, wanted)


def _plain(column: ColumnElement[Any], operator: CompareOperator, wanted: Any) -> Condition:
    found: Condition = _PLAIN[operator](column, wanted)
    return found


_PLAIN: Final[Mapping[CompareOperator, Callable[[Any, Any], Any]]] = {
    CompareOperator.eq: lambda column, value: column == value,
    CompareOperator.ne: lambda column, value: or_(column != value, column.is_(None)),
    CompareOperator.gt: lambda column, value: column > value,
    CompareOperator.ge: lambda column, value: column >= value,
    CompareOperator.lt: lambda column, value: column < value,
    CompareOperator.le: lambda column, value: column <= value,
}

_KINDS: Final[Mapping[str, Callable[..., Condition]]] = {
    "text": _text,
    "exact": _exact,
    "id": _id,
    "flag": _flag,
    "instant": _instant,
}
