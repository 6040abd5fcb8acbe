"""Who can be signed in as: the demo provider's list of people."""

from typing import Any, NamedTuple

from sqlalchemy import Select, select
from sqlalchemy.engine import Connection

from app.models import Login, Membership, Organisation, OrganisationIdentity, Person, Sector
from app.models.base import table


class Account(NamedTuple):
    """One person as an identity provider knows them.

    `organisation_number` is the claim by which the provider names the organisation; `role` and `sector`
    (its key) are what the programme makes of it, shown to help choose and never part of a token.
    """

    subject: str
    name: str
    email: str
    organisation: str
    role: str
    organisation_number: str
    sector: str


def accounts(connection: Connection, issuer: str, *, limit: int = 200) -> list[Account]:
    """The people whom `issuer` vouches for, those of the contract first, then as they joined."""
    return [Account._make(row) for row in connection.execute(_accounts(issuer).limit(limit))]


def account(connection: Connection, issuer: str, subject: str) -> Account | None:
    """The one person whom `issuer` knows as `subject`, if there is one."""
    row = connection.execute(_accounts(issuer).where(_LOGIN.c.subject == subject)).first()
    return Account(*row) if row else None


_LOGIN = table(Login)
_PERSON = table(Person)
_MEMBERSHIP = table(Membership)
_ORGANISATION = table(Organisation)
_IDENTITY = table(OrganisationIdentity)
_SECTOR = table(Sector)


def _accounts(issuer: str) -> Select[Any]:
    is_of_contract = _PERSON.c.email.like("%@demo.example")
    return (
        select(
            _LOGIN.c.subject,
            _PERSON.c.name,
            _PERSON.c.email,
            _ORGANISATION.c.name,
            _MEMBERSHIP.c.role,
            _IDENTITY.c.value,
            _SECTOR.c.key,
        )
        .join(_PERSON, _PERSON.c.id == _LOGIN.c.person_id)
        .join(_MEMBERSHIP, _MEMBERSHIP.c.person_id == _PERSON.c.id)
        .join(_ORGANISATION, _ORGANISATION.c.id == _MEMBERSHIP.c.organisation_id)
        .join(_SECTOR, _SECTOR.c.id == _ORGANISATION.c.sector_id)
        .join(
            _IDENTITY,
            (_IDENTITY.c.organisation_id == _ORGANISATION.c.id) & (_IDENTITY.c.issuer == _LOGIN.c.issuer),
        )
        .where(_LOGIN.c.issuer == issuer, _PERSON.c.disabled_at.is_(None), _MEMBERSHIP.c.ended_at.is_(None))
        .order_by(is_of_contract.desc(), _LOGIN.c.id)
    )
