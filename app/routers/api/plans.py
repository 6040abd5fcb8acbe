"""What matches come to: two plans side by side, and what is told of one to a person, for programs."""

from typing import Any

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from app.schemas.plans import ComparisonItem, ExplanationItem
from app.services import match_market, matches
from app.web import etags, languages, match_items
from app.web.operations import Identifier, base_url, caller, database, operation


@operation(
    "GET",
    "/matches/{match_id}/comparisons/{other_id}",
    name="compare_matches",
    tag="matches",
    summary="Compare two plans",
    scope="read",
    gives=ComparisonItem,
    tagged=True,
)
async def compare(request: Request, match_id: Identifier, other_id: Identifier) -> Response:
    """For coordinators: what each reaches, and whom they place otherwise. A run without a plan places nobody."""
    actor = await caller(request)
    found = await database(request).read(
        lambda connection: matches.compare(connection, actor, match_id, other_id)
    )
    body = to_json(match_items.comparison(base_url(request), found))
    return etags.item(request, body, found.one.version)


@operation(
    "GET",
    "/matches/{match_id}/explanation",
    name="get_my_explanation",
    tag="matches",
    summary="Read why a plan gave you what it gave",
    scope="read",
    gives=ExplanationItem,
    tagged=True,
)
async def explain(request: Request, match_id: Identifier) -> Response:
    """For those who took part in it, once it is published: about yourself alone, and what is still free."""
    actor = await caller(request)
    language = languages.of(request, actor)

    def query(connection: Any) -> tuple[int, bytes]:
        match, told = matches.published_for(connection, actor, match_id)
        offers = match_market.periods(connection, match_market.named([told]))
        item = match_items.explanation(
            base_url(request), match, actor.person_id, told=told, offers=offers, language=language
        )
        return match.version, to_json(item)

    version, body = await database(request).read(query)
    return etags.item(request, body, version)
