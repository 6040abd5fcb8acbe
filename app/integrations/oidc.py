"""Signing in with OpenID Connect: Authlib's client, and the checks that it leaves to us.

`docs/decisions/identity.md` lists what those are. Nothing here writes anywhere: what a provider says becomes
an `Arrival`, and the services decide what that means.
"""

import asyncio
import base64
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

import httpx2
import structlog
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.starlette_client import StarletteOAuth2App
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import BadSignatureError, ClaimError, InvalidKeyIdError, JoseError
from joserfc.jwk import Key, KeySet, import_key
from joserfc.jws import JWSRegistry
from joserfc.jwt import Token

from app.errors import NotAllowed, NotFound, Unavailable
from app.integrations.http import TIMEOUT_S, Guarded
from app.integrations.identity_providers import SIDES, ProviderSettings
from app.lib import clock, secrets
from app.lib.i18n import N_
from app.settings import LOOPBACK

log = structlog.get_logger(__name__)

METADATA_FRESH: Final = timedelta(hours=1)
KEYS_FRESH: Final = timedelta(minutes=10)
FORCED_EVERY: Final = timedelta(minutes=1)
"""How often a bad signature may make us fetch the keys anew: a flood of bad tokens is no flood of fetches."""

RETRY_AFTER: Final = timedelta(seconds=10)
"""How long a provider that did not answer is left alone."""

LEEWAY_S: Final = 60
LONGEST_WAY: Final = timedelta(minutes=10)
"""How old a fresh id_token may be: one that took longer was not made for this sign-in."""

_FETCH_FAILURES: Final = (httpx2.HTTPError, httpx2.InvalidURL, ValueError, RecursionError, NotAllowed)

# Authlib hands the metadata on as options of its HTTP client, where a provider could name `verify` or
# `transport`; so no other keys pass than these.
_ENDPOINTS: Final = ("authorization_endpoint", "token_endpoint", "jwks_uri")
_OPTIONAL_ENDPOINTS: Final = ("userinfo_endpoint", "end_session_endpoint")
_FLAGS: Final = ("authorization_response_iss_parameter_supported",)


_ERROR_CODES: Final = frozenset(
    {
        "access_denied",
        "account_selection_required",
        "consent_required",
        "interaction_required",
        "invalid_request",
        "invalid_scope",
        "login_required",
        "server_error",
        "temporarily_unavailable",
        "unauthorized_client",
        "unsupported_response_type",
    }
)


@dataclass(frozen=True, slots=True)
class Departure:
    """A browser on its way to a provider: where it goes, and what must come back with it."""

    url: str
    state: str
    nonce: str
    code_verifier: str


@dataclass(frozen=True, slots=True)
class Arrival:
    """Who has come back, as the provider vouches for them; `organisation` is the trusted claim's value."""

    provider: ProviderSettings
    subject: str
    name: str | None
    email: str | None
    organisation: str | None
    sid: str | None
    id_token: str


