"""The API's own document, OpenAPI 3.1, made of what the endpoints declare."""

import inspect
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Final

from pydantic import BaseModel, TypeAdapter
from pydantic_core import to_json

from app.schemas import examples
from app.web import fields, file_bodies, openapi_links, operations, problems, shapes
from app.web.operations import PREFIX, Operation

VERSION: Final = "1.1.0"

Json = dict[str, Any]

TAGS: Final = {
    "programmes": "One run of a partnership in one place; everything belongs to one.",
    "organisations": "Ministries, agencies and companies; each is of one sector.",
    "people": "Who you are, who takes part, and the places of people in programmes.",
    "roles": "Roles besides those of places: given, or lent in someone's absence.",
    "own": "What is your own: tokens, sessions, logins, consents, data, notices, and what waits for you.",
    "invitations": "How people come in: invitations, requests to join, and what becomes of those who are not known.",
    "clients": "Machines with a role of their own.",
    "directories": "Organisations' directories, and what their groups are here.",
    "audit": "Who did what to whom, sealed entry by entry.",
    "retention": "How long a programme keeps what is personal.",
    "providers": "The identity providers, and how they fare.",
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
    "placements": "Places that host organisations offer to guests, for weeks or within a window.",
    "bookings": "Stays, from request to reflection: asked for, decided, moved, taken back.",
    "wishes": "Where people would like to go, for the match.",
    "matches": "Runs of the optimiser over wishes, and their plans.",
    "exchanges": "How a programme runs its exchanges, and who went where.",
    "exports": "Whole lists as files: CSV, JSON Lines, workbooks.",
    "open data": "What of a programme everyone may have.",
    "imports": "Many rows in one file: organisations, people, ideas, placements.",
    "events": "The log of all that happens, for synchronising.",
    "webhooks": "Addresses that are told of events, signed, and what came of each message.",
    "documents": "What the API says of itself.",
}

FOR_CLIENTS: Final = {
    "read": "Read what the client's role may see.",
    "write": "Write what the client's role may write.",
    "admin": "What coordinators do.",
}
"""The scopes of the API that a client can have; a vote and a stay are a person's own."""

ABOUT: Final = """\
Everything that the pages can do, for programs.

- **Token**: `Authorization: Bearer` and a token from your page (`/me`) or from `partnership token create`; a machine
  gets its own by OAuth 2.0 client credentials at `/oauth/token`.
- **Lists**: `limit` items (1 to 200, 50 by default) in a stable order; `next` and the `Link` header lead on.
- **Parts**: `fields` names what of an item is wanted, `include` what may come along beside it, once, in `included`.
- **Order**: `sort` names a field, with `-` before it for the other way round; a cursor belongs to one order.
- **Reading again**: `If-None-Match` with the `ETag` that you have gives 304 while nothing has changed.
- **Changing**: `If-Match` with the `ETag` that you read; 428 without it, 412 when someone was faster.
- **Once**: with `Idempotency-Key` the same `POST` again gives the first answer for 24 hours; another body gives 422.
- **Problems** are documents after RFC 9457 with a stable `type`, in the language of the person.
- **Invalid input** is told in a list of `errors`, each with a JSON pointer. Unknown fields are invalid.
- **Limits** are announced by `RateLimit` and `RateLimit-Policy`; on 429 also `Retry-After`.
- **Times** are RFC 3339 in UTC, of the years 1970 to 9998, as are days.
"""

SCOPE: Final = "x-scope"
"""Where an operation names the scope that a token needs: only for OAuth may OpenAPI's own list do so."""

_TAGS: Final = r'^(\*|(W/)?"[\x21\x23-\x7e]*"(, ?(W/)?"[\x21\x23-\x7e]*")*)$'
_KEY: Final = r"^[\x21-\x7e]{1,200}$"

_SUCH_AS: Final = {
    "If-Match": "*",
    "Last-Event-ID": "2041",
    "If-None-Match": '"7-5f0c2a9d11e3b4c6"',
    "Idempotency-Key": "a21b9c60-5a0e-4d6f-9d5c-0d6f1c1f7f3e",
}
"""An example of each header that is sent."""

