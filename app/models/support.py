"""Support: the light vote for a card, and the tallies kept with it."""

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from app.database import Key
from app.models.base import instant, refers

ALL = 0
"""In a tally: every sector together, or the board as a whole in place of one idea."""


class Support(SQLModel, table=True):
    """One person's support for one idea. `via_id` is the merged idea that it came from, if it did."""

    __table_args__ = (
        Index("ix_support_challenge_id_person_id", "challenge_id", "person_id", "idea_id"),
        {"sqlite_with_rowid": False},
    )

    idea_id: int = Field(primary_key=True, sa_type=Key, foreign_key="idea.id")
    person_id: int = Field(primary_key=True, sa_type=Key, foreign_key="person.id")
    programme_id: int = refers("programme.id")
    challenge_id: int = refers("challenge.id")
    sector_id: int = refers("sector.id")
    via_id: int | None = refers("idea.id", nullable=True)
    created_at: datetime = instant()


class Tally(SQLModel, table=True):
    """A board's counts as a small cube, kept in the transaction of each support.

    `people` counts the supporters of `idea_id` from `sector_id`. Where `sector_id` is `ALL` it counts every
    sector; where `idea_id` is `ALL`, the people who supported anything on the board.
    """

    __table_args__ = (
        Index("ix_tally_most_supported", "challenge_id", "sector_id", "people", "idea_id"),
        {"sqlite_with_rowid": False},
    )

    challenge_id: int = Field(primary_key=True, sa_type=Key, foreign_key="challenge.id")
    idea_id: int = Field(primary_key=True, sa_type=Key)
    sector_id: int = Field(primary_key=True, sa_type=Key)
    programme_id: int = refers("programme.id")
    people: int = 0
