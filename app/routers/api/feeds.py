"""Feeds, for programs that have a token: the same as on the pages."""

from starlette.requests import Request
from starlette.responses import Response

from app.services import programmes
from app.web import atom, feeds
from app.web.operations import Identifier, caller, database, operation
from app.web.paging import Cursor


@operation(
    "GET",
    "/programmes/{programme_id}/challenges.atom",
    tag="challenges",
    summary="Follow the challenges of a programme",
    scope="read",
    gives_files=(atom.MEDIA_TYPE,),
    tagged=True,
)
async def challenges(request: Request, programme_id: Identifier, cursor: Cursor = None) -> Response:
    """An Atom feed, the newest first; a link with `rel="next"` in it leads to older ones."""
    actor = await caller(request)
    programme = await database(request).read(
        lambda connection: programmes.find(connection, actor, programme_id)
    )
    return await feeds.of_programme(request, actor, programme, cursor)


@operation(
    "GET",
    "/challenges/{challenge_id}/ideas.atom",
    tag="ideas",
    summary="Follow the ideas of a challenge",
    scope="read",
    gives_files=(atom.MEDIA_TYPE,),
    tagged=True,
)
async def ideas(request: Request, challenge_id: Identifier, cursor: Cursor = None) -> Response:
    """An Atom feed, the newest first; a link with `rel="next"` in it leads to older ones."""
    return await feeds.of_challenge(request, await caller(request), challenge_id, cursor)
