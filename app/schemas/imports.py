"""Imports, as the API takes and gives them: a row of each kind, and what became of it."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from app.schemas.base import Given, Item, Reference, Taken, text
from app.schemas.ideas import IdeaDraft
from app.schemas.placements import PlacementDraft

Kind = Literal["organisations", "people", "ideas", "placements"]
Format = Literal["csv", "json", "jsonl"]
State = Literal["queued", "running", "done", "stopped", "failed", "cancelled"]
RowState = Literal["made", "fine", "skipped", "refused"]
Invited = Literal["participant", "facilitator", "host", "sponsor", "observer"]

REFERENCE = "What it is called where it comes from: a second import with it skips the row."
BY_NUMBER = "Or by its number in the register."
BY_NAME = "Or by its exact name."


class OrganisationRow(Taken):
    """An organisation to let take part. One of the same number, or without one of the same name, is skipped."""

    name: str = text(160, "Its name.", "Ministry of Public Administration", least=1)
    sector: str = text(40, "The key of its sector.", "public", least=1)
    number: str = text(40, "Its number in the public register.", "5005000", default="")


class PersonRow(Taken):
    """Someone to invite, by mail; who takes part or is invited already is skipped. Nobody can sign in by this alone."""

    email: str = text(254, "Where the invitation goes.", "maja@ministry.example", least=3)
    name: str = text(120, "For the list of invitations.", "Maja Novak", default="")
    role: Invited = Field(default="participant", description="Coordinators are invited one by one.")
    organisation: Reference | None = Field(default=None, description="Their organisation, by its id.")
    organisation_number: str = text(40, BY_NUMBER, "5005000", default="")
    organisation_name: str = text(160, BY_NAME, default="")


class IdeaRow(IdeaDraft):
    """An idea to post, in the name of whoever imports it."""

    reference: str = text(80, REFERENCE, "survey-2025-17", default="")


class PlacementRow(PlacementDraft):
    """A placement to offer."""

    organisation_number: str = text(40, BY_NUMBER, "5005000", default="")
    organisation_name: str = text(160, BY_NAME, default="")
    contact_email: str = text(254, "Or by their mail address.", default="")
    reference: str = text(80, REFERENCE, "permits-week-1", default="")


class ImportItem(Item):
    """A file of many rows, and how far it is. Read it again while it is queued or running."""

    programme: int
    kind: Kind
    challenge: int | None = Field(description="Where ideas go.")
    format: Format
    name: str = Field(description="What the file is called.")
    size_bytes: int
    dry_run: bool = Field(description="Whether rows are only tried: nothing is made.")
    state: State = Field(description="Stopped: it can go on. Failed: the file cannot be read.")
    reason: str | None = Field(description="Why it stopped or failed.")
    rows_total: int | None = Field(description="Null until the file has been read once.")
    rows_read: int
    rows_made: int
    rows_fine: int = Field(description="In a dry run, those that would be made.")
    rows_skipped: int = Field(description="Those that were there already.")
    rows_refused: int
    resumable: bool = Field(description="Whether `POST /imports/{id}/resumption` has something to do.")
    started_at: datetime | None
    ended_at: datetime | None
    version: int


class ImportList(Given):
    """A page of imports."""

    items: list[ImportItem]
    next: str | None


class ImportRowError(Given):
    """What is to be mended in a row."""

    pointer: str = Field(description="A JSON pointer into the row (RFC 6901).", examples=["/email"])
    column: str | None = Field(description="The column of a CSV.")
    reason: str


class ImportRowItem(Given):
    """What became of one row. Nothing of what stands in it is repeated."""

    number: int = Field(description="From 1; the header of a CSV does not count.")
    line: int = Field(description="Where it begins in the file.")
    state: RowState
    made: int | None = Field(
        description="What was made, or was there already: an organisation, invitation, idea or placement; null of "
        "an idea without a name."
    )
    errors: list[ImportRowError]


class ImportRowList(Given):
    """A page of rows."""

    items: list[ImportRowItem]
    next: str | None
