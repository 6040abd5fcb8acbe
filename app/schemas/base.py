"""What the shapes of the API share: strict at the door, and the names of common fields."""

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

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


Reference = Annotated[int, Field(ge=1, le=LARGEST_ID)]
"""The id of something else."""

Instant = Annotated[datetime, BeforeValidator(_instant)]
"""An instant as RFC 3339 text."""


def text(most: int, description: str, *examples: str, least: int = 0, default: Any = ...) -> Any:
    """A text field. Its limits are told here and held by the service, once for pages, API and command line."""
    limits: dict[str, Any] = {"maxLength": most} | ({"minLength": least} if least else {})
    return Field(default, description=description, examples=list(examples) or None, json_schema_extra=limits)
