"""What a provider publishes of itself, metadata and keys: fetched, looked through, and kept for a while."""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

import httpx2
import structlog
from joserfc.errors import JoseError
from joserfc.jwk import Key, KeySet, import_key

from app.errors import NotAllowed
from app.integrations.oidc_failures import Distrusted, reason
from app.integrations.provider_settings import ProviderSettings
from app.lib import clock
from app.settings import LOOPBACK

log = structlog.get_logger(__name__)

METADATA_FRESH: Final = timedelta(hours=1)
KEYS_FRESH: Final = timedelta(minutes=10)

RETRY_AFTER: Final = timedelta(seconds=10)
"""How long a provider that did not answer is left alone."""

_FETCH_FAILURES: Final = (httpx2.HTTPError, httpx2.InvalidURL, ValueError, RecursionError, NotAllowed)

# Authlib hands the metadata on as options of its HTTP client, where a provider could name `verify` or
# `transport`; so no other keys pass than these.
_ENDPOINTS: Final = ("authorization_endpoint", "token_endpoint", "jwks_uri")
_OPTIONAL_ENDPOINTS: Final = (
    "userinfo_endpoint",
    "end_session_endpoint",
    "pushed_authorization_request_endpoint",
)
_FLAGS: Final = (
    "authorization_response_iss_parameter_supported",
    "backchannel_logout_supported",
    "backchannel_logout_session_supported",
    "frontchannel_logout_supported",
    "require_pushed_authorization_requests",
)
_LISTS: Final = (
    "acr_values_supported",
    "code_challenge_methods_supported",
    "id_token_signing_alg_values_supported",
    "scopes_supported",
    "token_endpoint_auth_methods_supported",
)
"""For the doctor's eyes alone: nothing that is trusted is taken from these."""


def metadata(
    document: Mapping[str, Any], settings: ProviderSettings, *, allow_loopback: bool
) -> dict[str, Any]:
    """What of a discovery document is used, once it is the right one.

    :raises Distrusted: it is of another issuer, or leads where no browser of ours should go
    """
    if document.get("issuer") != settings.issuer:
        raise Distrusted("metadata_issuer")
    present = [name for name in _OPTIONAL_ENDPOINTS if document.get(name) is not None]
    for name in (*_ENDPOINTS, *present):
        _require_address(name, document.get(name), settings, allow_loopback=allow_loopback)
    return {
        "issuer": settings.issuer,
        **{name: document[name] for name in (*_ENDPOINTS, *present)},
        **{name: document.get(name) is True for name in _FLAGS},
        **{name: _words(document.get(name)) for name in _LISTS},
    }


def keys(document: Mapping[str, Any]) -> KeySet:
    """The keys of a JWKS document that can check signatures.

    :raises Distrusted: there is none
    """
    published = document.get("keys")
    usable = [key for one in published if (key := _key(one))] if isinstance(published, list) else []
    if not usable:
        raise Distrusted("no_keys")
    return KeySet(usable)


class Kept:
    """A document that was fetched: fresh for a while, and better old than none."""

    def __init__(self, fresh: timedelta) -> None:
        self.value: Any = None
        self.fetched_at: datetime | None = None
        self._fresh = fresh
        self._tried_at: datetime | None = None
        self._failure: Exception | None = None
        self._fetching = asyncio.Lock()

    @property
    def failure(self) -> str | None:
        """Why the last try brought nothing, as a word; None where it did."""
        return reason(self._failure) if self._failure else None

    async def get(self, fetch: Any) -> Any:
        """The document; fetched by one of those who wait where it is not fresh."""
        async with self._fetching:
            now = clock.now()
            if not self._is_due(now):
                return self._answer()
            self._tried_at = now
            try:
                self.value = await fetch()
                self.fetched_at, self._failure = now, None
            except _FETCH_FAILURES as error:
                self._failure = error
                log.warning(
                    "provider_document_not_fetched", reason=reason(error), kept=self.value is not None
                )
            return self._answer()

    async def renew(self, fetch: Any) -> Any:
        """The document, fetched now; the one that was kept where that fails."""
        self.fetched_at, self._tried_at = None, None
        return await self.get(fetch)

    def _is_due(self, now: datetime) -> bool:
        if self.fetched_at is not None and now - self.fetched_at < self._fresh:
            return False
        return self._tried_at is None or now - self._tried_at >= RETRY_AFTER

    def _answer(self) -> Any:
        if self.value is None and self._failure is not None:
            raise self._failure
        return self.value


def _require_address(name: str, address: Any, settings: ProviderSettings, *, allow_loopback: bool) -> None:
    """Only https addresses: browsers are sent to some of these, and a `javascript:` one would run."""
    if not isinstance(address, str):
        raise Distrusted(f"metadata_{name}")
    parts = urlsplit(address)
    is_near = parts.hostname in LOOPBACK or address.startswith(f"{settings.issuer}/")
    is_plain = allow_loopback and parts.scheme == "http" and is_near
    if not parts.hostname or parts.username or (parts.scheme != "https" and not is_plain):
        raise Distrusted(f"metadata_{name}")


def _key(published: Any) -> Key | None:
    """A published key, if it can check signatures: symmetric ones, those for encryption and odd ones cannot."""
    if not isinstance(published, dict) or published.get("kty") not in ("RSA", "EC"):
        return None
    if published.get("use", "sig") != "sig":
        return None
    try:
        return import_key(published)
    except (JoseError, ValueError, TypeError, KeyError):
        return None


def _words(listed: Any) -> tuple[str, ...]:
    return (
        tuple(word[:100] for word in listed if isinstance(word, str))[:50] if isinstance(listed, list) else ()
    )
