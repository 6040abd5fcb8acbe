"""Elections as JSON: read strictly, so that nothing is counted that was not meant; and written."""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Final

from app.errors import FieldError, Invalid
from app.methods import choices
from app.methods.election import Election, Option, Settings, Vote

MOST_ERRORS: Final = 10
"""How many errors are told of one file."""
MOST_WHOLE: Final = 2**53
"""Above this not every program reads a whole number exactly."""


@dataclass(frozen=True, slots=True)
class Given:
    """An election from a file. `names` of options for people; `published` winners, where the file names them.

    `unit`: how many of the election's units of money make one of the file's (100 where that has two decimals).
    """

    election: Election
    names: Mapping[str, str] = field(default_factory=dict)
    published: tuple[str, ...] = ()
    unit: int = 1


def read(text: str) -> Given:
    """The election that a JSON text holds (`docs/methods/tally.md` has the format).

    :raises Invalid: it is cut off or no JSON, or something in it is missing, unknown, doubled or of the wrong kind;
        names each field, such as `votes/3/choice/approved` (entries are counted from 1)
    """
    found = _parsed(text)
    _check_names("", found, _NEEDED, _ALLOWED)
    options, names = _options(found["options"])
    settings = _settings(found["settings"], options)
    _refuse(choices.check_settings(settings, options), "settings/")
    votes = _votes(found["votes"], settings, options)
    eligible = _eligible(found.get("eligible"), votes)
    too_small = _texts("too_small", found.get("too_small", []))
    return Given(Election(options, settings, votes, eligible, too_small), names)


def to_json(given: Given) -> dict[str, Any]:
    """The JSON data that `read` turns into the same election."""
    election = given.election
    return {
        "options": [
            {"key": option.key, "cost": option.cost, "name": given.names.get(option.key, option.key)}
            for option in election.options
        ],
        "settings": {
            each.name: _plain(getattr(election.settings, each.name)) for each in fields(election.settings)
        },
        "votes": [{"sector": vote.sector, "choice": dict(vote.choice)} for vote in election.votes],
        "eligible": dict(election.eligible),
        "too_small": list(election.too_small),
    }


_NEEDED: Final = ("options", "settings", "votes")
_ALLOWED: Final = (*_NEEDED, "eligible", "too_small")


def _parsed(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        if error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string"):
            raise wrong("file", "It is cut off: the JSON does not end.") from None
        raise wrong(
            f"line {error.lineno}", f"This is not JSON: {error.msg} (column {error.colno})."
        ) from None
    except RecursionError:
        raise wrong("file", "It is nested too deeply for an election.") from None
    except ValueError:
        raise wrong("file", "It holds a number with too many digits.") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        twice, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        raise wrong(short(twice), "This name stands twice in one object; keep it once.")
    return made


def _no_number(name: str) -> None:
    raise wrong(name, "This is no number that JSON knows.")


def _check_names(place: str, found: Any, needed: Sequence[str], allowed: Sequence[str]) -> None:
    if not isinstance(found, dict):
        raise wrong(place.rstrip("/") or "file", f"An object is needed here, not {_kind(found)}.")
    errors = [FieldError(f"{place}{name}", "This is missing.") for name in needed if name not in found]
    known = ", ".join(allowed)
    errors += [
        FieldError(f"{place}{short(name)}", f"This does not belong here. What does: {known}.")
        for name in found
        if name not in allowed
    ]
    _refuse(errors)


def _options(found: Any) -> tuple[tuple[Option, ...], dict[str, str]]:
    options = []
    names = {}
    for number, each in enumerate(_list("options", found), start=1):
        place = f"options/{number}/"
        _check_names(place, each, ("key",), ("key", "cost", "name"))
        key = _text(f"{place}key", each["key"])
        options.append(Option(key, _whole(f"{place}cost", each.get("cost", 0))))
        names[key] = _text(f"{place}name", each.get("name", key))
    return tuple(options), names


def _settings(found: Any, options: Sequence[Option]) -> Settings:
    _check_names("settings/", found, ("method",), [each.name for each in fields(Settings)])
    values = {name: _READ[name](f"settings/{name}", value) for name, value in found.items()}
    return Settings(**{"tie_order": tuple(option.key for option in options), **values})


def _votes(found: Any, settings: Settings, options: Sequence[Option]) -> list[Vote]:
    votes = []
    errors: list[FieldError] = []
    for number, each in enumerate(_list("votes", found), start=1):
        place = f"votes/{number}/"
        _check_names(place, each, ("choice",), ("sector", "choice"))
        sector = _text(f"{place}sector", each.get("sector", ""))
        mistakes = choices.check(settings, options, each["choice"])
        errors += [FieldError(f"{place}choice/{one.field}", one.message, one.values) for one in mistakes]
        if len(errors) > MOST_ERRORS:
            break
        votes.append(Vote(sector, each["choice"]))
    _refuse(errors)
    return votes


def _eligible(found: Any, votes: Sequence[Vote]) -> dict[str, int]:
    """How many may vote in each sector; those who voted, where the file does not say."""
    cast = Counter(vote.sector for vote in votes)
    if found is None:
        return dict(cast)
    if not isinstance(found, dict):
        raise wrong("eligible", "An object with a number for each sector is needed here.")
    eligible = {name: _whole(f"eligible/{short(name)}", number) for name, number in found.items()}
    unknown = [name for name in cast if name and name not in eligible]
    _refuse(
        [FieldError("eligible", f"The sector {short(name)} has votes, but is not here.") for name in unknown]
    )
    return eligible


def _list(place: str, found: Any) -> list[Any]:
    if not isinstance(found, list):
        raise wrong(place, f"A list is needed here, not {_kind(found)}.")
    return found


def _text(place: str, found: Any) -> str:
    if not isinstance(found, str):
        raise wrong(place, f"Text is needed here, not {_kind(found)}.")
    if not found.isascii() and any("\ud800" <= sign <= "\udfff" for sign in found):
        raise wrong(place, "The text holds half of a character (a lone surrogate).")
    return found


def _texts(place: str, found: Any) -> tuple[str, ...]:
    return tuple(_text(f"{place}/{number}", each) for number, each in enumerate(_list(place, found), start=1))


def _whole(place: str, found: Any) -> int:
    if type(found) is not int or not 0 <= found < MOST_WHOLE:
        raise wrong(place, f"A whole number from 0 to {MOST_WHOLE - 1} is needed here.")
    return found


def _flag(place: str, found: Any) -> bool:
    if not isinstance(found, bool):
        raise wrong(place, f"true or false is needed here, not {_kind(found)}.")
    return found


_READ: Final[Mapping[str, Callable[[str, Any], Any]]] = {
    **dict.fromkeys([each.name for each in fields(Settings)], _whole),
    "method": _text,
    "rule": _text,
    "tie_order": _texts,
    "secret": _flag,
}


def _kind(found: Any) -> str:
    names = {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "null"}
    return names.get(type(found), "a number")


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _refuse(errors: Sequence[FieldError], place: str = "") -> None:
    if not errors:
        return
    told = [FieldError(place + each.field, each.message, each.values) for each in errors[:MOST_ERRORS]]
    if len(errors) > MOST_ERRORS:
        told.append(FieldError("file", "There is more that is wrong; mend this first."))
    raise Invalid(*told)


def wrong(place: str, message: str) -> Invalid:
    """One thing wrong with a file, and where. A `%` in what the file holds stays one."""
    return Invalid(FieldError(place, message.replace("%", "%%")))


def short(text: str) -> str:
    """What a file holds, short enough for a message."""
    return text if len(text) <= 40 else text[:39] + "…"
