"""The event log: written with every change, read by everything that follows changes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Final

from sqlalchemy import Select, bindparam, func, null, select, union
from sqlalchemy.engine import Connection

from app.database import Transaction
from app.errors import FieldError, Gone, Invalid
from app.integrations.bus import newest
from app.lib import clock
from app.lib.i18n import N_
from app.models import Comment, Event, Idea, Membership, Phase
from app.models.base import table
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import may, require
from app.services import audit, phases

EVENT = table(Event)
MEMBERSHIP = table(Membership)
IDEA = table(Idea)
PHASE = table(Phase)
COMMENT = table(Comment)

TYPES = frozenset(
    {
        "administrator.named",
        "administrator.withdrawn",
        "agreement.given",
        "assignment.ended",
        "assignment.given",
        "ballot.announced",
        "ballot.cancelled",
        "ballot.changed",
        "ballot.closed",
        "ballot.counted",
        "ballot.extended",
        "ballot.made",
        "ballot.reminded",
        "ballot.tallied",
        "booking.accepted",
        "booking.approved",
        "booking.cancelled",
        "booking.cleared",
        "booking.completed",
        "booking.confirmed",
        "booking.declined",
        "booking.expired",
        "booking.held",
        "booking.manager_named",
        "booking.moved",
        "booking.offered",
        "booking.passed_on",
        "booking.queued",
        "booking.reflected",
        "booking.reminded",
        "booking.started",
        "booking.withdrawn",
        "challenge.changed",
        "challenge.created",
        "challenge.deleted",
        "client.created",
        "client.revoked",
        "client.secret_changed",
        "cluster.created",
        "cluster.removed",
        "cluster.renamed",
        "comment.hidden",
        "comment.posted",
        "comment.withdrawn",
        "conflict.declared",
        "conflict.withdrawn",
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
        "idea.answered",
        "idea.co_authored",
        "idea.edited",
        "idea.hidden",
        "idea.moved",
        "idea.pinned",
        "idea.posted",
        "idea.restored",
        "idea.unpinned",
        "idea.withdrawn",
        "import.cancelled",
        "import.ended",
        "import.started",
        "interest.declared",
        "interest.withdrawn",
        "invitation.accepted",
        "invitation.revoked",
        "invitation.sent",
        "join_request.approved",
        "join_request.declined",
        "join_request.made",
        "login.linked",
        "login.unlinked",
        "match.cancelled",
        "match.ended",
        "match.published",
        "match.started",
        "membership.ended",
        "merge.accepted",
        "merge.declined",
        "merge.objected",
        "merge.proposed",
        "merge.undone",
        "notice.read",
        "open_data.changed",
        "open_data.closed",
        "open_data.opened",
        "organisation.added",
        "organisation.changed",
        "organisation.known_by",
        "person.changed",
        "person.deactivated",
        "person.erased",
        "person.joined",
        "person.merged",
        "person.reactivated",
        "person.warned",
        "phase.changed",
        "placement.changed",
        "placement.offered",
        "placement.published",
        "placement.returned",
        "placement.withdrawn",
        "preferences.stated",
        "programme.changed",
        "programme.created",
        "reflection.written",
        "retention.changed",
        "role.changed",
        "session.ended",
        "session.renewed",
        "session.started",
        "solution.changed",
        "solution.promoted",
        "solution.withdrawn",
        "story.consented",
        "story.published",
        "story.withdrawn",
        "story.written",
        "support.given",
        "support.withdrawn",
        "token.created",
        "token.revoked",
        "vote.cast",
        "vote.withdrawn",
        "webhook.changed",
        "webhook.created",
        "webhook.deleted",
        "webhook.failing",
        "webhook.replayed",
        "webhook.secret_changed",
        "webhook.stopped",
        "webhook.tested",
        "wishes.stated",
        "wishes.withdrawn",
    }
)
"""Every type there is; `docs/events.md` tells what each means."""


def record(
    tx: Transaction,
    type: str,
    actor: Actor | None,
    *,
    programme_id: int | None = None,
    challenge_id: int | None = None,
    idea_id: int | None = None,
    subject_id: int | None = None,
    data: dict[str, Any] | None = None,
) -> None:
    """Append one event in the transaction of the change; `data` holds ids and words of ours, no text of people.

    :raises ValueError: the type is not in `TYPES`
    """
    if type not in TYPES:
        raise ValueError(f"unknown event type {type}")
    if type in audit.AUDITED:
        audit.write_down(
            tx,
            type,
            actor,
            programme_id=programme_id,
            organisation_id=(data or {}).get("organisation_id"),
            subject=type.partition(".")[0],
            subject_id=subject_id,
            data=data,
        )
    _append(
        tx,
        type,
        actor,
        programme_id=programme_id,
        challenge_id=challenge_id,
        idea_id=idea_id,
        subject_id=subject_id,
        data=data or {},
    )


def record_where_known(
    tx: Transaction, type: str, actor: Actor | None, person_id: int, data: dict[str, Any] | None = None
) -> None:
    """Append an event on a person to the log of each programme in which they have or had a place, and once more for
    each challenge on which they wrote.

    Their name stands beside what they wrote: who keeps a copy has to hear that it has changed or is gone, and lists
    that are kept by a challenge's newest event have to be written anew. It is audited once, by `record`.
    """
    places = select(MEMBERSHIP.c.programme_id, null()).where(MEMBERSHIP.c.person_id == person_id)
    for programme_id, challenge_id in _once(tx, places, *_written(person_id=person_id)):
        _append(
            tx,
            type,
            actor,
            programme_id=programme_id,
            challenge_id=challenge_id,
            subject_id=person_id,
            data=data or {},
        )


def record_where_shown(tx: Transaction, type: str, actor: Actor | None, organisation_id: int) -> None:
    """Append an event on an organisation for each challenge on which its people wrote, as its name stands there."""
    for programme_id, challenge_id in _once(tx, *_written(organisation_id=organisation_id)):
        _append(
            tx,
            type,
            actor,
            programme_id=programme_id,
            challenge_id=challenge_id,
            subject_id=organisation_id,
            data={},
        )


def _written(*, person_id: int | None = None, organisation_id: int | None = None) -> list[Select[Any]]:
    """The programmes and challenges in which a person, or those of an organisation, wrote ideas or comments.

    Not where they wrote without a name alone: no name stands there that could change, and the event would tell it.
    """
    ideas, said = (
        select(of.c.programme_id, of.c.challenge_id).where(
            of.c.organisation_id == organisation_id if person_id is None else of.c.author_id == person_id
        )
        for of in (IDEA, COMMENT)
    )
    return [ideas.where(IDEA.c.anonymous.is_(False)), said]


def _once(tx: Transaction, *found: Select[Any]) -> Sequence[Any]:
    return sorted(tx.execute(union(*found)).all(), key=lambda row: (row[0], row[1] or 0))


def _append(
    tx: Transaction,
    type: str,
    actor: Actor | None,
    *,
    programme_id: int | None,
    subject_id: int | None,
    data: dict[str, Any],
    challenge_id: int | None = None,
    idea_id: int | None = None,
) -> None:
    tx.append(
        EVENT,
        {
            "programme_id": programme_id,
            "challenge_id": challenge_id,
            "idea_id": idea_id,
            "subject_id": subject_id,
            "type": type,
            "actor_id": actor.person_id if actor else None,
            "data": data,
            "created_at": tx.now,
        },
    )


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events someone asks for: of these types (all, if it is None), on this challenge alone."""

    types: frozenset[str] | None = None
    challenge_id: int | None = None


