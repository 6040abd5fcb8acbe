"""A membership: a person's place and role in a programme; and an assignment: a role besides it."""

from datetime import datetime

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from app.models.base import Dated, instant, key, refers

ROLES = ("participant", "facilitator", "host", "sponsor", "coordinator", "observer")
"""The roles of a membership."""

ORGANISATION_ADMINISTRATOR = "organisation_administrator"
ASSIGNABLE = ("facilitator", "host", "sponsor", "coordinator", ORGANISATION_ADMINISTRATOR)
"""The roles that someone may have besides, by an assignment."""


class Membership(Dated, table=True):
    """One role of one person in one programme, through one organisation; ended, never deleted.

    Of those that have not ended there is one for each person and programme. `is_given`: someone here gave it, by an
    invitation, an approval or a move, so that no claim of a provider has to name the organisation.
    """

    __table_args__ = (
        Index(
            "ix_membership_now",
            "programme_id",
            "person_id",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    id: int | None = key()
    programme_id: int = refers("programme.id")
    person_id: int = refers("person.id", index=True)
    organisation_id: int = refers("organisation.id", index=True)
    sector_id: int = refers("sector.id")
    role: str = Field(default="participant", max_length=20)
    is_given: bool = False
    ended_at: datetime | None = instant(nullable=True)
    version: int = 1


class Assignment(SQLModel, table=True):
    """A role besides that of the membership: for one organisation, one challenge, or all of the programme.

    `delegated_by`: who lends their own role in their absence; then `ends_at` is set. `scim_group_id`: the group of a
    directory that gives it. It counts only while the person has a membership in the programme. Ended, never deleted.
    """

    id: int | None = key()
    programme_id: int = refers("programme.id", index=True)
    person_id: int = refers("person.id", index=True)
    role: str = Field(max_length=40)
    organisation_id: int | None = refers("organisation.id", nullable=True)
    challenge_id: int | None = refers("challenge.id", nullable=True, on_delete="CASCADE")
    delegated_by: int | None = refers("person.id", nullable=True)
    scim_group_id: int | None = refers("scim_group.id", nullable=True)
    starts_at: datetime = instant()
    ends_at: datetime | None = instant(nullable=True)
    created_by: int | None = refers("person.id", nullable=True)
    created_at: datetime = instant()
    ended_at: datetime | None = instant(nullable=True)
