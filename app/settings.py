"""The only reader of the environment."""

from functools import lru_cache
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

DEMO_SECRET = "demo-secret-not-for-production"  # noqa: S105 -- refused in production below
MOST_WAIT_S = 7 * 86_400
"""No delivery waits longer for its next try."""

EVERYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104 -- a container listens so; nobody opens it under that name
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Settings(BaseSettings):
    """What an operator sets, each as `PARTNERSHIP_<NAME>`; the README has the table."""

    model_config = SettingsConfigDict(
        env_prefix="PARTNERSHIP_", env_file=".env", extra="ignore", hide_input_in_errors=True
    )

    environment: Literal["demo", "production"] = "demo"
    database_url: SecretStr = SecretStr("sqlite:///var/partnership.db")
    redis_url: SecretStr | None = None
    secret_key: SecretStr = SecretStr(DEMO_SECRET)
    base_url: str = ""
    host: str = "127.0.0.1"
    port: int = 8000
    identity_providers: Path | None = None
    smtp_url: SecretStr | None = None
    mail_from: str = "Partnership for Change <no-reply@localhost>"
    contact: str = ""
    trusted_proxies: str = ""
    allowed_hosts: str = ""
    log_format: Literal["json", "console"] = "json"
    metrics_token: SecretStr | None = None
    rate_limit: str = "600/minute"
    sign_in_rate_limit: str = "30/minute"
    replica: str = "one"
    webhook_waits: str = "5,300,1800,7200,18000,36000,50400,72000,86400"
    webhook_timeout_s: float = Field(default=15.0, gt=0, le=60)
    webhook_days: int = Field(default=30, ge=7, le=366)

    @field_validator("base_url")
    @classmethod
    def _without_trailing_slash(cls, value: str) -> str:
        return value.rstrip("/")

    @field_validator("webhook_waits")
    @classmethod
    def _in_seconds(cls, value: str) -> str:
        waits = [wait.strip() for wait in value.split(",")]
        if not 1 <= len(waits) <= 20 or not all(wait.isascii() and wait.isdecimal() for wait in waits):
            raise ValueError("PARTNERSHIP_WEBHOOK_WAITS holds 1 to 20 whole numbers of seconds, with commas")
        return ",".join(waits)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if not self.base_url:
            here = "127.0.0.1" if self.host in EVERYWHERE else self.host
            self.base_url = f"http://{here}:{self.port}"
        if self.environment == "production":
            self._refuse_weakness()
        return self

    def _refuse_weakness(self) -> None:
        secret = self.secret_key.get_secret_value()
        if secret == DEMO_SECRET or len(secret) < 32 or len(set(secret)) < 10:
            raise ValueError(
                "PARTNERSHIP_SECRET_KEY is weak or the default: set 32 or more random characters, "
                "for example from: python -c 'import secrets; print(secrets.token_urlsafe(48))'"
            )
        if not self.base_url.startswith("https://"):
            raise ValueError("PARTNERSHIP_BASE_URL must start with https:// in production")
        if self.identity_providers is None:
            raise ValueError(
                "PARTNERSHIP_IDENTITY_PROVIDERS must name a TOML file in production: "
                "the demo identity provider does not start there"
            )

    @property
    def database(self) -> str:
        """The database's address, with the password: for the engine alone, never for a log."""
        return self.database_url.get_secret_value()

    @property
    def redis(self) -> str | None:
        """The address of Redis or Valkey, or None where one process serves alone."""
        return self.redis_url.get_secret_value() if self.redis_url else None

    @property
    def secure(self) -> bool:
        """Whether people reach us over https, so that cookies carry `Secure` and `__Host-`."""
        return self.base_url.startswith("https://")

    @property
    def webhook_waits_s(self) -> tuple[int, ...]:
        """The seconds between the tries of a delivery; there is one try more than waits."""
        return tuple(min(int(wait), MOST_WAIT_S) for wait in self.webhook_waits.split(","))

    @property
    def hosts(self) -> frozenset[str]:
        """Host names, in lower case and without a port, that requests may carry."""
        own = urlsplit(self.base_url).hostname or ""
        listed = {host.strip().lower() for host in self.allowed_hosts.split(",") if host.strip()}
        return frozenset(listed | {own} | (LOOPBACK if own in LOOPBACK else frozenset()))


@lru_cache
def settings() -> Settings:
    """The settings of this process, read once."""
    return Settings()
