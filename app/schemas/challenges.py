"""Challenges and their phases, as the API takes and gives them."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from app.schemas.base import Change, Given, Instant, Item, Reference, Taken, text

Kind = Literal["framing", "ideation", "shaping", "voting", "delivery", "learning", "closed"]
Language = Literal["en", "sl"]


class PhaseDraft(Taken):
    """A phase: it lasts until the next one begins. What is not said is as usual for its kind."""

    kind: Kind
    starts_at: Instant
    ends_at: Instant | None = Field(default=None, description="For the last phase only; none: it stays open.")
    posting: bool | None = Field(default=None, description="Whether ideas can be posted.")
    commenting: bool | None = None
    supporting: bool | None = None
    tallies: bool | None = Field(default=None, description="Whether tallies show before the phase ends.")


class ChallengeDraft(Taken):
    """A challenge to set."""

    title: str = text(120, "The question in one line.", "User-friendly complex e-services", least=1)
    summary: str = text(300, "What it is about, in a sentence.", default="")
    brief: str = text(10_000, "The brief, in Markdown.", default="")
    language: Language = Field(default="en", description="The language that it is written in.")
    anonymous_allowed: bool = Field(default=False, description="Whether ideas may be posted without a name.")
    sponsor: Reference | None = Field(default=None, description="The organisation that sets it.")
    phases: list[PhaseDraft] | None = Field(
        default=None, min_length=1, max_length=7, description="In their order; none: framing begins now."
    )


class ChallengeChange(Change):
    """What to change of a challenge; what is left out stays."""

    title: str = text(120, "The question in one line.", least=1, default="")
    summary: str = text(300, "What it is about, in a sentence.", default="")
    brief: str = text(10_000, "The brief, in Markdown.", default="")
    language: Language = "en"
    anonymous_allowed: bool = False
    sponsor: Reference | None = None


class PhasesDraft(Taken):
    """All the phases of a challenge, in their order."""

    phases: list[PhaseDraft] = Field(min_length=1, max_length=7)


class PhaseItem(Given):
    """A phase and what is open in it; none has an end that is not known yet."""

    kind: Kind
    starts_at: datetime
    ends_at: datetime | None
    posting: bool
    commenting: bool
    supporting: bool
    tallies: bool


class ChallengeItem(Item):
    """A question set by a sponsor."""

    programme: int
    title: str
    summary: str
    brief: str = Field(description="Markdown.")
    brief_html: str = Field(description="The brief as safe HTML.")
    language: Language
    anonymous_allowed: bool
    sponsor: int | None
    phase: Kind = Field(description="The phase in force now.")
    phases: list[PhaseItem]
    version: int


class ChallengeList(Given):
    """A page of challenges."""

    items: list[ChallengeItem]
    next: str | None
