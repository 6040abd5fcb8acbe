"""Programmes and their organisations, as the API gives them."""

from typing import Literal

from pydantic import Field

from app.schemas.base import Given, Item


class ProgrammeItem(Item):
    """One run of a partnership in one place."""

    slug: str = Field(examples=["demo"])
    name: str
    description: str
    language: str = Field(examples=["en"])
    visibility: Literal["members", "public"]
    version: int


class ProgrammeList(Given):
    """A page of programmes."""

    items: list[ProgrammeItem]
    next: str | None


class OrganisationItem(Item):
    """A ministry, agency or company, in exactly one sector."""

    programme: int
    name: str
    number: str | None = Field(description="Its number in the public register, if it has one.")
    sector: str = Field(description="The key of its sector.", examples=["public", "business"])
    version: int


class OrganisationList(Given):
    """A page of organisations."""

    items: list[OrganisationItem]
    next: str | None
