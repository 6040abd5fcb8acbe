"""Instance administrators: who runs this installation, whatever the programme; named and withdrawn by one another."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.engine import Connection

from app.database import Transaction
from app.errors import Conflict, Moved, NotFound
from app.lib.i18n import N_
from app.models import Person
from app.models.base import table
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import require, require_fresh_in_person
from app.services import sessions
from app.services.events import record
from app.services.roles import MOVED

PERSON = table(Person)


def everyone(connection: Connection, actor: Actor) -> Sequence[Any]:
    """All instance administrators (id, name, administrator_since), the first one first."""
    require(actor, Permission.NAME_ADMINISTRATORS)
    return connection.execute(
        select(PERSON.c.id, PERSON.c.name, PERSON.c.administrator_since)
        .where(PERSON.c.administrator_since.is_not(None), PERSON.c.disabled_at.is_(None))
        .order_by(PERSON.c.administrator_since, PERSON.c.id)
    ).all()


def name(tx: Transaction, actor: Actor | None, person_id: int, *, version: int | None = None) -> None:
    """Make someone an instance administrator; `actor` is None at the command line. Idempotent.

    :raises NotFound: there is no such person
    :raises NotAllowed: the actor is none
    :raises NotFresh: it is too long since the actor signed in, or a token asks
    :raises Moved: `version` is given, and the person has changed since
    """
    person = _person(tx, actor, person_id, version)
    if person.administrator_since is None:
        _appoint(tx, actor, person, "administrator.named", tx.now)


def withdraw(tx: Transaction, actor: Actor | None, person_id: int, *, version: int | None = None) -> None:
    """Let someone be an instance administrator no longer; `actor` is None at the command line. Idempotent.

    :raises NotFound: there is no such person
    :raises NotAllowed: the actor is none
    :raises NotFresh: it is too long since the actor signed in, or a token asks
    :raises Moved: `version` is given, and the person has changed since
    :raises Conflict: nobody would be left, which only the command line may do
    """
    person = _person(tx, actor, person_id, version)
    if person.administrator_since is None:
        return
    if actor is not None:
        _keep_one(tx, person_id)
    _appoint(tx, actor, person, "administrator.withdrawn", None)


# within


def _person(tx: Transaction, actor: Actor | None, person_id: int, version: int | None) -> Any:
    if actor is not None:
        require(actor, Permission.NAME_ADMINISTRATORS)
        require_fresh_in_person(actor)
    person = tx.execute(
        select(PERSON.c.id, PERSON.c.version, PERSON.c.administrator_since)
        .where(PERSON.c.id == person_id, PERSON.c.disabled_at.is_(None), PERSON.c.is_machine.is_(False))
        .with_for_update()
    ).first()
    if person is None:
        raise NotFound(N_("There is no such person."))
    if version is not None and version != person.version:
        raise Moved(MOVED, current=person.version)
    return person


def _keep_one(tx: Transaction, but: int) -> None:
    """Refuse to let the last instance administrator go; two who withdraw each other follow one another."""
    administrators = tx.execute(
        select(PERSON.c.id)
        .where(PERSON.c.administrator_since.is_not(None), PERSON.c.disabled_at.is_(None))
        .order_by(PERSON.c.id)
        .with_for_update()
    ).scalars()
    if set(administrators) <= {but}:
        raise Conflict(N_("This is the last instance administrator. Please name another first."))


def _appoint(tx: Transaction, actor: Actor | None, person: Any, type: str, since: datetime | None) -> None:
    tx.execute(
        update(PERSON)
        .where(PERSON.c.id == person.id)
        .values(administrator_since=since, version=PERSON.c.version + 1, updated_at=tx.now)
    )
    sessions.rotate_later(tx, person.id)
    record(tx, type, actor, subject_id=person.id, data={"person_id": person.id})
