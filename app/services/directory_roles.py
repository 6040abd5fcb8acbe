"""Roles by groups of a directory: given where a coordinator said what a group is here, to its members of now."""

from typing import Any, Final

from sqlalchemy import and_, select, update

from app.database import Transaction
from app.models import Assignment, Membership, ScimGroup, ScimMember, ScimUser
from app.models.base import table
from app.models.membership import ORGANISATION_ADMINISTRATOR
from app.services import audit, sessions

ASSIGNMENT = table(Assignment)
GROUP = table(ScimGroup)
MEMBER = table(ScimMember)
MEMBERSHIP = table(Membership)
USER = table(ScimUser)

WITHIN: Final = frozenset({"host", ORGANISATION_ADMINISTRATOR})
"""Roles that reach the directory's organisation alone; the others reach the programme."""


def settle(tx: Transaction, programme_id: int, organisation_id: int) -> None:
    """Let the roles that groups of an organisation give be those of its members of now; idempotent.

    The roles of who is no longer in a group, or of a group that is nothing any more, end at once.
    """
    due = {(row.person_id, row.group_id, row.role) for row in tx.execute(_due(organisation_id))}
    held = {
        (row.person_id, row.scim_group_id, row.role): row.id for row in tx.execute(_held(organisation_id))
    }
    for key, id in held.items():
        if key not in due:
            tx.execute(update(ASSIGNMENT).where(ASSIGNMENT.c.id == id).values(ended_at=tx.now))
            _note(tx, "scim.role_ended", programme_id, organisation_id, key)
    for key in sorted(due - held.keys()):
        _give(tx, programme_id, organisation_id, key)
        _note(tx, "scim.role_given", programme_id, organisation_id, key)


def _due(organisation_id: int) -> Any:
    """Who ought to have which role: linked, active, in a group that is something, and of the organisation now."""
    return (
        select(USER.c.person_id, GROUP.c.id.label("group_id"), GROUP.c.role)
        .join(MEMBER, MEMBER.c.group_id == GROUP.c.id)
        .join(USER, USER.c.id == MEMBER.c.user_id)
        .join(
            MEMBERSHIP,
            and_(
                MEMBERSHIP.c.person_id == USER.c.person_id,
                MEMBERSHIP.c.organisation_id == organisation_id,
                MEMBERSHIP.c.ended_at.is_(None),
            ),
        )
        .where(GROUP.c.organisation_id == organisation_id, GROUP.c.role.is_not(None), USER.c.active)
        .distinct()
    )


def _held(organisation_id: int) -> Any:
    return (
        select(ASSIGNMENT.c.id, ASSIGNMENT.c.person_id, ASSIGNMENT.c.scim_group_id, ASSIGNMENT.c.role)
        .join(GROUP, GROUP.c.id == ASSIGNMENT.c.scim_group_id)
        .where(GROUP.c.organisation_id == organisation_id, ASSIGNMENT.c.ended_at.is_(None))
    )


def _give(tx: Transaction, programme_id: int, organisation_id: int, key: tuple[int, int, str]) -> None:
    person_id, group_id, role = key
    tx.execute(
        ASSIGNMENT.insert().values(
            programme_id=programme_id,
            person_id=person_id,
            role=role,
            organisation_id=organisation_id if role in WITHIN else None,
            scim_group_id=group_id,
            starts_at=tx.now,
            created_at=tx.now,
        )
    )


def _note(
    tx: Transaction, action: str, programme_id: int, organisation_id: int, key: tuple[int, int, str]
) -> None:
    person_id, group_id, role = key
    sessions.rotate_later(tx, person_id)
    audit.write_down(
        tx,
        action,
        None,
        programme_id=programme_id,
        organisation_id=organisation_id,
        subject="person",
        subject_id=person_id,
        data={"role": role, "scim_group_id": group_id},
    )
