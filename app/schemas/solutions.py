"""Solutions, as the API takes and gives them."""

from pydantic import Field

from app.schemas.base import Change, Given, Item, Reference, Taken, text
from app.schemas.challenges import Language


class LinkDraft(Taken):
    """An attachment, as a link."""

    title: str = text(120, "What it is; empty: its address.", default="")
    url: str = text(500, "A whole address, https:// or http://.", "https://example.org/plan.pdf", least=1)


class SolutionDraft(Taken):
    """A solution to promote."""

    title: str = text(120, "The solution in one line.", "One form for moving house", least=1)
    summary: str = text(4000, "What would be done, in Markdown.", default="")
    language: Language = Field(default="en", description="The language that it is written in.")
    cost: int = Field(
        default=0, description="What it would take, in the unit that a ballot names; 0 or more."
    )
    carrier: str = text(160, "Who would carry it.", "Ministry of Meadows and Larch Software", default="")
    links: list[LinkDraft] = Field(default_factory=list, description="Attachments, at most 10.")
    ideas: list[Reference] = Field(
        default_factory=list,
        description="The ideas that it was made of, from the board of its challenge; at most 20.",
    )


class SolutionChange(Change):
    """What to change of a solution; what is left out stays."""

    title: str = text(120, "The solution in one line.", least=1, default="")
    summary: str = text(4000, "What would be done, in Markdown.", default="")
    language: Language = "en"
    cost: int = Field(
        default=0, description="What it would take, in the unit that a ballot names; 0 or more."
    )
    carrier: str = text(160, "Who would carry it.", default="")
    links: list[LinkDraft] = Field(default_factory=list, description="All its attachments.")
    ideas: list[Reference] = Field(default_factory=list, description="All the ideas that it was made of.")


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
