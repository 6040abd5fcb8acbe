"""How a programme runs its exchanges, and who must not go where."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, LargeBinary
from sqlmodel import Field, SQLModel

from app.database import Key
from app.models.base import Dated, instant, key, refers

FIRST_COME, MATCHING, BOTH = "first_come", "matching", "both"
WAYS = (FIRST_COME, MATCHING, BOTH)
"""Places go to who asks first, by a match over wishes, or by both."""

MANAGER, HOST, COORDINATOR, GUEST = "manager", "host", "coordinator", "guest"
APPROVERS = (MANAGER, HOST, COORDINATOR)

MOST_SERVED, STABLE = "most", "stable"
AIMS = (MOST_SERVED, STABLE)


class ExchangeRules(Dated, table=True):
    """What a programme decides about its exchanges. Without a row, `services.exchange_rules` says what is usual.

    `approvals`: who is asked, of `APPROVERS`, one after the other if `in_order`. `checklist`: items
    `{"key", "party", "text"}`. `country` (and `region`): whose public holidays are shown. `zone`: where a day begins.
    """

    __tablename__ = "exchange_rules"

    programme_id: int = Field(primary_key=True, sa_type=Key, foreign_key="programme.id")
    way: str = Field(default=BOTH, max_length=20)
    approvals: list[str] = Field(default_factory=list, sa_type=JSON)
    in_order: bool = True
    checklist: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)
    hold_days: int = 14
    offer_days: int = 3
    link_days: int = 7
    remind_days: int = 3
    country: str = Field(default="SI", max_length=2)
    region: str = Field(default="", max_length=10)
    zone: str = Field(default="Europe/Ljubljana", max_length=60)
    aim: str = Field(default=MOST_SERVED, max_length=10)
    version: int = 1


class ConflictOfInterest(SQLModel, table=True):
    """A person has declared that they must not be a guest of an organisation."""

    __tablename__ = "conflict_of_interest"

    programme_id: int = Field(primary_key=True, sa_type=Key, foreign_key="programme.id")
    person_id: int = Field(primary_key=True, sa_type=Key, foreign_key="person.id", index=True)
    organisation_id: int = Field(primary_key=True, sa_type=Key, foreign_key="organisation.id")
    statement: str = Field(default="", max_length=400)
    declared_at: datetime = instant()


class CalendarFeed(SQLModel, table=True):
    """A secret address at which a calendar is read: one person's stays, or an organisation's. Only its hash is kept."""

    __tablename__ = "calendar_feed"

    id: int | None = key()
    programme_id: int = refers("programme.id")
    person_id: int = refers("person.id", index=True)
    organisation_id: int | None = refers("organisation.id", nullable=True)
    token_hash: bytes = Field(sa_type=LargeBinary(32), unique=True)
    created_at: datetime = instant()
    revoked_at: datetime | None = instant(nullable=True)
