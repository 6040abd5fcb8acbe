"""Who someone is, with every place and role that they have now: the columns, the joins, and the actor they make."""

from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Select, and_, bindparam, exists, or_, select
from sqlalchemy.engine import Connection

from app.errors import NotFound
from app.lib import clock
from app.lib.i18n import N_
from app.models import Assignment, Client, Membership, Person, Sector
from app.models.base import table
from app.policies import actor as policy
from app.policies.actor import Actor

ASSIGNMENT = table(Assignment)
CLIENT = table(Client)
MEMBERSHIP = table(Membership)
PERSON = table(Person)
SECTOR = table(Sector)

_LENDER: Final = MEMBERSHIP.alias("lender")
_OWN: Final = ASSIGNMENT.alias("lenders_own")
_WHO: Final = PERSON.alias("lending_person")

COLUMNS: Final = (
    PERSON.c.id,
    PERSON.c.name,
    PERSON.c.email,
    PERSON.c.language,
    PERSON.c.version,
    PERSON.c.is_machine,
    PERSON.c.administrator_since,
    MEMBERSHIP.c.id.label("membership_id"),
    MEMBERSHIP.c.programme_id,
    MEMBERSHIP.c.role,
    MEMBERSHIP.c.organisation_id,
    MEMBERSHIP.c.sector_id,
    SECTOR.c.key.label("sector_key"),
    ASSIGNMENT.c.id.label("assignment_id"),
    ASSIGNMENT.c.role.label("assignment_role"),
    ASSIGNMENT.c.organisation_id.label("assignment_organisation_id"),
    ASSIGNMENT.c.challenge_id.label("assignment_challenge_id"),
    ASSIGNMENT.c.delegated_by,
)


def joined(found: Select[Any]) -> Select[Any]:
    """`found`, a select from `PERSON`, with the places and roles of now; its parameter `now` is an instant.

    Of those who may act at all: who is disabled is not found, nor a machine whose client has expired.
    """
    now = bindparam("now", type_=ASSIGNMENT.c.starts_at.type)
    return (
        found.outerjoin(MEMBERSHIP, (MEMBERSHIP.c.person_id == PERSON.c.id) & MEMBERSHIP.c.ended_at.is_(None))
        .outerjoin(SECTOR, SECTOR.c.id == MEMBERSHIP.c.sector_id)
        .outerjoin(
            ASSIGNMENT,
            (ASSIGNMENT.c.person_id == PERSON.c.id)
            & (ASSIGNMENT.c.programme_id == MEMBERSHIP.c.programme_id)
            & in_force(now),
        )
        .where(PERSON.c.disabled_at.is_(None), ~_has_expired(now))
    )


def _has_expired(now: Any) -> ColumnElement[bool]:
    """The condition that a `PERSON` is a machine whose time is over."""
    return exists().where(CLIENT.c.person_id == PERSON.c.id, CLIENT.c.expires_at <= now)


def in_force(now: Any) -> ColumnElement[bool]:
    """The condition that an `ASSIGNMENT` counts at the instant `now`; of a lent role, that its lender still has it."""
    return and_(
        ASSIGNMENT.c.ended_at.is_(None),
        ASSIGNMENT.c.starts_at <= now,
        or_(ASSIGNMENT.c.ends_at.is_(None), ASSIGNMENT.c.ends_at > now),
        or_(ASSIGNMENT.c.delegated_by.is_(None), is_still_lendable(now)),
    )


def is_still_lendable(now: Any) -> ColumnElement[bool]:
    """The condition that who lends the role of an `ASSIGNMENT` still has it, in the place from which they lent it."""
    lent = ASSIGNMENT.c
    has_place = (
        (_LENDER.c.person_id == lent.delegated_by)
        & (_LENDER.c.programme_id == lent.programme_id)
        & _LENDER.c.ended_at.is_(None)
        & (_LENDER.c.created_at <= lent.created_at)
    )
    is_of_place = (
        (_LENDER.c.role == lent.role)
        & lent.challenge_id.is_(None)
        & or_(lent.organisation_id.is_(None), lent.organisation_id == _LENDER.c.organisation_id)
    )
    is_assigned = exists().where(
        _OWN.c.person_id == lent.delegated_by,
        _OWN.c.programme_id == lent.programme_id,
        _OWN.c.role == lent.role,
        _OWN.c.challenge_id.is_not_distinct_from(lent.challenge_id),
        _OWN.c.organisation_id.is_not_distinct_from(lent.organisation_id),
        _OWN.c.delegated_by.is_(None),
        _OWN.c.ended_at.is_(None),
        or_(_OWN.c.ends_at.is_(None), _OWN.c.ends_at > now),
    )
    is_here = exists().where(_WHO.c.id == lent.delegated_by, _WHO.c.disabled_at.is_(None))
    return and_(exists().where(has_place, or_(is_of_place, is_assigned)), is_here)


