"""The answer that was given to a request, so that the same request can be answered again."""

from datetime import datetime

from sqlalchemy import Text
from sqlmodel import Field, SQLModel

from app.database import Key
from app.models.base import instant


class KeptAnswer(SQLModel, table=True):
    """The first answer to an `Idempotency-Key` of a person; `request_hash` is over method, path and body."""

    __tablename__ = "kept_answer"

    person_id: int = Field(primary_key=True, sa_type=Key, foreign_key="person.id")
    key: str = Field(primary_key=True, max_length=200)
    request_hash: bytes = Field(max_length=32)
    status: int
    location: str | None = Field(default=None, max_length=400)
    etag: str | None = Field(default=None, max_length=80)
    body: str = Field(default="", sa_type=Text)
    created_at: datetime = instant()
