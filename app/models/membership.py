"""A membership: a person's place and role in a programme."""

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field

from app.models.base import Dated, instant, key, refers

ROLES = ("participant", "facilitator", "host", "sponsor", "coordinator", "observer")


class Membership(Dated, table=True):
    """One role of one person in one programme, through one organisation; ended, never deleted."""

    __table_args__ = (UniqueConstraint("programme_id", "person_id"),)

    id: int | None = key()
    programme_id: int = refers("programme.id")
    person_id: int = refers("person.id", index=True)
    organisation_id: int = refers("organisation.id", index=True)
    sector_id: int = refers("sector.id")
    role: str = Field(default="participant", max_length=20)
    ended_at: datetime | None = instant(nullable=True)
    version: int = 1
