"""Open data, as the API takes and gives how it is open."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from app.schemas.base import Given, Taken, text

Licence = Literal["CC-BY-4.0", "CC0-1.0"]


class OpenDataDraft(Taken):
    """How a programme's data is open to everyone."""

    licence: Licence = "CC-BY-4.0"
    publisher: str = text(
        160, "The office that answers for the data.", "Ministry of Public Administration", least=1
    )
    contact: str = text(254, "A mail address of an office, which everyone sees.", "data@example.org", least=3)
    description: str = text(
        2000, "What it is; left out, the programme's own description.", "What we work on.", default=""
    )
    with_texts: bool = Field(
        default=False,
        description="With the long texts of challenges and solutions, in which someone may be named.",
    )


class OpenFileItem(Given):
    """A file that everyone may fetch, without a token."""

    name: str = Field(examples=["ideas.csv"])
    url: str
    size_bytes: int
    rows: int
    changed_at: datetime


class OpenDataItem(Given):
    """Whether a programme's data is open, and how; `files` are empty until they are made."""

    programme: int
    url: str = Field(description="The page for people.")
    is_open: bool
    licence: str | None
    publisher: str | None
    contact: str | None
    description: str | None
    with_texts: bool
    opened_at: datetime | None
    made_at: datetime | None
    files: list[OpenFileItem]
    version: int
