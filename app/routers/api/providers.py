"""Identity providers and how they fare, for programs of those in charge."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from app.integrations import provider_health
from app.integrations.provider_health import Check
from app.lib import clock
from app.policies.actor import Actor
from app.schemas.administration import ProviderList
from app.services import providers
from app.services.providers import Failure
from app.web import languages, paging
from app.web.operations import base_url, caller, database, operation
from app.web.paging import Cursor, Limit
from app.web.problems import said


@operation(
    "GET",
    "/providers",
    tag="providers",
    summary="List identity providers and how they fare",
    scope="admin",
    gives=ProviderList,
    paged=True,
)
async def index(request: Request, limit: Limit = paging.USUAL, cursor: Cursor = None) -> Response:
    """Those that you look after: what was looked at now, and what was refused lately. A trial takes a browser."""
    actor = await caller(request)
    page = paging.page(request, limit, cursor)
    known = request.app.state.context.providers
    ours = await database(request).read(
        lambda connection: providers.overseen(connection, actor, [one.settings for one in known])
    )
    numbered = [(number, one) for number, one in enumerate(ours, start=1) if number > page.after]
    shown, more = page.cut(numbered)
    failures = await database(request).read(
        lambda connection: providers.failures(connection, [one.id for _, one in shown])
    )
    checks = await asyncio.gather(*(provider_health.look(known.find(one.id)) for _, one in shown))
    told = [
        _told(request, actor, one, found, failures[one.id])
        for (_, one), found in zip(shown, checks, strict=True)
    ]
    return paging.listing(request, page, told, shown[-1][0] if more else None)


def _told(
    request: Request, actor: Actor, one: Any, checks: Sequence[Check], failures: Sequence[Failure]
) -> dict[str, Any]:
    language = languages.of(request, actor)
    return {
        "id": one.id,
        "url": f"{base_url(request)}/admin/providers",
        "name": one.label_in(language),
        "issuer": one.issuer,
        "programme": one.programme,
        "checks": [
            {
                "name": check.name,
                "state": check.state,
                "says": said(language, check.says, check.values),
                "mend": said(language, check.mend, check.values) if check.mend else "",
            }
            for check in checks
        ],
        "failures": [{**asdict(each), "last_at": clock.rfc3339(each.last_at)} for each in failures],
    }
