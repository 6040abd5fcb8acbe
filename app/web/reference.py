"""The API's document arranged for its page: calls by noun, and what each takes in words."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from app.lib import markdown
from app.schemas.base import LARGEST_ID
from app.web import openapi

Json = dict[str, Any]

_WRAPPED: Final = re.compile(r"(?<=\S)\n *(?=[^\s-])")
"""The end of a line that is no end of a paragraph or an item."""

_PARTS: Final = re.compile(r"[^_.]+[_.]?")

_NAMES = {"string": "text", "integer": "whole number", "boolean": "true or false", "null": "null"}


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that a call takes. `place` is path, query, header or body."""

    name: str
    place: str
    type: str
    required: bool
    description: str

    @property
    def breakable(self) -> list[str]:
        """The name in parts between which a line may end."""
        return _PARTS.findall(self.name)


@dataclass(frozen=True, slots=True)
class Call:
    """One call, with what it takes and what may come back.

    `example` is a body of the kind `media_type`, as text; `answer` is what comes back if all goes well.
    """

    id: str
    method: str
    path: str
    summary: str
    description_html: str
    scope: str | None
    fields: tuple[Field, ...]
    media_type: str
    example: str | None
    answer: str | None
    responses: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Group:
    """The calls of one noun."""

    name: str
    description: str
    calls: tuple[Call, ...]

    @property
    def id(self) -> str:
        """By which a link on the page finds it."""
        return self.name.replace(" ", "-")


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
    return _prose(openapi.ABOUT)


def _call(document: Json, method: str, path: str, described: Json) -> Call:
    content = described.get("requestBody", {}).get("content", {})
    media_type, body = next(iter(content.items()), ("", None))
    return Call(
        id=described["operationId"].replace("_", "-"),
        method=method,
        path=path,
        summary=described["summary"],
        description_html=_prose(described["description"].partition("\n\nScope:")[0]),
        scope=described.get(openapi.SCOPE),
        fields=tuple(map(_parameter, described["parameters"]))
        + (_body(document, ", ".join(content), body) if body else ()),
        media_type=media_type,
        example=_shown(body["example"]) if body else None,
        answer=_answer(described["responses"]),
        responses=tuple(
            (status, _said(document, answer)) for status, answer in described["responses"].items()
        ),
    )


def _answer(responses: Json) -> str | None:
    """What the first answer that is no problem looks like."""
    for status, answer in responses.items():
        for content in answer.get("content", {}).values() if status < "400" else ():
            if "example" in content:
                return _shown(content["example"])
    return None


def _prose(text: str) -> str:
    """Markdown of ours, whose lines are wrapped, as HTML; what people write breaks where they break it."""
    return markdown.render(_WRAPPED.sub(" ", text))


def _shown(example: Any) -> str:
    """A file as it is, anything else as JSON."""
    return example if isinstance(example, str) else json.dumps(example, indent=2, ensure_ascii=False)


def _parameter(parameter: Json) -> Field:
    return Field(
        parameter["name"],
        parameter["in"],
        _type(parameter["schema"]),
        parameter["required"],
        parameter.get("description", ""),
    )


def _body(document: Json, media_types: str, body: Json) -> tuple[Field, ...]:
    if "$ref" not in body["schema"]:
        return (Field("body", "body", media_types, True, ""),)
    return tuple(_fields(document, body["schema"], ""))


def _fields(document: Json, schema: Json, above: str) -> Iterator[Field]:
    """The fields of an object, each before those in it: `settings`, `settings.seats`, `phases[].name`."""
    described = document["components"]["schemas"][_type(schema)]
    required = described.get("required", ())
    for key, field in described["properties"].items():
        name = f"{above}{key}"
        yield Field(name, "body", _type(field), key in required, field.get("description", ""))
        for option in field.get("anyOf", [field]):
            inner, mark = (option["items"], "[]") if option.get("type") == "array" else (option, "")
            if "$ref" in inner:
                yield from _fields(document, inner, f"{name}{mark}.")


def _type(schema: Json) -> str:
    """A type in words: `text, up to 120`, `one of: en, sl`, `list of PhaseDraft`."""
    if "$ref" in schema:
        return str(schema["$ref"].rsplit("/", 1)[-1])
    if "anyOf" in schema:
        return " or ".join(_type(option) for option in schema["anyOf"])
    if "const" in schema:
        return str(schema["const"]).lower()
    if "enum" in schema:
        return _one_of(schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}"
    if schema.get("type") == "object":
        return _mapping(schema)
    name = _NAMES[schema["type"]] if schema.get("format") != "date-time" else "instant"
    most = schema.get("maxLength") or schema.get("maximum")
    return f"{name}, up to {most:,}" if most and most < LARGEST_ID else name


def _one_of(values: list[Any]) -> str:
    words = [str(value).lower() if isinstance(value, bool) else str(value) for value in values]
    return words[0] if len(words) == 1 else "one of: " + ", ".join(words)


def _mapping(schema: Json) -> str:
    """An object by names that the caller chooses: `numbers by name`."""
    values = schema.get("additionalProperties")
    return f"{_type(values)} by name" if isinstance(values, dict) and values else "object"


def _said(document: Json, answer: Json) -> str:
    if "$ref" in answer:
        answer = document["components"]["responses"][answer["$ref"].rsplit("/", 1)[-1]]
    return str(answer["description"])
