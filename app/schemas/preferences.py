"""Whom hosts would rather have, as the API takes and gives it."""

from pydantic import Field

from app.schemas.base import Given, Reference, Taken


class PreferencesDraft(Taken):
    """Whom a host would rather have, the first one most."""

    people: list[Reference] = Field(
        max_length=500, description="Of those who wish to come, each once; an empty list: all alike."
    )


class WishingItem(Given):
    """Someone who wishes to come."""

    person: int
    name: str
    organisation: str
    rank: int | None = Field(description="Where the host puts them, from 1; null: not named.")


class PreferencesItem(Given):
    """Who wishes for a placement or its host: first those whom the host has named, in its order, then by name."""

    placement: int
    url: str = Field(description="The page for people.")
    people: list[WishingItem]
