"""The files of open data: no person, no name, no text of an idea or a comment, and no small number.

What is in them, and why no more, is told in `docs/decisions/open-data.md`. Everything here reads what it names and
nothing else, so that a new column of any table is not in the files until somebody writes it here.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from app.lib import clock, tables
from app.methods.small_cells import LEAST, withheld
from app.models import Challenge, Comment, Idea, Phase, Sector, Solution
from app.models.base import table
from app.models.idea import OPEN
from app.services import export_outcomes, phases
from app.services.export_outcomes import BALLOTS_AT_ONCE
from app.services.export_pages import Row, Wanted
from app.services.programmes import ProgrammeView

CHALLENGE = table(Challenge)
COMMENT = table(Comment)
IDEA = table(Idea)
PHASE = table(Phase)
SECTOR = table(Sector)
SOLUTION = table(Solution)

FORMS: Final = ("csv", "jsonl")
ALL: Final = "all"
"""In place of a sector: every sector together."""

_ADDRESS: Final = re.compile(r"[^\s@<>()\[\],;:\"]+@[^\s@<>()\[\],;:\"]+")
_NO_ADDRESS: Final = "…@…"


@dataclass(frozen=True, slots=True)
class Source:
    """What the files are made of. `texts`: long texts are wanted too; `ballots` are those that are counted."""

    connection: Connection
    wanted: Wanted
    texts: bool
    ballots: Sequence[Any]

    @property
    def programme_id(self) -> int:
        """The programme."""
        return self.wanted.programme.id


@dataclass(frozen=True, slots=True)
class Table:
    """A table of open data: what its columns are called, and how its rows come."""

    columns: tuple[str, ...]
    rows: Callable[[Source], Iterator[Row]]


@dataclass(frozen=True, slots=True)
class File:
    """A file by its name (`ideas.csv`), with how many rows it holds."""

    name: str
    content: bytes
    rows: int

    @property
    def digest(self) -> str:
        """What is the same as long as the content is."""
        return hashlib.sha256(self.content).hexdigest()


def make(connection: Connection, programme: ProgrammeView, base_url: str, *, texts: bool) -> list[File]:
    """Every file anew. A constant number of statements, and one more for each `BALLOTS_AT_ONCE` ballots."""
    sectors = connection.execute(
        select(SECTOR.c.id, SECTOR.c.key)
        .where(SECTOR.c.programme_id == programme.id)
        .order_by(SECTOR.c.position, SECTOR.c.id)
    )
    wanted = Wanted(programme, None, tuple((id, key) for id, key in sectors), base_url)
    source = Source(connection, wanted, texts, list(_counted(connection, wanted)))
    return [
        file
        for name, of in TABLES.items()
        for file in _files(name, (*of.columns, *_by_sector_too(name, wanted)), list(of.rows(source)))
    ]


def _by_sector_too(name: str, wanted: Wanted) -> Iterator[str]:
    if name == "results":
        yield from (f"{number}_{key}" for _, key in wanted.sectors for number in ("yes", "votes"))


def _files(name: str, columns: Sequence[str], rows: Sequence[Row]) -> Iterator[File]:
    yield File(f"{name}.csv", tables.file([columns, *rows]).encode(), len(rows))
    yield File(f"{name}.jsonl", tables.as_json_lines(columns, rows), len(rows))


def _counted(connection: Connection, wanted: Wanted) -> Iterator[Any]:
    after = 0
    while found := export_outcomes.counted(connection, wanted, after):
        yield from found
        after = found[-1].id
        if len(found) < BALLOTS_AT_ONCE:
            return


# what is in each


def _challenges(source: Source) -> Iterator[Row]:
    """The questions: what passers-by read of them on the programme's page, and if texts are wanted their briefs."""
    rows = source.connection.execute(
        select(
            CHALLENGE.c.id,
            CHALLENGE.c.title,
            CHALLENGE.c.summary,
            CHALLENGE.c.brief,
            CHALLENGE.c.language,
            CHALLENGE.c.created_at,
            *phases.selected(),
        )
        .select_from(CHALLENGE)
        .outerjoin(PHASE, phases.in_force(CHALLENGE.c.id))
        .where(CHALLENGE.c.programme_id == source.programme_id, CHALLENGE.c.deleted_at.is_(None))
        .order_by(CHALLENGE.c.id)
    )
    for row in rows:
        yield (
            row.id,
            _without_addresses(row.title),
            _without_addresses(row.summary),
            _without_addresses(row.brief) if source.texts else None,
            row.language,
            row.kind,
            row.created_at.date().isoformat(),
        )


