"""Pabulib's `.pb` files: real participatory budgets, as an election.

Faliszewski and others, "Participatory Budgeting: Data, Tools, and Analysis" (2023), section 3: three sections (META,
PROJECTS, VOTES), each with a header, fields parted by semicolons and quoted as in CSV. What the files say of rules of
their own city (least and most votes, categories) is not looked at: the votes were taken under them.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import Any, Final

from app.methods.election import NONE, TOP_SCORE, Choice, Election, Option, Settings, Vote
from app.methods.interchange import Given, short, wrong
from app.methods.sector_rule import suiting

METHODS: Final[Mapping[str, tuple[str, ...]]] = {
    "approval": ("budget", "approval"),
    "choose-1": ("budget", "approval"),
    "ordinal": ("ranked", "budget", "approval"),
    "cumulative": ("points", "budget", "approval"),
    "scoring": ("score", "points", "budget", "approval"),
}
"""By `vote_type`, the methods that can count such votes; the first is taken unless another is asked for."""

SECTIONS: Final = ("meta", "projects", "votes")
MOST_CELLS: Final = 10**8
"""Votes times options; beyond that the numbers would not fit into a usual machine's memory."""


def read(text: str, *, method: str = "", rule: str = "one_person", seats: int = 1) -> Given:
    """The election that the text of a `.pb` file holds.

    `method`: one of those in `METHODS` for the file's votes (empty: the first of them). For approval and budget, a
    project that got a point or a rank is approved; one that is approved twice is so once. `seats`: how many win where
    the method is not the budget. A column `sector` of the votes is each voter's sector; without it all are of one,
    called ``. Nothing has to pass a bar. Ties go to the cheaper project, then to the one that more votes name, then as
    the file has them. Money with decimals is counted in the smallest unit that the file uses.

    :raises Invalid: it is cut off or ill-formed, or does not fit the method or rule; names the line or the field
    """
    table = _sections(text)
    kind = _needed(table.meta, "vote_type").lower()
    method = _method(kind, method)
    if rule not in suiting(method):
        raise wrong("rule", f"For {method} choose one of these: {', '.join(suiting(method))}.")
    costs, budget, unit = _money(table)
    _check_size(table, costs)
    marks = [(line, row.get("sector", ""), _marks(row, line, kind, costs)) for line, row in table.votes]
    make = _CHOICES[method]
    votes = [Vote(sector, make(given, line) if given else {NONE: True}) for line, sector, given in marks]
    if not 1 <= seats <= len(costs):
        raise wrong("seats", f"Choose a number of winners from 1 to {len(costs)}, the number of projects.")
    settings = Settings(
        method=method,
        rule=rule,
        seats=seats,
        points=max((sum(given.values()) for _, _, given in marks), default=0) if method == "points" else 0,
        budget=budget,
        threshold=0,
        tie_order=_tie_order(costs, Counter(key for _, _, given in marks for key in given)),
        secret=False,
    )
    options = tuple(Option(key, cost) for key, cost in costs.items())
    eligible = Counter(vote.sector for vote in votes)
    return Given(Election(options, settings, votes, eligible), _names(table), _published(table), unit)


# The file


@dataclass(frozen=True, slots=True)
class _Table:
    """The file's sections: what META says, and of projects and votes the line with what stands in it."""

    meta: Mapping[str, str]
    projects: Sequence[tuple[int, Mapping[str, str]]]
    votes: Sequence[tuple[int, Mapping[str, str]]]


def _sections(text: str) -> _Table:
    found: dict[str, list[tuple[int, list[str]]]] = {}
    section = ""
    for line, cells in _rows(text):
        name = cells[0].lower()
        if name in SECTIONS and not any(cells[1:]):
            if name in found:
                raise wrong(f"line {line}", f"The section {name.upper()} stands twice.")
            section = name
            found[section] = []
        elif section:
            found[section].append((line, cells))
        else:
            raise wrong(f"line {line}", "A .pb file starts with a line that says META.")
    for name in SECTIONS:
        if not found.get(name):
            raise wrong(name.upper(), "This section is missing or has no header; the file may be cut off.")
    meta = {cells[0]: ";".join(cells[1:]).rstrip(";") for _, cells in found["meta"][1:]}
    return _Table(meta, _records(found["projects"], "project_id", "cost"), _records(found["votes"], "vote"))


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """The lines that are not empty, as stripped fields."""
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=";")
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if any(cells):
                yield reader.line_num, cells
    except csv.Error as error:
        raise wrong(f"line {reader.line_num}", f"This is not as CSV has it: {error}.") from None


def _records(rows: Sequence[tuple[int, list[str]]], *needed: str) -> list[tuple[int, dict[str, str]]]:
    line, header = rows[0]
    for name in needed:
        if name not in header:
            raise wrong(f"line {line}", f"The header has no field {name}.")
    records = []
    for line, cells in rows[1:]:
        if any(cells[len(header) :]):
            raise wrong(f"line {line}", f"There are {len(cells)} fields, but the header names {len(header)}.")
        records.append((line, dict(zip(header, cells, strict=False))))
    return records


