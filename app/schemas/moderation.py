"""Hidings and merges of ideas, as the API takes and gives them."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from app.schemas.base import Given, Item, Reference, Taken, text


class HidingDraft(Taken):
    """Why an idea is to be hidden."""

    reason: str = text(1000, "Told to its authors.", "This names a person.", least=1)


class HidingAnswer(Taken):
    """What the authors say to it."""

    answer: str = text(2000, "Told to the facilitator.", "The name is taken out.", least=1)


class HidingItem(Given):
    """That an idea is hidden, and why; for its authors and the facilitators."""

    idea: int
    reason: str
    hidden_at: datetime
    answer: str | None
    answered_at: datetime | None


class HiddenItem(HidingItem):
    """A hidden idea, with why and what its authors say."""

    url: str
    title: str
    language: str


class HiddenList(Given):
    """A page of hidden ideas, the last one hidden first."""

    items: list[HiddenItem]
    next: str | None


class MergeDraft(Taken):
    """The idea that this one is to go into."""

    target: Reference = Field(description="An idea of the same board.")


class ObjectionDraft(Taken):
    """Why one's support is not to go along."""

    reason: str = text(1000, "Told to the facilitators.", default="")


class MergeItem(Item):
    """Two cards made one, or that it is proposed."""

    programme: int
    challenge: int
    source: int = Field(description="The idea that goes into the other.")
    target: int
    state: Literal["proposed", "accepted", "declined", "undone"]
    asked: bool = Field(description="Whether it is the caller whose consent is asked.")
    objections: int


class MergeList(Given):
    """The merges that an idea is part of, the oldest first."""

    items: list[MergeItem]
    next: str | None


class ObjectionItem(Given):
    """Whose support did not go along with a merge, and why; for facilitators and coordinators."""

    name: str
    reason: str
    objected_at: datetime


class ObjectionList(Given):
    """A page of objections, the oldest first."""

    items: list[ObjectionItem]
    next: str | None
