"""The API's document arranged for its page: calls by noun, and what each takes in words."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from app.lib import markdown
from app.schemas.base import LARGEST_ID
from app.web import openapi

Json = dict[str, Any]

_NAMES = {"string": "text", "integer": "whole number", "boolean": "true or false", "null": "null"}


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that a call takes. `place` is path, query, header or body."""

    name: str
    place: str
    type: str
    required: bool
    description: str


@dataclass(frozen=True, slots=True)
class Call:
    """One call, with what it takes and what may come back."""

    id: str
    method: str
    path: str
    summary: str
    description_html: str
    scope: str | None
    fields: tuple[Field, ...]
    example: Any
    responses: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Group:
    """The calls of one noun."""

    name: str
    description: str
    calls: tuple[Call, ...]


@lru_cache(maxsize=4)
def groups(base_url: str) -> tuple[Group, ...]:
    """Every call of the API, by noun; made once."""
    document = openapi.build(base_url)
    calls: dict[str, list[Call]] = {tag["name"]: [] for tag in document["tags"]}
    for path, methods in document["paths"].items():
        for method, described in methods.items():
            calls[described["tags"][0]].append(_call(document, method.upper(), path, described))
    return tuple(
        Group(tag["name"], tag["description"], tuple(calls[tag["name"]])) for tag in document["tags"]
    )


def about() -> str:
    """What holds for every call, as HTML."""
    return markdown.render(openapi.ABOUT)


def _call(document: Json, method: str, path: str, described: Json) -> Call:
    scopes = [scope for security in described["security"] for scope in security["token"]]
    body = described.get("requestBody", {}).get("content", {}).get("application/json")
    return Call(
        id=described["operationId"].replace(".", "-"),
        method=method,
        path=path,
        summary=described["summary"],
        description_html=markdown.render(described["description"].partition("\n\nScope:")[0]),
        scope=scopes[0] if scopes else None,
        fields=tuple(map(_parameter, described["parameters"])) + (_body(document, body) if body else ()),
        example=body["example"] if body else None,
        responses=tuple(
            (status, _said(document, answer)) for status, answer in described["responses"].items()
        ),
    )


def _parameter(parameter: Json) -> Field:
    return Field(
        parameter["name"],
        parameter["in"],
        _type(parameter["schema"]),
        parameter["required"],
        parameter.get("description", ""),
    )


def _body(document: Json, body: Json) -> tuple[Field, ...]:
    schema = document["components"]["schemas"][body["schema"]["$ref"].rsplit("/", 1)[-1]]
    required = schema.get("required", ())
    return tuple(
        Field(name, "body", _type(field), name in required, field.get("description", ""))
        for name, field in schema["properties"].items()
    )


def _type(schema: Json) -> str:
    """A type in words: `text, up to 120`, `one of: en, sl`, `list of PhaseDraft`."""
    if "$ref" in schema:
        return str(schema["$ref"].rsplit("/", 1)[-1])
    if "anyOf" in schema:
        return " or ".join(_type(option) for option in schema["anyOf"])
    if "const" in schema:
        return str(schema["const"]).lower()
    if "enum" in schema:
        return "one of: " + ", ".join(map(str, schema["enum"]))
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}"
    if schema.get("type") == "object":
        return _mapping(schema)
    name = _NAMES[schema["type"]] if schema.get("format") != "date-time" else "instant"
    most = schema.get("maxLength") or schema.get("maximum")
    return f"{name}, up to {most:,}" if most and most < LARGEST_ID else name


def _mapping(schema: Json) -> str:
    """An object by names that the caller chooses: `numbers by name`."""
    values = schema.get("additionalProperties")
    return f"{_type(values)} by name" if isinstance(values, dict) and values else "object"


def _said(document: Json, answer: Json) -> str:
    if "$ref" in answer:
        answer = document["components"]["responses"][answer["$ref"].rsplit("/", 1)[-1]]
    return str(answer["description"])
