"""Conflicts of interest, as the API takes and gives them."""

from datetime import datetime

from pydantic import Field

from app.schemas.base import Given, Taken, text


class ConflictDraft(Taken):
    """That one must not be a guest of an organisation, and why."""

    statement: str = text(400, "Why; for yourself and coordinators.", "I audit them.", default="")


class ConflictItem(Given):
    """An organisation of which the caller must not be a guest."""

    organisation: int
    name: str = Field(description="The organisation's.")
    statement: str
    declared_at: datetime


class ConflictList(Given):
    """A page of the caller's own declarations."""

    items: list[ConflictItem]
    next: str | None
