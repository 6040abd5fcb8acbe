"""An idea: a card on a board, with what it was before and who wrote it with its author."""

from datetime import datetime

from sqlalchemy import Index, Text
from sqlmodel import Field, SQLModel

from app.database import Key
from app.models.base import Dated, instant, key, refers

OPEN = "open"
WITHDRAWN = "withdrawn"
HIDDEN = "hidden"
MERGED = "merged"
STATES = (OPEN, WITHDRAWN, HIDDEN, MERGED)


class Idea(Dated, table=True):
    """`body_html` is `body` rendered and cleaned when it was written; `comments` counts those that show."""

    __table_args__ = (
        Index("ix_idea_challenge_id_state_id", "challenge_id", "state", "id"),
        Index("ix_idea_cluster_id", "cluster_id"),
    )

    id: int | None = key()
    programme_id: int = refers("programme.id")
    challenge_id: int = refers("challenge.id")
    cluster_id: int | None = refers("cluster.id", nullable=True)
    author_id: int = refers("person.id", index=True)
    organisation_id: int = refers("organisation.id")
    sector_id: int = refers("sector.id")
    title: str = Field(max_length=120)
    body: str = Field(default="", max_length=10_000)
    body_html: str = Field(default="", sa_type=Text)
    language: str = Field(default="en", max_length=8)
    anonymous: bool = False
    state: str = Field(default=OPEN, max_length=10)
    merged_into_id: int | None = refers("idea.id", nullable=True)
    comments: int = 0
    version: int = 1


class IdeaVersion(SQLModel, table=True):
    """What an idea said before an edit: `number` is the version that the text belonged to."""

    __tablename__ = "idea_version"
    __table_args__ = (Index("uq_idea_version_idea_id_number", "idea_id", "number", unique=True),)

    id: int | None = key()
    programme_id: int = refers("programme.id")
    idea_id: int = refers("idea.id")
    number: int
    title: str = Field(max_length=120)
    body: str = Field(max_length=10_000)
    editor_id: int = refers("person.id")
    written_at: datetime = instant()


class CoAuthor(SQLModel, table=True):
    """Someone who writes an idea together with its author."""

    __tablename__ = "co_author"

    idea_id: int = Field(primary_key=True, sa_type=Key, foreign_key="idea.id")
    person_id: int = Field(primary_key=True, sa_type=Key, foreign_key="person.id")
    programme_id: int = refers("programme.id")
    added_at: datetime = instant()


class Pin(SQLModel, table=True):
    """A facilitator has put an idea first; the row says who and when."""

    idea_id: int = Field(primary_key=True, sa_type=Key, foreign_key="idea.id")
    programme_id: int = refers("programme.id")
    challenge_id: int = refers("challenge.id", index=True)
    pinned_by: int = refers("person.id")
    pinned_at: datetime = instant()


class Hiding(SQLModel, table=True):
    """A facilitator has hidden an idea for a stated reason; its author may answer; a facilitator may lift it."""

    __table_args__ = (Index("ix_hiding_idea_id", "idea_id"),)

    id: int | None = key()
    programme_id: int = refers("programme.id")
    idea_id: int = refers("idea.id")
    reason: str = Field(max_length=1000)
    hidden_by: int = refers("person.id")
    hidden_at: datetime = instant()
    answer: str | None = Field(default=None, max_length=2000)
    answered_at: datetime | None = instant(nullable=True)
    lifted_by: int | None = refers("person.id", nullable=True)
    lifted_at: datetime | None = instant(nullable=True)
