"""The shapes of the API's document: those of the schemas, and what `fields` and `include` make of them."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from app.schemas.included import Included
from app.schemas.problem import Problem
from app.web import fields
from app.web.operations import Operation

Json = dict[str, Any]

PART: Final = "Part"
"""After the name of a shape: the same, with whatever of its fields was asked for."""


def of(shape: type[BaseModel]) -> Json:
    """A reference to a shape."""
    return _reference(shape.__name__)


def given(operation: Operation) -> Json:
    """What an operation answers: the whole, or where it takes `fields` the part that was asked for."""
    if operation.gives is None:
        return {}
    whole = operation.gives.__name__
    return (
        {"anyOf": [_reference(whole), _reference(whole + PART)]} if operation.is_sparse else _reference(whole)
    )


def described(declared: Iterable[Operation]) -> Json:
    """Every shape that these operations take and give."""
    operations = list(declared)
    shapes = {shape for operation in operations for shape in (operation.takes, operation.gives) if shape}
    includes = any(operation.includes for operation in operations)
    ordered = sorted(
        shapes | {Problem} | ({Included} if includes else set()), key=lambda shape: shape.__name__
    )
    _, found = models_json_schema(
        [(shape, "validation") for shape in ordered], ref_template="#/components/schemas/{model}"
    )
    schemas: Json = found["$defs"]
    for operation in operations:
        if operation.gives is not None and operation.includes:
            properties = schemas[operation.gives.__name__]["properties"]
            properties[fields.INCLUDED] = _reference(Included.__name__)
    for operation in operations:
        if operation.gives is not None and operation.is_sparse:
            schemas |= _parts(schemas, operation.gives)
    return dict(sorted(schemas.items()))


def _parts(schemas: Mapping[str, Any], shape: type[BaseModel]) -> Json:
    """The part of an item, or a list of parts."""
    item = fields.item_of(shape)
    if item is None:
        return {shape.__name__ + PART: _part(schemas[shape.__name__])}
    listed = schemas[shape.__name__]
    part = _reference(item.__name__ + PART)
    items = listed["properties"]["items"] | {"items": part}
    return {
        item.__name__ + PART: _part(schemas[item.__name__]),
        shape.__name__ + PART: listed
        | {
            "title": shape.__name__ + PART,
            "properties": listed["properties"] | {"items": items},
        },
    }


def _part(whole: Mapping[str, Any]) -> Json:
    kept = {name: value for name, value in whole.items() if name != "required"}
    return kept | {
        "title": whole["title"] + PART,
        "description": f"{whole['description']} With those of its fields that were asked for.",
    }


def _reference(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}
