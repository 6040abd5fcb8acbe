"""Notices: telling people, on their own page and by mail, what happened to what they care about."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Row, Select, and_, exists, func, literal_column, or_, select
from sqlalchemy.engine import Connection
from sqlalchemy.sql import ColumnElement

from app.database import Transaction, present
from app.integrations import mail, queue
from app.lib.i18n import N_
from app.models import Ballot, CoAuthor, Idea, Membership, Merge, Notice, Person, Programme, RollEntry
from app.models.base import table
from app.policies import actor as actors
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import may, require
from app.services.events import record

NOTICE = table(Notice)
PERSON = table(Person)
MEMBERSHIP = table(Membership)
PROGRAMME = table(Programme)
MERGE = table(Merge)
BALLOT = table(Ballot)
ROLL = table(RollEntry)
CO_AUTHOR = table(CoAuthor)
IDEA = table(Idea).alias("about")
SOURCE = table(Idea).alias("source")
TARGET = table(Idea).alias("target")

UNSEEN: Final = "…"
"""Stands for the title of an idea that the reader may not see, or no longer."""


class Words(NamedTuple):
    """What a kind of notice says: two msgids."""

    subject: str
    message: str


WORDS: Final[Mapping[str, Words]] = {
    "idea_hidden": Words(
        N_("Your idea was hidden"),
        N_(
            "A facilitator has hidden your idea “%(idea)s” and says why: “%(reason)s”. You can answer on its page."
        ),
    ),
    "idea_restored": Words(
        N_("Your idea is back on the board"),
        N_("Your idea “%(idea)s” was hidden and is back on the board now."),
    ),
    "hiding_answered": Words(
        N_("An author has answered you"),
        N_(
            "The author of “%(idea)s”, an idea that you have hidden, has answered. The answer stands on its page."
        ),
    ),
    "comment_hidden": Words(
        N_("Your comment was hidden"),
        N_("A facilitator has hidden your comment on “%(idea)s” and says why: “%(reason)s”."),
    ),
    "comment_posted": Words(
        N_("A comment on your idea"),
        N_("There is a new comment on your idea “%(idea)s”."),
    ),
    "merge_proposed": Words(
        N_("Shall two ideas become one?"),
        N_(
            "Someone proposes to merge “%(source)s” into “%(target)s”. "
            "Nothing happens without your consent: please accept or decline."
        ),
    ),
    "merge_accepted": Words(
        N_("Two ideas are one now"),
        N_("“%(source)s” is now a part of “%(target)s”: the author who was asked has agreed."),
    ),
    "merge_declined": Words(
        N_("Two ideas stay apart"),
        N_("“%(source)s” is not merged into “%(target)s”: the author who was asked does not agree."),
    ),
    "merge_supporters": Words(
        N_("An idea that you support was merged"),
        N_(
            "You support “%(source)s”, which is now a part of “%(target)s”. "
            "Your support goes along and counts once. If you do not want that, you can object."
        ),
    ),
    "merge_objected": Words(
        N_("A supporter objects to a merge"),
        N_("Someone who supports “%(source)s” objects to its merge into “%(target)s”."),
    ),
    "merge_undone": Words(
        N_("A merge was undone"),
        N_("“%(source)s” and “%(target)s” are two ideas again, each with its own support."),
    ),
    "co_author_added": Words(
        N_("You are a co-author"),
        N_("You write the idea “%(idea)s” together with its author now, and can edit it."),
    ),
    "ballot_opened": Words(
        N_("A ballot is open: please vote"),
        N_(
            "You can vote on “%(ballot)s” now. It takes a few minutes, and you can change your vote until it closes."
        ),
    ),
    "ballot_reminder": Words(
        N_("A ballot closes soon"),
        N_("“%(ballot)s” closes soon, and your vote is not there yet."),
    ),
    "ballot_counted": Words(
        N_("A ballot is counted"),
        N_("The result of “%(ballot)s” is there: who won, by which rule, and how each sector voted."),
    ),
    "ballot_sealed": Words(
        N_("The log of a ballot, to check it by"),
        N_(
            "“%(ballot)s” is counted and its log is published. Please keep this mail: whoever counts again compares "
            "the root %(root)s and the key %(key)s with what the log says."
        ),
    ),
}
"""What each kind says. `%(idea)s`, `%(source)s`, `%(target)s`, `%(ballot)s` are titles; the rest comes from `data`."""

_TOLD: Final = ("reason", "root", "key")
"""What `data` may hold for the words."""


@dataclass(frozen=True, slots=True)
class NoticeView:
    """A notice as its reader sees it: two msgids, filled with `values`; `path` is where to look."""

    id: int
    kind: str
    subject: str
    message: str
    values: Mapping[str, str]
    path: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Addressed:
    """A notice that goes out by mail: to whom, in which language."""

    notice: NoticeView
    email: str
    language: str


def tell(
    tx: Transaction,
    person_ids: Iterable[int],
    kind: str,
    *,
    programme_id: int,
    idea_id: int | None = None,
    merge_id: int | None = None,
    ballot_id: int | None = None,
    data: Mapping[str, Any] | None = None,
) -> None:
    """Tell each of `person_ids` once: a notice now, and a mail after the commit where mail is set up.

    `data` holds what the words need beside the titles, such as `{"reason": "..."}`; never a name that the
    reader may not know. One statement, and two more where mail is set up, however many people are told.

    :raises ValueError: the kind is not in `WORDS`
    """
    if kind not in WORDS:
        raise ValueError(f"unknown kind of notice {kind}")
    rows = [
        {
            "programme_id": programme_id,
            "person_id": person_id,
            "kind": kind,
            "idea_id": idea_id,
            "merge_id": merge_id,
            "ballot_id": ballot_id,
            "data": dict(data or {}),
            "created_at": tx.now,
        }
        for person_id in sorted(set(person_ids))
    ]
    if not rows:
        return
    if not mail.is_set_up():
        tx.execute(NOTICE.insert(), rows)
        return
    written = tx.execute(NOTICE.insert().returning(NOTICE.c.id, _HAS_EMAIL), rows)
    _put_in_line(tx, [notice.id for notice in written if notice.has_email])


# As text: written as an expression it loses the names of its tables in RETURNING on SQLite.
_HAS_EMAIL: Final[Any] = literal_column(
    "(SELECT person.email IS NOT NULL FROM person WHERE person.id = notice.person_id)"
).label("has_email")


def _put_in_line(tx: Transaction, notice_ids: Sequence[int]) -> None:
    """One job for one mail; one job that makes the others for many, so that the write stays short."""
    if len(notice_ids) == 1:
        post(tx, notice_ids)
    elif notice_ids:
        name = f"notices-{min(notice_ids)}-{max(notice_ids)}"
        queue.enqueue(tx, "mail.spread", workflow_id=name, notice_ids=sorted(notice_ids))


def post(tx: Transaction, notice_ids: Iterable[int]) -> None:
    """Put the mails of these notices in line; again, and nothing more happens. Two statements each."""
    for notice_id in notice_ids:
        queue.enqueue(tx, "mail.send", workflow_id=mail_id(notice_id), notice_id=notice_id)


def mail_id(notice_id: int) -> str:
    """The name that a notice's mail has however often it is tried: as a job, and as a message."""
    return f"notice-{notice_id}"