class Distrusted(NotAllowed):
    """A provider's answer that we do not believe. `reason` is for the log: a word, never a person's data."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            N_(
                "The answer of the identity provider could not be trusted, so you were not signed in. "
                "Please try again; if it happens again, tell those who run this site."
            )
        )
        self.reason = reason


class Provider(StarletteOAuth2App):
    """One provider and what we remember of it: its metadata and its keys.

    Authlib builds addresses and exchanges the code; whatever decides whom we believe is overridden.
    """

    def __init__(
        self,
        settings: ProviderSettings,
        *,
        base_url: str,
        transport: httpx2.AsyncBaseTransport,
        allow_loopback: bool = False,
    ) -> None:
        secret = settings.client_secret
        super().__init__(
            framework=None,
            name=settings.id,
            client_id=settings.client_id,
            client_secret=secret.get_secret_value() if secret else None,
            server_metadata_url=f"{settings.issuer.rstrip('/')}/.well-known/openid-configuration",
            client_kwargs={
                "transport": transport,
                "trust_env": False,
                "follow_redirects": False,
                "timeout": TIMEOUT_S,
                "scope": " ".join(settings.scopes),
                "code_challenge_method": "S256",
                "token_endpoint_auth_method": settings.client_auth,
            },
        )
        self.client_auth_methods = [("client_secret_basic", _basic)]
        self.settings = settings
        self._base_url = base_url
        self._allow_loopback = allow_loopback
        self._metadata = _Kept(METADATA_FRESH)
        self._keys = _Kept(KEYS_FRESH)
        self._forced_at: datetime | None = None

    @property
    def redirect_uri(self) -> str:
        """Where the provider sends people back to."""
        return f"{self._base_url}/sign-in/{self.settings.id}/callback"

    async def depart(self) -> Departure:
        """Prepare a sign-in: every value is fresh and random.

        :raises Unavailable: the provider does not answer, or answers nonsense
        """
        async with _named(self.settings.id):
            made = await self.create_authorization_url(
                self.redirect_uri,
                state=secrets.new_hex(),
                nonce=secrets.new_hex(),
                code_verifier=secrets.new_hex(),
            )
        return Departure(made["url"], made["state"], made["nonce"], made["code_verifier"])

    async def redeem(self, answer: Mapping[str, str], *, nonce: str, code_verifier: str) -> Arrival:
        """Who has come back with `answer`, the callback's query, to a sign-in that left with these values.

        :raises NotAllowed: the person or the provider has broken off
        :raises Distrusted: something in the answer is not as it must be
        :raises Unavailable: the provider does not answer, or answers nonsense
        """
        async with _named(self.settings.id):
            await self._require_own_issuer(answer)
            if "error" in answer or "code" not in answer:
                raise _broken_off(self.settings.id, answer.get("error"))
            token = await self.fetch_access_token(
                redirect_uri=self.redirect_uri, code=answer["code"], code_verifier=code_verifier
            )
            if not isinstance(token.get("id_token"), str):
                raise Distrusted("no_id_token")
            claims = await self.parse_id_token(token, nonce)
            told = {**await self._told_by_userinfo(token, claims), **claims}
            return self._arrival(told, token["id_token"])

    async def farewell(self, *, id_token: str | None, state: str) -> str | None:
        """Where to send a browser so that the provider ends its session too; None where that is not to be had."""
        if not self.settings.sign_out:
            return None
        try:
            endpoint = (await self.load_server_metadata()).get("end_session_endpoint")
        except Unavailable:
            return None
        if endpoint is None:
            return None
        query = {
            "client_id": self.settings.client_id,
            "post_logout_redirect_uri": f"{self._base_url}/sign-out/done",
            "state": state,
        } | ({"id_token_hint": id_token} if id_token else {})
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"

    def origins(self) -> set[str]:
        """The origins to which a form of ours may lead on: the issuer's, and those that it has told of."""
        known = self._metadata.value or {}
        addresses = [self.settings.issuer, *(known[name] for name in known if name.endswith("_endpoint"))]
        return {_origin(address) for address in addresses} | set(self.settings.redirect_origins)

    async def load_server_metadata(self) -> dict[str, Any]:
        """What the provider says of itself, an hour old at most, or older where it does not answer now.

        :raises Unavailable: it has not yet answered, or with nonsense
        """
        async with _named(self.settings.id):
            known: dict[str, Any] = await self._metadata.get(self._fetch_metadata)
            return dict(known)

    async def fetch_jwk_set(self, force: bool = False) -> KeySet:  # noqa: FBT001, FBT002 -- Authlib's signature
        """The provider's keys, ten minutes old at most."""
        if force:
            self._keys.forget()
        keys: KeySet = await self._keys.get(self._fetch_keys)
        return keys

    async def parse_id_token(
        self,
        token: Mapping[str, Any],
        nonce: str,
        claims_options: None = None,  # noqa: ARG002 -- Authlib's signature; what must be in is not for callers to say
        claims_cls: None = None,  # noqa: ARG002
        leeway: int = LEEWAY_S,
    ) -> dict[str, Any]:
        """The claims of the id_token, once everything about them has been checked.

        :raises Distrusted: something is not as it must be
        """
        decoded = await self._verified(token["id_token"])
        claims = CodeIDToken(
            decoded.claims,
            decoded.header,
            {
                "iss": {"essential": True, "value": self.settings.issuer},
                "aud": {"essential": True, "value": self.settings.client_id},
            },
            {
                "nonce": nonce,
                "client_id": self.settings.client_id,
                "access_token": token.get("access_token"),
            },
        )
        claims.validate(leeway=leeway)
        if claims["iat"] < clock.now().timestamp() - LONGEST_WAY.total_seconds() - leeway:
            raise Distrusted("id_token_old")
        if not claims["sub"] or len(claims["sub"]) > 255:
            raise Distrusted("sub")
        return dict(claims)

    async def _require_own_issuer(self, answer: Mapping[str, str]) -> None:
        """Compare the answer's `iss` (RFC 9207): another provider's answer must not reach our code's exchange."""
        metadata = await self.load_server_metadata()
        required = metadata.get("authorization_response_iss_parameter_supported", False)
        if answer.get("iss", None if required else self.settings.issuer) != self.settings.issuer:
            raise Distrusted("response_iss")

    async def _verified(self, signed: str) -> Token:
        """A signed token whose signature holds. A bad one makes us look for new keys, once and not too often."""
        try:
            return self._decoded(signed, await self.fetch_jwk_set())
        except (BadSignatureError, InvalidKeyIdError):
            if not self._may_force():
                raise
            return self._decoded(signed, await self.fetch_jwk_set(force=True))

    def _decoded(self, signed: str, keys: KeySet) -> Token:
        registry = JWSRegistry(algorithms=list(self.settings.algorithms), strict_check_header=False)
        return jwt.decode(signed, keys, registry=registry)

    def _may_force(self) -> bool:
        now = clock.now()
        if self._forced_at is not None and now - self._forced_at < FORCED_EVERY:
            return False
        self._forced_at = now
        return True

    async def _told_by_userinfo(self, token: Mapping[str, Any], claims: Mapping[str, Any]) -> dict[str, Any]:
        """What userinfo adds, asked for only where the id_token leaves something open."""
        wanted = (self.settings.name_claim, self.settings.email_claim, self.settings.organisation_claim)
        endpoint = (await self.load_server_metadata()).get("userinfo_endpoint")
        if endpoint is None or all(claim is None or claim in claims for claim in wanted):
            return {}
        if not token.get("access_token"):
            raise Distrusted("no_access_token")
        # Without its expiry: Authlib would try to refresh a token that lives for less than a minute.
        bearer = {"access_token": token["access_token"], "token_type": token.get("token_type", "Bearer")}
        response = await self.get(endpoint, token=bearer)
        response.raise_for_status()
        told = await self._userinfo_claims(response)
        if told.get("sub") != claims["sub"]:
            raise Distrusted("userinfo_sub")
        return told

    async def _userinfo_claims(self, response: httpx2.Response) -> dict[str, Any]:
        if response.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/jwt":
            decoded = await self._verified(response.text)
            if decoded.claims.get("iss") != self.settings.issuer:
                raise Distrusted("userinfo_iss")
            audience = decoded.claims.get("aud")
            if self.settings.client_id not in (audience if isinstance(audience, list) else [audience]):
                raise Distrusted("userinfo_aud")
            return decoded.claims
        told = response.json()
        if not isinstance(told, dict):
            raise Distrusted("userinfo_shape")
        return told

    def _arrival(self, claims: Mapping[str, Any], id_token: str) -> Arrival:
        claim = self.settings.organisation_claim
        return Arrival(
            provider=self.settings,
            subject=claims["sub"],
            name=_name(claims, self.settings.name_claim),
            email=_text(claims.get(self.settings.email_claim)),
            organisation=_single(claims.get(claim)) if claim else None,
            sid=_text(claims.get("sid")),
            id_token=id_token,
        )

    async def _fetch_metadata(self) -> dict[str, Any]:
        metadata = await self._fetch_json(self._server_metadata_url)
        if metadata.get("issuer") != self.settings.issuer:
            raise Distrusted("metadata_issuer")
        for name in _ENDPOINTS:
            self._require_address(name, metadata.get(name))
        present = [name for name in _OPTIONAL_ENDPOINTS if metadata.get(name) is not None]
        for name in present:
            self._require_address(name, metadata[name])
        return {
            "issuer": self.settings.issuer,
            **{name: metadata[name] for name in (*_ENDPOINTS, *present)},
            **{name: metadata.get(name) is True for name in _FLAGS},
        }

    def _require_address(self, name: str, address: Any) -> None:
        """Only https addresses: browsers are sent to some of these, and a `javascript:` one would run."""
        if not isinstance(address, str):
            raise Distrusted(f"metadata_{name}")
        parts = urlsplit(address)
        is_near = parts.hostname in LOOPBACK or address.startswith(f"{self.settings.issuer}/")
        is_plain = self._allow_loopback and parts.scheme == "http" and is_near
        if not parts.hostname or parts.username or (parts.scheme != "https" and not is_plain):
            raise Distrusted(f"metadata_{name}")

    async def _fetch_keys(self) -> KeySet:
        document = await self._fetch_json((await self.load_server_metadata())["jwks_uri"])
        published = document.get("keys")
        keys = [key for one in published if (key := _key(one))] if isinstance(published, list) else []
        if not keys:
            raise Distrusted("no_keys")
        return KeySet(keys)

    async def _fetch_json(self, address: str) -> dict[str, Any]:
        async with self._get_session() as client:
            response = await client.request("GET", address, withhold_token=True)
        if response.status_code != 200:
            raise httpx2.HTTPStatusError("not 200", request=response.request, response=response)
        document = response.json()
        if not isinstance(document, dict):
            raise Distrusted("not_an_object")
        return document


