"""What every export is made of: pages of rows, each read by itself, so that none holds the database for long."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Table, select
from sqlalchemy.engine import Connection

from app.lib import clock
from app.services.programmes import ProgrammeView

AT_ONCE: Final = 1000
"""Rows of one page: a read of some hundredths of a second."""

Cell = str | int | float | bool | None
Row = tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of a programme is wanted: all of it, or what belongs to one challenge.

    `sectors` are the programme's, id and key in its order; `base_url` is where this installation stands.
    """

    programme: ProgrammeView
    challenge_id: int | None
    sectors: tuple[tuple[int, str], ...]
    base_url: str


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows, and the id after which the next page begins; None at the end."""

    rows: Sequence[Row]
    after: int | None


def next_ids(connection: Connection, of: Table, wanted: Wanted, after: int) -> list[int]:
    """The next ids of a table's rows that belong to what is wanted, along its primary key."""
    chosen = select(of.c.id).where(of.c.programme_id == wanted.programme.id, of.c.id > after)
    if wanted.challenge_id is not None:
        # Not by the index on challenges: each page would sort all that is left of the challenge.
        chosen = chosen.where(of.c.challenge_id + 0 == wanted.challenge_id)
    return list(connection.execute(chosen.order_by(of.c.id).limit(AT_ONCE)).scalars())


def page(rows: Iterable[Row], ids: Sequence[int], most: int = 0) -> Page:
    """The page of these ids; one that does not hold `most` (or `AT_ONCE`) of them is the last."""
    return Page(list(rows), ids[-1] if len(ids) == (most or AT_ONCE) else None)


def said(instant: datetime) -> str:
    """An instant as the API says it."""
    return clock.rfc3339(instant)


@dataclass(frozen=True, slots=True)
class Subject:
    """What the policy is asked about, of a row."""

    programme_id: int
    challenge_id: int
    state: str = ""
    author_id: int = 0
    co_author_ids: tuple[int, ...] = ()
