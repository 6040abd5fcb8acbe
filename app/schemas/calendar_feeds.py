"""Calendar feeds, as the API takes and gives them."""

from datetime import datetime

from pydantic import Field

from app.schemas.base import Given, Reference, Taken


class FeedDraft(Taken):
    """A calendar address to make."""

    organisation: Reference | None = Field(
        default=None,
        description="For all who come to it and go from it; null: for your own stays and those whom you receive.",
    )


class FeedItem(Given):
    """A calendar address that is good now. Of the address itself only a hash is kept."""

    id: int
    url: str = Field(description="The page for people.")
    programme: int
    organisation: int | None
    created_at: datetime


class NewFeedItem(FeedItem):
    """A calendar address that was just made."""

    address: str | None = Field(
        description="The secret address, for a calendar program; told this once. Null where the request came again."
    )


class FeedList(Given):
    """A page of calendar addresses, the newest first."""

    items: list[FeedItem]
    next: str | None
