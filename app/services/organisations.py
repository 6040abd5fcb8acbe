"""Organisations: the ministries, agencies and companies of a programme, and how they are known from outside."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, func, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from app.database import Transaction
from app.errors import FieldError, Invalid, Moved, NotFound
from app.lib.i18n import N_
from app.models import Membership, Organisation, OrganisationDomain, OrganisationIdentity, Programme, Sector
from app.models.base import table
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import may, require, require_fresh
from app.schemas import text
from app.services import orders
from app.services.events import record, record_where_shown
from app.services.orders import BY_ID, Order

DOMAIN = table(OrganisationDomain)
IDENTITY = table(OrganisationIdentity)
MEMBERSHIP = table(Membership)
ORGANISATION = table(Organisation)
PROGRAMME = table(Programme)
SECTOR = table(Sector)

UNSEEN: Final = N_("There is no such organisation, or it is not open to you.")

_DOMAIN: Final = re.compile(
    r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])"
)


@dataclass(frozen=True, slots=True)
class OrganisationView:
    """An organisation as coordinators see it: with how many people, and by what it is known from outside.

    `claims` are rows (id, issuer, value) of what providers call it, `domains` rows (id, domain, verified_at).
    """

    id: int
    programme_id: int
    programme_slug: str
    programme_name: str
    name: str
    number: str | None
    sector_key: str
    sector_name: str
    version: int
    people: int
    claims: tuple[Row[Any], ...] = ()
    domains: tuple[Row[Any], ...] = ()


def in_programme(
    connection: Connection,
    programme_id: int,
    *,
    sector: str | None = None,
    order: Order = BY_ID,
    limit: int = 50,
) -> Sequence[Any]:
    """A page of organisations (id, name, number, sector key, version, dates), of one `sector` by its key, or of all.

    The caller has loaded the programme through its viewer.
    """
    chosen = (
        select(ORGANISATION, SECTOR.c.key.label("sector"))
        .join(SECTOR, SECTOR.c.id == ORGANISATION.c.sector_id)
        .where(ORGANISATION.c.programme_id == programme_id)
    )
    if sector is not None:
        chosen = chosen.where(SECTOR.c.key == sector)
    return connection.execute(orders.page(chosen, order, _SORTED_BY, limit)).all()


_SORTED_BY: Final = {name: ORGANISATION.c[name] for name in ("id", "created_at", "updated_at", "name")}


def among(connection: Connection, actor: Actor, organisation_ids: Collection[int]) -> list[Row[Any]]:
    """Those of these organisations whose programme the actor may see, by id, with its `slug` as well. One statement."""
    rows = connection.execute(
        select(ORGANISATION, SECTOR.c.key.label("sector"), PROGRAMME.c.slug, PROGRAMME.c.visibility)
        .join(SECTOR, SECTOR.c.id == ORGANISATION.c.sector_id)
        .join(PROGRAMME, PROGRAMME.c.id == ORGANISATION.c.programme_id)
        .where(ORGANISATION.c.id.in_(organisation_ids))
        .order_by(ORGANISATION.c.id)
    )
    return [row for row in rows if may(actor, Permission.READ_PROGRAMME, row)]


def seen(connection: Connection, actor: Actor, organisation_id: int) -> Any:
    """One organisation, as `in_programme` has them, with its programme's slug and visibility. One statement.

    :raises NotFound: there is none, or the actor neither sees its programme nor decides who takes part in it
    """
    row = connection.execute(
        select(
            ORGANISATION,
            SECTOR.c.key.label("sector"),
            PROGRAMME.c.slug.label("programme_slug"),
            PROGRAMME.c.visibility,
        )
        .join(SECTOR, SECTOR.c.id == ORGANISATION.c.sector_id)
        .join(PROGRAMME, PROGRAMME.c.id == ORGANISATION.c.programme_id)
        .where(ORGANISATION.c.id == organisation_id)
    ).first()
    if row is None or not (
        may(actor, Permission.READ_PROGRAMME, row) or may(actor, Permission.DECIDE_JOIN_REQUEST, row)
    ):
        raise NotFound(UNSEEN)
    return row


# those who coordinate


def overview(connection: Connection, actor: Actor, programme: Any) -> list[OrganisationView]:
    """The organisations of a programme, by name. One statement.

    :raises NotAllowed: the actor does not decide who takes part
    """
    require(actor, Permission.DECIDE_JOIN_REQUEST, programme)
    rows = connection.execute(
        _selection()
        .where(ORGANISATION.c.programme_id == programme.programme_id)
        .order_by(ORGANISATION.c.name)
    )
    return [OrganisationView(**row._mapping) for row in rows]  # noqa: SLF001 -- SQLAlchemy's public name for it


def find(connection: Connection, actor: Actor, organisation_id: int) -> OrganisationView:
    """One organisation, with all by which it is known. Three statements.

    :raises NotFound: there is none, or the actor does not decide who takes part in its programme
    """
    row = connection.execute(_selection().where(ORGANISATION.c.id == organisation_id)).first()
    if row is None or not may(actor, Permission.DECIDE_JOIN_REQUEST, row):
        raise NotFound(UNSEEN)
    claims = select(IDENTITY.c.id, IDENTITY.c.issuer, IDENTITY.c.value).order_by(IDENTITY.c.id)
    domains = select(DOMAIN.c.id, DOMAIN.c.domain, DOMAIN.c.verified_at).order_by(DOMAIN.c.domain)
    return OrganisationView(
        **row._mapping,  # noqa: SLF001 -- SQLAlchemy's public name for it
        claims=tuple(connection.execute(claims.where(IDENTITY.c.organisation_id == organisation_id))),
        domains=tuple(connection.execute(domains.where(DOMAIN.c.organisation_id == organisation_id))),
    )


def sectors(connection: Connection, programme_id: int) -> Sequence[Any]:
    """A programme's sectors (id, key, name), in its order."""
    return connection.execute(
        select(SECTOR.c.id, SECTOR.c.key, SECTOR.c.name)
        .where(SECTOR.c.programme_id == programme_id)
        .order_by(SECTOR.c.position, SECTOR.c.id)
    ).all()


