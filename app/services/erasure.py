"""Erasure: what says who someone was goes; what others build on stays, and leads to nobody.

All in one transaction: the stays to come end by the verbs that everyone uses, what was only theirs is deleted, and the
row that the rest refers to is emptied. `docs/privacy.md` says of each table what becomes of it, and why.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Final

from sqlalchemy import and_, exists, or_, select, text, update
from sqlalchemy.engine import Connection

from app.database import Database, Transaction
from app.errors import Conflict, FieldError, Invalid, NotAllowed, NotFound
from app.lib.i18n import N_
from app.methods import booking_machine as machine
from app.models import (
    Assignment,
    Ballot,
    BallotChange,
    Booking,
    BrowserSession,
    Erasure,
    ImportChunk,
    KeptAnswer,
    Membership,
    Notice,
    Person,
    Programme,
    RollEntry,
)
from app.models.ballot import OPEN as OPEN_VOTES
from app.models.base import table
from app.models.exchange import GUEST
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import may, require, require_fresh
from app.services import (
    booking_steps,
    erasure_of_places,
    erasure_of_texts,
    erasure_of_traces,
    logins,
    personal_data,
    taking_back,
    votes,
)
from app.services.events import record, record_where_known

ASSIGNMENT = table(Assignment)
BALLOT = table(Ballot)
BALLOT_CHANGE = table(BallotChange)
BOOKING = table(Booking)
ERASURE = table(Erasure)
MEMBERSHIP = table(Membership)
PERSON = table(Person)
PROGRAMME = table(Programme)
ROLL = table(RollEntry)

OWN_WISH, ADMINISTRATOR, OPERATOR, CLOCK = "own_wish", "administrator", "operator", "clock"
"""On whose wish someone was erased."""

LEFT: Final = N_(
    "The guest has left for good: their data was erased on their wish or after the time that is allowed."
)


@dataclass(frozen=True, slots=True)
class Preview:
    """What an erasure would do: how much there is of each kind, what ends, what stays with the name, what forbids it.

    `named`: titles of counted ballots whose published log has the name. `alone`: programmes that nobody else
    coordinates. `is_last_administrator`: nobody else administers the installation.
    """

    person_id: int
    name: str
    counts: dict[str, int]
    stays: int
    named: tuple[str, ...]
    alone: tuple[str, ...]
    is_last_administrator: bool

    @property
    def is_possible(self) -> bool:
        """Whether nothing has to be handed over first."""
        return not self.alone and not self.is_last_administrator


# queries


def preview(connection: Connection, actor: Actor, person_id: int) -> Preview:
    """What erasing a person would do.

    :raises NotFound: there is no such person, or they are erased already
    :raises NotAllowed: it is someone else, whom the actor may not erase
    :raises NotFresh: the actor has to sign in once more
    """
    _require_may(connection, actor, person_id)
    person = _found(connection, person_id)
    live = select(BOOKING.c.id).where(BOOKING.c.person_id == person_id, BOOKING.c.state.in_(machine.LIVE))
    return Preview(
        person_id=person_id,
        name=person.name,
        counts=personal_data.counted(connection, person_id),
        stays=len(connection.execute(live).all()),
        named=tuple(connection.execute(_named(person_id)).scalars()),
        alone=tuple(_alone(connection, person_id)),
        is_last_administrator=_is_last_administrator(connection, person),
    )


def is_open_to(connection: Connection, actor: Actor, person_id: int) -> bool:
    """Whether the actor may erase this person, who is someone else; a fresh sign-in may still be asked."""
    return person_id != actor.person_id and may(
        actor, Permission.ERASE_PERSON, _place_of(connection, person_id)
    )


# verbs


def erase(
    tx: Transaction, actor: Actor, person_id: int, *, confirmed: bool, with_texts: bool = False
) -> None:
    """Erase oneself, or as an administrator someone else. `with_texts`: their ideas' and comments' texts go as well.

    :raises NotFound: there is no such person, or they are erased already
    :raises NotAllowed: it is someone else, whom the actor may not erase; or a token asks
    :raises NotFresh: the actor has to sign in once more
    :raises Invalid: it was not `confirmed`
    :raises Conflict: nobody else coordinates a programme of theirs, or administers the installation
    """
    _require_may(tx.connection, actor, person_id)
    if not confirmed:
        raise Invalid(FieldError("confirmed", N_("Please tick the box: this cannot be undone.")))
    _erase(tx, actor, person_id, OWN_WISH if person_id == actor.person_id else ADMINISTRATOR, with_texts)


def erase_by_operator(tx: Transaction, person_id: int, *, with_texts: bool = False) -> None:
    """Erase someone at the command line, where no policy stands between; it raises what `erase` does of the person."""
    _erase(tx, None, person_id, OPERATOR, with_texts)


def erase_by_clock(tx: Transaction, person_id: int) -> None:
    """Erase someone whose time is over; it raises what `erase` raises of the person."""
    _erase(tx, None, person_id, CLOCK, with_texts=False)


def tidy(database: Database) -> None:
    """Let go of what was deleted, as far as the engine can; after the commit, and not in an event loop."""
    database.tidy(
        PERSON, *(table(model) for model in (BrowserSession, ImportChunk, KeptAnswer, Notice, Membership))
    )


# within


def _require_may(connection: Connection, actor: Actor, person_id: int) -> None:
    require(actor, Permission.MANAGE_OWN)
    if actor.scopes is not None:
        raise NotAllowed(N_("A token cannot erase anyone. Please sign in and use the page."))
    if person_id != actor.person_id:
        require(actor, Permission.ERASE_PERSON, _place_of(connection, person_id))
    require_fresh(actor)


def _place_of(connection: Connection, person_id: int) -> Any:
    """Where a person belongs, as the policy asks: to one organisation of one programme, or to none alone.

    Whoever coordinates or administers is no organisation's own.
    """
    rows = connection.execute(
        select(
            MEMBERSHIP.c.programme_id,
            MEMBERSHIP.c.organisation_id,
            MEMBERSHIP.c.role,
            PERSON.c.administrator_since,
        )
        .join(PERSON, PERSON.c.id == MEMBERSHIP.c.person_id)
        .where(MEMBERSHIP.c.person_id == person_id)
    ).all()
    places = {(row.programme_id, row.organisation_id) for row in rows}
    coordinates = select(PROGRAMME.c.id).where(PROGRAMME.c.id.in_(_coordinated(person_id)))
    is_own = len(places) == 1 and not any(
        row.role == "coordinator" or row.administrator_since for row in rows
    )
    is_own = is_own and connection.execute(coordinates).first() is None
    programme_id, organisation_id = next(iter(places)) if is_own else (0, 0)
    return SimpleNamespace(programme_id=programme_id, organisation_id=organisation_id, id=0)


def _erase(tx: Transaction, actor: Actor | None, person_id: int, reason: str, with_texts: bool) -> None:  # noqa: FBT001 -- within
    booking_steps.take_turn(tx)
    person = _held(tx, person_id)
    _write_noughts(tx, "ON")
    _end_stays(tx, person_id)
    erasure_of_places.hand_over(tx, actor, person_id)
    votes.take_back_open(tx, person_id)
    erasure_of_texts.empty(tx, person_id, with_texts=with_texts)
    erasure_of_traces.remove(tx, person)
    _end_places(tx, person_id)
    _empty(tx, person_id)
    tx.execute(
        ERASURE.insert(),
        {
            "person_id": person_id,
            "asked_by": actor.person_id if actor else None,
            "reason": reason,
            "created_at": tx.now,
        },
    )
    record(tx, "person.erased", actor, subject_id=person_id, data={"reason": reason})
    record_where_known(tx, "person.erased", None, person_id)
    _write_noughts(tx, "OFF")


def _found(connection: Connection, person_id: int) -> Any:
    person = connection.execute(
        select(PERSON).where(PERSON.c.id == person_id, PERSON.c.erased_at.is_(None))
    ).first()
    if person is None:
        raise NotFound(N_("There is no such person."))
    if person.is_machine:
        raise Conflict(N_("This is not a person but a machine; it goes with its client."))
    return person


def _held(tx: Transaction, person_id: int) -> Any:
    """The person, whom nobody else erases meanwhile, nor those who could take over from them.

    :raises Conflict: something has to be handed over first
    """
    coordinated = select(PROGRAMME.c.id).where(PROGRAMME.c.id.in_(_coordinated(person_id)))
    tx.execute(coordinated.order_by(PROGRAMME.c.id).with_for_update())
    administrators = select(PERSON.c.id).where(
        or_(PERSON.c.id == person_id, PERSON.c.administrator_since.is_not(None))
    )
    tx.execute(administrators.order_by(PERSON.c.id).with_for_update())
    person = _found(tx.connection, person_id)
    alone = _alone(tx.connection, person_id)
    if alone:
        message = N_(
            "Nobody else coordinates %(programme)s. Please have someone else made coordinator first; "
            "then nothing stands in the way."
        )
        raise Conflict(message, programme=", ".join(alone))
    if _is_last_administrator(tx.connection, person):
        raise Conflict(N_("Nobody else administers this installation. Please have someone else do so first."))
    return person


def _coordinated(person_id: int) -> Any:
    """The ids of the programmes that a person coordinates, as a part of a statement."""
    by_place = select(MEMBERSHIP.c.programme_id).where(
        MEMBERSHIP.c.person_id == person_id,
        MEMBERSHIP.c.role == "coordinator",
        MEMBERSHIP.c.ended_at.is_(None),
    )
    by_role = select(ASSIGNMENT.c.programme_id).where(
        ASSIGNMENT.c.person_id == person_id, ASSIGNMENT.c.role == "coordinator", *_LASTING
    )
    return by_place.union(by_role).scalar_subquery()


_LASTING: Final = (
    ASSIGNMENT.c.ended_at.is_(None),
    ASSIGNMENT.c.ends_at.is_(None),
    ASSIGNMENT.c.delegated_by.is_(None),
    ASSIGNMENT.c.organisation_id.is_(None),
    ASSIGNMENT.c.challenge_id.is_(None),
)
"""The conditions that a role is had for all of a programme, and not for a while."""


def _alone(connection: Connection, person_id: int) -> Sequence[str]:
    """The names of programmes with other people in them that nobody but this person coordinates."""
    others = and_(
        MEMBERSHIP.c.programme_id == PROGRAMME.c.id,
        MEMBERSHIP.c.ended_at.is_(None),
        MEMBERSHIP.c.person_id != person_id,
        MEMBERSHIP.c.person_id.in_(
            select(PERSON.c.id).where(PERSON.c.disabled_at.is_(None), PERSON.c.is_machine.is_(False))
        ),
    )
    assigned = exists().where(
        ASSIGNMENT.c.person_id == MEMBERSHIP.c.person_id,
        ASSIGNMENT.c.programme_id == PROGRAMME.c.id,
        ASSIGNMENT.c.role == "coordinator",
        *_LASTING,
    )
    coordinating = or_(MEMBERSHIP.c.role == "coordinator", assigned)
    return (
        connection.execute(
            select(PROGRAMME.c.name)
            .where(
                PROGRAMME.c.id.in_(_coordinated(person_id)),
                exists().where(others),
                ~exists().where(others, coordinating),
            )
            .order_by(PROGRAMME.c.id)
        )
        .scalars()
        .all()
    )


def _is_last_administrator(connection: Connection, person: Any) -> bool:
    if person.administrator_since is None:
        return False
    others = select(PERSON.c.id).where(
        PERSON.c.id != person.id, PERSON.c.administrator_since.is_not(None), PERSON.c.disabled_at.is_(None)
    )
    return connection.execute(others.limit(1)).first() is None


def _named(person_id: int) -> Any:
    """The titles of counted ballots whose signed log has a person's name: as a voter, or as who changed its end."""
    voted = exists().where(ROLL.c.ballot_id == BALLOT.c.id, ROLL.c.person_id == person_id)
    changed = exists().where(
        BALLOT_CHANGE.c.ballot_id == BALLOT.c.id, BALLOT_CHANGE.c.changed_by == person_id
    )
    return (
        select(BALLOT.c.title)
        .where(BALLOT.c.counted_at.is_not(None), or_(and_(BALLOT.c.mode == OPEN_VOTES, voted), changed))
        .order_by(BALLOT.c.id)
    )


