"""The installation's seal: pseudonyms on secret ballots, signatures under what is published, links that decide,
and the secrets of webhooks while they are kept.

All keys come from the installation's secret, each for one purpose; none is stored, logged or sent.
"""

import base64
import hashlib
import hmac
import secrets
from functools import lru_cache
from typing import TYPE_CHECKING

from app.lib import secrets as sealing
from app.lib.receipts import new_receipt
from app.lib.secrets import derive, same
from app.lib.signatures import fingerprint, verify
from app.settings import settings

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

__all__ = [
    "fingerprint",
    "invitation_token",
    "is_invitation",
    "is_link",
    "link_id",
    "link_token",
    "new_ballot_key",
    "new_receipt",
    "pseudonym",
    "public_key",
    "seal_webhook_secret",
    "sign",
    "unseal_webhook_secret",
    "verify",
]


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


def link_token(link_id: int, nonce: bytes) -> str:
    """What stands in the address of a decision link: its id, and a signature that only we can make of it."""
    return f"{link_id}.{_signature(_link_key(_secret()), link_id, nonce)}"


def link_id(token: str) -> int | None:
    """Of which link `token` says that it is, so that its nonce can be looked up; None if it has not that form."""
    number, _, signature = token.partition(".")
    is_formed = number.isascii() and number.isdecimal() and len(number) <= 15 and len(signature) == 43
    return int(number) if is_formed else None


def is_link(token: str, link_id: int, nonce: bytes) -> bool:
    """Whether `token` is the link's own, in a time that does not tell where it differs."""
    return same(token, link_token(link_id, nonce))


def invitation_token(invitation_id: int, nonce: bytes) -> str:
    """What stands in the address of an invitation: as a decision link's, by a key of its own; `link_id` reads it."""
    return f"{invitation_id}.{_signature(_invitation_key(_secret()), invitation_id, nonce)}"


def is_invitation(token: str, invitation_id: int, nonce: bytes) -> bool:
    """Whether `token` is the invitation's own, in a time that does not tell where it differs."""
    return same(token, invitation_token(invitation_id, nonce))


def seal_webhook_secret(secret: str) -> bytes:
    """A webhook's secret as it is kept: without the installation's secret nobody can read or change it."""
    return sealing.seal(_webhook_key(_secret()), secret.encode())


def unseal_webhook_secret(sealed: bytes) -> str | None:
    """The webhook's secret, to sign with; None where the installation's secret is another one now."""
    secret = sealing.unseal(_webhook_key(_secret()), sealed)
    return None if secret is None else secret.decode()


def _signature(key: bytes, id: int, nonce: bytes) -> str:
    signed = hmac.digest(key, b"%d " % id + nonce, hashlib.sha256)
    return base64.urlsafe_b64encode(signed).rstrip(b"=").decode()


def _secret() -> str:
    return settings().secret_key.get_secret_value()


@lru_cache(maxsize=4)
def _pseudonym_key(secret: str) -> bytes:
    return bytes.fromhex(derive(secret, "ballot pseudonyms"))


@lru_cache(maxsize=4)
def _link_key(secret: str) -> bytes:
    return bytes.fromhex(derive(secret, "decision links"))


@lru_cache(maxsize=4)
def _invitation_key(secret: str) -> bytes:
    return bytes.fromhex(derive(secret, "invitations"))


@lru_cache(maxsize=4)
def _webhook_key(secret: str) -> str:
    return derive(secret, "webhook secrets")


@lru_cache(maxsize=4)
def _signer(secret: str) -> "Ed25519PrivateKey":
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(derive(secret, "ballot log signatures")))
