"""The phase in force: what is open in it now, read beside anything that belongs to a challenge."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import and_, or_
from sqlalchemy.sql import ColumnElement

from app.lib import clock
from app.models import Phase
from app.models.base import table

PHASE = table(Phase)

OPENINGS = ("posting", "commenting", "supporting")
"""What a phase may open."""

COLUMNS = ("kind", "starts_at", "ends_at", *OPENINGS, "tallies")


@dataclass(frozen=True, slots=True)
class PhaseView:
    """A phase, and what is open in it."""

    kind: str
    starts_at: datetime
    ends_at: datetime | None
    posting: bool
    commenting: bool
    supporting: bool
    tallies: bool


NO_PHASE = PhaseView(
    kind="framing",
    starts_at=datetime.min.replace(tzinfo=UTC),
    ends_at=None,
    posting=False,
    commenting=False,
    supporting=False,
    tallies=True,
)
"""What holds before the first phase and after the last one: nothing is open."""


def selected() -> tuple[ColumnElement[Any], ...]:
    """The columns of a phase, for a statement that joins it."""
    return tuple(PHASE.c[name] for name in COLUMNS)


def in_force(challenge_id: ColumnElement[Any], at: Any = None) -> ColumnElement[bool]:
    """The condition that a phase of this challenge is the one in force now, or `at` an instant."""
    now = clock.now() if at is None else at
    return and_(
        PHASE.c.challenge_id == challenge_id,
        PHASE.c.starts_at <= now,
        or_(PHASE.c.ends_at.is_(None), PHASE.c.ends_at > now),
    )


def from_row(row: Any) -> PhaseView:
    """The phase of a row that carries `COLUMNS`; `NO_PHASE` where there is none."""
    if row is None or row.kind is None:
        return NO_PHASE
    return PhaseView(*(getattr(row, name) for name in COLUMNS))


def as_of_now(phase: PhaseView) -> PhaseView:
    """The phase as it is now: after its end nothing is open in it, and its tallies show."""
    if phase.ends_at is None or phase.ends_at > clock.now():
        return phase
    return PhaseView(
        phase.kind,
        phase.starts_at,
        phase.ends_at,
        posting=False,
        commenting=False,
        supporting=False,
        tallies=True,
    )
