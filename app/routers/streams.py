"""The live stream of a board, as Server-Sent Events on raw ASGI."""

from functools import partial
from typing import Final

from starlette.requests import Request
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from app.errors import FieldError, NotSignedIn
from app.lib.i18n import N_
from app.schemas.base import LARGEST_ID
from app.services import challenges
from app.web import identity, languages
from app.web.sse import START
from app.web.streams import Asked
from app.web.validation import InvalidParameter

NEVER: Final = -1
"""An event that never was: who names it is told to load the page anew."""


class Stream:
    """`GET /challenges/{id}/stream`: what changes on the board, for members who may see the challenge.

    Not a function that returns a response: everything that such a one needs would be kept for as long as the
    stream is open, for each of them.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, which lasts until the reader leaves."""
        asked = await _asked(Request(scope))
        if scope["method"] == "HEAD":
            await send(START)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            return
        scope["state"].pop("actor", None)  # nothing that only the beginning needs stays for hours
        await scope["app"].state.context.streams.serve(asked, receive, send)


async def _asked(request: Request) -> Asked:
    """Who wants to watch which board from where on.

    :raises NotFound: there is no such challenge, or they may not see it
    """
    actor = await identity.required(request)
    id = request.path_params["id"]
    if actor.person_id is None or actor.session_id is None:
        raise NotSignedIn(N_("Please sign in first."))
    challenge = await request.app.state.context.database.read(
        partial(challenges.find, actor=actor, challenge_id=id)
    )
    return Asked(
        challenge_id=challenge.id,
        programme_id=challenge.programme_id,
        person_id=actor.person_id,
        session_id=actor.session_id,
        language=languages.of(request, actor),
        after=last_event(request),
    )


def last_event(request: Request) -> int | None:
    """The event up to which the reader has everything, or None.

    The header, which a browser sends when it comes back, goes before the address, which says what the page held.
    One that we never sent is answered by a stream that tells the page to load itself anew: an error would have
    the browser ask for the same again and again.

    :raises InvalidParameter: the address holds no event's id
    """
    header = request.headers.get("last-event-id", "")
    if header:
        return _id(header)
    given = request.query_params.get("after", "")
    if not given:
        return None
    after = _id(given)
    if after == NEVER:
        raise InvalidParameter("query", FieldError("after", N_("Please give the id of an event.")))
    return after


def _id(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(LARGEST_ID))):
        return NEVER
    return min(int(text), LARGEST_ID)


routes: Final = [Route("/challenges/{id:key}/stream", Stream(), methods=["GET"], name="stream")]
