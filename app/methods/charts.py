"""Charts: numbers to places and paths, as a template puts them into SVG. No markup, no words and no colours.

Lengths are attributes of SVG as text: per cent of the room there is (`62.5%`), so that text beside a bar keeps its
size on a phone, or units of a box whose size is said.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from itertools import combinations
from math import cos, hypot, radians, sin
from typing import Final

from app.methods.election import Standing
from app.methods.opinion_map import Ellipse, Group, OpinionMap

MAP_WIDTH: Final = 320.0
MAP_LOWEST: Final = 180.0
MAP_HIGHEST: Final = 320.0
MAP_EDGE: Final = 12.0
SHAPE_LEAST: Final = 30.0
"""No shape is drawn smaller than its label, which is a letter above a bar."""
LABEL: Final = (56.0, 44.0)
BAR_WIDTH: Final = 44.0

LEVELS: Final = 6
"""Shades of a heat table, from 0 to 5; from 3 on it is half or more."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One sector's support of an option: `yes` of `votes`, `share` between 0 and 1, `width` per cent of the room."""

    sector: str
    yes: int
    votes: int
    share: float
    width: str


@dataclass(frozen=True, slots=True)
class SupportRow:
    """An option with a bar for each sector."""

    key: str
    bars: tuple[Bar, ...]
    passed: bool
    winner: bool


@dataclass(frozen=True, slots=True)
class SupportChart:
    """Support by sector. `threshold`: per cent as in `election.Settings`, 0 for none.

    `line`: where it stands; `anchor`: which end of its label stands there, as `text-anchor` has it.
    """

    rows: tuple[SupportRow, ...]
    threshold: int
    line: str
    anchor: str


@dataclass(frozen=True, slots=True)
class Part:
    """A sector's part of a group's bar, in its place; None where it is not told."""

    sector: str
    people: int | None
    share: float | None
    x: str
    width: str
    map_x: str
    map_width: str


@dataclass(frozen=True, slots=True)
class Shape:
    """A group on the map, in the units of its box: a turned ellipse, its label, its bar (parts may leave a rest)."""

    letter: str
    size: int
    cx: str
    cy: str
    rx: str
    ry: str
    turn: str
    label_x: str
    label_y: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class MapChart:
    """The opinion map in a `box` (a viewBox). `axes`: a path through the average vote.

    `bar`: how wide a group's bar is; it begins `bar_left` of its label.
    """

    box: str
    axes: str
    bar: str
    bar_left: str
    shapes: tuple[Shape, ...]


@dataclass(frozen=True, slots=True)
class Turnout:
    """A sector's votes over time: after each moment, how many of the `eligible` had voted. Moments ascend."""

    sector: str
    eligible: int
    steps: Sequence[tuple[datetime, int]]


@dataclass(frozen=True, slots=True)
class TurnoutLine:
    """A stepped line in a box of 100 by 100, and where it ends (`end`, per cent from above)."""

    sector: str
    eligible: int
    voted: int
    share: float
    path: str
    end: str


