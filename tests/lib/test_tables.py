"""CSV: what a spreadsheet reads is what was written, and never reckons."""

import csv
import io
import re

from hypothesis import given
from hypothesis import strategies as st

from app.lib import tables

cells = st.one_of(
    st.text(),
    st.text(alphabet=";\t\r\n\"'=a,"),
    st.sampled_from(
        [
            "=1+1",
            "+1",
            "-1",
            "@A1",
            "\tx",
            "\rx",
            "'x",
            "''=x",
            "'",
            "",
            "a;=1",
            'a;"=1;b',
            ";'x",
            "a\n\n- b",
            "\t\n'=",
        ]
    ),
)


@given(st.lists(st.lists(cells, min_size=2, max_size=4), min_size=1, max_size=5))
def test_every_text_comes_back_and_none_begins_like_a_formula(rows: list[list[str]]) -> None:
    text = tables.file(rows)
    assert text.startswith("\ufeff")
    read = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))
    assert [[tables.original(cell) for cell in row] for row in read] == rows
    assert not any(cell.startswith(tables.FORMULA) for row in read for cell in row)


@given(st.lists(st.lists(cells, min_size=2, max_size=4), min_size=1, max_size=5))
def test_none_begins_like_a_formula_where_the_separator_is_another(rows: list[list[str]]) -> None:
    text = tables.as_csv([["", *row] for row in rows])
    for separator in (";", "\t"):
        pieces = re.split(f"[{separator}\r\n]", text)
        read = [
            cell for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator) for cell in row
        ]
        assert not any(piece.startswith(tables.SIGNS) for piece in [*pieces, *read])


def test_lines_end_as_rfc_4180_has_it_and_numbers_stay_numbers() -> None:
    rows = [("a", "b"), (-1, None), (True, 'say "č", please\nnow')]
    assert tables.as_csv(rows) == 'a,b\r\n-1,\r\nyes,"say ""č"", please\nnow"\r\n'
