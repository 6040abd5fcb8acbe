"""Signing in with OpenID Connect: Authlib's client, and the checks that it leaves to us.

`docs/decisions/identity.md` lists what those are. Nothing here writes anywhere: what a provider says becomes
an `Arrival`, and the services decide what that means.
"""

import asyncio
import base64
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import httpx2
import structlog
from authlib.integrations.starlette_client import StarletteOAuth2App
from joserfc import jwt
from joserfc.errors import BadSignatureError, InvalidKeyIdError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry
from joserfc.jwt import Token

from app.errors import NotFound, Unavailable
from app.integrations import client_keys, oidc_checks, oidc_documents
from app.integrations.arrivals import Arrival, Asked, Departure, LogoutNotice, Testimony
from app.integrations.http import TIMEOUT_S, Guarded
from app.integrations.identity_providers import SIDES
from app.integrations.oidc_documents import KEYS_FRESH, METADATA_FRESH, Kept
from app.integrations.oidc_failures import BrokenOff, Distrusted, Unreachable, named
from app.integrations.provider_settings import ProviderSettings
from app.lib import clock, secrets
from app.lib.i18n import N_

log = structlog.get_logger(__name__)

__all__ = ["Arrival", "Departure", "Distrusted", "Provider", "Providers"]

FORCED_EVERY: Final = timedelta(minutes=1)
"""How often a bad signature may make us fetch the keys anew: a flood of bad tokens is no flood of fetches."""

