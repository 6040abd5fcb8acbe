"""People, their places and their roles, as the API takes and gives them to those who run a programme."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from app.schemas.base import Change, Day, Given, Item, Reference, Taken

PlaceRole = Literal["participant", "facilitator", "host", "sponsor", "coordinator", "observer"]
GivenRole = Literal["facilitator", "host", "sponsor", "coordinator", "organisation_administrator"]
PlaceState = Literal["here", "left", "disabled"]


class ParticipantItem(Given):
    """Someone who takes part in a programme, as everyone there sees them."""

    id: int = Field(description="The person's number.")
    url: str = Field(description="The page for people.")
    programme: int
    name: str
    role: PlaceRole
    organisation: int
    sector: str = Field(description="The key of its sector.", examples=["public"])
    since: datetime


class ParticipantList(Given):
    """A page of people who take part."""

    items: list[ParticipantItem]
    next: str | None


class PlaceItem(Item):
    """Someone's place in a programme, as those see it who run it or administer its organisation."""

    person: int
    name: str
    email: str | None = Field(description="Null where it is not your affair, as of those who have left.")
    programme: int
    organisation: int
    sector: str
    role: PlaceRole
    ended_at: datetime | None
    disabled_at: datetime | None = Field(description="Since when the person may not sign in.")
    version: int


class PlaceList(Given):
    """A page of places, the newest first."""

    items: list[PlaceItem]
    next: str | None


class PlaceChange(Change):
    """Another role for a place."""

    role: PlaceRole


class MoveDraft(Taken):
    """Where someone goes on, as after a change of employer."""

    organisation: Reference


class PersonItem(Item):
    """A person as those see them who run what they take part in."""

    name: str
    email: str | None
    administrator_since: datetime | None
    disabled_at: datetime | None
    places: list[int] = Field(description="Their places that are your affair, the newest first.")
    sessions: int = Field(description="In how many browsers they are signed in.")
    tokens: int
    seen_at: datetime | None
    version: int


class NameItem(Item):
    """A person who has a place nowhere."""

    name: str
    email: str | None
    administrator_since: datetime | None
    disabled_at: datetime | None
    version: int


class NameList(Given):
    """A page of people who have a place nowhere."""

    items: list[NameItem]
    next: str | None


class AdministratorItem(Given):
    """An instance administrator."""

    id: int
    url: str = Field(description="The page for people.")
    name: str
    since: datetime


class AdministratorList(Given):
    """The instance administrators."""

    items: list[AdministratorItem]
    next: str | None


class AssignmentDraft(Taken):
    """A role besides that of a place: `host` and `organisation_administrator` are for one `organisation`."""

    role: GivenRole
    organisation: Reference | None = Field(None, description="For this organisation alone.")
    challenge: Reference | None = Field(None, description="For this challenge alone.")
    last_day: Day | None = Field(None, description="The last day on which it holds.")


class AssignmentItem(Given):
    """A role that someone has besides that of their place."""

    id: int
    url: str = Field(description="The page for people.")
    programme: int
    person: int
    name: str
    role: str
    organisation: int | None
    challenge: int | None
    starts_at: datetime
    ends_at: datetime | None
    created_at: datetime


class AssignmentList(Given):
    """A page of roles besides places."""

    items: list[AssignmentItem]
    next: str | None


class DelegationDraft(Taken):
    """What you lend while you are away: the role of your place, or with `assignment` the one that you have besides."""

    person: Reference = Field(description="To whom.")
    assignment: Reference | None = Field(None, description="The role besides your place that you lend.")
    first_day: Day | None = Field(None, description="The first day; left out: today.")
    last_day: Day


class DelegationItem(AssignmentItem):
    """A role that someone holds in another's absence."""

    lender: int
    lender_name: str
    ended_at: datetime | None = Field(description="When it was ended before its time.")


class DelegationList(Given):
    """A page of roles that are lent."""

    items: list[DelegationItem]
    next: str | None
