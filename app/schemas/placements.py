"""Placements and their periods, as the API takes and gives them."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field

from app.schemas.base import Change, Day, Given, Inside, Item, Reference, Taken, Word, several, text, whole
from app.schemas.challenges import Language

Code = Annotated[str, Field(json_schema_extra={"pattern": "^[A-Za-z]{1,8}$"})]
OpenTo = Literal["other", "any"]
PlacementState = Literal["proposed", "published", "returned", "withdrawn"]

MOST_NAMED = 200
"""Periods, competencies or languages in one body; a service asks for far fewer."""


class PeriodDraft(Inside):
    """Days for which there are places: all of them as one stay, or a window to choose from."""

    id: Reference | None = Field(
        default=None, description="Of one that is there already, to keep it; null or left out: new days."
    )
    first_day: Day
    last_day: Day = Field(description="The last day itself: a week from Monday to Friday ends on Friday.")
    is_window: bool = Field(default=False, description="Whether a stay is a part of it. Left out: false.")
    places: int = whole(1, 500, "How many guests at a time, 1 to 500. Left out: 1.", default=1)


class PlacementDraft(Taken):
    """A placement to offer."""

    organisation: Reference | None = Field(
        default=None, description="The host; null: your own. Coordinators may name any."
    )
    title: str = text(120, "What it is, in one line.", "A week in the permits office", least=1)
    description: str = text(4000, "What a guest will see and do, in Markdown.", least=1)
    language: Language = Field(default="en", description="The language that it is written in.")
    competencies: list[Word] = several(12, "What can be learnt; at most 12.", most=MOST_NAMED)
    spoken: list[Code] = several(8, "Languages at work, by code; at most 8.", most=MOST_NAMED)
    place: str = text(160, "Where it is.", "Ljubljana", default="")
    accessibility: str = text(1000, "Steps, lifts, remote days and the like.", default="")
    confidentiality: str = text(2000, "The terms that a guest agrees to.", default="")
    open_to: OpenTo = Field(default="other", description="Guests of another sector only, or of any.")
    least_days: int = whole(1, 184, "How short a stay in a window may be, 1 to 184.", default=1)
    most_days: int = whole(1, 184, "How long it may be, 1 to 184.", default=5)
    contact: Reference | None = Field(
        default=None, description="Who receives guests, of the host's people; null: you."
    )
    periods: list[PeriodDraft] = several(60, "At most 60; publishing needs one.", most=MOST_NAMED)


class PlacementChange(Change):
    """What to change of a placement; what is left out stays. `periods` are all of them."""

    title: str = text(120, "What it is, in one line.", least=1, default="")
    description: str = text(4000, "What a guest will see and do, in Markdown.", least=1, default="")
    language: Language = "en"
    competencies: list[Word] = several(12, most=MOST_NAMED)
    spoken: list[Code] = several(8, most=MOST_NAMED)
    place: str = text(160, "Where it is.", default="")
    accessibility: str = text(1000, "Steps, lifts, remote days and the like.", default="")
    confidentiality: str = text(2000, "The terms that a guest agrees to.", default="")
    open_to: OpenTo = "other"
    least_days: int = whole(1, 184, default=1)
    most_days: int = whole(1, 184, default=5)
    contact: Reference = 1
    periods: list[PeriodDraft] = several(
        60, "One with its `id` is changed, one that is missing is taken away.", most=MOST_NAMED
    )


class ReturnDraft(Taken):
    """What is to be mended before a placement can be published."""

    note: str = text(1000, "For the host.", "Please say what a guest will do on Friday.", least=1)


class ContactItem(Given):
    """Who receives guests."""

    person: int
    name: str


class PeriodItem(Given):
    """Days for which there are places."""

    id: int
    first_day: date
    last_day: date
    is_window: bool
    places: int
    free: int = Field(description="On each of its days; of a window, on its emptiest.")
    waiting: int = Field(description="How many stand in line.")


class PlacementItem(Item):
    """Places that a host organisation offers."""

    programme: int
    organisation: int
    host: str = Field(description="The organisation's name.")
    sector: str
    title: str
    description: str = Field(description="Markdown.")
    description_html: str = Field(description="The description as safe HTML.")
    language: Language
    competencies: list[str]
    spoken: list[str]
    place: str
    accessibility: str
    confidentiality: str
    open_to: OpenTo
    least_days: int
    most_days: int
    contact: ContactItem
    periods: list[PeriodItem]
    state: PlacementState
    note: str | None = Field(description="Why it was returned; for the host and coordinators.")
    published_at: datetime | None
    version: int


class PlacementList(Given):
    """A page of placements."""

    items: list[PlacementItem]
    next: str | None
