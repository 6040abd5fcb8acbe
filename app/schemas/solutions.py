"""Solutions, as the API takes and gives them."""

from pydantic import Field

from app.schemas.base import Change, Given, Inside, Item, Reference, Taken, several, text, whole
from app.schemas.challenges import Language

MOST_NAMED = 1000
"""Links or ideas in one body; a service asks for far fewer."""


class LinkDraft(Inside):
    """An attachment, as a link."""

    title: str = text(120, "What it is; empty or left out: its address.", default="")
    url: str = Field(
        description="A whole address, https:// or http://.",
        examples=["https://example.org/plan.pdf"],
        json_schema_extra={"format": "uri", "maxLength": 500, "pattern": "^https?://[A-Za-z0-9]"},
    )


class SolutionDraft(Taken):
    """A solution to promote."""

    title: str = text(120, "The solution in one line.", "One form for moving house", least=1)
    summary: str = text(4000, "What would be done, in Markdown.", default="")
    language: Language = Field(default="en", description="The language that it is written in.")
    cost: int = whole(0, 10**9, "What it would take, in the unit that a ballot names; 0 or more.", default=0)
    carrier: str = text(160, "Who would carry it.", "Ministry of Meadows and Larch Software", default="")
    links: list[LinkDraft] = several(10, "Attachments, at most 10.", most=MOST_NAMED)
    ideas: list[Reference] = several(
        20, "The ideas that it was made of, from the board of its challenge; at most 20.", most=MOST_NAMED
    )


class SolutionChange(Change):
    """What to change of a solution; what is left out stays."""

    title: str = text(120, "The solution in one line.", least=1, default="")
    summary: str = text(4000, "What would be done, in Markdown.", default="")
    language: Language = "en"
    cost: int = whole(0, 10**9, "What it would take, in the unit that a ballot names; 0 or more.", default=0)
    carrier: str = text(160, "Who would carry it.", default="")
    links: list[LinkDraft] = several(10, "All its attachments.", most=MOST_NAMED)
    ideas: list[Reference] = several(20, "All the ideas that it was made of.", most=MOST_NAMED)


class LinkItem(Given):
    """An attachment, as a link."""

    title: str
    url: str


class SolutionItem(Item):
    """Ideas worked out until they can be decided on."""

    programme: int
    challenge: int
    title: str
    summary: str = Field(description="Markdown.")
    summary_html: str = Field(description="The summary as safe HTML.")
    language: Language
    cost: int
    carrier: str
    links: list[LinkItem]
    ideas: list[int]
    frozen: bool = Field(description="A ballot that holds it is open, so it cannot change.")
    withdrawn: bool = Field(description="It was taken back.")
    version: int


class SolutionList(Given):
    """A page of solutions."""

    items: list[SolutionItem]
    next: str | None
