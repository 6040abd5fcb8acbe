"""Delegations: someone lends their role to a colleague while they are away, with the decisions that wait for them.

What is lent ends by itself on its last day, and as soon as the lender's own role ends or changes. It cannot be lent on,
and gives nobody a second vote: `policies.rules` says what needs a place of one's own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, or_, select, update
from sqlalchemy.engine import Connection

from app.database import Transaction
from app.errors import Conflict, FieldError, Invalid, NotFound
from app.lib import clock, days
from app.lib.i18n import N_, ZONE
from app.models import Assignment, Challenge, Membership, Organisation, Person, Programme
from app.models.base import table
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.reach import OfProgramme
from app.policies.rules import may, require
from app.services import actors, notices, roles, sessions
from app.services.events import record

ASSIGNMENT = table(Assignment)
CHALLENGE = table(Challenge)
MEMBERSHIP = table(Membership)
ORGANISATION = table(Organisation)
PERSON = table(Person)
PROGRAMME = table(Programme)

LONGEST_DAYS: Final = 90
"""How long something may be lent at the most, from the first day on."""

AT_HOME: Final = ("participant", "host", "observer")
"""Roles that are lent within the organisation alone: what goes with them are its own affairs."""

UNSEEN: Final = N_("There is no such delegation.")

_LENDER: Final = PERSON.alias("lender_person")


@dataclass(frozen=True, slots=True)
class Lendable:
    """What someone can lend: the role of their place (`assignment_id` is None), or one they have besides."""

    programme_id: int
    programme: str
    assignment_id: int | None
    role: str
    challenge: str | None
    organisation: str | None


@dataclass(frozen=True, slots=True)
class Absence:
    """From when to when, both days included."""

    first_day: date | None
    last_day: date | None


# queries


def lendable(connection: Connection, actor: Actor) -> list[Lendable]:
    """What the actor can lend, by programme; not what is lent to them."""
    require(actor, Permission.MANAGE_OWN)
    places = connection.execute(
        select(PROGRAMME.c.id, PROGRAMME.c.name)
        .where(PROGRAMME.c.id.in_(list(actor.memberships)))
        .order_by(PROGRAMME.c.id)
    ).all()
    besides = connection.execute(
        _named(select(ASSIGNMENT.c.id, ASSIGNMENT.c.programme_id, ASSIGNMENT.c.role))
        .where(ASSIGNMENT.c.id.in_([each.id for each in actor.assignments if each.delegated_by is None]))
        .order_by(ASSIGNMENT.c.id)
    ).all()
    found = []
    for place in places:
        found.append(Lendable(place.id, place.name, None, actor.memberships[place.id].role, None, None))
        found += [
            Lendable(place.id, place.name, row.id, row.role, row.challenge, row.organisation)
            for row in besides
            if row.programme_id == place.id
        ]
    return found


def colleagues(connection: Connection, actor: Actor) -> Sequence[Any]:
    """To whom the actor could lend: person_id, name, organisation, of all their programmes, each person once."""
    require(actor, Permission.MANAGE_OWN)
    return connection.execute(
        select(PERSON.c.id.label("person_id"), PERSON.c.name, ORGANISATION.c.name.label("organisation"))
        .join(MEMBERSHIP, MEMBERSHIP.c.person_id == PERSON.c.id)
        .join(ORGANISATION, ORGANISATION.c.id == MEMBERSHIP.c.organisation_id)
        .where(
            MEMBERSHIP.c.programme_id.in_(list(actor.memberships)),
            MEMBERSHIP.c.ended_at.is_(None),
            PERSON.c.id != actor.person_id,
            PERSON.c.disabled_at.is_(None),
            PERSON.c.is_machine.is_(False),
        )
        .distinct()
        .order_by(ORGANISATION.c.name, PERSON.c.name, PERSON.c.id)
    ).all()


def of_person(connection: Connection, actor: Actor) -> Sequence[Any]:
    """What the actor lends and what is lent to them, now or soon: the columns of `_SELECTED`."""
    require(actor, Permission.MANAGE_OWN)
    is_mine = or_(ASSIGNMENT.c.delegated_by == actor.person_id, ASSIGNMENT.c.person_id == actor.person_id)
    is_here = ASSIGNMENT.c.programme_id.in_(sorted(actor.memberships))
    return connection.execute(_selected().where(is_mine, is_here)).all()


def find(connection: Connection, actor: Actor, delegation_id: int) -> Any:
    """One, ended or not: for the lender, who holds it, and who gives roles there; the columns of `_SELECTED`.

    :raises NotFound: there is none that the actor may see
    """
    row = connection.execute(_all().where(ASSIGNMENT.c.id == delegation_id)).first()
    if row is None or not _sees(actor, row):
        raise NotFound(UNSEEN)
    return row


def in_programme(connection: Connection, actor: Actor, programme_id: int) -> Sequence[Any]:
    """What is lent in a programme, now or soon, for those who run it: the columns of `_SELECTED`."""
    require(actor, Permission.MANAGE_ROLES, OfProgramme(programme_id))
    return connection.execute(_selected().where(ASSIGNMENT.c.programme_id == programme_id)).all()


# verbs


def lend(
    tx: Transaction,
    actor: Actor,
    programme_id: int,
    person_id: int,
    absence: Absence,
    *,
    assignment_id: int | None = None,
) -> int:
    """Lend the role of the actor's place, or the one of `assignment_id`, to a colleague; the delegation's id.

    :raises NotFound: the actor has no such role to lend
    :raises NotAllowed: a machine asks: it has no absence
    :raises Conflict: it is lent to them already
    :raises Invalid: the colleague or the days cannot be taken
    """
    require(actor, Permission.DELEGATE, OfProgramme(programme_id), seen_by=Permission.DELEGATE)
    place = _held(tx, actor, programme_id)
    lent = _role(tx, actor, place, assignment_id)
    errors = _problems_of_days(tx, absence) + _problems_of_colleague(tx, place, lent, person_id)
    if errors or absence.last_day is None:
        raise Invalid(*errors)
    _refuse_again(tx, actor, programme_id, person_id, lent)
    first = absence.first_day
    id = tx.execute(
        ASSIGNMENT.insert()
        .values(
            programme_id=programme_id,
            person_id=person_id,
            **lent,
            delegated_by=actor.person_id,
            starts_at=tx.now if first is None else max(tx.now, days.begins(first, str(ZONE))),
            ends_at=roles.end_of(absence.last_day),
            created_by=actor.person_id,
            created_at=tx.now,
        )
        .returning(ASSIGNMENT.c.id)
    ).scalar_one()
    sessions.rotate_later(tx, person_id)
    data = {"person_id": person_id, "role": lent["role"], "organisation_id": place.organisation_id}
    record(tx, "delegation.given", actor, programme_id=programme_id, subject_id=id, data=data)
    notices.tell(tx, [person_id], "role_lent", programme_id=programme_id)
    return int(id)


def end(tx: Transaction, actor: Actor, delegation_id: int) -> None:
    """End a delegation before its time: the lender, who holds it, or who gives roles there. Idempotent.

    :raises NotFound: there is none that the actor may see
    """
    row = tx.execute(
        select(ASSIGNMENT)
        .where(ASSIGNMENT.c.id == delegation_id, ASSIGNMENT.c.delegated_by.is_not(None))
        .with_for_update()
    ).first()
    if row is None or not _sees(actor, row):
        raise NotFound(UNSEEN)
    require(actor, Permission.MANAGE_OWN)
    if row.ended_at is not None:
        return
    tx.execute(update(ASSIGNMENT).where(ASSIGNMENT.c.id == row.id).values(ended_at=tx.now))
    sessions.rotate_later(tx, row.person_id)
    data = {"person_id": row.person_id, "role": row.role, "organisation_id": row.organisation_id}
    record(tx, "delegation.ended", actor, programme_id=row.programme_id, subject_id=row.id, data=data)


# within


def _sees(actor: Actor, row: Any) -> bool:
    has_part = actor.person_id in (row.delegated_by, row.person_id)
    return (has_part and actor.reaches(row.programme_id)) or may(actor, Permission.MANAGE_ROLES, row)


def _held(tx: Transaction, actor: Actor, programme_id: int) -> Any:
    """The actor's place, held so that two askings at once follow one another."""
    place = tx.execute(
        select(MEMBERSHIP)
        .where(
            MEMBERSHIP.c.programme_id == programme_id,
            MEMBERSHIP.c.person_id == actor.person_id,
            MEMBERSHIP.c.ended_at.is_(None),
        )
        .with_for_update()
    ).first()
    if place is None:
        raise NotFound(roles.ABSENT)
    return place


