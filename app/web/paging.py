"""Lists in pages: how many, from where, and the way to the next one."""

from collections.abc import Callable, Mapping, Sequence
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
from app.web import etags, fields
from app.web.validation import DIGITS, InvalidParameter

T = TypeVar("T")

Position = tuple[Any, ...]
"""Where a page begins: the sort key of the last item of the page before, in numbers and texts, its id last."""

_OF_THE_PAGE: Final = ("limit", "cursor", "wait")

MOST: Final = 200
USUAL: Final = 50

Limit = Annotated[int, Query(ge=1, le=MOST, description="How many items at the most."), DIGITS]
Cursor = Annotated[
    str | None,
    Query(
        description="Where to go on: `next` of the page before.",
        json_schema_extra={"pattern": "^[A-Za-z0-9_-]{20,1500}$"},
    ),
]


@dataclass(frozen=True, slots=True)
class Page:
    """`limit` items, from where `position` says: the sort key of the last item before, its id last."""

    limit: int
    position: Position

    @property
    def after(self) -> int:
        """The id of the last item before, in a list in the order of ids; 0 at the beginning."""
        return int(self.position[-1]) if self.position else 0

    @property
    def asked(self) -> int:
        """How many to read so that it is known whether there are more."""
        return self.limit + 1

    def cut(self, found: Sequence[T]) -> tuple[Sequence[T], bool]:
        """What belongs to this page, and whether there is more."""
        return found[: self.limit], len(found) > self.limit


def page(request: Request, limit: int, text: str | None, *, start: int = 0, steps: int = 0) -> Page:
    """The page that the query asks for; without a cursor it begins after the id `start`.

    `steps`: how many values the sort key of the list has, where it was another one in an earlier release.

    :raises InvalidParameter: the cursor is not one that was given out for this list
    """
    if text is None:
        return Page(limit, (start,) if start else ())
    try:
        position = cursor.decode(_key_of(request), _name(request), text)
    except cursor.BadCursor:
        raise bad_cursor() from None
    if steps and len(position) != steps:
        raise bad_cursor()
    return Page(limit, tuple(position))


def bad_cursor() -> InvalidParameter:
    """A cursor that leads nowhere."""
    message = N_("This cursor was not given out for this list. Please begin without one.")
    return InvalidParameter("query", FieldError("cursor", message))


def listing(
    request: Request,
    page: Page,
    items: Sequence[Any],
    last: int | Position | None,
    included: Mapping[str, Any] | None = None,
) -> Response:
    """A page as an answer; `last` is the id of its last item if there are more, or its whole place in another order."""
    following = () if last is None else (last,) if isinstance(last, int) else last
    return listing_of_bytes(request, page, to_json(items)[1:-1], following, included)


def listing_of_bytes(
    request: Request,
    page: Page,
    items: bytes,
    following: Position,
    included: Mapping[str, Any] | None = None,
) -> Response:
    """A page whose items are JSON already, with commas between; the next one begins at `following`, if it is given.

    Of the items it gives the `fields` that are asked for, or 304 where the caller has this very page already.

    :raises InvalidParameter: they have no field of a name that is asked for
    """
    items = fields.of_items(request, items)
    headers = {"Cache-Control": "private, no-cache"}
    text = b"null"
    if following:
        next_cursor = cursor.encode(_key_of(request), _name(request), following)
        text = b'"%s"' % next_cursor.encode()
        address = request.app.state.context.settings.base_url + request.url.path
        query = urlencode([*_asked(request), ("limit", page.limit), ("cursor", next_cursor)])
        headers["Link"] = f'<{address}?{query}>; rel="next"'
    beside = b"" if not included else b',"%s":%s' % (fields.INCLUDED.encode(), to_json(included))
    body = b'{"items":[%s],"next":%s%s}' % (items, text, beside)
    headers["ETag"] = etags.weak(body)
    if etags.matches(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(body, 200, headers, "application/json")


def newest_first(
    request: Request, page: Page, found: Sequence[Any], written: Callable[[str, Any], Any]
) -> Response:
    """A page of a list that was read as a whole, the newest first; `written` takes our address and a thing."""
    earlier = [each for each in found if not page.after or each.id < page.after]
    shown, more = page.cut(sorted(earlier, key=lambda each: each.id, reverse=True))
    base_url = request.app.state.context.settings.base_url
    return listing(request, page, [written(base_url, each) for each in shown], shown[-1].id if more else None)


def following_address(request: Request, following: Position | None) -> str | None:
    """The address, on this site, of the page that begins at `following`; None at the end of the list."""
    if following is None:
        return None
    next_cursor = cursor.encode(_key_of(request), _name(request), following)
    return f"{request.url.path}?{urlencode([*_asked(request), ('cursor', next_cursor)])}"


def _name(request: Request) -> str:
    """What a cursor is bound to: the list, and how it is filtered and sorted; not what of each item is shown."""
    filters = [pair for pair in _asked(request) if pair[0] not in (fields.FIELDS, fields.INCLUDE)]
    return f"{request.url.path}?{urlencode(sorted(filters))}" if filters else request.url.path


def _asked(request: Request) -> list[tuple[str, str]]:
    """What the address asks for beside how much, from where and how long."""
    if len(request.scope["query_string"]) == 0:
        return []
    return [pair for pair in request.query_params.multi_items() if pair[0] not in _OF_THE_PAGE]


def _key_of(request: Request) -> bytes:
    return _key(request.app.state.context.settings.secret_key.get_secret_value())


@lru_cache(maxsize=4)
def _key(secret: str) -> bytes:
    return blake2b(secret.encode(), digest_size=32, person=b"cursor").digest()
