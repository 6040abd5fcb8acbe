"""Webhooks follow the log: events made into deliveries, once as they happen and again in a replay, and pruned when old.

A webhook keeps the id of the last event that it has looked at, so that a vote costs nothing more here, and a worker
that dies loses nothing. Two workers at once make no delivery twice.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, case, delete, func, literal, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from app.database import Transaction
from app.models.webhook import DEAD, WAITING
from app.services import webhooks
from app.services.deliveries import DELIVERY, REPLAY
from app.services.webhooks import EVENT, WEBHOOK

AT_ONCE: Final = 500
"""How many events one piece of work looks at, and how many rows it deletes."""


def behind(connection: Connection) -> Sequence[int]:
    """The ids of the webhooks that have not looked at all events of their programme. One statement."""
    newest = (
        select(func.max(EVENT.c.id)).where(EVENT.c.programme_id == WEBHOOK.c.programme_id).scalar_subquery()
    )
    return (
        connection.execute(
            select(WEBHOOK.c.id).where(is_on(), WEBHOOK.c.position < newest).order_by(WEBHOOK.c.id)
        )
        .scalars()
        .all()
    )


def fan_out(tx: Transaction, webhook_id: int) -> bool:
    """Make deliveries of the next events that a webhook has not looked at; whether there may be more."""
    hook = _held(tx, webhook_id)
    if hook is None:
        return False
    found = tx.execute(
        select(EVENT.c.id, EVENT.c.type, EVENT.c.created_at)
        .where(EVENT.c.programme_id == hook.programme_id, EVENT.c.id > hook.position)
        .order_by(EVENT.c.id)
        .limit(AT_ONCE)
    ).all()
    if not found:
        return False
    tx.execute(update(WEBHOOK).where(WEBHOOK.c.id == webhook_id).values(position=found[-1].id))
    _send(tx, hook, [row for row in found if webhooks.wants(hook.types, row.type)])
    return len(found) == AT_ONCE


def replaying(connection: Connection) -> Sequence[int]:
    """The ids of the replays that are not done. One statement."""
    joined = REPLAY.join(WEBHOOK, WEBHOOK.c.id == REPLAY.c.webhook_id)
    asked = select(REPLAY.c.id).select_from(joined).where(REPLAY.c.finished_at.is_(None), is_on())
    return connection.execute(asked.order_by(REPLAY.c.id)).scalars().all()


def replay(tx: Transaction, replay_id: int) -> bool:
    """Make, or set back, deliveries of the next events of a replay; whether there may be more."""
    asked = tx.execute(select(REPLAY).where(REPLAY.c.id == replay_id).with_for_update()).first()
    hook = None if asked is None or asked.finished_at is not None else _held(tx, asked.webhook_id)
    if hook is None or asked is None:
        return False
    found = tx.execute(
        select(EVENT.c.id, EVENT.c.type, EVENT.c.created_at)
        .where(
            EVENT.c.programme_id == hook.programme_id,
            EVENT.c.id > asked.position,
            EVENT.c.id <= asked.last_id,
        )
        .order_by(EVENT.c.id)
        .limit(AT_ONCE)
    ).all()
    meant = [row for row in found if asked.from_at <= row.created_at < asked.to_at]
    sent = _send(tx, hook, [row for row in meant if webhooks.wants(hook.types, row.type)], again=True)
    is_done = len(found) < AT_ONCE
    values = {
        "position": found[-1].id if found else asked.position,
        "deliveries": asked.deliveries + sent,
        "finished_at": tx.now if is_done else None,
    }
    tx.execute(update(REPLAY).where(REPLAY.c.id == replay_id).values(values))
    return not is_done


def prune(tx: Transaction, *, days: int) -> bool:
    """Delete some of what was sent or died `days` ago, and of what deleted webhooks leave; whether there was any."""
    off = select(WEBHOOK.c.id).where(
        or_(WEBHOOK.c.stopped_at.is_not(None), WEBHOOK.c.deleted_at.is_not(None))
    )
    gone = select(WEBHOOK.c.id).where(WEBHOOK.c.deleted_at.is_not(None))
    before = tx.now - timedelta(days=days)
    is_over = or_(DELIVERY.c.state != WAITING, DELIVERY.c.webhook_id.in_(off))
    old = select(DELIVERY.c.id).where(DELIVERY.c.updated_at < before, is_over).limit(AT_ONCE)
    left = select(DELIVERY.c.id).where(DELIVERY.c.webhook_id.in_(gone)).limit(AT_ONCE)
    found = [*tx.execute(old).scalars(), *tx.execute(left).scalars()]
    if found:
        tx.execute(delete(DELIVERY).where(DELIVERY.c.id.in_(found)))
        return True
    tx.execute(delete(REPLAY).where(or_(REPLAY.c.finished_at < before, REPLAY.c.webhook_id.in_(gone))))
    tx.execute(delete(WEBHOOK).where(WEBHOOK.c.deleted_at.is_not(None)))
    return False


def counts(connection: Connection) -> dict[str, int]:
    """How many webhooks are `active`, `failing` and `off`, and how many deliveries are `waiting` and `dead`."""
    state = case(
        (WEBHOOK.c.stopped_at.is_not(None), "off"),
        (WEBHOOK.c.failing_since.is_not(None), "failing"),
        else_="active",
    )
    rows = connection.execute(
        select(state, func.count()).where(WEBHOOK.c.deleted_at.is_(None)).group_by(state)
    ).all()
    found = {"active": 0, "failing": 0, "off": 0, **{name: count for name, count in rows}}  # noqa: C416
    for name in (WAITING, DEAD):
        is_such = DELIVERY.c.state == literally(name)
        found[name] = connection.execute(
            select(func.count()).select_from(DELIVERY).where(is_such)
        ).scalar_one()
    return found


# within


def literally(word: str) -> Any:
    """A word that stands in the statement itself, so that the index over such rows alone is found."""
    return literal(word, literal_execute=True)


def is_on() -> ColumnElement[bool]:
    """The condition that something is sent to a webhook."""
    return and_(WEBHOOK.c.stopped_at.is_(None), WEBHOOK.c.deleted_at.is_(None))


def _held(tx: Transaction, webhook_id: int) -> Any | None:
    """A webhook that is on, and that no other worker looks after until the commit."""
    return tx.execute(select(WEBHOOK).where(WEBHOOK.c.id == webhook_id, is_on()).with_for_update()).first()


def _send(tx: Transaction, hook: Any, found: Sequence[Any], *, again: bool = False) -> int:
    """Make a delivery of each event; of one that is there already, `again` sets it back. How many there are."""
    if not found:
        return 0
    insert = (sqlite if tx.dialect == "sqlite" else postgresql).insert(DELIVERY)
    same = ["webhook_id", "event_id"]
    fresh = {"state": WAITING, "tries": 0, "next_at": tx.now, "updated_at": tx.now}
    if again:
        insert = insert.on_conflict_do_update(index_elements=same, set_=fresh)
    else:
        insert = insert.on_conflict_do_nothing(index_elements=same)
    common = {"programme_id": hook.programme_id, "webhook_id": hook.id, "history": [], "created_at": tx.now}
    tx.execute(
        insert,
        [
            {"event_id": row.id, "message": _message(hook.id, row), "type": row.type, **common, **fresh}
            for row in found
        ],
    )
    return len(found)


def _message(webhook_id: int, event: Any) -> str:
    """The same for one event however often it is sent, and no other's: after a backup was restored, ids come again."""
    return f"msg_{webhook_id}_{event.id}_{int(event.created_at.timestamp())}"