EVERYTHING: Final = Wanted()

NOUNS: Final = frozenset(type.partition(".")[0] for type in TYPES)


def types_of(names: Iterable[str]) -> frozenset[str] | None:
    """The types that are named: each itself, or all of a noun by the noun; None where nothing is named.

    :raises Invalid: there is neither such a type nor such a noun
    """
    named = {name.strip() for name in names} - {""}
    if unknown := sorted(named - TYPES - NOUNS):
        message = N_("There are no events of the type %(type)s. docs/events.md lists the types.")
        raise Invalid(FieldError("type", message, (("type", unknown[0][:60]),)))
    if not named:
        return None
    return frozenset(type for type in TYPES if type in named or type.partition(".")[0] in named)


@dataclass(frozen=True, slots=True)
class Told:
    """Events as someone is told of them, and the `position` up to which nothing else is to be told."""

    rows: Sequence[Any]
    position: int


def in_programme(
    connection: Connection,
    actor: Actor,
    programme: Any,
    *,
    after: int | None = 0,
    limit: int = 50,
    wanted: Wanted = EVERYTHING,
) -> Told:
    """A programme's (`ProgrammeView`) events with ids greater than `after`, in the order of commits, `limit` at most;
    those to come alone, where `after` is None. Two statements, and one more where there is support among them.

    Who gave or took back support is not told, nor, while a challenge hides its tallies, to which idea; nor who wrote an
    anonymous idea. Whose stays, wishes and conflicts of
    interest the others are is told to coordinators alone.

    :raises Gone: the log has never come to `after`, or was put back to a state before it
    """
    require(actor, Permission.READ_EVENTS, programme)
    # Before the rows: what is not among them and lies before it was not there to be told.
    end = newest(connection)
    if after is None:
        return Told((), end)
    if after > end:
        raise Gone(
            N_("The log does not go so far; it may have been put back to an earlier state. Begin anew.")
        )
    conditions = [EVENT.c.programme_id == programme.id, EVENT.c.id > after]
    if wanted.types is not None:
        conditions.append(EVENT.c.type.in_(sorted(wanted.types)))
    if wanted.challenge_id is not None:
        conditions.append(EVENT.c.challenge_id == wanted.challenge_id)
    rows = connection.execute(select(EVENT).where(*conditions).order_by(EVENT.c.id).limit(limit)).all()
    last = rows[-1].id if rows else 0
    position = last if len(rows) == limit else max(last, end)
    return Told(_veiled(connection, told(actor, programme, rows)), position)


