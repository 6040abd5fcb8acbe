"""The doctor: looks at everything an installation needs, and says how to mend what it finds."""

import asyncio
import ipaddress
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from limits import parse
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from app.database import Database
from app.errors import DomainError
from app.integrations import identity_providers, mail, provider_health, queue
from app.integrations.http import Guarded
from app.integrations.oidc import Providers
from app.services import audit_log, schema, webhook_log
from app.settings import DEMO_SECRET, Settings

State = Literal["ok", "warning", "bad"]

LEAST_FREE_MB: Final = 500


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, how it is, and what to do about it."""

    name: str
    state: State
    says: str
    mend: str = ""


def look(settings: Settings) -> list[Finding]:
    """Look at everything; changes nothing. A check that breaks is itself a finding."""
    checks: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
        _configuration,
        _database,
        _disk,
        _redis,
        _identity,
        _mail,
    )
    return [finding for check in checks for finding in _tried(check, settings)]


def _tried(check: Callable[[Settings], Iterator[Finding]], settings: Settings) -> list[Finding]:
    try:
        return list(check(settings))
    except Exception as error:  # noqa: BLE001 -- whatever it is, the other checks still have something to say
        name = check.__name__.removeprefix("_")
        return [
            Finding(name, "bad", f"The check itself failed: {type(error).__name__}.", "Report this, please.")
        ]


def _configuration(settings: Settings) -> Iterator[Finding]:
    yield Finding("environment", "ok", f"{settings.environment}, reached at {settings.base_url}.")
    if settings.secret_key.get_secret_value() == DEMO_SECRET:
        yield Finding(
            "secret",
            "warning",
            "The secret key is the one of the demo.",
            "Set PARTNERSHIP_SECRET_KEY before real use.",
        )
    for name, written, read in (
        ("trusted proxies", settings.trusted_proxies, _networks),
        ("rate limit", settings.rate_limit, parse),
        ("sign-in rate limit", settings.sign_in_rate_limit, parse),
    ):
        try:
            read(written)
        except ValueError as error:
            variable = "PARTNERSHIP_" + name.upper().replace(" ", "_").replace("-", "_")
            yield Finding(name, "bad", f"{variable} cannot be read: {error}.", f"Correct {variable}.")


def _database(settings: Settings) -> Iterator[Finding]:
    if _is_missing(settings):
        yield Finding("database", "bad", "There is no database yet.", "Run: partnership migrate")
        return
    database = Database(settings.database, readers=1)
    kind = "SQLite" if database.is_sqlite else "PostgreSQL"
    try:
        database.check()
        yield Finding("database", "ok", f"{kind} answers.")
        yield database.read_now(_tables)
        if database.is_sqlite:
            yield _durability(database)
        else:
            yield database.read_now(_letters)
        yield database.read_now(_jobs)
        yield database.read_now(_webhooks)
        yield database.read_now(_audit)
    except DomainError:
        yield Finding(
            "database",
            "bad",
            f"{kind} does not answer.",
            "Check PARTNERSHIP_DATABASE_URL, and whether it runs.",
        )
    finally:
        database.close()


def _is_missing(settings: Settings) -> bool:
    """Whether the address names a SQLite file that is not there; looking would make it."""
    scheme, _, rest = settings.database.partition(":///")
    return scheme.startswith("sqlite") and not Path(rest).exists()


def _tables(connection: Connection) -> Finding:
    is_at, should_be = schema.revision(connection), schema.head()
    if is_at == should_be:
        return Finding("tables", "ok", f"At revision {is_at}, which is this version's.")
    return Finding(
        "tables",
        "bad",
        f"At revision {is_at}, but this version needs {should_be}.",
        "Run: partnership migrate",
    )


def _durability(database: Database) -> Finding:
    """SQLite in WAL mode loses acknowledged writes at a power cut unless every commit waits for the disk."""
    with database.writes.connect() as connection:
        mode = connection.exec_driver_sql("PRAGMA journal_mode").scalar()
        synchronous = connection.exec_driver_sql("PRAGMA synchronous").scalar()
    if mode == "wal" and synchronous == 2:
        return Finding("durability", "ok", "A write is on the disk before it is acknowledged.")
    return Finding(
        "durability",
        "bad",
        f"journal_mode is {mode} and synchronous {synchronous}; a power cut would lose writes.",
        "Put the file on a local disk: network file systems do not support this.",
    )


def _letters(connection: Connection) -> Finding:
    """PostgreSQL in the locale C knows the case of ASCII alone: there Ž@… is another address than ž@…."""
    if connection.exec_driver_sql("SELECT lower('\u017d') = '\u017e'").scalar():
        return Finding("letters", "ok", "Letters such as \u017d are the same in any case.")
    return Finding(
        "letters",
        "warning",
        "Letters such as \u017d and \u017e are not the same: mail addresses and searches tell them apart.",
        "Make a database with LC_CTYPE 'C.UTF-8' (TEMPLATE template0), and restore a backup into it.",
    )


def _jobs(connection: Connection) -> Finding:
    try:
        counts = queue.counts(connection)
    except (SQLAlchemyError, DomainError):
        return Finding("jobs", "bad", "The tables for jobs are missing.", "Run: partnership migrate")
    said = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items())
    if counts["failed"]:
        return Finding("jobs", "warning", f"{said}.", "The worker's log says why; look for job_failed.")
    return Finding("jobs", "ok", f"{said}.")


def _webhooks(connection: Connection) -> Finding:
    try:
        counts = webhook_log.counts(connection)
    except SQLAlchemyError:
        return Finding("webhooks", "bad", "The tables of webhooks are missing.", "Run: partnership migrate")
    said = ", ".join(f"{counts[name]} {name}" for name in ("active", "failing", "off"))
    said += f"; {counts['waiting']} messages waiting, {counts['dead']} given up"
    if counts["failing"] or counts["dead"]:
        return Finding(
            "webhooks",
            "warning",
            f"{said}.",
            "Their pages, below /admin/webhooks, say what their receivers answer; send the messages again from there.",
        )
    return Finding("webhooks", "ok", f"{said}.")


def _audit(connection: Connection) -> Finding:
    try:
        found = audit_log.verify(connection)
    except SQLAlchemyError:
        return Finding("audit log", "bad", "The audit log's table is missing.", "Run: partnership migrate")
    if found.is_whole:
        return Finding(
            "audit log",
            "ok",
            f"{found.entries:,} entries, each as it was sealed. Note the newest hash: {found.newest.hex()}.",
        )
    where = ", ".join(map(str, found.broken)) or "before its first entry"
    return Finding(
        "audit log",
        "bad",
        f"The chain is broken: {where}. Somebody has changed, put in or taken out entries past the application.",
        "Compare with an export or a backup from before: partnership audit verify FILE",
    )


def _disk(settings: Settings) -> Iterator[Finding]:
    scheme, _, rest = settings.database.partition(":///")
    place = Path(rest).absolute().parent if scheme.startswith("sqlite") else Path.cwd()
    while not place.exists():
        place = place.parent
    free_mb = shutil.disk_usage(place).free // 1_000_000
    if free_mb < LEAST_FREE_MB:
        yield Finding(
            "disk", "bad", f"Only {free_mb} MB are free at {place}.", "Make room for what people will write."
        )
    else:
        yield Finding("disk", "ok", f"{free_mb:,} MB are free at {place}.")


def _redis(settings: Settings) -> Iterator[Finding]:
    if settings.redis is None:
        yield Finding(
            "redis", "ok", "Not used: one process serves alone, or changes reach the others within a second."
        )
        return
    client = Redis.from_url(settings.redis, socket_connect_timeout=2, socket_timeout=2)
    try:
        client.ping()
        yield Finding("redis", "ok", "Redis answers.")
    except (RedisError, OSError) as error:
        yield Finding(
            "redis",
            "bad",
            f"Redis does not answer ({type(error).__name__}). Boards work, but live updates come later.",
            "Check PARTNERSHIP_REDIS_URL, and whether it runs.",
        )
    finally:
        client.close()


def _identity(settings: Settings) -> Iterator[Finding]:
    try:
        known = identity_providers.load(settings)
    except identity_providers.ConfigurationError as error:
        yield Finding("identity providers", "bad", f"{error}.", "See docs/identity-providers.md.")
        return
    if settings.identity_providers is None:
        yield Finding("identity providers", "ok", "The demo's own, which runs with the server.")
        return
    is_demo = settings.environment == "demo"
    providers = Providers(
        known,
        base_url=settings.base_url,
        transport=Guarded(allow_loopback=is_demo),
        allow_loopback=is_demo,
    )
    for name, checks in asyncio.run(_looked_at(providers)).items():
        for check in checks:
            yield Finding(
                f"identity provider {name}", check.state, check.says % check.values, check.mend % check.values
            )


async def _looked_at(providers: Providers) -> dict[str, list[provider_health.Check]]:
    checks = await asyncio.gather(*(provider_health.look(provider) for provider in providers))
    return {provider.settings.id: found for provider, found in zip(providers, checks, strict=True)}


def _mail(settings: Settings) -> Iterator[Finding]:
    if settings.smtp_url is None:
        state: State = "ok" if settings.environment == "demo" else "warning"
        yield Finding("mail", state, "No mail server is set; people are told on their own page alone.", "")
        return
    try:
        mail.check(settings.smtp_url.get_secret_value(), settings.mail_from)
    except mail.Postponed as error:
        yield Finding(
            "mail",
            "bad",
            f"The mail server is not usable: {error}.",
            "Check PARTNERSHIP_SMTP_URL and the server.",
        )
    else:
        yield Finding("mail", "ok", "The mail server answers and knows us.")


def _networks(listed: str) -> list[Any]:
    return [ipaddress.ip_network(entry.strip()) for entry in listed.split(",") if entry.strip()]
