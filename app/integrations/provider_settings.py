"""What an operator may say of one identity provider, and what of it fits together."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    SecretStr,
    StringConstraints,
    field_validator,
    model_validator,
)

from app.integrations.client_keys import ClientKey
from app.lib.i18n import DEFAULT, LANGUAGES

TENANT: Final = "{tenantid}"
"""What stands in an issuer for the customer, where one provider has many (Microsoft Entra ID)."""

CONSUMERS: Final = "9188040d-6c67-4c5b-b112-36a304b66dad"
"""The tenant of private Microsoft accounts, which anyone may open under any name."""

_GUID: Final = re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}")

OURS: Final = frozenset(
    {
        "acr_values",
        "claims",
        "client_assertion",
        "client_assertion_type",
        "client_id",
        "client_secret",
        "code_challenge",
        "code_challenge_method",
        "max_age",
        "nonce",
        "prompt",
        "redirect_uri",
        "request",
        "request_uri",
        "response_mode",
        "response_type",
        "scope",
        "state",
    }
)
"""Parameters of a departure that have a key of their own, or that no table may touch."""

Algorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]
Text = Annotated[str, StringConstraints(min_length=1, max_length=200)]
ClaimName = Text
Farewell = Literal["client_id", "id_token_hint", "post_logout_redirect_uri", "state"]


class ProviderSettings(BaseModel):
    """One identity provider; `docs/identity-providers.md` explains each key."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, arbitrary_types_allowed=True
    )

    id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
    profile: str | None = None
    label: dict[str, Annotated[str, StringConstraints(min_length=1, max_length=80)]]
    side: Literal["public", "business"]

    issuer: str
    issuer_aliases: tuple[str, ...] = ()
    tenants: tuple[str, ...] = ()
    discovery: str | None = None
    algorithms: Annotated[tuple[Algorithm, ...], Field(min_length=1)] = ("RS256",)
    clock_skew_s: Annotated[int, Field(ge=0, le=300)] = 60

    client_id: Annotated[str, StringConstraints(min_length=1)]
    client_auth: Literal["client_secret_basic", "client_secret_post", "private_key_jwt", "none"] = (
        "client_secret_basic"
    )
    client_secret: SecretStr | None = None
    client_keys: tuple[ClientKey, ...] = ()
    assertion_audience: Literal["token_endpoint", "issuer"] = "token_endpoint"
    pkce: bool = True
    no_pkce_because: Text | None = None
    pushed_requests: Literal["auto", "never", "always"] = "auto"

    scopes: tuple[str, ...] = ("openid", "profile", "email")
    acr_values: tuple[Text, ...] = ()
    acr_levels: tuple[Text, ...] = ()
    least_acr: Text | None = None
    accepted_acr: tuple[Text, ...] = ()
    accepted_amr: tuple[Text, ...] = ()
    prompt: Literal["login", "consent", "select_account"] | None = None
    max_age_s: Annotated[int, Field(ge=0)] | None = None
    claims: dict[str, JsonValue] = Field(default_factory=dict)
    parameters: dict[str, str] = Field(default_factory=dict)

    userinfo: Literal["when_needed", "always", "never"] = "when_needed"
    userinfo_signed: bool = False

    programme: Annotated[str, StringConstraints(min_length=1)]
    organisation: str | None = None
    organisation_claim: ClaimName | None = None
    organisation_number_claim: ClaimName | None = None
    known_people_only: bool = False
    name_claim: Annotated[tuple[ClaimName, ...], Field(min_length=1)] = ("name",)
    email_claim: ClaimName = "email"
    email_verified_claim: ClaimName = "email_verified"
    scim_subject_claim: ClaimName = "sub"
    groups_claim: ClaimName | None = None

    sign_out: bool = True
    sign_out_with: Annotated[tuple[Farewell, ...], Field(min_length=1)] = (
        "client_id",
        "id_token_hint",
        "post_logout_redirect_uri",
        "state",
    )
    redirect_origins: tuple[str, ...] = ()

    @field_validator("label", mode="before")
    @classmethod
    def _one_label_for_all(cls, value: Any) -> Any:
        return dict.fromkeys(LANGUAGES, value) if isinstance(value, str) else value

    @field_validator("name_claim", mode="before")
    @classmethod
    def _one_claim_or_several(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @field_validator("scopes")
    @classmethod
    def _with_openid(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if "openid" not in value:
            raise ValueError('add "openid": without it the provider sends no identity')
        return value

    @field_validator("issuer")
    @classmethod
    def _an_issuer(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("https", "http") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("give the issuer exactly as the provider's discovery document has it, https://…")
        return value

    @field_validator("tenants")
    @classmethod
    def _known_tenants(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for tenant in value:
            if not _GUID.fullmatch(tenant):
                raise ValueError("give each tenant by its id, in small letters: 00000000-0000-0000-0000-…")
            if tenant == CONSUMERS:
                raise ValueError(
                    "private Microsoft accounts belong to no organisation; leave this tenant out"
                )
        return value

    @field_validator("redirect_origins")
    @classmethod
    def _origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            if not re.fullmatch(r"https://[a-z0-9.-]+(:\d+)?", origin):
                raise ValueError("give origins such as https://login.example, without a path")
        return value

    @field_validator("parameters")
    @classmethod
    def _other_parameters(cls, value: dict[str, str]) -> dict[str, str]:
        for name in value:
            if name in OURS:
                raise ValueError(f"{name} has a key of its own or is ours to say; take it out")
        return value

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        for check in (_one_way_to_an_organisation, _one_proof_of_ourselves, _a_proof_key, _levels, _tenancy):
            check(self)
        return self

    def label_in(self, language: str) -> str:
        """The provider's name for readers of `language`."""
        return self.label.get(language) or self.label.get(DEFAULT) or next(iter(self.label.values()))

    @property
    def is_multi_tenant(self) -> bool:
        """Whether the issuer is a template with a place for the tenant."""
        return TENANT in self.issuer

    def issuer_of(self, tenant: str | None) -> str:
        """The exact issuer of one tenant, where the provider's is a template; else the provider's own."""
        return self.issuer.replace(TENANT, tenant) if tenant else self.issuer

    def issuers(self) -> frozenset[str]:
        """Every issuer whose word counts as this provider's; compared exactly."""
        own = {self.issuer_of(tenant) for tenant in self.tenants} if self.is_multi_tenant else {self.issuer}
        return frozenset(own | set(self.issuer_aliases))

    def own_issuer(self, issuer: str) -> str:
        """The issuer under which people are known, for one of `issuers()`: an alias stands for the first."""
        return self.issuer if issuer in self.issuer_aliases else issuer

    def acrs(self) -> frozenset[str]:
        """The levels of sign-in that are good enough; empty where any is."""
        if self.least_acr is None:
            return frozenset(self.accepted_acr)
        enough = self.acr_levels[self.acr_levels.index(self.least_acr) :]
        return frozenset({*enough, *self.accepted_acr})


def _one_way_to_an_organisation(of: ProviderSettings) -> None:
    ways = [of.organisation is not None, of.organisation_claim is not None, of.known_people_only]
    if ways.count(True) != 1:
        raise ValueError(
            "set exactly one of organisation (everyone belongs to it), organisation_claim "
            "(a trusted claim names it) and known_people_only = true (nobody joins by signing in)"
        )


def _one_proof_of_ourselves(of: ProviderSettings) -> None:
    if of.client_auth == "private_key_jwt":
        if not of.client_keys or of.client_secret is not None:
            raise ValueError(
                'client_auth = "private_key_jwt" takes client_keys, a list of PEM files, and no client_secret'
            )
    elif of.client_keys:
        raise ValueError('client_keys are for client_auth = "private_key_jwt"; set that or take them out')
    elif (of.client_secret is None) != (of.client_auth == "none"):
        raise ValueError(
            "set client_secret, client_secret_env or client_secret_file; "
            'or client_auth = "none" for a client without a secret'
        )


def _a_proof_key(of: ProviderSettings) -> None:
    if of.pkce == (of.no_pkce_because is not None):
        raise ValueError(
            "pkce = false needs no_pkce_because, a sentence that says why; without it a stolen code is worth more"
        )
    if not of.pkce and of.client_auth == "none":
        raise ValueError('pkce = false needs a client that proves itself; client_auth = "none" does not')


def _levels(of: ProviderSettings) -> None:
    if of.least_acr is not None and of.least_acr not in of.acr_levels:
        raise ValueError("least_acr must be one of acr_levels, the levels from the lowest to the highest")


def _tenancy(of: ProviderSettings) -> None:
    if of.is_multi_tenant != bool(of.tenants):
        raise ValueError(
            f"an issuer with {TENANT} takes tenants, the list of those that may sign in; another takes none"
        )


def claim(claims: Mapping[str, Any], name: str) -> Any:
    """The value of a claim.

    A name that begins with a slash leads inside: each step is a key, and `*` is the only entry of a list; of
    several entries none is taken.
    """
    if not name.startswith("/"):
        return claims.get(name)
    found: Any = claims
    for step in name[1:].split("/"):
        if step == "*" and isinstance(found, list):
            found = found[0] if len(found) == 1 else None
        else:
            found = found.get(step) if isinstance(found, Mapping) else None
    return found
