"""Groups of an organisation's directory: kept with their members, and what each is here, if a coordinator said so."""

from collections.abc import Sequence
from typing import Any, Final, cast

from scim2_models import InvalidValueException, Resource, UniquenessException
from sqlalchemy import ColumnElement, and_, case, func, literal, or_, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from app.database import Transaction
from app.errors import FieldError, Invalid, Moved, NotFound
from app.integrations.scim import Group, Member
from app.lib.i18n import N_
from app.models import Assignment, Organisation, Programme, ScimGroup, ScimMember, ScimUser
from app.models.base import table
from app.models.membership import ASSIGNABLE
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import may, require
from app.schemas import text
from app.services import audit, directory_roles
from app.services.directory_places import Directory
from app.services.scim_filters import Column
from app.services.scim_users import meta

ASSIGNMENT = table(Assignment)
GROUP = table(ScimGroup)
MEMBER = table(ScimMember)
ORGANISATION = table(Organisation)
PROGRAMME = table(Programme)
USER = table(ScimUser)

UNSEEN: Final = N_("There is no such group, or it is not open to you.")

COLUMNS: Final = {
    "id": Column(GROUP.c.id, "id"),
    "externalid": Column(GROUP.c.external_id, "exact"),
    "displayname": Column(GROUP.c.display_name),
    "meta.created": Column(GROUP.c.created_at, "instant"),
    "meta.lastmodified": Column(GROUP.c.updated_at, "instant"),
}
"""What can be searched and sorted by."""


def listed(
    connection: Connection,
    directory: Directory,
    condition: ColumnElement[bool],
    order: Sequence[ColumnElement[Any]],
    *,
    first: int,
    limit: int,
) -> tuple[int, list[Resource[Any]]]:
    """How many of a directory's groups fit, and those of a page of them. Three statements."""
    fitting = and_(GROUP.c.organisation_id == directory.organisation_id, condition)
    total = connection.execute(select(func.count()).select_from(GROUP).where(fitting)).scalar_one()
    rows = connection.execute(select(GROUP).where(fitting).order_by(*order).offset(first).limit(limit)).all()
    members = _members(connection, [row.id for row in rows])
    return int(total), [_resource(row, members.get(row.id, [])) for row in rows]


def found(connection: Connection, directory: Directory, id: int) -> Resource[Any] | None:
    """One of a directory's groups, or None."""
    row = connection.execute(select(GROUP).where(_is_it(directory, id))).first()
    return None if row is None else _resource(row, _members(connection, [row.id]).get(row.id, []))


def create(tx: Transaction, directory: Directory, group: Group) -> int:
    """Keep a group of a directory; its id. It is nothing here until a coordinator says what.

    :raises UniquenessException: another group has its name
    :raises InvalidValueException: a value cannot be kept, or a member is nobody of whom the directory told
    """
    values = _values(group) | {
        "programme_id": directory.programme_id,
        "organisation_id": directory.organisation_id,
        "created_at": tx.now,
        "updated_at": tx.now,
        "version": 1,
    }
    id = _written(tx, GROUP.insert().values(**values).returning(GROUP.c.id))
    _set_members(tx, directory, id, group)
    _note(tx, "scim.group_created", directory, id)
    return id


def change(tx: Transaction, directory: Directory, id: int, group: Group) -> None:
    """Keep what a directory now tells of a group; its members' roles follow at once.

    :raises UniquenessException: another group has its name
    :raises InvalidValueException: a value cannot be kept, or a member is nobody of whom the directory told
    """
    changed = {"updated_at": tx.now, "version": GROUP.c.version + 1}
    renamed = update(GROUP).where(_is_it(directory, id)).values(**_values(group), **changed)
    _written(tx, renamed.returning(GROUP.c.id))
    _set_members(tx, directory, id, group)
    directory_roles.settle(tx, directory.programme_id, directory.organisation_id)
    _note(tx, "scim.group_changed", directory, id)


def remove(tx: Transaction, directory: Directory, id: int) -> None:
    """Forget a group; the roles that it gave end."""
    tx.execute(MEMBER.delete().where(MEMBER.c.group_id == id))
    directory_roles.settle(tx, directory.programme_id, directory.organisation_id)
    tx.execute(update(ASSIGNMENT).where(ASSIGNMENT.c.scim_group_id == id).values(scim_group_id=None))
    tx.execute(GROUP.delete().where(_is_it(directory, id)))
    _note(tx, "scim.group_removed", directory, id)


# for those who answer for a programme or an organisation


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


def _is_it(directory: Directory, id: int) -> ColumnElement[bool]:
    return and_(GROUP.c.id == id, GROUP.c.organisation_id == directory.organisation_id)


def _values(group: Group) -> dict[str, Any]:
    name, wrong = text.line("displayName", group.display_name or "", most=160)
    external_id, more = text.line("externalId", group.external_id or "", most=255, least=0)
    if wrong or more:
        told = (wrong + more)[0]
        raise InvalidValueException(detail=f"{told.field}: {told.message % dict(told.values)}")
    return {"display_name": name, "external_id": external_id or None}


def _written(tx: Transaction, statement: Any) -> int:
    """Write a row; its id."""
    try:
        with tx.connection.begin_nested():
            return int(tx.execute(statement).scalar_one())
    except IntegrityError:
        raise UniquenessException(detail="Another group has this displayName") from None


def _set_members(tx: Transaction, directory: Directory, id: int, group: Group) -> None:
    """Let the members be those that are named; only those of whom this very directory told can be."""
    wanted = {_number(member) for member in group.members or ()}
    theirs = select(USER.c.id).where(
        USER.c.organisation_id == directory.organisation_id, USER.c.id.in_(wanted)
    )
    known = set(tx.execute(theirs).scalars())
    if known != wanted:
        raise InvalidValueException(detail="members: someone named there is no user of this directory")
    before = set(tx.execute(select(MEMBER.c.user_id).where(MEMBER.c.group_id == id)).scalars())
    gone = before - wanted
    if gone:
        tx.execute(MEMBER.delete().where(MEMBER.c.group_id == id, MEMBER.c.user_id.in_(gone)))
    new = [
        {"programme_id": directory.programme_id, "group_id": id, "user_id": user_id}
        for user_id in sorted(wanted - before)
    ]
    if new:
        tx.execute(MEMBER.insert(), new)


def _number(member: Member) -> int:
    value = member.value or ""
    if not (value.isascii() and value.isdecimal() and len(value) <= 15):
        raise InvalidValueException(detail="members: someone named there is no user of this directory")
    return int(value)


def _members(connection: Connection, group_ids: Sequence[int]) -> dict[int, list[Any]]:
    rows = connection.execute(
        select(MEMBER.c.group_id, MEMBER.c.user_id.label("id"))
        .where(MEMBER.c.group_id.in_(group_ids))
        .order_by(MEMBER.c.user_id)
    )
    by_group: dict[int, list[Any]] = {}
    for row in rows:
        by_group.setdefault(row.group_id, []).append(row)
    return by_group


def _resource(row: Any, members: Sequence[Any]) -> Group:
    listed = [Member(value=str(each.id), ref=cast("Any", f"Users/{each.id}")) for each in members]
    return Group(
        id=str(row.id),
        external_id=row.external_id,
        display_name=row.display_name,
        members=listed or None,
        meta=meta(row, "Group"),
    )


def _note(tx: Transaction, action: str, directory: Directory, id: int) -> None:
    audit.write_down(
        tx,
        action,
        directory.actor,
        programme_id=directory.programme_id,
        organisation_id=directory.organisation_id,
        subject="scim_group",
        subject_id=id,
    )