def _role(tx: Transaction, actor: Actor, place: Any, assignment_id: int | None) -> dict[str, Any]:
    """What is lent: role, organisation_id, challenge_id. What the actor holds in another's absence is not theirs."""
    if assignment_id is None:
        at_home = place.organisation_id if place.role in AT_HOME else None
        return {"role": place.role, "organisation_id": at_home, "challenge_id": None}
    row = tx.execute(
        select(ASSIGNMENT.c.role, ASSIGNMENT.c.organisation_id, ASSIGNMENT.c.challenge_id).where(
            ASSIGNMENT.c.id == assignment_id,
            ASSIGNMENT.c.programme_id == place.programme_id,
            ASSIGNMENT.c.person_id == actor.person_id,
            ASSIGNMENT.c.delegated_by.is_(None),
            actors.in_force(tx.now),
        )
    ).first()
    if row is None:
        raise NotFound(N_("There is no such role of yours to lend. What is lent to you cannot be lent on."))
    return dict(row._mapping)  # noqa: SLF001 -- SQLAlchemy's public name for it


def _problems_of_days(tx: Transaction, absence: Absence) -> list[FieldError]:
    today = days.today(str(ZONE), tx.now)
    first = absence.first_day or today
    if absence.last_day is None:
        return [FieldError("last_day", N_("Please choose the last day of your absence."))]
    if first < today:
        return [FieldError("first_day", N_("Please choose today or a later day."))]
    if absence.last_day < first:
        return [FieldError("last_day", N_("The last day is before the first."))]
    if absence.last_day - first >= timedelta(days=LONGEST_DAYS):
        return [
            FieldError(
                "last_day", N_("A role is lent for %(most)s days at the most."), (("most", LONGEST_DAYS),)
            )
        ]
    return []


