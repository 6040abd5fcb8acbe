"""JSON bodies, read strictly: what is not plainly right is refused with a reason, before anything acts on it."""

import json
import math
from collections.abc import Iterator
from functools import cache
from typing import Any, Final, NoReturn, TypeVar

from pydantic import ValidationError
from starlette.requests import Request

from app.errors import FieldError, Invalid, TooLarge
from app.lib.i18n import N_
from app.schemas.base import Taken
from app.web.problems import NAMES, BadRequest, UnsupportedMediaType
from app.web.validation import field_errors, pointer

S = TypeVar("S", bound=Taken)

MOST_BYTES: Final = 256 * 1024
"""Room for 10,000 characters, each written as a pair of escapes, and the rest of the body."""

MOST_DEPTH: Final = 20
_MOST_DIGITS: Final = 30
_EXACT: Final = 2**53
_MEDIA_TYPES: Final = ("application/json", "application/merge-patch+json")


async def take(request: Request, shape: type[S]) -> S:
    """The body as `shape`.

    :raises UnsupportedMediaType: it is not JSON by its header
    :raises TooLarge: it is longer than `MOST_BYTES`
    :raises BadRequest: it is not JSON by its content
    :raises Invalid: a field is missing, unknown, of another type, or no text that can be kept
    """
    _require_json(request)
    value = parse(await raw(request))
    unspeakable = [FieldError(place, N_("This is not valid text.")) for place in _broken(value)]
    if unspeakable:
        raise Invalid(*unspeakable)
    try:
        taken = shape.model_validate(value)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        raise Invalid(*field_errors(found)) from None
    request.scope.setdefault("state", {})[NAMES] = _names(shape)
    return taken


async def raw(request: Request) -> bytes:
    """The bytes of the body; the same again if asked again.

    :raises TooLarge: there are more than `MOST_BYTES`
    """
    state = request.scope.setdefault("state", {})
    if "body" not in state:
        received = bytearray()
        async for chunk in request.stream():
            received += chunk
            if len(received) > MOST_BYTES:
                raise TooLarge(N_("The body is larger than %(most)s kB."), most=MOST_BYTES // 1024)
        state["body"] = bytes(received)
    found: bytes = state["body"]
    return found


def parse(body: bytes) -> Any:
    """JSON in UTF-8, without the numbers and the repeated names that readers disagree on.

    :raises BadRequest: it is something else
    """
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise BadRequest(N_("The body is not valid UTF-8.")) from None
    try:
        value = _DECODER.decode(text)
        _require_shallow(value)
    except json.JSONDecodeError as error:
        raise BadRequest(
            N_("The body is not valid JSON: look at line %(line)s, column %(column)s."),
            line=error.lineno,
            column=error.colno,
        ) from None
    except RecursionError:
        raise BadRequest(N_("The body is nested too deeply.")) from None
    return value


@cache
def _names(shape: type[Taken]) -> frozenset[str]:
    return frozenset(field.alias or name for name, field in shape.model_fields.items())


def _require_json(request: Request) -> None:
    media_type, _, parameters = request.headers.get("content-type", "").partition(";")
    name, _, charset = parameters.partition("=")
    named = name.strip().lower() == "charset" and charset.strip().strip('"').lower() not in ("utf-8", "utf8")
    if media_type.strip().lower() not in _MEDIA_TYPES or named:
        raise UnsupportedMediaType(N_("Please send JSON in UTF-8, with Content-Type: application/json."))
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise UnsupportedMediaType(N_("Please send the body uncompressed."))


def _require_shallow(value: Any) -> None:
    level = [value]
    for _ in range(MOST_DEPTH):
        level = [inner for outer in level if isinstance(outer, dict | list) for inner in _inside(outer)]
        if not level:
            return
    raise RecursionError


def _inside(outer: dict[str, Any] | list[Any]) -> Iterator[Any]:
    yield from outer.values() if isinstance(outer, dict) else outer


def _broken(value: Any, steps: tuple[str | int, ...] = ()) -> Iterator[str]:
    """Where text holds half of a surrogate pair, which no database and no page can keep."""
    if isinstance(value, str):
        if _is_broken(value):
            yield pointer(steps)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _broken(inner, (*steps, index))
    elif isinstance(value, dict):
        for name, inner in value.items():
            if _is_broken(name):
                yield pointer(steps)
            else:
                yield from _broken(inner, (*steps, name))


def _is_broken(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise BadRequest(N_("The body names a field twice."))
    return found


def _float(text: str) -> float | int:
    """JSON has one kind of number: 3.0 is the whole number 3, as long as that is exact."""
    value = float(text)
    if not math.isfinite(value):
        raise BadRequest(N_("The body holds a number that is too large."))
    return int(value) if value.is_integer() and abs(value) < _EXACT else value


def _integer(text: str) -> int:
    if len(text) > _MOST_DIGITS:
        raise BadRequest(N_("The body holds a number that is too large."))
    return int(text)


def _constant(_: str) -> NoReturn:
    raise BadRequest(N_("The body holds NaN or Infinity, which are no JSON."))


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=_float, parse_int=_integer, parse_constant=_constant
)
