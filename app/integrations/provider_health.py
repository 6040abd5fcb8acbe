"""How a provider fares, seen from here: what it offers against what its table says, and how to mend what differs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from app.errors import DomainError
from app.integrations.oidc import Provider
from app.integrations.provider_settings import ProviderSettings
from app.lib.i18n import N_


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. `says` and `mend` are msgids, filled with `values`."""

    name: str
    state: Literal["ok", "warning", "bad"]
    says: str
    mend: str = ""
    values: dict[str, Any] = field(default_factory=dict)


async def look(provider: Provider) -> list[Check]:
    """Look at one provider: what it publishes, fetched where it is not fresh, and our own keys for it."""
    own = list(_own_keys(provider.settings))
    try:
        metadata = await provider.load_server_metadata()
    except DomainError as error:
        return [_unreached(error), *own]
    checks = [Check("discovery", "ok", N_("Its metadata was read and fits.")), await _keys(provider)]
    for compare in (_algorithms, _authentication, _proof_key, _pushed, _levels, _sign_out):
        checks += compare(provider.settings, metadata)
    return [*checks, *own]


def _unreached(error: DomainError) -> Check:
    return Check(
        "discovery",
        "bad",
        N_("Its metadata was not read: %(reason)s."),
        N_("Open its issuer's /.well-known/openid-configuration, and compare with its table."),
        {"reason": getattr(error, "reason", error.code)},
    )


async def _keys(provider: Provider) -> Check:
    try:
        keys = await provider.published_by_them()
    except DomainError as error:
        return Check(
            "keys",
            "bad",
            N_("Its keys were not read: %(reason)s."),
            N_("Open the jwks_uri of its metadata; without keys nobody can sign in."),
            {"reason": getattr(error, "reason", error.code)},
        )
    return Check("keys", "ok", N_("Keys that check signatures: %(count)s."), values={"count": len(keys.keys)})


def _algorithms(of: ProviderSettings, metadata: Mapping[str, Any]) -> Iterator[Check]:
    offered = metadata["id_token_signing_alg_values_supported"]
    values = {"offered": ", ".join(offered), "accepted": ", ".join(of.algorithms)}
    if offered and not set(offered) & set(of.algorithms):
        yield Check(
            "algorithms",
            "bad",
            N_("It signs with %(offered)s; only %(accepted)s is accepted."),
            N_("Add one of its asymmetric algorithms to algorithms."),
            values,
        )
    else:
        yield Check("algorithms", "ok", N_("Signatures with %(accepted)s are accepted."), values=values)


def _authentication(of: ProviderSettings, metadata: Mapping[str, Any]) -> Iterator[Check]:
    offered = metadata["token_endpoint_auth_methods_supported"]
    values = {"offered": ", ".join(offered), "method": of.client_auth}
    if offered and of.client_auth not in offered:
        yield Check(
            "client_auth",
            "bad",
            N_("We prove ourselves by %(method)s; it takes %(offered)s."),
            N_("Set client_auth to one that it takes."),
            values,
        )
    else:
        yield Check("client_auth", "ok", N_("We prove ourselves by %(method)s."), values=values)


def _proof_key(of: ProviderSettings, metadata: Mapping[str, Any]) -> Iterator[Check]:
    offered = metadata["code_challenge_methods_supported"]
    if not of.pkce:
        yield Check(
            "pkce",
            "warning",
            N_("Without PKCE: %(reason)s"),
            N_("Take pkce = false out as soon as the provider allows it."),
            {"reason": of.no_pkce_because},
        )
    elif offered and "S256" not in offered:
        yield Check(
            "pkce",
            "warning",
            N_("It offers no PKCE with S256; it is sent all the same."),
            N_("Ask the provider; a stolen code is worth more without it."),
        )
    else:
        yield Check("pkce", "ok", N_("PKCE with S256."))


def _pushed(of: ProviderSettings, metadata: Mapping[str, Any]) -> Iterator[Check]:
    offers = "pushed_authorization_request_endpoint" in metadata
    if of.pushed_requests == "always" and not offers:
        yield Check(
            "pushed_requests",
            "bad",
            N_("It takes no pushed requests, and its table wants them always."),
            N_('Set pushed_requests = "auto".'),
        )
    elif of.pushed_requests == "never" and metadata["require_pushed_authorization_requests"]:
        yield Check(
            "pushed_requests",
            "bad",
            N_("It wants pushed requests, and its table says never."),
            N_('Set pushed_requests = "auto".'),
        )
    elif offers and of.pushed_requests != "never":
        yield Check("pushed_requests", "ok", N_("Requests are pushed ahead (RFC 9126)."))


def _levels(of: ProviderSettings, metadata: Mapping[str, Any]) -> Iterator[Check]:
    offered = set(metadata["acr_values_supported"])
    strange = [value for value in of.acr_values if offered and value not in offered]
    if strange:
        yield Check(
            "acr_values",
            "warning",
            N_("It does not tell of these levels: %(levels)s."),
            N_("Compare acr_values with its documentation."),
            {"levels": ", ".join(strange)},
        )


def _sign_out(of: ProviderSettings, metadata: Mapping[str, Any]) -> Iterator[Check]:
    if of.sign_out and "end_session_endpoint" not in metadata:
        yield Check(
            "sign_out",
            "warning",
            N_("It has no address for signing out: people stay signed in there."),
            N_("Set sign_out = false, so that nobody expects it."),
        )
    elif of.sign_out:
        yield Check("sign_out", "ok", N_("Signing out here signs out there."))
    if metadata["backchannel_logout_supported"]:
        yield Check(
            "back_channel",
            "ok",
            N_("It can tell us of sign-outs there, at %(path)s."),
            values={"path": f"/sign-in/{of.id}/back-channel-logout"},
        )


def _own_keys(of: ProviderSettings) -> Iterator[Check]:
    for key in of.client_keys:
        values = {"file": key.file.name, "kid": key.kid, "algorithm": key.algorithm}
        if not key.is_private_to_us:
            yield Check(
                "client_keys",
                "bad",
                N_("Others on this machine can read our key %(file)s."),
                N_("Run: chmod 600 %(file)s; and if others may have read it, make another."),
                values,
            )
        else:
            yield Check(
                "client_keys",
                "ok",
                N_("Our key %(file)s (%(algorithm)s) is published as %(kid)s."),
                values=values,
            )
