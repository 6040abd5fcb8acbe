"""Roles: that of someone's place in a programme, and those besides it; given, changed and taken back."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import select, update

from app.database import Transaction
from app.errors import Conflict, FieldError, Invalid, Moved, NotAllowed, NotFound
from app.lib import days
from app.lib.i18n import N_, ZONE
from app.models import Assignment, Challenge, Membership, Organisation, Person
from app.models.base import table
from app.models.membership import ASSIGNABLE, ORGANISATION_ADMINISTRATOR, ROLES
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import require
from app.services import memberships, sessions
from app.services.events import record

ASSIGNMENT = table(Assignment)
CHALLENGE = table(Challenge)
MEMBERSHIP = table(Membership)
ORGANISATION = table(Organisation)
PERSON = table(Person)

OF_ORGANISATIONS: Final = ("host", ORGANISATION_ADMINISTRATOR)
"""Roles that are assigned for an organisation."""

OF_CHALLENGES: Final = ("facilitator", "sponsor")
"""Roles that can be assigned for one challenge."""

WEIGHT: Final = {"observer": 0, "participant": 1, "host": 2, "facilitator": 2, "sponsor": 2, "coordinator": 3}
"""Which role of a place is more than another: nobody gives themselves more."""

ABSENT: Final = N_("There is no such person in this programme.")
MOVED: Final = N_("Someone has changed the roles of this person in the meantime. Please look at them again.")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A role to be given besides that of the place; `organisation_id` or `challenge_id`: for that one alone."""

    role: str
    organisation_id: int | None = None
    challenge_id: int | None = None
    last_day: date | None = None


# verbs


def change(
    tx: Transaction, actor: Actor, programme_id: int, person_id: int, role: str, *, version: int | None = None
) -> None:
    """Make `role` the role of someone's place. What they lend of the one before ends. Idempotent.

    :raises NotFound: they have no place there, or the actor may not see it
    :raises NotAllowed: the actor does not give roles, or would raise themselves
    :raises Moved: `version` is given, and the person's roles have changed since
    :raises Conflict: they are the last coordinator
    :raises Invalid: there is no such role
    """
    held = hold(tx, actor, programme_id, person_id, version=version)
    if role not in ROLES:
        raise Invalid(FieldError("role", N_("Please choose one of the list.")))
    if role == held.role:
        return
    if actor.person_id == person_id and WEIGHT[role] > WEIGHT[held.role]:
        raise NotAllowed(N_("Nobody raises their own role. Please ask another who gives roles here."))
    if held.role == "coordinator":
        _keep_a_coordinator(tx, programme_id, person_id)
    tx.execute(update(MEMBERSHIP).where(MEMBERSHIP.c.id == held.id).values(role=role, updated_at=tx.now))
    end_lent(tx, actor, programme_id, person_id)
    if held.role == "coordinator":
        memberships.tell_of_machines(tx, programme_id, person_id)
    _note(tx, "role.changed", actor, held, subject_id=person_id, data={"from": held.role, "to": role})


def give(
    tx: Transaction,
    actor: Actor,
    programme_id: int,
    person_id: int,
    wanted: Wanted,
    *,
    version: int | None = None,
) -> int:
    """Give someone with a place a role besides it; the assignment's id.

    :raises NotFound: they have no place there, or the actor may not see it
    :raises NotAllowed: the actor does not give roles, or would give one to themselves
    :raises Moved: `version` is given, and the person's roles have changed since
    :raises Conflict: they have it already
    :raises Invalid: the role, its organisation, its challenge or its end cannot be taken
    """
    held = hold(tx, actor, programme_id, person_id, version=version)
    if actor.person_id == person_id:
        raise NotAllowed(N_("Nobody raises their own role. Please ask another who gives roles here."))
    errors = _problems_of(tx, held, wanted)
    if errors:
        raise Invalid(*errors)
    target = {"organisation_id": wanted.organisation_id, "challenge_id": wanted.challenge_id}
    if _has(tx, held, wanted):
        raise Conflict(N_("They have this role already."))
    id = tx.execute(
        ASSIGNMENT.insert()
        .values(
            programme_id=programme_id,
            person_id=person_id,
            role=wanted.role,
            **target,
            starts_at=tx.now,
            ends_at=end_of(wanted.last_day) if wanted.last_day else None,
            created_by=actor.person_id,
            created_at=tx.now,
        )
        .returning(ASSIGNMENT.c.id)
    ).scalar_one()
    _note(tx, "assignment.given", actor, held, subject_id=id, data={"role": wanted.role, **target})
    return int(id)


