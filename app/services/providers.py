"""Identity providers as those who look after them see them: which there are, and what was refused lately."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from app.errors import NotFound
from app.integrations.provider_settings import ProviderSettings
from app.lib.i18n import N_
from app.models import AuditEntry, Programme
from app.models.base import table
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import require

ENTRY = table(AuditEntry)
PROGRAMME = table(Programme)

LOOKED_AT: Final = 5000
"""How far back failures are looked for: so many of the audit log's newest entries."""

REFUSALS: Final = ("sign_in.refused", "logout.refused")


@dataclass(frozen=True, slots=True)
class Failure:
    """A reason for which sign-ins or sign-outs were refused lately: how often, and when last."""

    action: str
    reason: str
    count: int
    last_at: datetime


def overseen(
    connection: Connection, actor: Actor, providers: Iterable[ProviderSettings]
) -> list[ProviderSettings]:
    """The providers that the actor looks after: all, or those of the programmes that they coordinate.

    :raises NotAllowed: they look after none
    """
    require(actor, Permission.MANAGE_PROVIDERS)
    if actor.is_administrator:
        return list(providers)
    own = [id for id, membership in actor.memberships.items() if membership.role == "coordinator"]
    slugs = set(connection.execute(select(PROGRAMME.c.slug).where(PROGRAMME.c.id.in_(own))).scalars())
    return [provider for provider in providers if provider.programme in slugs]


def find(
    connection: Connection, actor: Actor, providers: Iterable[ProviderSettings], id: str
) -> ProviderSettings:
    """One provider that the actor looks after.

    :raises NotFound: there is none of this name, or they do not look after it
    """
    for provider in overseen(connection, actor, providers):
        if provider.id == id:
            return provider
    raise NotFound(N_("There is no such identity provider. Please choose one from the list."))


def failures(connection: Connection, provider: str) -> list[Failure]:
    """Why sign-ins and sign-outs through a provider were refused lately, the latest first; no word of whose."""
    newest = select(func.coalesce(func.max(ENTRY.c.id), 0)).scalar_subquery()
    named = ENTRY.c.data["provider"].as_string()
    reason = ENTRY.c.data["reason"].as_string()
    last_at = func.max(ENTRY.c.created_at, type_=ENTRY.c.created_at.type)
    rows = connection.execute(
        select(ENTRY.c.action, reason.label("reason"), func.count().label("times"), last_at.label("last_at"))
        .where(ENTRY.c.id > newest - LOOKED_AT, ENTRY.c.action.in_(REFUSALS), named == provider)
        .group_by(ENTRY.c.action, reason)
        .order_by(last_at.desc())
        .limit(20)
    )
    return [Failure(row.action, row.reason or "", row.times, row.last_at) for row in rows]
