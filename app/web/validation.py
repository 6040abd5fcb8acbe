"""What a shape found wrong, in our own words: where, why, and never what was sent."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from app.errors import FieldError, Invalid
from app.lib.i18n import N_

MOST: Final = 50
"""How many errors are told at once."""

_SPEAKABLE = re.compile(r"[A-Za-z0-9_.-]{1,64}")

MESSAGES: Final = {
    "missing": N_("This is needed."),
    "extra_forbidden": N_("There is no field of this name here."),
    "string_type": N_("Please give a text."),
    "int_type": N_("Please give a whole number."),
    "int_parsing": N_("Please give a whole number."),
    "int_from_float": N_("Please give a whole number."),
    "int_parsing_size": N_("This number is too large."),
    "bool_type": N_("Please give true or false."),
    "bool_parsing": N_("Please give true or false."),
    "list_type": N_("Please give a list."),
    "model_type": N_("Please give an object."),
    "model_attributes_type": N_("Please give an object."),
    "dict_type": N_("Please give an object."),
    "datetime_type": N_("Please give an instant with its zone, such as 2026-05-04T09:30:00Z."),
    "instant": N_("Please give an instant with its zone, such as 2026-05-04T09:30:00Z."),
    "date_type": N_("Please give a day such as 2026-05-04."),
    "day": N_("Please give a day such as 2026-05-04."),
    "literal_error": N_("Please choose one of %(expected)s."),
    "greater_than_equal": N_("Please give %(ge)s or more."),
    "less_than_equal": N_("Please give %(le)s or less."),
    "too_short": N_("Please give at least %(min_length)s of them."),
    "too_long": N_("Please give at most %(max_length)s of them."),
    "string_too_long": N_("This is too long: at most %(max_length)s characters are taken."),
}
_OTHERWISE: Final = N_("This cannot be taken.")


def _digits(value: object) -> object:
    """A whole number as digits alone, so that `1_0`, `+1` and `1.0` are none."""
    if isinstance(value, str) and not (value.isascii() and value.isdecimal()):
        raise PydanticCustomError("int_parsing", MESSAGES["int_parsing"])
    return value


DIGITS: Final = BeforeValidator(_digits)
"""How a whole number stands in an address. It comes after the limits of the number, which else were not described."""


class InvalidParameter(Invalid):
    """Input that cannot be taken, outside the body: `place` is `query` or `header`."""

    def __init__(self, place: str, *errors: FieldError) -> None:
        super().__init__(*errors, message=N_("Please mend the parameters that are listed in errors."))
        self.place = place


def field_errors(found: Iterable[Mapping[str, Any]], *, skip: int = 0) -> list[FieldError]:
    """Errors as pydantic reports them, as ours; `skip` leaves out the first steps of each location."""
    errors = [
        FieldError(
            pointer(error["loc"][skip:], unknown=error["type"] == "extra_forbidden"),
            MESSAGES.get(error["type"], _OTHERWISE),
            tuple((error.get("ctx") or {}).items()),
        )
        for error in found
    ]
    return errors[:MOST]


def pointer(steps: Sequence[str | int], *, unknown: bool = False) -> str:
    """A location as a JSON pointer without its first slash. A name that the caller made up is told only if plain."""
    if unknown and not _SPEAKABLE.fullmatch(str(steps[-1])):
        steps = steps[:-1]
    return "/".join(str(step).replace("~", "~0").replace("/", "~1") for step in steps)


@contextmanager
def pointing(where: Callable[[str], str]) -> Iterator[None]:
    """Let errors point to where a body has what services call by another name."""
    with mended(lambda error: replace(error, field=where(error.field))):
        yield


@contextmanager
def mended(mend: Callable[[FieldError], FieldError]) -> Iterator[None]:
    """Errors of the body mended, the first one of each place."""
    try:
        yield
    except InvalidParameter:
        raise
    except Invalid as error:
        first = {wrong.field: wrong for wrong in reversed([mend(wrong) for wrong in error.errors])}
        raise Invalid(*reversed(first.values()), message=error.message, **error.values) from None
