"""People as an organisation's directory tells of them: kept, found, let go. Who signs in as whom: `directory_links`."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from scim2_models import InvalidValueException, Meta, Resource, UniquenessException
from sqlalchemy import ColumnElement, and_, func, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from app.database import Transaction
from app.integrations.scim import Email, Membership, Name, User
from app.models import ScimGroup, ScimMember, ScimUser
from app.models.base import table
from app.schemas import text
from app.services import audit, directory_places, directory_roles
from app.services.directory_places import Directory
from app.services.scim_filters import Column

GROUP = table(ScimGroup)
MEMBER = table(ScimMember)
USER = table(ScimUser)

COLUMNS: Final = {
    "id": Column(USER.c.id, "id"),
    "externalid": Column(USER.c.external_id, "exact"),
    "username": Column(USER.c.user_name),
    "name.givenname": Column(USER.c.given_name),
    "name.familyname": Column(USER.c.family_name),
    "displayname": Column(USER.c.display_name),
    "emails": Column(USER.c.email),
    "emails.value": Column(USER.c.email),
    "active": Column(USER.c.active, "flag"),
    "meta.created": Column(USER.c.created_at, "instant"),
    "meta.lastmodified": Column(USER.c.updated_at, "instant"),
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
    """How many of a directory's people fit, and those of a page of them. Three statements."""
    fitting = and_(USER.c.organisation_id == directory.organisation_id, condition)
    total = connection.execute(select(func.count()).select_from(USER).where(fitting)).scalar_one()
    rows = connection.execute(select(USER).where(fitting).order_by(*order).offset(first).limit(limit)).all()
    groups = _groups(connection, [row.id for row in rows])
    return int(total), [_resource(row, groups.get(row.id, [])) for row in rows]


def found(connection: Connection, directory: Directory, id: int) -> Resource[Any] | None:
    """One of a directory's people, or None."""
    row = connection.execute(select(USER).where(_is_it(directory, id))).first()
    return None if row is None else _resource(row, _groups(connection, [row.id]).get(row.id, []))


def create(tx: Transaction, directory: Directory, user: User) -> int:
    """Keep someone of whom a directory tells; their id.

    :raises UniquenessException: another has their userName or externalId
    :raises InvalidValueException: a value cannot be kept
    """
    values = _values(user, is_active=True)
    _require_unique(tx, directory, values)
    values |= {"programme_id": directory.programme_id, "organisation_id": directory.organisation_id}
    values |= {"created_at": tx.now, "updated_at": tx.now, "version": 1}
    if not values["active"]:
        values["deactivated_at"] = tx.now
    id = _written(tx, USER.insert().values(**values).returning(USER.c.id))
    _note(tx, "scim.user_created", directory, _row(tx, directory, id))
    return id


def change(tx: Transaction, directory: Directory, id: int, user: User) -> None:
    """Keep what a directory now tells of someone; what follows from `active` happens at once.

    :raises UniquenessException: another has their userName or externalId
    :raises InvalidValueException: a value cannot be kept
    """
    before = _row(tx, directory, id)
    values = _values(user, is_active=before.active)
    _require_unique(tx, directory, values, but=id)
    if before.active and not values["active"]:
        values["deactivated_at"] = tx.now
    if not before.active and values["active"]:
        values["deactivated_at"] = None
    changed = {"updated_at": tx.now, "version": USER.c.version + 1}
    _written(tx, update(USER).where(USER.c.id == id).values(**values, **changed).returning(USER.c.id))
    if before.active and not values["active"]:
        _leave(tx, directory, before)
    elif not before.active and values["active"]:
        _come_back(tx, directory, before)
    else:
        _note(tx, "scim.user_changed", directory, before)


def remove(tx: Transaction, directory: Directory, id: int) -> None:
    """Let someone go and forget what the directory told of them."""
    user = _row(tx, directory, id)
    if user.active:
        _leave(tx, directory, user)
    tx.execute(MEMBER.delete().where(MEMBER.c.user_id == id))
    tx.execute(USER.delete().where(USER.c.id == id))
    directory_roles.settle(tx, directory.programme_id, directory.organisation_id)
    _note(tx, "scim.user_removed", directory, user)


def _leave(tx: Transaction, directory: Directory, user: Any) -> None:
    if user.person_id is not None:
        directory_places.end(tx, directory, user.person_id)
    directory_roles.settle(tx, directory.programme_id, directory.organisation_id)
    _note(tx, "scim.user_deactivated", directory, user)


