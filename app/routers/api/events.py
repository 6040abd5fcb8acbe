"""The event log, for programs."""

from dataclasses import replace
from typing import Annotated

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from app.errors import FieldError, Invalid
from app.lib.i18n import N_
from app.schemas.base import LARGEST_ID
from app.schemas.events import EventList
from app.services import events, programmes
from app.services.events import Told, Wanted
from app.web import followers, items, paging, shedder
from app.web.followers import Asked
from app.web.operations import EVENT_STREAM, Identifier, base_url, caller, database, operation
from app.web.paging import Cursor, Limit
from app.web.validation import DIGITS, InvalidParameter

NOW = "now"
POSITION = "Event-Position"
LAST_SEEN = "Last-Event-ID"

After = Annotated[
    str,
    Query(
        max_length=19,
        description="Only events with a greater id, for the first page; `now`: only those to come.",
        json_schema_extra={"pattern": "^(now|[0-9]{1,18})$"},
    ),
]
Types = Annotated[
    list[str],
    Query(
        max_length=200,
        description="Only of these types: `idea.posted`, or all of a noun: `idea`. Repeated, or with commas.",
    ),
]
OnChallenge = Annotated[int | None, Query(ge=1, le=LARGEST_ID, description="Only on this challenge."), DIGITS]
Wait = Annotated[
    int,
    Query(ge=0, le=30, description="If there is nothing, wait for so many seconds until there is."),
    DIGITS,
]


@operation(
    "GET",
    "/programmes/{programme_id}/events",
    tag="events",
    summary="Follow what happens in a programme",
    scope="read",
    gives=EventList,
    paged=True,
    gone=True,
    tells=(POSITION,),
)
async def index(  # noqa: PLR0917 -- the framework passes them by name
    request: Request,
    programme_id: Identifier,
    limit: Limit = paging.USUAL,
    cursor: Cursor = None,
    after: After = "0",
    type: Types = [],  # noqa: B006 -- never changed; a tuple could not be described
    challenge: OnChallenge = None,
    wait: Wait = 0,
) -> Response:
    """The log in the order in which things were saved, the oldest first. `Event-Position` says up to where it was
    read: ask later for what comes `after` it. With `wait` the answer comes as soon as there is something to tell.
    410: the log does not go so far, since it was put back to an earlier state; begin anew.
    """
    actor = await caller(request)
    wanted = Wanted(_types(type), challenge)
    page = paging.page(request, limit, cursor)
    begins_at = page.after if cursor is not None else position(after)
    programme = await database(request).read(
        lambda connection: programmes.find(connection, actor, programme_id)
    )
    asked = Asked(actor, programme, wanted, begins_at)
    told = await _first(request, asked, page.asked)
    if wait and not told.rows:
        told = await _later(request, asked, told, page.asked, wait)
    shown, more = page.cut(told.rows)
    answer = paging.listing(
        request,
        page,
        [items.event(base_url(request), programme, row) for row in shown],
        shown[-1].id if more else None,
    )
    answer.headers[POSITION] = str(shown[-1].id if more else told.position)
    return answer


@operation(
    "GET",
    "/programmes/{programme_id}/events/stream",
    tag="events",
    summary="Be sent what happens in a programme",
    scope="read",
    gone=True,
    gives_files=(EVENT_STREAM,),
)
async def stream(
    request: Request,
    programme_id: Identifier,
    after: After = NOW,
    type: Types = [],  # noqa: B006 -- as above
    challenge: OnChallenge = None,
) -> Response:
    """Server-Sent Events: each message is an event as the list has it, its `id` the event's. Whoever comes back with
    `Last-Event-ID`, as browsers do by themselves, misses nothing. A message `position` says up to where the log was
    read; `closed` that the stream ends for good: `signed-out` (the token has ended) or `changed` (your role has).
    """
    actor = await caller(request)
    wanted = Wanted(_types(type), challenge)
    seen = last_seen(request)
    begins_at = position(after) if seen is None else seen
    programme = await database(request).read(
        lambda connection: programmes.find(connection, actor, programme_id)
    )
    asked = Asked(actor, programme, wanted, begins_at)
    told = await _first(request, asked, 1)
    return followers.Stream(request.app.state.context.followers, _from(asked, told), base_url(request))


def position(after: str) -> int | None:
    """The id that `after` names; None for now.

    :raises InvalidParameter: it is neither
    """
    if after == NOW:
        return None
    if after.isascii() and after.isdecimal() and int(after) <= LARGEST_ID:
        return int(after)
    raise InvalidParameter("query", FieldError("after", N_("Please give the id of an event, or now.")))


def last_seen(request: Request) -> int | None:
    """The id of the last event that a stream has had, if it comes back.

    :raises InvalidParameter: it is no such id
    """
    header = request.headers.get(LAST_SEEN, "")
    if not header:
        return None
    if header.isascii() and header.isdecimal() and len(header) <= 19 and int(header) <= LARGEST_ID:
        return int(header)
    raise InvalidParameter("header", FieldError(LAST_SEEN, N_("Please give the id of an event.")))


def _types(given: list[str]) -> frozenset[str] | None:
    try:
        return events.types_of(name for names in given for name in names.split(","))
    except Invalid as error:
        raise InvalidParameter("query", *error.errors) from None


async def _first(request: Request, asked: Asked, limit: int) -> Told:
    """What is there already."""
    return await database(request).read(
        lambda connection: events.in_programme(
            connection, asked.actor, asked.programme, after=asked.after, limit=limit, wanted=asked.wanted
        )
    )


async def _later(request: Request, asked: Asked, told: Told, limit: int, seconds: int) -> Told:
    """What comes, out of the way of those who are answered at once."""
    shedder.step_aside(request.scope["state"])
    there = request.app.state.context.followers
    found: Told = await there.wait(_from(asked, told), limit, seconds, request.receive)
    return found


def _from(asked: Asked, told: Told) -> Asked:
    """Where to go on: from where the log ended when it was first looked at, if that is what `now` was."""
    return asked if asked.after is not None else replace(asked, after=told.position)