def _ideas(source: Source) -> Iterator[Row]:
    """How many ideas and comments there are, for each challenge by sector and in all; small numbers left out."""
    ideas = _by_sector(
        source, select(IDEA.c.challenge_id, IDEA.c.sector_id, func.count()).where(IDEA.c.state == OPEN), IDEA
    )
    comments = _by_sector(
        source,
        select(COMMENT.c.challenge_id, COMMENT.c.sector_id, func.count())
        .join(IDEA, IDEA.c.id == COMMENT.c.idea_id)
        .where(COMMENT.c.withdrawn_at.is_(None), COMMENT.c.hidden_at.is_(None), IDEA.c.state == OPEN),
        COMMENT,
    )
    nothing = {key: 0 for _, key in source.wanted.sectors} | {ALL: 0}
    for challenge_id in sorted(ideas.keys() | comments.keys()):
        for key in nothing:
            counts = (of.get(challenge_id, nothing)[key] for of in (ideas, comments))
            yield (challenge_id, key, *counts)


def _by_sector(source: Source, counts: Any, of: Any) -> dict[int, dict[str, int | None]]:
    """By challenge, how many there are of each sector and in all; None where it must not be told."""
    rows = source.connection.execute(
        counts.join(CHALLENGE, CHALLENGE.c.id == of.c.challenge_id)
        .where(of.c.programme_id == source.programme_id, CHALLENGE.c.deleted_at.is_(None))
        .group_by(of.c.challenge_id, of.c.sector_id)
    )
    found: dict[int, dict[str, int]] = {}
    keys = dict(source.wanted.sectors)
    for challenge_id, sector_id, number in rows:
        known = found.setdefault(challenge_id, dict.fromkeys(keys.values(), 0))
        known[keys[sector_id]] = number
    return {challenge_id: _told(cells) for challenge_id, cells in found.items()}


def _told(cells: Mapping[str, int]) -> dict[str, int | None]:
    hidden = withheld(cells)
    told: dict[str, int | None] = {key: None if key in hidden.cells else cells[key] for key in cells}
    return told | {ALL: None if hidden.total else sum(cells.values())}


def _solutions(source: Source) -> Iterator[Row]:
    """What was decided on, as it was called then; who carries it and what it links to is left out."""
    options = {
        int(option["key"]): (ballot, option) for ballot in source.ballots for option in ballot.head["options"]
    }
    texts = source.connection.execute(
        select(SOLUTION.c.id, SOLUTION.c.summary, SOLUTION.c.language).where(
            SOLUTION.c.programme_id == source.programme_id, SOLUTION.c.withdrawn_at.is_(None)
        )
    )
    known = {row.id: row for row in texts if row.id in options}
    for id, row in sorted(known.items()):
        ballot, option = options[id]
        yield (
            id,
            ballot.challenge_id,
            _without_addresses(option["title"]),
            _without_addresses(row.summary) if source.texts else None,
            row.language,
            option["cost"],
        )


