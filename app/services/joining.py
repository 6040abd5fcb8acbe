"""Joining: what becomes of people who are not known in a programme, and who sees to it."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select, true, update
from sqlalchemy.engine import Connection

from app.database import Transaction
from app.errors import FieldError, Invalid, Moved, NotFound
from app.lib.i18n import N_
from app.models import Programme
from app.models.base import table
from app.models.programme import JOINING
from app.policies import reach
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import may, require
from app.services.events import record

PROGRAMME = table(Programme)


def programmes_of(connection: Connection, actor: Actor) -> Sequence[Any]:
    """The programmes (id, programme_id, slug, name, language, joining) into which the actor lets people, by id.

    All for an instance administrator; else those that they coordinate, or in which they administer an organisation.
    """
    own = {*reach.coordinated(actor), *(id for id in actor.memberships if reach.administered(actor, id))}
    return connection.execute(
        select(
            PROGRAMME.c.id,
            PROGRAMME.c.id.label("programme_id"),
            PROGRAMME.c.slug,
            PROGRAMME.c.name,
            PROGRAMME.c.language,
            PROGRAMME.c.joining,
        )
        .where(true() if actor.is_administrator else PROGRAMME.c.id.in_(sorted(own)))
        .order_by(PROGRAMME.c.id)
    ).all()


def find(connection: Connection, actor: Actor, programme_id: int) -> Any:
    """One programme (id, programme_id, slug, name, language, joining, version and dates) for those who govern it.

    :raises NotFound: there is none, or the actor may not see it
    :raises NotAllowed: they do not decide who takes part in it
    """
    row = connection.execute(
        select(PROGRAMME, PROGRAMME.c.id.label("programme_id")).where(PROGRAMME.c.id == programme_id)
    ).first()
    if row is None or not (
        may(actor, Permission.DECIDE_JOIN_REQUEST, row) or may(actor, Permission.READ_PROGRAMME, row)
    ):
        raise NotFound(N_("There is no such programme, or it is not open to you."))
    require(actor, Permission.DECIDE_JOIN_REQUEST, row)
    return row


def choose(
    tx: Transaction, actor: Actor, programme: Any, joining: str, *, version: int | None = None
) -> None:
    """Choose what becomes of someone unknown whom a provider vouches for; chosen before, nothing happens.

    :raises NotAllowed: the actor does not decide who takes part
    :raises Moved: `version` is given and no longer the newest of the programme
    :raises Invalid: there is no such choice
    """
    require(actor, Permission.DECIDE_JOIN_REQUEST, programme)
    current = tx.execute(
        select(PROGRAMME.c.version).where(PROGRAMME.c.id == programme.id).with_for_update()
    ).scalar_one()
    if version is not None and version != current:
        raise Moved(N_("Someone has changed this programme in the meantime."), current=current)
    if joining not in JOINING:
        raise Invalid(FieldError("joining", N_("Please choose one of the list.")))
    changed = tx.execute(
        update(PROGRAMME)
        .where(PROGRAMME.c.id == programme.id, PROGRAMME.c.joining != joining)
        .values(joining=joining, updated_at=tx.now, version=PROGRAMME.c.version + 1)
        .returning(PROGRAMME.c.id)
    ).first()
    if changed is not None:
        record(
            tx,
            "programme.changed",
            actor,
            programme_id=programme.id,
            subject_id=programme.id,
            data={"joining": joining},
        )
