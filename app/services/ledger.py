"""The ledger: for each organisation how many went and came; organisations, never people."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from app.methods.booking_machine import COMPLETED, CONFIRMED, REFLECTED, UNDER_WAY
from app.models import Booking, Organisation, Placement, Sector
from app.models.base import table
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import require
from app.services.programmes import SectorRef

BOOKING = table(Booking)
PLACEMENT = table(Placement)
ORGANISATION = table(Organisation)
SECTOR = table(Sector)

COUNTED: Final = (CONFIRMED, UNDER_WAY, COMPLETED, REFLECTED)
"""Stays that are settled, or have been."""


@dataclass(frozen=True, slots=True)
class Account:
    """An organisation with how many of its people went, and how many guests came to it."""

    id: int
    name: str
    sector: SectorRef
    went: int
    came: int


@dataclass(frozen=True, slots=True)
class Flow:
    """How many went from one organisation to another."""

    home_id: int
    host_id: int
    stays: int


@dataclass(frozen=True, slots=True)
class Direction:
    """How many went from one sector to another."""

    home: SectorRef
    host: SectorRef
    stays: int


@dataclass(frozen=True, slots=True)
class Ledger:
    """What a programme's exchanges come to. `accounts` are those of organisations with stays, by sector and name."""

    accounts: tuple[Account, ...]
    flows: tuple[Flow, ...]
    directions: tuple[Direction, ...]

    @property
    def stays(self) -> int:
        """All of them."""
        return sum(flow.stays for flow in self.flows)

    def between(self, home_id: int, host_id: int) -> int:
        """How many went from one organisation to another."""
        return sum(flow.stays for flow in self.flows if (flow.home_id, flow.host_id) == (home_id, host_id))


def of(connection: Connection, actor: Actor, programme: Any) -> Ledger:
    """The ledger of a programme. Two statements, whatever its size."""
    require(actor, Permission.READ_EXCHANGES, programme)
    rows = connection.execute(
        select(BOOKING.c.organisation_id, PLACEMENT.c.organisation_id, func.count())
        .join(PLACEMENT, PLACEMENT.c.id == BOOKING.c.placement_id)
        .where(BOOKING.c.programme_id == programme.id, BOOKING.c.state.in_(COUNTED))
        .group_by(BOOKING.c.organisation_id, PLACEMENT.c.organisation_id)
        .order_by(BOOKING.c.organisation_id, PLACEMENT.c.organisation_id)
    )
    flows = tuple(Flow(*row) for row in rows)
    named = {each for flow in flows for each in (flow.home_id, flow.host_id)}
    known = connection.execute(
        select(ORGANISATION.c.id, ORGANISATION.c.name, SECTOR.c.key, SECTOR.c.name)
        .join(SECTOR, SECTOR.c.id == ORGANISATION.c.sector_id)
        .where(ORGANISATION.c.id.in_(sorted(named)))
        .order_by(SECTOR.c.position, ORGANISATION.c.name, ORGANISATION.c.id)
    ).all()
    sectors = {id: SectorRef(key, sector) for id, _, key, sector in known}
    accounts = tuple(
        Account(
            id,
            name,
            sectors[id],
            sum(flow.stays for flow in flows if flow.home_id == id),
            sum(flow.stays for flow in flows if flow.host_id == id),
        )
        for id, name, _, _ in known
    )
    return Ledger(accounts, flows, _directions(flows, sectors))


def _directions(flows: tuple[Flow, ...], sectors: dict[int, SectorRef]) -> tuple[Direction, ...]:
    found: dict[tuple[SectorRef, SectorRef], int] = {}
    for flow in flows:
        pair = (sectors[flow.home_id], sectors[flow.host_id])
        found[pair] = found.get(pair, 0) + flow.stays
    return tuple(Direction(home, host, stays) for (home, host), stays in found.items())