def _end_stays(tx: Transaction, person_id: int) -> None:
    """End every stay to come as its guest would; hosts are told, and the places go to the next in line."""
    live = select(BOOKING.c.id).where(BOOKING.c.person_id == person_id, BOOKING.c.state.in_(machine.LIVE))
    for booking_id in tx.execute(live.order_by(BOOKING.c.id)).scalars().all():
        booking = booking_steps.found(tx.connection, booking_id)
        if booking.state in machine.LIVE:
            action = "withdraw" if machine.can("withdraw", booking.state, GUEST) else "cancel"
            guest = Actor(person_id=person_id)
            taking_back.end(tx, booking, action, actor=guest, role=GUEST, reason=LEFT)


def _end_places(tx: Transaction, person_id: int) -> None:
    """End every place and role of a person, and what they lent to others."""
    theirs = or_(ASSIGNMENT.c.person_id == person_id, ASSIGNMENT.c.delegated_by == person_id)
    tx.execute(update(ASSIGNMENT).where(theirs, ASSIGNMENT.c.ended_at.is_(None)).values(ended_at=tx.now))
    tx.execute(
        update(MEMBERSHIP)
        .where(MEMBERSHIP.c.person_id == person_id, MEMBERSHIP.c.ended_at.is_(None))
        .values(ended_at=tx.now, updated_at=tx.now, version=MEMBERSHIP.c.version + 1)
    )


def _empty(tx: Transaction, person_id: int) -> None:
    """Empty the row that the rest refers to."""
    nobody = {"name": logins.NAMELESS, "email": None, "language": None, "administrator_since": None}
    times = {"disabled_at": tx.now, "erased_at": tx.now, "updated_at": tx.now, "warned_at": None}
    tx.execute(
        update(PERSON)
        .where(PERSON.c.id == person_id)
        .values(**nobody, **times, name_is_own=False, email_is_own=False, version=PERSON.c.version + 1)
    )


def _write_noughts(tx: Transaction, switch: str) -> None:
    """Let SQLite write noughts over what is deleted in between."""
    if tx.dialect == "sqlite":
        tx.execute(text(f"PRAGMA secure_delete = {switch}"))
