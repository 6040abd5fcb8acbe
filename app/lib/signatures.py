"""Ed25519 signatures of others: whether they are good, and how people compare keys."""

import hashlib
from typing import Final

_GROUPS: Final = 8
_GROUP: Final = 4


def verify(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """Whether `signature` was made over `message` with the other half of `public_key` (RFC 8032); never raises."""
    # Loaded here: only what checks signatures pays for it.
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def fingerprint(public_key: bytes) -> str:
    """128 bits of a key's SHA-256 for people to compare: eight groups of four hexadecimal digits."""
    digits = hashlib.sha256(public_key).hexdigest()
    return " ".join(digits[_GROUP * place : _GROUP * (place + 1)] for place in range(_GROUPS))
