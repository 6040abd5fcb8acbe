"""Groups of organisations' directories, for those who answer for these: who is in them, and what each is here."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import case, func, literal, or_, select, update
from sqlalchemy.engine import Connection

from app.database import Transaction
from app.errors import FieldError, Invalid, Moved, NotFound
from app.lib.i18n import N_
from app.models import Organisation, Programme, ScimGroup, ScimMember, ScimUser
from app.models.base import table
from app.models.membership import ASSIGNABLE
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import may, require
from app.services import audit, directory_roles

GROUP = table(ScimGroup)
MEMBER = table(ScimMember)
ORGANISATION = table(Organisation)
PROGRAMME = table(Programme)
USER = table(ScimUser)

UNSEEN: Final = N_("There is no such group, or it is not open to you.")


def overview(connection: Connection, actor: Actor) -> list[Any]:
    """The organisations whose directories the actor answers for: who was told of, and how many of them are linked.

    Each row: programme_id, programme, organisation_id, organisation, users, active, linked.
    """
    count = func.count(USER.c.id)
    rows = connection.execute(
        select(
            PROGRAMME.c.id.label("programme_id"),
            PROGRAMME.c.name.label("programme"),
            ORGANISATION.c.id.label("organisation_id"),
            ORGANISATION.c.name.label("organisation"),
            count.label("users"),
            func.sum(case((USER.c.active, 1), else_=0)).label("active"),
            func.count(USER.c.person_id).label("linked"),
        )
        .join(ORGANISATION, ORGANISATION.c.programme_id == PROGRAMME.c.id)
        .outerjoin(USER, USER.c.organisation_id == ORGANISATION.c.id)
        .where(or_(PROGRAMME.c.id.in_(list(actor.memberships)), literal(actor.is_administrator)))
        .where(
            or_(
                USER.c.id.is_not(None),
                ORGANISATION.c.id.in_(select(GROUP.c.organisation_id)),
            )
        )
        .group_by(PROGRAMME.c.id, PROGRAMME.c.name, ORGANISATION.c.id, ORGANISATION.c.name)
        .order_by(PROGRAMME.c.id, ORGANISATION.c.name, ORGANISATION.c.id)
    ).all()
    return [row for row in rows if may(actor, Permission.MANAGE_DIRECTORY, row)]


def of_organisations(connection: Connection, organisation_ids: Sequence[int]) -> Sequence[Any]:
    """The groups of these organisations, by name: id, organisation_id, display_name, role, version, dates, members."""
    return connection.execute(
        _counted()
        .where(GROUP.c.organisation_id.in_(organisation_ids))
        .order_by(GROUP.c.display_name, GROUP.c.id)
    ).all()


def shown(connection: Connection, actor: Actor, group_id: int) -> Any:
    """One group, as `of_organisations` has them.

    :raises NotFound: there is none, or the actor does not answer for its directory
    """
    row = connection.execute(_counted().where(GROUP.c.id == group_id)).first()
    if row is None or not may(actor, Permission.MANAGE_DIRECTORY, row):
        raise NotFound(UNSEEN)
    return row


def _counted() -> Any:
    members = select(func.count()).where(MEMBER.c.group_id == GROUP.c.id).scalar_subquery()
    return select(
        GROUP.c.id,
        GROUP.c.programme_id,
        GROUP.c.organisation_id,
        GROUP.c.display_name,
        GROUP.c.role,
        GROUP.c.version,
        GROUP.c.created_at,
        GROUP.c.updated_at,
        members.label("members"),
    )


def map_to(
    tx: Transaction, actor: Actor, group_id: int, role: str | None, *, version: int | None = None
) -> None:
    """Say what a group is here: its members get this role at once, or with None the one that it gave ends.

    :raises NotFound: there is no such group, or the actor may not see it
    :raises NotAllowed: the actor may give nobody a role
    :raises Invalid: it is no role that someone can be given
    :raises Moved: `version` is given and no longer the newest
    """
    group = tx.execute(select(GROUP).where(GROUP.c.id == group_id).with_for_update()).first()
    if group is None:
        raise NotFound(UNSEEN)
    require(actor, Permission.MANAGE_ROLES, group, seen_by=Permission.MANAGE_DIRECTORY)
    if role is not None and role not in ASSIGNABLE:
        raise Invalid(FieldError("role", N_("Please choose one of the roles in the list.")))
    if version is not None and version != group.version:
        raise Moved(N_("Someone has changed this group in the meantime."), current=group.version)
    if role == group.role:
        return
    changed = {"role": role, "updated_at": tx.now, "version": GROUP.c.version + 1}
    tx.execute(update(GROUP).where(GROUP.c.id == group_id).values(**changed))
    directory_roles.settle(tx, group.programme_id, group.organisation_id)
    audit.write_down(
        tx,
        "scim.group_mapped",
        actor,
        programme_id=group.programme_id,
        organisation_id=group.organisation_id,
        subject="scim_group",
        subject_id=group_id,
        data={"role": role},
    )
