"""A vote, the roll of who has voted, and what is counted while a ballot is open.

In a secret ballot no column but a keyed pseudonym leads from a person to a vote, and none says when it was written.
SQLite keeps both tables in the order of their keys. PostgreSQL marks rows with their transaction (`xmin`), which joins
the two for whoever may ask it so until the ballot is counted; `docs/ballot-log.md` says so.
"""

from datetime import datetime

from sqlalchemy import Index, LargeBinary, Text
from sqlmodel import Field, SQLModel

from app.database import Key, UTCDateTime
from app.models.base import instant, refers


class BallotKey(SQLModel, table=True):
    """What pseudonyms are made with; deleted in the transaction that counts the ballot."""

    __tablename__ = "ballot_key"

    ballot_id: int = Field(primary_key=True, sa_type=Key, foreign_key="ballot.id")
    programme_id: int = refers("programme.id")
    secret: bytes = Field(sa_type=LargeBinary)


class RollEntry(SQLModel, table=True):
    """Someone has voted, and counts for that sector; what, it does not say."""

    __tablename__ = "roll_entry"
    __table_args__ = (Index("ix_roll_entry_person_id", "person_id"), {"sqlite_with_rowid": False})

    ballot_id: int = Field(primary_key=True, sa_type=Key, foreign_key="ballot.id")
    person_id: int = Field(primary_key=True, sa_type=Key, foreign_key="person.id")
    programme_id: int = refers("programme.id")
    sector_id: int = refers("sector.id")


class Vote(SQLModel, table=True):
    """The newest choice under a pseudonym, as canonical JSON; `person_id` only where votes are open.

    Gone once the ballot is counted: what was counted stands in `PublishedVote`.
    """

    __table_args__ = (
        Index("ix_vote_receipt", "ballot_id", "receipt", unique=True),
        {"sqlite_with_rowid": False},
    )

    ballot_id: int = Field(primary_key=True, sa_type=Key, foreign_key="ballot.id")
    pseudonym: bytes = Field(primary_key=True, sa_type=LargeBinary(32))
    programme_id: int = refers("programme.id")
    sector_id: int = refers("sector.id")
    person_id: int | None = refers("person.id", nullable=True)
    receipt: str = Field(max_length=40)
    choice: str = Field(sa_type=Text)


class Turnout(SQLModel, table=True):
    """How many people of a sector first voted in an hour (`hour` is its start), and how many votes changed in it."""

    __table_args__ = ({"sqlite_with_rowid": False},)

    ballot_id: int = Field(primary_key=True, sa_type=Key, foreign_key="ballot.id")
    sector_id: int = Field(primary_key=True, sa_type=Key, foreign_key="sector.id")
    hour: datetime = Field(primary_key=True, sa_type=UTCDateTime)
    programme_id: int = refers("programme.id")
    voters: int = 0
    changes: int = 0


class Interest(SQLModel, table=True):
    """A person's declared conflict of interest in a solution on a ballot: shown, with their name, with the result."""

    __table_args__ = ({"sqlite_with_rowid": False},)

    ballot_id: int = Field(primary_key=True, sa_type=Key, foreign_key="ballot.id")
    person_id: int = Field(primary_key=True, sa_type=Key, foreign_key="person.id")
    solution_id: int = Field(primary_key=True, sa_type=Key, foreign_key="solution.id")
    programme_id: int = refers("programme.id")
    statement: str = Field(max_length=500)
    declared_at: datetime = instant()
