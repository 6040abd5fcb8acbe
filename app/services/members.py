"""The people of the programmes and organisations that someone runs: found, and looked at one by one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, case, false, func, or_, select, true
from sqlalchemy.engine import Connection

from app.errors import NotFound
from app.lib import clock
from app.lib.i18n import N_
from app.models import (
    AccessToken,
    Assignment,
    BrowserSession,
    Challenge,
    Membership,
    Organisation,
    Person,
    Programme,
    Sector,
)
from app.models.base import table
from app.policies import reach
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import may, require
from app.services import actors

ASSIGNMENT = table(Assignment)
CHALLENGE = table(Challenge)
MEMBERSHIP = table(Membership)
ORGANISATION = table(Organisation)
PERSON = table(Person)
PROGRAMME = table(Programme)
SECTOR = table(Sector)
SESSION = table(BrowserSession)
TOKEN = table(AccessToken)

HERE, LEFT, DISABLED, NOWHERE = "here", "left", "disabled", "nowhere"
STATES: Final = (HERE, LEFT, DISABLED, NOWHERE)
"""Has a place; had one; may not sign in; has none anywhere, which only instance administrators see."""

MOST_CHOICES: Final = 500


@dataclass(frozen=True, slots=True)
class Filter:
    """Which people are asked for."""

    words: str = ""
    programme_id: int | None = None
    organisation_id: int | None = None
    role: str = ""
    state: str = HERE


@dataclass(frozen=True, slots=True)
class Place:
    """A place of a person, as those see it who run its programme or administer its organisation."""

    id: int
    programme_id: int
    programme: str
    programme_slug: str
    organisation_id: int
    organisation: str
    sector_key: str
    sector_name: str
    role: str
    version: int
    created_at: datetime
    ended_at: datetime | None
    assignments: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class MemberView:
    """A person as those see them who run what they take part in. `places`: the newest first, ended ones last."""

    id: int
    name: str
    email: str | None
    version: int
    administrator_since: datetime | None
    disabled_at: datetime | None
    erased_at: datetime | None
    created_at: datetime
    updated_at: datetime
    places: tuple[Place, ...]
    sessions: int
    tokens: int
    seen_at: datetime | None


@dataclass(frozen=True, slots=True)
class Choices:
    """What the lists of a filter or a form offer: rows with id and name (or title), and their programme_id."""

    programmes: Sequence[Any]
    organisations: Sequence[Any]
    challenges: Sequence[Any]


def index(
    connection: Connection, actor: Actor, wanted: Filter, *, before: int | None = None, limit: int = 50
) -> Sequence[Any]:
    """People with their places, who came last first: person_id, name, email, and of a place its id, names and role.

    Of those who have left, their address is their own affair: it is not told, and nobody is found by it.

    `before` is the `position` of the last one of the page before.

    :raises NotAllowed: the actor runs nothing
    """
    require(actor, Permission.ADMINISTER)
    if wanted.state == NOWHERE:
        return _without_place(connection, actor, wanted, before, limit)
    conditions = [_is_managed(actor), PERSON.c.is_machine.is_(False), PERSON.c.erased_at.is_(None)]
    conditions += [_IS[wanted.state], *_conditions(actor, wanted)]
    if before is not None:
        conditions.append(MEMBERSHIP.c.id < before)
    return connection.execute(
        _index(actor).where(*conditions).order_by(MEMBERSHIP.c.id.desc()).limit(limit)
    ).all()


def place(connection: Connection, actor: Actor, membership_id: int) -> Any:
    """One place, ended or not, as `index` has them.

    :raises NotFound: there is none, or it is not the actor's affair
    """
    is_it = (MEMBERSHIP.c.id == membership_id, PERSON.c.is_machine.is_(False), _is_managed(actor))
    row = connection.execute(_index(actor).where(*is_it)).first()
    if row is None:
        raise NotFound(N_("There is no such membership, or it is not open to you."))
    return row


def _index(actor: Actor) -> Any:
    """Places with the names of all that they join."""
    return (
        select(
            MEMBERSHIP.c.id.label("position"),
            PERSON.c.id.label("person_id"),
            PERSON.c.name,
            case((_is_told(actor), PERSON.c.email)).label("email"),
            PERSON.c.administrator_since,
            PERSON.c.disabled_at,
            MEMBERSHIP.c.id,
            MEMBERSHIP.c.programme_id,
            MEMBERSHIP.c.organisation_id,
            MEMBERSHIP.c.role,
            MEMBERSHIP.c.created_at,
            MEMBERSHIP.c.updated_at,
            MEMBERSHIP.c.ended_at,
            MEMBERSHIP.c.version,
            ORGANISATION.c.name.label("organisation"),
            PROGRAMME.c.name.label("programme"),
            SECTOR.c.key.label("sector_key"),
            SECTOR.c.name.label("sector_name"),
        )
        .select_from(MEMBERSHIP)
        .join(PERSON, PERSON.c.id == MEMBERSHIP.c.person_id)
        .join(ORGANISATION, ORGANISATION.c.id == MEMBERSHIP.c.organisation_id)
        .join(PROGRAMME, PROGRAMME.c.id == MEMBERSHIP.c.programme_id)
        .join(SECTOR, SECTOR.c.id == MEMBERSHIP.c.sector_id)
    )


def without_place(
    connection: Connection, actor: Actor, wanted: Filter, *, before: int | None = None, limit: int = 50
) -> Sequence[Any]:
    """People who have no place anywhere now: person_id, which is their `position` too, name, email, dates, version.

    :raises NotAllowed: the actor does not administer the installation
    """
    require(actor, Permission.NAME_ADMINISTRATORS)
    return _without_place(connection, actor, wanted, before, limit)


def find(connection: Connection, actor: Actor, person_id: int) -> MemberView:
    """One person, with the places that are the actor's affair, and how much of them is signed in.

    Of whoever has left them, address and sign-ins are no longer told but to instance administrators.

    :raises NotFound: there is none, or nothing of them is the actor's affair
    """
    person = connection.execute(
        select(PERSON).where(PERSON.c.id == person_id, PERSON.c.is_machine.is_(False))
    ).first()
    places = _places(connection, actor, person_id)
    if person is None or not (places or actor.is_administrator):
        raise NotFound(N_("There is no such person, or they are not in what you run."))
    if not actor.is_administrator and all(place.ended_at is not None for place in places):
        return MemberView(
            id=person.id,
            name=person.name,
            email=None,
            version=person.version,
            administrator_since=None,
            disabled_at=None,
            erased_at=person.erased_at,
            created_at=person.created_at,
            updated_at=person.updated_at,
            places=places,
            sessions=0,
            tokens=0,
            seen_at=None,
        )
    now = clock.now()
    sessions = connection.execute(
        select(func.count(), func.max(SESSION.c.seen_at)).where(
            SESSION.c.person_id == person_id, SESSION.c.revoked_at.is_(None), SESSION.c.expires_at > now
        )
    ).one()
    last = connection.execute(
        select(func.max(SESSION.c.seen_at)).where(SESSION.c.person_id == person_id)
    ).scalar()
    tokens = connection.execute(
        select(func.count()).where(
            TOKEN.c.person_id == person_id,
            TOKEN.c.revoked_at.is_(None),
            or_(TOKEN.c.expires_at.is_(None), TOKEN.c.expires_at > now),
        )
    ).scalar_one()
    return MemberView(
        id=person.id,
        name=person.name,
        email=person.email,
        version=person.version,
        administrator_since=person.administrator_since,
        disabled_at=person.disabled_at,
        erased_at=person.erased_at,
        created_at=person.created_at,
        updated_at=person.updated_at,
        places=places,
        sessions=int(sessions[0]),
        tokens=int(tokens),
        seen_at=last,
    )


def choices(connection: Connection, actor: Actor) -> Choices:
    """What the actor can choose among: the programmes and organisations that they run, and the open challenges there.

    :raises NotAllowed: the actor runs nothing
    """
    require(actor, Permission.ADMINISTER)
    ids = [*reach.coordinated(actor), *(id for id in actor.memberships if reach.administered(actor, id))]
    own = true() if actor.is_administrator else PROGRAMME.c.id.in_(ids)
    programmes = connection.execute(
        select(PROGRAMME.c.id, PROGRAMME.c.name, PROGRAMME.c.slug).where(own).order_by(PROGRAMME.c.id)
    ).all()
    known = [row.id for row in programmes]
    organisations = connection.execute(
        select(ORGANISATION.c.id, ORGANISATION.c.name, ORGANISATION.c.programme_id)
        .where(_is_own_organisation(actor), ORGANISATION.c.programme_id.in_(known))
        .order_by(ORGANISATION.c.programme_id, ORGANISATION.c.name)
        .limit(MOST_CHOICES)
    ).all()
    challenges = connection.execute(
        select(CHALLENGE.c.id, CHALLENGE.c.title, CHALLENGE.c.language, CHALLENGE.c.programme_id)
        .where(CHALLENGE.c.programme_id.in_(known), CHALLENGE.c.deleted_at.is_(None))
        .order_by(CHALLENGE.c.programme_id, CHALLENGE.c.id)
        .limit(MOST_CHOICES)
    ).all()
    return Choices(programmes, organisations, challenges)


def assigned(connection: Connection, actor: Actor, programme_id: int) -> Sequence[Any]:
    """Who has which role besides the one of their place, in a programme: assignments with all names.

    :raises NotAllowed: the actor does not give roles there
    """
    require(actor, Permission.MANAGE_ROLES, reach.OfProgramme(programme_id))
    in_it = _named_assignments().where(ASSIGNMENT.c.programme_id == programme_id)
    return connection.execute(in_it.order_by(PERSON.c.name, ASSIGNMENT.c.id).limit(MOST_CHOICES)).all()


def assigned_after(
    connection: Connection, actor: Actor, programme_id: int, *, after: int = 0, limit: int = 50
) -> Sequence[Any]:
    """The same, with ids greater than `after`, by id; without those that are lent.

    :raises NotAllowed: the actor does not give roles there
    """
    require(actor, Permission.MANAGE_ROLES, reach.OfProgramme(programme_id))
    is_wanted = (
        ASSIGNMENT.c.programme_id == programme_id,
        ASSIGNMENT.c.id > after,
        ASSIGNMENT.c.delegated_by.is_(None),
    )
    in_it = _named_assignments().where(*is_wanted)
    return connection.execute(in_it.order_by(ASSIGNMENT.c.id).limit(limit)).all()


def assigned_to(connection: Connection, actor: Actor) -> Sequence[Any]:
    """What roles the actor has besides those of their places, as `assigned` has them; without those lent to them."""
    require(actor, Permission.MANAGE_OWN)
    own = (
        ASSIGNMENT.c.person_id == actor.person_id,
        ASSIGNMENT.c.programme_id.in_(sorted(actor.memberships)),
        ASSIGNMENT.c.delegated_by.is_(None),
    )
    return connection.execute(_named_assignments().where(*own).order_by(ASSIGNMENT.c.id)).all()


def assignment(connection: Connection, actor: Actor, assignment_id: int) -> Any:
    """One role besides a place, of now or to come, as `assigned` has them: one's own, or for who gives roles there.

    :raises NotFound: there is none that the actor may see
    """
    is_it = (ASSIGNMENT.c.id == assignment_id, ASSIGNMENT.c.delegated_by.is_(None))
    row = connection.execute(_named_assignments().where(*is_it)).first()
    if row is None or not (_is_own(actor, row) or may(actor, Permission.MANAGE_ROLES, row)):
        raise NotFound(N_("There is no such role besides a place."))
    return row


# within


def _is_own(actor: Actor, row: Any) -> bool:
    return row.person_id == actor.person_id and actor.reaches(row.programme_id)


_IS: Final = {
    HERE: and_(MEMBERSHIP.c.ended_at.is_(None), PERSON.c.disabled_at.is_(None)),
    LEFT: MEMBERSHIP.c.ended_at.is_not(None),
    DISABLED: and_(MEMBERSHIP.c.ended_at.is_(None), PERSON.c.disabled_at.is_not(None)),
}


def _is_managed(actor: Actor) -> ColumnElement[bool]:
    """The condition that a membership is the actor's affair: what the policy says of one, of many at once."""
    if actor.is_administrator:
        return true()
    conditions: list[ColumnElement[bool]] = [MEMBERSHIP.c.programme_id.in_(reach.coordinated(actor))]
    conditions += [
        and_(
            MEMBERSHIP.c.programme_id == programme_id,
            MEMBERSHIP.c.organisation_id.in_(reach.administered(actor, programme_id)),
        )
        for programme_id in sorted(actor.memberships)
    ]
    return or_(*conditions)


