"""Programmes: which there are, and who takes part."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, func, or_, select, true
from sqlalchemy.engine import Connection

from app.database import Transaction
from app.errors import FieldError, Invalid, NotFound
from app.lib.i18n import N_
from app.models import Challenge, Membership, Organisation, Person, Programme, Sector
from app.models.base import table
from app.policies import reach
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import may, require
from app.schemas import text
from app.services.actors import is_human
from app.services.events import record

PROGRAMME = table(Programme)
ORGANISATION = table(Organisation)
SECTOR = table(Sector)
MEMBERSHIP = table(Membership)
PERSON = table(Person)
CHALLENGE = table(Challenge)

DEFAULT_SECTORS = (("public", "Public administration"), ("business", "Business"))


@dataclass(frozen=True, slots=True)
class SectorRef:
    """A sector as cards and charts name it."""

    key: str
    name: str


@dataclass(frozen=True, slots=True)
class Participants:
    """Who takes part from one sector: how many people, from which organisations."""

    sector: SectorRef
    people: int
    organisations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProgrammeView:
    """A programme as its page and the API show it. `programme_id` is its own id, for the policy."""

    id: int
    slug: str
    name: str
    description: str
    language: str
    visibility: str
    version: int
    created_at: datetime
    updated_at: datetime

    @property
    def programme_id(self) -> int:
        """Itself: a programme belongs to itself."""
        return self.id


def open_to(connection: Connection, actor: Actor) -> list[ProgrammeView]:
    """The programmes that `actor` may see: their own, and those that are public."""
    own = list(actor.memberships)
    rows = connection.execute(
        select(PROGRAMME)
        .where(or_(PROGRAMME.c.visibility == "public", PROGRAMME.c.id.in_(own)))
        .order_by(PROGRAMME.c.id)
    )
    return [_view(row) for row in rows]


def find(connection: Connection, actor: Actor, programme_id: int) -> ProgrammeView:
    """One programme.

    :raises NotFound: there is none, or the actor may not see it
    """
    return _seen(actor, connection.execute(select(PROGRAMME).where(PROGRAMME.c.id == programme_id)).first())


def among(connection: Connection, actor: Actor, programme_ids: Collection[int]) -> list[ProgrammeView]:
    """Those of these programmes that the actor may see, by id. One statement."""
    rows = connection.execute(
        select(PROGRAMME).where(PROGRAMME.c.id.in_(programme_ids)).order_by(PROGRAMME.c.id)
    )
    return [view for view in map(_view, rows) if may(actor, Permission.READ_PROGRAMME, view)]


def by_slug(connection: Connection, actor: Actor, slug: str) -> ProgrammeView:
    """One programme by the name in its address.

    :raises NotFound: there is none, or the actor may not see it
    """
    return _seen(actor, connection.execute(select(PROGRAMME).where(PROGRAMME.c.slug == slug)).first())


def by_id(connection: Connection, programme_id: int) -> ProgrammeView | None:
    """One programme, for work that nobody asks for; None if there is none."""
    row = connection.execute(select(PROGRAMME).where(PROGRAMME.c.id == programme_id)).first()
    return None if row is None else _view(row)


def participation(connection: Connection, programme_id: int) -> tuple[Participants, ...]:
    """Who takes part, by sector and organisation; sectors in the programme's order, also those without people."""
    rows = connection.execute(_PARTICIPATION, {"programme_id": programme_id})
    found: dict[SectorRef, list[tuple[str, int]]] = {}
    for key, name, organisation, people in rows:
        known = found.setdefault(SectorRef(key, name), [])
        if people:
            known.append((organisation, people))
    return tuple(
        Participants(sector, sum(people for _, people in known), tuple(name for name, _ in known))
        for sector, known in found.items()
    )


_PARTICIPATION = (
    select(SECTOR.c.key, SECTOR.c.name, ORGANISATION.c.name, func.count(MEMBERSHIP.c.id))
    .select_from(SECTOR)
    .outerjoin(ORGANISATION, ORGANISATION.c.sector_id == SECTOR.c.id)
    .outerjoin(
        MEMBERSHIP,
        (MEMBERSHIP.c.organisation_id == ORGANISATION.c.id)
        & MEMBERSHIP.c.ended_at.is_(None)
        & is_human(MEMBERSHIP.c.person_id),
    )
    .where(SECTOR.c.programme_id == bindparam("programme_id"))
    .group_by(SECTOR.c.id, ORGANISATION.c.id)
    .order_by(SECTOR.c.position, SECTOR.c.id, ORGANISATION.c.name)
)