def take(tx: Transaction, actor: Actor, assignment_id: int, *, version: int | None = None) -> None:
    """Take a role back that was given besides the place; one's own can be laid down. Idempotent.

    :raises NotFound: there is no such assignment, or the actor may not see it
    :raises NotAllowed: the actor does not give roles
    :raises Moved: `version` is given, and the person's roles have changed since
    :raises Conflict: they are the last coordinator
    """
    row = tx.execute(
        select(ASSIGNMENT).where(ASSIGNMENT.c.id == assignment_id, ASSIGNMENT.c.delegated_by.is_(None))
    ).first()
    if row is None:
        raise NotFound(N_("There is no such role to take back."))
    if row.person_id == actor.person_id and actor.reaches(row.programme_id):
        held = _place(tx, row.programme_id, row.person_id)
        _refuse_moved(held, version)
    else:
        held = hold(tx, actor, row.programme_id, row.person_id, version=version)
    if row.role == "coordinator" and row.ended_at is None:
        _keep_a_coordinator(tx, row.programme_id, row.person_id)
    ended = tx.execute(
        update(ASSIGNMENT)
        .where(ASSIGNMENT.c.id == assignment_id, ASSIGNMENT.c.ended_at.is_(None))
        .values(ended_at=tx.now)
        .returning(ASSIGNMENT.c.id)
    ).first()
    if ended is None:
        return
    end_lent(tx, actor, row.programme_id, row.person_id)
    target = {"organisation_id": row.organisation_id, "challenge_id": row.challenge_id}
    _note(tx, "assignment.ended", actor, held, subject_id=assignment_id, data={"role": row.role, **target})


# for the other services of places and roles


def hold(
    tx: Transaction, actor: Actor, programme_id: int, person_id: int, *, version: int | None = None
) -> Any:
    """Someone's place of now (the table's columns), held for a change of what they may do.

    :raises NotFound: they have none, or the actor may not see it
    :raises NotAllowed: the actor does not give roles
    :raises Moved: `version` is given, and it has changed since
    """
    held = _place(tx, programme_id, person_id)
    require(actor, Permission.MANAGE_ROLES, held, seen_by=Permission.MANAGE_PEOPLE)
    _refuse_moved(held, version)
    return held


def end_lent(tx: Transaction, actor: Actor | None, programme_id: int, person_id: int) -> None:
    """End what someone lends in a programme: their role there has changed, or their place has ended."""
    _end(
        tx,
        actor,
        ASSIGNMENT.c.programme_id == programme_id,
        ASSIGNMENT.c.delegated_by == person_id,
        type="delegation.ended",
    )


def end_of(day: date) -> datetime:
    """The instant at which a day ends where we are."""
    return days.begins(day + timedelta(days=1), str(ZONE))


# within


def _place(tx: Transaction, programme_id: int, person_id: int) -> Any:
    found = tx.execute(
        select(MEMBERSHIP)
        .join(PERSON, PERSON.c.id == MEMBERSHIP.c.person_id)
        .where(
            MEMBERSHIP.c.programme_id == programme_id,
            MEMBERSHIP.c.person_id == person_id,
            MEMBERSHIP.c.ended_at.is_(None),
            PERSON.c.is_machine.is_(False),
        )
        .with_for_update(of=MEMBERSHIP)
    ).first()
    if found is None:
        raise NotFound(ABSENT)
    return found


def _keep_a_coordinator(tx: Transaction, programme_id: int, person_id: int) -> None:
    """Refuse to let the last coordinator of a programme go; two who go at once follow one another."""
    memberships.hold(tx, [programme_id])
    memberships.require_other_coordinator(tx, programme_id, person_id)


