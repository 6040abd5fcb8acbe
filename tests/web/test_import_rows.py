"""Rows of imports: held against the shapes of their kinds, each error by its place."""

import json

import pytest

from app.lib.rows import CSV, JSON, JSON_LINES
from app.web import import_rows
from app.web.import_rows import columns, drafts, header_errors


def errors(kind, format, content):
    return [
        [(error.field, error.message % dict(error.values)) for error in draft.errors]
        for draft in drafts(kind, format, [content.encode()])
    ]


def test_a_header_names_fields_and_nothing_else():
    assert header_errors("people", ["email", "name"]) == []
    found = header_errors("ideas", ["body", "Title", "body", "ime; <b>priimek</b> in še kaj"])
    assert [error.message % dict(error.values) for error in found] == [
        "Column 2 (Title) is none of: title, body, cluster, anonymous, language, reference.",
        "Column 3 (body) stands there twice.",
        "Column 4 (?) is none of: title, body, cluster, anonymous, language, reference.",
        "The column title is missing.",
    ]


def test_every_kind_has_columns_and_needs_some():
    assert {kind: import_rows.needed(kind) for kind in import_rows.SHAPES} == {
        "organisations": ["name", "sector"],
        "people": ["email"],
        "ideas": ["title"],
        "placements": ["title", "description"],
    }
    assert columns("placements")[-4:] == ["first_day", "last_day", "is_window", "places"]
    assert "periods" not in columns("placements")


def test_cells_become_what_json_would_say():
    text = (
        "title,description,spoken,open_to,least_days,is_window,first_day,last_day,organisation\n"
        "A,B,sl | en|,any,2,DA,2027-05-03,2027-05-07,7\n"
        "A,B,,,x,maybe,2027-05-03,,99999999999999999999\n"
    )
    good, bad = drafts("placements", CSV, [text.encode()])
    assert {**good.values, "periods": good.values["periods"][0]["is_window"]} == {
        "title": "A",
        "description": "B",
        "spoken": ["sl", "en"],
        "open_to": "any",
        "least_days": 2,
        "organisation_id": 7,
        "periods": True,
    }
    assert sorted(error.field for error in bad.errors) == [
        "least_days",
        "organisation",
        "periods/0/is_window",
        "periods/0/last_day",
    ]


def test_a_row_out_of_step_with_its_header_is_refused_alone():
    found = errors("organisations", CSV, "name,sector\nA\nB,public,,\nC,public,x\n")
    assert found == [
        [("", "This row has 1 cells, and the header 2.")],
        [],
        [("", "This row has 3 cells, and the header 2.")],
    ]


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ('{"title": 1}', [("title", "Please give a text.")]),
        ('{"title": "a", "title": "b"}', [("", "A field stands here twice.")]),
        ('{"title": NaN}', [("", "This is no object in valid JSON.")]),
        ('{"title": "a", "cluster": 1e400}', [("", "A number here is too large.")]),
        ('{"title": "\\ud800"}', [("title", "This is not valid text.")]),
        ('{"title": "a", "body": {"\\udfff": 1}}', [("body", "This is not valid text.")]),
        ("[]", [("", "Please give an object.")]),
        ("{", [("", "This is no object in valid JSON.")]),
        ('{"a":' * 30 + "1" + "}" * 30, [("", "This is nested too deeply.")]),
    ],
)
def test_a_line_of_json_is_read_strictly(value, found):
    assert errors("ideas", JSON_LINES, f'{value}\n{{"title": "Next"}}') == [found, []]


def test_what_each_row_has_of_its_own_stands_once():
    rows = [
        {"name": "A", "sector": "p"},
        {"name": " a ", "sector": "p"},
        {"name": "B", "number": "1", "sector": "p"},
    ]
    rows.append({"name": "C", "number": "1", "sector": "p"})
    assert errors("organisations", JSON, json.dumps(rows)) == [
        [],
        [("name", "Row 1 of this file has the same.")],
        [],
        [("number", "Row 3 of this file has the same.")],
    ]
