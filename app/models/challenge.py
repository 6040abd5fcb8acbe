"""A challenge: a question set by a sponsor, with its phases and the clusters of its board."""

from datetime import datetime

from sqlalchemy import Index, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from app.models.base import Dated, instant, key, refers

PHASES = ("framing", "ideation", "shaping", "voting", "delivery", "learning", "closed")


class Challenge(Dated, table=True):
    """`anonymous_allowed`: whether ideas may be posted without a name that anyone can see."""

    id: int | None = key()
    programme_id: int = refers("programme.id", index=True)
    sponsor_id: int | None = refers("organisation.id", nullable=True)
    title: str = Field(max_length=120)
    summary: str = Field(default="", max_length=300)
    brief: str = Field(default="", max_length=10_000)
    brief_html: str = Field(default="", sa_type=Text)
    language: str = Field(default="en", max_length=8)
    anonymous_allowed: bool = False
    deleted_at: datetime | None = instant(nullable=True)
    version: int = 1


class Phase(SQLModel, table=True):
    """A stretch of a challenge: in force from `starts_at` until before `ends_at` (none: open end).

    A challenge's phases follow one another without gap or overlap. `posting`, `commenting` and `supporting`
    say what is open in it, `tallies` whether its support counts show before it ends.
    """

    __table_args__ = (
        UniqueConstraint("challenge_id", "kind"),
        Index("ix_phase_challenge_id_starts_at", "challenge_id", "starts_at"),
    )

    id: int | None = key()
    programme_id: int = refers("programme.id")
    challenge_id: int = refers("challenge.id")
    kind: str = Field(max_length=20)
    starts_at: datetime = instant()
    ends_at: datetime | None = instant(nullable=True)
    posting: bool = False
    commenting: bool = False
    supporting: bool = False
    tallies: bool = True


class Cluster(SQLModel, table=True):
    """A column of the board: cards that belong together."""

    id: int | None = key()
    programme_id: int = refers("programme.id")
    challenge_id: int = refers("challenge.id", index=True)
    title: str = Field(max_length=80)
    language: str = Field(default="en", max_length=8)
    position: int = 0
