"""Lists in pages: how many, from where, and the way to the next one."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Annotated, Any, Final, TypeVar
from urllib.parse import urlencode

from fastapi import Query
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from app.errors import FieldError
from app.lib import cursor
from app.lib.i18n import N_
from app.web.validation import InvalidParameter

T = TypeVar("T")

MOST: Final = 200
USUAL: Final = 50

Limit = Annotated[int, Query(ge=1, le=MOST, description="How many items at the most.")]
Cursor = Annotated[
    str | None,
    Query(
        description="Where to go on: `next` of the page before.",
        json_schema_extra={"pattern": "^[A-Za-z0-9_-]{20,600}$"},
    ),
]


@dataclass(frozen=True, slots=True)
class Page:
    """`limit` items, from where `position` says: the sort key of the last item before, its id last."""

    limit: int
    position: tuple[int, ...]

    @property
    def after(self) -> int:
        """The id of the last item before, in a list in the order of ids; 0 at the beginning."""
        return self.position[-1] if self.position else 0

    @property
    def asked(self) -> int:
        """How many to read so that it is known whether there are more."""
        return self.limit + 1

    def cut(self, found: Sequence[T]) -> tuple[Sequence[T], bool]:
        """What belongs to this page, and whether there is more."""
        return found[: self.limit], len(found) > self.limit


def page(request: Request, limit: int, text: str | None, *, start: int = 0) -> Page:
    """The page that the query asks for; without a cursor it begins after the id `start`.

    :raises InvalidParameter: the cursor is not one that was given out for this list
    """
    if text is None:
        return Page(limit, (start,) if start else ())
    try:
        position = cursor.decode(_key_of(request), _name(request), text)
    except cursor.BadCursor:
        raise bad_cursor() from None
    return Page(limit, tuple(int(step or 0) for step in position))


def bad_cursor() -> InvalidParameter:
    """A cursor that leads nowhere."""
    message = N_("This cursor was not given out for this list. Please begin without one.")
    return InvalidParameter("query", FieldError("cursor", message))


def listing(request: Request, page: Page, items: Sequence[Any], last_id: int | None) -> Response:
    """A page in the order of ids as an answer; `last_id` is that of its last item if there are more."""
    return listing_of_bytes(request, page, to_json(items)[1:-1], () if last_id is None else (last_id,))


def listing_of_bytes(request: Request, page: Page, items: bytes, following: tuple[int, ...]) -> Response:
    """A page whose items are JSON already, with commas between; the next one begins at `following`, if it is given."""
    headers = {"Cache-Control": "private, no-cache"}
    text = b"null"
    if following:
        next_cursor = cursor.encode(_key_of(request), _name(request), following)
        text = b'"%s"' % next_cursor.encode()
        address = request.app.state.context.settings.base_url + request.url.path
        query = urlencode({**_filters(request), "limit": page.limit, "cursor": next_cursor})
        headers["Link"] = f'<{address}?{query}>; rel="next"'
    return Response(b'{"items":[%s],"next":%s}' % (items, text), 200, headers, "application/json")


def following_address(request: Request, following: tuple[int, ...] | None) -> str | None:
    """The address, on this site, of the page that begins at `following`; None at the end of the list."""
    if following is None:
        return None
    next_cursor = cursor.encode(_key_of(request), _name(request), following)
    return f"{request.url.path}?{urlencode({**_filters(request), 'cursor': next_cursor})}"


def _name(request: Request) -> str:
    """What a cursor is bound to: the list, and how it is filtered and sorted."""
    filters = _filters(request)
    return f"{request.url.path}?{urlencode(sorted(filters.items()))}" if filters else request.url.path


def _filters(request: Request) -> dict[str, str]:
    if len(request.scope["query_string"]) == 0:
        return {}
    return {name: value for name, value in request.query_params.items() if name not in ("limit", "cursor")}


def _key_of(request: Request) -> bytes:
    return _key(request.app.state.context.settings.secret_key.get_secret_value())


@lru_cache(maxsize=4)
def _key(secret: str) -> bytes:
    return blake2b(secret.encode(), digest_size=32, person=b"cursor").digest()