def _is_own_organisation(actor: Actor) -> ColumnElement[bool]:
    if actor.is_administrator:
        return true()
    ids = {id for programme_id in actor.memberships for id in reach.administered(actor, programme_id)}
    return or_(ORGANISATION.c.programme_id.in_(reach.coordinated(actor)), ORGANISATION.c.id.in_(ids))


def _is_told(actor: Actor) -> ColumnElement[bool]:
    """The condition that the address of the person of a membership is the actor's affair."""
    return true() if actor.is_administrator else MEMBERSHIP.c.ended_at.is_(None)


def _conditions(actor: Actor, wanted: Filter) -> list[ColumnElement[bool]]:
    found = _has_words(wanted, _is_told(actor))
    if wanted.programme_id is not None:
        found.append(MEMBERSHIP.c.programme_id == wanted.programme_id)
    if wanted.organisation_id is not None:
        found.append(MEMBERSHIP.c.organisation_id == wanted.organisation_id)
    if wanted.role:
        found.append(_has_role(wanted.role))
    return found


def _has_words(wanted: Filter, is_told: ColumnElement[bool]) -> list[ColumnElement[bool]]:
    return [
        or_(
            PERSON.c.name.icontains(word, autoescape=True),
            and_(is_told, PERSON.c.email.icontains(word, autoescape=True)),
        )
        for word in wanted.words.split()[:8]
    ]


