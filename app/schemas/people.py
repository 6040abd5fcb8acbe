"""People, as the API gives them."""

from typing import Literal

from pydantic import Field

from app.schemas.base import Given, Item


class MembershipItem(Given):
    """A person's place in a programme."""

    programme: int
    role: Literal["participant", "facilitator", "host", "sponsor", "coordinator", "observer"]
    organisation: int
    sector: str = Field(examples=["public"])


class Me(Item):
    """The person that the token belongs to."""

    name: str
    email: str | None
    language: str | None
    memberships: list[MembershipItem]
    scopes: list[str] = Field(description="What this token may be used for.", examples=[["read", "write"]])
