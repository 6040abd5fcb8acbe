"""What jobs work with: the database, and where mail goes."""

from dataclasses import dataclass

from app.database import Database
from app.settings import Settings


@dataclass(frozen=True, slots=True)
class Workplace:
    """Opened once by the worker, and given to every job. `smtp_url` may hold a password: never log it."""

    database: Database
    base_url: str
    mail_from: str
    smtp_url: str | None


def opened(settings: Settings) -> Workplace:
    """The workplace that the settings describe."""
    return Workplace(
        database=Database(settings.database, readers=2),
        base_url=settings.base_url,
        mail_from=settings.mail_from,
        smtp_url=settings.smtp_url.get_secret_value() if settings.smtp_url else None,
    )