def add(
    tx: Transaction, actor: Actor, programme: Any, *, name: str, sector_key: str, number: str = ""
) -> int:
    """Let an organisation take part; its id.

    :raises NotAllowed: the actor does not decide who takes part
    :raises Invalid: the name is taken or cannot be taken, or there is no such sector
    """
    require(actor, Permission.DECIDE_JOIN_REQUEST, programme)
    name, number, problems = _checked(name, number)
    known = {sector.key: sector.id for sector in sectors(tx.connection, programme.programme_id)}
    sector_id = known.get(sector_key)
    if sector_id is None:
        problems.append(FieldError("sector", N_("Please choose one of the sectors in the list.")))
    if problems:
        raise Invalid(*problems)
    added = ORGANISATION.insert().values(
        programme_id=programme.programme_id,
        sector_id=sector_id,
        name=name,
        number=number or None,
        created_at=tx.now,
        updated_at=tx.now,
        version=1,
    )
    id = _once(tx, added.returning(ORGANISATION.c.id), "name", N_("There is an organisation of this name."))
    record(tx, "organisation.added", actor, programme_id=programme.programme_id, subject_id=id)
    return id


def change(
    tx: Transaction, actor: Actor, organisation_id: int, *, version: int | None = None, **changes: str
) -> None:
    """Give an organisation another `name` or `number`; what is left out stays, and so does its sector, for good.

    As it was, nothing happens.

    :raises NotFound: there is none, or the actor does not decide who takes part
    :raises Moved: `version` is given and no longer the newest
    :raises Invalid: the name is taken or cannot be taken
    """
    found = _held(tx, actor, organisation_id, version)
    name, number, problems = _checked(
        changes.get("name", found.name), changes.get("number", found.number or "")
    )
    if problems:
        raise Invalid(*problems)
    if (name, number or None) == (found.name, found.number):
        return
    changed = (
        update(ORGANISATION)
        .where(ORGANISATION.c.id == organisation_id)
        .values(name=name, number=number or None, updated_at=tx.now, version=ORGANISATION.c.version + 1)
    )
    _once(tx, changed.returning(ORGANISATION.c.id), "name", N_("There is an organisation of this name."))
    _record(tx, "organisation.changed", actor, found)
    if name != found.name:
        record_where_shown(tx, "organisation.changed", actor, organisation_id)


