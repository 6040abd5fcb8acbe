"""Notices: telling people, on their own page and by mail, what happened to what they care about."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.engine import Connection

from app.database import Transaction
from app.models import Notice
from app.policies.actor import Actor

IDEA_HIDDEN = "idea_hidden"
IDEA_RESTORED = "idea_restored"
HIDING_ANSWERED = "hiding_answered"
COMMENT_HIDDEN = "comment_hidden"
COMMENT_POSTED = "comment_posted"
MERGE_PROPOSED = "merge_proposed"
MERGE_ACCEPTED = "merge_accepted"
MERGE_DECLINED = "merge_declined"
MERGE_SUPPORTERS = "merge_supporters"
MERGE_OBJECTED = "merge_objected"
MERGE_UNDONE = "merge_undone"
CO_AUTHOR_ADDED = "co_author_added"


@dataclass(frozen=True, slots=True)
class NoticeView:
    """A notice as its reader sees it: `message` is a msgid, filled with `values`; `path` is where to look."""

    id: int
    kind: str
    message: str
    values: Mapping[str, str]
    path: str
    created_at: datetime


def tell(
    tx: Transaction,
    person_ids: Iterable[int],
    kind: str,
    *,
    programme_id: int,
    idea_id: int | None = None,
    merge_id: int | None = None,
    data: Mapping[str, Any] | None = None,
) -> None:
    """Tell each of `person_ids` once: a notice now, and a mail after the commit where mail is set up.

    `data` holds what the words need beside the titles, such as `{"reason": "..."}`; never a name that the
    reader may not know. A constant number of statements, however many people are told.
    """
    rows = [
        {
            "programme_id": programme_id,
            "person_id": person_id,
            "kind": kind,
            "idea_id": idea_id,
            "merge_id": merge_id,
            "data": dict(data or {}),
            "created_at": tx.now,
        }
        for person_id in sorted(set(person_ids))
    ]
    if rows:
        tx.execute(Notice.__table__.insert(), rows)  # type: ignore[attr-defined]


def waiting(connection: Connection, actor: Actor, *, most: int = 50) -> tuple[NoticeView, ...]:
    """What `actor` was told and has not marked as read, newest first."""
    raise NotImplementedError


def read_all(tx: Transaction, actor: Actor) -> None:
    """Mark all that `actor` was told as read; doing it again changes nothing."""
    raise NotImplementedError
