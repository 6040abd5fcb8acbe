"""Signing out that begins at a provider: its word ends the sessions here that came from it, and no others."""

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError

from app.database import Transaction
from app.errors import Conflict, DomainError
from app.integrations.arrivals import LogoutNotice
from app.integrations.provider_settings import ProviderSettings
from app.lib import secrets
from app.lib.i18n import N_
from app.models import UsedLogoutToken
from app.models.base import table
from app.services import audit, sessions

USED = table(UsedLogoutToken)


class Replayed(Conflict):
    """A logout token that was used before."""

    reason = "logout_replayed"

    def __init__(self) -> None:
        super().__init__(N_("This logout token was used already."))


def by_notice(tx: Transaction, notice: LogoutNotice) -> int:
    """End the sessions that a checked logout token names; how many there were.

    :raises Replayed: the token was used before; also when it comes twice at the same moment
    """
    tx.execute(delete(USED).where(USED.c.expires_at < tx.now))
    seal = secrets.digest(f"{notice.issuer}\n{notice.jti}")
    try:
        with tx.connection.begin_nested():
            tx.execute(USED.insert().values(jti_hash=seal, expires_at=notice.good_until))
    except IntegrityError:
        raise Replayed from None
    return sessions.end_at_provider(tx, notice.issuer, sid=notice.sid, subject=notice.subject)


def by_frame(tx: Transaction, provider: ProviderSettings, *, issuer: str, sid: str) -> int:
    """End the session that a provider names through the browser, if it is one of that provider's; how many."""
    if issuer not in provider.issuers() or not sid:
        return 0
    return sessions.end_at_provider(tx, provider.own_issuer(issuer), sid=sid)


def refuse(tx: Transaction, error: DomainError, *, provider: str) -> None:
    """Write down that a provider's word on a sign-out was not believed, and why."""
    reason = getattr(error, "reason", error.code)
    audit.refused(tx, "logout.refused", None, reason, data={"provider": provider})
