"""Reading a published ballot log: strictly, naming what is wrong."""

import json
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import datetime
from itertools import count
from typing import Any, Final

from app.lib import clock
from app.methods import ballot_log
from app.methods.ballot_log import FIRST_VOTE_LINE, FORMAT, OPEN, SECRET, Log
from app.methods.election import Settings

Check = Callable[[Any, str], None]

MOST: Final = 2**53
"""Above this not every program reads a whole number exactly."""


class Unreadable(ValueError):
    """What was given is no ballot log; says where and why."""


def read(text: str) -> Log:
    """The log that `text` holds. Each field must be there, of its kind, and no other.

    What can be read but is not written as published (spaces, another order of names) is told by `Log.differs_at`.

    :raises Unreadable: it is cut off, is no JSON, of another format, or a field is missing, doubled, unknown or wrong
    """
    try:
        found = json.loads(text, object_pairs_hook=_object_once, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise Unreadable(_told(error, text)) from None
    except RecursionError:
        raise Unreadable("The file is nested too deeply for a ballot log.") from None
    except ValueError as error:
        raise Unreadable(str(error)) from None
    _check_shape(found)
    log = Log(*(found[name] for name in _PARTS))
    return Log(log.head, log.votes, log.tree, log.signature, log.result, _first_difference(text, found))


def where(index: int) -> str:
    """How a vote is called: its number, counting from 1, and its line in the file as published."""
    return f"Vote {index + 1} (line {index + FIRST_VOTE_LINE})"


def _object_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise Unreadable(f"The name “{_short(twice)}” stands twice in one object.")
    return made


def _refuse_constant(name: str) -> None:
    raise Unreadable(f"{name} is no number that JSON knows.")


def _told(error: json.JSONDecodeError, text: str) -> str:
    if not text.strip():
        return "The file is empty."
    if error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string"):
        return f"The file is cut off: it ends in the middle of line {text.rstrip().count(chr(10)) + 1}."
    return f"Line {error.lineno}, column {error.colno}: this is not JSON ({error.msg})."


def _check_shape(found: Any) -> None:
    if isinstance(found, dict) and found.get("format") != FORMAT and "format" in found:
        raise Unreadable(f"The format is “{_short(found['format'])}”; this reads “{FORMAT}” alone.")
    _LOG(found, "The file")
    is_open = found["head"]["mode"] == OPEN
    check = _OPEN_VOTE if is_open else _VOTE
    for index, vote in enumerate(found["votes"]):
        check(vote, where(index))


def _first_difference(text: str, found: Mapping[str, Any]) -> int | None:
    """The first line in which `text` is not as `ballot_log.lines` writes what it holds."""
    published = "".join(_published_lines(found))
    if text == published:
        return None
    rows = zip(count(1), text.split("\n"), published.split("\n"), strict=False)
    return next((number for number, one, other in rows if one != other), published.count("\n") + 1)


def _published_lines(found: Mapping[str, Any]) -> list[str]:
    try:
        return list(ballot_log.lines(found))
    except UnicodeEncodeError:
        # Half of a surrogate pair, written as an escape, is text to Python but has no UTF-8.
        raise Unreadable("The file holds half of a character (a lone surrogate).") from None


# what stands where


def _object(shape: Mapping[str, Check]) -> Check:
    names = shape.keys()

    def check(value: Any, place: str) -> None:
        if not isinstance(value, dict):
            raise Unreadable(f"{place}: an object is needed here, not {_kind(value)}.")
        if value.keys() != names:
            missing, extra = sorted(names - value.keys()), sorted(value.keys() - names)
            if missing:
                raise Unreadable(f"{place}: “{missing[0]}” is missing.")
            raise Unreadable(f"{place}: “{_short(extra[0])}” does not belong here.")
        for name, inside in shape.items():
            inside(value[name], f"{place}, {name}")

    return check


def _list(inside: Check | None = None) -> Check:
    def check(value: Any, place: str) -> None:
        if not isinstance(value, list):
            raise Unreadable(f"{place}: a list is needed here, not {_kind(value)}.")
        if inside:
            for number, item in enumerate(value, start=1):
                inside(item, f"{place}, entry {number}")

    return check


def _text(value: Any, place: str) -> None:
    if not isinstance(value, str):
        raise Unreadable(f"{place}: text is needed here, not {_kind(value)}.")


def _whole(value: Any, place: str) -> None:
    if type(value) is not int or not 0 <= value < MOST:
        raise Unreadable(f"{place}: a whole number from 0 to {MOST - 1} is needed here.")


def _flag(value: Any, place: str) -> None:
    if not isinstance(value, bool):
        raise Unreadable(f"{place}: true or false is needed here, not {_kind(value)}.")


def _any_object(value: Any, place: str) -> None:
    if not isinstance(value, dict):
        raise Unreadable(f"{place}: an object is needed here, not {_kind(value)}.")


def _time(value: Any, place: str) -> None:
    try:
        if clock.rfc3339(datetime.fromisoformat(value)) == value:
            return
    except (TypeError, ValueError, OverflowError):
        pass
    raise Unreadable(f"{place}: a time such as 2026-11-25T10:00:00.000000Z is needed here.")


def _hex(length: int) -> Check:
    def check(value: Any, place: str) -> None:
        if not isinstance(value, str) or len(value) != length or not set(value) <= set("0123456789abcdef"):
            raise Unreadable(f"{place}: {length} hexadecimal digits in small letters are needed here.")

    return check


def _one_of(*allowed: str) -> Check:
    def check(value: Any, place: str) -> None:
        if value not in allowed:
            raise Unreadable(f"{place}: one of these is needed here: {', '.join(allowed)}.")

    return check


def _kind(value: Any) -> str:
    return _KINDS.get(type(value), "something else")


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 40 else text[:39] + "…"


_KINDS: Final[Mapping[type, str]] = {
    dict: "an object",
    list: "a list",
    str: "text",
    bool: "true or false",
    int: "a number",
    float: "a number",
    type(None): "null",
}
_SETTING: Final[Mapping[Any, Check]] = {str: _text, int: _whole, bool: _flag, tuple[str, ...]: _list(_text)}
_HEAD: Final = _object(
    {
        "installation": _text,
        "ballot": _whole,
        "title": _text,
        "programme": _text,
        "challenge": _text,
        "mode": _one_of(OPEN, SECRET),
        "unit": _text,
        "seed": _text,
        "settings": _object({each.name: _SETTING[each.type] for each in fields(Settings)}),
        "options": _list(_object({"key": _text, "title": _text, "cost": _whole})),
        "sectors": _list(_object({"key": _text, "eligible": _whole})),
        "too_small": _list(_text),
        "withheld": _whole,
        "opens_at": _time,
        "closes_at": _time,
        "changes": _list(
            _object(
                {
                    "kind": _one_of("extension", "closure"),
                    "reason": _text,
                    "by": _text,
                    "at": _time,
                    "from": _time,
                    "to": _time,
                }
            )
        ),
        "voted": _whole,
    }
)
_VOTE: Final = _object({"receipt": _text, "sector": _text, "choice": _any_object})
_OPEN_VOTE: Final = _object(
    {
        "receipt": _text,
        "sector": _text,
        "choice": _any_object,
        "voter": _object({"name": _text, "organisation": _text}),
    }
)
_PARTS: Final = ("head", "votes", "tree", "signature", "result")
_LOG: Final = _object(
    {
        "format": _one_of(FORMAT),
        "head": _HEAD,
        "votes": _list(),
        "tree": _object({"size": _whole, "root": _hex(64)}),
        "signature": _object({"algorithm": _one_of("Ed25519"), "key": _hex(64), "value": _hex(128)}),
        "result": _any_object,
    }
)