class Providers:
    """The providers of this installation, by name and in the order of the file."""

    def __init__(
        self,
        settings: Iterable[ProviderSettings],
        *,
        base_url: str,
        transport: Guarded,
        allow_loopback: bool = False,
    ) -> None:
        self._transport = transport
        self._all = {
            one.id: Provider(one, base_url=base_url, transport=transport, allow_loopback=allow_loopback)
            for one in settings
        }

    def find(self, id: str) -> Provider:
        """One provider.

        :raises NotFound: there is none of this name
        """
        if id not in self._all:
            raise NotFound(N_("There is no such identity provider. Please choose one from the list."))
        return self._all[id]

    def has(self, id: str) -> bool:
        """Whether there is one of this name; a session may outlive its provider's table."""
        return id in self._all

    def serve_here(self, beginning: str, transport: httpx2.AsyncBaseTransport) -> None:
        """Reach addresses with this beginning through `transport`: this very process serves them."""
        self._transport.serve_here(beginning, transport)

    def by_side(self) -> list[tuple[str, Sequence[ProviderSettings]]]:
        """The sides of the sign-in page that have a provider, each with its providers."""
        sides = [
            (side, [one.settings for one in self._all.values() if one.settings.side == side])
            for side in SIDES
        ]
        return [(side, providers) for side, providers in sides if providers]

    def origins(self) -> list[str]:
        """The origins to which forms of ours lead on, for `form-action` in the content security policy."""
        return sorted(set().union(*(provider.origins() for provider in self._all.values())))

    async def warm(self) -> dict[str, str | None]:
        """Fetch the metadata of all, so that the first sign-in is quick; what is wrong with each, or None."""
        found = await asyncio.gather(
            *(provider.load_server_metadata() for provider in self._all.values()), return_exceptions=True
        )
        return {
            id: str(answer) if isinstance(answer, BaseException) else None
            for id, answer in zip(self._all, found, strict=True)
        }


