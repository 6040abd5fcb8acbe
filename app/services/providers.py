"""Identity providers as those who look after them see them: which there are, and what was refused lately."""

from collections.abc import Collection, Iterable
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

MOST_REASONS: Final = 20
"""How many reasons are told of each provider."""

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


def failures(connection: Connection, providers: Collection[str]) -> dict[str, list[Failure]]:
    """Why sign-ins and sign-outs through each of these providers were refused lately, by its id: the latest first, no
    more than `MOST_REASONS`; no word of whose. One statement.
    """
    newest = select(func.coalesce(func.max(ENTRY.c.id), 0)).scalar_subquery()
    named = ENTRY.c.data["provider"].as_string()
    reason = ENTRY.c.data["reason"].as_string()
    lately = (
        select(named.label("provider"), ENTRY.c.action, reason.label("reason"), ENTRY.c.created_at)
        .where(ENTRY.c.id > newest - LOOKED_AT, ENTRY.c.action.in_(REFUSALS), named.in_(list(providers)))
        .subquery()
    )
    alike = (lately.c.provider, lately.c.action, lately.c.reason)
    last_at = func.max(lately.c.created_at, type_=ENTRY.c.created_at.type)
    place = func.row_number().over(partition_by=lately.c.provider, order_by=last_at.desc())
    counted = (
        select(*alike, func.count().label("times"), last_at.label("last_at"), place.label("place"))
        .group_by(*alike)
        .subquery()
    )
    found: dict[str, list[Failure]] = {provider: [] for provider in providers}
    for row in connection.execute(
        select(counted).where(counted.c.place <= MOST_REASONS).order_by(counted.c.place)
    ):
        found[row.provider].append(Failure(row.action, row.reason or "", row.times, row.last_at))
    return found