def know_by(
    tx: Transaction,
    actor: Actor,
    organisation_id: int,
    *,
    issuer: str,
    value: str,
    issuers: Collection[str],
) -> None:
    """Let what a provider calls an organisation mean it: `value` of the claim that we trust from `issuer`.

    `issuers` are those of the providers of its programme. From then on people come in by it.

    :raises NotFound: there is no such organisation, or the actor does not decide who takes part
    :raises NotFresh: it is too long since the actor signed in
    :raises Invalid: it means an organisation already, or the issuer is none of the programme's
    """
    found = find(tx.connection, actor, organisation_id)
    require_fresh(actor)
    value, problems = text.line("value", value, most=200)
    if issuer not in issuers:
        problems.append(FieldError("issuer", N_("Please choose one of the identity providers in the list.")))
    if problems:
        raise Invalid(*problems)
    known = IDENTITY.insert().values(
        programme_id=found.programme_id, organisation_id=organisation_id, issuer=issuer, value=value
    )
    taken = N_("This value means an organisation of this programme already.")
    _once(tx, known.returning(IDENTITY.c.id), "value", taken)
    _record(tx, "organisation.known_by", actor, found)


def forget_claim(tx: Transaction, actor: Actor, organisation_id: int, claim_id: int) -> None:
    """Let a value of a provider's claim mean nothing any more; it meant nothing before, and nothing happens.

    :raises NotFound: there is no such organisation, or the actor does not decide who takes part
    """
    found = find(tx.connection, actor, organisation_id)
    is_it = (IDENTITY.c.id == claim_id) & (IDENTITY.c.organisation_id == organisation_id)
    if tx.execute(IDENTITY.delete().where(is_it).returning(IDENTITY.c.id)).first():
        _record(tx, "organisation.known_by", actor, found)


def add_domain(tx: Transaction, actor: Actor, organisation_id: int, *, domain: str) -> None:
    """Note a mail domain of an organisation; it counts for nothing before someone has looked whose it is.

    :raises NotFound: there is no such organisation, or the actor does not decide who takes part
    :raises Invalid: it is no domain, or belongs to an organisation of the programme already
    """
    found = find(tx.connection, actor, organisation_id)
    domain = text.clean(domain).lower().removeprefix("@").rstrip(".")
    if not _DOMAIN.fullmatch(domain):
        raise Invalid(FieldError("domain", N_("Please write a domain such as ministry.example.")))
    noted = DOMAIN.insert().values(
        programme_id=found.programme_id, organisation_id=organisation_id, domain=domain
    )
    taken = N_("This domain belongs to an organisation of this programme already.")
    _once(tx, noted.returning(DOMAIN.c.id), "domain", taken)
    _record(tx, "organisation.known_by", actor, found)


def verify_domain(tx: Transaction, actor: Actor, organisation_id: int, domain_id: int) -> None:
    """Confirm that a domain is the organisation's: from then on it suggests the organisation to coordinators.

    It never lets anyone in. Confirmed before, nothing happens.

    :raises NotFound: there is no such domain, or the actor does not decide who takes part
    :raises NotFresh: it is too long since the actor signed in
    """
    found = find(tx.connection, actor, organisation_id)
    require_fresh(actor)
    if domain_id not in {row.id for row in found.domains}:
        raise NotFound(N_("There is no such domain of this organisation."))
    unverified = update(DOMAIN).where(DOMAIN.c.id == domain_id, DOMAIN.c.verified_at.is_(None))
    if tx.execute(unverified.values(verified_at=tx.now).returning(DOMAIN.c.id)).first():
        _record(tx, "organisation.known_by", actor, found)


