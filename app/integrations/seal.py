"""The installation's seal: pseudonyms on secret ballots, and signatures under what is published.

All keys come from the installation's secret, each for one purpose; none is stored, logged or sent.
"""

import hashlib
import hmac
import secrets
from functools import lru_cache
from typing import TYPE_CHECKING

from app.lib.receipts import new_receipt
from app.lib.secrets import derive
from app.lib.signatures import fingerprint, verify
from app.settings import settings

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

__all__ = ["fingerprint", "new_ballot_key", "new_receipt", "pseudonym", "public_key", "sign", "verify"]


def new_ballot_key() -> bytes:
    """A fresh key of 256 bits for one ballot, to be destroyed when it is counted."""
    return secrets.token_bytes(32)


def pseudonym(ballot_key: bytes, person_id: int) -> bytes:
    """Under what a person's vote is kept on one ballot: 32 bytes, the same each time, linked by no one without the key.

    HMAC-SHA256 whose key is made of the ballot's key and the installation's secret: who has only the database, or only
    the secret, cannot try out people.
    """
    key = hmac.digest(_pseudonym_key(_secret()), ballot_key, hashlib.sha256)
    return hmac.digest(key, b"person %d" % person_id, hashlib.sha256)


def sign(message: bytes) -> bytes:
    """The installation's Ed25519 signature over `message`, 64 bytes; the same message gets the same one."""
    return _signer(_secret()).sign(message)


def public_key() -> bytes:
    """With what anyone can check our signatures: 32 bytes, the same as long as the secret is."""
    return _signer(_secret()).public_key().public_bytes_raw()


def _secret() -> str:
    return settings().secret_key.get_secret_value()


@lru_cache(maxsize=4)
def _pseudonym_key(secret: str) -> bytes:
    return bytes.fromhex(derive(secret, "ballot pseudonyms"))


@lru_cache(maxsize=4)
def _signer(secret: str) -> "Ed25519PrivateKey":
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(derive(secret, "ballot log signatures")))
