"""Our own keys for providers that want `private_key_jwt`: made, read, published, and used to say who we are."""

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from app.lib import clock, secrets

LEAST_RSA_BITS: Final = 2048
ASSERTION_LASTS: Final = timedelta(seconds=60)

_OF_CURVE: Final = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}


@dataclass(frozen=True, slots=True)
class ClientKey:
    """One private key of ours. `file` is where it lies; whoever may read the file can sign in our name."""

    file: Path
    key: RSAKey | ECKey = field(repr=False)

    @property
    def kid(self) -> str:
        """The key's name: its thumbprint (RFC 7638), so that a file may be moved."""
        return self.key.thumbprint()

    @property
    def algorithm(self) -> str:
        """What it signs with."""
        return _OF_CURVE[self.key.curve_name] if isinstance(self.key, ECKey) else "RS256"

    @property
    def is_private_to_us(self) -> bool:
        """Whether only its owner may read the file."""
        return not stat.S_IMODE(self.file.stat().st_mode) & (stat.S_IRWXG | stat.S_IRWXO)


def make(file: Path) -> ClientKey:
    """Write a new key to `file`, which must not be there yet, readable by its owner alone.

    :raises FileExistsError: something is there
    """
    key = RSAKey.generate_key(LEAST_RSA_BITS)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        out.write(key.as_pem(private=True))
    return ClientKey(file, key)


def read(file: Path) -> ClientKey:
    """The key in a PEM file.

    :raises OSError: the file cannot be read
    :raises ValueError: it is no private key, or one that is too weak; the message says what to do
    """
    pem = file.read_bytes()
    for kind in (RSAKey, ECKey):
        try:
            key: RSAKey | ECKey = kind.import_key(pem)
        except (JoseError, ValueError, TypeError):
            continue
        _require_usable(key)
        return ClientKey(file, key)
    raise ValueError("holds no private RSA or EC key in PEM; make one with: partnership provider key FILE")


def published(keys: Sequence[ClientKey]) -> dict[str, Any]:
    """The public halves as a JWKS document, for the provider to fetch."""
    return {
        "keys": [one.key.as_dict(private=False, kid=one.kid, use="sig", alg=one.algorithm) for one in keys]
    }


def assertion(key: ClientKey, *, client_id: str, audience: str) -> str:
    """A signed statement that we are `client_id`, for `audience` alone and a minute (RFC 7523)."""
    now = int(clock.now().timestamp())
    claims = {
        "iss": client_id,
        "sub": client_id,
        "aud": audience,
        "jti": secrets.new_hex(),
        "iat": now,
        "exp": now + int(ASSERTION_LASTS.total_seconds()),
    }
    header = {"alg": key.algorithm, "kid": key.kid, "typ": "JWT"}
    return jwt.encode(header, claims, key.key, [key.algorithm])


def _require_usable(key: RSAKey | ECKey) -> None:
    private = key.private_key
    if private is None:
        raise ValueError("holds a public key alone; name the private one")
    if isinstance(private, rsa.RSAPrivateKey) and private.key_size < LEAST_RSA_BITS:
        raise ValueError(f"has {private.key_size} bits; an RSA key needs {LEAST_RSA_BITS} or more")
    if isinstance(private, ec.EllipticCurvePrivateKey) and key.as_dict(private=False)["crv"] not in _OF_CURVE:
        raise ValueError("lies on a curve that providers do not take; use P-256, P-384 or P-521")
