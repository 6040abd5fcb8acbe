"""A copy of one's own data as a file: a zip with JSON by kind, the schema of it, and a page to read.

Rows are written as they are read, so that memory does not grow with them; only the finished zip is held as a whole.
"""

import json
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import IO, Any, Final

from sqlalchemy.engine import Connection

from app.lib import clock
from app.services import personal_data
from app.web import data_words
from app.web.templating import Templates

FORMAT: Final = "partnership-own-data/1"

STYLE: Final = (
    "body{font-family:system-ui,sans-serif;line-height:1.5;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse;width:100%;margin-block:.5rem 1.5rem}"
    "th,td{border-bottom:1px solid #bbb;padding:.3rem .6rem .3rem 0;text-align:start;vertical-align:top;"
    "overflow-wrap:anywhere}.scroll{overflow-x:auto}"
)
"""The page's own style: it is read from a disk, where there is no other."""

IN_MEMORY_BYTES: Final = 1_000_000
"""What is larger than this waits in a file until it is whole."""


def make(connection: Connection, templates: Templates, person_id: int, language: str) -> bytes:
    """The zip with everything that is kept about a person."""
    with tempfile.SpooledTemporaryFile(IN_MEMORY_BYTES) as out:
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for kind in personal_data.KINDS:
                with archive.open(f"{kind.key}.json", "w") as file:
                    _write_kind(file, connection, kind, person_id)
            archive.writestr("schema.json", _json(schema()))
            with archive.open("index.html", "w") as file:
                shown = _shown(connection, person_id)
                values = {"kinds": shown, "style": STYLE, "made_at": clock.now()}
                for part in templates.stream(language, "data/copy.html", **values):
                    file.write(part.encode())
        out.seek(0)
        return out.read()


def schema() -> dict[str, Any]:
    """What the files are: JSON Schema (2020-12), a definition for each kind; `docs/privacy.md` says it in words."""
    kinds = {
        kind.key: {
            "title": kind.title,
            "type": "object",
            "properties": {
                source.name: {
                    "type": "array",
                    "items": {"type": "object", "properties": _properties(source)},
                }
                for source in kind.sources
            },
        }
        for kind in personal_data.KINDS
    }
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": FORMAT, "$defs": kinds}


_KINDS_OF_VALUES: Final = {bool: "boolean", int: "integer", str: "string", datetime: "string", date: "string"}


def _properties(source: personal_data.Source) -> dict[str, Any]:
    return {name: _property(source, name) for name in personal_data.fields(source)}


def _property(source: personal_data.Source, name: str) -> dict[str, Any]:
    column = source.table.c.get(name)
    if column is None:
        return {"type": ["string", "null"]}
    if personal_data.refers_to_person(column):
        return {"enum": [personal_data.YOU, personal_data.SOMEONE, None]}
    known = _KINDS_OF_VALUES.get(column.type.python_type)
    if known is None:
        return {}
    forms = {datetime: "date-time", date: "date"}
    form = {"format": forms[column.type.python_type]} if column.type.python_type in forms else {}
    return {"type": [known, "null"] if column.nullable else known, **form}


def _write_kind(file: IO[bytes], connection: Connection, kind: personal_data.Kind, person_id: int) -> None:
    """One object, with a list for each table; written row by row."""
    file.write(b"{")
    for place, source in enumerate(kind.sources):
        file.write((", " if place else "").encode() + _json(source.name) + b": [")
        for number, row in enumerate(personal_data.rows(connection, source, person_id)):
            file.write((b",\n" if number else b"\n") + _json(row))
        file.write(b"]")
    file.write(b"}\n")


def _shown(connection: Connection, person_id: int) -> Iterator[dict[str, Any]]:
    """The kinds as the page shows them: their tables with the columns that have a name for people."""
    for kind in personal_data.KINDS:
        yield {"kind": kind, "tables": _tables(connection, kind, person_id)}


def _tables(connection: Connection, kind: personal_data.Kind, person_id: int) -> Iterator[Mapping[str, Any]]:
    for source in kind.sources:
        columns = [name for name in personal_data.fields(source) if name in data_words.COLUMNS]
        yield {
            "title": data_words.TABLES[source.name],
            "columns": [(name, data_words.COLUMNS[name]) for name in columns],
            "rows": _cells(personal_data.rows(connection, source, person_id), columns),
        }


def _cells(rows: Iterable[Mapping[str, Any]], columns: list[str]) -> Iterator[list[Any]]:
    for row in rows:
        yield [_cell(row[name]) for name in columns]


def _cell(value: Any) -> Any:
    if isinstance(value, datetime):
        return value
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False) if value else ""
    return "" if value is None else str(value)


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, default=_written).encode()


def _written(value: Any) -> str:
    if isinstance(value, datetime):
        return clock.rfc3339(value)
    return value.isoformat() if isinstance(value, date) else str(value)
