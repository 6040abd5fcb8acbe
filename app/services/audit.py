"""The audit log: who did what to whom. It is only ever added to, and each entry seals the one before.

An entry's hash is the SHA-256 of the hash before it and of the entry as JSON with sorted keys. So no entry can be
changed, put in or taken out unless all after it are made anew; whoever has noted a later hash sees that.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.engine import Connection

from app.database import Transaction
from app.models import AuditEntry
from app.models.audit import DONE, REFUSED
from app.models.base import table
from app.policies.actor import Actor

ENTRY = table(AuditEntry)

BEGINNING: Final = bytes(32)
"""What stands for the hash before the first entry."""

SEALED: Final = (
    "programme_id",
    "organisation_id",
    "actor_id",
    "client_id",
    "action",
    "outcome",
    "subject",
    "subject_id",
    "data",
    "created_at",
)
"""The columns that a hash covers."""

AUDITED: Final = frozenset(
    {
        "administrator.named",
        "administrator.withdrawn",
        "assignment.ended",
        "assignment.given",
        "ballot.cancelled",
        "ballot.changed",
        "ballot.closed",
        "ballot.counted",
        "ballot.extended",
        "ballot.made",
        "booking.approved",
        "booking.cancelled",
        "booking.declined",
        "challenge.changed",
        "challenge.created",
        "challenge.deleted",
        "client.created",
        "client.revoked",
        "client.secret_changed",
        "comment.hidden",
        "consent.given",
        "consent.withdrawn",
        "data.asked",
        "data.exported",
        "data.fetched",
        "decision_link.sent",
        "delegation.ended",
        "delegation.given",
        "exchange_rules.changed",
        "feed.made",
        "feed.revoked",
        "idea.hidden",
        "idea.restored",
        "import.cancelled",
        "import.ended",
        "import.started",
        "invitation.accepted",
        "invitation.revoked",
        "invitation.sent",
        "join_request.approved",
        "join_request.declined",
        "join_request.made",
        "login.linked",
        "login.unlinked",
        "match.cancelled",
        "match.published",
        "match.started",
        "membership.ended",
        "merge.undone",
        "open_data.changed",
        "open_data.closed",
        "open_data.opened",
        "organisation.added",
        "organisation.changed",
        "organisation.known_by",
        "person.deactivated",
        "person.erased",
        "person.joined",
        "person.merged",
        "person.reactivated",
        "person.warned",
        "phase.changed",
        "placement.published",
        "placement.returned",
        "placement.withdrawn",
        "programme.changed",
        "programme.created",
        "retention.changed",
        "role.changed",
        "session.ended",
        "session.renewed",
        "session.started",
        "solution.promoted",
        "solution.withdrawn",
        "token.created",
        "token.revoked",
        "webhook.changed",
        "webhook.created",
        "webhook.deleted",
        "webhook.replayed",
        "webhook.secret_changed",
        "webhook.stopped",
    }
)
"""The types of events that are entries of the audit log too: acts of consequence for others, and of security."""


def write_down(
    tx: Transaction,
    action: str,
    actor: Actor | None,
    *,
    programme_id: int | None = None,
    organisation_id: int | None = None,
    subject: str = "",
    subject_id: int | None = None,
    outcome: str = DONE,
    data: Mapping[str, Any] | None = None,
) -> None:
    """Add an entry in the transaction of the act.

    `subject` is a noun, `data` has ids and words of ours, and no text of people.
    """
    entry = {
        "programme_id": programme_id,
        "organisation_id": organisation_id,
        "actor_id": actor.person_id if actor else None,
        "client_id": actor.client_id if actor else None,
        "action": action,
        "outcome": outcome,
        "subject": subject,
        "subject_id": subject_id,
        "data": dict(data or {}),
        "created_at": tx.now,
    }
    tx.append(ENTRY, entry, _chained)


def refused(tx: Transaction, action: str, actor: Actor | None, reason: str, **about: Any) -> None:
    """Add an entry of something that was tried and refused; `reason` is a word of ours. A piece of work of its own."""
    data = {"reason": reason, **about.pop("data", {})}
    write_down(tx, action, actor, outcome=REFUSED, data=data, **about)


def hash_of(entry: Mapping[str, Any], previous: bytes) -> bytes:
    """The hash of an entry (by `SEALED`) after the one with hash `previous`: 32 bytes."""
    written = json.dumps(told(entry), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(previous + written.encode()).digest()


def told(entry: Mapping[str, Any]) -> dict[str, Any]:
    """What is sealed of an entry, as JSON can hold it: the instant in UTC, to the microsecond."""
    written = entry["created_at"].astimezone(UTC).isoformat(timespec="microseconds")
    return {**{name: entry[name] for name in SEALED}, "created_at": written}


def _chained(connection: Connection, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The entries with their hashes. The log's lock is held, so nobody else appends meanwhile."""
    newest = select(ENTRY.c.hash).order_by(ENTRY.c.id.desc()).limit(1)
    previous = connection.execute(newest).scalar() or BEGINNING
    chained = []
    for entry in entries:
        hash = hash_of(entry, previous)
        chained.append({**entry, "previous": previous, "hash": hash})
        previous = hash
    return chained
