"""Identity providers as an operator describes them: one TOML table each."""

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)

from app.lib import secrets
from app.lib.i18n import DEFAULT, LANGUAGES
from app.settings import LOOPBACK, Settings

SIDES: Final = ("public", "business")
"""The halves of the sign-in page, in its order."""

DEMO_PATH: Final = "/demo-identity"
DEMO_CLIENT: Final = "partnership"
DEMO_ISSUERS: Final[tuple[tuple[str, Literal["public", "business"], dict[str, str]], ...]] = (
    ("government", "public", {"en": "Government of Demoland", "sl": "Vlada Demolandije"}),
    ("company", "business", {"en": "Companies of Demoland", "sl": "Podjetja Demolandije"}),
)

Algorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]
ClaimName = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class ConfigurationError(ValueError):
    """The file of identity providers cannot be used; the message names the table, the key and the mend."""


class ProviderSettings(BaseModel):
    """One identity provider; `docs/identity-providers.md` explains each key."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
    label: dict[str, Annotated[str, StringConstraints(min_length=1, max_length=80)]]
    side: Literal["public", "business"]
    issuer: str
    client_id: Annotated[str, StringConstraints(min_length=1)]
    client_secret: SecretStr | None = None
    client_auth: Literal["client_secret_basic", "client_secret_post", "none"] = "client_secret_basic"
    scopes: tuple[str, ...] = ("openid", "profile", "email")
    algorithms: Annotated[tuple[Algorithm, ...], Field(min_length=1)] = ("RS256",)
    programme: Annotated[str, StringConstraints(min_length=1)]
    organisation: str | None = None
    organisation_claim: ClaimName | None = None
    known_people_only: bool = False
    name_claim: ClaimName = "name"
    email_claim: ClaimName = "email"
    sign_out: bool = True
    redirect_origins: tuple[str, ...] = ()

    @field_validator("label", mode="before")
    @classmethod
    def _one_label_for_all(cls, value: Any) -> Any:
        return dict.fromkeys(LANGUAGES, value) if isinstance(value, str) else value

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

    @field_validator("redirect_origins")
    @classmethod
    def _origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            if not re.fullmatch(r"https://[a-z0-9.-]+(:\d+)?", origin):
                raise ValueError("give origins such as https://login.example, without a path")
        return value

    @model_validator(mode="after")
    def _one_way_to_an_organisation(self) -> Self:
        ways = [self.organisation is not None, self.organisation_claim is not None, self.known_people_only]
        if ways.count(True) != 1:
            raise ValueError(
                "set exactly one of organisation (everyone belongs to it), organisation_claim "
                "(a trusted claim names it) and known_people_only = true (nobody joins by signing in)"
            )
        if (self.client_secret is None) != (self.client_auth == "none"):
            raise ValueError(
                "set client_secret, client_secret_env or client_secret_file; "
                'or client_auth = "none" for a client without a secret'
            )
        return self

    def label_in(self, language: str) -> str:
        """The provider's name for readers of `language`."""
        return self.label.get(language) or self.label.get(DEFAULT) or next(iter(self.label.values()))


def load(settings: Settings) -> tuple[ProviderSettings, ...]:
    """The providers of this installation: from the file that the settings name, else the demo's two.

    :raises ConfigurationError: the file cannot be read or used
    """
    if settings.identity_providers is not None:
        return read(settings.identity_providers, allow_loopback=settings.environment == "demo")
    if settings.environment != "demo":
        raise ConfigurationError("PARTNERSHIP_IDENTITY_PROVIDERS must name a TOML file outside the demo")
    return demo(settings)


def demo(settings: Settings) -> tuple[ProviderSettings, ...]:
    """The two issuers of the demo's own identity provider."""
    return tuple(
        ProviderSettings(
            id=id,
            label=label,
            side=side,
            issuer=demo_issuer(settings, id),
            client_id=DEMO_CLIENT,
            client_secret=SecretStr(demo_client_secret(settings)),
            algorithms=("ES256",),
            programme="demo",
            organisation_claim="organisation_number",
        )
        for id, side, label in DEMO_ISSUERS
    )


