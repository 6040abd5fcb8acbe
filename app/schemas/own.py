"""What is one's own, as the API takes and gives it: name and address, tokens, sessions, logins, consents, copies."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from app.schemas.base import Change, Given, Reference, Taken, text, whole

TokenScope = Literal["read", "write", "vote", "book", "admin"]


class MeChange(Change):
    """What you correct of yourself."""

    name: str = text(120, "The name that others see; empty: the one that your provider tells.", default="")
    email: str | None = text(
        254,
        "Where notices go; only where your provider tells no address.",
        "ana@ministry.example",
        default=None,
    )
    language: Literal["en", "sl"] = Field("en", description="In which language you read.")


class TokenDraft(Taken):
    """A token for another program of yours. It can do no more than the one with which you ask, and ends with it."""

    name: str = text(80, "What it is for.", "Monthly report", least=1)
    scopes: list[TokenScope] = Field(description="Any but `admin`: that takes a fresh sign-in on your page.")
    days: int = whole(
        1, 366, "How long it is good, and never longer than the one with which you ask.", default=90
    )
    programme: Reference | None = Field(None, description="Good in this programme alone.")
    organisation: Reference | None = Field(None, description="Good as part of this organisation alone.")


class TokenItem(Given):
    """One of your access tokens."""

    id: int
    url: str = Field(description="The page for people.")
    name: str
    ending: str = Field(description="Its last four characters, to tell it apart.")
    scopes: list[str]
    programme: int | None
    organisation: int | None
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None


class TokenMade(TokenItem):
    """A token that was just made."""

    token: str | None = Field(description="Told this once; null when the same request comes again.")


class TokenList(Given):
    """Your access tokens in force, the newest first."""

    items: list[TokenItem]
    next: str | None


class SessionItem(Given):
    """A browser in which you are signed in."""

    id: int
    url: str = Field(description="The page for people.")
    browser: str
    system: str
    provider: str
    began_at: datetime
    seen_at: datetime
    ends_at: datetime


class SessionList(Given):
    """The browsers in which you are signed in, the one seen last first."""

    items: list[SessionItem]
    next: str | None


class LoginItem(Given):
    """A login by which you are known."""

    id: int
    url: str = Field(description="The page for people.")
    provider: str
    issuer: str
    created_at: datetime
    used_at: datetime


class LoginList(Given):
    """The logins by which you are known, the oldest first."""

    items: list[LoginItem]
    next: str | None


class ConsentItem(Given):
    """A purpose for which you are asked for consent, in your language."""

    programme: int
    url: str = Field(description="The page for people, where you agree.")
    purpose: str
    version: int = Field(description="Of the words.")
    title: str
    text: str
    given_at: datetime | None


class ConsentList(Given):
    """What you are asked to agree to."""

    items: list[ConsentItem]
    next: str | None


class DataKind(Given):
    """A kind of data that is kept about you, in your language."""

    key: str
    title: str
    holds: str
    why: str
    kept: str
    ground: str
    erased: str = Field(description="What erasing does to it.")
    count: int


class DataItem(Given):
    """What is kept about you, why and how long."""

    url: str = Field(description="The page for people.")
    kinds: list[DataKind]


class CopyItem(Given):
    """A copy of your data: asked for, made, fetched on the page after a fresh sign-in."""

    id: int
    url: str = Field(description="Where you fetch it, in a browser.")
    state: Literal["waiting", "ready", "failed", "expired"]
    size_bytes: int
    created_at: datetime
    ready_at: datetime | None
    expires_at: datetime | None


class CopyList(Given):
    """Copies of your data, the newest first."""

    items: list[CopyItem]
    next: str | None