class _Kept:
    """A document that was fetched: fresh for a while, and better old than none."""

    def __init__(self, fresh: timedelta) -> None:
        self.value: Any = None
        self._fresh = fresh
        self._tried_at: datetime | None = None
        self._fetched_at: datetime | None = None
        self._failure: Exception | None = None
        self._fetching = asyncio.Lock()

    def forget(self) -> None:
        """Have the next `get` fetch, though what is known stays as a last resort."""
        self._fetched_at = self._tried_at = None

    async def get(self, fetch: Any) -> Any:
        """The document; fetched by one of those who wait where it is not fresh."""
        async with self._fetching:
            now = clock.now()
            if not self._is_due(now):
                return self._answer()
            self._tried_at = now
            try:
                self.value = await fetch()
                self._fetched_at, self._failure = now, None
            except _FETCH_FAILURES as error:
                self._failure = error
                log.warning(
                    "provider_document_not_fetched", reason=_reason(error), kept=self.value is not None
                )
            return self._answer()

    def _is_due(self, now: datetime) -> bool:
        if self._fetched_at is not None and now - self._fetched_at < self._fresh:
            return False
        return self._tried_at is None or now - self._tried_at >= RETRY_AFTER

    def _answer(self) -> Any:
        if self.value is None and self._failure is not None:
            raise self._failure
        return self.value


