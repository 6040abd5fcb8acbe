"""`?include=`: the neighbours of an item or of a page of items, beside them in `included`, each once.

They are found by the ids that the items hold, and loaded through their viewer as their own addresses load them: what
may not be seen is left out. Each kind costs a constant number of statements, whatever the number of items.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic_core import from_json
from sqlalchemy.engine import Connection
from starlette.requests import Request

from app.policies.actor import Actor
from app.services import (
    challenges,
    clusters,
    comments,
    ideas,
    organisations,
    placements,
    programmes,
    solutions,
)
from app.web import ballot_items, exchange_items, fields, items, operations

Json = dict[str, Any]
Ids = Callable[[Json], Iterable[int | None]]
Read = Callable[[str, Connection, Actor, list[int]], list[Json]]

MOST_COMMENTS: Final = 20
"""How many comments of each idea come along; the others are at its own list."""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """One kind of neighbour: where it stands in `included`, which ids an item holds of it, and how it is read."""

    noun: str
    ids: Ids
    read: Read


def asked(request: Request) -> tuple[str, ...]:
    """What the address wants to come along.

    :raises InvalidParameter: the operation has no neighbour of that name
    """
    operation = operations.at(request)
    if not request.scope["query_string"] or request.method != "GET" or operation is None:
        return ()
    return fields.named(request, fields.INCLUDE, operation.includes)


async def of_item(request: Request, actor: Actor, item: Json) -> Json:
    """The item, with what is to come along.

    :raises InvalidParameter: it has no neighbour of a name that is asked for
    """
    included = await of_items(request, actor, [item])
    return item if included is None else {**item, fields.INCLUDED: included}


async def of_bytes(request: Request, actor: Actor, written: bytes) -> Json | None:
    """What is to come along with items that are JSON already, with commas between."""
    return await of_items(request, actor, from_json(b"[%s]" % written)) if asked(request) else None


async def of_items(request: Request, actor: Actor, shown: Sequence[Json]) -> Json | None:
    """What is to come along with these items, by noun; None where nothing is asked for.

    :raises InvalidParameter: they have no neighbour of a name that is asked for
    """
    names = asked(request)
    if not names:
        return None
    here = operations.base_url(request)
    return await operations.database(request).read(
        lambda connection: _read(here, connection, actor, [NEIGHBOURS[name] for name in names], shown)
    )


def _read(
    here: str, connection: Connection, actor: Actor, wanted: Sequence[Neighbour], shown: Sequence[Json]
) -> Json:
    ids: dict[str, set[int]] = {neighbour.noun: set() for neighbour in wanted}
    for neighbour in wanted:
        ids[neighbour.noun].update(id for item in shown for id in neighbour.ids(item) if id is not None)
    readers = {neighbour.noun: neighbour.read for neighbour in wanted}
    return {
        noun: readers[noun](here, connection, actor, sorted(found)) if found else []
        for noun, found in ids.items()
    }


# how each is read


def _programmes(here: str, connection: Connection, actor: Actor, ids: list[int]) -> list[Json]:
    return [items.programme(here, view) for view in programmes.among(connection, actor, ids)]


def _organisations(here: str, connection: Connection, actor: Actor, ids: list[int]) -> list[Json]:
    return [items.organisation(here, row, row) for row in organisations.among(connection, actor, ids)]


def _challenges(here: str, connection: Connection, actor: Actor, ids: list[int]) -> list[Json]:
    return [items.challenge(here, view) for view in challenges.among(connection, actor, ids)]


def _clusters(here: str, connection: Connection, actor: Actor, ids: list[int]) -> list[Json]:
    return [items.cluster(here, row.challenge_id, row) for row in clusters.among(connection, actor, ids)]


def _ideas(here: str, connection: Connection, actor: Actor, ids: list[int]) -> list[Json]:
    return [items.idea(here, view) for view in ideas.among(connection, actor, ids)]


def _comments(here: str, connection: Connection, actor: Actor, ids: list[int]) -> list[Json]:
    """Of ideas that were loaded through their viewer."""
    del actor
    return [items.comment(here, row) for row in comments.first_on(connection, ids, MOST_COMMENTS)]


def _placements(here: str, connection: Connection, actor: Actor, ids: list[int]) -> list[Json]:
    return [exchange_items.placement(here, actor, view) for view in placements.among(connection, actor, ids)]


def _solutions(here: str, connection: Connection, actor: Actor, ids: list[int]) -> list[Json]:
    return [ballot_items.solution(here, view) for view in solutions.among(connection, actor, ids)]


# which ids an item holds


def _one(name: str) -> Ids:
    return lambda item: (item[name],)


def _host(item: Json) -> Iterable[int | None]:
    """A placement is its organisation's; a booking tells of its host."""
    return (item["host"]["organisation"] if isinstance(item["host"], dict) else item["organisation"],)


def _guests_organisation(item: Json) -> Iterable[int | None]:
    return (item["guest"]["organisation"],)


def _places(name: str) -> Ids:
    return lambda item: [place[name] for place in item["memberships"]]


def _several(name: str) -> Ids:
    return lambda item: item[name]


NEIGHBOURS: Final = {
    "programme": Neighbour("programmes", _one("programme"), _programmes),
    "sponsor": Neighbour("organisations", _one("sponsor"), _organisations),
    "host": Neighbour("organisations", _host, _organisations),
    "guest.organisation": Neighbour("organisations", _guests_organisation, _organisations),
    "memberships.programme": Neighbour("programmes", _places("programme"), _programmes),
    "memberships.organisation": Neighbour("organisations", _places("organisation"), _organisations),
    "challenge": Neighbour("challenges", _one("challenge"), _challenges),
    "cluster": Neighbour("clusters", _one("cluster"), _clusters),
    "idea": Neighbour("ideas", _one("idea"), _ideas),
    "ideas": Neighbour("ideas", _several("ideas"), _ideas),
    "source": Neighbour("ideas", _one("source"), _ideas),
    "target": Neighbour("ideas", _one("target"), _ideas),
    "comments": Neighbour("comments", _one("id"), _comments),
    "placement": Neighbour("placements", _one("placement"), _placements),
    "solutions": Neighbour("solutions", _several("solutions"), _solutions),
}
"""By the name that `include` has for it: that of the field of the item that holds its id, or its ids."""
