"""The form of a ballot: what it holds, and the draft that it describes."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from app.errors import DomainError, FieldError, Invalid
from app.lib import clock, i18n
from app.services.ballot_making import USUAL_RULE, USUAL_RULE_OF, Draft, draft_of
from app.services.ballots import BallotView
from app.web import pages

LISTS: Final = ("solutions", "roles", "sectors", "organisations")
"""Fields in which several can be chosen."""

SINGLE: Final = (
    "title",
    "explanation",
    "language",
    "method",
    "rule",
    "mode",
    "unit",
    "seats",
    "least",
    "most",
    "points",
    "budget",
    "threshold",
    "quorum",
    "sector_quorum",
    "member_since",
    "tallies_live",
    "opens_at",
    "closes_at",
    "reminder_hours",
)

NUMBERS_OF: Final[Mapping[str, tuple[str, ...]]] = {
    "approval": ("seats", "least", "most"),
    "score": ("seats",),
    "ranked": ("seats",),
    "points": ("seats", "points"),
    "quadratic": ("seats", "points"),
    "budget": ("budget",),
}
"""The numbers that belong to a method; what a form says of others is not looked at."""

OF_ALL: Final = ("threshold", "quorum", "sector_quorum")

USUALLY_OPEN: Final = timedelta(days=7)
"""Until noon of that day."""


def blank(language: str) -> dict[str, Any]:
    """What a new form holds: everyone votes, in secret, for a week."""
    return {
        "language": language,
        "method": "approval",
        "mode": "secret",
        "closes_at": f"{i18n.local_input(clock.now() + USUALLY_OPEN)[:10]}T12:00",
        "reminder_hours": 24,
        **{name: [] for name in LISTS},
    }


def values_of(ballot: BallotView) -> dict[str, Any]:
    """What the form holds of a ballot that is there."""
    draft = draft_of(ballot)
    return {
        **{name: getattr(draft, name) for name in SINGLE if hasattr(draft, name)},
        **{name: draft.numbers[name] for name in (*NUMBERS_OF[ballot.method], *OF_ALL)},
        **{name: [str(each) for each in getattr(draft, name)] for name in LISTS},
        "rule": "" if draft.rule == USUAL_RULE_OF.get(draft.method, USUAL_RULE) else draft.rule,
        "member_since": "" if draft.member_since == draft.opens_at else _local(draft.member_since),
        "opens_at": _local(draft.opens_at),
        "closes_at": _local(draft.closes_at),
        "tallies_live": "1" if draft.tallies_live else "",
        "version": ballot.version,
    }


def drafted(values: Mapping[str, Any]) -> Draft:
    """The draft that a form describes.

    :raises Invalid: a date cannot be read
    """
    given = {name: str(values.get(name, "")).strip() for name in SINGLE}
    method = given["method"]
    return Draft(
        title=given["title"],
        explanation=given["explanation"],
        language=given["language"],
        method=method,
        rule=given["rule"] or None,
        mode=given["mode"],
        unit=given["unit"],
        numbers={name: _whole(given[name]) for name in (*NUMBERS_OF.get(method, ()), *OF_ALL) if given[name]},
        solutions=_keys(values["solutions"]),
        roles=values["roles"],
        sectors=values["sectors"],
        organisations=_keys(values["organisations"]),
        tallies_live=bool(given["tallies_live"]),
        reminder_hours=_whole(given["reminder_hours"]) if given["reminder_hours"] else 0,
        **_instants(given),
    )


def by_fields(error: DomainError) -> DomainError:
    """The same error by the names of the form's fields: what the methods call options are its solutions."""
    if not isinstance(error, Invalid):
        return error
    known = {wrong.field for wrong in error.errors}
    return Invalid(
        *(
            FieldError("solutions", wrong.message, wrong.values) if wrong.field == "options" else wrong
            for wrong in error.errors
            if wrong.field != "options" or "solutions" not in known
        )
    )


def _instants(given: Mapping[str, str]) -> dict[str, datetime | None]:
    """The three dates; all that cannot be read are named at once."""
    found: dict[str, datetime | None] = {}
    wrong: list[FieldError] = []
    for name in ("opens_at", "closes_at", "member_since"):
        try:
            found[name] = pages.instant(name, given[name]) if given[name] else None
        except Invalid as error:
            wrong += error.errors
    if wrong:
        raise Invalid(*wrong)
    return found


def _local(instant: datetime | None) -> str:
    return i18n.local_input(instant) if instant else ""


def _keys(texts: list[str]) -> list[int]:
    """Ids; what is none becomes 0, which is nobody's."""
    return [pages.number(text) or 0 for text in texts]


def _whole(text: str) -> int:
    """The number, or one that cannot be taken, so that the service says what would be right."""
    number = pages.number(text)
    return -1 if number is None else number
