"""Webhooks by the clock: whose turn it is, what is sent, what came of it, and when it is tried again."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, exists, or_, select, update
from sqlalchemy.engine import Connection

from app.database import Transaction
from app.errors import NotFound
from app.integrations import hooks, queue, seal
from app.lib import clock
from app.models.webhook import DEAD, DELIVERED, WAITING
from app.policies.permissions import Permission
from app.policies.rules import may
from app.services import actors, events, memberships, notices, programmes
from app.services.deliveries import DELIVERY, PING
from app.services.events import record
from app.services.programmes import ProgrammeView
from app.services.webhook_log import is_on, literally
from app.services.webhooks import GONE, RIGHT, SECRET, WEBHOOK

JITTER: Final = 0.1
"""By how much of itself a wait may grow, so that what failed together does not come back together."""

LONGEST_PATIENCE: Final = timedelta(hours=24)
"""A receiver may ask for as much, by `Retry-After`."""

LINES: Final = 20
"""So many tries the history of a delivery tells."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """What is to be sent, and with what it is signed. `event` is None for a test call, which is of `created_at`."""

    webhook_id: int
    message: str
    address: str
    type: str
    created_at: datetime
    programme: ProgrammeView
    event: Any
    secrets: Sequence[str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Told:
    """What came of one try: whether the webhook goes on, and how many have failed in a row."""

    goes_on: bool
    failures: int


# whose turn it is


def due(connection: Connection) -> Sequence[tuple[int, int]]:
    """The webhooks, id and round, that have something to send now and no job that does it. Two statements."""
    found = connection.execute(
        select(WEBHOOK.c.id, WEBHOOK.c.round).where(is_on(), exists().where(_is_due())).order_by(WEBHOOK.c.id)
    ).all()
    jobs = {_job(row.id, row.round): (row.id, row.round) for row in found}
    at_work = queue.unfinished(connection, jobs) if jobs else set()
    return [hook for name, hook in jobs.items() if name not in at_work]


def take_turn(tx: Transaction, webhook_id: int, round: int) -> None:
    """Put the job in line that sends what is due, if nobody has since `round`."""
    is_it = and_(WEBHOOK.c.id == webhook_id, WEBHOOK.c.round == round)
    if tx.execute(update(WEBHOOK).where(is_it).values(round=round + 1).returning(WEBHOOK.c.id)).first():
        name = _job(webhook_id, round + 1)
        queue.enqueue(tx, "hook.deliver", workflow_id=name, line=queue.HOOKS, webhook_id=webhook_id)


def waiting(connection: Connection, webhook_id: int, *, most: int = 100) -> Sequence[int]:
    """The ids of what a webhook has to send now; none while it is off. One statement.

    Test calls come first, since someone waits for their answer; then what has waited longest.
    """
    joined = DELIVERY.join(WEBHOOK, WEBHOOK.c.id == DELIVERY.c.webhook_id)
    return (
        connection.execute(
            select(DELIVERY.c.id)
            .select_from(joined)
            .where(DELIVERY.c.webhook_id == webhook_id, is_on(), _is_due())
            .order_by(DELIVERY.c.type != literally(PING), DELIVERY.c.next_at, DELIVERY.c.id)
            .limit(most)
        )
        .scalars()
        .all()
    )


def failures(connection: Connection, webhook_id: int) -> int:
    """How many tries have failed in a row. One statement."""
    return connection.execute(select(WEBHOOK.c.failures).where(WEBHOOK.c.id == webhook_id)).scalar() or 0


# one try


def parcel(connection: Connection, delivery_id: int) -> Parcel | str | None:
    """What is to be sent now, as its owner may know it now; or why the webhook has to stop, in a word.

    None where there is nothing to send: it was taken, or the webhook is off.
    """
    row = connection.execute(_TO_SEND.where(DELIVERY.c.id == delivery_id)).first()
    if row is None:
        return None
    try:
        owner = actors.find(connection, row.owner_id)
        programme = programmes.find(connection, owner, row.programme_id)
    except NotFound:
        return RIGHT
    if not may(owner, Permission.MANAGE_WEBHOOKS, programme):
        return RIGHT
    secrets = [seal.unseal_webhook_secret(sealed) for sealed in _signing(row)]
    if secrets[0] is None:
        return SECRET
    return Parcel(
        webhook_id=row.webhook_id,
        message=row.message,
        address=row.address,
        type=row.type,
        created_at=row.created_at,
        programme=programme,
        event=row.event_id and events.one_in_programme(connection, owner, programme, row.event_id),
        secrets=[secret for secret in secrets if secret is not None],
    )


def stop(tx: Transaction, webhook_id: int, why: str) -> None:
    """Send nothing more to a webhook, and tell those who coordinate; what waits stays. Off already, nothing happens."""
    values = {
        "stopped_at": tx.now,
        "stopped_why": why,
        "updated_at": tx.now,
        "version": WEBHOOK.c.version + 1,
    }
    stopped = tx.execute(
        update(WEBHOOK)
        .where(WEBHOOK.c.id == webhook_id, is_on())
        .values(values)
        .returning(WEBHOOK.c.programme_id)
    ).first()
    if stopped is not None:
        _tell(tx, "webhook.stopped", stopped.programme_id, webhook_id, reason=why)


def note(
    tx: Transaction, delivery_id: int, outcome: hooks.Outcome, *, call: hooks.Call, waits_s: Sequence[int]
) -> Told:
    """Write down what came of a try, and when the next one is; after the last the delivery is dead."""
    delivery = tx.execute(select(DELIVERY).where(DELIVERY.c.id == delivery_id).with_for_update()).first()
    if delivery is None:
        return Told(goes_on=False, failures=0)
    tries = delivery.tries + 1
    state = _state(delivery, outcome, tries, waits_s)
    patience = outcome.retry_after_s(tx.now)
    not_before = None if patience is None else tx.now + min(timedelta(seconds=patience), LONGEST_PATIENCE)
    next_at = _next(tx.now, tries, waits_s) if state == WAITING else None
    tx.execute(
        update(DELIVERY)
        .where(DELIVERY.c.id == delivery_id)
        .values(
            state=state,
            tries=tries,
            next_at=max(next_at, not_before) if next_at and not_before else next_at,
            tried_at=call.at,
            took_ms=outcome.took_ms,
            error=outcome.error,
            request_headers=call.headers,
            request_body=call.body.decode(),
            answer_status=outcome.status,
            answer_headers=dict(outcome.headers) if outcome.status else None,
            answer_body=outcome.body,
            history=[*delivery.history, _line(call, outcome)][-LINES:],
            updated_at=tx.now,
        )
    )
    if outcome.error is None:
        _taken(tx, delivery.webhook_id)
        return Told(goes_on=True, failures=0)
    return _missed(tx, delivery, outcome, not_before, is_dead=state == DEAD)


# within


def _is_due() -> ColumnElement[bool]:
    """Whoever makes a test call wants it now, also of a receiver that has asked for patience."""
    may_be_called = or_(WEBHOOK.c.not_before.is_(None), WEBHOOK.c.not_before <= clock.now())
    return and_(
        or_(may_be_called, DELIVERY.c.type == literally(PING)),
        DELIVERY.c.webhook_id == WEBHOOK.c.id,
        DELIVERY.c.state == literally(WAITING),
        DELIVERY.c.next_at <= clock.now(),
    )


_TO_SEND: Final = (
    select(
        DELIVERY.c.id,
        DELIVERY.c.event_id,
        DELIVERY.c.message,
        DELIVERY.c.type,
        DELIVERY.c.created_at,
        WEBHOOK.c.id.label("webhook_id"),
        WEBHOOK.c.programme_id,
        WEBHOOK.c.owner_id,
        WEBHOOK.c.address,
        WEBHOOK.c.secret,
        WEBHOOK.c.previous_secret,
        WEBHOOK.c.previous_until,
    )
    .select_from(DELIVERY.join(WEBHOOK, WEBHOOK.c.id == DELIVERY.c.webhook_id))
    .where(DELIVERY.c.state == WAITING, is_on())
)


def _signing(row: Any) -> list[bytes]:
    """The sealed secrets that hold now, the newest first."""
    is_both = row.previous_until is not None and row.previous_until > clock.now()
    return [row.secret, row.previous_secret] if is_both else [row.secret]


def _job(webhook_id: int, round: int) -> str:
    return f"hook-{webhook_id}-{round}"


def _state(delivery: Any, outcome: hooks.Outcome, tries: int, waits_s: Sequence[int]) -> str:
    if outcome.error is None:
        return DELIVERED
    is_last = tries > len(waits_s) or delivery.type == PING
    return DEAD if is_last or outcome.error == hooks.GONE else WAITING


def _next(now: datetime, tries: int, waits_s: Sequence[int]) -> datetime:
    wait_s = waits_s[tries - 1]
    return now + timedelta(seconds=wait_s * (1 + JITTER * random.random()))


def _line(call: hooks.Call, outcome: hooks.Outcome) -> Mapping[str, Any]:
    return {
        "at": clock.rfc3339(call.at),
        "status": outcome.status,
        "error": outcome.error,
        "took_ms": outcome.took_ms,
    }


def _taken(tx: Transaction, webhook_id: int) -> None:
    """The receiver is well; that it took something is written once a minute."""
    is_news = or_(
        WEBHOOK.c.failures > 0,
        WEBHOOK.c.failing_since.is_not(None),
        WEBHOOK.c.delivered_at.is_(None),
        WEBHOOK.c.delivered_at < tx.now - timedelta(minutes=1),
    )
    well = {"failures": 0, "failing_since": None, "delivered_at": tx.now}
    tx.execute(update(WEBHOOK).where(WEBHOOK.c.id == webhook_id, is_news).values(well))


def _missed(
    tx: Transaction, delivery: Any, outcome: hooks.Outcome, not_before: datetime | None, *, is_dead: bool
) -> Told:
    values: dict[str, Any] = {"failures": WEBHOOK.c.failures + 1}
    if not_before is not None:
        values["not_before"] = not_before
    of_it = WEBHOOK.c.id == delivery.webhook_id
    hook = tx.execute(
        update(WEBHOOK).where(of_it).values(values).returning(WEBHOOK.c.failures, WEBHOOK.c.failing_since)
    ).one()
    if outcome.error == hooks.GONE:
        stop(tx, delivery.webhook_id, GONE)
        return Told(goes_on=False, failures=hook.failures)
    if is_dead and delivery.type != PING and hook.failing_since is None:
        tx.execute(update(WEBHOOK).where(of_it).values(failing_since=tx.now))
        _tell(tx, "webhook.failing", delivery.programme_id, delivery.webhook_id)
    return Told(goes_on=not_before is None, failures=hook.failures)


def _tell(tx: Transaction, type: str, programme_id: int, webhook_id: int, **data: Any) -> None:
    """Record what happened to a webhook, and tell those who coordinate: the kind of notice has the event's name."""
    record(tx, type, None, programme_id=programme_id, subject_id=webhook_id, data=data)
    coordinating = memberships.coordinators(tx.connection, programme_id)
    notices.tell(tx, coordinating, type.replace(".", "_"), programme_id=programme_id)
