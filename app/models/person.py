"""A person, and the logins by which we know them again."""

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from app.models.base import Dated, instant, key, refers


class Person(Dated, table=True):
    """Someone. `email` is where mail goes, and never a key; `version` grows with every change."""

    id: int | None = key()
    name: str = Field(max_length=120)
    email: str | None = Field(default=None, max_length=254, index=True)
    language: str | None = Field(default=None, max_length=8)
    disabled_at: datetime | None = instant(nullable=True)
    version: int = 1


class Login(SQLModel, table=True):
    """The exact pair of issuer and subject by which a provider vouches for a person."""

    __table_args__ = (UniqueConstraint("issuer", "subject"),)

    id: int | None = key()
    person_id: int = refers("person.id", index=True)
    issuer: str = Field(max_length=400)
    subject: str = Field(max_length=255)
    created_at: datetime = instant()
    used_at: datetime = instant()
