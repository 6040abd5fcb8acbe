"""What a directory's word does to the places of people: ended when they have left, given back when that was undone."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, select
from sqlalchemy.engine import Connection

from app.database import Transaction
from app.errors import NotAllowed
from app.lib.i18n import N_
from app.models import Client, Membership, Organisation, Person
from app.models.base import table
from app.policies.actor import Actor
from app.services import memberships
from app.services.clients import SCIM

CLIENT = table(Client)
MEMBERSHIP = table(Membership)
ORGANISATION = table(Organisation)
PERSON = table(Person)


@dataclass(frozen=True, slots=True)
class Directory:
    """The directory of one organisation, and the machine that speaks for it."""

    actor: Actor
    programme_id: int
    organisation_id: int


def of(connection: Connection, actor: Actor) -> Directory:
    """The directory for which a client's token speaks.

    :raises NotAllowed: the token is not one of a client that keeps an organisation's directory up to date
    """
    client = connection.execute(
        select(CLIENT.c.programme_id, CLIENT.c.organisation_id).where(
            CLIENT.c.id == actor.client_id, CLIENT.c.revoked_at.is_(None)
        )
    ).first()
    is_one = client is not None and client.organisation_id is not None and SCIM in (actor.scopes or ())
    place = actor.membership_in(client.programme_id) if client is not None else None
    if client is None or not is_one or place is None or place.organisation_id != client.organisation_id:
        raise NotAllowed(N_("This is for the directory of an organisation: a client with the scope scim."))
    return Directory(actor, client.programme_id, client.organisation_id)


def take_turn(tx: Transaction, directory: Directory) -> None:
    """Let the writes of one directory follow one another until the commit, whatever process they come to."""
    tx.execute(
        select(ORGANISATION.c.id).where(ORGANISATION.c.id == directory.organisation_id).with_for_update()
    )


def end(tx: Transaction, directory: Directory, person_id: int) -> None:
    """End someone's place in the directory's organisation; who is elsewhere by now is none of its business."""
    row = tx.execute(
        select(MEMBERSHIP).where(
            MEMBERSHIP.c.person_id == person_id,
            MEMBERSHIP.c.organisation_id == directory.organisation_id,
            MEMBERSHIP.c.ended_at.is_(None),
        )
    ).first()
    if row is not None:
        memberships.end_by_directory(tx, directory.actor, row)


def reinstate(tx: Transaction, directory: Directory, person_id: int, *, ended_at: datetime | None) -> None:
    """Give back the place that the directory itself ended at `ended_at`, with its role; nothing that others ended."""
    ended = and_(
        MEMBERSHIP.c.person_id == person_id,
        MEMBERSHIP.c.organisation_id == directory.organisation_id,
        MEMBERSHIP.c.ended_at == ended_at,
    )
    row = tx.execute(select(MEMBERSHIP.c.role, MEMBERSHIP.c.is_given).where(ended)).first()
    person = tx.execute(select(PERSON).where(PERSON.c.id == person_id)).one()
    if row is None or person.erased_at is not None:
        return
    if person.disabled_at == ended_at:
        memberships.put_back(tx, directory.actor, person_id)
    now = select(MEMBERSHIP.c.id).where(
        MEMBERSHIP.c.person_id == person_id,
        MEMBERSHIP.c.programme_id == directory.programme_id,
        MEMBERSHIP.c.ended_at.is_(None),
    )
    if tx.execute(now).first() is None:
        there = memberships.organisation(tx.connection, directory.programme_id, directory.organisation_id)
        memberships.admit(tx, directory.actor, person_id, there, role=row.role, is_given=row.is_given)
