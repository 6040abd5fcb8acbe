"""One's own data: taken along, agreed to, kept for how long, and erased."""

from datetime import datetime

from sqlalchemy import Index, LargeBinary, text
from sqlmodel import Field, SQLModel

from app.database import Key
from app.models.base import Dated, instant, key, refers


class DataExport(SQLModel, table=True):
    """A person's own data in a zip, made by a job: waiting, ready or failed; `content` goes when it expires."""

    __tablename__ = "data_export"

    id: int | None = key()
    person_id: int = refers("person.id", index=True)
    state: str = Field(default="waiting", max_length=10)
    content: bytes | None = Field(default=None, sa_type=LargeBinary)
    size_bytes: int = 0
    created_at: datetime = instant()
    ready_at: datetime | None = instant(nullable=True)
    expires_at: datetime | None = instant(nullable=True)
    fetched_at: datetime | None = instant(nullable=True)


class Consent(SQLModel, table=True):
    """A person agrees to one purpose, in the words of one version; taken back, never deleted before an erasure."""

    __table_args__ = (
        Index(
            "ix_consent_now",
            "person_id",
            "programme_id",
            "purpose",
            unique=True,
            sqlite_where=text("withdrawn_at IS NULL"),
            postgresql_where=text("withdrawn_at IS NULL"),
        ),
    )

    id: int | None = key()
    person_id: int = refers("person.id")
    programme_id: int = refers("programme.id")
    purpose: str = Field(max_length=40)
    version: int = 1
    given_at: datetime = instant()
    withdrawn_at: datetime | None = instant(nullable=True)


class RetentionRules(Dated, table=True):
    """How long a programme keeps what is personal. Without a row, `services.retention` says what is usual."""

    __tablename__ = "retention_rules"

    programme_id: int = Field(primary_key=True, sa_type=Key, foreign_key="programme.id")
    months_after_leaving: int = 24
    months_unused: int = 36
    days_of_requests: int = 90
    months_of_audit: int = 60
    version: int = 1


class Erasure(SQLModel, table=True):
    """A person was erased, asked for by themselves, by an administrator, or by nobody: the clock."""

    id: int | None = key()
    person_id: int = Field(sa_type=Key, foreign_key="person.id", unique=True)
    asked_by: int | None = refers("person.id", nullable=True)
    reason: str = Field(max_length=20)
    created_at: datetime = instant()
