"""The audit log as it is read: by those in charge, as a file that can be checked elsewhere, and as a chain to walk."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, delete, func, select
from sqlalchemy.engine import Connection

from app.database import Transaction
from app.errors import NotFound
from app.lib.i18n import N_
from app.models import AuditEntry, Organisation, Person, Programme
from app.models.base import table
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.reach import OfOrganisation, OfProgramme
from app.policies.rules import require
from app.services import audit
from app.services.audit import BEGINNING, SEALED

ENTRY = table(AuditEntry)
PERSON = table(Person)

READ, EXPORTED, PRUNED = "audit.read", "audit.exported", "audit.pruned"

WALK: Final = timedelta(minutes=15)
"""So long a reader goes from page to page without another note."""

STEP: Final = 1000
"""Entries that are read at a time where the whole log is walked."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which entries are asked for. Without a programme and an organisation it is the whole log."""

    programme_id: int | None = None
    organisation_id: int | None = None
    actor_id: int | None = None
    action: str = ""
    outcome: str = ""
    since: datetime | None = None
    until: datetime | None = None

    @property
    def subject(self) -> Any:
        """What the policy is asked about."""
        if self.programme_id is None:
            return None
        if self.organisation_id is None:
            return OfProgramme(self.programme_id)
        return OfOrganisation(self.programme_id, self.organisation_id)


