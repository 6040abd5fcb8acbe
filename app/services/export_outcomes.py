"""Results of ballots, and stays in aggregate, as rows."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import extract, func, select
from sqlalchemy.engine import Connection

from app.lib import tables
from app.models import Ballot, BallotResult, Booking, Challenge, Organisation, Placement, Sector
from app.models.base import table
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import may
from app.services.export_pages import Page, Row, Wanted, said
from app.services.ledger import COUNTED

BALLOT = table(Ballot)
BALLOT_RESULT = table(BallotResult)
BOOKING = table(Booking)
CHALLENGE = table(Challenge)
ORGANISATION = table(Organisation)
PLACEMENT = table(Placement)
SECTOR = table(Sector)

RESULTS: Final = (
    "ballot",
    "url",
    "challenge",
    "ballot_title",
    "method",
    "rule",
    "mode",
    "closed_at",
    "counted_at",
    "place",
    "solution",
    "title",
    "cost",
    "chosen",
    "enough_support",
    "measure",
    "percent",
    "score",
    "yes",
    "votes",
)
"""Beside these, `yes_` and `votes_` with the key of each sector."""

EXCHANGES: Final = ("month", "home", "home_sector", "host", "host_sector", "stays")

BALLOTS_AT_ONCE: Final = 20
"""A result carries its rounds, which may be long."""


def result_rows(connection: Connection, actor: Actor, wanted: Wanted, after: int) -> Page:
    """A page of counted ballots: a row for each solution, as it was called when counted. One statement."""
    found = counted(connection, wanted, after)
    rows = (
        row
        for ballot in found
        if may(actor, Permission.READ_BALLOT, ballot)
        for row in _of_ballot(ballot, wanted)
    )
    return Page(list(rows), found[-1].id if len(found) == BALLOTS_AT_ONCE else None)


def counted(connection: Connection, wanted: Wanted, after: int) -> list[Any]:
    """The next counted ballots with `result` and `head`, `BALLOTS_AT_ONCE` at the most."""
    chosen = select(
        BALLOT.c.id,
        BALLOT.c.programme_id,
        BALLOT.c.challenge_id,
        BALLOT.c.title,
        BALLOT.c.language,
        BALLOT.c.method,
        BALLOT.c.rule,
        BALLOT.c.mode,
        BALLOT.c.closes_at,
        BALLOT.c.counted_at,
        BALLOT_RESULT.c.result,
        BALLOT_RESULT.c.head,
    ).join(BALLOT_RESULT, BALLOT_RESULT.c.ballot_id == BALLOT.c.id)
    chosen = chosen.join(CHALLENGE, CHALLENGE.c.id == BALLOT.c.challenge_id).where(
        BALLOT.c.programme_id == wanted.programme.id,
        BALLOT.c.id > after,
        BALLOT.c.counted_at.is_not(None),
        CHALLENGE.c.deleted_at.is_(None),
    )
    if wanted.challenge_id is not None:
        chosen = chosen.where(BALLOT.c.challenge_id == wanted.challenge_id)
    return list(connection.execute(chosen.order_by(BALLOT.c.id).limit(BALLOTS_AT_ONCE)))


def support(standing: Mapping[str, Any]) -> dict[str, tuple[int, int]]:
    """How many of a sector's votes a solution has, and of how many, by the sector's key ("": nobody asked whose)."""
    return {one["sector"] or "": (one["yes"], one["votes"]) for one in standing["support"]}


def _of_ballot(ballot: Any, wanted: Wanted) -> Iterator[Row]:
    options = {option["key"]: option for option in ballot.head["options"]}
    for place, standing in enumerate(ballot.result["standings"], start=1):
        option, by_sector = options[standing["key"]], support(standing)
        yield (
            ballot.id,
            f"{wanted.base_url}/ballots/{ballot.id}/result",
            ballot.challenge_id,
            ballot.title,
            ballot.method,
            ballot.rule,
            ballot.mode,
            said(ballot.closes_at),
            said(ballot.counted_at),
            place,
            int(standing["key"]),
            option["title"],
            option["cost"],
            standing["winner"],
            standing["passed"],
            tables.exact(standing["measure"]),
            standing["percent"],
            None if standing["score"] is None else tables.exact(standing["score"]),
            *(sum(each[side] for each in by_sector.values()) for side in (0, 1)),
            *(each for _, key in wanted.sectors for each in by_sector.get(key, (None, None))),
        )


@dataclass(frozen=True, slots=True)
class Stays:
    """How many stays began in a month (its first day), from one organisation to another."""

    month: date
    home_id: int
    host_id: int
    number: int


def exchange_rows(connection: Connection, actor: Actor, wanted: Wanted, after: int) -> Page:  # noqa: ARG001 -- one page
    """All stays by month, home and host. Two statements.

    Who does not coordinate is told no months, only what the ledger tells everyone: how many went from home to host in
    all. Months of two organisations, beside the months of open data, would stand crosswise and tell the small ones.
    """
    found = stays(connection, wanted.programme.id)
    named = _organisations(connection, found)
    told: list[tuple[str | None, int, int, int]] = [
        (f"{one.month:%Y-%m}", one.home_id, one.host_id, one.number) for one in found
    ]
    if not may(actor, Permission.RUN_EXCHANGES, wanted.programme):
        told = [(None, *pair, number) for pair, number in sorted(_by_pair(found).items())]
    rows = [(month, *named[home_id], *named[host_id], number) for month, home_id, host_id, number in told]
    return Page(rows, None)


def stays(connection: Connection, programme_id: int) -> list[Stays]:
    """The stays of a programme that are settled or over, by month, home and host. One statement."""
    year, month = extract("year", BOOKING.c.first_day), extract("month", BOOKING.c.first_day)
    rows = connection.execute(
        select(year, month, BOOKING.c.organisation_id, PLACEMENT.c.organisation_id, func.count())
        .join(PLACEMENT, PLACEMENT.c.id == BOOKING.c.placement_id)
        .where(BOOKING.c.programme_id == programme_id, BOOKING.c.state.in_(COUNTED))
        .group_by(year, month, BOOKING.c.organisation_id, PLACEMENT.c.organisation_id)
        .order_by(year, month, BOOKING.c.organisation_id, PLACEMENT.c.organisation_id)
    )
    return [
        Stays(date(int(year), int(month), 1), home, host, number) for year, month, home, host, number in rows
    ]


def sectors_of(connection: Connection, found: Iterable[Stays]) -> dict[int, str]:
    """The key of the sector of each organisation that stays name. One statement."""
    return {id: sector for id, (_, sector) in _organisations(connection, found).items()}


def _by_pair(found: Iterable[Stays]) -> Counter[tuple[int, int]]:
    pairs: Counter[tuple[int, int]] = Counter()
    for one in found:
        pairs[one.home_id, one.host_id] += one.number
    return pairs


def _organisations(connection: Connection, found: Iterable[Stays]) -> dict[int, tuple[str, str]]:
    ids = {id for one in found for id in (one.home_id, one.host_id)}
    rows = connection.execute(
        select(ORGANISATION.c.id, ORGANISATION.c.name, SECTOR.c.key)
        .join(SECTOR, SECTOR.c.id == ORGANISATION.c.sector_id)
        .where(ORGANISATION.c.id.in_(sorted(ids)))
    )
    return {id: (name, sector) for id, name, sector in rows}