def _results(source: Source) -> Iterator[Row]:
    """A row for each solution of each counted ballot. Where a number is small, that ballot's are told of no sector.

    Nor is any solution's total told where one must not be: where each voter marks one, the others would tell it.
    """
    for ballot in source.ballots:
        titles = {option["key"]: option["title"] for option in ballot.head["options"]}
        standings = ballot.result["standings"]
        told = [_support(export_outcomes.support(standing)) for standing in standings]
        is_open = not any(each.is_hidden for each in told)
        is_total_open = not any(each.all == (None, None) for each in told)
        for place, (standing, numbers) in enumerate(zip(standings, told, strict=True), start=1):
            yield (
                ballot.id,
                ballot.challenge_id,
                _without_addresses(ballot.title),
                ballot.language,
                ballot.method,
                ballot.rule,
                ballot.closes_at.date().isoformat(),
                place,
                int(standing["key"]),
                _without_addresses(titles[standing["key"]]),
                standing["winner"],
                standing["passed"],
                standing["percent"] if is_open else None,
                *(numbers.all if is_total_open else (None, None)),
                *(
                    number
                    for _, key in source.wanted.sectors
                    for number in (numbers.sectors.get(key, (None, None)) if is_open else (None, None))
                ),
            )


@dataclass(frozen=True, slots=True)
class _Told:
    """A solution's support: yes and votes in all, and of each sector; `is_hidden`: some of it is too small to tell."""

    all: tuple[int | None, int | None]
    sectors: Mapping[str, tuple[int | None, int | None]]
    is_hidden: bool


def _support(given: Mapping[str, tuple[int, int]]) -> _Told:
    """What of a solution's support may be told: neither those who are for it nor those who are not may be few."""
    yes = {sector: for_it for sector, (for_it, _) in given.items()}
    no = {sector: votes - for_it for sector, (for_it, votes) in given.items()}
    few = any(_is_small(number) for side in (yes, no) for number in side.values())
    in_all = sum(yes.values()), sum(no.values())
    is_total_hidden = any(withheld(side).total for side in (yes, no)) or any(map(_is_small, in_all))
    told = (None, None) if is_total_hidden else (in_all[0], sum(in_all))
    return _Told(told, given, few or is_total_hidden)


def _is_small(number: int) -> bool:
    return 0 < number < LEAST


def _exchanges(source: Source) -> Iterator[Row]:
    """How many stays began in each month that is over, by direction between sectors, and in all."""
    found = export_outcomes.stays(source.connection, source.programme_id)
    sectors = export_outcomes.sectors_of(source.connection, found)
    this_month = clock.now().date().replace(day=1)
    months: dict[date, dict[tuple[str, str], int]] = {}
    for one in found:
        if one.month < this_month:
            direction = (sectors[one.home_id], sectors[one.host_id])
            of_month = months.setdefault(one.month, {})
            of_month[direction] = of_month.get(direction, 0) + one.number
    hidden = {month: withheld(cells) for month, cells in months.items()}
    totals = {month: sum(cells.values()) for month, cells in months.items()}
    top = withheld(totals, also=[month for month, each in hidden.items() if each.total])
    for month, cells in sorted(months.items()):
        for direction, number in sorted(cells.items()):
            is_told = month not in top.cells and direction not in hidden[month].cells
            yield (f"{month:%Y-%m}", *direction, number if is_told else None)
        yield (f"{month:%Y-%m}", ALL, ALL, None if month in top.cells else totals[month])
    if totals:
        yield (ALL, ALL, ALL, None if top.total else sum(totals.values()))


def _without_addresses(text: str) -> str:
    """A text without the mail addresses that are in it."""
    return _ADDRESS.sub(_NO_ADDRESS, text)


TABLES: Final[Mapping[str, Table]] = {
    "challenges": Table(("id", "title", "summary", "brief", "language", "phase", "created_on"), _challenges),
    "ideas": Table(("challenge", "sector", "ideas", "comments"), _ideas),
    "solutions": Table(("id", "challenge", "title", "summary", "language", "cost"), _solutions),
    "results": Table(
        (
            "ballot",
            "challenge",
            "ballot_title",
            "language",
            "method",
            "rule",
            "closed_on",
            "place",
            "solution",
            "title",
            "chosen",
            "enough_support",
            "percent",
            "yes",
            "votes",
        ),
        _results,
    ),
    "exchanges": Table(("month", "home_sector", "host_sector", "stays"), _exchanges),
}
"""Every table of open data, by name. That of results has a `yes_` and a `votes_` for each sector besides."""
