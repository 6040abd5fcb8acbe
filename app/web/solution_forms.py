"""The form of a solution: what it holds, and what it says to the service."""

from collections.abc import Mapping
from typing import Any, Final

from app.errors import DomainError, FieldError, Invalid
from app.services.solutions import MOST_LINKS, SolutionView
from app.web import pages

LEAST_ROOM: Final = 3
SPARE_ROOM: Final = 2
"""A form has room for so many links at least, and for so many more than there are."""


def values_of(solution: SolutionView) -> dict[str, Any]:
    """What the form holds of a solution."""
    links = {
        f"link_{name}_{place}": link[name]
        for place, link in enumerate(solution.links)
        for name in ("title", "url")
    }
    return {
        "title": solution.title,
        "summary": solution.summary,
        "language": solution.language,
        "cost": solution.cost,
        "carrier": solution.carrier,
        "idea_ids": [str(idea_id) for idea_id in solution.idea_ids],
        "version": solution.version,
        **links,
    }


def tidied(values: dict[str, Any]) -> dict[str, Any]:
    """What was sent, its links moved up to where room was left, so that they are counted as the service does."""
    links = [
        pair
        for place in range(MOST_LINKS)
        if any(pair := tuple(values.get(f"link_{name}_{place}", "").strip() for name in ("title", "url")))
    ]
    kept = {name: value for name, value in values.items() if not name.startswith("link_")}
    for place, (title, url) in enumerate(links):
        kept |= {f"link_title_{place}": title, f"link_url_{place}": url}
    return kept


def room(values: Mapping[str, Any]) -> range:
    """The numbers of the links for which the form has room."""
    filled = sum(f"link_url_{place}" in values for place in range(MOST_LINKS))
    return range(min(MOST_LINKS, max(LEAST_ROOM, filled + SPARE_ROOM)))


def written(values: Mapping[str, Any]) -> dict[str, Any]:
    """What tidied values say of a solution, as `solutions.promote` takes it."""
    cost = values.get("cost", "").strip()
    return {
        "title": values.get("title", ""),
        "summary": values.get("summary", ""),
        "language": values.get("language", ""),
        "cost": _whole(cost) if cost else 0,
        "carrier": values.get("carrier", ""),
        "links": [
            {"title": values[f"link_title_{place}"], "url": values[f"link_url_{place}"]}
            for place in range(MOST_LINKS)
            if f"link_url_{place}" in values
        ],
        "idea_ids": [number for text in values["idea_ids"] if (number := pages.number(text)) is not None],
    }


def by_fields(error: DomainError) -> DomainError:
    """The same error by the names of the form's fields: `links/0/url` is `link_url_0`, `ideas` is `idea_ids`."""
    if not isinstance(error, Invalid):
        return error
    return Invalid(*(FieldError(_field(wrong.field), wrong.message, wrong.values) for wrong in error.errors))


def _field(name: str) -> str:
    if name == "ideas":
        return "idea_ids"
    list_name, _, rest = name.partition("/")
    place, _, part = rest.partition("/")
    return f"link_{part}_{place}" if list_name == "links" and part else name


def _whole(text: str) -> int:
    """The number, or one that cannot be taken, so that the service says what would be right."""
    number = pages.number(text)
    return -1 if number is None else number
