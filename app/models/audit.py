"""The audit log: who did what to whom, in a chain in which no link can be changed unseen."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, LargeBinary
from sqlmodel import Field, SQLModel

from app.database import Key
from app.models.base import instant, key, refers

DONE, REFUSED = "done", "refused"


class AuditEntry(SQLModel, table=True):
    """`action` is `<noun>.<what happened>`; `data` holds ids and words of ours, never text of people.

    `hash` is the SHA-256 of the entry and of the hash before it; `services.audit` says how.
    """

    __tablename__ = "audit_entry"
    __table_args__ = (
        Index("ix_audit_entry_programme_id_id", "programme_id", "id"),
        Index("ix_audit_entry_organisation_id_id", "organisation_id", "id"),
    )

    id: int | None = key()
    programme_id: int | None = refers("programme.id", nullable=True)
    organisation_id: int | None = refers("organisation.id", nullable=True)
    actor_id: int | None = refers("person.id", nullable=True, index=True)
    client_id: int | None = refers("client.id", nullable=True)
    action: str = Field(max_length=60)
    outcome: str = Field(default=DONE, max_length=10)
    subject: str = Field(default="", max_length=40)
    subject_id: int | None = Field(default=None, sa_type=Key)
    data: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    created_at: datetime = instant()
    previous: bytes = Field(sa_type=LargeBinary(32))
    hash: bytes = Field(sa_type=LargeBinary(32), unique=True)