@dataclass(frozen=True, slots=True)
class Walk:
    """What a walk along the chain has found: how many entries, the newest hash, and where it is broken."""

    entries: int = 0
    newest: bytes = BEGINNING
    first_id: int | None = None
    last_id: int | None = None
    begins_after: bytes = BEGINNING
    checkpoints: frozenset[bytes] = frozenset()
    gaps: int = 0
    broken: tuple[int, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether every entry is as it was sealed, and what was before the first one was let go by a checkpoint."""
        return not self.broken and (self.begins_after == BEGINNING or self.begins_after in self.checkpoints)


MOST_BROKEN: Final = 10
"""Broken places that a walk names; after these it only counts on."""


# queries


def entries(
    connection: Connection, actor: Actor, wanted: Filter, *, before: int | None = None, limit: int = 50
) -> Sequence[Any]:
    """The newest entries with ids less than `before`, newest first: the table's columns, and `actor` (a name).

    :raises NotAllowed: the log, or that part of it, is not for the actor
    """
    require(actor, Permission.READ_AUDIT, wanted.subject)
    conditions = _conditions(wanted)
    if before is not None:
        conditions.append(ENTRY.c.id < before)
    return connection.execute(
        select(ENTRY, PERSON.c.name.label("actor"))
        .outerjoin(PERSON, PERSON.c.id == ENTRY.c.actor_id)
        .where(*conditions)
        .order_by(ENTRY.c.id.desc())
        .limit(limit)
    ).all()


def page(
    connection: Connection,
    actor: Actor,
    wanted: Filter,
    *,
    beyond: int | None = None,
    is_backwards: bool = True,
    limit: int = 50,
) -> Sequence[Any]:
    """`entries`, or the oldest first if not `is_backwards`: those that follow the one with id `beyond`.

    :raises NotAllowed: the log, or that part of it, is not for the actor
    """
    if is_backwards:
        return entries(connection, actor, wanted, before=beyond, limit=limit)
    return sheet(connection, actor, wanted, after=beyond or 0, limit=limit)


def checked(connection: Connection, actor: Actor) -> Walk:
    """`verify`, for those to whom the whole log is open.

    :raises NotAllowed: it is not open to the actor
    """
    require(actor, Permission.READ_AUDIT, None)
    return verify(connection)


def concerned(connection: Connection, rows: Iterable[Any]) -> dict[int, str]:
    """The names of the people whom entries are about (`data.person_id`, or a subject that is one), by id."""
    ids = {id for row in rows if (id := person_of(row)) is not None}
    if not ids:
        return {}
    found = connection.execute(select(PERSON.c.id, PERSON.c.name).where(PERSON.c.id.in_(sorted(ids))))
    return {row.id: row.name for row in found}


def person_of(row: Any) -> int | None:
    """The id of the person whom an entry is about, if it is about one."""
    told = row.data.get("person_id")
    if isinstance(told, int):
        return told
    return int(row.subject_id) if row.subject == "person" and row.subject_id is not None else None


def sheet(
    connection: Connection, actor: Actor, wanted: Filter, *, after: int = 0, limit: int = STEP
) -> Sequence[Any]:
    """The oldest entries with ids greater than `after`, oldest first, for an export.

    :raises NotAllowed: the log, or that part of it, is not for the actor
    """
    require(actor, Permission.READ_AUDIT, wanted.subject)
    return connection.execute(
        select(ENTRY).where(*_conditions(wanted), ENTRY.c.id > after).order_by(ENTRY.c.id).limit(limit)
    ).all()


def verify(connection: Connection) -> Walk:
    """Walk the whole chain, in constant memory: every entry's hash is made anew, and compared."""
    return walk(_all(connection))


def newest(connection: Connection) -> Any:
    """The newest entry (id, hash), or None."""
    return connection.execute(select(ENTRY.c.id, ENTRY.c.hash).order_by(ENTRY.c.id.desc()).limit(1)).first()


# verbs


def note_reading(
    tx: Transaction, actor: Actor, wanted: Filter, *, action: str = READ, goes_on: bool = False, **data: Any
) -> None:
    """Note that someone has read the log, or taken it along: that is an act of consequence as well.

    One who `goes_on` to another page is noted once in `WALK`: each page noted would be the next one, without end.

    :raises NotAllowed: the log, or that part of it, is not for the actor
    :raises NotFound: there is no such programme, or no such organisation in it
    """
    require(actor, Permission.READ_AUDIT, wanted.subject)
    _require_known(tx.connection, wanted)
    if goes_on and _has_read_of_late(tx, actor, wanted):
        return
    audit.write_down(
        tx,
        action,
        actor,
        programme_id=wanted.programme_id,
        organisation_id=wanted.organisation_id,
        subject="audit",
        data=data,
    )


def _has_read_of_late(tx: Transaction, actor: Actor, wanted: Filter) -> bool:
    """Whether it is noted that the actor has read this very part."""
    found = select(ENTRY.c.id).where(
        ENTRY.c.actor_id == actor.person_id,
        ENTRY.c.action == READ,
        ENTRY.c.programme_id.is_not_distinct_from(wanted.programme_id),
        ENTRY.c.organisation_id.is_not_distinct_from(wanted.organisation_id),
        ENTRY.c.created_at > tx.now - WALK,
    )
    return tx.execute(found.limit(1)).first() is not None


def _require_known(connection: Connection, wanted: Filter) -> None:
    for model, id in ((Programme, wanted.programme_id), (Organisation, wanted.organisation_id)):
        found = table(model)
        here = [found.c.id == id]
        if model is Organisation and wanted.programme_id is not None:
            here.append(found.c.programme_id == wanted.programme_id)
        if id is not None and connection.execute(select(found.c.id).where(*here)).first() is None:
            raise NotFound(N_("There is no such programme or organisation, or it is not open to you."))


def prune(tx: Transaction, before: datetime) -> int:
    """Let go of the entries from before an instant, from the beginning on, `STEP` at the most; how many went.

    It takes two runs. One leaves a checkpoint: an entry that says up to which one the log is let go, with the hash
    from which it goes on. The next one deletes what the checkpoint allows; until then the tables themselves refuse.
    """
    allowed = tx.execute(select(func.max(ENTRY.c.subject_id)).where(ENTRY.c.action == PRUNED)).scalar() or 0
    gone = tx.execute(delete(ENTRY).where(ENTRY.c.id <= allowed).returning(ENTRY.c.id)).all()
    oldest = tx.execute(
        select(ENTRY.c.id, ENTRY.c.hash, ENTRY.c.created_at).order_by(ENTRY.c.id).limit(STEP)
    ).all()
    old = list(takewhile(lambda entry: entry.created_at < before, oldest))
    if old:
        last = old[-1]
        audit.write_down(
            tx, PRUNED, None, subject="audit", subject_id=last.id, data={"hash": last.hash.hex()}
        )
    return len(gone)


# the chain


def walk(found: Iterable[Mapping[str, Any]], *, is_part: bool = False) -> Walk:
    """Walk along entries (`SEALED`, id, previous, hash), oldest first.

    `is_part`: some are left out, as in an export of one programme; each still has to be as it was sealed, and `gaps`
    counts where the next one does not follow.
    """
    seen = Walk()
    for entry in found:
        seen = _step(seen, entry, is_part=is_part)
    return seen


def line(entry: Mapping[str, Any]) -> dict[str, Any]:
    """An entry as an export tells it: what is sealed, as it is sealed, with both hashes in hexadecimal."""
    return {
        "id": entry["id"],
        **audit.told(entry),
        "previous": entry["previous"].hex(),
        "hash": entry["hash"].hex(),
    }


def of_lines(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """The entries of an export in JSON Lines.

    :raises ValueError: a line is none; the message says which
    """
    for number, text in enumerate(lines, start=1):
        if not text.strip():
            continue
        try:
            yield _entry(json.loads(text))
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"Line {number} is no entry of an audit log.") from error


def of_table(rows: Iterable[Mapping[str, str]]) -> Iterator[dict[str, Any]]:
    """The entries of an export in CSV, each row by the names of its columns.

    :raises ValueError: a row is none; the message says which
    """
    for number, row in enumerate(rows, start=2):
        try:
            numbers = {name: int(row[name]) if row[name] else None for name in _NUMBERS}
            yield _entry({**row, **numbers, "data": json.loads(row["data"])})
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"Line {number} is no entry of an audit log.") from error


