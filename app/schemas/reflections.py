"""What people take from stays, and the stories of them, as the API takes and gives them."""

from datetime import datetime

from pydantic import Field

from app.schemas.base import Given, Item, Taken, text
from app.schemas.bookings import Party
from app.schemas.challenges import Language


class ReflectionDraft(Taken):
    """Three short answers."""

    learned: str = text(1000, "What you learned.", "How a permit is decided.", least=1)
    surprised: str = text(1000, "What surprised you.", "How much is said by telephone.", least=1)
    next: str = text(1000, "What you will do next.", "We mend the form together.", least=1)
    language: Language = Field(default="en", description="The language that they are written in.")


class ReflectionItem(Given):
    """What one side takes from a stay."""

    booking: int
    url: str = Field(description="The page for people.")
    party: Party
    by: str | None = Field(description="Who wrote it; null where nothing is written yet.")
    learned: str
    surprised: str
    next: str
    language: Language | None
    written_at: datetime | None


class ReflectionList(Given):
    """What both sides took from a stay."""

    items: list[ReflectionItem]
    next: str | None


class StoryDraft(Taken):
    """A story of a stay, for everyone in the programme."""

    title: str = text(120, "In one line.", "A week among permits", least=1)
    body: str = text(4000, "The story, in Markdown.", "We sat at *one* table.", least=1)
    language: Language = Field(default="en", description="The language that it is written in.")


class StoryItem(Given):
    """The story of a stay, as guest and host see it before both have consented; all empty where there is none yet."""

    booking: int
    url: str = Field(description="The page for people.")
    title: str
    body: str = Field(description="Markdown.")
    body_html: str = Field(description="The body as safe HTML.")
    language: Language | None
    guest_consent_at: datetime | None
    host_consent_at: datetime | None
    published_at: datetime | None = Field(description="Since when everyone in the programme can read it.")
    version: int = Field(description="0 where nothing is written.")


class PublishedStoryItem(Item):
    """A story to whose very text guest and host both consent."""

    programme: int
    title: str
    body: str = Field(description="Markdown.")
    body_html: str = Field(description="The body as safe HTML.")
    language: Language
    organisation: str = Field(description="Where the guest came from.")
    host: str
    published_at: datetime


class PublishedStoryList(Given):
    """A page of stories."""

    items: list[PublishedStoryItem]
    next: str | None
