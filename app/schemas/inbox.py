"""What waits for someone, what is theirs, and what they were told, as the API gives it."""

from datetime import date, datetime

from pydantic import Field

from app.schemas.base import Given, Item
from app.schemas.bookings import Role, State
from app.schemas.moderation import MergeItem


class AwaitedBallot(Given):
    """A ballot on which the caller can vote and has not."""

    id: int
    url: str = Field(description="The page for people.")
    programme: int
    challenge: int
    title: str
    closes_at: datetime


class AwaitedBooking(Given):
    """A stay on which the caller has to act."""

    id: int
    url: str = Field(description="The page for people.")
    programme: int
    placement: int
    title: str = Field(description="The placement's.")
    first_day: date
    last_day: date
    state: State
    guest: str
    roles: list[Role] = Field(description="As what the caller is waited for.")
    expires_at: datetime | None


class InboxItem(Given):
    """What waits for the caller, each kind in the order in which it presses."""

    url: str = Field(description="The page for people.")
    merges: list[MergeItem] = Field(description="Those that ask for the caller's consent.")
    ballots: list[AwaitedBallot]
    bookings: list[AwaitedBooking]


class OwnIdeaItem(Item):
    """An idea of the caller's own; an anonymous one too."""

    programme: int
    challenge: int
    title: str
    language: str
    anonymous: bool
    state: str
    version: int


class OwnIdeaList(Given):
    """A page of the caller's own ideas."""

    items: list[OwnIdeaItem]
    next: str | None


class NoticeItem(Given):
    """What the caller was told, and where to look; in their language."""

    id: int
    url: str = Field(description="The page that it is about.")
    programme: int
    kind: str = Field(description="What it tells of, as a word for programs.")
    subject: str
    message: str
    created_at: datetime


class NoticeList(Given):
    """A page of notices that are not marked as read, the newest first."""

    items: list[NoticeItem]
    next: str | None
