"""Two accounts of one human made one: only when both their logins were proved in one session.

The account that is signed in stays. In one transaction all that refers to the other refers to it from then on, but for
the event log and the audit log, which say what was done as whom. Where there can be only one of a thing for a person,
the one of the account that stays is kept; of two places in one programme the older one.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any, Final

from sqlalchemy import Column, Row, Table, UniqueConstraint, and_, delete, exists, func, or_, select, update
from sqlalchemy.engine import Connection

from app.database import Transaction
from app.errors import Conflict, NotFound
from app.integrations.arrivals import Arrival
from app.lib import clock
from app.lib.i18n import N_
from app.methods.booking_machine import HELD, HOLDING
from app.models import (
    Assignment,
    Ballot,
    Booking,
    BrowserSession,
    Comment,
    Consent,
    Idea,
    KeptAnswer,
    Membership,
    Organisation,
    Person,
    Programme,
    RollEntry,
    Support,
    Wish,
    WishList,
)
from app.models.base import metadata, table
from app.policies.actor import Actor
from app.policies.rules import FRESH
from app.services import booking_steps, logins, memberships, sessions, support, tokens, votes
from app.services.events import record, record_where_known
from app.services.logins import NAMELESS

ASSIGNMENT = table(Assignment)
BALLOT = table(Ballot)
BOOKING = table(Booking)
COMMENT = table(Comment)
CONSENT = table(Consent)
IDEA = table(Idea)
KEPT_ANSWER = table(KeptAnswer)
MEMBERSHIP = table(Membership)
ORGANISATION = table(Organisation)
PERSON = table(Person)
PROGRAMME = table(Programme)
ROLL = table(RollEntry)
SESSION = table(BrowserSession)
SUPPORT = table(Support)
WISH = table(Wish)
WISH_LIST = table(WishList)

HISTORY: Final = frozenset({("event", "actor_id"), ("audit_entry", "actor_id")})
"""References that stay as they are: what was done by the account that is no more."""

UNKNOWN: Final = N_(
    "No account here is known by this login, so there is nothing to put together. "
    "To sign in by it too, link it to this account."
)
SAME: Final = N_("This login is one of this account's own already.")
OUT: Final = N_("The account of this login was put out of action, so it cannot become one with yours.")
NOT_PROVED: Final = N_(
    "Please sign in by a login of the other account first; that proves that it is yours. It is good for %(minutes)s "
    "minutes."
)
BOTH_VOTED: Final = N_(
    "Both accounts have voted on “%(title)s”, which is not counted yet. Please take one of the two votes back first."
)
BOTH_AWAY: Final = N_(
    "Both accounts have a stay on %(day)s, and nobody is in two places at once. Please give one of them back first."
)
OWN_MANAGER: Final = N_(
    "One account is to approve a stay of the other as the home manager. Please name another manager first."
)


@dataclass(frozen=True, slots=True)
class PlaceOfBoth:
    """A programme in which both accounts take part: the place that stays, and the one that ends."""

    programme: str
    staying: str
    staying_role: str
    ending: str
    ending_role: str


@dataclass(frozen=True, slots=True)
class Hindrance:
    """Why the accounts cannot become one now: a msgid, filled with `values`."""

    message: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """What comes together: the other account, how much is its own, which places end, and what hinders."""

    other_id: int
    name: str
    email: str | None
    counts: Mapping[str, int]
    places: tuple[PlaceOfBoth, ...]
    hindrances: tuple[Hindrance, ...]


def prove(tx: Transaction, actor: Actor, arrival: Arrival) -> None:
    """Note that the actor's session has proved a login of another account too; nothing becomes one yet.

    :raises NotFresh: it is too long since they signed in by their own
    :raises Conflict: no other account that could become one with theirs has this login
    """
    logins.require_ready(actor)
    found = logins.find(tx.connection, arrival.issuer, arrival.subject)
    if found is None:
        raise Conflict(UNKNOWN)
    if found.person_id == actor.person_id:
        raise Conflict(SAME)
    if found.disabled_at is not None or found.is_machine:
        raise Conflict(OUT)
    proof = {"other_person_id": found.person_id, "other_proved_at": tx.now}
    tx.execute(update(SESSION).where(SESSION.c.id == actor.session_id).values(**proof))


def plan(connection: Connection, actor: Actor) -> Plan:
    """What would come together, for the page on which the actor decides it. Nothing is changed.

    :raises Conflict: no other account was proved in this session, or too long ago
    """
    own, other_id = actor.person_id or 0, _proved(connection, actor, clock.now())
    other = connection.execute(select(PERSON).where(PERSON.c.id == other_id)).one()
    return Plan(
        other_id=other_id,
        name=other.name,
        email=other.email,
        counts=_counts(connection, other_id),
        places=tuple(_told(*pair) for pair in _places(connection, own, other_id)),
        hindrances=tuple(_hindrances(connection, own, other_id)),
    )


def merge(tx: Transaction, actor: Actor, other_id: int) -> None:
    """Make the account `other_id`, which this session has proved too, one with the actor's.

    :raises NotFresh: it is too long since they signed in
    :raises NotFound: it is not the one that was proved
    :raises Conflict: none was proved, or something hinders it, as `plan` tells
    """
    logins.require_ready(actor)
    own = actor.person_id or 0
    logins.hold(tx, [own, other_id])
    if _proved(tx.connection, actor, tx.now) != other_id:
        raise NotFound(N_("There is no such account of yours."))
    memberships.hold(tx, _programmes(tx.connection, own, other_id))
    booking_steps.take_turn(tx)
    for hindrance in _hindrances(tx.connection, own, other_id):
        raise Conflict(hindrance.message, **hindrance.values)
    _sign_out(tx, actor, other_id)
    for unite in (_unite_votes, _unite_places, _unite_support, _unite_wishes, _unite_rest):
        unite(tx, own, other_id)
    for of, column in references():
        _refer(tx, of, column, own, other_id)
    _afterwards(tx, own, other_id)
    record(tx, "person.merged", actor, subject_id=own, data={"merged_id": other_id})
    record_where_known(tx, "person.merged", None, own, {"merged_id": other_id})
    sessions.rotate_later(tx, own)


def references() -> Iterator[tuple[Table, Column[Any]]]:
    """Every column of every table that refers to a person, but for the two logs."""
    for of in metadata.sorted_tables:
        for key in sorted(of.foreign_keys, key=lambda key: key.parent.name):
            if key.column is PERSON.c.id and (of.name, key.parent.name) not in HISTORY:
                yield of, key.parent


# what is looked at before


def _proved(connection: Connection, actor: Actor, now: datetime) -> int:
    row = connection.execute(
        select(SESSION.c.other_person_id)
        .join(PERSON, PERSON.c.id == SESSION.c.other_person_id)
        .where(
            SESSION.c.id == actor.session_id,
            SESSION.c.other_proved_at > now - FRESH,
            PERSON.c.disabled_at.is_(None),
        )
    ).first()
    if row is None or row.other_person_id == actor.person_id:
        raise Conflict(NOT_PROVED, minutes=int(FRESH.total_seconds() // 60))
    return int(row.other_person_id)


def _counts(connection: Connection, person_id: int) -> dict[str, int]:
    of: dict[str, Any] = {
        "ideas": IDEA.c.author_id,
        "comments": COMMENT.c.author_id,
        "supports": SUPPORT.c.person_id,
        "votes": ROLL.c.person_id,
        "stays": BOOKING.c.person_id,
        "logins": logins.LOGIN.c.person_id,
    }
    return {
        name: connection.execute(
            select(func.count()).select_from(column.table).where(column == person_id)
        ).scalar_one()
        for name, column in of.items()
    }


def _programmes(connection: Connection, *person_ids: int) -> Sequence[int]:
    return (
        connection.execute(
            select(MEMBERSHIP.c.programme_id).where(MEMBERSHIP.c.person_id.in_(person_ids)).distinct()
        )
        .scalars()
        .all()
    )


def _places(connection: Connection, own: int, other: int) -> list[tuple[Row[Any], Row[Any]]]:
    """The places that both have now in one programme: the older one first, which stays."""
    rows = connection.execute(
        select(MEMBERSHIP, PROGRAMME.c.name.label("programme"), ORGANISATION.c.name.label("organisation"))
        .join(PROGRAMME, PROGRAMME.c.id == MEMBERSHIP.c.programme_id)
        .join(ORGANISATION, ORGANISATION.c.id == MEMBERSHIP.c.organisation_id)
        .where(MEMBERSHIP.c.person_id.in_((own, other)), MEMBERSHIP.c.ended_at.is_(None))
        .order_by(MEMBERSHIP.c.programme_id, MEMBERSHIP.c.created_at, MEMBERSHIP.c.id)
    ).all()
    return [(older, newer) for older, newer in pairwise(rows) if older.programme_id == newer.programme_id]


def _told(older: Row[Any], newer: Row[Any]) -> PlaceOfBoth:
    return PlaceOfBoth(older.programme, older.organisation, older.role, newer.organisation, newer.role)


def _hindrances(connection: Connection, own: int, other: int) -> Iterator[Hindrance]:
    for title in connection.execute(_voted_by_both(own, other)).scalars():
        yield Hindrance(BOTH_VOTED, {"title": title})
    for day in connection.execute(_away_by_both(own, other)).scalars():
        yield Hindrance(BOTH_AWAY, {"day": day.isoformat()})
    approves = and_(BOOKING.c.state == HELD, or_(_between(own, other), _between(other, own)))
    if connection.execute(select(BOOKING.c.id).where(approves).limit(1)).first():
        yield Hindrance(OWN_MANAGER, {})
    for older, newer in _places(connection, own, other):
        goes = newer.role == "coordinator" and older.role != "coordinator"
        if goes and memberships.coordinators(connection, older.programme_id) <= {own, other}:
            yield Hindrance(memberships.LAST_COORDINATOR, {})


def _between(guest: int, manager: int) -> Any:
    return and_(BOOKING.c.person_id == guest, BOOKING.c.manager_id == manager)


def _voted_by_both(own: int, other: int) -> Any:
    also = ROLL.alias("also")
    return (
        select(BALLOT.c.title)
        .join(ROLL, and_(ROLL.c.ballot_id == BALLOT.c.id, ROLL.c.person_id == own))
        .join(also, and_(also.c.ballot_id == BALLOT.c.id, also.c.person_id == other))
        .where(BALLOT.c.counted_at.is_(None))
        .order_by(BALLOT.c.id)
    )


def _away_by_both(own: int, other: int) -> Any:
    also = BOOKING.alias("also")
    return (
        select(BOOKING.c.first_day)
        .join(
            also,
            and_(also.c.first_day <= BOOKING.c.last_day, also.c.last_day >= BOOKING.c.first_day),
        )
        .where(
            BOOKING.c.person_id == own,
            also.c.person_id == other,
            BOOKING.c.state.in_(HOLDING),
            also.c.state.in_(HOLDING),
        )
        .order_by(BOOKING.c.first_day)
    )


# what becomes one


def _sign_out(tx: Transaction, actor: Actor, other: int) -> None:
    """Nothing of the account that goes can be used any more."""
    sessions.end_all(tx, other, reason="merged")
    tokens.revoke_all(tx, actor, other)
    tx.execute(delete(KEPT_ANSWER).where(KEPT_ANSWER.c.person_id == other))


def _unite_votes(tx: Transaction, own: int, other: int) -> None:
    votes.carry_over(tx, other, own)


def _unite_places(tx: Transaction, own: int, other: int) -> None:
    """Of two places in one programme the newer one ends."""
    for _, newer in _places(tx.connection, own, other):
        ended = {"ended_at": tx.now, "updated_at": tx.now, "version": MEMBERSHIP.c.version + 1}
        tx.execute(update(MEMBERSHIP).where(MEMBERSHIP.c.id == newer.id).values(**ended))


def _unite_support(tx: Transaction, own: int, other: int) -> None:
    """What both support is supported once, and the tallies are as if it had always been so."""
    boards = select(SUPPORT.c.challenge_id).where(SUPPORT.c.person_id == other).distinct()
    support.take_turns_on(tx, tx.execute(boards).scalars().all())
    before = support.counted_of(tx.connection, own, other)
    theirs = SUPPORT.alias("theirs")
    both = and_(theirs.c.idea_id == SUPPORT.c.idea_id, theirs.c.person_id == other)
    given_directly = select(theirs.c.idea_id).where(both, theirs.c.via_id.is_(None))
    tx.execute(update(SUPPORT).where(SUPPORT.c.person_id == own, exists(given_directly)).values(via_id=None))
    _refer(tx, SUPPORT, SUPPORT.c.person_id, own, other)
    after = support.counted_of(tx.connection, own, other)
    after.subtract(before)
    support.add(tx, after)


def _unite_wishes(tx: Transaction, own: int, other: int) -> None:
    """A list of wishes is one thing: where both have one, the one of the account that stays."""
    lists = WISH_LIST.alias("own")
    is_kept = exists().where(lists.c.programme_id == WISH.c.programme_id, lists.c.person_id == own)
    tx.execute(delete(WISH).where(WISH.c.person_id == other, is_kept))


def _unite_rest(tx: Transaction, own: int, other: int) -> None:
    """Consents that both have given are given once, and nobody lends a role to themselves."""
    also = CONSENT.alias("own")
    is_given = exists().where(
        also.c.person_id == own,
        also.c.programme_id == CONSENT.c.programme_id,
        also.c.purpose == CONSENT.c.purpose,
        also.c.withdrawn_at.is_(None),
    )
    tx.execute(
        update(CONSENT)
        .where(CONSENT.c.person_id == other, CONSENT.c.withdrawn_at.is_(None), is_given)
        .values(withdrawn_at=tx.now)
    )
    both = (own, other)
    lent = and_(ASSIGNMENT.c.person_id.in_(both), ASSIGNMENT.c.delegated_by.in_(both))
    tx.execute(update(ASSIGNMENT).where(lent, ASSIGNMENT.c.ended_at.is_(None)).values(ended_at=tx.now))


def _refer(tx: Transaction, of: Table, column: Column[Any], own: int, other: int) -> None:
    """Let what refers to the one refer to the other; where it has the same already, that stays."""
    for key in _unique_keys(of):
        if column.name in key:
            also = of.alias("own")
            same = [also.c[name] == of.c[name] for name in key if name != column.name]
            has_it = exists().where(also.c[column.name] == own, *same)
            tx.execute(delete(of).where(column == other, has_it))
    tx.execute(update(of).where(column == other).values({column: own}))


def _unique_keys(of: Table) -> Iterator[frozenset[str]]:
    """The sets of columns of which a table has each set of values once, whatever else a row says."""
    yield frozenset(column.name for column in of.primary_key)
    for constraint in of.constraints:
        if isinstance(constraint, UniqueConstraint):
            yield frozenset(column.name for column in constraint.columns)
    for index in of.indexes:
        if index.unique and not any(
            index.dialect_options[name].get("where") is not None for name in _ENGINES
        ):
            yield frozenset(column.name for column in index.columns)


_ENGINES: Final = ("sqlite", "postgresql")


def _afterwards(tx: Transaction, own: int, other: int) -> None:
    """What only is right once all is one: support by sector, the proof, and the account that is no more."""
    co_author = metadata.tables["co_author"]
    wrote = select(IDEA.c.id).where(IDEA.c.author_id == own)
    tx.execute(delete(co_author).where(co_author.c.person_id == own, co_author.c.idea_id.in_(wrote)))
    tx.execute(
        update(SESSION)
        .where(SESSION.c.other_person_id == own)
        .values(other_person_id=None, other_proved_at=None)
    )
    now = select(MEMBERSHIP).where(MEMBERSHIP.c.person_id == own, MEMBERSHIP.c.ended_at.is_(None))
    for place in tx.execute(now).all():
        support.count_for(tx, own, place.programme_id, place.sector_id)
    administered = tx.execute(select(PERSON.c.administrator_since).where(PERSON.c.id == other)).scalar()
    kept = func.coalesce(PERSON.c.administrator_since, administered)
    grown = {"updated_at": tx.now, "version": PERSON.c.version + 1}
    tx.execute(update(PERSON).where(PERSON.c.id == own).values(administrator_since=kept, **grown))
    gone: dict[str, Any] = {"name": NAMELESS, "email": None, "administrator_since": None}
    gone |= {"disabled_at": tx.now, "erased_at": tx.now}
    tx.execute(update(PERSON).where(PERSON.c.id == other).values(**gone, **grown))
