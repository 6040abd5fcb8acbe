"""Files of a result: the log, byte for byte, and a table for spreadsheets."""

import csv
from collections.abc import Iterator, Mapping
from fractions import Fraction
from io import StringIO
from typing import Any, Final

from app.services.solutions import SolutionView

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet reckons with a cell that begins so."""

BYTE_ORDER_MARK: Final = "\ufeff"
"""Without it, spreadsheets read č as two other letters."""


def table(titles: Mapping[str, SolutionView], result: Mapping[str, Any]) -> str:
    """A line for each solution, in the order of the result: support by sector, measure, whether it was chosen."""
    out = StringIO()
    out.write(BYTE_ORDER_MARK)
    writer = csv.writer(out)
    for row in _rows(titles, result):
        writer.writerow([harmless(cell) for cell in row])
    return out.getvalue()


def harmless(cell: Any) -> Any:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell


def _rows(titles: Mapping[str, SolutionView], result: Mapping[str, Any]) -> Iterator[list[Any]]:
    sectors = [sector or "all" for sector in result["sectors"]]
    by_sector = [f"{sector}_{what}" for sector in sectors for what in ("yes", "votes")]
    yield [
        "place",
        "id",
        "title",
        "cost",
        "chosen",
        "enough_support",
        *by_sector,
        "measure",
        "percent",
        "score",
    ]
    for place, standing in enumerate(result["standings"], start=1):
        solution = titles[standing["key"]]
        yield [
            place,
            solution.id,
            solution.title,
            solution.cost,
            _said(standing["winner"]),
            _said(standing["passed"]),
            *(sector[what] for sector in standing["support"] for what in ("yes", "votes")),
            _exact(standing["measure"]),
            standing["percent"],
            "" if standing["score"] is None else _exact(standing["score"]),
        ]


def _said(value: bool) -> str:  # noqa: FBT001 -- a cell
    return "yes" if value else "no"


def _exact(value: int | str) -> float:
    """An exact number as a spreadsheet reads it; the log has it exactly."""
    return round(float(Fraction(value)), 6)