@dataclass(frozen=True, slots=True)
class TurnoutChart:
    """Lines from `start` to `until`, and as a table: after each moment, how many of each sector had voted."""

    start: datetime
    until: datetime
    lines: tuple[TurnoutLine, ...]
    rows: tuple[tuple[datetime, tuple[int, ...]], ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """How many prefer the row to the column; None where both are the same. `level`: its shade, 0 to 5."""

    count: float | None
    level: int
    wins: bool


@dataclass(frozen=True, slots=True)
class PairRow:
    """An option against every other."""

    key: str
    cells: tuple[Cell, ...]


def support(standings: Iterable[Standing], sectors: Sequence[str], threshold: int) -> SupportChart:
    """Bars of all options, in the order of `standings`; `sectors` as their support counts them."""
    rows = [
        SupportRow(
            standing.key,
            tuple(_bar(sector, *support) for sector, support in zip(sectors, standing.support, strict=True)),
            standing.passed,
            standing.winner,
        )
        for standing in standings
    ]
    return SupportChart(tuple(rows), threshold, _percent(threshold / 100), _anchor(threshold))


def opinion_map(found: OpinionMap) -> MapChart:
    """The groups' shapes in a box as wide as a phone, both axes to one scale, no label on another."""
    scale, left, top, height = _frame([group.shape for group in found.groups])
    centres = [((one.shape.x - left) * scale, (top - one.shape.y) * scale) for one in found.groups]
    labels = _apart(centres, height)
    shapes = [
        _shape(group, centre, label, scale)
        for group, centre, label in zip(found.groups, centres, labels, strict=True)
    ]
    x, y = _unit(-left * scale), _unit(top * scale)
    return MapChart(
        box=f"0 0 {_unit(MAP_WIDTH)} {_unit(height)}",
        axes=f"M{x} 0V{_unit(height)}M0 {y}H{_unit(MAP_WIDTH)}",
        bar=_unit(BAR_WIDTH),
        bar_left=_unit(-BAR_WIDTH / 2),
        shapes=tuple(shapes),
    )


def turnout(series: Sequence[Turnout], start: datetime, until: datetime) -> TurnoutChart:
    """Stepped lines of the share of each sector that has voted; what lies outside `start` to `until` is drawn there."""
    moments = sorted({moment for one in series for moment, _ in one.steps})
    rows = tuple((moment, tuple(_voted(one, moment) for one in series)) for moment in moments)
    return TurnoutChart(start, until, tuple(_line(one, start, until) for one in series), rows)


def pairwise(keys: Sequence[str], counts: Sequence[Sequence[Fraction | int | str]]) -> tuple[PairRow, ...]:
    """Each option against each: `counts[a][b]` people (or shares, `7/3`) prefer a to b, in the order of `keys`.

    The shade is their share of those who prefer one of the two.
    """
    exact = [[Fraction(count) for count in row] for row in counts]
    places = range(len(keys))
    return tuple(PairRow(keys[row], tuple(_cell(row, column, exact) for column in places)) for row in places)


def _bar(sector: str, yes: int, votes: int) -> Bar:
    share = yes / votes if votes else 0.0
    return Bar(sector, yes, votes, share, _percent(share))


def _anchor(threshold: int) -> str:
    """Which end of a label stands at the line, so that it stays within the room."""
    if threshold < 30:
        return "start"
    return "end" if threshold > 70 else "middle"


def _frame(shapes: Sequence[Ellipse]) -> tuple[float, float, float, float]:
    """The scale, the left and the upper end in the map's own units, and the height of the box."""
    room = MAP_WIDTH - 2 * (MAP_EDGE + SHAPE_LEAST)
    reach = [_reach(shape) for shape in shapes]
    left = min(shape.x - wide for shape, (wide, _) in zip(shapes, reach, strict=True))
    right = max(shape.x + wide for shape, (wide, _) in zip(shapes, reach, strict=True))
    low = min(shape.y - high for shape, (_, high) in zip(shapes, reach, strict=True))
    top = max(shape.y + high for shape, (_, high) in zip(shapes, reach, strict=True))
    wide, high = max(right - left, 1e-9), max(top - low, 1e-9)
    highest = MAP_HIGHEST - (MAP_WIDTH - room)
    scale = min(room / wide, highest / high)
    height = max(high * scale + MAP_WIDTH - room, MAP_LOWEST)
    return scale, (left + right - MAP_WIDTH / scale) / 2, (top + low + height / scale) / 2, height


def _reach(shape: Ellipse) -> tuple[float, float]:
    """How far a turned ellipse reaches to the side and upwards."""
    turn = radians(shape.angle)
    wide = hypot(shape.radius_x * cos(turn), shape.radius_y * sin(turn))
    high = hypot(shape.radius_x * sin(turn), shape.radius_y * cos(turn))
    return wide, high


def _apart(centres: Sequence[tuple[float, float]], height: float) -> list[tuple[float, float]]:
    """Where the labels stand: at the centres, or as near as they can without one on another."""
    places = [list(centre) for centre in centres]
    for _ in range(60):
        for one, other in combinations(range(len(places)), 2):
            _push(places[one], places[other])
        for place in places:
            place[0] = min(max(place[0], LABEL[0] / 2), MAP_WIDTH - LABEL[0] / 2)
            place[1] = min(max(place[1], LABEL[1] / 2), height - LABEL[1] / 2)
    return [(x, y) for x, y in places]


def _push(one: list[float], other: list[float]) -> None:
    """Two labels that overlap go apart along the axis on which less is missing, each by half of it."""
    missing = [LABEL[axis] - abs(one[axis] - other[axis]) for axis in (0, 1)]
    if min(missing) <= 0:
        return
    axis = 0 if missing[0] < missing[1] else 1
    step = missing[axis] / 2 * (1 if one[axis] <= other[axis] else -1)
    one[axis] -= step
    other[axis] += step


def _shape(group: Group, centre: tuple[float, float], label: tuple[float, float], scale: float) -> Shape:
    cx, cy = (_unit(value) for value in centre)
    return Shape(
        group.letter,
        group.size,
        cx,
        cy,
        _unit(max(group.shape.radius_x * scale, SHAPE_LEAST)),
        _unit(max(group.shape.radius_y * scale, SHAPE_LEAST)),
        # On paper y grows downwards, and so angles turn the other way.
        f"rotate({_unit(-group.shape.angle)} {cx} {cy})",
        _unit(label[0]),
        _unit(label[1]),
        tuple(_parts(group)),
    )


def _parts(group: Group) -> Iterator[Part]:
    begun = 0.0
    for one in group.sectors:
        share = min(one.share or 0.0, 1.0 - begun)
        yield Part(
            one.sector,
            one.people,
            one.share,
            _percent(begun),
            _percent(share),
            _unit(begun * BAR_WIDTH),
            _unit(share * BAR_WIDTH),
        )
        begun += share


def _voted(one: Turnout, moment: datetime) -> int:
    """How many had voted by then."""
    return max((total for then, total in one.steps if then <= moment), default=0)


def _line(one: Turnout, start: datetime, until: datetime) -> TurnoutLine:
    whole = max((until - start).total_seconds(), 1.0)
    path = "M0 100"
    voted = 0
    for moment, total in one.steps:
        x = min(max((moment - start).total_seconds() / whole, 0.0), 1.0)
        path += f"H{_unit(x * 100)}V{_unit(_from_above(total, one.eligible))}"
        voted = total
    share = voted / one.eligible if one.eligible else 0.0
    end = _from_above(voted, one.eligible)
    return TurnoutLine(one.sector, one.eligible, voted, share, f"{path}H100", _percent(end / 100))


def _from_above(voted: int, eligible: int) -> float:
    return 100.0 - 100.0 * min(voted / eligible, 1.0) if eligible else 100.0


def _cell(row: int, column: int, counts: Sequence[Sequence[Fraction]]) -> Cell:
    if row == column:
        return Cell(None, 0, wins=False)
    for_it, against = counts[row][column], counts[column][row]
    share = for_it / (for_it + against) if for_it + against else Fraction(0)
    count = int(for_it) if for_it.denominator == 1 else round(float(for_it), 1)
    return Cell(count, min(int(share * LEVELS), LEVELS - 1), wins=for_it > against)


def _percent(share: float) -> str:
    return f"{_unit(share * 100)}%"


def _unit(value: float) -> str:
    """A length with two digits at most behind the point, and no needless ones."""
    return f"{round(value, 2) + 0.0:.2f}".rstrip("0").rstrip(".")
