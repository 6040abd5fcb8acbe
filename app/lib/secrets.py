"""Secrets that we hand out: how they are made, hashed, compared, and recognised by their form."""

import base64
import hashlib
import hmac
import secrets
import zlib
from typing import Final

TOKEN_PREFIX: Final = "pfc_pat_"  # noqa: S105 -- a name, not a secret
"""What every personal access token begins with, so that scanners and people recognise a leaked one."""

CLIENT_TOKEN_PREFIX: Final = "pfc_cat_"  # noqa: S105 -- a name, not a secret
"""What every token of a client begins with."""

CLIENT_SECRET_PREFIX: Final = "pfc_cs_"  # noqa: S105 -- a name, not a secret
"""What every secret of a client begins with."""

WEBHOOK_SECRET_PREFIX: Final = "whsec_"  # noqa: S105 -- a name, not a secret
"""What every secret of a webhook begins with, by the Standard Webhooks specification."""

_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_RANDOM_LENGTH: Final = 32
_CHECKSUM_LENGTH: Final = 6
_NONCE_BYTES: Final = 12


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


def renewed(secret: str) -> str:
    """Another secret in the place of one in a cookie: its first part stays, so that `lasting` gives the same."""
    return f"{lasting(secret)}.{new_secret()}"


def lasting(secret: str) -> str:
    """The part of a cookie's secret that `renewed` leaves: it opens nothing, and forms that are open hang on it."""
    return secret.partition(".")[0]


def seal(key: str, plain: bytes) -> bytes:
    """`plain` so that only who has `key` can read it, and nobody can change it (AES-256-GCM)."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(digest(key)).encrypt(nonce, plain, None)


def unseal(key: str, sealed: bytes) -> bytes | None:
    """What `seal` took, or None: another key, or something was changed."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        return AESGCM(digest(key)).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], None)
    except (InvalidTag, ValueError):
        return None


def same(one: str, other: str) -> bool:
    """Whether two secrets are the same, in a time that does not tell where they differ."""
    return hmac.compare_digest(one.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass"))


def same_bytes(one: bytes, other: bytes) -> bool:
    """Whether two digests are the same, in a time that does not tell where they differ."""
    return hmac.compare_digest(one, other)


def new_token(prefix: str = TOKEN_PREFIX) -> str:
    """A fresh access token: the prefix, 190 random bits, a checksum."""
    random = "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM_LENGTH))
    return f"{prefix}{random}{_checksum(random)}"


def new_webhook_secret() -> str:
    """A fresh secret of a webhook, 256 bits in base64, as the Standard Webhooks specification writes it."""
    return WEBHOOK_SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def is_token(text: str) -> bool:
    """Whether `text` has the form and the checksum of our tokens: a typing error costs no look-up."""
    body = text.removeprefix(TOKEN_PREFIX).removeprefix(CLIENT_TOKEN_PREFIX)
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
