"""The form of a vote: a field for each solution, and the choice that it describes by the ballot's method."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from app.errors import DomainError, FieldError, Invalid
from app.lib.i18n import N_
from app.methods.choices import PART
from app.methods.election import NONE, Choice
from app.services.ballots import BallotView

AT: Final = "at-"
"""What the name of a solution's field begins with; its key follows. `at-none` is the place of none of these."""

INSTEAD: Final = "instead"
"""The field of the two choices that leave all solutions aside: `none` and `abstain`."""

YES: Final = "yes"
NO: Final = "no"

LONGEST_NUMBER: Final = 9

Pairs = Sequence[tuple[str, str]]


def values(pairs: Pairs) -> dict[str, str]:
    """What was typed, as the form shows it again."""
    return dict(pairs)


def choice_of(method: str, pairs: Pairs) -> Choice:
    """The choice that a form describes, not checked yet.

    :raises Invalid: a solution stands twice in it
    """
    instead = dict(pairs).get(INSTEAD)
    if instead in (NONE, "abstain"):
        return {instead: True}
    typed = [(name.removeprefix(AT), value.strip()) for name, value in pairs if name.startswith(AT)]
    _require_once(key for key, _ in typed)
    return {PART[method]: _READ[method](typed)}


def values_of(method: str, choice: Choice, keys: Iterable[str]) -> dict[str, str]:
    """What the form holds of a choice that was made; all solutions (`keys`) are answered in it."""
    given = choice.get(PART[method])
    if given is None:
        return {INSTEAD: next(iter(choice))}
    if method == "ranked":
        return {f"{AT}{key}": str(place) for place, group in enumerate(given, start=1) for key in group}
    if method in ("approval", "budget"):
        return {f"{AT}{key}": YES if key in given else NO for key in keys}
    return {f"{AT}{key}": str(given.get(key, 0)) for key in keys}


def by_fields(error: DomainError, ballot: BallotView) -> DomainError:
    """The same error by the names of the form's fields, and with the titles of solutions instead of their keys."""
    if not isinstance(error, Invalid):
        return error
    titles: dict[str, str] = {solution.key: solution.title for solution in ballot.solutions}
    known = {f"{AT}{key}" for key in (*titles, NONE)}
    return Invalid(*(_named(wrong, titles, known) for wrong in error.errors), message=error.message)


def _named(wrong: FieldError, titles: Mapping[str, str], known: set[str]) -> FieldError:
    field = wrong.field if wrong.field in known else f"{AT}{wrong.field.partition('/')[2]}"
    named = (
        (name, titles.get(str(value), value) if name == "option" else value) for name, value in wrong.values
    )
    return FieldError(field if field in known else "", wrong.message, tuple(named))


def _require_once(keys: Iterable[str]) -> None:
    doubled = [key for key, times in Counter(keys).items() if times > 1]
    if doubled:
        message = N_("%(option)s is named twice; name it once.")
        raise Invalid(*(FieldError(f"{AT}{key}", message, (("option", key[:40]),)) for key in doubled))


def _read_marks(typed: Pairs) -> list[str]:
    return [key for key, answer in typed if answer == YES]


def _read_numbers(typed: Pairs) -> dict[str, Any]:
    return {key: _whole(text) for key, text in typed if text}


def _read_places(typed: Pairs) -> list[list[str]]:
    """Groups, the best first; the same number twice is a tie, and a number that nobody has leaves no gap.

    :raises Invalid: a place is no number
    """
    placed = [(key, _whole(text)) for key, text in typed if text]
    message = N_("Choose a place from the list: 1 for the best.")
    wrong = [
        FieldError(f"{AT}{key}", message) for key, place in placed if not isinstance(place, int) or place < 1
    ]
    if wrong:
        raise Invalid(*wrong)
    return [[key for key, at in placed if at == place] for place in sorted({place for _, place in placed})]


def _whole(text: str) -> int | str:
    """The number, or the text as it is, so that the check says what would be right."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= LONGEST_NUMBER else text


_READ: Final[Mapping[str, Callable[[Pairs], Any]]] = {
    "approval": _read_marks,
    "budget": _read_marks,
    "score": _read_numbers,
    "points": _read_numbers,
    "quadratic": _read_numbers,
    "ranked": _read_places,
}