def remove_domain(tx: Transaction, actor: Actor, organisation_id: int, domain_id: int) -> None:
    """Take a domain off an organisation; taken off before, nothing happens.

    :raises NotFound: there is no such organisation, or the actor does not decide who takes part
    """
    found = find(tx.connection, actor, organisation_id)
    is_it = (DOMAIN.c.id == domain_id) & (DOMAIN.c.organisation_id == organisation_id)
    if tx.execute(DOMAIN.delete().where(is_it).returning(DOMAIN.c.id)).first():
        _record(tx, "organisation.known_by", actor, found)


# for an operator


def named(connection: Connection, slug: str, name: str) -> Any:
    """An organisation (id, programme_id, name, programme) by its programme's slug and its exact name.

    :raises NotFound: there is none
    """
    row: Any = connection.execute(
        select(ORGANISATION.c.id, ORGANISATION.c.programme_id, ORGANISATION.c.name, PROGRAMME.c.slug)
        .join(PROGRAMME, PROGRAMME.c.id == ORGANISATION.c.programme_id)
        .where(PROGRAMME.c.slug == slug, ORGANISATION.c.name == name)
    ).first()
    if row is None:
        raise NotFound(N_("There is no organisation %(name)s in programme %(slug)s."), name=name, slug=slug)
    return row


# within


def _held(tx: Transaction, actor: Actor, organisation_id: int, version: int | None) -> OrganisationView:
    """An organisation that nobody else changes until the commit."""
    is_it = ORGANISATION.c.id == organisation_id
    tx.execute(select(ORGANISATION.c.id).where(is_it).with_for_update(key_share=True))
    found = find(tx.connection, actor, organisation_id)
    if version is not None and version != found.version:
        raise Moved(N_("Someone has changed this organisation in the meantime."), current=found.version)
    return found


def _selection() -> Any:
    people = (
        select(func.count())
        .where(MEMBERSHIP.c.organisation_id == ORGANISATION.c.id, MEMBERSHIP.c.ended_at.is_(None))
        .scalar_subquery()
    )
    return (
        select(
            ORGANISATION.c.id,
            ORGANISATION.c.programme_id,
            PROGRAMME.c.slug.label("programme_slug"),
            PROGRAMME.c.name.label("programme_name"),
            ORGANISATION.c.name,
            ORGANISATION.c.number,
            SECTOR.c.key.label("sector_key"),
            SECTOR.c.name.label("sector_name"),
            ORGANISATION.c.version,
            people.label("people"),
        )
        .join(PROGRAMME, PROGRAMME.c.id == ORGANISATION.c.programme_id)
        .join(SECTOR, SECTOR.c.id == ORGANISATION.c.sector_id)
    )


def _checked(name: str, number: str) -> tuple[str, str, list[FieldError]]:
    name, problems = text.line("name", name, most=160)
    number, more = text.line("number", number, most=40, least=0)
    return name, number, [*problems, *more]


def _once(tx: Transaction, statement: Any, field: str, taken: str) -> int:
    """Write what there may be once; the id.

    :raises Invalid: it is there already, perhaps since this moment
    """
    try:
        with tx.connection.begin_nested():
            return int(tx.execute(statement).scalar_one())
    except IntegrityError:
        raise Invalid(FieldError(field, taken)) from None


def _record(tx: Transaction, type: str, actor: Actor, of: OrganisationView) -> None:
    data = {"organisation_id": of.id}
    record(tx, type, actor, programme_id=of.programme_id, subject_id=of.id, data=data)
