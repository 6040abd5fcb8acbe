"""Ways into a programme: an invitation, and a request to join that waits for approval."""

from datetime import datetime

from sqlalchemy import Index, LargeBinary, text
from sqlmodel import Field, SQLModel

from app.models.base import Dated, instant, key, refers


class Invitation(SQLModel, table=True):
    """A place in an organisation for whoever first signs in with its secret address.

    That address is signed with the installation's secret and kept nowhere; `nonce` alone does not make it.

    `provider`: it holds for a sign-in there alone. `email`: where it was sent, which is no key to anything.
    """

    id: int | None = key()
    programme_id: int = refers("programme.id", index=True)
    organisation_id: int = refers("organisation.id")
    role: str = Field(default="participant", max_length=20)
    provider: str | None = Field(default=None, max_length=60)
    name: str = Field(default="", max_length=120)
    email: str | None = Field(default=None, max_length=254)
    nonce: bytes = Field(sa_type=LargeBinary(16))
    created_by: int | None = refers("person.id", nullable=True)
    created_at: datetime = instant()
    expires_at: datetime = instant()
    used_at: datetime | None = instant(nullable=True)
    used_by: int | None = refers("person.id", nullable=True)
    revoked_at: datetime | None = instant(nullable=True)


class JoinRequest(Dated, table=True):
    """Someone whom a provider vouches for and who waits until a coordinator lets them in; nobody yet.

    Its `state`: waiting, approved or declined. Of those that wait there is one for each login and programme.
    """

    __tablename__ = "join_request"
    __table_args__ = (
        Index(
            "ix_join_request_waiting",
            "programme_id",
            "issuer",
            "subject",
            unique=True,
            sqlite_where=text("state = 'waiting'"),
            postgresql_where=text("state = 'waiting'"),
        ),
    )

    id: int | None = key()
    programme_id: int = refers("programme.id")
    provider: str = Field(max_length=60)
    issuer: str = Field(max_length=400)
    subject: str = Field(max_length=255)
    name: str = Field(max_length=120)
    email: str | None = Field(default=None, max_length=254)
    organisation_id: int | None = refers("organisation.id", nullable=True)
    organisation_claim: str = Field(default="", max_length=200)
    state: str = Field(default="waiting", max_length=10)
    reason: str = Field(default="", max_length=1000)
    decided_by: int | None = refers("person.id", nullable=True)
    decided_at: datetime | None = instant(nullable=True)
    person_id: int | None = refers("person.id", nullable=True)
    version: int = 1
