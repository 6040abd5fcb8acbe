"""Calendar feeds: secret addresses at which calendars read stays. Only a hash of the secret is kept.

A feed shows no more than its maker may see at the moment when it is read. Reading it changes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import and_, or_, select
from sqlalchemy.engine import Connection

from app.database import Transaction, present
from app.errors import Conflict, NotFound
from app.lib import clock, days, secrets
from app.lib.i18n import N_
from app.models import Booking, CalendarFeed, Membership, Organisation, Person, Placement, Programme, Sector
from app.models.base import table
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.reach import OfProgramme
from app.policies.rules import may, require
from app.services import actors, bookings, calendar_entries, exchange_rules, organisations
from app.services.actors import COLUMNS, joined
from app.services.calendar_entries import Entry
from app.services.events import record

FEED = table(CalendarFeed)
BOOKING = table(Booking)
PLACEMENT = table(Placement)
PERSON = table(Person)
MEMBERSHIP = table(Membership)
SECTOR = table(Sector)
PROGRAMME = table(Programme)
ORGANISATION = table(Organisation)
RULES = exchange_rules.RULES

MOST: Final = 10
"""How many feeds one person may have in force in a programme."""

MOST_STAYS: Final = 5000
"""How many stays a feed tells at the most, the latest."""

UNSEEN: Final = N_("There is no such calendar, or its address is no longer good.")


@dataclass(frozen=True, slots=True)
class NewFeed:
    """A feed that was just made: `token` is shown once and kept nowhere."""

    id: int
    token: str


@dataclass(frozen=True, slots=True)
class OrganisationView:
    """An organisation, as the policy asks for it."""

    id: int
    programme_id: int
    name: str


@dataclass(frozen=True, slots=True)
class Feed:
    """What a calendar reads: whose it is (`organisation` of an organisation's), and the stays in it."""

    person: str
    organisation: str | None
    programme: str
    zone: str
    language: str
    entries: tuple[Entry, ...]


# verbs


def make(tx: Transaction, actor: Actor, programme: Any, *, organisation_id: int | None = None) -> NewFeed:
    """Make a secret address: for the actor's own stays, or for all who come to and go from an organisation.

    :raises NotFound: there is no such organisation in the programme
    :raises NotAllowed: the actor does not follow who comes to it and goes from it
    :raises Conflict: the person has `MOST` feeds in force
    """
    require(actor, Permission.READ_EXCHANGES, programme)
    if organisation_id is not None:
        require(
            actor,
            Permission.READ_ORGANISATION_CALENDAR,
            _organisation(tx.connection, programme, organisation_id),
        )
    if len(of_person(tx.connection, actor, programme)) >= MOST:
        message = N_("You have %(most)s calendar addresses already. Revoke one first.")
        raise Conflict(message, most=MOST)
    token = secrets.new_secret()
    made = tx.execute(
        FEED.insert().returning(FEED.c.id),
        {
            "programme_id": programme.id,
            "person_id": actor.person_id,
            "organisation_id": organisation_id,
            "token_hash": secrets.digest(token),
            "created_at": tx.now,
        },
    ).scalar_one()
    record(tx, "feed.made", actor, programme_id=programme.id, subject_id=made)
    return NewFeed(made, token)


def revoke(tx: Transaction, actor: Actor, feed_id: int) -> None:
    """End one of the actor's own feeds; idempotent. Who reads it finds nothing from then on.

    :raises NotFound: there is none, it is someone else's, or of a programme in which the actor takes no part now
    """
    require(actor, Permission.MANAGE_OWN)
    feed = tx.execute(
        select(FEED.c.programme_id, FEED.c.revoked_at).where(
            FEED.c.id == feed_id, FEED.c.person_id == actor.person_id
        )
    ).first()
    if feed is None or not may(actor, Permission.READ_EXCHANGES, OfProgramme(feed.programme_id)):
        raise NotFound(N_("There is no such calendar address."))
    if feed.revoked_at is None:
        tx.execute(FEED.update().where(FEED.c.id == feed_id).values(revoked_at=tx.now))
        record(tx, "feed.revoked", actor, programme_id=feed.programme_id, subject_id=feed_id)


# queries


def of_person(connection: Connection, actor: Actor, programme: Any) -> Sequence[Any]:
    """The actor's feeds in force, newest first: id, organisation (a name, or None of a personal one), created_at."""
    require(actor, Permission.MANAGE_OWN)
    return connection.execute(
        select(
            FEED.c.id, FEED.c.organisation_id, ORGANISATION.c.name.label("organisation"), FEED.c.created_at
        )
        .outerjoin(ORGANISATION, ORGANISATION.c.id == FEED.c.organisation_id)
        .where(
            FEED.c.person_id == actor.person_id,
            FEED.c.programme_id == programme.id,
            FEED.c.revoked_at.is_(None),
        )
        .order_by(FEED.c.id.desc())
    ).all()


def open_organisations(connection: Connection, actor: Actor, programme: Any) -> list[OrganisationView]:
    """The organisations whose calendar the actor may read, by id."""
    rows = organisations.in_programme(connection, programme.id, limit=1000)
    found = [OrganisationView(row.id, programme.id, row.name) for row in rows]
    return [each for each in found if may(actor, Permission.READ_ORGANISATION_CALENDAR, each)]


def read(connection: Connection, token: str) -> Feed:
    """What a calendar with this secret address reads. Two statements, whatever there is in it.

    :raises NotFound: there is no such feed, it was revoked, or its maker is out of action, has left, or may no longer
    """
    rows = connection.execute(
        _FIND.where(FEED.c.token_hash == secrets.digest(token)), {"now": clock.now()}
    ).all()
    if not rows:
        raise NotFound(UNSEEN)
    feed, actor = rows[0], actors.of_rows(rows)
    is_open = may(actor, Permission.READ_EXCHANGES, OfProgramme(feed.feed_programme_id))
    if feed.organisation_name is not None:
        organisation = OrganisationView(
            feed.feed_organisation_id, feed.feed_programme_id, feed.organisation_name
        )
        is_open = is_open and may(actor, Permission.READ_ORGANISATION_CALENDAR, organisation)
    if not is_open:
        raise NotFound(UNSEEN)
    return Feed(
        person=feed.name,
        organisation=feed.organisation_name,
        programme=feed.programme_name,
        zone=exchange_rules.prefixed(feed, feed.feed_programme_id).zone,
        language=feed.language or feed.usual_language,
        entries=_entries(connection, feed, actor),
    )


# within


def _entries(connection: Connection, feed: Any, actor: Actor) -> tuple[Entry, ...]:
    """The stays of a feed."""
    now = connection.execute(select(present(connection.dialect.name))).scalar_one()
    zone = exchange_rules.prefixed(feed, feed.feed_programme_id).zone
    if feed.feed_organisation_id is None:
        own = actor.memberships[feed.feed_programme_id]
        receives = and_(PLACEMENT.c.contact_id == feed.id, PLACEMENT.c.organisation_id == own.organisation_id)
        concerned = or_(BOOKING.c.person_id == feed.id, receives)
    else:
        concerned = or_(
            BOOKING.c.organisation_id == feed.feed_organisation_id,
            PLACEMENT.c.organisation_id == feed.feed_organisation_id,
        )
    rows = connection.execute(
        bookings.selection(connection)
        .where(
            BOOKING.c.programme_id == feed.feed_programme_id,
            concerned,
            calendar_entries.in_calendars(days.today(zone, now), now),
        )
        .order_by(BOOKING.c.first_day.desc(), BOOKING.c.id)
        .limit(MOST_STAYS)
    )
    return calendar_entries.of_rows(rows, person_id=feed.id, organisation_id=feed.feed_organisation_id)


def _organisation(connection: Connection, programme: Any, organisation_id: int) -> OrganisationView:
    row = connection.execute(
        select(ORGANISATION.c.id, ORGANISATION.c.name).where(
            ORGANISATION.c.id == organisation_id, ORGANISATION.c.programme_id == programme.id
        )
    ).first()
    if row is None:
        raise NotFound(N_("There is no such organisation in this programme."))
    return OrganisationView(row.id, programme.id, row.name)


_FIND: Final = joined(
    select(
        *COLUMNS,
        FEED.c.programme_id.label("feed_programme_id"),
        FEED.c.organisation_id.label("feed_organisation_id"),
        ORGANISATION.c.name.label("organisation_name"),
        PROGRAMME.c.name.label("programme_name"),
        PROGRAMME.c.language.label("usual_language"),
        *exchange_rules.PREFIXED,
    )
    .select_from(FEED)
    .join(PERSON, PERSON.c.id == FEED.c.person_id)
    .join(PROGRAMME, PROGRAMME.c.id == FEED.c.programme_id)
    .outerjoin(RULES, RULES.c.programme_id == FEED.c.programme_id)
    .outerjoin(ORGANISATION, ORGANISATION.c.id == FEED.c.organisation_id)
).where(FEED.c.revoked_at.is_(None))