_HEADERS: Final = {
    "Event-Position": "Up to which event the log was read: ask for what comes after it.",
    "ETag": "The state of what you have, for If-None-Match, and of an item for If-Match.",
    "Idempotency-Replayed": "`true` where this is the first answer, given again.",
    "Link": "The next page, as rel=next.",
    "Location": "Where the new item is.",
    "RateLimit": "What is left of the limit, and when it begins anew.",
    "RateLimit-Policy": "The limit and its window.",
    "Retry-After": "How many seconds to wait.",
    "WWW-Authenticate": "What token is needed.",
}

_OF_PROBLEMS: Final = {
    401: ("WWW-Authenticate",),
    429: ("Retry-After", "RateLimit", "RateLimit-Policy"),
    503: ("Retry-After",),
}
"""Headers that come with problems, by status."""


@lru_cache(maxsize=4)
def document(base_url: str) -> bytes:
    """The document, as bytes; made once."""
    return to_json(build(base_url))


def build(base_url: str) -> Json:
    """The document of every operation that is declared."""
    declared = operations.declared()
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Partnership for Change",
            "version": VERSION,
            "description": ABOUT,
            "contact": {"name": "Who runs this installation", "url": base_url},
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": base_url}],
        "tags": [{"name": name, "description": description} for name, description in TAGS.items()],
        "paths": _paths(declared),
        "components": {
            "schemas": shapes.described(declared),
            "responses": _responses(base_url, declared),
            "headers": {
                name: {"description": description, "schema": {"type": "string"}}
                for name, description in _HEADERS.items()
            },
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A personal access token (`pfc_pat_…`). An operation names the scope that it needs.",
                },
                "client": {
                    "type": "oauth2",
                    "description": "A machine's own token (`pfc_cat_…`), by OAuth 2.0 client credentials.",
                    "flows": {
                        "clientCredentials": {
                            "tokenUrl": f"{base_url}/oauth/token",
                            "scopes": FOR_CLIENTS,
                        }
                    },
                },
            },
        },
    }


def _paths(declared: Iterable[Operation]) -> Json:
    paths: Json = {}
    for operation in declared:
        paths.setdefault(PREFIX + operation.path, {})[operation.method.lower()] = _operation(
            operation
        ) | file_bodies.described(operation.takes_files)
    return paths


def _operation(operation: Operation) -> Json:
    described: Json = {
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": _said(operation),
        "parameters": [*_parameters(operation), *_selections(operation), *_conditions(operation)],
        "responses": {str(operation.status): _success(operation)} | _also(operation),
        "security": _security(operation),
    }
    if operation.scope is not None:
        described[SCOPE] = operation.scope
    if operation.takes is not None:
        described["requestBody"] = {
            "required": True,
            "content": {
                "application/json": _example(operation.takes) | {"schema": shapes.of(operation.takes)}
            },
        }
    return described


def _security(operation: Operation) -> list[Json]:
    """A person's token, or where machines may do it as well, a client's."""
    if operation.scope is None:
        return []
    ways: list[Json] = [{"token": []}]
    return [*ways, {"client": [operation.scope]}] if operation.scope in FOR_CLIENTS else ways


def _said(operation: Operation) -> str:
    said = inspect.getdoc(operation.endpoint) or ""
    return f"{said}\n\nScope: `{operation.scope}`." if operation.scope else said


def _parameters(operation: Operation) -> list[Json]:
    """What the endpoint's own signature takes from the address."""
    found = inspect.signature(operation.endpoint).parameters.values()
    return [_parameter(operation, parameter) for parameter in found if parameter.name != "request"]


