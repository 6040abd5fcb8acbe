"""Webhooks: where the events of a programme are sent, each delivery, and replays of a stretch of the log."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, LargeBinary, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from app.database import Key
from app.models.base import Dated, instant, key, refers

WAITING, DELIVERED, DEAD = "waiting", "delivered", "dead"
STATES = (WAITING, DELIVERED, DEAD)
"""What becomes of a delivery: it is tried until it is taken, or until its tries are used up."""


class Webhook(Dated, table=True):
    """An address that is told of events of the types `types` (exact ones, nouns, or `*`), in the right of `owner_id`.

    `secret` and `previous_secret` are sealed. `position` is the id of the last event that was looked at. `round` counts
    the jobs that deliver. `failures` in a row; `failing_since` a delivery died of them; `not_before`: the receiver
    asked for patience. `stopped_why`: `person`, `gone`, `right` or `secret`.
    """

    id: int | None = key()
    programme_id: int = refers("programme.id", index=True)
    owner_id: int = refers("person.id")
    name: str = Field(max_length=80)
    address: str = Field(max_length=2000)
    types: list[str] = Field(default_factory=list, sa_type=JSON)
    secret: bytes = Field(sa_type=LargeBinary)
    previous_secret: bytes | None = Field(default=None, sa_type=LargeBinary)
    previous_until: datetime | None = instant(nullable=True)
    position: int = Field(sa_type=Key)
    round: int = 0
    failures: int = 0
    failing_since: datetime | None = instant(nullable=True)
    not_before: datetime | None = instant(nullable=True)
    delivered_at: datetime | None = instant(nullable=True)
    stopped_at: datetime | None = instant(nullable=True)
    stopped_why: str | None = Field(default=None, max_length=10)
    deleted_at: datetime | None = instant(nullable=True)
    version: int = 1


class Delivery(SQLModel, table=True):
    """One event on its way to one webhook; without `event_id` a test call. Request and answer are of the last try.

    `message` is the `webhook-id` under which it goes out, however often.
    `history` has a short line for each try: when, the status or what went wrong, and how long it took.
    """

    __table_args__ = (
        UniqueConstraint("webhook_id", "event_id"),
        Index("ix_delivery_webhook_id_id", "webhook_id", "id"),
        Index(
            "ix_delivery_due",
            "webhook_id",
            "next_at",
            sqlite_where=text("state = 'waiting'"),
            postgresql_where=text("state = 'waiting'"),
        ),
        Index(
            "ix_delivery_dead",
            "webhook_id",
            "id",
            sqlite_where=text("state = 'dead'"),
            postgresql_where=text("state = 'dead'"),
        ),
        Index("ix_delivery_updated_at", "updated_at"),
    )

    id: int | None = key()
    programme_id: int = refers("programme.id")
    webhook_id: int = refers("webhook.id")
    event_id: int | None = Field(default=None, sa_type=Key)
    message: str = Field(max_length=60)
    type: str = Field(max_length=60)
    state: str = Field(default=WAITING, max_length=10)
    tries: int = 0
    next_at: datetime | None = instant(nullable=True)
    tried_at: datetime | None = instant(nullable=True)
    took_ms: int | None = None
    error: str | None = Field(default=None, max_length=20)
    request_headers: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    request_body: str | None = Field(default=None, sa_type=Text)
    answer_status: int | None = None
    answer_headers: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    answer_body: str | None = Field(default=None, sa_type=Text)
    history: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)
    created_at: datetime = instant()
    updated_at: datetime = instant()


class WebhookReplay(SQLModel, table=True):
    """The events from `from_at` until before `to_at` go out once more, to `last_id`; those up to `position` have."""

    __tablename__ = "webhook_replay"

    id: int | None = key()
    programme_id: int = refers("programme.id")
    webhook_id: int = refers("webhook.id", index=True)
    asked_by: int = refers("person.id")
    from_at: datetime = instant()
    to_at: datetime = instant()
    last_id: int = Field(sa_type=Key)
    position: int = Field(default=0, sa_type=Key)
    deliveries: int = 0
    created_at: datetime = instant()
    finished_at: datetime | None = instant(nullable=True)
