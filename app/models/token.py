"""A personal access token: `pfc_pat_…`, kept only as a hash."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from app.models.base import instant, key, refers


class AccessToken(SQLModel, table=True):
    """`scopes` are words with a space between; `ending` is the token's last four characters, to tell it apart."""

    __tablename__ = "token"

    id: int | None = key()
    person_id: int = refers("person.id", index=True)
    name: str = Field(max_length=80)
    token_hash: bytes = Field(max_length=32, unique=True)
    ending: str = Field(max_length=4)
    scopes: str = Field(max_length=120)
    created_at: datetime = instant()
    expires_at: datetime | None = instant(nullable=True)
    used_at: datetime | None = instant(nullable=True)
    revoked_at: datetime | None = instant(nullable=True)
