"""Tables as CSV after RFC 4180, in which no spreadsheet finds a formula, and as JSON Lines; both in UTF-8."""

import csv
from collections.abc import Iterable, Sequence
from fractions import Fraction
from io import StringIO
from typing import Any, Final

from pydantic_core import to_json

BYTE_ORDER_MARK: Final = "\ufeff"
"""Without it, spreadsheets read č as two other letters."""

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 -- full width
"""A spreadsheet reckons with a cell that begins so, some also with the wide signs."""

QUOTE: Final = "'"
"""What stands before such a cell. One that begins with it gets another, so that taking one away gives back what was."""


def harmless(cell: Any) -> Any:
    """A cell that no spreadsheet takes for a formula. Numbers stay as they are; `original` leads back."""
    if isinstance(cell, str) and cell.startswith((*FORMULA, QUOTE)):
        return f"{QUOTE}{cell}"
    return cell


def original(cell: str) -> str:
    """What a cell was before `harmless`."""
    return cell.removeprefix(QUOTE)


def as_csv(rows: Iterable[Sequence[Any]]) -> str:
    """The rows, each ended by CR and LF; an empty cell for None, and `yes` or `no` for what is true or not."""
    out = StringIO()
    csv.writer(out).writerows([harmless(_said(cell)) for cell in row] for row in rows)
    return out.getvalue()


def file(rows: Iterable[Sequence[Any]]) -> str:
    """The same as a file that spreadsheets read rightly; its first row names the columns."""
    return BYTE_ORDER_MARK + as_csv(rows)


def as_json_lines(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """An object for each row, each ended by LF."""
    return b"".join(to_json(dict(zip(columns, row, strict=True))) + b"\n" for row in rows)


def exact(value: int | str) -> float:
    """An exact number (`"2/3"`) as a spreadsheet reads it."""
    return round(float(Fraction(value)), 6)


def _said(cell: Any) -> Any:
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    return cell
