"""Kept answers: what was answered to a request with an idempotency key, so that it is answered the same again."""

import json
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from app.database import Transaction
from app.models import KeptAnswer
from app.models.base import table

KEPT_ANSWER = table(KeptAnswer)


def claim(tx: Transaction, person_id: int, key: str, request_hash: bytes) -> Row[Any] | None:
    """Take the key for this request; None if it is ours now, else the row of the one that came first.

    A request with the same key that runs at the same moment is waited for. If the work fails, the claim goes with it.
    """
    insert = postgresql.insert if tx.dialect == "postgresql" else sqlite.insert
    claimed = tx.execute(
        insert(KEPT_ANSWER)
        .values(person_id=person_id, key=key, request_hash=request_hash, status=0, body="", created_at=tx.now)
        .on_conflict_do_nothing()
        .returning(KEPT_ANSWER.c.key)
    ).first()
    if claimed is not None:
        return None
    return tx.execute(select(KEPT_ANSWER).where(*_is(person_id, key))).one()


def is_known(connection: Connection, person_id: int, key: str) -> bool:
    """Whether something was answered under the key before."""
    return connection.execute(select(KEPT_ANSWER.c.key).where(*_is(person_id, key))).first() is not None


def keep(
    tx: Transaction,
    person_id: int,
    key: str,
    *,
    status: int,
    body: bytes,
    location: str | None,
    etag: str | None,
) -> None:
    """Keep the answer under the key that was claimed, in the transaction of the effect."""
    tx.execute(
        KEPT_ANSWER.update()
        .where(*_is(person_id, key))
        .values(status=status, body=body.decode(), location=location, etag=etag)
    )


def forget(tx: Transaction, before: datetime) -> int:
    """Forget the answers that were given before that instant; how many there were."""
    gone = tx.execute(
        delete(KEPT_ANSWER).where(KEPT_ANSWER.c.created_at < before).returning(KEPT_ANSWER.c.key)
    )
    return len(gone.all())


def rename(tx: Transaction, before: str, after: str) -> None:
    """Let a person be called otherwise in the answers that are kept for anyone, where their name stands as a whole."""
    body: Any = KEPT_ANSWER.c.body
    for is_ascii in (True, False):
        old, new = (json.dumps(name, ensure_ascii=is_ascii) for name in (before, after))
        place = func.instr(body, old) if tx.dialect == "sqlite" else func.strpos(body, old)
        tx.execute(KEPT_ANSWER.update().where(place > 0).values(body=func.replace(body, old, new)))


def _is(person_id: int, key: str) -> tuple[Any, Any]:
    return KEPT_ANSWER.c.person_id == person_id, KEPT_ANSWER.c.key == key
