"""Files of rows: read as spreadsheets and programs write them; what cannot be read says where."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.lib import rows
from app.lib.rows import CSV, JSON, JSON_LINES, LONGEST, Unreadable

CELL = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)


def read(content, format, *, piece=7):
    raw = content.encode() if isinstance(content, str) else content
    rows.check_text(raw)
    pieces = [raw[place : place + piece] for place in range(0, len(raw), piece)]
    return list(rows.read(rows.opened(pieces), format))


def said(content, format=CSV, **how):
    with pytest.raises(Unreadable) as refused:
        read(content, format, **how)
    return refused.value.message % refused.value.values


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("between", list(rows.DELIMITERS))
def test_a_csv_is_read_whoever_wrote_it(end, mark, between):
    lines = [
        ["a", "b", ""],
        ["1", f'x{between}"y"\u2028z\x85\x0b', ""],
        [],
        ["", "", ""],
        ["2", f"two{end}lines", ""],
        ["3", "č", ""],
    ]
    written = end.join(
        between.join('"' + cell.replace('"', '""') + '"' if cell and cell != "a" else cell for cell in line)
        for line in lines
    )
    found = read(mark + written, CSV)
    assert [row.names for row in found] == [["a", "b"]] * 3
    assert [list(row.cells[:2]) for row in found] == [line[:2] for line in (lines[1], lines[4], lines[5])]
    assert [(row.number, row.line) for row in found] == [(1, 2), (2, 5), (3, 7)]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "no header"),
        ("\n a,b", "no header"),
        ('a,"b\n', "line 1"),
        ('a,b\n1,"2\n3,4\n', "line 2"),
        ('a,b\n1,2\n"x"y,2\n', "line 3"),
        ("a\n" + "x" * (LONGEST + 1), "longer than"),
        ("a\n\n1\0", "NUL at line 3 (byte 5)"),
        (b"a\r\n\xc4\x8d\r\n\xe8x\r\n", "not valid UTF-8 at line 3 (byte 8)"),
        (b"a\n\xed\xa0\x80\n", "not valid UTF-8 at line 2 (byte 3)"),
        ("a\n1".encode("utf-16"), "UTF-16"),
        ("a\n1".encode("utf-16-le"), "NUL"),
    ],
)
def test_a_csv_that_cannot_be_read_says_where(content, reason):
    assert reason in said(content, piece=4096)


@given(
    st.lists(st.dictionaries(CELL, st.one_of(CELL, st.integers(), st.lists(CELL)), max_size=4), max_size=6)
)
def test_json_lists_and_lines_are_read_in_any_pieces(values):
    for text, format in (
        (json.dumps(values, indent=1), JSON),
        (json.dumps(values, ensure_ascii=False), JSON),
        ("\n\n".join(map(json.dumps, values)) + "\n", JSON_LINES),
    ):
        found = read("\ufeff" + text, format, piece=3)
        assert [json.loads(row.text) for row in found] == values
        assert [row.number for row in found] == list(range(1, len(values) + 1))


def test_a_value_longer_than_a_piece_is_read_and_its_line_told():
    long = {"a": "č" * 90_000}
    text = "[\n" + json.dumps(long, ensure_ascii=False) + ",\n\n" + json.dumps({"b": "\\u1234"}) + "\n]\n"
    found = read(text, JSON, piece=64 * 1024)
    assert [(row.number, row.line) for row in found] == [(1, 2), (2, 4)]
    assert json.loads(found[0].text) == long


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "no JSON list"),
        ('{"a": 1}', "no JSON list"),
        ("[1]", "Entry 1"),
        ('[{"a": 1}, "b"]', "Entry 2"),
        ('[{"a": 1}\n{"b": 1}]', "line 2"),
        ('[{"a": 1},\n]', "Entry 2"),
        ('[{"a": 1', "line 1"),
        ('[\n{"a": tru}, {}' + "]" * 100, "line 2"),
        ('[{"a": "\\ud8', "line 1"),
        ("[{}] x", "follows"),
        ("[{}", "line 1"),
        ('[{"a":' + "[" * 50_000 + "]" * 50_000 + "}]", "nested too deeply"),
        ('[{"a":"' + "x" * (LONGEST + 1) + '"}]', "longer than"),
    ],
)
def test_a_json_list_that_cannot_be_read_says_where(content, reason):
    assert reason in said(content, JSON, piece=4096)


def test_a_line_of_json_is_not_endless():
    assert "longer than" in said('{"a":"' + "x" * LONGEST + '"}\n', JSON_LINES, piece=4096)