def _basic(client: Any, _: str, uri: str, headers: Any, body: str) -> tuple[str, Any, str]:
    """HTTP Basic with id and secret encoded first (RFC 6749, section 2.3.1), which Authlib leaves out."""
    pair = f"{quote(client.client_id, safe='')}:{quote(client.client_secret, safe='')}"
    headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    return uri, headers, body


@asynccontextmanager
async def _named(provider: str) -> AsyncIterator[None]:
    """Turn what can go wrong on the far side into our own failures. The log gets a reason, never what was sent."""
    try:
        yield
    except Distrusted as error:
        log.warning("sign_in_distrusted", provider=provider, reason=error.reason)
        if error.reason.startswith(("metadata_", "no_keys", "not_an_object")):
            raise _unavailable() from error
        raise
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        log.warning("provider_unavailable", provider=provider, reason=_reason(error))
        raise _unavailable() from error
    except (AuthlibBaseError, JoseError) as error:
        log.warning("sign_in_distrusted", provider=provider, reason=_reason(error))
        raise Distrusted(_reason(error)) from error
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        log.warning("provider_nonsense", provider=provider, reason=_reason(error))
        raise _unavailable() from error


def _unavailable() -> Unavailable:
    return Unavailable(
        N_("The identity provider does not answer as it should. Nothing was saved; please try again later.")
    )


def _broken_off(provider: str, error: str | None) -> NotAllowed:
    log.info("sign_in_broken_off", provider=provider, reason=_word(error))
    return NotAllowed(N_("You were not signed in: the sign-in was broken off at the identity provider."))


def _word(error: str | None) -> str:
    """The provider's error code for the log, if it is one that the standards name."""
    return error if error in _ERROR_CODES else "other"


def _reason(error: Exception) -> str:
    """A short name for a failure: the class, and for a claim which one it was."""
    if isinstance(error, ClaimError):
        return f"{type(error).__name__}:{error.claim[:20]}"
    if isinstance(error, Distrusted):
        return error.reason
    if isinstance(error, AuthlibBaseError):
        return str(error.error)[:40]
    return type(error).__name__


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


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


def _text(claim: Any) -> str | None:
    return claim if isinstance(claim, str) and claim else None


def _single(claim: Any) -> str | None:
    """The one value of a claim, also where it comes in a list or as the only key; of several, none is trusted."""
    if isinstance(claim, list | dict):
        return _text(next(iter(claim))) if len(claim) == 1 else None
    return _text(claim)


def _name(claims: Mapping[str, Any], claim: str) -> str | None:
    parts = [text for part in ("given_name", "family_name") if (text := _text(claims.get(part)))]
    return _text(claims.get(claim)) or " ".join(parts) or _text(claims.get("preferred_username"))
