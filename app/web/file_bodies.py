"""Bodies that are files of rows, as the API's document describes them."""

from typing import Any

from pydantic import TypeAdapter

from app.schemas import examples
from app.schemas.imports import IdeaRow, OrganisationRow, PersonRow, PlacementRow

Json = dict[str, Any]

ROWS = (OrganisationRow, PersonRow, IdeaRow, PlacementRow)
"""What a file may hold, of one kind each."""


def described(media_types: tuple[str, ...]) -> Json:
    """The request body of an operation that takes a file; nothing, if it takes none."""
    if not media_types:
        return {}
    return {"requestBody": {"required": True, "content": {each: _content(each) for each in media_types}}}


def _content(media_type: str) -> Json:
    schema: Json = {"type": "string"}
    if media_type == "application/json":
        # What is no row of any kind is refused as a row, not as a file: all is taken, and the kinds stand beside.
        kinds = {shape.__name__: _row(shape) for shape in ROWS}
        schema = {"type": "array", "items": {"x-kinds": kinds}}
    return {"schema": schema, "example": examples.FILES[media_type]}


def _row(shape: type) -> Json:
    """The schema of a row; what it refers to stands among the shapes of single calls."""
    schema = TypeAdapter(shape).json_schema(ref_template="#/components/schemas/{model}")
    schema.pop("$defs", None)
    return schema
