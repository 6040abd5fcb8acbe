"""The problem behind a plan, as arrays: a column for each thing that can happen, a row for each rule it has to keep."""

import hashlib
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from app.methods.exchange_choices import Desk, Settled
from app.methods.exchange_figures import TURN, host_place, ways_between
from app.methods.exchange_market import Market
from app.methods.exchange_result import BALANCE, FAIRNESS, HOSTS, LOT, SERVED, WISHES
from app.methods.exchange_swaps import Cycle, Way

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int32]

LOTS: Final = 2**20
"""A lot is a whole number below it."""
UNLIMITED: Final = float("inf")


@dataclass(frozen=True, slots=True)
class Going:
    """A person who goes to an offer, or to any desk of an organisation in a week; exactly one is not None."""

    person: int
    rank: int
    offer: str | None = None
    desk: Desk | None = None


Group = tuple[int, int, str]
"""All that a person could have by one rank of wish in one sector: the person, the rank, the sector of the hosts."""


@dataclass(frozen=True)
class Problem:
    """Columns are whole numbers from `lower` to `upper`, rows hold their sums between `row_lower` and `row_upper`.

    First come `goings`, then `cycles` (how often each is used). What follows from them stands after these: groups of
    goings, turns of organisations, differences between directions. All that is added up over people is added up over
    groups, of which there are few: rows with an entry for each going would make the solver very slow. `group` [goings]:
    the column of each going's group. Entry i of the matrix is `value[i]` in row `row[i]` and column `column[i]`.
    `costs`: for each aim what a column adds to what shall be as small as can be; whole numbers. `begins`: the rows that
    count only from an aim on.
    """

    goings: tuple[Going, ...]
    cycles: tuple[Cycle, ...]
    group: "Integers"
    lower: "Floats"
    upper: "Floats"
    row_lower: "Floats"
    row_upper: "Floats"
    row: "Integers"
    column: "Integers"
    value: "Floats"
    costs: "Mapping[str, Floats]"
    begins: "Mapping[str, Integers]"

    @property
    def chosen(self) -> int:
        """How many columns can be chosen: the others follow from these."""
        return len(self.goings) + len(self.cycles)

    def holding(self, columns: "Floats") -> "Problem":
        """The same with every cycle used as often as here: what is left to choose is a flow through a network."""
        cycles = slice(len(self.goings), self.chosen)
        lower, upper = self.lower.copy(), self.upper.copy()
        lower[cycles] = upper[cycles] = columns[cycles]
        return replace(self, lower=lower, upper=upper)

    def completed(self, columns: "Floats") -> "Floats":
        """The columns with all that follows from who goes where."""
        import numpy as np

        columns = columns.copy()
        columns[self.chosen :] = 0
        np.add.at(columns, self.group, columns[: len(self.goings)])
        groups = self.column <= max(self.group, default=-1)
        taken = self.value[groups] * columns[self.column[groups]]
        over = np.bincount(self.row[groups], weights=taken, minlength=len(self.row_upper)) - self.row_upper
        for row, column in zip(self.row[~groups], self.column[~groups], strict=True):
            if self.upper[column] == 1:
                columns[column] = over[row] > 0
                over[row] -= columns[column]
            else:
                columns[column] = max(columns[column], over[row])
        return columns


