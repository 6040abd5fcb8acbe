"""Assertions by which a client of ours proves its key (RFC 7523), and the public keys that it gave us for it."""

import json
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from app.lib import clock
from app.lib.i18n import N_

TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

ALGORITHMS: Final = ("EdDSA", "Ed25519", "ES256", "PS256", "RS256")
"""The algorithms of signatures that we take, whatever an assertion says of itself; all asymmetric."""

LONGEST_S: Final = 300
"""How far ahead the end of an assertion may lie."""

LEEWAY_S: Final = 30
MOST_KEYS: Final = 10
LEAST_RSA_BITS: Final = 2048
LONGEST: Final = 8192
"""Characters of an assertion."""

_PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_CURVES: Final = ("P-256", "Ed25519")
_KINDS: Final[Mapping[str, Any]] = {
    "RSA": RSAKey.import_key,
    "EC": ECKey.import_key,
    "OKP": OKPKey.import_key,
}
_REGISTRY: Final = JWSRegistry(algorithms=list(ALGORITHMS))


class Unusable(ValueError):
    """Keys that cannot be taken; `message` is a msgid."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Unproved(ValueError):
    """An assertion that proves nothing; its text is a word of ours."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What an assertion proved: its `jti`, which is good once, and until when it would be good."""

    jti: str
    expires_at: datetime


def public_keys(written: str) -> dict[str, Any]:
    """The public keys of a JWK set that someone pasted: RSA from 2048 bits, P-256 or Ed25519, without private parts.

    :raises Unusable: it is something else
    """
    try:
        told = json.loads(written)
        keys = told["keys"]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise Unusable(N_('Please paste a JWK set: {"keys": […]}.')) from None
    if not isinstance(keys, list) or not 1 <= len(keys) <= MOST_KEYS:
        raise Unusable(N_("Please give between one and ten keys."))
    if any(not isinstance(key, dict) or _PRIVATE & set(key) for key in keys):
        raise Unusable(
            N_("This holds a private or a symmetric key. Please keep it, and give the public half.")
        )
    return {"keys": [_public(key) for key in keys]}


def prove(assertion: str, *, client_id: str, keys: Mapping[str, Any], audiences: tuple[str, ...]) -> Proof:
    """What an assertion proves of the client whose keys these are; it must be for one of `audiences`.

    :raises Unproved: signature, issuer, subject, audience, times or `jti` are not as they must be
    """
    if len(assertion) > LONGEST:
        raise Unproved("too_long")
    try:
        token = jwt.decode(assertion, KeySet.import_key_set(dict(keys)), registry=_REGISTRY)  # type: ignore[arg-type]
    except (JoseError, ValueError, TypeError, KeyError, RecursionError):
        raise Unproved("signature") from None
    return _checked(token.claims, client_id, audiences)


def issuer_of(assertion: str) -> str:
    """Whom an assertion claims to be of, before anything is proved; or an empty text."""
    if len(assertion) > LONGEST:
        return ""
    try:
        payload = assertion.split(".")[1]
        told = json.loads(_decoded(payload))
    except (ValueError, IndexError, RecursionError):
        return ""
    issuer = told.get("iss") if isinstance(told, dict) else None
    return issuer if isinstance(issuer, str) else ""


def _decoded(part: str) -> bytes:
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _checked(claims: Mapping[str, Any], client_id: str, audiences: tuple[str, ...]) -> Proof:
    now = clock.now().timestamp()
    told = claims.get("aud")
    if not (claims.get("iss") == claims.get("sub") == client_id):
        raise Unproved("issuer")
    if (told[0] if isinstance(told, list) and len(told) == 1 else told) not in audiences:
        raise Unproved("audience")
    ends, jti = claims.get("exp"), claims.get("jti")
    if not _is_number(ends) or not now - LEEWAY_S < ends <= now + LONGEST_S + LEEWAY_S:  # type: ignore[operator]
        raise Unproved("times")
    for name in ("nbf", "iat"):
        begins = claims.get(name)
        if begins is not None and not (_is_number(begins) and begins <= now + LEEWAY_S):
            raise Unproved("times")
    if not isinstance(jti, str) or not 1 <= len(jti) <= 255:
        raise Unproved("jti")
    return Proof(jti, datetime.fromtimestamp(float(ends) + LEEWAY_S, UTC))  # type: ignore[arg-type]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _public(told: dict[str, Any]) -> dict[str, Any]:
    try:
        key = _KINDS[told["kty"]](told)
    except (JoseError, ValueError, TypeError, KeyError):
        raise Unusable(N_("One of these is no key that we know: RSA, P-256 or Ed25519.")) from None
    if isinstance(key, RSAKey):
        if key.raw_value.key_size < LEAST_RSA_BITS:
            raise Unusable(N_("An RSA key needs 2048 bits or more."))
    elif told.get("crv") not in _CURVES:
        raise Unusable(N_("One of these is no key that we know: RSA, P-256 or Ed25519."))
    named = {name: told[name] for name in ("kid", "use", "alg") if isinstance(told.get(name), str)}
    return {**key.as_dict(private=False), **named}
