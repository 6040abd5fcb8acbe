"""Rows of an import as services take them: each read by the shape of its kind, as a body of one call would be."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TextIO

from pydantic import ValidationError

from app.errors import DomainError, FieldError
from app.lib import rows
from app.lib.i18n import N_
from app.lib.rows import Row
from app.models.imports import IDEAS, ORGANISATIONS, PEOPLE, PLACEMENTS
from app.schemas.base import Taken
from app.schemas.imports import IdeaRow, OrganisationRow, PersonRow, PlacementRow
from app.schemas.placements import PeriodDraft
from app.services.import_runs import Draft
from app.web import bodies, exchange_bodies
from app.web.validation import field_errors

SHAPES: Final[Mapping[str, type[Taken]]] = {
    ORGANISATIONS: OrganisationRow,
    PEOPLE: PersonRow,
    IDEAS: IdeaRow,
    PLACEMENTS: PlacementRow,
}

OF_PERIOD: Final = tuple(name for name in PeriodDraft.model_fields if name != "id")
"""The columns of a CSV that say the one period of its placement; a JSON list may give several, as the API does."""

_NUMBERS: Final = frozenset({"cluster", "organisation", "contact", "least_days", "most_days", "places"})
_SWITCHES: Final = frozenset({"anonymous", "is_window"})
_LISTS: Final = frozenset({"competencies", "spoken"})
BETWEEN: Final = "|"
"""What stands between the entries of a list in one cell."""

_SAID: Final = {
    **dict.fromkeys(("true", "yes", "da", "1"), True),
    **dict.fromkeys(("false", "no", "ne", "0"), False),
}
_NUMBER: Final = re.compile(r"-?[0-9]{1,19}", re.ASCII)
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_SPEAKABLE: Final = re.compile(r"[\w .-]{1,40}")


def columns(kind: str) -> list[str]:
    """The names that the header of a CSV of this kind may have, those that it must have first."""
    fields = SHAPES[kind].model_fields
    named = sorted(fields, key=lambda name: not fields[name].is_required())
    if kind == PLACEMENTS:
        named.remove("periods")
        named += OF_PERIOD
    return named


def needed(kind: str) -> list[str]:
    """The names that the header of a CSV of this kind must have."""
    return [name for name, field in SHAPES[kind].model_fields.items() if field.is_required()]


def header_errors(kind: str, names: Sequence[str]) -> list[FieldError]:
    """What is wrong with the header of a CSV, each column named."""
    known = columns(kind)
    errors = []
    for place, name in enumerate(names, start=1):
        told = name if _SPEAKABLE.fullmatch(name) else "?"
        if name not in known:
            message = N_("Column %(place)s (%(name)s) is none of: %(known)s.")
            values = (("place", place), ("name", told), ("known", ", ".join(known)))
            errors.append(FieldError("file", message, values))
        elif name in names[: place - 1]:
            message = N_("Column %(place)s (%(name)s) stands there twice.")
            errors.append(FieldError("file", message, (("place", place), ("name", told))))
    errors += [
        FieldError("file", N_("The column %(name)s is missing."), (("name", name),))
        for name in needed(kind)
        if name not in names
    ]
    return errors[:20]


def drafts(kind: str, format: str, pieces: Iterable[bytes]) -> Iterator[Draft]:
    """The rows of a file as drafts, in order; what is wrong with one stands in it.

    :raises Unreadable: the file cannot be read from here on
    """
    seen: dict[tuple[str, str], int] = {}
    for row in rows.read(rows.opened(pieces), format):
        yield _once(kind, _draft(kind, row), seen)


def _draft(kind: str, row: Row) -> Draft:
    names = row.names
    if names:
        if any(cell.strip() for cell in row.cells[len(names) :]) or len(row.cells) < len(names):
            message = N_("This row has %(cells)s cells, and the header %(columns)s.")
            wrong = FieldError("", message, (("cells", len(row.cells)), ("columns", len(names))))
            return Draft(row.number, row.line, errors=(wrong,))
        value: Any = _typed(kind, dict(zip(names, row.cells, strict=False)))
    else:
        try:
            value = bodies.parse(row.text.encode())
        except DomainError as error:
            wrong = FieldError("", _of_row(error.message), tuple(error.values.items()))
            return Draft(row.number, row.line, errors=(wrong,))
        if unspeakable := _unspeakable(value):
            return Draft(row.number, row.line, errors=unspeakable)
    try:
        body = SHAPES[kind].model_validate(value)
    except ValidationError as error:
        found = field_errors(error.errors(include_url=False, include_input=False))
        return Draft(row.number, row.line, errors=tuple(found))
    return Draft(row.number, row.line, _as_services_take_it(kind, body))


def _as_services_take_it(kind: str, body: Taken) -> Mapping[str, Any]:
    if kind == PLACEMENTS:
        return exchange_bodies.placement(body)
    return {name: value for name, value in body.given().items() if value is not None}


def _typed(kind: str, cells: Mapping[str, str]) -> dict[str, Any]:
    """The cells of a CSV as JSON would have them; an empty one says nothing, and what does not fit stays a text."""
    found = {name: _value(name, cell.strip()) for name, cell in cells.items() if cell.strip()}
    if kind == PLACEMENTS and found.keys() & set(OF_PERIOD):
        found["periods"] = [{name: found.pop(name) for name in OF_PERIOD if name in found}]
    return found


def _value(name: str, cell: str) -> Any:
    if name in _NUMBERS:
        return int(cell) if _NUMBER.fullmatch(cell) else cell
    if name in _SWITCHES:
        return _SAID.get(cell.lower(), cell)
    if name in _LISTS:
        return [entry.strip() for entry in cell.split(BETWEEN) if entry.strip()]
    return cell


def _unspeakable(value: Any) -> tuple[FieldError, ...]:
    """Fields with half of a surrogate pair or a NUL, which JSON can write and nobody can keep."""
    parts = value.items() if isinstance(value, dict) else [("", value)]
    return tuple(
        FieldError(name if _is_text(name) else "", N_("This is not valid text."))
        for name, part in parts
        if not _is_text([name, part])
    )


def _is_text(value: Any) -> bool:
    if isinstance(value, dict):
        return all(_is_text(part) for pair in value.items() for part in pair)
    if isinstance(value, list):
        return all(map(_is_text, value))
    return not isinstance(value, str) or ("\x00" not in value and not _SURROGATE.search(value))


def _of_row(message: str) -> str:
    """What is wrong with a value, where a body would be told of."""
    return _INSTEAD.get(message, N_("This is no object in valid JSON."))


_INSTEAD: Final = {
    "The body names a field twice.": N_("A field stands here twice."),
    "The body holds a number that is too large.": N_("A number here is too large."),
    "The body is nested too deeply.": N_("This is nested too deeply."),
}

_KEYS: Final = {
    ORGANISATIONS: ("number", "name"),
    PEOPLE: ("email",),
    IDEAS: ("reference",),
    PLACEMENTS: ("reference",),
}
"""The fields of which each row has its own."""


def _once(kind: str, draft: Draft, seen: dict[tuple[str, str], int]) -> Draft:
    """The draft, refused if it is about the same as an earlier row of its file. References may differ by case."""
    if draft.values is None:
        return draft
    named = {name: " ".join(str(draft.values.get(name, "")).split()) for name in _KEYS[kind]}
    errors = []
    for name, key in named.items():
        if key:
            first = seen.setdefault((name, key if name == "reference" else key.lower()), draft.number)
            if first != draft.number:
                message = N_("Row %(row)s of this file has the same.")
                errors.append(FieldError(name, message, (("row", first),)))
    return Draft(draft.number, draft.line, errors=tuple(errors)) if errors else draft


def check(kind: str, format: str, text: TextIO) -> list[FieldError]:
    """What is wrong with a file at first sight: of a CSV, its header.

    :raises Unreadable: there is no header, or no list where one has to be
    """
    if format == rows.JSON:
        rows.begin_list(text)
    return header_errors(kind, rows.header(text)[1]) if format == rows.CSV else []
