"""Webhooks and their deliveries as the API shows them."""

from datetime import datetime
from typing import Any

from app.lib import clock
from app.services.deliveries import DeliveryView, ReplayView
from app.services.webhooks import WebhookView
from app.web.hook_words import HOOK_ERRORS
from app.web.problems import said

Json = dict[str, Any]


def webhook(base_url: str, view: WebhookView, *, secret: str | None = None) -> Json:
    """A webhook; `secret` where it was just made."""
    return {
        "id": view.id,
        "url": _page(base_url, view.id),
        "programme": view.programme_id,
        "name": view.name,
        "address": view.address,
        "types": list(view.types),
        "owner": view.owner_id,
        "active": view.stopped_at is None,
        "state": view.state,
        "stopped_at": _instant(view.stopped_at),
        "stopped_why": view.stopped_why,
        "failures": view.failures,
        "failing_since": _instant(view.failing_since),
        "paused_until": _instant(view.not_before),
        "delivered_at": _instant(view.delivered_at),
        "waiting": view.waiting,
        "dead": view.dead,
        "secret": secret,
        "previous_secret_until": _instant(view.previous_until),
        "version": view.version,
        "created_at": clock.rfc3339(view.created_at),
        "updated_at": clock.rfc3339(view.updated_at),
    }


def delivery(base_url: str, view: DeliveryView, language: str) -> Json:
    """A delivery with the request and the answer of its last try."""
    return {
        "id": view.id,
        "url": f"{_page(base_url, view.webhook_id)}/deliveries/{view.id}",
        "programme": view.programme_id,
        "webhook": view.webhook_id,
        "event": view.event_id,
        "message": view.message,
        "type": view.type,
        "state": view.state,
        "tries": view.tries,
        "next_try_at": _instant(view.next_at),
        "tried_at": _instant(view.tried_at),
        "took_ms": view.took_ms,
        "error": view.error,
        "reason": None if view.error is None else said(language, HOOK_ERRORS[view.error]),
        "request": _request(view),
        "answer": _answer(view),
        "history": [dict(line) for line in view.history],
        "created_at": clock.rfc3339(view.created_at),
        "updated_at": clock.rfc3339(view.updated_at),
    }


def replay(base_url: str, view: ReplayView) -> Json:
    """A replay of a stretch of the log."""
    return {
        "id": view.id,
        "url": f"{_page(base_url, view.webhook_id)}#replays",
        "webhook": view.webhook_id,
        "from": clock.rfc3339(view.from_at),
        "to": clock.rfc3339(view.to_at),
        "state": view.state,
        "deliveries": view.deliveries,
        "created_at": clock.rfc3339(view.created_at),
        "updated_at": clock.rfc3339(view.finished_at or view.created_at),
    }


def _page(base_url: str, webhook_id: int) -> str:
    return f"{base_url}/admin/webhooks/{webhook_id}"


def _request(view: DeliveryView) -> Json | None:
    if view.request_headers is None:
        return None
    return {"headers": dict(view.request_headers), "body": view.request_body}


def _answer(view: DeliveryView) -> Json | None:
    if view.answer_status is None:
        return None
    return {
        "status": view.answer_status,
        "headers": dict(view.answer_headers or {}),
        "body": view.answer_body or "",
    }


def _instant(value: datetime | None) -> str | None:
    return None if value is None else clock.rfc3339(value)