def waiting(connection: Connection, actor: Actor, *, most: int = 50) -> tuple[NoticeView, ...]:
    """What `actor` was told and has not marked as read, newest first. One statement.

    :raises NotSignedIn: nobody is signed in
    """
    require(actor, Permission.MANAGE_OWN)
    rows = connection.execute(
        _SELECT.where(
            NOTICE.c.person_id == actor.person_id, NOTICE.c.read_at.is_(None), _still_holds(connection)
        )
        .order_by(NOTICE.c.id.desc())
        .limit(most)
    )
    return tuple(_view(actor, row) for row in rows)


def read_all(tx: Transaction, actor: Actor) -> None:
    """Mark all that `actor` was told as read; doing it again changes nothing.

    :raises NotSignedIn: nobody is signed in
    """
    require(actor, Permission.MANAGE_OWN)
    unread = and_(NOTICE.c.person_id == actor.person_id, NOTICE.c.read_at.is_(None))
    if tx.execute(NOTICE.update().where(unread).values(read_at=tx.now).returning(NOTICE.c.id)).all():
        record(tx, "notice.read", actor, subject_id=actor.person_id)


def addressed(connection: Connection, notice_id: int) -> Addressed | None:
    """A notice and where its mail goes, as it is to be read now: titles only of what may be seen now.

    None where there is nothing to send: read already, no address, disabled, or no longer in the programme.
    """
    row = connection.execute(
        _SELECT.add_columns(
            PERSON.c.email,
            func.coalesce(PERSON.c.language, PROGRAMME.c.language).label("language"),
            MEMBERSHIP.c.id.label("membership_id"),
            MEMBERSHIP.c.role,
            MEMBERSHIP.c.organisation_id,
            MEMBERSHIP.c.sector_id,
        )
        .join(PERSON, PERSON.c.id == NOTICE.c.person_id)
        .join(PROGRAMME, PROGRAMME.c.id == NOTICE.c.programme_id)
        .join(
            MEMBERSHIP,
            and_(
                MEMBERSHIP.c.person_id == NOTICE.c.person_id,
                MEMBERSHIP.c.programme_id == NOTICE.c.programme_id,
                MEMBERSHIP.c.ended_at.is_(None),
            ),
        )
        .where(
            NOTICE.c.id == notice_id,
            _still_holds(connection),
            NOTICE.c.read_at.is_(None),
            PERSON.c.email.is_not(None),
            PERSON.c.disabled_at.is_(None),
        )
    ).first()
    return Addressed(_view(_reader(row), row), row.email, row.language) if row else None