def people(connection: Connection, actor: Actor, subject: Any) -> Sequence[Any]:
    """The people of the programme to which `subject` belongs, by sector, organisation and name.

    Each row: person_id, name, role, organisation (and its id), sector_key, sector_name, since.

    :raises NotAllowed: the actor is not a member
    """
    require(actor, Permission.READ_PEOPLE, subject)
    return connection.execute(
        _people(subject).order_by(SECTOR.c.position, ORGANISATION.c.name, PERSON.c.name, PERSON.c.id)
    ).all()


def people_after(
    connection: Connection, actor: Actor, subject: Any, *, after: int = 0, limit: int = 50
) -> Sequence[Any]:
    """The same with ids greater than `after`, by id.

    :raises NotAllowed: the actor is not a member
    """
    require(actor, Permission.READ_PEOPLE, subject)
    return connection.execute(
        _people(subject).where(PERSON.c.id > after).order_by(PERSON.c.id).limit(limit)
    ).all()


def _people(subject: Any) -> Any:
    return (
        select(
            PERSON.c.id.label("person_id"),
            PERSON.c.name,
            MEMBERSHIP.c.role,
            MEMBERSHIP.c.organisation_id,
            MEMBERSHIP.c.created_at.label("since"),
            ORGANISATION.c.name.label("organisation"),
            SECTOR.c.key.label("sector_key"),
            SECTOR.c.name.label("sector_name"),
        )
        .select_from(MEMBERSHIP)
        .join(PERSON, PERSON.c.id == MEMBERSHIP.c.person_id)
        .join(ORGANISATION, ORGANISATION.c.id == MEMBERSHIP.c.organisation_id)
        .join(SECTOR, SECTOR.c.id == MEMBERSHIP.c.sector_id)
        .where(MEMBERSHIP.c.programme_id == subject.programme_id, MEMBERSHIP.c.ended_at.is_(None))
        .where(PERSON.c.disabled_at.is_(None), is_human(PERSON.c.id))
    )


def coordinated_by(connection: Connection, actor: Actor) -> list[dict[str, Any]]:
    """The programmes that the actor coordinates, or all for an instance administrator, in numbers.

    Each has `programme`, and how many organisations, people and challenges there are.
    """
    counts = {
        "organisations": select(func.count()).where(ORGANISATION.c.programme_id == PROGRAMME.c.id),
        "people": select(func.count()).where(
            MEMBERSHIP.c.programme_id == PROGRAMME.c.id,
            MEMBERSHIP.c.ended_at.is_(None),
            is_human(MEMBERSHIP.c.person_id),
        ),
        "challenges": select(func.count()).where(
            CHALLENGE.c.programme_id == PROGRAMME.c.id, CHALLENGE.c.deleted_at.is_(None)
        ),
    }
    rows = connection.execute(
        select(PROGRAMME, *(count.scalar_subquery().label(name) for name, count in counts.items()))
        .where(true() if actor.is_administrator else PROGRAMME.c.id.in_(reach.coordinated(actor)))
        .order_by(PROGRAMME.c.id)
    )
    return [{"programme": _view(row), **{name: getattr(row, name) for name in counts}} for row in rows]


def create(tx: Transaction, *, slug: str, name: str, language: str = "en", description: str = "") -> int:
    """A new programme with the two default sectors, for the command line; its id.

    :raises Invalid: the slug is taken or malformed, the name empty or too long
    """
    name, errors = text.line("name", name, most=120)
    if (
        not slug
        or not slug.replace("-", "").isalnum()
        or not slug.isascii()
        or slug != slug.lower()
        or len(slug) > 60
    ):
        errors.append(FieldError("slug", N_("Use up to 60 small letters, digits and hyphens.")))
    elif tx.execute(select(PROGRAMME.c.id).where(PROGRAMME.c.slug == slug)).first():
        errors.append(FieldError("slug", N_("This address is taken; please choose another.")))
    if errors:
        raise Invalid(*errors)
    programme = Programme(slug=slug, name=name, language=language, description=description)
    tx.session.add(programme)
    tx.session.flush()
    programme_id = int(programme.id or 0)
    for position, (key, sector_name) in enumerate(DEFAULT_SECTORS):
        tx.session.add(Sector(programme_id=programme_id, key=key, name=sector_name, position=position))
    record(tx, "programme.created", None, programme_id=programme_id, subject_id=programme_id)
    return programme_id


def _seen(actor: Actor, row: Row[Any] | None) -> ProgrammeView:
    if row is not None:
        view = _view(row)
        if may(actor, Permission.READ_PROGRAMME, view):
            return view
    raise NotFound(N_("There is no such programme, or it is not open to you."))


def _view(row: Row[Any]) -> ProgrammeView:
    return ProgrammeView(
        id=row.id,
        slug=row.slug,
        name=row.name,
        description=row.description,
        language=row.language,
        visibility=row.visibility,
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
