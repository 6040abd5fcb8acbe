"""A ballot: a formal decision over solutions, with its changes and its result."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, LargeBinary, Text
from sqlmodel import Field, SQLModel

from app.database import Key
from app.models.base import Dated, instant, key, refers

OPEN = "open"
SECRET = "secret"  # noqa: S105 -- a way to vote, not a password
MODES = (SECRET, OPEN)

EXTENSION = "extension"
CLOSURE = "closure"


class Ballot(Dated, table=True):
    """Votes are taken from `opens_at` until before `closes_at`, by the database's clock, and counted after.

    `settings` are those of `methods.election.Settings` without method, rule, tie order and secrecy, which stand in
    columns. `eligibility` is `{"roles", "sectors", "organisations"}`, each a list (of names, of ids; empty: all), and
    who has a place in the programme since `member_since`. `seed` shuffles the solutions for each person and makes
    `tie_order` (ids of solutions), which is made with the ballot. `live_tally` is what is shown before closing.
    `announced_at`, `reminded_at`: when those who may vote were told that it is open, or will close soon.
    `cancelled_at`: taken back before it opened.
    """

    __table_args__ = (
        Index("ix_ballot_challenge_id_id", "challenge_id", "id"),
        Index("ix_ballot_counted_at_closes_at", "counted_at", "closes_at"),
    )

    id: int | None = key()
    programme_id: int = refers("programme.id", index=True)
    challenge_id: int = refers("challenge.id")
    title: str = Field(max_length=120)
    explanation: str = Field(default="", max_length=4000)
    explanation_html: str = Field(default="", sa_type=Text)
    language: str = Field(default="en", max_length=8)
    method: str = Field(max_length=20)
    rule: str = Field(max_length=20)
    mode: str = Field(default=SECRET, max_length=10)
    unit: str = Field(default="", max_length=20)
    settings: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    eligibility: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    member_since: datetime = instant()
    tallies_live: bool = False
    opens_at: datetime = instant()
    closes_at: datetime = instant()
    reminder_hours: int = 24
    announced_at: datetime | None = instant(nullable=True)
    reminded_at: datetime | None = instant(nullable=True)
    seed: str = Field(max_length=64)
    tie_order: list[str] = Field(default_factory=list, sa_type=JSON)
    made_by: int = refers("person.id")
    live_tally: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    cancelled_at: datetime | None = instant(nullable=True)
    counted_at: datetime | None = instant(nullable=True)
    version: int = 1


class BallotOption(SQLModel, table=True):
    """A solution on a ballot: frozen while that is open, and kept in the log as it was."""

    __tablename__ = "ballot_option"

    ballot_id: int = Field(primary_key=True, sa_type=Key, foreign_key="ballot.id")
    solution_id: int = Field(primary_key=True, sa_type=Key, foreign_key="solution.id", index=True)
    programme_id: int = refers("programme.id")
    position: int = 0


class BallotChange(SQLModel, table=True):
    """A coordinator has extended a ballot or closed it early; the reason is shown to all."""

    __tablename__ = "ballot_change"
    __table_args__ = (Index("ix_ballot_change_ballot_id", "ballot_id"),)

    id: int | None = key()
    programme_id: int = refers("programme.id")
    ballot_id: int = refers("ballot.id")
    kind: str = Field(max_length=20)
    reason: str = Field(max_length=1000)
    closed_at: datetime = instant()
    closes_at: datetime = instant()
    changed_by: int = refers("person.id")
    changed_at: datetime = instant()


class BallotResult(SQLModel, table=True):
    """What was counted, once: `result` by the rule, what else the page shows, and the published log but its votes."""

    __tablename__ = "ballot_result"

    ballot_id: int = Field(primary_key=True, sa_type=Key, foreign_key="ballot.id")
    programme_id: int = refers("programme.id")
    result: dict[str, Any] = Field(sa_type=JSON)
    beside: dict[str, Any] = Field(sa_type=JSON)
    head: dict[str, Any] = Field(sa_type=JSON)
    tree: dict[str, Any] = Field(sa_type=JSON)
    signature: dict[str, Any] = Field(sa_type=JSON)


class PublishedVote(SQLModel, table=True):
    """A vote in the published log, in shuffled order; `voter` only where votes are open.

    `leaf_hash` is that of its leaf in the log's tree, so that a receipt is proved without hashing all votes again.
    """

    __tablename__ = "published_vote"
    __table_args__ = (
        Index("ix_published_vote_receipt", "ballot_id", "receipt", unique=True),
        {"sqlite_with_rowid": False},
    )

    ballot_id: int = Field(primary_key=True, sa_type=Key, foreign_key="ballot.id")
    position: int = Field(primary_key=True, sa_type=Key)
    programme_id: int = refers("programme.id")
    receipt: str = Field(max_length=40)
    sector: str = Field(max_length=40)
    choice: str = Field(sa_type=Text)
    voter: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    leaf_hash: bytes = Field(sa_type=LargeBinary(32))
