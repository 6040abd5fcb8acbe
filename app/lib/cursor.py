"""A place in a list as an opaque, signed text: what was given out comes back unchanged or not at all."""

import base64
import binascii
import hmac
import json
from collections.abc import Sequence

Position = Sequence[int | str | None]

_SIGNATURE_BYTES = 12
_LONGEST = 1500
"""Room for a title of 120 characters of any kind."""


class BadCursor(ValueError):
    """The text was not given out for this list, or was changed on the way."""


def encode(key: bytes, listing: str, position: Position) -> str:
    """`position` in `listing` as text for an address: readable to nobody but us, bound to this list."""
    payload = json.dumps(list(position), separators=(",", ":"), ensure_ascii=False).encode()
    return base64.urlsafe_b64encode(_sign(key, listing, payload) + payload).rstrip(b"=").decode()


def decode(key: bytes, listing: str, text: str) -> list[int | str | None]:
    """The position that `encode` was given.

    :raises BadCursor: the text was tampered with, cut short, or belongs to another list
    """
    if len(text) > _LONGEST or not text.isascii():
        raise BadCursor
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadCursor from error
    signature, payload = raw[:_SIGNATURE_BYTES], raw[_SIGNATURE_BYTES:]
    if not hmac.compare_digest(signature, _sign(key, listing, payload)):
        raise BadCursor
    position: list[int | str | None] = json.loads(payload)
    return position


def _sign(key: bytes, listing: str, payload: bytes) -> bytes:
    return hmac.digest(key, b"cursor\0" + listing.encode() + b"\0" + payload, "sha256")[:_SIGNATURE_BYTES]
