"""Everything that a person can do on a page, a program can do: each page that writes has its call of the API.

The tables stand beside this file, in `page_calls_of_*.py`: `PAGES_…` and `READING_…` lead from a page's address to the
call that does the same, or to `no:` and the reason why there is none.
"""

import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.routers import api  # noqa: F401 -- it declares the operations
from app.web import doors, operations
from app.web.doors import DOORS, LEAVING, OPEN

NONE = "no: "
DECLARED = {f"{each.method} {operations.PREFIX}{each.path}" for each in operations.declared()}
SERVED = {address for address in (*DOORS, *OPEN, *LEAVING) if doors.API not in address}
WRITING = {address for address in SERVED if not address.startswith("GET ")}


def _tables(prefix: str) -> Iterator[tuple[str, str]]:
    """The rows of all tables whose name begins so."""
    for path in sorted(Path(__file__).parent.glob("page_calls_of_*.py")):
        module = importlib.import_module(f"tests.guards.{path.stem}")
        for name, table in vars(module).items():
            if name.startswith(prefix):
                yield from table.items()


CALLS = dict(_tables("PAGES_"))
READING = dict(_tables("READING_"))


@pytest.mark.parametrize("address", sorted(WRITING))
def test_what_a_page_writes_a_program_can_write(address: str) -> None:
    assert address in CALLS, f"{address}: no table says which call of the API does the same, or why none does"


def test_each_call_that_is_named_is_there_and_each_reason_is_one() -> None:
    named = {**READING, **CALLS}
    assert named
    assert {page: call for page, call in named.items() if call not in DECLARED and not _is_reason(call)} == {}


def _is_reason(call: str) -> bool:
    return call.startswith(NONE) and len(call) > len(NONE)


def test_no_table_names_a_page_that_is_not_there() -> None:
    assert {*READING, *CALLS} - SERVED == set()
