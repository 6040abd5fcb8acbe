"""A result as a table for spreadsheets."""

from collections.abc import Iterator, Mapping
from typing import Any

from app.lib import tables
from app.services.solutions import SolutionView


def table(titles: Mapping[str, SolutionView], result: Mapping[str, Any]) -> str:
    """A line for each solution, in the order of the result: support by sector, measure, whether it was chosen."""
    return tables.file(_rows(titles, result))


def _rows(titles: Mapping[str, SolutionView], result: Mapping[str, Any]) -> Iterator[list[Any]]:
    sectors = [sector or "all" for sector in result["sectors"]]
    by_sector = [f"{sector}_{what}" for sector in sectors for what in ("yes", "votes")]
    yield [
        "place",
        "id",
        "title",
        "cost",
        "chosen",
        "enough_support",
        *by_sector,
        "measure",
        "percent",
        "score",
    ]
    for place, standing in enumerate(result["standings"], start=1):
        solution = titles[standing["key"]]
        yield [
            place,
            solution.id,
            solution.title,
            solution.cost,
            standing["winner"],
            standing["passed"],
            *(sector[what] for sector in standing["support"] for what in ("yes", "votes")),
            tables.exact(standing["measure"]),
            standing["percent"],
            "" if standing["score"] is None else tables.exact(standing["score"]),
        ]