def _refuse_moved(held: Any, version: int | None) -> None:
    if version is not None and version != held.version:
        raise Moved(MOVED, current=held.version)


def _problems_of(tx: Transaction, held: Any, wanted: Wanted) -> list[FieldError]:
    errors = []
    if wanted.role not in ASSIGNABLE:
        errors.append(FieldError("role", N_("Please choose one of the list.")))
    if wanted.role in OF_ORGANISATIONS and not _is_in(tx, ORGANISATION, wanted.organisation_id, held):
        errors.append(FieldError("organisation", N_("Please choose the organisation for which this holds.")))
    if wanted.role not in OF_ORGANISATIONS and wanted.organisation_id is not None:
        errors.append(FieldError("organisation", N_("This role is not for one organisation alone.")))
    if wanted.challenge_id is not None and (
        wanted.role not in OF_CHALLENGES or not _is_in(tx, CHALLENGE, wanted.challenge_id, held)
    ):
        errors.append(FieldError("challenge", N_("This role cannot be for that challenge alone.")))
    if wanted.last_day is not None and end_of(wanted.last_day) <= tx.now:
        errors.append(FieldError("last_day", N_("Please choose a day that is still to come.")))
    return errors


def _is_in(tx: Transaction, of: Any, id: int | None, held: Any) -> bool:
    """Whether the organisation or challenge is one of the programme."""
    is_there = (of.c.id == id) & (of.c.programme_id == held.programme_id)
    if of is CHALLENGE:
        is_there &= CHALLENGE.c.deleted_at.is_(None)
    return id is not None and tx.execute(select(of.c.id).where(is_there)).first() is not None


def _has(tx: Transaction, held: Any, wanted: Wanted) -> bool:
    is_same = (
        (ASSIGNMENT.c.programme_id == held.programme_id)
        & (ASSIGNMENT.c.person_id == held.person_id)
        & (ASSIGNMENT.c.role == wanted.role)
        & ASSIGNMENT.c.organisation_id.is_not_distinct_from(wanted.organisation_id)
        & ASSIGNMENT.c.challenge_id.is_not_distinct_from(wanted.challenge_id)
        & ASSIGNMENT.c.delegated_by.is_(None)
        & ASSIGNMENT.c.ended_at.is_(None)
        & (ASSIGNMENT.c.ends_at.is_(None) | (ASSIGNMENT.c.ends_at > tx.now))
    )
    by_place = wanted.role == held.role and wanted.organisation_id in (None, held.organisation_id)
    return by_place or tx.execute(select(ASSIGNMENT.c.id).where(is_same)).first() is not None


def _end(tx: Transaction, actor: Actor | None, *conditions: Any, type: str) -> None:
    ended = tx.execute(
        update(ASSIGNMENT)
        .where(*conditions, ASSIGNMENT.c.ended_at.is_(None))
        .values(ended_at=tx.now)
        .returning(ASSIGNMENT)
    ).all()
    for row in ended:
        sessions.rotate_later(tx, row.person_id)
        record(
            tx,
            type,
            actor,
            programme_id=row.programme_id,
            subject_id=row.id,
            data={"person_id": row.person_id, "role": row.role, "organisation_id": row.organisation_id},
        )


def _note(
    tx: Transaction, type: str, actor: Actor, held: Any, *, subject_id: int, data: dict[str, Any]
) -> None:
    """What follows every change of what someone may do: the next version, another cookie, the event."""
    tx.execute(
        update(MEMBERSHIP)
        .where(MEMBERSHIP.c.id == held.id)
        .values(version=MEMBERSHIP.c.version + 1, updated_at=tx.now)
    )
    sessions.rotate_later(tx, held.person_id)
    about = {"person_id": held.person_id, "organisation_id": held.organisation_id}
    told = {name: value for name, value in data.items() if value is not None}
    record(tx, type, actor, programme_id=held.programme_id, subject_id=subject_id, data=about | told)
