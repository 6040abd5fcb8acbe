"""Text as it comes from people: normal form, no control characters, within its limits."""

import unicodedata

from app.errors import FieldError
from app.lib.i18n import N_

_ALLOWED_CONTROLS = frozenset("\n\t")
_CONTROLS = N_("Please remove the control characters; they cannot be shown.")
_EMPTY = N_("Please write something here.")
_LONG = N_("This is %(length)s characters long; please shorten it to %(most)s.")

MESSAGES = (_CONTROLS, _EMPTY, _LONG)
"""What can be wrong with a text."""


def clean(value: str) -> str:
    r"""`value` in NFC, with `\n` line ends and without surrounding white space."""
    return unicodedata.normalize("NFC", value.replace("\r\n", "\n").replace("\r", "\n")).strip()


def line(field: str, value: str, *, most: int, least: int = 1) -> tuple[str, list[FieldError]]:
    """One line of text, cleaned, and what is wrong with it; white space is folded."""
    found = _problems(field, value, most=most, least=least)
    return " ".join(clean(value).split()), found


def passage(field: str, value: str, *, most: int, least: int = 0) -> tuple[str, list[FieldError]]:
    """Text of several lines, cleaned, and what is wrong with it."""
    return clean(value), _problems(field, value, most=most, least=least)


def _problems(field: str, value: str, *, most: int, least: int) -> list[FieldError]:
    cleaned = clean(value)
    if any(_forbidden(character) for character in cleaned):
        return [FieldError(field, _CONTROLS)]
    if len(cleaned) < least:
        return [FieldError(field, _EMPTY)]
    if len(cleaned) > most:
        return [FieldError(field, _LONG, (("length", len(cleaned)), ("most", most)))]
    return []


def _forbidden(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cs") and character not in _ALLOWED_CONTROLS
