"""Forged requests: a write must come from one of our own pages."""

from collections.abc import Iterable
from enum import Enum
from typing import Final

from app.lib import secrets

FIELD: Final = "csrf"
"""The name of the hidden field that each form of a page carries."""

_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_OUR_SITES: Final = frozenset({b"same-origin", b"none"})
"""`none` is a reader who reloads or types; no page can cause it."""


class Verdict(Enum):
    """What is known of where a request comes from."""

    OURS = "ours"
    FOREIGN = "foreign"
    UNKNOWN = "unknown"


def check(method: str, headers: Iterable[tuple[bytes, bytes]], base_url: str) -> Verdict:
    """Whether a request comes from a page of ours, told from its method and raw headers alone.

    Browsers say it in `Sec-Fetch-Site`, older ones in `Origin`, and no page can make them lie. `UNKNOWN`
    means that neither is there although a cookie is: such a form must carry the token in `FIELD`. A request
    with a bearer token, or with no cookie at all, borrows nobody's identity.
    """
    if method in _SAFE_METHODS:
        return Verdict.OURS
    found = _found(headers)
    if b"sec-fetch-site" in found:
        return Verdict.OURS if found[b"sec-fetch-site"] in _OUR_SITES else Verdict.FOREIGN
    if b"origin" in found:
        return Verdict.OURS if found[b"origin"] == base_url.lower().encode() else Verdict.FOREIGN
    if found.get(b"authorization", b"").startswith(b"bearer ") or b"cookie" not in found:
        return Verdict.OURS
    return Verdict.UNKNOWN


def csrf_token(session_secret: str) -> str:
    """The token for the forms of a session: made from its cookie, which no other site can read.

    It stays the same when the cookie's secret is changed, so that forms that are open can still be sent.
    """
    return secrets.derive(secrets.lasting(session_secret), "csrf") if session_secret else ""


def matches(session_secret: str, given: object) -> bool:
    """Whether `given`, the form's field, is the token of this session."""
    return bool(session_secret) and isinstance(given, str) and secrets.same(csrf_token(session_secret), given)


def _found(headers: Iterable[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """The headers that count. A repeated one has two values joined, and so equals none that we accept."""
    wanted: dict[bytes, bytes] = {}
    for name, value in headers:
        if name in (b"sec-fetch-site", b"origin", b"authorization", b"cookie"):
            wanted[name] = wanted[name] + b"," + value if name in wanted else value.strip().lower()
    return wanted
