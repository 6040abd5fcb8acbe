"""The people of a programme as a table that leaves the house: for coordinators, after a fresh sign-in, and audited."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from app.database import Transaction
from app.models import Membership, Organisation, Person, Sector
from app.models.base import table
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import require, require_fresh
from app.services.audit import write_down

MEMBERSHIP = table(Membership)
ORGANISATION = table(Organisation)
PERSON = table(Person)
SECTOR = table(Sector)


def take(tx: Transaction, actor: Actor, programme: Any) -> Sequence[Any]:
    """Everyone who takes part: name, organisation, sector (its key), role, since; without addresses.

    :raises NotAllowed: the actor does not coordinate the programme
    :raises NotFresh: they have to sign in once more
    """
    require(actor, Permission.EXPORT_PEOPLE, programme)
    require_fresh(actor)
    rows = tx.execute(
        select(
            PERSON.c.name,
            ORGANISATION.c.name.label("organisation"),
            SECTOR.c.key.label("sector"),
            MEMBERSHIP.c.role,
            MEMBERSHIP.c.created_at.label("since"),
        )
        .select_from(MEMBERSHIP)
        .join(PERSON, PERSON.c.id == MEMBERSHIP.c.person_id)
        .join(ORGANISATION, ORGANISATION.c.id == MEMBERSHIP.c.organisation_id)
        .join(SECTOR, SECTOR.c.id == MEMBERSHIP.c.sector_id)
        .where(
            MEMBERSHIP.c.programme_id == programme.id,
            MEMBERSHIP.c.ended_at.is_(None),
            PERSON.c.disabled_at.is_(None),
            PERSON.c.is_machine.is_(False),
        )
        .order_by(ORGANISATION.c.name, PERSON.c.name, PERSON.c.id)
    ).all()
    write_down(
        tx,
        "people.exported",
        actor,
        programme_id=programme.id,
        subject="programme",
        subject_id=programme.id,
        data={"people": len(rows)},
    )
    return rows
