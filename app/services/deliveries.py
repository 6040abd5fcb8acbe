"""Deliveries of webhooks, for those who look after them: what was sent and answered, test calls, and sending again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, func, select, update
from sqlalchemy.engine import Connection

from app.database import Transaction
from app.errors import Conflict, FieldError, Invalid, NotFound
from app.lib import secrets
from app.lib.i18n import N_
from app.models import Delivery, WebhookReplay
from app.models.base import table
from app.models.webhook import WAITING
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import may
from app.services import webhooks
from app.services.events import record
from app.services.webhooks import EVENT, WEBHOOK, WebhookView

DELIVERY: Final = table(Delivery)
REPLAY: Final = table(WebhookReplay)

PING: Final = "ping"
"""The type of a test call. It is tried once."""


@dataclass(frozen=True, slots=True)
class DeliveryView:
    """One message to a webhook; request and answer are of its last try, `error` is a word of `integrations.hooks`."""

    id: int
    programme_id: int
    webhook_id: int
    event_id: int | None
    message: str
    type: str
    state: str
    tries: int
    next_at: datetime | None
    tried_at: datetime | None
    took_ms: int | None
    error: str | None
    request_headers: Mapping[str, Any] | None
    request_body: str | None
    answer_status: int | None
    answer_headers: Mapping[str, Any] | None
    answer_body: str | None
    history: Sequence[Mapping[str, Any]]
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class ReplayView:
    """A replay: of what was said from `from_at` until before `to_at`, and how many deliveries it has made so far."""

    id: int
    webhook_id: int
    from_at: datetime
    to_at: datetime
    deliveries: int
    created_at: datetime
    finished_at: datetime | None

    @property
    def state(self) -> str:
        """`running` or `done`."""
        return "running" if self.finished_at is None else "done"


# queries


def of_webhook(
    connection: Connection,
    actor: Actor,
    webhook_id: int,
    *,
    state: str | None = None,
    before: int = 0,
    limit: int = 50,
) -> list[DeliveryView]:
    """The deliveries of a webhook, the newest first, those with ids less than `before`. Two statements.

    :raises NotFound: there is no such webhook, or the actor does not look after it
    """
    webhooks.find(connection, actor, webhook_id)
    asked = _select().where(DELIVERY.c.webhook_id == webhook_id)
    if state is not None:
        asked = asked.where(DELIVERY.c.state == state)
    if before:
        asked = asked.where(DELIVERY.c.id < before)
    return [_view(row) for row in connection.execute(asked.order_by(DELIVERY.c.id.desc()).limit(limit))]


def find(connection: Connection, actor: Actor, id: int) -> DeliveryView:
    """One delivery. One statement.

    :raises NotFound: there is none, or the actor does not look after its webhook
    """
    row = connection.execute(_select().where(DELIVERY.c.id == id)).first()
    if row is None or not may(actor, Permission.MANAGE_WEBHOOKS, row):
        raise NotFound(N_("There is no such delivery, or it is not open to you."))
    return _view(row)


def replays(
    connection: Connection, actor: Actor, webhook_id: int, *, before: int = 0, limit: int = 50
) -> list[ReplayView]:
    """The replays of a webhook, the newest first, those with ids less than `before`. Two statements.

    :raises NotFound: there is no such webhook, or the actor does not look after it
    """
    webhooks.find(connection, actor, webhook_id)
    asked = select(*_OF_REPLAY).where(REPLAY.c.webhook_id == webhook_id)
    if before:
        asked = asked.where(REPLAY.c.id < before)
    return [ReplayView(*row) for row in connection.execute(asked.order_by(REPLAY.c.id.desc()).limit(limit))]


# verbs


def test(tx: Transaction, actor: Actor, webhook_id: int) -> int:
    """Send a test call, within seconds; the id of its delivery.

    :raises NotFound: there is no such webhook, or the actor does not look after it
    :raises Conflict: the webhook is off
    """
    hook = _held(tx, actor, webhook_id)
    values = {
        "programme_id": hook.programme_id,
        "webhook_id": hook.id,
        "message": f"msg_{hook.id}_ping_{secrets.new_hex()[:12]}",
        "type": PING,
        "state": WAITING,
        "tries": 0,
        "next_at": tx.now,
        "history": [],
        "created_at": tx.now,
        "updated_at": tx.now,
    }
    id = int(tx.execute(DELIVERY.insert().values(values).returning(DELIVERY.c.id)).scalar_one())
    _record(tx, actor, hook, "webhook.tested", {"delivery_id": id})
    return id


def replay(tx: Transaction, actor: Actor, id: int) -> None:
    """Send one message again, under its old id; its tries are counted anew.

    :raises NotFound: there is no such delivery, or the actor does not look after its webhook
    :raises Conflict: the webhook is off
    """
    delivery = find(tx.connection, actor, id)
    hook = _held(tx, actor, delivery.webhook_id)
    again = {"state": WAITING, "tries": 0, "next_at": tx.now, "updated_at": tx.now}
    tx.execute(update(DELIVERY).where(DELIVERY.c.id == id).values(again))
    _record(tx, actor, hook, "webhook.replayed", {"delivery_id": id})


def replay_range(
    tx: Transaction, actor: Actor, webhook_id: int, *, from_at: datetime, to_at: datetime | None = None
) -> int:
    """Send what happened from `from_at` until before `to_at` (now) once more, whether it was sent before or not.

    :raises NotFound: there is no such webhook, or the actor does not look after it
    :raises Invalid: the end does not come after the beginning
    :raises Conflict: the webhook is off, or another replay of it still runs
    """
    hook = _held(tx, actor, webhook_id)
    until = tx.now if to_at is None else to_at
    if from_at >= until:
        raise Invalid(FieldError("from", N_("Please let it begin before it ends, and before now.")))
    running = select(REPLAY.c.id).where(REPLAY.c.webhook_id == hook.id, REPLAY.c.finished_at.is_(None))
    if tx.execute(running.limit(1)).first() is not None:
        raise Conflict(N_("Another replay of this webhook still runs. Please wait for its end."))
    newest = select(func.max(EVENT.c.id)).where(EVENT.c.programme_id == hook.programme_id)
    values = {
        "programme_id": hook.programme_id,
        "webhook_id": hook.id,
        "asked_by": actor.person_id,
        "from_at": from_at,
        "to_at": until,
        "last_id": tx.execute(newest).scalar() or 0,
        "position": 0,
        "deliveries": 0,
        "created_at": tx.now,
    }
    id = int(tx.execute(REPLAY.insert().values(values).returning(REPLAY.c.id)).scalar_one())
    _record(tx, actor, hook, "webhook.replayed", {"replay_id": id})
    return id


def _held(tx: Transaction, actor: Actor, webhook_id: int) -> WebhookView:
    hook = webhooks.hold(tx, actor, webhook_id)
    webhooks.require_on(hook)
    return hook


def _record(tx: Transaction, actor: Actor, hook: WebhookView, type: str, data: dict[str, Any]) -> None:
    record(tx, type, actor, programme_id=hook.programme_id, subject_id=hook.id, data=data)


_OF_REPLAY: Final = tuple(REPLAY.c[name] for name in ReplayView.__slots__)


def _select() -> Select[Any]:
    columns = [DELIVERY.c[name] for name in DeliveryView.__slots__]
    joined = DELIVERY.join(WEBHOOK, WEBHOOK.c.id == DELIVERY.c.webhook_id)
    return select(*columns).select_from(joined).where(WEBHOOK.c.deleted_at.is_(None))


def _view(row: Any) -> DeliveryView:
    return DeliveryView(*row)
