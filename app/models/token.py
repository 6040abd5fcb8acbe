"""Access of programs: tokens (`pfc_…`), kept only as hashes, and the clients of machines."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel

from app.database import Key
from app.models.base import Dated, instant, key, refers


class AccessToken(SQLModel, table=True):
    """`scopes` are words with a space between; `ending` is the token's last four characters, to tell it apart.

    `programme_id` and `organisation_id`: it is good there alone. `client_id`: one that a machine got for an hour.
    `made_with`: the number of the token with which it was made, and with which it ends.
    """

    __tablename__ = "token"

    id: int | None = key()
    person_id: int = refers("person.id", index=True)
    client_id: int | None = refers("client.id", nullable=True, index=True)
    programme_id: int | None = refers("programme.id", nullable=True)
    organisation_id: int | None = refers("organisation.id", nullable=True)
    made_with: int | None = Field(default=None, sa_type=Key, index=True)
    name: str = Field(max_length=80)
    token_hash: bytes = Field(max_length=32, unique=True)
    ending: str = Field(max_length=4)
    scopes: str = Field(max_length=120)
    created_at: datetime = instant()
    expires_at: datetime | None = instant(nullable=True)
    used_at: datetime | None = instant(nullable=True)
    revoked_at: datetime | None = instant(nullable=True)


class Client(Dated, table=True):
    """A machine that gets tokens by OAuth 2.0 client credentials, as `person_id`, which stands for it.

    `auth_method`: `client_secret` (its SHA-256 is kept; while it is changed, the one before holds until
    `previous_until`) or `private_key_jwt` (`public_keys`, as a JWK set).
    """

    id: int | None = key()
    client_id: str = Field(max_length=60, unique=True)
    name: str = Field(max_length=80)
    person_id: int = refers("person.id", index=True)
    programme_id: int = refers("programme.id", index=True)
    organisation_id: int | None = refers("organisation.id", nullable=True)
    scopes: str = Field(max_length=120)
    auth_method: str = Field(max_length=20)
    secret_hash: bytes | None = Field(default=None, sa_type=LargeBinary(32))
    secret_ending: str = Field(default="", max_length=4)
    previous_secret_hash: bytes | None = Field(default=None, sa_type=LargeBinary(32))
    previous_until: datetime | None = instant(nullable=True)
    public_keys: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    created_by: int = refers("person.id")
    expires_at: datetime | None = instant(nullable=True)
    used_at: datetime | None = instant(nullable=True)
    revoked_at: datetime | None = instant(nullable=True)
    version: int = 1


class UsedAssertion(SQLModel, table=True):
    """The `jti` of an assertion by which a client has proved itself, as a SHA-256: it is good for one use."""

    __tablename__ = "used_assertion"
    __table_args__ = (UniqueConstraint("client_id", "jti_hash"),)

    id: int | None = key()
    client_id: int = refers("client.id")
    jti_hash: bytes = Field(sa_type=LargeBinary(32))
    expires_at: datetime = instant()