def one_in_programme(connection: Connection, actor: Actor, programme: Any, id: int) -> Any | None:
    """One of a programme's events, told as `in_programme` tells it; None where there is none."""
    require(actor, Permission.READ_EVENTS, programme)
    asked = select(EVENT).where(EVENT.c.programme_id == programme.id, EVENT.c.id == id)
    return next(iter(_veiled(connection, told(actor, programme, connection.execute(asked).all()))), None)


def told(actor: Actor, programme: Any, rows: Sequence[Any]) -> Sequence[Any]:
    """Events of a programme as `actor` is told of them."""
    return rows if may(actor, Permission.RUN_EXCHANGES, programme) else [_told(row) for row in rows]


def _veiled(connection: Connection, rows: Sequence[Any]) -> Sequence[Any]:
    """The same events, without the idea of a support where tallies are hidden now: whoever counts would know them."""
    boards = {row.challenge_id for row in rows if row.type.startswith(_SUPPORT)}
    if not boards:
        return rows
    begun = connection.execute(
        select(PHASE.c.challenge_id, *phases.selected())
        .where(PHASE.c.challenge_id.in_(sorted(boards)), PHASE.c.starts_at <= clock.now())
        .order_by(PHASE.c.starts_at)
    )
    current = {row.challenge_id: phases.as_of_now(phases.from_row(row)) for row in begun}
    hidden = {id for id in boards if not current.get(id, phases.NO_PHASE).tallies}
    return [
        _with(row, idea_id=None, subject_id=None)
        if row.type.startswith(_SUPPORT) and row.challenge_id in hidden
        else row
        for row in rows
    ]


_SUPPORT: Final = "support."

OF_STAYS: Final = frozenset({"agreement", "booking", "decision_link", "reflection", "story"})
"""Nouns of events about one person's stay. Their subject leads on only for those whom it concerns."""

OF_PEOPLE: Final = frozenset(
    {"assignment", "conflict", "delegation", "feed", "preferences", "role", "wishes"}
)
"""Nouns of events whose subject itself would say whose they are."""


def _told(row: Any) -> Any:
    """The event as those are told of it who do not coordinate: that it happened and when, not who did what."""
    noun = row.type.partition(".")[0]
    if noun not in OF_STAYS | OF_PEOPLE:
        return row
    return _with(row, subject_id=row.subject_id if noun in OF_STAYS else None, actor_id=None, data={})


def _with(row: Any, **values: Any) -> Any:
    """The event with other values."""
    return SimpleNamespace(**{**{column.name: getattr(row, column.name) for column in EVENT.c}, **values})


def latest_on(connection: Connection, challenge_id: int) -> int:
    """The id of the newest event of a challenge, which is the version of its board; 0 before the first."""
    return connection.execute(_LATEST, {"challenge_id": challenge_id}).scalar() or 0


_LATEST = select(func.max(EVENT.c.id)).where(EVENT.c.challenge_id == bindparam("challenge_id"))
