"""What ideas said before, who writes them together, and which are alike, as the API takes and gives them."""

from datetime import datetime

from pydantic import Field

from app.schemas.base import Given, Reference, Taken


class VersionItem(Given):
    """What an idea said before it was edited."""

    number: int = Field(description="The `version` that it had then.")
    title: str
    body: str = Field(description="Markdown.")
    written_at: datetime
    editor: str | None = Field(description="Who edited it after that; null on an anonymous idea.")


class VersionList(Given):
    """A page of earlier versions, the newest first."""

    items: list[VersionItem]
    next: str | None


class CoAuthorDraft(Taken):
    """Someone who is to write along."""

    person: Reference = Field(description="Someone else of the programme.")


class CoAuthorItem(Given):
    """Someone who writes along."""

    idea: int
    person: int
    name: str


class CoAuthorList(Given):
    """A page of those who write along, the first one first."""

    items: list[CoAuthorItem]
    next: str | None


class SimilarItem(Given):
    """An idea that shares words with a title."""

    id: int
    url: str = Field(description="The page for people.")
    title: str
    language: str


class SimilarList(Given):
    """A page of similar ideas, the closest first."""

    items: list[SimilarItem]
    next: str | None
