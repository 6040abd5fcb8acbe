"""The API's own document, OpenAPI 3.1, made of what the endpoints declare."""

import inspect
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import models_json_schema
from pydantic_core import to_json

from app.schemas import examples
from app.schemas.problem import Problem
from app.web import operations, problems
from app.web.operations import PREFIX, Operation

VERSION: Final = "1.0.0"

Json = dict[str, Any]

TAGS: Final = {
    "programmes": "One run of a partnership in one place; everything belongs to one.",
    "organisations": "Ministries, agencies and companies; each is of one sector.",
    "people": "Who you are.",
    "challenges": "Questions set by sponsors, and the phases that they go through.",
    "clusters": "The columns of a board.",
    "ideas": "The cards on the board of a challenge.",
    "support": "The light vote for a card.",
    "comments": "Replies to ideas.",
    "merges": "Two cards made one, with the consent of the other's author.",
    "moderation": "What facilitators do: pinning, and hiding for a reason that can be answered.",
    "solutions": "Ideas worked out until they can be decided on.",
    "ballots": "Formal decisions over solutions: made, extended, closed.",
    "votes": "One for each person on a ballot, and the interests that people declare.",
    "results": "What was counted, and the log that anyone can count again.",
    "events": "The log of all that happens, for synchronising.",
    "documents": "What the API says of itself.",
}

ABOUT: Final = """\
Everything that the pages can do, for programs.

- **Token**: `Authorization: Bearer` and a token from your page (`/me`) or from `partnership token create`.
- **Lists**: `limit` items (1 to 200, 50 by default) in a stable order; `next` and the `Link` header lead on.
- **Reading again**: `If-None-Match` with the `ETag` that you have gives 304 while nothing has changed.
- **Changing**: `If-Match` with the `ETag` that you read; 428 without it, 412 when someone was faster.
- **Once**: with `Idempotency-Key` the same `POST` again gives the first answer again; another body gives 422.
- **Problems** are documents after RFC 9457 with a stable `type`, in the language of the person.
- **Invalid input** is told in a list of `errors`, each with a JSON pointer. Unknown fields are invalid.
- **Limits** are announced by `RateLimit` and `RateLimit-Policy`; on 429 also `Retry-After`.
- **Times** are RFC 3339 in UTC.
"""

_TAGS: Final = r'^(\*|(W/)?"[^"]*"(, *(W/)?"[^"]*")*)$'
_KEY: Final = r"^[\x21-\x7e]{1,200}$"

_HEADERS: Final = {
    "ETag": "The state of the item, for If-None-Match and If-Match.",
    "Link": "The next page, as rel=next.",
    "Location": "Where the new item is.",
    "RateLimit": "What is left of the limit, and when it begins anew.",
    "RateLimit-Policy": "The limit and its window.",
}


@lru_cache(maxsize=4)
def document(base_url: str) -> bytes:
    """The document, as bytes; made once."""
    return to_json(build(base_url))


def build(base_url: str) -> Json:
    """The document of every operation that is declared."""
    declared = operations.declared()
    return {
        "openapi": "3.1.0",
        "info": {"title": "Partnership for Change", "version": VERSION, "description": ABOUT},
        "servers": [{"url": base_url}],
        "tags": [{"name": name, "description": description} for name, description in TAGS.items()],
        "paths": _paths(declared),
        "components": {
            "schemas": _schemas(declared),
            "responses": {code: _problem(kind) for code, kind in problems.KINDS.items()},
            "headers": {
                name: {"description": description, "schema": {"type": "string"}}
                for name, description in _HEADERS.items()
            },
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A personal access token (`pfc_pat_…`). An operation names the scope that it needs.",
                }
            },
        },
    }


def _paths(declared: Iterable[Operation]) -> Json:
    paths: Json = {}
    for operation in declared:
        paths.setdefault(PREFIX + operation.path, {})[operation.method.lower()] = _operation(operation)
    return paths


def _operation(operation: Operation) -> Json:
    described: Json = {
        "operationId": _id(operation),
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": _said(operation),
        "parameters": [*_parameters(operation), *_conditions(operation)],
        "responses": {str(operation.status): _success(operation)} | _also(operation),
        "security": [{"token": [operation.scope]}] if operation.scope else [],
    }
    if operation.takes is not None:
        described["requestBody"] = {
            "required": True,
            "content": {"application/json": _shape(operation.takes)},
        }
    return described


