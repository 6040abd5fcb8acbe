"""What the shapes of the API share: strict at the door, and the names of common fields."""

from datetime import UTC, date, datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from app.lib import days
from app.lib.i18n import N_

LARGEST_ID = 2**63 - 1
EARLIEST, LATEST = 1970, 9998
"""The years that instants may be of: every zone, every engine and every reader can name them."""


class Taken(BaseModel):
    """What a caller sends: of exactly these fields and types, so that a typo is not lost and `true` is not 1."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)

    def given(self) -> dict[str, Any]:
        """The fields that were in the body, without those that were left out."""
        return {name: getattr(self, name) for name in self.model_fields_set}


def _without_defaults(schema: dict[str, Any]) -> None:
    for field in schema.get("properties", {}).values():
        field.pop("default", None)


class Change(Taken):
    """What a caller changes of an item: what is left out stays as it is, so a default here is never used."""

    model_config = ConfigDict(json_schema_extra=_without_defaults)


class Inside(Taken):
    """What stands inside of a body, perhaps of a `Change`. Its defaults count, but the document does not declare them:
    programs that are made of it send each declared default, and with it would reset what they meant to leave out.
    """

    model_config = ConfigDict(json_schema_extra=_without_defaults)


class Given(BaseModel):
    """What a caller gets. It describes and tests the answers; the answers themselves are written as bytes."""

    model_config = ConfigDict(strict=False, extra="forbid", frozen=True)


class Item(Given):
    """What every item carries."""

    id: int
    url: str = Field(description="The page for people.")
    created_at: datetime
    updated_at: datetime


def _instant(value: object) -> object:
    """An RFC 3339 instant with its zone, as UTC; the error does not repeat what was sent."""
    if not isinstance(value, str):
        return value
    try:
        instant = datetime.fromisoformat(value)
        if instant.tzinfo is not None and "T" in value and EARLIEST <= instant.year <= LATEST:
            return instant.astimezone(UTC)
    except ValueError:
        pass
    raise PydanticCustomError(
        "instant", N_("Please give an instant with its zone, such as 2026-05-04T09:30:00Z.")
    )


def _day(value: object) -> object:
    """An ISO 8601 day, as text; the error does not repeat what was sent."""
    if not isinstance(value, str):
        return value
    day = days.parse_day(value) if value == value.strip() else None
    if day is not None:
        return day
    raise PydanticCustomError("day", N_("Please give a day such as 2026-05-04."))


_PLAIN = r"[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*"
_VISIBLE = r"[^\x00-\x20\x7f-\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"

PRINTABLE = f"^{_PLAIN}$"
"""Text without control characters, as `app.schemas.text` holds it."""

WRITTEN = f"^{_PLAIN}{_VISIBLE}{_PLAIN}$"
"""The same, with a character that shows."""

Reference = Annotated[int, Field(ge=1, le=LARGEST_ID)]
"""The id of something else."""

Word = Annotated[str, Field(json_schema_extra={"minLength": 1, "maxLength": 80, "pattern": WRITTEN})]
"""One of several short texts."""

Instant = Annotated[datetime, BeforeValidator(_instant)]
"""An instant as RFC 3339 text."""

Day = Annotated[date, BeforeValidator(_day)]
"""A day as ISO 8601 text."""


def text(most: int, description: str, *examples: str, least: int = 0, default: Any = ...) -> Any:
    """A text field. Its limits are told here and held by the service, once for pages, API and command line."""
    limits: dict[str, Any] = {"maxLength": most, "pattern": WRITTEN if least else PRINTABLE}
    limits |= {"minLength": least} if least else {}
    return Field(default, description=description, examples=list(examples) or None, json_schema_extra=limits)


def whole(least: int, most: int, description: str | None = None, *, default: Any = ...) -> Any:
    """A whole number. Its limits are told here and held by the service."""
    return Field(default, description=description, json_schema_extra={"minimum": least, "maximum": most})


def several(
    told: int, description: str | None = None, *, most: int, least: int = 0, default: Any = ...
) -> Any:
    """A list. That it holds at most `told` is told here and held by the service; `most` is what gets that far."""
    extra: dict[str, Any] = {"maxItems": told} | ({"minItems": least} if least else {})
    start = {"default_factory": list} if default is ... else {"default": default}
    return Field(**start, description=description, max_length=most, json_schema_extra=extra)
