"""What jobs work with: the database, and where mail goes."""

from dataclasses import dataclass, field
from threading import Event

from app.database import Database
from app.integrations import hooks
from app.settings import Settings


@dataclass(frozen=True, slots=True)
class Workplace:
    """Opened once by the worker, and given to every job. `smtp_url` may hold a password: never log it.

    `caller` calls webhooks, and where it is None nobody does; `webhook_waits_s` lie between the tries of a delivery,
    which is kept for `webhook_days`. `stopping` is set when the worker is about to leave.
    """

    database: Database
    base_url: str
    mail_from: str
    smtp_url: str | None
    caller: hooks.Caller | None = None
    webhook_waits_s: tuple[int, ...] = ()
    webhook_days: int = 30
    stopping: Event = field(default_factory=Event)


def opened(settings: Settings, stopping: Event | None = None) -> Workplace:
    """The workplace that the settings describe; whoever sets `stopping` is about to leave it."""
    return Workplace(
        database=Database(settings.database, readers=2),
        base_url=settings.base_url,
        mail_from=settings.mail_from,
        smtp_url=settings.smtp_url.get_secret_value() if settings.smtp_url else None,
        caller=hooks.Caller(
            allow_loopback=settings.environment == "demo", timeout_s=settings.webhook_timeout_s
        ),
        webhook_waits_s=settings.webhook_waits_s,
        webhook_days=settings.webhook_days,
        stopping=stopping or Event(),
    )
