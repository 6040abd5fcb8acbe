"""Comments, as the API takes and gives them."""

from typing import Literal

from pydantic import Field

from app.schemas.base import Given, Item, Taken, text
from app.schemas.challenges import Language
from app.schemas.ideas import Author


class CommentDraft(Taken):
    """A comment to post."""

    body: str = text(4000, "What you want to say, in Markdown.", "We do this in our company.", least=1)
    language: Language | None = Field(default=None, description="What it is written in; none: the person's.")


class CommentItem(Item):
    """A reply to an idea."""

    idea: int
    body: str
    body_html: str
    language: str
    author: Author | None
    sector: str | None
    state: Literal["open", "withdrawn", "hidden"]
    version: int


class CommentList(Given):
    """A page of comments, the oldest first."""

    items: list[CommentItem]
    next: str | None