def _parameter(operation: Operation, parameter: inspect.Parameter) -> Json:
    in_path = f"{{{parameter.name}}}" in operation.path
    schema = _without_null(TypeAdapter(parameter.annotation).json_schema())
    described: Json = {"name": parameter.name, "in": "path" if in_path else "query", "required": in_path}
    if "description" in schema:
        described["description"] = schema.pop("description")
    if not in_path and parameter.default is not None:
        schema["default"] = parameter.default
    if any(str(value).startswith("-") for value in schema.get("enum", ())):
        schema["x-enum-varnames"] = list(map(_speakable, schema["enum"]))
    return described | {"schema": schema if in_path else _without_nul(schema)}


def _without_nul(schema: Json) -> Json:
    """The gateway takes no address with a NUL in it."""
    for option in schema.get("anyOf", [schema]):
        if option.get("type") == "string" and not option.keys() & {"pattern", "enum", "const", "format"}:
            option["pattern"] = r"^[^\x00]*$"
    return schema


def _speakable(sort: str) -> str:
    """What generated clients call a way to sort."""
    name = sort.removeprefix("-").upper()
    return f"{name}_DESCENDING" if sort.startswith("-") else name


def _without_null(schema: Json) -> Json:
    """What stands in an address is left out or something: there is no null."""
    options = [option for option in schema.get("anyOf", ()) if option != {"type": "null"}]
    if not options:
        return schema
    rest = {name: value for name, value in schema.items() if name != "anyOf"}
    return {**options[0], **rest} if len(options) == 1 else {**rest, "anyOf": options}


def _selections(operation: Operation) -> list[Json]:
    """What any item or list takes beside: which of its fields, and what may come along."""
    found = []
    if operation.is_sparse and operation.gives is not None:
        meaning = "Only these of the fields, separated by commas."
        found.append(_names(fields.FIELDS, meaning, fields.of(operation.gives)))
    if operation.includes:
        meaning = f"What is to come along, separated by commas: in `{fields.INCLUDED}`, each once, as you may see it."
        found.append(_names(fields.INCLUDE, meaning, operation.includes))
    return found


def _names(name: str, description: str, known: Iterable[str]) -> Json:
    return {
        "name": name,
        "in": "query",
        "required": False,
        "description": description,
        "style": "form",
        "explode": False,
        "schema": {
            "type": "array",
            "items": {"type": "string", "enum": list(known)},
            "minItems": 1,
        },
    }


def _conditions(operation: Operation) -> list[Json]:
    """The headers that matter here."""
    named = []
    if operation.tagged or operation.paged:
        meaning = "The tag of what you have: 304 if it is still so. What is no tag of ours is never so."
        named.append(_header("If-None-Match", meaning))
    if operation.conditional:
        meaning = "The tag of the version that you mean; `*` for whatever is there."
        named.append(_header("If-Match", meaning, required=True, pattern=_TAGS))
    if operation.weighed:
        meaning = "The tag of the version that you mean; left out: whatever is there."
        named.append(_header("If-Match", meaning, pattern=_TAGS))
    if operation.streams:
        meaning = "The `id` of the last message that you have had: what came after it is sent first."
        named.append(_header("Last-Event-ID", meaning, pattern="^[0-9]{1,18}$"))
    if operation.keyed:
        meaning = "1 to 200 visible characters: one effect, however often it comes."
        named.append(_header("Idempotency-Key", meaning, pattern=_KEY))
    return named


def _header(name: str, description: str, *, pattern: str = "", required: bool = False) -> Json:
    return {
        "name": name,
        "in": "header",
        "required": required,
        "description": description,
        "schema": {"type": "string"} | ({"pattern": pattern} if pattern else {}),
        "example": _SUCH_AS[name],
    }


def _success(operation: Operation) -> Json:
    is_tagged = operation.tagged or operation.paged or (operation.gives and operation.conditional)
    names = ["RateLimit", "RateLimit-Policy"] if operation.scope else []
    names += ["ETag"] if is_tagged or operation.keyed else []
    names += ["Link"] if operation.paged else []
    names += ["Location"] if operation.located else []
    names += ["Idempotency-Replayed"] if operation.keyed else []
    names += operation.tells
    described: Json = {"description": "Done." if operation.status == 204 else "As asked."} | _carried(names)
    if operation.gives is not None:
        content = _example(operation.gives) | {"schema": shapes.given(operation)}
        described["content"] = {"application/json": content}
    elif operation.gives_files:
        media_types = [each.partition(";")[0] for each in operation.gives_files]
        described["content"] = {each: _file(operation, each) for each in media_types}
    if links := openapi_links.of(operation, operations.declared()):
        described["links"] = links
    return described