def demo_issuer(settings: Settings, id: str) -> str:
    """The issuer of one half of the demo's identity provider, `government` or `company`."""
    return f"{settings.base_url}{DEMO_PATH}/{id}"


def demo_client_secret(settings: Settings) -> str:
    """The secret that we and the demo's identity provider share."""
    return secrets.derive(settings.secret_key.get_secret_value(), "demo identity client")


def read(path: Path, *, allow_loopback: bool = False) -> tuple[ProviderSettings, ...]:
    """The providers that a TOML file describes, in its order.

    :raises ConfigurationError: the file is missing, is not TOML, or a table of it cannot be used
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(
            f"{path}: cannot be read ({error.strerror}); check the path and rights"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: is not TOML: {error}") from error
    tables = document.pop("providers", None)
    if document:
        raise ConfigurationError(
            f"{path}: there is no top-level key {next(iter(document))}; use [providers.…]"
        )
    if not isinstance(tables, dict) or not tables:
        raise ConfigurationError(f"{path}: describes no provider; add a table such as [providers.ministry]")
    providers = tuple(_provider(path, id, table) for id, table in tables.items())
    _refuse_what_belongs_elsewhere(path, providers, allow_loopback=allow_loopback)
    return providers


def _provider(path: Path, id: str, table: Any) -> ProviderSettings:
    where = f"{path}: [providers.{id}]"
    if not isinstance(table, dict):
        raise ConfigurationError(f"{where} must be a table")
    try:
        return ProviderSettings.model_validate({**_with_secret(path, where, table), "id": id})
    except ValidationError as error:
        raise ConfigurationError(
            "\n".join(f"{where} {_told(problem)}" for problem in error.errors())
        ) from None


def _told(problem: Any) -> str:
    key = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "missing":
        return f"{key}: is missing; add it"
    if problem["type"] == "extra_forbidden":
        known = ", ".join(sorted({*ProviderSettings.model_fields, *_SECRET_KEYS} - {"id"}))
        return f"{key}: is not a key that we know; the keys are {known}"
    message = str(problem["msg"]).removeprefix("Value error, ")
    return f"{key}: {message}" if key else message


_SECRET_KEYS: Final = ("client_secret", "client_secret_env", "client_secret_file")


def _with_secret(path: Path, where: str, table: Mapping[str, Any]) -> dict[str, Any]:
    """The table with its secret in place, wherever it is kept."""
    given = [key for key in _SECRET_KEYS if key in table]
    if len(given) > 1:
        raise ConfigurationError(f"{where} {given[1]}: {given[0]} is there already; keep one of them")
    rest = {key: value for key, value in table.items() if key not in _SECRET_KEYS}
    if not given:
        return rest
    return {**rest, "client_secret": _secret(path, f"{where} {given[0]}", given[0], table[given[0]])}


def _secret(path: Path, where: str, key: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ConfigurationError(f"{where}: must be a text")
    if key == "client_secret":
        return value
    if key == "client_secret_env":
        if not os.environ.get(value):
            raise ConfigurationError(f"{where}: the environment variable {value} is not set; set it")
        return os.environ[value]
    try:
        return (path.parent / value).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"{where}: {path.parent / value} cannot be read; check the path and rights"
        ) from error


def _refuse_what_belongs_elsewhere(
    path: Path, providers: tuple[ProviderSettings, ...], *, allow_loopback: bool
) -> None:
    for provider in providers:
        where = f"{path}: [providers.{provider.id}] issuer"
        is_loopback = allow_loopback and urlsplit(provider.issuer).hostname in LOOPBACK
        if provider.issuer.startswith("http://") and not is_loopback:
            raise ConfigurationError(f"{where}: must start with https://")
        if DEMO_PATH in urlsplit(provider.issuer).path and not allow_loopback:
            raise ConfigurationError(f"{where}: the demo identity provider does not start in production")