def _problems_of_colleague(
    tx: Transaction, place: Any, lent: dict[str, Any], person_id: int
) -> list[FieldError]:
    colleague = tx.execute(
        select(MEMBERSHIP.c.organisation_id)
        .join(PERSON, PERSON.c.id == MEMBERSHIP.c.person_id)
        .where(
            MEMBERSHIP.c.programme_id == place.programme_id,
            MEMBERSHIP.c.person_id == person_id,
            MEMBERSHIP.c.person_id != place.person_id,
            MEMBERSHIP.c.ended_at.is_(None),
            PERSON.c.disabled_at.is_(None),
            PERSON.c.is_machine.is_(False),
        )
    ).first()
    if colleague is None:
        return [FieldError("person_id", N_("Please choose someone who takes part in the same programme."))]
    if lent["organisation_id"] not in (None, colleague.organisation_id):
        return [
            FieldError("person_id", N_("This role stays in the house: please choose a colleague of yours."))
        ]
    return []


def _refuse_again(
    tx: Transaction, actor: Actor, programme_id: int, person_id: int, lent: dict[str, Any]
) -> None:
    same = tx.execute(
        select(ASSIGNMENT.c.id).where(
            ASSIGNMENT.c.programme_id == programme_id,
            ASSIGNMENT.c.person_id == person_id,
            ASSIGNMENT.c.delegated_by == actor.person_id,
            ASSIGNMENT.c.role == lent["role"],
            ASSIGNMENT.c.challenge_id.is_not_distinct_from(lent["challenge_id"]),
            ASSIGNMENT.c.organisation_id.is_not_distinct_from(lent["organisation_id"]),
            ASSIGNMENT.c.ended_at.is_(None),
            ASSIGNMENT.c.ends_at > tx.now,
        )
    ).first()
    if same is not None:
        raise Conflict(N_("You lend them this role already. End that first if the days have changed."))


def _selected() -> Select[Any]:
    """Delegations of now and to come, the one that ends first first."""
    return _all().where(_is_to_come()).order_by(ASSIGNMENT.c.ends_at, ASSIGNMENT.c.id)


def _all() -> Select[Any]:
    return (
        _named(
            select(
                ASSIGNMENT.c.id,
                ASSIGNMENT.c.programme_id,
                PROGRAMME.c.name.label("programme"),
                ASSIGNMENT.c.role,
                ASSIGNMENT.c.organisation_id,
                ASSIGNMENT.c.challenge_id,
                ASSIGNMENT.c.created_at,
                ASSIGNMENT.c.person_id,
                PERSON.c.name.label("name"),
                ASSIGNMENT.c.delegated_by,
                _LENDER.c.name.label("lender"),
                ASSIGNMENT.c.starts_at,
                ASSIGNMENT.c.ends_at,
                ASSIGNMENT.c.ended_at,
            )
        )
        .join(PROGRAMME, PROGRAMME.c.id == ASSIGNMENT.c.programme_id)
        .join(PERSON, PERSON.c.id == ASSIGNMENT.c.person_id)
        .join(_LENDER, _LENDER.c.id == ASSIGNMENT.c.delegated_by)
    )


def _is_to_come() -> ColumnElement[bool]:
    now = clock.now()
    return and_(ASSIGNMENT.c.ended_at.is_(None), ASSIGNMENT.c.ends_at > now, actors.is_still_lendable(now))


def _named(found: Select[Any]) -> Select[Any]:
    """With the names of the challenge and the organisation for which a role is, where it is for one alone."""
    return (
        found.add_columns(CHALLENGE.c.title.label("challenge"), ORGANISATION.c.name.label("organisation"))
        .select_from(ASSIGNMENT)
        .outerjoin(CHALLENGE, CHALLENGE.c.id == ASSIGNMENT.c.challenge_id)
        .outerjoin(ORGANISATION, ORGANISATION.c.id == ASSIGNMENT.c.organisation_id)
    )
