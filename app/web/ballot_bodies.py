"""Bodies of ballots and votes: how they become what services take, and how errors find their way back to them."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final

from app.errors import FieldError
from app.lib.i18n import N_
from app.schemas.ballots import EligibilityDraft
from app.services.ballot_making import NUMBERS, Draft
from app.web.validation import mended, pointer, pointing

_WHERE: Final = {
    **{name: f"settings/{name}" for name in NUMBERS},
    **{name: f"eligibility/{name}" for name in EligibilityDraft.model_fields},
    "options": "solutions",
}
"""Where in a body those fields stand that services call by another name."""

_KEY: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}", re.ASCII)


def described(before: Draft, given: Mapping[str, Any]) -> Draft:
    """The draft `before`, changed by the fields of a body; what is left out stays, in settings and eligibility too."""
    values = dict(given)
    settings, eligibility = values.pop("settings", None), values.pop("eligibility", None)
    if settings is not None:
        values["numbers"] = {**before.numbers, **settings.given()}
    if eligibility is not None:
        values |= {name: _each_once(value) for name, value in eligibility.given().items()}
    return replace(before, **values)


@contextmanager
def places_of_ballots() -> Iterator[None]:
    """Let errors of a draft point to where its fields stand in the body."""
    with pointing(lambda field: _WHERE.get(field, field)):
        yield


@contextmanager
def places_of_choices() -> Iterator[None]:
    """Let errors of a choice point into the body, which is the choice, and not repeat what was sent."""
    with mended(lambda error: _unspoken(replace(error, field=_place(error.field)))):
        yield


def _place(field: str) -> str:
    if field == "choice":
        return ""
    part, _, key = field.partition("/")
    return pointer((part, key), unknown=True) if key else part


def _unspoken(error: FieldError) -> FieldError:
    named = dict(error.values).get("option")
    if named is None or _KEY.fullmatch(str(named)):
        return error
    return FieldError(error.field, N_("This is not a solution on this ballot."))


def _each_once(value: Any) -> Any:
    return list(dict.fromkeys(value)) if isinstance(value, list) else value
