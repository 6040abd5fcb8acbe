"""Plans side by side, and what is told of one to a person, as the API gives them."""

from datetime import date
from typing import Any

from pydantic import Field

from app.schemas.base import Given


class ChangedItem(Given):
    """Someone whom two plans place otherwise; a stay is as the plan has it, null where there is none."""

    person: int
    one: dict[str, Any] | None
    other: dict[str, Any] | None


class ComparisonItem(Given):
    """Two runs of a programme side by side."""

    url: str = Field(description="The page for people.")
    match: int
    other: int
    figures: list[dict[str, Any] | None] = Field(description="What each of the two reaches.")
    changed: list[ChangedItem]


class PlanReason(Given):
    """A reason: `code` and `values` for programs, the words in the caller's language."""

    code: str
    values: dict[str, Any]
    said: str


class MissedWish(Given):
    """A wish that was not met, and why."""

    rank: int
    reasons: list[PlanReason]


class FreeOffer(Given):
    """What is still free."""

    offer: str
    placement: int
    title: str
    first_day: date
    last_day: date


class ExplanationItem(Given):
    """Why a person got what they got in a published plan."""

    match: int
    programme: int
    url: str = Field(description="The page for people.")
    reason: PlanReason
    missed: list[MissedWish]
    free: list[FreeOffer]
    lost: bool = Field(description="Whether the place was no longer there when the plan was published.")
