"""Fill an empty database with the demo programme."""

from collections.abc import Callable
from datetime import datetime
from random import Random
from typing import Any

from sqlalchemy import Table, bindparam, func, select
from sqlalchemy.engine import Connection

from app.database import Database, Transaction
from app.demo import plot, story
from app.errors import Conflict
from app.integrations import seal
from app.lib import clock
from app.lib.i18n import N_
from app.models import Ballot, BallotKey, BallotResult, Event, Idea, Notice, PublishedVote, Vote, metadata
from app.models.base import table
from app.services import counting
from app.settings import settings

Progress = Callable[[int, int], None]
Rows = dict[Table, list[dict[str, Any]]]

CHUNK = 1000
"""Rows that go to the database in one call."""


def fill(
    database: Database,
    *,
    scale: int = 1,
    progress: Progress | None = None,
    now: datetime | None = None,
    base_url: str | None = None,
) -> dict[str, int]:
    """Write the demo programme, all or nothing; how many rows each table has got.

    `scale` makes it that many times as large: people, ideas, comments and support. `progress` is told how many
    rows are written of how many. The same `now` and `scale` give the same rows. People sign in at the demo
    provider under `base_url` (that of the settings, if none is given).

    :raises Conflict: the database is not empty
    :raises ValueError: `scale` is less than 1
    """
    if scale < 1:
        raise ValueError("scale must be 1 or more")
    database.read_now(_require_empty)
    address = base_url or settings().base_url
    rows = plot.play(story.read(), scale=scale, now=now or clock.now(), base_url=address).rows

    def write(tx: Transaction) -> dict[str, int]:
        _write(tx, rows, progress or _silent)
        sizes = {written.name: len(of_table) for written, of_table in rows.items()}
        for ballot in rows[table(Ballot)]:
            if ballot["counted_at"] is not None:
                _count(tx, ballot, address, sizes)
        return sizes

    return dict(database.write_now(write))


def is_empty(connection: Connection) -> bool:
    """Whether no table has a row."""
    return not any(
        connection.execute(select(select(found).exists())).scalar() for found in metadata.sorted_tables
    )


def _require_empty(connection: Connection) -> None:
    if not is_empty(connection):
        raise Conflict(
            N_(
                "This database is not empty. The demo wants one of its own: name another in PARTNERSHIP_DATABASE_URL."
            )
        )


def _write(tx: Transaction, rows: Rows, progress: Progress) -> None:
    # Looked at again within the transaction: someone may have written since.
    _require_empty(tx.connection)
    total = sum(map(len, rows.values()))
    done = 0
    progress(done, total)
    for written in metadata.sorted_tables:
        waiting = rows.get(written, [])
        for start in range(0, len(waiting), CHUNK):
            chunk = waiting[start : start + CHUNK]
            tx.execute(written.insert(), [_on_its_own(written, row) for row in chunk])
            done += len(chunk)
            progress(done, total)
    _join_merged(tx, rows.get(table(Idea), []))
    if tx.dialect == "postgresql":
        _count_on(tx, rows)


def _on_its_own(written: Table, row: dict[str, Any]) -> dict[str, Any]:
    """The row without its reference to an idea that may be written after it."""
    return {**row, "merged_into_id": None} if written is table(Idea) else row


def _join_merged(tx: Transaction, ideas: list[dict[str, Any]]) -> None:
    idea = table(Idea)
    merged = [
        {"source": row["id"], "target": row["merged_into_id"]} for row in ideas if row["merged_into_id"]
    ]
    if merged:
        tx.execute(
            idea.update().where(idea.c.id == bindparam("source")).values(merged_into_id=bindparam("target")),
            merged,
        )


def _count(tx: Transaction, ballot: dict[str, Any], address: str, sizes: dict[str, int]) -> None:
    """Count a ballot by the application's own counting; `sizes` are those of the tables, as they are after."""
    id, event, notice = ballot["id"], table(Event), table(Notice)
    found = counting.counted(tx.connection, id, address, random=Random(ballot["seed"]))
    counting.write(tx, id, ballot["programme_id"], found)
    root = found.log["tree"]["root"]
    tx.execute(
        event.update()
        .where(event.c.type == "ballot.counted", event.c.subject_id == id)
        .values(data={"root": root, "passed": found.result["passed"]})
    )
    tx.execute(
        notice.update()
        .where(notice.c.kind == "ballot_sealed", notice.c.ballot_id == id)
        .values(data={"root": root, "key": seal.fingerprint(seal.public_key())})
    )
    votes = len(found.log["votes"])
    for model, more in ((Vote, -votes), (BallotKey, -1), (PublishedVote, votes), (BallotResult, 1)):
        name = table(model).name
        sizes[name] = sizes.get(name, 0) + more


def _count_on(tx: Transaction, rows: Rows) -> None:
    """Let PostgreSQL's sequences go on after the ids that were given here."""
    for written in rows:
        if "id" in written.c:
            sequence = func.pg_get_serial_sequence(written.name, "id")
            tx.execute(select(func.setval(sequence, select(func.max(written.c.id)).scalar_subquery())))


def _silent(_done: int, _total: int) -> None:
    """Tell nobody."""
