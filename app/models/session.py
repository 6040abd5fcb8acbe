"""A signed-in browser, and a sign-in on its way."""

from datetime import datetime

from sqlalchemy import Index, Text
from sqlmodel import Field, SQLModel

from app.models.base import instant, key, refers


class BrowserSession(SQLModel, table=True):
    """The cookie's value is kept only as a SHA-256; `issuer`, `subject` and `sid` find it for a sign-out there."""

    __tablename__ = "session"
    __table_args__ = (Index("ix_session_issuer_sid", "issuer", "sid"),)

    id: int | None = key()
    token_hash: bytes = Field(max_length=32, unique=True)
    person_id: int = refers("person.id", index=True)
    provider: str = Field(max_length=60)
    issuer: str = Field(max_length=400)
    subject: str = Field(max_length=255)
    sid: str | None = Field(default=None, max_length=255)
    id_token: str | None = Field(default=None, sa_type=Text)
    created_at: datetime = instant()
    seen_at: datetime = instant()
    expires_at: datetime = instant()
    revoked_at: datetime | None = instant(nullable=True)


class SignIn(SQLModel, table=True):
    """A sign-in that has left for its provider: ten minutes, used once, several at a time."""

    __tablename__ = "sign_in"

    id: int | None = key()
    state_hash: bytes = Field(max_length=32, unique=True)
    browser_hash: bytes = Field(max_length=32)
    provider: str = Field(max_length=60)
    nonce: str = Field(max_length=128)
    code_verifier: str = Field(max_length=128)
    next: str = Field(max_length=2000)
    expires_at: datetime = instant()
