"""Notices: telling people, on their own page and by mail, what happened to what they care about."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Row, Select, and_, exists, func, literal_column, or_, select, true
from sqlalchemy.engine import Connection
from sqlalchemy.sql import ColumnElement

from app.database import Transaction, present
from app.integrations import mail, queue
from app.lib import i18n
from app.lib.i18n import DEFAULT, known
from app.models import (
    Ballot,
    Booking,
    CoAuthor,
    Idea,
    Membership,
    Merge,
    Notice,
    Person,
    Placement,
    Programme,
    RollEntry,
)
from app.models.base import table
from app.policies import actor as actors
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import may, require
from app.services.actors import MACHINES
from app.services.events import record
from app.services.notice_words import TOLD, WORDS

NOTICE = table(Notice)
PERSON = table(Person)
MEMBERSHIP = table(Membership)
PROGRAMME = table(Programme)
MERGE = table(Merge)
BALLOT = table(Ballot)
ROLL = table(RollEntry)
CO_AUTHOR = table(CoAuthor)
BOOKING = table(Booking)
PLACEMENT = table(Placement)
STAYED_AT = PLACEMENT.alias("stayed_at")
IDEA = table(Idea).alias("about")
SOURCE = table(Idea).alias("source")
TARGET = table(Idea).alias("target")

UNSEEN: Final = "…"
"""Stands for the title of an idea that the reader may not see, or no longer."""


@dataclass(frozen=True, slots=True)
class NoticeView:
    """A notice as its reader sees it: two msgids, filled with `values`; `path` is where to look."""

    id: int
    programme_id: int
    kind: str
    subject: str
    message: str
    values: Mapping[str, str]
    path: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Addressed:
    """A notice that goes out by mail: to whom, in which language, and the booking that it is about, if any."""

    notice: NoticeView
    reader: Actor
    name: str
    email: str
    language: str
    booking_id: int | None


def tell(
    tx: Transaction,
    person_ids: Iterable[int],
    kind: str,
    *,
    programme_id: int,
    idea_id: int | None = None,
    merge_id: int | None = None,
    ballot_id: int | None = None,
    booking_id: int | None = None,
    placement_id: int | None = None,
    data: Mapping[str, Any] | None = None,
) -> None:
    """Tell each of `person_ids` once: a notice now, and a mail after the commit where mail is set up.

    `data` holds what the words need beside the titles, such as `{"reason": "..."}`; never a name that the
    reader may not know. Two statements, and two more where mail is set up, however many people are told;
    machines are told nothing.

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
            "booking_id": booking_id,
            "placement_id": placement_id,
            "data": dict(data or {}),
            "created_at": tx.now,
        }
        for person_id in sorted(set(person_ids) - set(tx.execute(MACHINES).scalars()))
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


def waiting(
    connection: Connection,
    actor: Actor,
    *,
    most: int = 50,
    before: int | None = None,
    programme_ids: Collection[int] | None = None,
) -> tuple[NoticeView, ...]:
    """What `actor` was told and has not marked as read, newest first. One statement.

    With `before` only notices with a lower id, with `programme_ids` only those of these programmes.

    :raises NotSignedIn: nobody is signed in
    """
    require(actor, Permission.MANAGE_OWN)
    older = true() if before is None else NOTICE.c.id < before
    rows = connection.execute(
        _SELECT.where(_unread(actor, programme_ids), older, _still_holds(connection))
        .order_by(NOTICE.c.id.desc())
        .limit(most)
    )
    return tuple(_view(actor, row) for row in rows)


def read_all(
    tx: Transaction,
    actor: Actor,
    *,
    up_to: int | None = None,
    programme_ids: Collection[int] | None = None,
) -> None:
    """Mark all that `actor` was told as read; doing it again changes nothing.

    With `up_to` only notices up to this id, with `programme_ids` only those of these programmes.

    :raises NotSignedIn: nobody is signed in
    """
    require(actor, Permission.MANAGE_OWN)
    unread = and_(_unread(actor, programme_ids), true() if up_to is None else NOTICE.c.id <= up_to)
    if tx.execute(NOTICE.update().where(unread).values(read_at=tx.now).returning(NOTICE.c.id)).all():
        record(tx, "notice.read", actor, subject_id=actor.person_id)


