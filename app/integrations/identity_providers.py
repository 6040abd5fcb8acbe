"""Identity providers as an operator describes them: one TOML table each."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import SecretStr, ValidationError

from app.integrations import client_keys, provider_profiles
from app.integrations.provider_settings import ProviderSettings
from app.lib import secrets
from app.settings import LOOPBACK, Settings

SIDES: Final = ("public", "business")
"""The halves of the sign-in page, in its order."""

DEMO_PATH: Final = "/demo-identity"
DEMO_CLIENT: Final = "partnership"
DEMO_ISSUERS: Final[tuple[tuple[str, Literal["public", "business"], dict[str, str]], ...]] = (
    ("government", "public", {"en": "Government of Demoland", "sl": "Vlada Demolandije"}),
    ("company", "business", {"en": "Companies of Demoland", "sl": "Podjetja Demolandije"}),
)

__all__ = ["ConfigurationError", "ProviderSettings", "load", "read"]


class ConfigurationError(ValueError):
    """The file of identity providers cannot be used; the message names the table, the key and the mend."""


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
    table = _with_keys(path, where, _with_secret(path, where, _with_profile(where, table)))
    try:
        return ProviderSettings.model_validate({**table, "id": id})
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


def _with_profile(where: str, table: dict[str, Any]) -> dict[str, Any]:
    try:
        return provider_profiles.completed(table)
    except (KeyError, TypeError):
        known = ", ".join(sorted(provider_profiles.PROFILES))
        raise ConfigurationError(f"{where} profile: is none that we know; the profiles are {known}") from None


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


def _with_keys(path: Path, where: str, table: dict[str, Any]) -> dict[str, Any]:
    """The table with our keys read from their files; a relative path starts at the file of providers."""
    names = table.get("client_keys", [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ConfigurationError(f'{where} client_keys: must be a list of files, such as ["2026-11.pem"]')
    return {**table, "client_keys": tuple(_key(path.parent / name, where) for name in names)}


def _key(file: Path, where: str) -> client_keys.ClientKey:
    try:
        return client_keys.read(file)
    except OSError as error:
        raise ConfigurationError(
            f"{where} client_keys: {file} cannot be read ({error.strerror}); check the path and rights, "
            "or make a key with: partnership provider key FILE"
        ) from error
    except ValueError as error:
        raise ConfigurationError(f"{where} client_keys: {file} {error}") from None


def _refuse_what_belongs_elsewhere(
    path: Path, providers: tuple[ProviderSettings, ...], *, allow_loopback: bool
) -> None:
    for provider in providers:
        where = f"{path}: [providers.{provider.id}] issuer"
        for address in (provider.issuer, provider.discovery or provider.issuer):
            is_loopback = allow_loopback and urlsplit(address).hostname in LOOPBACK
            if not address.startswith("https://") and not is_loopback:
                raise ConfigurationError(f"{where}: must start with https://")
        if DEMO_PATH in urlsplit(provider.issuer).path and not allow_loopback:
            raise ConfigurationError(f"{where}: the demo identity provider does not start in production")
