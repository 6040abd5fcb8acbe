"""An organisation: a ministry, agency or company, in exactly one sector."""

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from app.models.base import Dated, instant, key, refers


class Organisation(Dated, table=True):
    """A member of one programme."""

    __table_args__ = (UniqueConstraint("programme_id", "name"),)

    id: int | None = key()
    programme_id: int = refers("programme.id")
    sector_id: int = refers("sector.id", index=True)
    name: str = Field(max_length=160)
    number: str | None = Field(default=None, max_length=40)
    version: int = 1


class OrganisationDomain(SQLModel, table=True):
    """An internet domain of an organisation; it counts only once `verified_at` is set."""

    __tablename__ = "organisation_domain"
    __table_args__ = (UniqueConstraint("programme_id", "domain"),)

    id: int | None = key()
    programme_id: int = refers("programme.id")
    organisation_id: int = refers("organisation.id", index=True)
    domain: str = Field(max_length=253)
    verified_at: datetime | None = instant(nullable=True)


class OrganisationIdentity(SQLModel, table=True):
    """How an identity provider names an organisation: `value` of the claim that we trust from `issuer`."""

    __tablename__ = "organisation_identity"
    __table_args__ = (UniqueConstraint("programme_id", "issuer", "value"),)

    id: int | None = key()
    programme_id: int = refers("programme.id")
    organisation_id: int = refers("organisation.id", index=True)
    issuer: str = Field(max_length=400)
    value: str = Field(max_length=200)
