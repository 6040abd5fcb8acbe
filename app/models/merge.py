"""A merge: two cards made one, with the consent of the other's author."""

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from app.database import Key
from app.models.base import Dated, instant, key, refers

PROPOSED = "proposed"
ACCEPTED = "accepted"
DECLINED = "declined"
UNDONE = "undone"


class Merge(Dated, table=True):
    """`source_id` goes into `target_id`; `state` is proposed, accepted, declined or undone.

    `asked_id` is whose consent is asked: the author of the idea that the proposer did not write.
    """

    __table_args__ = (Index("ix_merge_source_id", "source_id"), Index("ix_merge_target_id", "target_id"))

    id: int | None = key()
    programme_id: int = refers("programme.id")
    challenge_id: int = refers("challenge.id")
    source_id: int = refers("idea.id")
    target_id: int = refers("idea.id")
    proposed_by: int = refers("person.id")
    asked_id: int = refers("person.id", index=True)
    state: str = Field(default=PROPOSED, max_length=10)
    decided_by: int | None = refers("person.id", nullable=True)
    decided_at: datetime | None = instant(nullable=True)


class Objection(SQLModel, table=True):
    """A supporter does not want their support to go along with a merge; `reason` is told to the facilitators."""

    merge_id: int = Field(primary_key=True, sa_type=Key, foreign_key="merge.id")
    person_id: int = Field(primary_key=True, sa_type=Key, foreign_key="person.id")
    programme_id: int = refers("programme.id")
    reason: str = Field(default="", max_length=1000)
    objected_at: datetime = instant()
