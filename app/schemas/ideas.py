"""Ideas and support for them, as the API takes and gives them."""

from typing import Annotated, Literal

from pydantic import Field

from app.schemas.base import Change, Given, Item, Reference, Taken, text
from app.schemas.challenges import Kind, Language

Share = Annotated[float, Field(ge=0, le=1)]


class IdeaDraft(Taken):
    """An idea to post."""

    title: str = text(120, "The idea in one line.", "One form for moving house", least=1)
    body: str = text(
        10_000, "More about it, in Markdown.", "Tell *one* office; it tells the others.", default=""
    )
    cluster: Reference | None = Field(default=None, description="The cluster of the board to put it in.")
    anonymous: bool = Field(
        default=False, description="Whether the name is shown to nobody; only where the challenge allows it."
    )
    language: Language | None = Field(default=None, description="What it is written in; none: the person's.")


class IdeaChange(Change):
    """What to change of an idea; what is left out stays."""

    title: str = text(120, "The idea in one line.", "One form for moving house", least=1, default="")
    body: str = text(10_000, "More about it, in Markdown.", default="")
    cluster: Reference | None = Field(default=None, description="The cluster to move it to; null: none.")
    language: Language = Field(default="en", description="What it is written in.")


class Author(Given):
    """Who wrote it, as everyone may see."""

    name: str
    organisation: str


class TallyItem(Given):
    """Who supports it: people in all and by sector, and how well it bridges the sectors."""

    total: int
    sectors: dict[str, int] = Field(examples=[{"public": 4, "business": 3}])
    bridging: Share = Field(
        description="The smallest, over the sectors, of (supporters + 1) / (people of that sector who supported "
        "anything on this board + 2)."
    )


class IdeaItem(Item):
    """A card on the board of a challenge."""

    programme: int
    challenge: int
    title: str
    body: str = Field(description="Markdown.")
    body_html: str = Field(description="The body as safe HTML.")
    language: str
    author: Author | None = Field(description="Null on an idea that was posted without a name.")
    sector: str | None = Field(description="The sector that it comes from.")
    anonymous: bool
    cluster: int | None
    phase: Kind = Field(description="The phase of its challenge that is in force now.")
    state: Literal["open", "withdrawn", "hidden", "merged"]
    pinned: bool
    comments: int = Field(description="How many comments it has.")
    version: int
    tally: TallyItem | None = Field(description="Null while the phase hides the counts.")
    supported: bool = Field(description="Whether the caller supports it.")


class IdeaList(Given):
    """A page of ideas."""

    items: list[IdeaItem]
    next: str | None


class SupportItem(Given):
    """Whether the caller supports an idea, and how the idea stands now."""

    idea: int
    supported: bool
    tally: TallyItem | None
