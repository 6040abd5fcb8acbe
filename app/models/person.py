"""A person, and the logins by which we know them again."""

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from app.models.base import Dated, instant, key, refers


class Person(Dated, table=True):
    """Someone. `email` is where mail goes, and never a key; `version` grows with every change.

    `administrator_since`: an instance administrator. `is_machine`: it stands for a client of the API and is no human.
    `name_is_own`, `email_is_own`: they gave it here themselves, so that a sign-in does not overwrite it (a mail address
    only as long as the provider tells none). `warned_at`: when they were told that their data will soon be erased.
    `erased_at`: the row stays for what refers to it, and says nothing of anyone.
    """

    id: int | None = key()
    name: str = Field(max_length=120)
    email: str | None = Field(default=None, max_length=254, index=True)
    language: str | None = Field(default=None, max_length=8)
    name_is_own: bool = False
    email_is_own: bool = False
    administrator_since: datetime | None = instant(nullable=True)
    is_machine: bool = False
    disabled_at: datetime | None = instant(nullable=True)
    warned_at: datetime | None = instant(nullable=True)
    erased_at: datetime | None = instant(nullable=True)
    version: int = 1


class Login(SQLModel, table=True):
    """The exact pair of issuer and subject by which a provider vouches for a person."""

    __table_args__ = (UniqueConstraint("issuer", "subject"),)

    id: int | None = key()
    person_id: int = refers("person.id", index=True)
    provider: str = Field(default="", max_length=60)
    issuer: str = Field(max_length=400)
    subject: str = Field(max_length=255)
    created_at: datetime = instant()
    used_at: datetime = instant()