def holds(role: str, now: Any, *, organisation_id: int | None = None) -> ColumnElement[bool]:
    """The condition that the person of a `MEMBERSHIP` has `role` in its programme: by that place, or assigned for all.

    With `organisation_id`: that they have it for this organisation.
    """
    by_place = MEMBERSHIP.c.role == role
    assigned = (
        (ASSIGNMENT.c.person_id == MEMBERSHIP.c.person_id)
        & (ASSIGNMENT.c.programme_id == MEMBERSHIP.c.programme_id)
        & (ASSIGNMENT.c.role == role)
        & ASSIGNMENT.c.challenge_id.is_(None)
        & in_force(now)
    )
    if organisation_id is not None:
        by_place &= MEMBERSHIP.c.organisation_id == organisation_id
        assigned &= ASSIGNMENT.c.organisation_id == organisation_id
    return or_(by_place, exists().where(assigned))


def of_rows(
    rows: Any, *, programme_id: int | None = None, organisation_id: int | None = None, **how: Any
) -> Actor:
    """The actor that `COLUMNS` rows of one person describe; `how` says by what they came.

    One who is bound to a programme or an organisation has their places and roles there alone.
    """
    first = rows[0]
    is_bound = programme_id is not None or organisation_id is not None
    within = [
        row
        for row in rows
        if row.membership_id is not None
        and programme_id in (None, row.programme_id)
        and organisation_id in (None, row.organisation_id)
    ]
    assignments = {
        row.assignment_id: _assignment(row)
        for row in within
        if row.assignment_id is not None
        and (organisation_id is None or row.assignment_organisation_id in (None, organisation_id))
    }
    return Actor(
        person_id=first.id,
        name=first.name,
        email=first.email,
        language=first.language,
        version=first.version,
        memberships={row.programme_id: _place(row) for row in within},
        assignments=tuple(assignments.values()),
        is_administrator=first.administrator_since is not None and not is_bound,
        is_machine=bool(first.is_machine),
        is_bound=is_bound,
        **how,
    )


_FIND: Final = joined(select(*COLUMNS).select_from(PERSON)).where(PERSON.c.id == bindparam("person_id"))


def find(connection: Connection, person_id: int) -> Actor:
    """The person with their places and roles, as one who may do all that they may.

    :raises NotFound: there is no such person, they are disabled, or a machine that has expired
    """
    rows = connection.execute(_FIND, {"person_id": person_id, "now": clock.now()}).all()
    if not rows:
        raise NotFound(N_("There is no such person."))
    return of_rows(rows)


def is_human(person_id: ColumnElement[Any]) -> ColumnElement[bool]:
    """The condition that a column names a human: machines are told nothing, and not counted among people."""
    return person_id.not_in(MACHINES)


MACHINES: Final = select(CLIENT.c.person_id)
"""The ids of those who stand for a client of the API: a handful, so that looking among them costs nothing."""


def _place(row: Row[Any]) -> policy.Membership:
    return policy.Membership(
        id=row.membership_id,
        programme_id=row.programme_id,
        role=row.role,
        organisation_id=row.organisation_id,
        sector_id=row.sector_id,
        sector_key=row.sector_key,
    )


def _assignment(row: Row[Any]) -> policy.Assignment:
    return policy.Assignment(
        id=row.assignment_id,
        programme_id=row.programme_id,
        role=row.assignment_role,
        organisation_id=row.assignment_organisation_id,
        challenge_id=row.assignment_challenge_id,
        delegated_by=row.delegated_by,
    )
