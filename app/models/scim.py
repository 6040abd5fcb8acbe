"""What an organisation's directory keeps up to date here by SCIM 2.0: its people and groups."""

from datetime import datetime

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from app.models.base import Dated, instant, key, refers


class ScimUser(Dated, table=True):
    """Someone whom a directory has told of. `external_id` is how it knows them, and what a trusted claim may repeat.

    `person_id` is set once they are known here by a login, or made by the directory's own trusted claim.
    """

    __tablename__ = "scim_user"
    __table_args__ = (
        UniqueConstraint("organisation_id", "user_name"),
        Index(
            "ix_scim_user_external_id",
            "organisation_id",
            "external_id",
            unique=True,
            sqlite_where=text("external_id IS NOT NULL"),
            postgresql_where=text("external_id IS NOT NULL"),
        ),
    )

    id: int | None = key()
    programme_id: int = refers("programme.id")
    organisation_id: int = refers("organisation.id")
    person_id: int | None = refers("person.id", nullable=True, index=True)
    external_id: str | None = Field(default=None, max_length=255)
    user_name: str = Field(max_length=254)
    given_name: str = Field(default="", max_length=120)
    family_name: str = Field(default="", max_length=120)
    display_name: str = Field(default="", max_length=120)
    email: str | None = Field(default=None, max_length=254)
    active: bool = True
    deactivated_at: datetime | None = instant(nullable=True)
    version: int = 1


class ScimGroup(Dated, table=True):
    """A group of a directory. `role`: what its members are here, if a coordinator said so."""

    __tablename__ = "scim_group"
    __table_args__ = (UniqueConstraint("organisation_id", "display_name"),)

    id: int | None = key()
    programme_id: int = refers("programme.id")
    organisation_id: int = refers("organisation.id")
    external_id: str | None = Field(default=None, max_length=255)
    display_name: str = Field(max_length=160)
    role: str | None = Field(default=None, max_length=40)
    version: int = 1


class ScimMember(SQLModel, table=True):
    """One user in one group."""

    __tablename__ = "scim_member"
    __table_args__ = (UniqueConstraint("group_id", "user_id"),)

    id: int | None = key()
    programme_id: int = refers("programme.id")
    group_id: int = refers("scim_group.id", on_delete="CASCADE")
    user_id: int = refers("scim_user.id", index=True, on_delete="CASCADE")
