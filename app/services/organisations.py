"""Organisations: the ministries, agencies and companies of a programme."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.engine import Connection

from app.models import Organisation, Sector
from app.models.base import table

ORGANISATION = table(Organisation)
SECTOR = table(Sector)


def in_programme(
    connection: Connection, programme_id: int, *, after: int = 0, limit: int = 50
) -> Sequence[Any]:
    """Organisations (id, name, number, sector key, version, dates) with ids greater than `after`, by id.

    The caller has loaded the programme through its viewer.
    """
    return connection.execute(
        select(ORGANISATION, SECTOR.c.key.label("sector"))
        .join(SECTOR, SECTOR.c.id == ORGANISATION.c.sector_id)
        .where(ORGANISATION.c.programme_id == programme_id, ORGANISATION.c.id > after)
        .order_by(ORGANISATION.c.id)
        .limit(limit)
    ).all()