_NUMBERS: Final = ("id", "programme_id", "organisation_id", "actor_id", "client_id", "subject_id")
COLUMNS: Final = ("id", *SEALED, "previous", "hash")
"""The columns of an export."""


# within


def _all(connection: Connection) -> Iterator[Mapping[str, Any]]:
    after = 0
    while True:
        rows = connection.execute(
            select(ENTRY).where(ENTRY.c.id > after).order_by(ENTRY.c.id).limit(STEP)
        ).all()
        for row in rows:
            yield {column.name: getattr(row, column.name) for column in ENTRY.c}
        if len(rows) < STEP:
            return
        after = rows[-1].id


def _step(seen: Walk, entry: Mapping[str, Any], *, is_part: bool) -> Walk:
    previous = entry["previous"]
    is_first = seen.entries == 0
    follows = is_first or previous == seen.newest
    is_sealed = audit.hash_of(entry, previous) == entry["hash"]
    broken = seen.broken
    if not (is_sealed and (follows or is_part)) and len(broken) < MOST_BROKEN:
        broken = (*broken, entry["id"])
    checkpoints = seen.checkpoints
    if entry["action"] == PRUNED and is_sealed:
        checkpoints = frozenset({*checkpoints, bytes.fromhex(entry["data"].get("hash", ""))})
    return replace(
        seen,
        entries=seen.entries + 1,
        newest=entry["hash"],
        first_id=entry["id"] if is_first else seen.first_id,
        last_id=entry["id"],
        begins_after=previous if is_first else seen.begins_after,
        checkpoints=checkpoints,
        gaps=seen.gaps + (not follows),
        broken=broken,
    )


def _entry(told: Mapping[str, Any]) -> dict[str, Any]:
    """An entry again, from how an export tells it."""
    return {
        **{name: told[name] for name in ("id", *SEALED)},
        "created_at": datetime.fromisoformat(told["created_at"]),
        "previous": bytes.fromhex(told["previous"]),
        "hash": bytes.fromhex(told["hash"]),
    }


_MATCHES: Final[Mapping[str, Callable[[Any], ColumnElement[bool]]]] = {
    "programme_id": lambda value: ENTRY.c.programme_id == value,
    "organisation_id": lambda value: ENTRY.c.organisation_id == value,
    "actor_id": lambda value: ENTRY.c.actor_id == value,
    "action": lambda value: ENTRY.c.action == value,
    "outcome": lambda value: ENTRY.c.outcome == value,
    "since": lambda value: ENTRY.c.created_at >= value,
    "until": lambda value: ENTRY.c.created_at < value,
}


def _conditions(wanted: Filter) -> list[ColumnElement[bool]]:
    found = [
        matches(value)
        for name, matches in _MATCHES.items()
        if (value := getattr(wanted, name)) not in (None, "")
    ]
    return [and_(*found)] if found else []
