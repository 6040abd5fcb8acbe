"""A solution: ideas that a team has worked out, ready to be decided on."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, Text
from sqlmodel import Field, SQLModel

from app.database import Key
from app.models.base import Dated, instant, key, refers


class Solution(Dated, table=True):
    """`cost` is what it would take, in the unit that a ballot names; `carrier` says who carries it.

    `links` are attachments: each `{"title", "url"}`. `summary_html` is `summary` rendered and cleaned.
    """

    __table_args__ = (Index("ix_solution_challenge_id_id", "challenge_id", "id"),)

    id: int | None = key()
    programme_id: int = refers("programme.id")
    challenge_id: int = refers("challenge.id")
    title: str = Field(max_length=120)
    summary: str = Field(default="", max_length=4000)
    summary_html: str = Field(default="", sa_type=Text)
    language: str = Field(default="en", max_length=8)
    cost: int = Field(default=0, sa_type=Key)
    carrier: str = Field(default="", max_length=160)
    links: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)
    promoted_by: int = refers("person.id")
    withdrawn_at: datetime | None = instant(nullable=True)
    version: int = 1


class SolutionIdea(SQLModel, table=True):
    """An idea that went into a solution."""

    __tablename__ = "solution_idea"

    solution_id: int = Field(primary_key=True, sa_type=Key, foreign_key="solution.id")
    idea_id: int = Field(primary_key=True, sa_type=Key, foreign_key="idea.id", index=True)
    programme_id: int = refers("programme.id")
