"""The charts of a result page: what was kept as plain data, as the mathematics takes it."""

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any, Final

from app.lib import i18n
from app.methods import charts
from app.methods.election import Reason, Standing
from app.methods.opinion_map import Ellipse, Group, Mark, Opinion, OpinionMap, SectorShare
from app.services.ballots import BallotView
from app.services.counting import ResultView
from app.services.solutions import SolutionView

BARRED_BY_SECTOR: Final = ("least_sector", "both_sectors")
"""The rules under which each sector's support is held against the bar, so that a chart can show it."""

MOST_HOURS: Final = 48
"""Turnout over more hours than this is told by days."""


def as_counted(ballot: BallotView, found: ResultView) -> dict[str, SolutionView]:
    """The solutions by their keys, called and priced as they were when counted; they may have changed since."""
    options = {option["key"]: option for option in found.head["options"]}
    return {
        solution.key: replace(
            solution, title=options[solution.key]["title"], cost=options[solution.key]["cost"]
        )
        for solution in ballot.solutions
    }


def support(result: Mapping[str, Any], threshold: int) -> charts.SupportChart:
    """Support by sector, in the order of the result, with the bar where it is held against each sector."""
    standings = [
        Standing(
            key=one["key"],
            support=tuple((sector["yes"], sector["votes"]) for sector in one["support"]),
            measure=Fraction(one["measure"]),
            passed=one["passed"],
            winner=one["winner"],
        )
        for one in result["standings"]
    ]
    shown = threshold if result["rule"] in BARRED_BY_SECTOR else 0
    return charts.support(standings, result["sectors"], shown)


def opinion_map(found: Mapping[str, Any]) -> OpinionMap | Reason:
    """The opinion map as it was kept, or why there is none."""
    if "reason" in found:
        return Reason(found["reason"], {name: value for name, value in found.items() if name != "reason"})
    options = {one["key"]: _opinion(one) for one in found["options"]}
    return OpinionMap(
        voters=found["voters"],
        groups=tuple(_group(one) for one in found["groups"]),
        options=tuple(options.values()),
        unites=tuple(options[one["key"]] for one in found["unites"]),
        divides=tuple(options[one["key"]] for one in found["divides"]),
        explained=tuple(found["explained"]),
        silhouette=found["silhouette"],
    )


def turnout(ballot: BallotView, found: ResultView) -> charts.TurnoutChart | None:
    """Who had voted when, by the hour or, over a longer time, by the day; None where nobody did."""
    rows = found.beside["turnout"]
    if not rows:
        return None
    ends = _ends_by_hours if len({row["hour"] for row in rows}) <= MOST_HOURS else _ends_by_days
    series = [
        charts.Turnout(
            one["sector"],
            one["eligible"],
            _steps((row for row in rows if row["sector"] == one["sector"]), ends, ballot.closes_at),
        )
        for one in found.result["turnout"]
    ]
    return charts.turnout(series, ballot.opens_at, ballot.closes_at)


def differing(result: Mapping[str, Any], rules: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The rules under which others would have been chosen."""
    chosen = set(result["winners"])
    return [rule for rule, outcome in rules.items() if set(outcome["winners"]) != chosen]


def _group(found: Mapping[str, Any]) -> Group:
    return Group(
        letter=found["letter"],
        size=found["size"],
        shape=Ellipse(**found["shape"]),
        sectors=tuple(SectorShare(**one) for one in found["sectors"]),
        marks=tuple(Mark(**one) for one in found["marks"]),
    )


def _opinion(found: Mapping[str, Any]) -> Opinion:
    values = {each.name: found[each.name] for each in fields(Opinion)}
    return Opinion(**values | {"support": tuple(found["support"])})


def _ends_by_hours(hour: datetime) -> datetime:
    return hour + timedelta(hours=1)


def _ends_by_days(hour: datetime) -> datetime:
    local = hour.astimezone(i18n.ZONE)
    return (local.replace(hour=0) + timedelta(days=1)).astimezone(hour.tzinfo)


def _steps(rows: Iterable[Mapping[str, Any]], ends: Any, closes_at: datetime) -> list[tuple[datetime, int]]:
    """After which moment how many had voted; nothing is told of what came after the end."""
    voted = 0
    found: dict[datetime, int] = {}
    for row in rows:
        voted += row["voters"]
        found[min(ends(datetime.fromisoformat(row["hour"])), closes_at)] = voted
    return list(found.items())
