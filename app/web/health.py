"""Health and measurements: what probes and Prometheus ask."""

import asyncio
import hmac
import ipaddress
from contextlib import suppress
from functools import partial
from typing import Any, Final

from fastapi import APIRouter
from sqlalchemy.engine import Connection
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.database import Database
from app.errors import DomainError, NotFound
from app.lib.i18n import N_
from app.services import webhook_log
from app.web import metrics

router = APIRouter(include_in_schema=False)

PATIENCE_S: Final = 2.0
"""How long the database may take to answer a probe."""


@router.get("/health/live")
async def live() -> Response:
    """The process runs and its event loop turns; nothing else is asked, so that no restart follows a lost database."""
    return JSONResponse({"status": "ok"})


@router.get("/health/ready")
async def ready(request: Request) -> Response:
    """Whether requests should come here: the database answers, and we are not about to leave.

    A lost Redis is told, but is no reason to stay away: boards work without it, and hear of changes a little later.
    """
    state = request.app.state
    checks = {
        "database": await _database(state.context.database),
        "bus": getattr(state.context.bus, "state", "alone"),
        "serving": "leaving" if getattr(state, "is_leaving", False) else "ok",
    }
    is_ready = checks["database"] == "ok" and checks["serving"] == "ok"
    return JSONResponse(
        {"status": "ok" if is_ready else "unavailable", "checks": checks},
        200 if is_ready else 503,
        {} if is_ready else {"Retry-After": "2"},
    )


@router.get("/metrics")
async def measurements(request: Request) -> Response:
    """What the process measures of itself: for the bearer of the operator's token, without one for this machine."""
    context = request.app.state.context
    if not _may_read(request, context.settings.metrics_token):
        raise NotFound(N_("There is no such page, or it is not open to you."))
    with suppress(DomainError, TimeoutError):
        async with asyncio.timeout(PATIENCE_S):
            context.measures.looked_up = await context.database.read_unbounded(_looked_up)
    return Response(context.measures.text(), media_type=metrics.CONTENT_TYPE)


def _looked_up(connection: Connection) -> dict[str, int]:
    """What only the database knows; where it does not answer, the figures from before are told."""
    found = webhook_log.counts(connection)
    return {f"webhooks_{name}": found[name] for name in _WEBHOOKS} | {
        f"webhook_deliveries_{name}": found[name] for name in _DELIVERIES
    }


_WEBHOOKS: Final = {
    "active": "Webhooks that get through.",
    "failing": "Webhooks of which a message was given up, and none was taken since.",
    "off": "Webhooks that are switched off.",
}
_DELIVERIES: Final = {
    "waiting": "Messages on their way to webhooks.",
    "dead": "Messages to webhooks that were given up.",
}


def watch(measures: metrics.Measures, database: Database) -> None:
    """Also measure the database's writer: how much waits, and how much one commit carries."""
    measures.gauge(
        "writer_waiting", "Pieces of work that wait to be written.", lambda: database.writer_counts()[0]
    )
    measures.total("writer_batches", "Commits of the writer.", lambda: database.writer_counts()[1])
    measures.total("writer_pieces", "Pieces of work in those.", lambda: database.writer_counts()[2])
    for prefix, figures in (("webhooks", _WEBHOOKS), ("webhook_deliveries", _DELIVERIES)):
        for name, help_text in figures.items():
            key = f"{prefix}_{name}"
            measures.gauge(key, help_text, partial(measures.figure, key))


async def _database(database: Database) -> str:
    try:
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.to_thread(database.check)
    except (DomainError, TimeoutError):
        return "unavailable"
    return "ok"


def _may_read(request: Request, token: Any) -> bool:
    if token is not None:
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        return hmac.compare_digest(given.encode(), token.get_secret_value().encode())
    return request.client is not None and _is_loopback(request.client.host)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