def _needed(row: Mapping[str, str], name: str, place: str = "META") -> str:
    if not row.get(name):
        raise wrong(f"{place} {name}", "This is missing.")
    return row[name]


def _check_size(table: _Table, costs: Mapping[str, int]) -> None:
    """A file that was cut off, or one that is too much."""
    for name, rows in (("num_projects", table.projects), ("num_votes", table.votes)):
        said = table.meta.get(name)
        if said is not None and said != str(len(rows)):
            raise wrong(
                f"META {name}",
                f"It says {short(said)}, but the file holds {len(rows)}; it may be cut off.",
            )
    if len(table.votes) * len(costs) > MOST_CELLS:
        raise wrong("file", f"{len(table.votes)} votes on {len(costs)} projects are too many to count here.")


def _money(table: _Table) -> tuple[dict[str, int], int, int]:
    """What each project costs and what there is, in whole units, and how many of these make one of the file's."""
    costs: dict[str, Fraction] = {}
    for line, row in table.projects:
        key = _needed(row, "project_id", f"line {line}")
        if key in costs:
            raise wrong(f"line {line}", f"The project {short(key)} stands twice.")
        if key == NONE:
            raise wrong(f"line {line}", "A project cannot be called none.")
        costs[key] = _amount(row.get("cost", ""), f"line {line} cost")
    if not costs:
        raise wrong("PROJECTS", "There are no projects.")
    budget = _amount(table.meta.get("budget", ""), "META budget")
    if not budget:
        raise wrong("META budget", "There is no money to share out.")
    unit = lcm(budget.denominator, *(cost.denominator for cost in costs.values()))
    return {key: int(cost * unit) for key, cost in costs.items()}, int(budget * unit), unit


def _amount(text: str, place: str) -> Fraction:
    if not re.fullmatch(r"[0-9]{1,15}([.,][0-9]{1,6})?", text):
        raise wrong(place, f"A number, 0 or more, is needed here, not “{short(text)}”.")
    return Fraction(text.replace(",", "."))


def _names(table: _Table) -> dict[str, str]:
    return {row["project_id"]: row.get("name") or row["project_id"] for _, row in table.projects}


def _published(table: _Table) -> tuple[str, ...]:
    return tuple(row["project_id"] for _, row in table.projects if row.get("selected") == "1")


def _tie_order(costs: Mapping[str, int], named: Mapping[str, int]) -> tuple[str, ...]:
    return tuple(sorted(costs, key=lambda key: (costs[key], -named.get(key, 0))))


# The votes


def _method(kind: str, asked: str) -> str:
    if kind not in METHODS:
        known = ", ".join(METHODS)
        raise wrong("META vote_type", f"Votes of the kind “{short(kind)}” cannot be read. Known: {known}.")
    if not asked:
        return METHODS[kind][0]
    if asked not in METHODS[kind]:
        fitting = ", ".join(METHODS[kind])
        raise wrong("method", f"Votes of the kind {kind} cannot be counted so. What can: {fitting}.")
    return asked


def _marks(row: Mapping[str, str], line: int, kind: str, costs: Mapping[str, int]) -> dict[str, Any]:
    """What a vote gave to the projects that it names, in its order: points, or 1 each."""
    keys = [key.strip() for key in row.get("vote", "").split(",") if key.strip()]
    for key in keys:
        if key not in costs:
            raise wrong(f"line {line} vote", f"There is no project {short(key)}.")
    if len(set(keys)) < len(keys) and not kind.startswith(("approval", "choose")):
        twice, _ = Counter(keys).most_common(1)[0]
        raise wrong(f"line {line} vote", f"The project {short(twice)} is named twice.")
    if kind not in {"cumulative", "scoring"}:
        return dict.fromkeys(keys, 1)
    points = [each.strip() for each in row.get("points", "").split(",") if each.strip()]
    if len(points) != len(keys):
        raise wrong(f"line {line} points", f"There are {len(points)} numbers for {len(keys)} projects.")
    given = {key: _amount(number, f"line {line} points") for key, number in zip(keys, points, strict=True)}
    return {key: number for key, number in given.items() if number}


def _approved(given: Mapping[str, Any], _line: int) -> Choice:
    return {"approved": list(given)}


def _ranking(given: Mapping[str, Any], _line: int) -> Choice:
    return {"ranking": [[key] for key in given]}


def _scores(given: Mapping[str, Any], line: int) -> Choice:
    largest = max(given.values())
    if largest > TOP_SCORE:
        raise wrong(
            f"line {line} points", f"A score is at most {TOP_SCORE}, not {largest}. Try the method points."
        )
    return {"scores": _whole_points(given, line)}


def _points(given: Mapping[str, Any], line: int) -> Choice:
    return {"points": _whole_points(given, line)}


def _whole_points(given: Mapping[str, Any], line: int) -> dict[str, int]:
    for number in given.values():
        if number.denominator != 1:
            raise wrong(f"line {line} points", "Only whole points can be counted. Try the method budget.")
    return {key: int(number) for key, number in given.items()}


_CHOICES: Final[Mapping[str, Callable[[Mapping[str, Any], int], Choice]]] = {
    "approval": _approved,
    "budget": _approved,
    "ranked": _ranking,
    "score": _scores,
    "points": _points,
}
