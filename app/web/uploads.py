"""Files that are brought: larger than any other body, so they are read only once it is known who brings them."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from starlette.requests import ClientDisconnect, Request
from starlette.types import Message, Receive

from app.errors import FieldError, Invalid, TooLarge, Unavailable
from app.lib import rows
from app.lib.i18n import N_
from app.lib.rows import Unreadable
from app.services.imports import MOST_BYTES
from app.web import bodies, import_rows
from app.web.problems import BadRequest, UnsupportedMediaType

MEDIA_TYPES: Final = {
    "text/csv": rows.CSV,
    "application/json": rows.JSON,
    "application/x-ndjson": rows.JSON_LINES,
    "application/jsonl": rows.JSON_LINES,
}
"""What is taken by the API, and what it is read as."""

ENDINGS: Final = {".csv": rows.CSV, ".json": rows.JSON, ".jsonl": rows.JSON_LINES, ".ndjson": rows.JSON_LINES}
"""What a page takes a file for, by the end of its name: browsers say all kinds of things of a CSV."""

ROOM: Final = MOST_BYTES + 64 * 1024
"""A form has fields and headers besides its file."""

AT_ONCE: Final = 4
"""Large files that one process holds at the same time."""

_PLACES: Final = re.compile(r"/api/v1/programmes/[0-9]+/imports|/admin/imports")
_in_hand = 0


def is_for(method: str, path: str) -> bool:
    """Whether a file may come to this address."""
    return method == "POST" and _PLACES.fullmatch(path) is not None


def is_large(declared: bytes) -> bool:
    """Whether a body is larger than any other, by what it declares, or may be.

    :raises TooLarge: larger than any file, or of a length that is none
    """
    if not declared:
        return True
    if not declared.isdigit() or int(declared) > ROOM:
        raise too_large()
    return int(declared) > bodies.MOST_BYTES


def too_large() -> TooLarge:
    """A file that is larger than we take."""
    return TooLarge(N_("The file is larger than %(most)s MB."), most=MOST_BYTES // 1024**2)


def counted(receive: Receive) -> Receive:
    """`receive`, which takes no more than there is room for."""
    left = ROOM

    async def receive_some() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise too_large()
        return message

    return receive_some


@asynccontextmanager
async def turn(request: Request) -> AsyncIterator[None]:
    """One of the few turns to bring a large file; what came as any other body needs none.

    :raises Unavailable: all are taken
    """
    global _in_hand  # noqa: PLW0603 -- of this process, as its memory is
    if "body" in request.scope["state"]:
        yield
        return
    if _in_hand >= AT_ONCE:
        raise Unavailable(N_("Several files are being brought just now. Please try again in a moment."))
    _in_hand += 1
    try:
        yield
    finally:
        _in_hand -= 1


async def take(request: Request) -> tuple[bytes, str]:
    """The body of a call, and what it is read as; the fingerprint of the call is taken over it too.

    :raises UnsupportedMediaType: it is of a kind that is not taken, in another encoding, or compressed
    :raises TooLarge: it is larger than `MOST_BYTES`
    :raises BadRequest: it ended too early
    """
    media_type, _, parameters = request.headers.get("content-type", "").partition(";")
    format = MEDIA_TYPES.get(media_type.strip().lower())
    charset = parameters.lower().partition("charset=")[2].partition(";")[0].strip().strip('"') or "utf-8"
    if format is None or charset not in ("utf-8", "utf8"):
        raise UnsupportedMediaType(
            N_("Please send text/csv, application/json or application/x-ndjson, in UTF-8.")
        )
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise UnsupportedMediaType(N_("Please send the body uncompressed."))
    state = request.scope["state"]
    if "body" not in state:
        try:
            state["body"] = b"".join([piece async for piece in request.stream()])
        except ClientDisconnect:
            raise BadRequest(N_("The request ended too early. Nothing was saved.")) from None
    content: bytes = state["body"]
    if len(content) > MOST_BYTES:
        raise too_large()
    return content, format


def check(content: bytes, kind: str, format: str) -> None:
    """Look at a file before it is kept: whether it is text, and names its columns as it should.

    :raises Invalid: it says what is wrong, and where
    """
    try:
        rows.check_text(content)
        wrong = import_rows.check(kind, format, rows.opened([content])) if content else []
    except Unreadable as error:
        wrong = [FieldError("file", error.message, tuple(error.values.items()))]
    if wrong:
        raise Invalid(*wrong)
