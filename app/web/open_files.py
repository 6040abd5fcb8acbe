"""Files for everyone: with a strong tag, so that nobody fetches twice what is the same."""

import hashlib
from collections.abc import Sequence
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from app.errors import NotFound
from app.lib.i18n import N_
from app.services.open_data import FileView
from app.web import catalogue, etags
from app.web.catalogue import Statement

CACHING: Final = "public, no-cache, no-transform"
"""Kept by anyone, and asked for each time, so that what is taken back is gone at once."""

_FOR_ALL: Final = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}
"""Pages of other sites may read it too: it is the same for everyone, with a cookie or without."""

_FORMS: Final = {
    "jsonld": ("application/ld+json", catalogue.json_ld),
    "ttl": ("text/turtle; charset=utf-8", catalogue.turtle),
}


def by_table(files: Sequence[FileView]) -> dict[str, list[FileView]]:
    """The files of each table."""
    found: dict[str, list[FileView]] = {}
    for each in files:
        found.setdefault(each.table, []).append(each)
    return found


def described(request: Request, said: list[Statement], form: str) -> Response:
    """A catalogue in the form that is asked for.

    :raises NotFound: there is no such form
    """
    if form not in _FORMS:
        raise NotFound(N_("There is no such file."))
    media_type, write = _FORMS[form]
    return answer(request, write(said), media_type)


def file(request: Request, digest: str, content: bytes, name: str, form: str) -> Response:
    """A file of open data."""
    disposition = {"Content-Disposition": f'attachment; filename="{name}.{form}"'}
    return answer(request, content, catalogue.MEDIA_TYPES[form], digest=digest, headers=disposition)


def answer(
    request: Request, content: bytes, media_type: str, *, digest: str = "", headers: Any = None
) -> Response:
    """The same bytes for everyone, or the word that they are still the same."""
    etag = f'"{digest or hashlib.sha256(content).hexdigest()}"'
    told = {"ETag": etag, "Cache-Control": CACHING, **_FOR_ALL}
    if etags.matches(request, etag):
        return Response(status_code=304, headers=told)
    return Response(content, headers={**told, **(headers or {})}, media_type=media_type)