def _has_role(role: str) -> ColumnElement[bool]:
    """The condition that the person of a membership has the role: by that place, or besides it, for whatever."""
    besides = (
        select(ASSIGNMENT.c.id)
        .where(
            ASSIGNMENT.c.person_id == MEMBERSHIP.c.person_id,
            ASSIGNMENT.c.programme_id == MEMBERSHIP.c.programme_id,
            ASSIGNMENT.c.role == role,
            actors.in_force(clock.now()),
        )
        .exists()
    )
    return or_(MEMBERSHIP.c.role == role, besides)


def _without_place(
    connection: Connection, actor: Actor, wanted: Filter, before: int | None, limit: int
) -> Sequence[Any]:
    """People who have no place anywhere now, for instance administrators."""
    has_place = (
        select(MEMBERSHIP.c.id)
        .where(MEMBERSHIP.c.person_id == PERSON.c.id, MEMBERSHIP.c.ended_at.is_(None))
        .exists()
    )
    conditions = [~has_place, PERSON.c.is_machine.is_(False), PERSON.c.erased_at.is_(None)]
    conditions += [true() if actor.is_administrator else false(), *_has_words(wanted, true())]
    if before is not None:
        conditions.append(PERSON.c.id < before)
    return connection.execute(
        select(
            PERSON.c.id.label("position"),
            PERSON.c.id.label("person_id"),
            PERSON.c.name,
            PERSON.c.email,
            PERSON.c.administrator_since,
            PERSON.c.disabled_at,
            PERSON.c.created_at,
            PERSON.c.updated_at,
            PERSON.c.version,
        )
        .where(*conditions)
        .order_by(PERSON.c.id.desc())
        .limit(limit)
    ).all()


