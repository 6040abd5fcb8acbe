"""Swaps: who could go to each other's desks in the same week, found between organisations, then filled with people.

All desks of an organisation are alike to whoever wishes for it, so cycles are looked for among organisations: two,
three or four, each once. A cycle of people that comes to an organisation twice falls into shorter ones: none is lost.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from app.lib.days import Span
from app.methods.exchange_choices import Settled
from app.methods.exchange_demands import LONGEST_CYCLE, Swap, around, from_least
from app.methods.shuffle import shuffled

MOST_CYCLES: Final = 20_000
"""So many ways to swap are looked at, the shorter first; beyond it the lot says which."""

Way = tuple[int, int, Span]
"""From one organisation to a desk of another, in a week."""


@dataclass(frozen=True, slots=True, order=True)
class Cycle:
    """Organisations that exchange one person each in a week: each sends one to the next, the last to the first."""

    week: Span
    organisations: tuple[int, ...]

    @property
    def ways(self) -> tuple[Way, ...]:
        """The ways that its people go."""
        return tuple((home, host, self.week) for home, host in around(self.organisations))


def ways(settled: Settled) -> tuple[Way, ...]:
    """On which ways someone could go to a desk, each as often as there are people who could."""
    return tuple(
        (settled.market.guest[person].organisation, *desk)
        for person in settled.people
        for desk in settled.choices[person].desks
    )


def cycles(open_ways: Iterable[Way], seed: int, most: int = MOST_CYCLES) -> tuple[tuple[Cycle, ...], bool]:
    """Cycles among these ways, at most `most` of them, and whether those are all. Always the same for the same seed."""
    weeks: dict[Span, _Graph] = defaultdict(_Graph)
    for home, host, week in open_ways:
        weeks[week].add(home, host)
    found = list(islice(_shortest_first(weeks, seed), most + 1))
    return tuple(sorted(found[:most])), len(found) <= most


def filled(cycles_of_plan: Iterable[Cycle], people: Mapping[Way, Sequence[int]]) -> tuple[Swap, ...]:
    """The swaps of these cycles, which may be there more than once: each way takes its people in order."""
    waiting = {way: iter(going) for way, going in people.items()}
    return tuple(
        sorted(
            Swap(from_least([next(waiting[way]) for way in cycle.ways]), cycle.week)
            for cycle in cycles_of_plan
        )
    )


def _shortest_first(weeks: Mapping[Span, "_Graph"], seed: int) -> Iterator[Cycle]:
    """Every cycle once. Which organisation and week come first is left to the lot, so that a limit favours nobody."""
    starts = {
        f"{week.first_day} {week.last_day} {home}": (week, home)
        for week, graph in weeks.items()
        for home in graph.hosts
    }
    order = [starts[key] for key in shuffled(starts, str(seed), "cycles")]
    for length in range(2, LONGEST_CYCLE + 1):
        for week, home in order:
            for organisations in weeks[week].rings((home,), length):
                yield Cycle(week, organisations)


class _Graph:
    """Who could go where in one week: from each organisation to its `hosts`, and to each host from its `homes`."""

    def __init__(self) -> None:
        self.hosts: dict[int, set[int]] = defaultdict(set)
        self.homes: dict[int, set[int]] = defaultdict(set)

    def add(self, home: int, host: int) -> None:
        """Someone could go this way."""
        self.hosts[home].add(host)
        self.homes[host].add(home)

    def rings(self, path: tuple[int, ...], length: int) -> Iterator[tuple[int, ...]]:
        """Ways on from `path` and back to its first organisation, which has the least id of all `length`."""
        onward = self.hosts.get(path[-1], set())
        if len(path) == length - 1:
            onward = onward & self.homes.get(path[0], set())
        for host in sorted(onward):
            if host > path[0] and host not in path:
                if len(path) == length - 1:
                    yield (*path, host)
                else:
                    yield from self.rings((*path, host), length)
