"""Webhooks, their deliveries and replays, as the API takes and gives them."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from app.schemas.base import Change, Given, Instant, Item, Taken, text

WebhookState = Literal["active", "failing", "off"]
DeliveryState = Literal["waiting", "delivered", "dead"]
CallError = Literal["timeout", "address", "unreachable", "tls", "broken", "redirect", "gone", "status"]
MOST_TYPES = 1000
"""Types in one body; a service takes fewer."""

_ADDRESS = "An https address that everyone on the internet can reach; it is looked at again with each call."
_TYPES = "Types of events (`idea.posted`), nouns (`idea`: all that happens to ideas), or `*`: all."


class WebhookDraft(Taken):
    """A webhook to be made."""

    name: str = text(80, "What it is called.", "Intranet", least=1)
    address: str = text(2000, _ADDRESS, "https://intranet.example/partnership", least=1)
    types: list[str] = Field(max_length=MOST_TYPES, description=_TYPES, examples=[["idea", "ballot.closed"]])


class WebhookChange(Change):
    """What is to be different."""

    name: str = text(80, "What it is called.", "Intranet", least=1, default="")
    address: str = text(2000, _ADDRESS, "https://intranet.example/partnership", least=1, default="")
    types: list[str] = Field(default_factory=list, max_length=MOST_TYPES, description=_TYPES)
    active: bool = Field(
        default=True,
        description="Off: nothing is sent. On again: it is told of what happens from then on, in your right.",
    )


class WebhookItem(Item):
    """An address that is told of a programme's events; for coordinators."""

    programme: int
    name: str
    address: str
    types: list[str]
    owner: int = Field(description="The person in whose right it is told; whoever last switched it on.")
    active: bool
    state: WebhookState = Field(description="`failing`: a message was given up, and none was taken since.")
    stopped_at: datetime | None
    stopped_why: Literal["person", "gone", "right", "secret"] | None = Field(
        description="Switched off; its receiver said 410; its owner may not any more; its secret cannot be read."
    )
    failures: int = Field(description="Tries that failed since the last message that was taken.")
    failing_since: datetime | None
    paused_until: datetime | None = Field(description="The receiver has asked for patience until then.")
    delivered_at: datetime | None = Field(description="When a message was last taken, to the minute.")
    waiting: int = Field(description="Messages on their way.")
    dead: int = Field(description="Messages that were given up and can be replayed.")
    secret: str | None = Field(description="Told once, by the answer that made it.")
    previous_secret_until: datetime | None = Field(
        description="Until then messages are signed by the secret from before as well."
    )
    version: int


class WebhookList(Given):
    """A page of webhooks."""

    items: list[WebhookItem]
    next: str | None


class RequestItem(Given):
    """What was sent, without its signatures."""

    headers: dict[str, str]
    body: str


class AnswerItem(Given):
    """What the receiver answered: some of its headers, and its first 1000 bytes."""

    status: int
    headers: dict[str, str]
    body: str


class TryItem(Given):
    """One try in short."""

    at: datetime
    status: int | None
    error: CallError | None
    took_ms: int


class DeliveryItem(Item):
    """One message to a webhook; request and answer are those of the last try."""

    programme: int
    webhook: int
    event: int | None = Field(description="The id of the event; null for a test call.")
    message: str = Field(description="The `webhook-id`: the same however often it is sent.")
    type: str
    state: DeliveryState
    tries: int = Field(description="Since it was made, or last replayed.")
    next_try_at: datetime | None
    tried_at: datetime | None
    took_ms: int | None
    error: CallError | None
    reason: str | None = Field(description="The error in words, in your language.")
    request: RequestItem | None
    answer: AnswerItem | None
    history: list[TryItem] = Field(description="The last 20 tries, the oldest first.")


class DeliveryList(Given):
    """A page of deliveries, the newest first."""

    items: list[DeliveryItem]
    next: str | None


class ReplayDraft(Taken):
    """The stretch of the log that is to go out once more."""

    start: Instant = Field(alias="from", description="Events from then on.")
    end: Instant | None = Field(default=None, alias="to", description="And before then; null: until now.")


class ReplayItem(Item):
    """A replay, and how many messages it has put on their way so far."""

    webhook: int
    start: datetime = Field(alias="from")
    end: datetime = Field(alias="to")
    state: Literal["running", "done"]
    deliveries: int


class ReplayList(Given):
    """A page of replays, the newest first."""

    items: list[ReplayItem]
    next: str | None
