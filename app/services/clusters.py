"""Clusters: the columns of a board."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Row, func, insert, select
from sqlalchemy.engine import Connection

from app.database import Transaction
from app.errors import Conflict, Invalid, Moved, NotFound
from app.lib import versions
from app.lib.i18n import N_
from app.models import Cluster, Idea
from app.models.base import table
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import may, require
from app.schemas import text
from app.services import challenges
from app.services.events import record

CLUSTER = table(Cluster)
IDEA = table(Idea)

MOST = 24
"""Columns that one board may have."""


def find(connection: Connection, actor: Actor, cluster_id: int) -> Row[Any]:
    """One column (the table's columns), through its challenge's viewer.

    :raises NotFound: there is none, or the actor may not see its board
    """
    row = connection.execute(select(CLUSTER).where(CLUSTER.c.id == cluster_id)).first()
    if row is None or not may(actor, Permission.READ_CHALLENGE, row):
        raise NotFound(N_("There is no such cluster, or it is not open to you."))
    return row


def among(connection: Connection, actor: Actor, cluster_ids: Collection[int]) -> list[Row[Any]]:
    """Those of these columns that the actor may see, by id. One statement."""
    rows = connection.execute(select(CLUSTER).where(CLUSTER.c.id.in_(cluster_ids)).order_by(CLUSTER.c.id))
    return [row for row in rows if may(actor, Permission.READ_CHALLENGE, row)]


def version_of(cluster: Any) -> int:
    """A column counts no versions; what can change of it stands for one."""
    return versions.standing_for(f"{cluster.position} {cluster.title}")


def create(tx: Transaction, actor: Actor, challenge_id: int, *, title: str) -> int:
    """Add a column at the end of the board; its id.

    :raises NotAllowed: the actor does not arrange this board
    :raises Conflict: there are `MOST` already
    :raises Invalid: the title is empty or longer than 80 characters
    """
    challenge = challenges.find(tx.connection, actor, challenge_id)
    require(actor, Permission.ARRANGE_CLUSTERS, challenge)
    title = _checked(title)
    held = tx.execute(
        select(
            func.count().label("columns"), func.coalesce(func.max(CLUSTER.c.position), 0).label("last")
        ).where(CLUSTER.c.challenge_id == challenge_id)
    ).one()
    if held.columns >= MOST:
        raise Conflict(N_("A board has at most %(most)s clusters; please remove one first."), most=MOST)
    cluster_id = tx.execute(
        insert(CLUSTER)
        .values(
            programme_id=challenge.programme_id,
            challenge_id=challenge_id,
            title=title,
            language=actor.language or challenge.language,
            position=held.last + 1,
        )
        .returning(CLUSTER.c.id)
    ).scalar_one()
    _record(tx, "cluster.created", actor, challenge, cluster_id)
    return int(cluster_id)


def rename(tx: Transaction, actor: Actor, cluster_id: int, *, title: str, version: int | None = None) -> int:
    """Give a column another title; its challenge's id.

    :raises NotAllowed: the actor does not arrange this board
    :raises Moved: `version` is given, and the column has changed since
    :raises Invalid: the title is empty or longer than 80 characters
    """
    challenge = _held(tx, actor, cluster_id, version)
    tx.execute(CLUSTER.update().where(CLUSTER.c.id == cluster_id).values(title=_checked(title)))
    _record(tx, "cluster.renamed", actor, challenge, cluster_id)
    return int(challenge.id)


def remove(tx: Transaction, actor: Actor, cluster_id: int, *, version: int | None = None) -> int:
    """Take a column away; its cards stay on the board, in no cluster. Its challenge's id.

    :raises NotAllowed: the actor does not arrange this board
    :raises Moved: `version` is given, and the column has changed since
    """
    challenge = _held(tx, actor, cluster_id, version)
    tx.execute(
        IDEA.update()
        .where(IDEA.c.cluster_id == cluster_id)
        .values(cluster_id=None, version=IDEA.c.version + 1, updated_at=tx.now)
    )
    tx.execute(CLUSTER.delete().where(CLUSTER.c.id == cluster_id))
    _record(tx, "cluster.removed", actor, challenge, cluster_id)
    return int(challenge.id)


def _held(tx: Transaction, actor: Actor, cluster_id: int, version: int | None) -> Any:
    """The challenge of a column that nobody else changes, and into which no idea comes, until the commit."""
    tx.execute(select(CLUSTER.c.id).where(CLUSTER.c.id == cluster_id).with_for_update())
    cluster = find(tx.connection, actor, cluster_id)
    challenge = challenges.find(tx.connection, actor, cluster.challenge_id)
    require(actor, Permission.ARRANGE_CLUSTERS, challenge)
    if version is not None and version != version_of(cluster):
        message = N_("This has changed in the meantime. Please read it again.")
        raise Moved(message, current=version_of(cluster))
    return challenge


def _checked(title: str) -> str:
    title, errors = text.line("title", title, most=80)
    if errors:
        raise Invalid(*errors)
    return title


def _record(tx: Transaction, type: str, actor: Actor, challenge: Any, cluster_id: int) -> None:
    record(
        tx, type, actor, programme_id=challenge.programme_id, challenge_id=challenge.id, subject_id=cluster_id
    )
