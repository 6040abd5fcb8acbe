"""A trial of a provider: what a sign-in would lead to, found by doing it and undoing it."""

from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import select

from app.database import Transaction
from app.errors import DomainError
from app.integrations.arrivals import Arrival
from app.models import Membership, Organisation, Programme, Sector
from app.models.base import table
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import require
from app.services import logins, people

MEMBERSHIP = table(Membership)
ORGANISATION = table(Organisation)
PROGRAMME = table(Programme)
SECTOR = table(Sector)


@dataclass(frozen=True, slots=True)
class Forecast:
    """What would come of a sign-in: they are known, would join, wait for approval, or be refused with `message`."""

    outcome: Literal["known", "joins", "waits", "refused"]
    organisation: str | None = None
    sector_key: str | None = None
    sector_name: str | None = None
    role: str | None = None
    message: str = ""
    values: dict[str, Any] = field(default_factory=dict)


def foresee(tx: Transaction, actor: Actor, arrival: Arrival) -> Forecast:
    """What would come of `arrival` if it were a sign-in. Nobody is made, changed or told.

    It goes through the very rules of a sign-in, in a transaction of which nothing is kept.

    :raises NotAllowed: `actor` does not look after providers
    """
    require(actor, Permission.MANAGE_PROVIDERS)
    undone = tx.connection.begin_nested()
    try:
        return _entered(Transaction(tx.connection), arrival)
    finally:
        undone.rollback()


def _entered(tx: Transaction, arrival: Arrival) -> Forecast:
    is_known = logins.find(tx.connection, arrival.issuer, arrival.subject) is not None
    outcome: Literal["known", "joins"] = "known" if is_known else "joins"
    try:
        person_id = people.enter(tx, arrival)
    except people.Waits as error:
        return Forecast("waits", _name_of(tx, error.organisation_id), message=error.message)
    except DomainError as error:
        return Forecast("refused", message=error.message, values=dict(error.values))
    place = tx.execute(
        select(ORGANISATION.c.name, SECTOR.c.key, SECTOR.c.name.label("sector_name"), MEMBERSHIP.c.role)
        .select_from(MEMBERSHIP)
        .join(ORGANISATION, ORGANISATION.c.id == MEMBERSHIP.c.organisation_id)
        .join(SECTOR, SECTOR.c.id == MEMBERSHIP.c.sector_id)
        .join(PROGRAMME, PROGRAMME.c.id == MEMBERSHIP.c.programme_id)
        .where(
            MEMBERSHIP.c.person_id == person_id,
            MEMBERSHIP.c.ended_at.is_(None),
            PROGRAMME.c.slug == arrival.provider.programme,
        )
    ).first()
    if place is None:
        return Forecast(outcome)
    return Forecast(outcome, place.name, place.key, place.sector_name, place.role)


def _name_of(tx: Transaction, organisation_id: int | None) -> str | None:
    found = select(ORGANISATION.c.name).where(ORGANISATION.c.id == organisation_id)
    return tx.execute(found).scalar() if organisation_id is not None else None
