"""What schemathesis is told of this API, in its own process: its configuration loads this file."""

import itertools
import json
import os
import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urljoin
from urllib.request import Request, urlopen

import schemathesis
from hypothesis import strategies
from schemathesis.core import NotSet
from schemathesis.core.failures import Failure
from schemathesis.openapi.checks import UseAfterFree
from schemathesis.specs.openapi.checks import use_after_free

from app.lib import days
from app.schemas import text
from app.web.templating import translations
from app.web.validation import MESSAGES

KEY = "idempotency-key"
NOTES = os.environ.get("FUZZ_NOTES", "")
"""A file for a line about each call: its operation, its status, and why it was refused though valid."""

OWN = json.loads(os.environ.get("FUZZ_OWN", "{}"))
"""By the name of its parameter, the id of each thing without which nobody would come with this token."""

ABSENT = 2**31 - 1

LANGUAGES = ("en", "sl")
"""A caller may come to choose another one for themselves."""

UNKNOWN = {translations(language).gettext(MESSAGES["extra_forbidden"]) for language in LANGUAGES}
TAKEN_BACK = frozenset({"withdrawn", "cancelled", "expired", "revoked"})
ENDED = ("revoked_at", "ended_at")

_numbers = itertools.count(1)


def is_of_shape(reason: str) -> bool:
    """Whether this reason is one that the shape of a body or an address gives."""
    return any(pattern.fullmatch(reason) for pattern in _SHAPES)


def _pattern(message: str) -> re.Pattern[str]:
    plain = (re.escape(piece) for piece in re.split(r"%\(\w+\)s", message))
    return re.compile(r"(-?\d+|'.*)".join(plain))


_SHAPES = [
    _pattern(translations(language).gettext(message))
    for language in LANGUAGES
    for message in (*MESSAGES.values(), *text.MESSAGES)
]


ROWS = ("application/jsonl", "application/x-ndjson")


@schemathesis.hook
def filter_case(context: Any, case: Any) -> bool:
    """What is sent as rows of text is text: no other type of it can be sent, and so none refused."""
    return case.media_type not in ROWS or isinstance(case.body, (str, bytes, NotSet))


@schemathesis.serializer(*ROWS)
def as_it_is(context: Any, value: Any) -> bytes:
    """Rows come as the text that they are."""
    return value if isinstance(value, bytes) else str(value).encode()


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Take a fresh key each time: boundary values such as `0` come with each body, and would only be refused. And
    leave out headers that are not what their pattern wants: 4.32 fills optional ones with `0` and calls it valid. Nor
    does it wait for news: every call would take that long. Nor does anyone put an end to themselves: they would
    learn nothing after that.
    """
    for name, value in (case.path_parameters or {}).items():
        if case.method != "GET" and str(value) == str(OWN.get(name)):
            case.path_parameters[name] = ABSENT
    if _is_valid(case) and case.query and "wait" in case.query:
        case.query["wait"] = 0
    if not _is_valid(case) or not case.headers:
        return
    patterns = {
        header.name.lower(): header.definition["schema"].get("pattern", "")
        for header in case.operation.headers
    }
    for name, value in list(case.headers.items()):
        if name.lower() == KEY:
            case.headers[name] = f"{value[:150]}-{next(_numbers)}"
        elif not re.search(patterns.get(name.lower(), ""), str(value)):
            del case.headers[name]


@schemathesis.hook
def after_call(context: Any, case: Any, response: Any) -> None:
    """Note what came of it."""
    if NOTES:
        why = _reasons(response) if response.status_code == 422 and _is_valid(case) else []
        with Path(NOTES).open("a", encoding="utf-8") as notes:
            notes.write(json.dumps([case.operation.label, response.status_code, why]) + "\n")


# RFC 3339 has years that no calendar of ours reaches; the document says which it does, but no format can.
schemathesis.openapi.format(
    "date",
    strategies.dates(date(days.FIRST_YEAR, 1, 1), date(days.LAST_YEAR, 12, 31)).map(date.isoformat),
)
schemathesis.openapi.format(
    "date-time",
    strategies.datetimes(
        datetime(days.FIRST_YEAR, 1, 2),  # noqa: DTZ001 -- the strategy wants its bounds without a zone
        datetime(days.LAST_YEAR, 12, 30),  # noqa: DTZ001
        timezones=strategies.just(UTC),
    ).map(datetime.isoformat),
)


@schemathesis.check
def what_is_deleted_is_gone(ctx: Any, response: Any, case: Any) -> Any:
    """In place of `use_after_free`: what was on show stays to be read, with what hangs on it, by those who wrote it or
    answer for it. That it was taken back is then told by its `state`, by `withdrawn` or by when it ended; what is
    everyone's own, such as wishes, is empty and of version 0.
    """
    try:
        return use_after_free(ctx, response, case)
    except UseAfterFree as failure:
        if _tells_that_it_is_gone(failure.free.partition(" ")[2], response.request):
            return None
        raise


@schemathesis.check
def what_is_wrong_is_in_the_body(ctx: Any, response: Any, case: Any) -> None:
    """An error's pointer leads into the body as its caller wrote it, not as a service calls its fields."""
    if response.status_code != 422:
        return
    known = _names_of(case)
    errors = response.json().get("errors", ())
    wrong = [
        error
        for error in errors
        if error["in"] == "body"
        and error["reason"] not in UNKNOWN
        and error["pointer"].split("/")[1:][:1] not in known
    ]
    if wrong:
        title = "An error points to where nothing can be"
        raise Failure(operation=case.operation.label, title=title, message=json.dumps(wrong))


