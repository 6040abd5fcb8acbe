"""Matches, as the API takes and gives them."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from app.schemas.base import Day, Given, Item, Reference, Taken, text
from app.schemas.exchanges import Aim

MatchState = Literal["queued", "running", "done", "failed", "cancelled"]
Seed = Annotated[int, Field(ge=1, le=10**9)]
MOST_DEMANDS = 1000
"""Demands in one body; a service takes fewer."""


class DemandDraft(Taken):
    """A person and the `offer` of a plan (a period and days in it) that they shall have, or shall not."""

    person: Reference
    offer: str = text(60, "As a plan names it.", "9:2026-05-04:2026-05-08", least=1)


class DemandsDraft(Taken):
    """What a plan has to keep to."""

    pins: list[DemandDraft] = Field(default_factory=list, max_length=MOST_DEMANDS)
    forbids: list[DemandDraft] = Field(default_factory=list, max_length=MOST_DEMANDS)


class MatchDraft(Taken):
    """A run over the wishes of a programme."""

    name: str = text(120, "What it is called on its page.", "May, first try", default="")
    first_day: Day
    last_day: Day = Field(description="Stays are planned within these days, at most two years.")
    aim: Aim | None = Field(default=None, description="Null: the programme's.")
    seed: Seed | None = Field(default=None, description="Same wishes and seed, same plan; null: any.")
    demands: DemandsDraft = Field(default_factory=DemandsDraft)


class DemandItem(Given):
    """A person and an offer of a plan."""

    person: int
    offer: str


class DemandsItem(Given):
    """What a plan has to keep to."""

    pins: list[DemandItem]
    forbids: list[DemandItem]


class MatchItem(Item):
    """One run of the optimiser over wishes; for coordinators."""

    programme: int
    name: str
    aim: Aim
    seed: int
    first_day: date
    last_day: date
    demands: DemandsItem
    state: MatchState
    step: str = Field(description="What it does now, as a word for programs.")
    progress: int = Field(description="Per cent.")
    plan: dict[str, Any] | None = Field(
        description="`stays`, `unmatched`, `swaps`, `proofs`, `reasons` by person; null in lists, and until done."
    )
    figures: dict[str, Any] | None = Field(description="What the plan reaches.")
    problems: list[str] = Field(description="Why there is none: demands that exclude each other.")
    published_at: datetime | None
    version: int


class MatchList(Given):
    """A page of matches, without their plans."""

    items: list[MatchItem]
    next: str | None