def _come_back(tx: Transaction, directory: Directory, user: Any) -> None:
    if user.person_id is not None:
        directory_places.reinstate(tx, directory, user.person_id, ended_at=user.deactivated_at)
    directory_roles.settle(tx, directory.programme_id, directory.organisation_id)
    _note(tx, "scim.user_reinstated", directory, user)


def _is_it(directory: Directory, id: int) -> ColumnElement[bool]:
    """Nobody of another organisation is ever found by their number."""
    return and_(USER.c.id == id, USER.c.organisation_id == directory.organisation_id)


def _row(tx: Transaction, directory: Directory, id: int) -> Any:
    return tx.execute(select(USER).where(_is_it(directory, id))).one()


def _require_unique(tx: Transaction, directory: Directory, values: Mapping[str, Any], but: int = 0) -> None:
    """The directory's turn is held, so that nobody takes the name meanwhile; case does not count."""
    is_other = and_(USER.c.organisation_id == directory.organisation_id, USER.c.id != but)
    same_name = func.lower(USER.c.user_name) == func.lower(values["user_name"])
    if tx.execute(select(USER.c.id).where(is_other, same_name)).first() is not None:
        raise UniquenessException(detail="Another user has this userName")
    external_id = values["external_id"]
    same_id = USER.c.external_id == external_id
    if external_id and tx.execute(select(USER.c.id).where(is_other, same_id)).first() is not None:
        raise UniquenessException(detail="Another user has this externalId")


def _written(tx: Transaction, statement: Any) -> int:
    """Write a row; its id."""
    try:
        with tx.connection.begin_nested():
            return int(tx.execute(statement).scalar_one())
    except IntegrityError:
        raise UniquenessException(detail="Another user has this userName or externalId") from None


def _values(user: User, *, is_active: bool) -> dict[str, Any]:
    """What is kept of a user: text that can be shown, one mail address, and nothing that was not declared.

    Where nothing is told of `active`, it stays `is_active`.
    """
    name = user.name or Name()
    external_id = _line("externalId", user.external_id, 255)
    return {
        "external_id": external_id or None,
        "user_name": _line("userName", user.user_name, 254, least=1),
        "given_name": _line("name.givenName", name.given_name, 120),
        "family_name": _line("name.familyName", name.family_name, 120),
        "display_name": _line("displayName", user.display_name, 120),
        "email": _line("emails.value", _email(user.emails), 254) or None,
        "active": is_active if user.active is None else user.active,
    }


def _line(attribute: str, value: str | None, most: int, least: int = 0) -> str:
    line, wrong = text.line(attribute, value or "", most=most, least=least)
    if wrong:
        detail = wrong[0].message % dict(wrong[0].values)
        raise InvalidValueException(detail=f"{attribute}: {detail}")
    return line


def _email(emails: Sequence[Email] | None) -> str | None:
    """The one that is kept: the first one, or the one that is said to come first."""
    told = [email for email in emails or () if email.value]
    first = next((email for email in told if email.primary), told[0] if told else None)
    return first.value if first else None


def _resource(row: Any, groups: Sequence[Any]) -> User:
    return User(
        id=str(row.id),
        external_id=row.external_id,
        user_name=row.user_name,
        name=Name(given_name=row.given_name or None, family_name=row.family_name or None)
        if row.given_name or row.family_name
        else None,
        display_name=row.display_name or None,
        active=row.active,
        emails=[Email(value=row.email, type=Email.Type.work, primary=True)] if row.email else None,
        groups=[Membership(value=str(each.id), display=each.display_name) for each in groups] or None,
        meta=meta(row, "User"),
    )


def meta(row: Any, kind: str) -> Meta:
    """What SCIM tells of any resource."""
    return Meta(
        resource_type=kind,
        created=row.created_at,
        last_modified=row.updated_at,
        version=f'W/"{row.version}"',
    )


def _groups(connection: Connection, user_ids: Sequence[int]) -> dict[int, list[Any]]:
    rows = connection.execute(
        select(MEMBER.c.user_id, GROUP.c.id, GROUP.c.display_name)
        .join(GROUP, GROUP.c.id == MEMBER.c.group_id)
        .where(MEMBER.c.user_id.in_(user_ids))
        .order_by(GROUP.c.id)
    )
    by_user: dict[int, list[Any]] = {}
    for row in rows:
        by_user.setdefault(row.user_id, []).append(row)
    return by_user


def _note(tx: Transaction, action: str, directory: Directory, user: Any) -> None:
    audit.write_down(
        tx,
        action,
        directory.actor,
        programme_id=user.programme_id,
        organisation_id=user.organisation_id,
        subject="scim_user",
        subject_id=user.id,
        data={"person_id": user.person_id},
    )