def _file(operation: Operation, media_type: str) -> Json:
    if media_type == "application/json":
        return {"schema": {"type": "object"}}
    is_text = media_type in ("text/html", operations.EVENT_STREAM)
    schema = {"type": "string"} if is_text else {"type": "string", "format": "binary"}
    sample = examples.ANSWERS.get(operation.id) or examples.ANSWERS.get(media_type)
    return {"schema": schema} | ({"example": sample} if sample else {})


def _carried(names: Iterable[str]) -> Json:
    headers = {name: {"$ref": f"#/components/headers/{name}"} for name in names}
    return {"headers": headers} if headers else {}


def _also(operation: Operation) -> Json:
    """What else may be answered, by status."""
    described: Json = {}
    if operation.tagged or operation.paged:
        described["304"] = {"description": "It is still as you have it."} | _carried(["ETag"])
    for status, codes in _problems(operation).items():
        described[str(status)] = {"$ref": f"#/components/responses/{_together(codes)}"}
    return dict(sorted(described.items()))


def _problems(operation: Operation) -> dict[int, tuple[str, ...]]:
    """The problems that may be answered, by status."""
    is_write = operation.method != "GET"
    found = {
        "bad-request",
        "invalid",
        "internal",
        "unavailable",
        *operation.problems,
    }  # invalid: a parameter that there is not
    for holds, codes in (
        (operation.scope, {"not-signed-in", "insufficient-scope", "not-allowed", "too-many-requests"}),
        ("{" in operation.path, {"not-found"}),
        (is_write, {"too-large"}),
        (operation.takes, {"unsupported-media-type"}),
        (_parameters(operation) or operation.is_sparse, {"address-too-long", "head-too-large"}),
        (operation.keyed, {"idempotency-key-reused"}),
        (operation.conditional, {"precondition-required"}),
        (operation.conditional or operation.weighed, {"version-moved-on"}),
        (operation.conflicts, {"conflict"}),
        (operation.gone, {"gone"}),
    ):
        if holds:
            found |= codes
    by_status: dict[int, tuple[str, ...]] = {}
    for kind in problems.KINDS.values():  # in their order there, so that the same ones always stand alike
        if kind.code in found:
            by_status[kind.status] = (*by_status.get(kind.status, ()), kind.code)
    return by_status


def _responses(base_url: str, declared: Iterable[Operation]) -> Json:
    """Every answer that tells of one problem, or of one of several, that any operation may give."""
    met = {codes for operation in declared for codes in _problems(operation).values()}
    return {_together(codes): _problem(base_url, codes) for codes in sorted(met)}


def _together(codes: Iterable[str]) -> str:
    return "_or_".join(codes)


def _problem(base_url: str, codes: Sequence[str]) -> Json:
    kinds = [problems.KINDS[code] for code in codes]
    examples = {kind.code: {"summary": kind.title, "value": _told(base_url, kind)} for kind in kinds}
    return {
        "description": " ".join(f"{kind.title}: {kind.meaning}" for kind in kinds),
        **_carried(_OF_PROBLEMS.get(kinds[0].status, ())),
        "content": {
            problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": examples}
        },
    }


def _told(base_url: str, kind: problems.Kind) -> Json:
    """A problem document of this kind."""
    said = {
        "type": f"{base_url}{PREFIX}/problems/{kind.code}",
        "title": kind.title,
        "status": kind.status,
        "detail": kind.meaning,
        "request_id": "5f0c2a9d11e3-1a",
    }
    return said | ({"errors": examples.ERRORS} if kind.code == "invalid" else {})


def _example(model: type[BaseModel]) -> Json:
    return {"example": examples.OF[model]} if model in examples.OF else {}