def problem(settled: Settled, cycles: Sequence[Cycle], seed: int) -> Problem:
    """How to place the people whom no demand has placed. `cycles`: the ways to swap."""
    board = _Board()
    market = settled.market
    ways = {way for cycle in cycles for way in cycle.ways}
    goings = tuple(_goings(settled, ways))
    _rule_goings(board, settled, goings)
    for way in sorted(ways):
        board.rule((WAY, *way), 0, 0)
    for organisation in sorted(_people_of(settled)):
        board.rule((TURNS, organisation), 0, 0)
    _rule_directions(board, settled, goings)
    for going in goings:
        board.add(1, {HOSTS: _host_place(market, going), LOT: _lot(going, seed)}, _entries(market, going))
    for cycle in cycles:
        longer = len(cycle.organisations) - 2
        board.add(UNLIMITED, {LOT: 4 * LOTS * longer}, [((WAY, *way), -1) for way in cycle.ways])
    for group in _groups(market, goings):
        board.add(1, {SERVED: -1, WISHES: group[1]}, _entries_of_group(market, group))
    for organisation, turn in _turns(settled):
        board.add(1, {FAIRNESS: -(TURN // turn)}, [((TURNS, organisation), -1)])
    for key in [key for key in board.rows if key[0] == MORE]:
        board.add(UNLIMITED, {BALANCE: 1}, [(key, -1), ((FEWER, *key[1:]), -1)])
    return board.problem(market, goings, tuple(cycles))


def unringed(settled: Settled, ways: Iterable[Way]) -> Problem:
    """The same with swaps of any length: as many leave an organisation for a desk in a week as come to one.

    Whatever cycles are looked at, no plan serves more people than one of this problem.
    """
    board = _Board()
    market = settled.market
    goings = tuple(_goings(settled, set(ways)))
    _rule_goings(board, settled, goings)
    for place in sorted({(one, week) for home, host, week in ways for one in (home, host)}):
        board.rule((AWAY, *place), 0, 0)
    for going in goings:
        board.add(1, {}, _entries_unringed(market, going))
    for group in _groups(market, goings):
        board.add(1, {SERVED: -1}, [((GROUP, *group), -1), ((PERSON, group[0]), 1)])
    return board.problem(market, goings, ())


PERSON, GROUP, OFFER, WAY, AWAY = "person", "group", "offer", "way", "away"
TURNS, MORE, FEWER = "turns", "more", "fewer"
"""The kinds of rows."""

_Row = tuple[Hashable, ...]


class _Board:
    """Rows and columns as they are laid down."""

    def __init__(self) -> None:
        self.rows: dict[_Row, tuple[float, float]] = {}
        self.places: dict[_Row, int] = {}
        self.upper: list[float] = []
        self.costs: dict[str, list[tuple[int, int]]] = {
            aim: [] for aim in (SERVED, BALANCE, WISHES, FAIRNESS, HOSTS, LOT)
        }
        self.entries: list[tuple[int, int, int]] = []

    def rule(self, row: _Row, lower: float, upper: float) -> None:
        """A row, which columns may enter from now on."""
        self.places[row] = len(self.rows)
        self.rows[row] = (lower, upper)

    def add(self, upper: float, costs: Mapping[str, int], entries: Iterable[tuple[_Row, int]]) -> None:
        """A column."""
        number = len(self.upper)
        self.upper.append(upper)
        for aim, cost in costs.items():
            self.costs[aim].append((number, cost))
        self.entries += [(self.places[row], number, value) for row, value in entries]

    def problem(self, market: Market, goings: tuple[Going, ...], cycles: tuple[Cycle, ...]) -> Problem:
        """All of it as arrays."""
        import numpy as np

        costs = {aim: np.zeros(len(self.upper)) for aim in self.costs}
        for aim, given in self.costs.items():
            for number, cost in given:
                costs[aim][number] = cost
        entries = np.array(self.entries, dtype=np.int64).reshape(-1, 3)
        bounds = np.array(list(self.rows.values()), dtype=np.float64).reshape(-1, 2)
        kinds = [str(row[0]) for row in self.rows]
        begins = {FAIRNESS: (TURNS,), BALANCE: (MORE, FEWER)}
        first = len(goings) + len(cycles)
        places = {group: number for number, group in enumerate(_groups(market, goings), first)}
        return Problem(
            goings,
            cycles,
            np.array([places[_group(market, going)] for going in goings], dtype=np.int32),
            np.zeros(len(self.upper)),
            np.array(self.upper, dtype=np.float64),
            bounds[:, 0].copy(),
            bounds[:, 1].copy(),
            entries[:, 0].astype(np.int32),
            entries[:, 1].astype(np.int32),
            entries[:, 2].astype(np.float64),
            costs,
            {aim: np.flatnonzero(np.isin(kinds, of)).astype(np.int32) for aim, of in begins.items()},
        )


def _goings(settled: Settled, ways: set[Way]) -> Iterator[Going]:
    """Who could go where, by person: to offers with places, and to desks on a way that some cycle takes."""
    for person in settled.people:
        home = settled.market.guest[person].organisation
        choices = settled.choices[person]
        for key, rank in sorted(choices.offers.items()):
            if settled.places[key]:
                yield Going(person, rank, offer=key)
        for desk, rank in sorted(choices.desks.items()):
            if (home, *desk) in ways:
                yield Going(person, rank, desk=desk)


def _groups(market: Market, goings: Sequence[Going]) -> list[Group]:
    """The groups of these goings, each once, in order."""
    return list(dict.fromkeys(_group(market, going) for going in goings))


def _group(market: Market, going: Going) -> Group:
    return going.person, going.rank, _direction(market, going)[1]


def _rule_goings(board: _Board, settled: Settled, goings: Sequence[Going]) -> None:
    for person in settled.people:
        board.rule((PERSON, person), -UNLIMITED, 1)
    for group in _groups(settled.market, goings):
        board.rule((GROUP, *group), 0, 0)
    for key, places in settled.places.items():
        board.rule((OFFER, key), -UNLIMITED, places)


def _rule_directions(board: _Board, settled: Settled, goings: Sequence[Going]) -> None:
    """For each two sectors between which someone could go: neither way may lead by more than the difference."""
    between = {_direction(settled.market, going) for going in goings}
    there = ways_between(settled.market, settled.stays)
    for one, other in sorted({(min(way), max(way)) for way in between if way[0] != way[1]}):
        lead = there[one, other] - there[other, one]
        board.rule((MORE, one, other), -UNLIMITED, -lead)
        board.rule((FEWER, one, other), -UNLIMITED, lead)


def _entries(market: Market, going: Going) -> Iterator[tuple[_Row, int]]:
    yield (GROUP, *_group(market, going)), 1
    if going.offer is not None:
        yield (OFFER, going.offer), 1
    if going.desk is not None:
        yield (WAY, market.guest[going.person].organisation, *going.desk), 1


def _entries_unringed(market: Market, going: Going) -> Iterator[tuple[_Row, int]]:
    yield (GROUP, *_group(market, going)), 1
    if going.offer is not None:
        yield (OFFER, going.offer), 1
    if going.desk is not None:
        host, week = going.desk
        yield (AWAY, market.guest[going.person].organisation, week), 1
        yield (AWAY, host, week), -1


def _entries_of_group(market: Market, group: Group) -> Iterator[tuple[_Row, int]]:
    person, _, there = group
    guest = market.guest[person]
    yield (GROUP, *group), -1
    yield (PERSON, person), 1
    yield (TURNS, guest.organisation), 1
    if guest.sector != there:
        ahead = 1 if guest.sector < there else -1
        sectors = (min(guest.sector, there), max(guest.sector, there))
        yield (MORE, *sectors), ahead
        yield (FEWER, *sectors), -ahead


def _direction(market: Market, going: Going) -> tuple[str, str]:
    """The sectors from which and to which a person goes."""
    host = market.offer[going.offer].organisation if going.offer is not None else _desk(going)[0]
    return market.guest[going.person].sector, market.sector_of[host]


def _desk(going: Going) -> Desk:
    if going.desk is None:
        raise ValueError("a person goes to an offer or to a desk")
    return going.desk


def _people_of(settled: Settled) -> Counter[int]:
    """How many people of each organisation are to be placed."""
    return Counter(settled.market.guest[person].organisation for person in settled.people)


def _turns(settled: Settled) -> Iterator[tuple[int, int]]:
    """For each organisation and each of its people who might go: which turn of the organisation that would be."""
    market = settled.market
    had = Counter(stay.organisation for stay in market.earlier)
    had.update(market.guest[stay.person].organisation for stay in settled.stays)
    for organisation, people in sorted(_people_of(settled).items()):
        for number in range(1, people + 1):
            yield organisation, had[organisation] + number


def _host_place(market: Market, going: Going) -> int:
    return 0 if going.offer is None else host_place(market.offer[going.offer], going.person)


def _lot(going: Going, seed: int) -> int:
    """What the lot says of it: the same always for the same seed, person and place."""
    where = going.offer
    if going.desk is not None:
        organisation, week = going.desk
        where = f"{organisation} {week.first_day} {week.last_day}"
    digest = hashlib.sha256(f"{seed}\n{going.person}\n{where}".encode()).digest()
    return int.from_bytes(digest[:4]) % LOTS