_ASSERTION: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


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
            server_metadata_url=settings.discovery
            or f"{settings.issuer.rstrip('/')}/.well-known/openid-configuration",
            client_kwargs={
                "transport": transport,
                "trust_env": False,
                "follow_redirects": False,
                "timeout": TIMEOUT_S,
                "scope": " ".join(settings.scopes),
                "code_challenge_method": "S256" if settings.pkce else None,
                "token_endpoint_auth_method": settings.client_auth,
            },
        )
        self.client_auth_methods = [("client_secret_basic", _basic), ("private_key_jwt", self._signed)]
        self.settings = settings
        self._base_url = base_url
        self._allow_loopback = allow_loopback
        self._metadata = Kept(METADATA_FRESH)
        self._keys = Kept(KEYS_FRESH)
        self._forced_at: datetime | None = None

    @property
    def redirect_uri(self) -> str:
        """Where the provider sends people back to."""
        return f"{self._base_url}/sign-in/{self.settings.id}/callback"

    async def depart(self, *, fresh: bool = False) -> Departure:
        """Prepare a sign-in: every value is random. `fresh`: the provider shall ask anew who is there.

        Whether it did is for `hear` to compare.

        :raises Unavailable: the provider does not answer, or answers nonsense
        """
        async with named(self.settings.id):
            made = await self.create_authorization_url(
                self.redirect_uri,
                state=secrets.new_hex(),
                nonce=secrets.new_hex(),
                code_verifier=(verifier := secrets.new_hex()),
                **self._wishes(fresh=fresh),
            )
            url = await self._pushed(made["url"]) if await self._pushes() else made["url"]
        return Departure(url, made["state"], made["nonce"], verifier)

    async def redeem(self, answer: Mapping[str, str], *, nonce: str, code_verifier: str) -> Arrival:
        """Who has come back with `answer`, the callback's query, to a sign-in that left with these values.

        :raises NotAllowed: the person or the provider has broken off
        :raises Distrusted: something in the answer is not as it must be
        :raises Unavailable: the provider does not answer, or answers nonsense
        """
        return (await self.hear(answer, Asked(nonce, code_verifier, clock.now()))).arrival

    async def hear(self, answer: Mapping[str, str], asked: Asked) -> Testimony:
        """All that the provider says of the one who has come back; fails as `redeem` does."""
        asked = replace(asked, max_age_s=self._max_age_s(asked.max_age_s))
        async with named(self.settings.id):
            oidc_checks.answer(answer, await self.load_server_metadata(), self.settings)
            if "error" in answer or "code" not in answer:
                raise BrokenOff(answer.get("error"))
            proof = {"code_verifier": asked.code_verifier} if self.settings.pkce else {}
            token = await self.fetch_access_token(
                redirect_uri=self.redirect_uri, code=answer["code"], **proof
            )
            if not isinstance(token.get("id_token"), str):
                raise Distrusted("no_id_token")
            signed = oidc_checks.identity(
                await self._verified(token["id_token"]),
                self.settings,
                asked,
                access_token=token.get("access_token"),
            )
            told = await self._told_by_userinfo(token, signed)
            arrival = oidc_checks.arrival({**told, **signed}, signed, self.settings, token["id_token"])
            return Testimony(arrival, signed, told)

    async def notice(self, logout_token: str) -> LogoutNotice:
        """What a logout token says, once everything about it has been checked but whether it was used before.

        :raises Distrusted: something is not as it must be
        :raises Unavailable: the provider's keys cannot be had
        """
        async with named(self.settings.id):
            return oidc_checks.logout(await self._verified(logout_token), self.settings)

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
        known = {
            "client_id": self.settings.client_id,
            "post_logout_redirect_uri": f"{self._base_url}/sign-out/done",
            "state": state,
            "id_token_hint": id_token,
        }
        wanted: tuple[str, ...] = self.settings.sign_out_with
        query = {name: value for name in wanted if (value := known[name])}
        return _with_query(endpoint, query)

    async def published_by_them(self) -> KeySet:
        """The provider's keys, ten minutes old at most.

        :raises Unavailable: they cannot be had
        """
        async with named(self.settings.id):
            return await self.fetch_jwk_set()

    def published_keys(self) -> dict[str, Any]:
        """Our own public keys, for the provider to fetch.

        :raises NotFound: we prove ourselves to it in another way
        """
        if not self.settings.client_keys:
            raise NotFound(N_("There are no keys of ours for this identity provider."))
        return client_keys.published(self.settings.client_keys)

    def origins(self) -> set[str]:
        """The origins to which a form of ours may lead on: the issuer's, and those that it has told of."""
        known = self._metadata.value or {}
        addresses = [self.settings.issuer, *(known[name] for name in known if name.endswith("_endpoint"))]
        return {_origin(address) for address in addresses} | set(self.settings.redirect_origins)

    async def load_server_metadata(self) -> dict[str, Any]:
        """What the provider says of itself, an hour old at most, or older where it does not answer now.

        :raises Unavailable: it has not yet answered, or with nonsense
        """
        async with named(self.settings.id):
            known: dict[str, Any] = await self._metadata.get(self._fetch_metadata)
            return dict(known)

    async def fetch_jwk_set(self, force: bool = False) -> KeySet:  # noqa: FBT001, FBT002 -- Authlib's signature
        """The provider's keys, ten minutes old at most."""
        get = self._keys.renew if force else self._keys.get
        keys: KeySet = await get(self._fetch_keys)
        return keys

    async def parse_id_token(self, *_: Any, **__: Any) -> Any:
        """Authlib's own check of an id_token, which believes too much: `hear` is the one way in."""
        raise NotImplementedError

    def _wishes(self, *, fresh: bool) -> dict[str, Any]:
        """What a departure asks for besides the usual."""
        of = self.settings
        oldest = 0 if fresh else of.max_age_s
        wishes = {
            "acr_values": " ".join(of.acr_values) or None,
            "prompt": "login" if fresh else of.prompt,
            "max_age": None if oldest is None else str(oldest),
            "claims": json.dumps(of.claims, separators=(",", ":")) if of.claims else None,
        }
        return {**of.parameters, **{name: value for name, value in wishes.items() if value is not None}}

    def _max_age_s(self, wanted: int | None) -> int | None:
        limits = [limit for limit in (wanted, self.settings.max_age_s) if limit is not None]
        return min(limits, default=None)

    async def _pushes(self) -> bool:
        """Whether the request goes ahead through the back door (RFC 9126), where a browser cannot change it."""
        wanted = self.settings.pushed_requests
        if wanted == "never":
            return False
        offered = "pushed_authorization_request_endpoint" in await self.load_server_metadata()
        if wanted == "always" and not offered:
            raise Unreachable("metadata_no_pushed_requests")
        return offered

    async def _pushed(self, url: str) -> str:
        """The address for the browser once the provider has taken the request that `url` would carry."""
        metadata = await self.load_server_metadata()
        request = dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))
        if self.settings.client_auth in ("client_secret_post", "none"):
            del request["client_id"]  # Authlib adds it
        async with self._get_oauth_client(**metadata) as client:
            response = await client.post(
                metadata["pushed_authorization_request_endpoint"],
                data=request,
                auth=client.client_auth(self.settings.client_auth),
            )
        taken = response.json() if response.status_code == 201 else None
        if not isinstance(taken, dict) or not isinstance(taken.get("request_uri"), str):
            raise Unreachable("pushed_request_refused")
        return _with_query(
            metadata["authorization_endpoint"],
            {"client_id": self.settings.client_id, "request_uri": taken["request_uri"]},
        )

    def _signed(self, _: Any, __: str, uri: str, headers: Any, body: Any) -> tuple[str, Any, str]:
        """`private_key_jwt` (OpenID Connect Core, section 9), with the first of our keys."""
        known = self._metadata.value or {}
        audience = self.settings.issuer
        if self.settings.assertion_audience == "token_endpoint":
            audience = known.get("token_endpoint", audience)
        assertion = client_keys.assertion(
            self.settings.client_keys[0], client_id=self.settings.client_id, audience=audience
        )
        said = body.decode() if isinstance(body, bytes) else body
        more = urlencode({"client_assertion_type": _ASSERTION, "client_assertion": assertion})
        return uri, headers, f"{said}&{more}" if said else more

    async def _verified(self, signed: str) -> Token:
        """A signed token whose signature holds. A bad one makes us look for new keys, once and not too often."""
        keys = await self.fetch_jwk_set()
        try:
            return self._decoded(signed, keys)
        except (BadSignatureError, InvalidKeyIdError):
            if not self._may_force():
                raise
            return self._decoded(signed, await self.fetch_jwk_set(force=True))

    def _decoded(self, signed: str, keys: KeySet) -> Token:
        registry = JWSRegistry(algorithms=list(self.settings.algorithms), strict_check_header=False)
        token = jwt.decode(signed, keys, registry=registry)
        oidc_checks.key(token, keys)
        return token

    def _may_force(self) -> bool:
        now = clock.now()
        if self._forced_at is not None and now - self._forced_at < FORCED_EVERY:
            return False
        self._forced_at = now
        return True

    async def _told_by_userinfo(self, token: Mapping[str, Any], claims: Mapping[str, Any]) -> dict[str, Any]:
        """What userinfo adds, asked for only where the id_token leaves something open, or always."""
        endpoint = (await self.load_server_metadata()).get("userinfo_endpoint")
        if endpoint is None or not self._wants_userinfo(claims):
            return {}
        if not token.get("access_token"):
            raise Distrusted("no_access_token")
        # Without its expiry: Authlib would try to refresh a token that lives for less than a minute.
        bearer = {"access_token": token["access_token"], "token_type": token.get("token_type", "Bearer")}
        response = await self.get(endpoint, token=bearer)
        response.raise_for_status()
        told = await self._userinfo_claims(response, claims["iss"])
        oidc_checks.userinfo(told, claims)
        return told

    def _wants_userinfo(self, claims: Mapping[str, Any]) -> bool:
        of = self.settings
        if of.userinfo != "when_needed":
            return of.userinfo == "always"
        wanted = (
            *of.name_claim,
            of.email_claim,
            of.organisation_claim,
            of.organisation_number_claim,
            of.groups_claim,
        )
        return any(name is not None and name.strip("/").partition("/")[0] not in claims for name in wanted)

    async def _userinfo_claims(self, response: httpx2.Response, issuer: str) -> dict[str, Any]:
        if response.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/jwt":
            decoded = await self._verified(response.text)
            oidc_checks.signed_userinfo(decoded.claims, self.settings, issuer)
            return decoded.claims
        if self.settings.userinfo_signed:
            raise Distrusted("userinfo_unsigned")
        told = response.json()
        if not isinstance(told, dict):
            raise Distrusted("userinfo_shape")
        return told

    async def _fetch_metadata(self) -> dict[str, Any]:
        return oidc_documents.metadata(
            await self._fetch_json(self._server_metadata_url),
            self.settings,
            allow_loopback=self._allow_loopback,
        )

    async def _fetch_keys(self) -> KeySet:
        return oidc_documents.keys(await self._fetch_json((await self.load_server_metadata())["jwks_uri"]))

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

    def __iter__(self) -> Iterator[Provider]:
        """Each provider, in the order of the file."""
        return iter(self._all.values())

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


def _basic(client: Any, _: str, uri: str, headers: Any, body: str) -> tuple[str, Any, str]:
    """HTTP Basic with id and secret encoded first (RFC 6749, section 2.3.1), which Authlib leaves out."""
    pair = f"{quote(client.client_id, safe='')}:{quote(client.client_secret, safe='')}"
    headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    return uri, headers, body


def _with_query(address: str, query: Mapping[str, str]) -> str:
    return f"{address}{'&' if '?' in address else '?'}{urlencode(query)}"


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"