def _id(operation: Operation) -> str:
    module = operation.endpoint.__module__.rsplit(".", 1)[-1]
    return f"{module}.{operation.endpoint.__name__}"


def _said(operation: Operation) -> str:
    said = inspect.getdoc(operation.endpoint) or ""
    return f"{said}\n\nScope: `{operation.scope}`." if operation.scope else said


def _parameters(operation: Operation) -> list[Json]:
    """What the endpoint's own signature takes from the address."""
    found = inspect.signature(operation.endpoint).parameters.values()
    return [_parameter(operation, parameter) for parameter in found if parameter.name != "request"]


def _parameter(operation: Operation, parameter: inspect.Parameter) -> Json:
    in_path = f"{{{parameter.name}}}" in operation.path
    schema = TypeAdapter(parameter.annotation).json_schema()
    described: Json = {"name": parameter.name, "in": "path" if in_path else "query", "required": in_path}
    if "description" in schema:
        described["description"] = schema.pop("description")
    if not in_path and parameter.default is not None:
        schema["default"] = parameter.default
    return described | {"schema": schema}


def _conditions(operation: Operation) -> list[Json]:
    """The headers that matter here."""
    named = []
    if operation.tagged:
        named.append(
            _header("If-None-Match", "The tag of what you have: 304 if it is still so.", pattern=_TAGS)
        )
    if operation.conditional:
        meaning = "The tag of the version that you mean; `*` for whatever is there."
        named.append(_header("If-Match", meaning, required=True, pattern=_TAGS))
    if operation.keyed:
        meaning = "1 to 200 visible characters: one effect, however often it comes."
        named.append(_header("Idempotency-Key", meaning, pattern=_KEY))
    return named


def _header(name: str, description: str, *, pattern: str, required: bool = False) -> Json:
    return {
        "name": name,
        "in": "header",
        "required": required,
        "description": description,
        "schema": {"type": "string", "pattern": pattern},
    }


def _success(operation: Operation) -> Json:
    names = ["RateLimit", "RateLimit-Policy"] if operation.scope else []
    names += (
        ["ETag"] if operation.tagged or (operation.gives and operation.conditional) or operation.keyed else []
    )
    names += ["Link"] if operation.paged else []
    names += ["Location"] if operation.status == 201 else []
    described: Json = {"description": "Done." if operation.status == 204 else "As asked."}
    if names:
        described["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in names}
    if operation.gives is not None:
        described["content"] = {"application/json": _shape(operation.gives)}
    return described


def _also(operation: Operation) -> Json:
    """What else may be answered, by status."""
    codes = sorted(_problems(operation), key=lambda code: problems.KINDS[code].status)
    described: Json = {"304": {"description": "It is still as you have it."}} if operation.tagged else {}
    for code in codes:
        status = str(problems.KINDS[code].status)
        described.setdefault(status, {"$ref": f"#/components/responses/{code}"})
    return described


def _problems(operation: Operation) -> set[str]:
    found = {"unavailable"}
    if operation.scope:
        found |= {"not-signed-in", "insufficient-scope", "too-many-requests"}
    if "{" in operation.path:
        found |= {"not-found"}
    if operation.takes:
        found |= {"bad-request", "too-large", "unsupported-media-type", "invalid"}
    if operation.paged or operation.keyed:
        found |= {"invalid"}
    if operation.conditional:
        found |= {"bad-request", "precondition-required", "version-moved-on"}
    if operation.conflicts:
        found |= {"conflict"}
    if operation.gone:
        found |= {"gone"}
    return found


def _problem(kind: problems.Kind) -> Json:
    content = {"schema": {"$ref": "#/components/schemas/Problem"}}
    if kind.code == "invalid":
        content["example"] = examples.OF[Problem]
    return {"description": f"{kind.title}. {kind.meaning}", "content": {problems.MEDIA_TYPE: content}}


def _shape(model: type[BaseModel]) -> Json:
    shape: Json = {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}}
    if model in examples.OF:
        shape["example"] = examples.OF[model]
    return shape


def _schemas(declared: Iterable[Operation]) -> Json:
    shapes = {
        shape for operation in declared for shape in (operation.takes, operation.gives) if shape is not None
    }
    ordered = sorted(shapes | {Problem}, key=lambda shape: shape.__name__)
    _, found = models_json_schema(
        [(shape, "validation") for shape in ordered], ref_template="#/components/schemas/{model}"
    )
    schemas: Json = found["$defs"]
    return schemas
