"""Groups as an organisation's directory tells of them: kept with their members, found, forgotten."""

from collections.abc import Sequence
from typing import Any, Final, cast

from scim2_models import InvalidValueException, Resource, UniquenessException
from sqlalchemy import ColumnElement, and_, func, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from app.database import Transaction
from app.integrations.scim import Group, Member
from app.models import Assignment, ScimGroup, ScimMember, ScimUser
from app.models.base import table
from app.schemas import text
from app.services import audit, directory_roles
from app.services.directory_places import Directory
from app.services.scim_filters import Column
from app.services.scim_users import meta

ASSIGNMENT = table(Assignment)
GROUP = table(ScimGroup)
MEMBER = table(ScimMember)
USER = table(ScimUser)

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
