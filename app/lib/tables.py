"""Tables as CSV after RFC 4180, in which no spreadsheet finds a formula, and as JSON Lines; both in UTF-8."""

import csv
import re
from collections.abc import Iterable, Sequence
from fractions import Fraction
from io import StringIO
from typing import Any, Final

from pydantic_core import to_json

BYTE_ORDER_MARK: Final = "\ufeff"
"""Without it, spreadsheets read č as two other letters."""

SIGNS: Final = ("=", "+", "-", "@", "＝", "＋", "－", "＠")  # noqa: RUF001 -- full width
FORMULA: Final = (*SIGNS, "\t", "\r", "\n")
"""A spreadsheet reckons with a cell that begins so, some also with the wide signs."""

QUOTE: Final = "'"
"""What stands before such a cell. One that begins with it gets another, so that taking one away gives back what was."""


_WITHIN: Final = re.compile(f'(?<=[;\t\r\n])(?=[{re.escape("".join(SIGNS))}{QUOTE}"])')
_QUOTED: Final = re.compile(f"(?:^|(?<=[;\t\r\n])){QUOTE}")


def harmless(cell: Any) -> Any:
    """A cell that no spreadsheet takes for a formula. Numbers stay as they are; `original` leads back.

    Where a list separator is `;`, as in Slovenia, a spreadsheet that opens the file by itself splits it there and at
    tabs and line ends, quoted or not, so that what follows one begins a cell as well; a quotation mark there, which
    CSV doubles, is read as an empty part before the rest.
    """
    if not isinstance(cell, str):
        return cell
    within = _WITHIN.sub(QUOTE, cell)
    return f"{QUOTE}{within}" if cell.startswith((*FORMULA, QUOTE)) else within


def original(cell: str) -> str:
    """What a cell was before `harmless`."""
    return _QUOTED.sub("", cell)


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
