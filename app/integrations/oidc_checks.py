"""What must hold of a provider's word before we believe it: of an answer, an id_token, userinfo, a logout token.

Each takes what is written and what must be, and raises `Distrusted`; none fetches anything. The signature has
been checked before, with the algorithms that the provider's table names.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from authlib.oidc.core import CodeIDToken
from joserfc.jwk import KeySet
from joserfc.jwt import Token

from app.integrations.arrivals import Arrival, Asked, LogoutNotice
from app.integrations.oidc_failures import Distrusted, TooWeak
from app.integrations.provider_settings import ProviderSettings, claim
from app.lib import clock

LONGEST_WAY: Final = timedelta(minutes=10)
"""How old a fresh id_token or logout token may be: one that took longer was not made for this moment."""

LOGOUT_EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
_LOGOUT_TYPES: Final = frozenset({"", "jwt", "logout+jwt", "application/logout+jwt"})

LONGEST_ID: Final = 255

_NAMES: Final = ("given_name", "family_name", "preferred_username")
"""What stands in for a name of which a part is missing."""


def answer(told: Mapping[str, str], metadata: Mapping[str, Any], settings: ProviderSettings) -> None:
    """The answer's `iss` (RFC 9207): another provider's answer must not reach the exchange of our code."""
    issuer = told.get("iss")
    if issuer is None and not metadata.get("authorization_response_iss_parameter_supported"):
        return
    if issuer not in settings.issuers():
        raise Distrusted("response_iss")


def key(token: Token, keys: KeySet) -> None:
    """The issuer that a key is for, where the provider has many under one roof and says so."""
    for one in keys.keys:
        meant_for = one.as_dict(private=False).get("issuer") if one.kid == token.header.get("kid") else None
        if meant_for is None:
            continue
        tenant = token.claims.get("tid")
        if str(meant_for).replace("{tenantid}", str(tenant)) != token.claims.get("iss"):
            raise Distrusted("key_issuer")


def identity(
    token: Token, settings: ProviderSettings, asked: Asked, *, access_token: str | None
) -> dict[str, Any]:
    """The claims of an id_token, all of which hold."""
    claims = CodeIDToken(
        token.claims,
        token.header,
        {
            "iss": {"essential": True, "values": list(settings.issuers())},
            "aud": {"essential": True, "value": settings.client_id},
        },
        {"nonce": asked.nonce, "client_id": settings.client_id, "access_token": access_token},
    )
    claims.validate(leeway=settings.clock_skew_s)  # type: ignore[no-untyped-call]
    if claims["iat"] < _now() - LONGEST_WAY.total_seconds() - settings.clock_skew_s:
        raise Distrusted("id_token_old")
    if not _is_id(claims["sub"]):
        raise Distrusted("sub")
    _tenant(claims, settings)
    _strength(claims, settings)
    _age(claims, settings, asked)
    return dict(claims)


def userinfo(told: Mapping[str, Any], claims: Mapping[str, Any]) -> None:
    """Userinfo is about the one of whom the id_token is."""
    if told.get("sub") != claims["sub"]:
        raise Distrusted("userinfo_sub")


def signed_userinfo(claims: Mapping[str, Any], settings: ProviderSettings, issuer: str) -> None:
    """Userinfo as a signed token is from the same issuer and for us."""
    if claims.get("iss") != issuer:
        raise Distrusted("userinfo_iss")
    if not _is_for(claims, settings):
        raise Distrusted("userinfo_aud")


def logout(token: Token, settings: ProviderSettings) -> LogoutNotice:
    """What a logout token says (OpenID Connect Back-Channel Logout 1.0, section 2.6)."""
    claims = token.claims
    if str(token.header.get("typ", "")).lower() not in _LOGOUT_TYPES:
        raise Distrusted("logout_typ")
    if claims.get("iss") not in settings.issuers():
        raise Distrusted("logout_iss")
    if not _is_for(claims, settings):
        raise Distrusted("logout_aud")
    _of_the_kind(claims)
    issued = _of_this_moment(claims, settings)
    return LogoutNotice(
        issuer=settings.own_issuer(claims["iss"]),
        subject=claims.get("sub"),
        sid=claims.get("sid"),
        jti=claims["jti"],
        good_until=datetime.fromtimestamp(issued, UTC) + 2 * LONGEST_WAY,
    )


def arrival(
    claims: Mapping[str, Any], signed: Mapping[str, Any], settings: ProviderSettings, id_token: str
) -> Arrival:
    """Who came, as `claims` tell; how and when they proved themselves, as the `signed` ones of the id_token do."""
    named, numbered = settings.organisation_claim, settings.organisation_number_claim
    amr = signed.get("amr")
    at = _instant(signed.get("auth_time"))
    return Arrival(
        provider=settings,
        subject=signed["sub"],
        name=_name(claims, settings.name_claim),
        email=_text(claim(claims, settings.email_claim)),
        organisation=_single(claim(claims, named)) if named else None,
        sid=_text(signed.get("sid")),
        id_token=id_token,
        email_verified=_is_verified(claims, settings.email_verified_claim),
        organisation_number=_single(claim(claims, numbered)) if numbered else None,
        groups=_listed(claim(claims, settings.groups_claim)) if settings.groups_claim else (),
        directory_id=_text(claim(signed, settings.scim_subject_claim)),
        tenant=signed["tid"] if settings.is_multi_tenant else None,
        acr=_text(signed.get("acr")),
        amr=_listed(amr),
        auth_time=datetime.fromtimestamp(at, UTC) if at is not None else None,
    )


def _of_the_kind(claims: Mapping[str, Any]) -> None:
    """A logout token is one by its event, is none with a nonce, and names whom or what it ends."""
    events = claims.get("events")
    if not isinstance(events, dict) or not isinstance(events.get(LOGOUT_EVENT), dict):
        raise Distrusted("logout_events")
    if "nonce" in claims:
        raise Distrusted("logout_nonce")
    if not _is_id(claims.get("jti")):
        raise Distrusted("logout_jti")
    ids = [claims[name] for name in ("sub", "sid") if name in claims]
    if not ids or not all(_is_id(id) for id in ids):
        raise Distrusted("logout_sub_sid")


def _of_this_moment(claims: Mapping[str, Any], settings: ProviderSettings) -> float:
    """When a logout token was made: lately, and it still holds. Drafts of the standard knew no end of one."""
    now, issued = _now(), _instant(claims.get("iat"))
    ends = _instant(claims["exp"]) if "exp" in claims else now
    if issued is None or not -LONGEST_WAY.total_seconds() <= issued - now <= settings.clock_skew_s:
        raise Distrusted("logout_iat")
    if ends is None or ends <= now - settings.clock_skew_s:
        raise Distrusted("logout_exp")
    return issued


def _tenant(claims: Mapping[str, Any], settings: ProviderSettings) -> None:
    """Where one provider has many customers, the issuer is the one of the tenant that the token names."""
    if not settings.is_multi_tenant:
        return
    if claims.get("tid") not in settings.tenants or claims["iss"] != settings.issuer_of(claims["tid"]):
        raise Distrusted("tenant")


def _strength(claims: Mapping[str, Any], settings: ProviderSettings) -> None:
    enough = settings.acrs()
    if enough and claims.get("acr") not in enough:
        raise TooWeak("acr")
    if settings.accepted_amr and not set(_listed(claims.get("amr"))) & set(settings.accepted_amr):
        raise TooWeak("amr")


def _age(claims: Mapping[str, Any], settings: ProviderSettings, asked: Asked) -> None:
    """When the person proved themselves: providers may overlook `max_age`, so its outcome is compared."""
    at = _instant(claims.get("auth_time"))
    if at is not None and at > _now() + settings.clock_skew_s:
        raise Distrusted("auth_time_ahead")
    if asked.max_age_s is None:
        return
    if at is None:
        raise Distrusted("auth_time_missing")
    if at < asked.left_at.timestamp() - asked.max_age_s - settings.clock_skew_s:
        raise TooWeak("auth_time_old")


def _is_for(claims: Mapping[str, Any], settings: ProviderSettings) -> bool:
    audience = claims.get("aud")
    return settings.client_id in (audience if isinstance(audience, list) else [audience])


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST_ID


def _instant(value: Any) -> float | None:
    """Seconds since 1970, if they are some that a clock could show."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**36:
        return None
    return float(value)


def _now() -> float:
    return clock.now().timestamp()


def _is_verified(claims: Mapping[str, Any], name: str) -> bool:
    if name in ("always", "never"):
        return name == "always"
    return claim(claims, name) in (True, "true")


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _listed(value: Any) -> tuple[str, ...]:
    """The words of a claim that may be a list or a single one."""
    words = value if isinstance(value, list) else [value]
    return tuple(word for word in words if isinstance(word, str) and word)[:200]


def _single(value: Any) -> str | None:
    """The one value of a claim, also where it comes in a list or as the only key; of several, none is trusted."""
    if isinstance(value, list | dict):
        return _text(next(iter(value))) if len(value) == 1 else None
    return _text(value)


def _name(claims: Mapping[str, Any], names: Sequence[str]) -> str | None:
    """What someone is called: by the claims that carry it, else by those that usually do."""
    for parts in (names, ("given_name", "family_name"), ("given_name", "usual_name")):
        told = [text for part in parts if (text := _text(claim(claims, part)))]
        if len(told) == len(parts):
            return " ".join(told)
    return next((text for part in _NAMES if (text := _text(claims.get(part)))), None)
