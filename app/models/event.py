"""The event log: one row for each change, the spine that activity, live updates and integrators read."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index
from sqlmodel import Field, SQLModel

from app.database import Key
from app.models.base import instant, key, refers


class Event(SQLModel, table=True):
    """`type` is `<noun>.<what happened>`; ids grow in the order of commits. `data` holds ids, never text of people."""

    __table_args__ = (
        Index("ix_event_programme_id_id", "programme_id", "id"),
        Index("ix_event_challenge_id_id", "challenge_id", "id"),
    )

    id: int | None = key()
    programme_id: int | None = refers("programme.id", nullable=True)
    challenge_id: int | None = refers("challenge.id", nullable=True)
    idea_id: int | None = refers("idea.id", nullable=True)
    type: str = Field(max_length=60)
    actor_id: int | None = refers("person.id", nullable=True)
    subject_id: int | None = Field(default=None, sa_type=Key)
    data: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    created_at: datetime = instant()