def _places(connection: Connection, actor: Actor, person_id: int) -> tuple[Place, ...]:
    rows = connection.execute(
        select(
            MEMBERSHIP,
            PROGRAMME.c.name.label("programme"),
            PROGRAMME.c.slug.label("programme_slug"),
            ORGANISATION.c.name.label("organisation"),
            SECTOR.c.key.label("sector_key"),
            SECTOR.c.name.label("sector_name"),
        )
        .join(PROGRAMME, PROGRAMME.c.id == MEMBERSHIP.c.programme_id)
        .join(ORGANISATION, ORGANISATION.c.id == MEMBERSHIP.c.organisation_id)
        .join(SECTOR, SECTOR.c.id == MEMBERSHIP.c.sector_id)
        .where(MEMBERSHIP.c.person_id == person_id)
        .order_by(MEMBERSHIP.c.ended_at.is_not(None), MEMBERSHIP.c.id.desc())
    ).all()
    besides = connection.execute(
        _assignments().where(ASSIGNMENT.c.person_id == person_id).order_by(ASSIGNMENT.c.id)
    ).all()
    return tuple(
        Place(
            **{name: getattr(row, name) for name in Place.__slots__ if name != "assignments"},
            assignments=tuple(
                each for each in besides if each.programme_id == row.programme_id and row.ended_at is None
            ),
        )
        for row in rows
        if may(actor, Permission.MANAGE_PEOPLE, row)
    )


def _named_assignments() -> Any:
    return _assignments().add_columns(PERSON.c.name).join(PERSON, PERSON.c.id == ASSIGNMENT.c.person_id)


def _assignments() -> Any:
    """Assignments in force or to come, with the names of what they are for and of who lends them."""
    lender = PERSON.alias("lending")
    now = clock.now()
    return (
        select(
            ASSIGNMENT,
            ORGANISATION.c.name.label("organisation"),
            CHALLENGE.c.title.label("challenge"),
            lender.c.name.label("lender"),
        )
        .select_from(ASSIGNMENT)
        .outerjoin(ORGANISATION, ORGANISATION.c.id == ASSIGNMENT.c.organisation_id)
        .outerjoin(CHALLENGE, CHALLENGE.c.id == ASSIGNMENT.c.challenge_id)
        .outerjoin(lender, lender.c.id == ASSIGNMENT.c.delegated_by)
        .where(
            ASSIGNMENT.c.ended_at.is_(None),
            or_(ASSIGNMENT.c.ends_at.is_(None), ASSIGNMENT.c.ends_at > now),
            or_(ASSIGNMENT.c.delegated_by.is_(None), actors.is_still_lendable(now)),
        )
    )
