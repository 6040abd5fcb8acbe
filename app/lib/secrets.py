"""Secrets that we hand out: how they are made, hashed, compared, and recognised by their form."""

import hashlib
import hmac
import secrets
import zlib
from typing import Final

TOKEN_PREFIX: Final = "pfc_pat_"  # noqa: S105 -- a name, not a secret
"""What every personal access token begins with, so that scanners and people recognise a leaked one."""

_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_RANDOM_LENGTH: Final = 32
_CHECKSUM_LENGTH: Final = 6


def new_secret() -> str:
    """A fresh secret of 256 bits, safe in a cookie or an address."""
    return secrets.token_urlsafe(32)


def new_hex() -> str:
    """A fresh secret of 256 bits in 64 hexadecimal digits: some providers take letters and digits only."""
    return secrets.token_hex(32)


def digest(secret: str) -> bytes:
    """The SHA-256 of a secret: what is stored in its place.

    Our secrets are random and long, so that a slow hash would add cost and no safety.
    """
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def derive(secret: str, purpose: str) -> str:
    """Another secret made from `secret`, of no use for any other purpose and no way back."""
    return hmac.new(secret.encode(), purpose.encode(), hashlib.sha256).hexdigest()


def same(one: str, other: str) -> bool:
    """Whether two secrets are the same, in a time that does not tell where they differ."""
    return hmac.compare_digest(one.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass"))


def new_token() -> str:
    """A fresh personal access token: the prefix, 190 random bits, a checksum."""
    random = "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM_LENGTH))
    return f"{TOKEN_PREFIX}{random}{_checksum(random)}"


def is_token(text: str) -> bool:
    """Whether `text` has the form and the checksum of our tokens: a typing error costs no look-up."""
    body = text.removeprefix(TOKEN_PREFIX)
    if body == text or len(body) != _RANDOM_LENGTH + _CHECKSUM_LENGTH or not body.isascii():
        return False
    return _checksum(body[:_RANDOM_LENGTH]) == body[_RANDOM_LENGTH:]


def _checksum(random: str) -> str:
    rest = zlib.crc32(random.encode())
    digits = ""
    for _ in range(_CHECKSUM_LENGTH):
        rest, digit = divmod(rest, len(_ALPHABET))
        digits = _ALPHABET[digit] + digits
    return digits
