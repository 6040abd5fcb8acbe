"""Preferences: whom a host would rather have, of those who wish for its placement."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.engine import Connection

from app.database import Transaction
from app.errors import FieldError, Invalid, Moved
from app.lib import versions
from app.lib.i18n import N_
from app.models import Membership, Organisation, Person, Preference, Wish
from app.models.base import table
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import require
from app.services import booking_steps, placements
from app.services.actors import is_human
from app.services.events import record
from app.services.placements import PlacementView

PREFERENCE = table(Preference)
WISH = table(Wish)
PERSON = table(Person)
MEMBERSHIP = table(Membership)
ORGANISATION = table(Organisation)


def wishing(connection: Connection, actor: Actor, placement: PlacementView) -> Sequence[Any]:
    """Who wishes for a placement or its host (person_id, name, organisation, preferred: a rank or None), by name.

    :raises NotAllowed: the actor does not speak for the host
    """
    require(actor, Permission.PREFER_GUESTS, placement)
    is_wished = or_(WISH.c.placement_id == placement.id, WISH.c.organisation_id == placement.host_id)
    return connection.execute(
        select(
            PERSON.c.id.label("person_id"),
            PERSON.c.name,
            ORGANISATION.c.name.label("organisation"),
            PREFERENCE.c.rank.label("preferred"),
        )
        .join(MEMBERSHIP, MEMBERSHIP.c.person_id == PERSON.c.id)
        .join(ORGANISATION, ORGANISATION.c.id == MEMBERSHIP.c.organisation_id)
        .outerjoin(
            PREFERENCE,
            (PREFERENCE.c.person_id == PERSON.c.id) & (PREFERENCE.c.placement_id == placement.id),
        )
        .where(
            MEMBERSHIP.c.programme_id == placement.programme_id,
            MEMBERSHIP.c.ended_at.is_(None),
            is_human(PERSON.c.id),
            PERSON.c.id.in_(
                select(WISH.c.person_id).where(WISH.c.programme_id == placement.programme_id, is_wished)
            ),
        )
        .order_by(PREFERENCE.c.rank.is_(None), PREFERENCE.c.rank, PERSON.c.name, PERSON.c.id)
    ).all()


def version_of(people: Sequence[Any]) -> int:
    """What stands for a version of what a host prefers, of the rows of `wishing`; 0 where nobody is named."""
    named = [str(row.person_id) for row in people if row.preferred is not None]
    if not named:
        return 0
    return versions.standing_for(" ".join(named))


def state(
    tx: Transaction,
    actor: Actor,
    placement_id: int,
    person_ids: Sequence[int],
    *,
    version: int | None = None,
) -> None:
    """State whom the host would rather have, the first one most, in place of those from before.

    :raises NotAllowed: the actor does not speak for the host
    :raises Moved: `version` is given, and the host has stated something else meanwhile
    :raises Invalid: someone is named twice, or does not wish to come
    """
    placement = placements.find(tx.connection, actor, placement_id)
    require(actor, Permission.PREFER_GUESTS, placement)
    booking_steps.take_turn(tx)
    people = wishing(tx.connection, actor, placement)
    if version is not None and version != version_of(people):
        message = N_("This has changed in the meantime. Please read it again.")
        raise Moved(message, current=version_of(people))
    known = {row.person_id for row in people}
    if len(set(person_ids)) != len(person_ids) or not set(person_ids) <= known:
        message = N_("Please name each of those who wish to come once at the most.")
        raise Invalid(FieldError("people", message))
    tx.execute(PREFERENCE.delete().where(PREFERENCE.c.placement_id == placement_id))
    rows = [
        {
            "placement_id": placement_id,
            "person_id": person_id,
            "programme_id": placement.programme_id,
            "rank": rank,
        }
        for rank, person_id in enumerate(person_ids, 1)
    ]
    if rows:
        tx.execute(PREFERENCE.insert(), rows)
    record(tx, "preferences.stated", actor, programme_id=placement.programme_id, subject_id=placement_id)
