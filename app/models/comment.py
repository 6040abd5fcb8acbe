"""A comment: a reply to an idea."""

from datetime import datetime

from sqlalchemy import Index, Text
from sqlmodel import Field

from app.models.base import Dated, instant, key, refers


class Comment(Dated, table=True):
    """Taken back by its author or hidden by a facilitator, it keeps its row and shows no text."""

    __table_args__ = (Index("ix_comment_idea_id_id", "idea_id", "id"),)

    id: int | None = key()
    programme_id: int = refers("programme.id")
    challenge_id: int = refers("challenge.id")
    idea_id: int = refers("idea.id")
    author_id: int = refers("person.id", index=True)
    organisation_id: int = refers("organisation.id")
    sector_id: int = refers("sector.id")
    body: str = Field(max_length=4000)
    body_html: str = Field(default="", sa_type=Text)
    language: str = Field(default="en", max_length=8)
    withdrawn_at: datetime | None = instant(nullable=True)
    hidden_at: datetime | None = instant(nullable=True)
    hidden_by: int | None = refers("person.id", nullable=True)
    hidden_reason: str | None = Field(default=None, max_length=1000)
    version: int = 1