def _still_holds(connection: Connection) -> ColumnElement[bool]:
    """The condition that a notice does not call to a vote that is over, or that its reader has cast."""
    has_voted = exists().where(ROLL.c.ballot_id == NOTICE.c.ballot_id, ROLL.c.person_id == NOTICE.c.person_id)
    is_over = BALLOT.c.closes_at <= present(connection.dialect.name)
    return ~and_(NOTICE.c.kind.in_(_CALLS), or_(is_over, has_voted))


_CALLS: Final = ("ballot_opened", "ballot_reminder")


def _reader(row: Row[Any]) -> Actor:
    """The one whom a notice is for, as the policy asks for them."""
    membership = actors.Membership(
        id=row.membership_id,
        programme_id=row.programme_id,
        role=row.role,
        organisation_id=row.organisation_id,
        sector_id=row.sector_id,
        sector_key="",
    )
    return Actor(person_id=row.person_id, memberships={row.programme_id: membership})


@dataclass(frozen=True, slots=True)
class _Mentioned:
    """An idea that a notice names, as the policy asks for it."""

    programme_id: int
    state: str
    author_id: int
    co_author_ids: tuple[int, ...]


def _view(reader: Actor, row: Row[Any]) -> NoticeView:
    words = WORDS[row.kind]
    titles = {name: _title(reader, row, name) for name in ("idea", "source", "target")}
    return NoticeView(
        id=row.id,
        kind=row.kind,
        subject=words.subject,
        message=words.message,
        values={
            **titles,
            "ballot": _ballot_title(reader, row),
            **{name: str(row.data.get(name, "")) for name in _TOLD},
        },
        path=_path(row),
        created_at=row.created_at,
    )


def _title(reader: Actor, row: Row[Any], name: str) -> str:
    """The title of the idea that the notice calls `name`, where its reader may see that idea now."""
    title, state, author_id, is_co_written = (
        getattr(row, f"{name}_{part}") for part in ("title", "state", "author_id", "is_co_written")
    )
    if title is None:
        return UNSEEN
    co_authors = (row.person_id,) if is_co_written else ()
    mentioned = _Mentioned(row.programme_id, state, author_id, co_authors)
    return str(title) if may(reader, Permission.READ_IDEA, mentioned) else UNSEEN


def _ballot_title(reader: Actor, row: Row[Any]) -> str:
    """The title of the ballot, where its reader may see it now."""
    if row.ballot_title is None or not may(reader, Permission.READ_BALLOT, row):
        return UNSEEN
    return str(row.ballot_title)


def _path(row: Row[Any]) -> str:
    if row.ballot_id is not None:
        is_counted = row.kind in ("ballot_counted", "ballot_sealed")
        return f"/ballots/{row.ballot_id}" + ("/result" if is_counted else "")
    if row.merge_id is not None:
        return f"/merges/{row.merge_id}"
    comment = row.data.get("comment_id")
    return f"/ideas/{row.idea_id}" + (f"#comment-{comment}" if comment else "")


def _of(idea: Any, name: str) -> list[Any]:
    """The columns of an idea that a notice calls `name`."""
    is_co_written = exists().where(
        CO_AUTHOR.c.idea_id == idea.c.id, CO_AUTHOR.c.person_id == NOTICE.c.person_id
    )
    return [
        idea.c.title.label(f"{name}_title"),
        idea.c.state.label(f"{name}_state"),
        idea.c.author_id.label(f"{name}_author_id"),
        is_co_written.label(f"{name}_is_co_written"),
    ]


_SELECT: Final[Select[Any]] = (
    select(
        NOTICE,
        BALLOT.c.title.label("ballot_title"),
        *_of(IDEA, "idea"),
        *_of(SOURCE, "source"),
        *_of(TARGET, "target"),
    )
    .select_from(NOTICE)
    .outerjoin(BALLOT, BALLOT.c.id == NOTICE.c.ballot_id)
    .outerjoin(IDEA, IDEA.c.id == NOTICE.c.idea_id)
    .outerjoin(MERGE, MERGE.c.id == NOTICE.c.merge_id)
    .outerjoin(SOURCE, SOURCE.c.id == MERGE.c.source_id)
    .outerjoin(TARGET, TARGET.c.id == MERGE.c.target_id)
)
