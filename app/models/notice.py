"""A notice: what a person was told, on their own page and by mail."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index
from sqlmodel import Field, SQLModel

from app.models.base import instant, key, refers


class Notice(SQLModel, table=True):
    """`kind` chooses the words, such as `idea_hidden`; `data` fills them with ids and what was stated."""

    __table_args__ = (Index("ix_notice_person_id_id", "person_id", "id"),)

    id: int | None = key()
    programme_id: int = refers("programme.id")
    person_id: int = refers("person.id")
    kind: str = Field(max_length=40)
    idea_id: int | None = refers("idea.id", nullable=True)
    merge_id: int | None = refers("merge.id", nullable=True)
    ballot_id: int | None = refers("ballot.id", nullable=True)
    booking_id: int | None = refers("booking.id", nullable=True)
    placement_id: int | None = refers("placement.id", nullable=True)
    data: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    created_at: datetime = instant()
    read_at: datetime | None = instant(nullable=True)