def _unread(actor: Actor, programme_ids: Collection[int] | None) -> ColumnElement[bool]:
    """The condition that a notice is the actor's, and not marked as read."""
    found = and_(NOTICE.c.person_id == actor.person_id, NOTICE.c.read_at.is_(None))
    return found if programme_ids is None else found & NOTICE.c.programme_id.in_(sorted(programme_ids))


def addressed(connection: Connection, notice_id: int) -> Addressed | None:
    """A notice and where its mail goes, as it is to be read now: titles only of what may be seen now.

    None where there is nothing to send: read already, no address, disabled, or no longer in the programme.
    """
    row = connection.execute(
        _SELECT.add_columns(
            PERSON.c.name,
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
            or_(NOTICE.c.read_at.is_(None), NOTICE.c.kind.in_(INVITES)),
            PERSON.c.email.is_not(None),
            PERSON.c.disabled_at.is_(None),
        )
    ).first()
    if row is None:
        return None
    reader = _reader(row)
    return Addressed(_view(reader, row), reader, row.name, row.email, row.language, row.booking_id)


def _still_holds(connection: Connection) -> ColumnElement[bool]:
    """The condition that a notice does not call to a vote that is over, or that its reader has cast."""
    has_voted = exists().where(ROLL.c.ballot_id == NOTICE.c.ballot_id, ROLL.c.person_id == NOTICE.c.person_id)
    is_over = BALLOT.c.closes_at <= present(connection.dialect.name)
    return ~and_(NOTICE.c.kind.in_(_CALLS), or_(is_over, has_voted))


_CALLS: Final = ("ballot_opened", "ballot_reminder")

INVITES: Final[Mapping[str, str]] = {
    "booking_confirmed": "REQUEST",
    "booking_unconfirmed": "CANCEL",
    "booking_cancelled": "CANCEL",
}
"""Kinds whose mail carries an entry for the calendar, by its method: it goes out even if the notice was read before."""


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
    return Actor(person_id=row.person_id, language=row.language, memberships={row.programme_id: membership})


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
        programme_id=row.programme_id,
        kind=row.kind,
        subject=words.subject,
        message=words.message,
        values={
            **titles,
            "ballot": _ballot_title(reader, row),
            "placement": row.placement_title or UNSEEN,
            "booking": row.booking_title or UNSEEN,
            "days": _days(row.data, known(reader.language) or DEFAULT),
            **{name: str(row.data.get(name, "")) for name in TOLD},
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


def _days(data: Mapping[str, Any], language: str) -> str:
    """The days of a stay that a notice is about, as they were when it was written."""
    if "from" not in data:
        return ""
    return i18n.days(date.fromisoformat(data["from"]), date.fromisoformat(data["to"]), language)


_PLACES: Final = {
    "join_requested": "/admin/join-requests",
    "join_approved": "/me",
    "role_lent": "/me/delegations",
    "login_linked": "/me/logins",
    "machines_left": "/admin/clients",
    "webhook_failing": "/admin/webhooks",
    "webhook_stopped": "/admin/webhooks",
    "data_ready": "/me/data#copy",
}
"""Where to look at what has no page of its own."""


def _path(row: Row[Any]) -> str:
    if row.kind in _PLACES:
        return _PLACES[row.kind]
    if row.booking_id is not None:
        return f"/bookings/{row.booking_id}"
    if row.placement_id is not None:
        return f"/placements/{row.placement_id}"
    if row.kind == "match_left_out":
        return f"/matches/{row.data.get('match_id')}/mine"
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
        PLACEMENT.c.title.label("placement_title"),
        STAYED_AT.c.title.label("booking_title"),
        *_of(IDEA, "idea"),
        *_of(SOURCE, "source"),
        *_of(TARGET, "target"),
    )
    .select_from(NOTICE)
    .outerjoin(BALLOT, BALLOT.c.id == NOTICE.c.ballot_id)
    .outerjoin(PLACEMENT, PLACEMENT.c.id == NOTICE.c.placement_id)
    .outerjoin(BOOKING, BOOKING.c.id == NOTICE.c.booking_id)
    .outerjoin(STAYED_AT, STAYED_AT.c.id == BOOKING.c.placement_id)
    .outerjoin(IDEA, IDEA.c.id == NOTICE.c.idea_id)
    .outerjoin(MERGE, MERGE.c.id == NOTICE.c.merge_id)
    .outerjoin(SOURCE, SOURCE.c.id == MERGE.c.source_id)
    .outerjoin(TARGET, TARGET.c.id == MERGE.c.target_id)
)
