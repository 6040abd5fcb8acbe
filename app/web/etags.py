"""ETags: one for each state of an item, so that nothing is sent twice and nothing newer is overwritten.

A tag is `"<version>-<digest>"`. The digest is over the bytes of the answer, so it changes with anything that
shows. A write compares the version alone: someone's support in the meantime does not refuse an edit.
"""

import hashlib
import re
from collections.abc import Callable
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from app.errors import Moved
from app.lib.i18n import N_
from app.web import fields
from app.web.problems import BadRequest, PreconditionRequired

CACHING: Final = "private, no-cache, no-transform"
"""Kept by the caller alone and asked for each time; not compressed on the way, for a strong tag is of these bytes."""

_TAG: Final = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
_LIST: Final = re.compile(rf"{_TAG.pattern}([ \t]*,[ \t]*{_TAG.pattern})*")
_OURS: Final = re.compile(r"([0-9]{1,18})-[0-9a-f]{16}")


def tag(body: bytes, version: int) -> str:
    """The strong ETag of an item's bytes."""
    return f'"{version}-{hashlib.blake2b(body, digest_size=8).hexdigest()}"'


def item(
    request: Request, body: bytes, version: int, *, status: int = 200, location: str | None = None
) -> Response:
    """An item as an answer, with the fields that are asked for, or 304 where the caller has it already.

    :raises InvalidParameter: it has no field of a name that is asked for
    """
    body = fields.of_item(request, body)
    etag = tag(body, version)
    headers = {"ETag": etag, "Cache-Control": CACHING}
    if location is not None:
        headers["Location"] = location
    if request.method == "GET" and matches(request, etag):
        return Response(status_code=304, headers=headers)
    return Response(body, status, headers, "application/json")


def weak(body: bytes) -> str:
    """The weak ETag of a list's bytes: whether it has changed, however it is packed on the way."""
    return f'W/"{hashlib.blake2b(body, digest_size=8).hexdigest()}"'


def sent(request: Request, name: str) -> str | None:
    """A header that is a list: in however many lines it came, as one (RFC 9110, section 5.3); None without it."""
    lines = request.headers.getlist(name)
    return ", ".join(lines) if lines else None


def matches(request: Request, etag: str) -> bool:
    """Whether `If-None-Match` names this tag; by weak comparison, as it asks for."""
    header = sent(request, "if-none-match")
    if header is None:
        return False
    return header.strip() == "*" or etag.removeprefix("W/").strip('"') in (
        opaque for _, opaque in _TAG.findall(header)
    )


def expected(request: Request) -> frozenset[int] | None:
    """The versions that `If-Match` would have; None for any (`*`).

    :raises PreconditionRequired: there is no such header
    :raises BadRequest: it is no list of tags
    """
    header = sent(request, "if-match")
    if header is None:
        raise PreconditionRequired(N_("Please send If-Match with the ETag of the version that you mean."))
    if header.strip() == "*":
        return None
    if not _LIST.fullmatch(header.strip()):
        raise BadRequest(N_("If-Match is no list of ETags."))
    found = (_OURS.fullmatch(opaque) for weak, opaque in _TAG.findall(header) if not weak)
    return frozenset(int(ours[1]) for ours in found if ours)


def weighed(request: Request) -> frozenset[int] | None:
    """The versions that `If-Match` would have, where it may be left out: then any.

    :raises BadRequest: it is no list of tags
    """
    return expected(request) if "if-match" in request.headers else None


def meant(versions: frozenset[int] | None, current: Callable[[], int]) -> int | None:
    """The version that the caller means, for a service to compare; None for any. Of several the `current` one.

    :raises Moved: there are several, or none that can be ours, and the current one is not among them
    """
    if versions is None:
        return None
    return next(iter(versions)) if len(versions) == 1 else chosen(versions, current())


def chosen(versions: frozenset[int] | None, current: int) -> int:
    """The current version, if it is among those that the caller means.

    :raises Moved: it is not
    """
    if versions is not None and current not in versions:
        raise Moved(N_("This has changed in the meantime. Please read it again."), current=current)
    return current