@schemathesis.check
def what_shapes_refuse_is_described(ctx: Any, response: Any, case: Any) -> None:
    """What is valid by the description may still break a rule, such as that days lie ahead. But its type, its range
    and its length are for the description to tell.
    """
    if response.status_code == 422 and _is_valid(case):
        wrong = [
            [pointer, reason]
            for pointer, reason in _reasons(response)
            if is_of_shape(reason) and _given(case.body, pointer)
        ]
        if wrong:
            title = "Refused for its shape, though valid by the description"
            raise Failure(operation=case.operation.label, title=title, message=json.dumps(wrong))


def _tells_that_it_is_gone(path: str, request: Any) -> bool:
    asked = Request(urljoin(request.url, path), headers={"Authorization": request.headers["Authorization"]})
    with urlopen(asked) as answer:
        found = json.load(answer)
    return (
        found.get("state") in TAKEN_BACK
        or found.get("withdrawn", False)
        or any(found.get(name) is not None for name in ENDED)
        or found.get("version") == 0
    )


def _names_of(case: Any) -> list[list[str]]:
    """What a pointer into the body can begin with: a field, or nothing where it means the whole."""
    document = case.operation.schema.raw_schema
    described = document["paths"][case.operation.path][case.operation.method.lower()]
    content = described.get("requestBody", {}).get("content", {})
    schemas = [content[kind]["schema"] for kind in content if "json" in kind]
    found = [_resolved(document, schema).get("properties", ()) for schema in schemas]
    return [[], *([name] for names in found for name in names)]


def _resolved(document: Any, schema: Any) -> Any:
    name = schema.get("$ref", "").rpartition("/")[2]
    return document["components"]["schemas"][name] if name else schema


def _given(body: Any, pointer: str) -> bool:
    """Whether something stands there; that it does not may be what a rule finds missing."""
    for step in pointer.split("/")[1:]:
        if isinstance(body, list) and step.isdigit() and int(step) < len(body):
            body = body[int(step)]
        elif isinstance(body, dict):
            body = body.get(step)
        else:
            return False
    return body not in (None, "")


def _is_valid(case: Any) -> bool:
    return case.meta is not None and case.meta.generation.mode.is_positive


def _reasons(response: Any) -> list[list[str]]:
    return [[error["pointer"], error["reason"]] for error in response.json().get("errors", ())]
