"""People, for programs: the one who asks."""

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from app.schemas.people import Me
from app.services import people
from app.web import etags, items
from app.web.operations import base_url, caller, database, operation


@operation("GET", "/people/me", tag="people", summary="Read who you are", scope="read", gives=Me, tagged=True)
async def me(request: Request) -> Response:
    """The person that the token belongs to, with their place in each programme."""
    actor = await caller(request)
    dates = await database(request).read(lambda connection: people.dates(connection, actor))
    return etags.item(request, to_json(items.me(base_url(request), actor, dates)), actor.version)
