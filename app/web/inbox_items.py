"""What waits for someone, what is theirs and what they were told, as the API shows it."""

from datetime import datetime
from typing import Any

from app.lib import clock
from app.policies.actor import Actor
from app.services.ballots import BallotView
from app.services.bookings import BookingView, roles_of
from app.services.inbox import Inbox
from app.services.notices import NoticeView
from app.web import items
from app.web.problems import said

Json = dict[str, Any]


def inbox(base_url: str, actor: Actor, view: Inbox) -> Json:
    """What waits for the one who asks."""
    return {
        "url": f"{base_url}/me",
        "merges": [items.merge(base_url, actor, each) for each in view.merges],
        "ballots": [_ballot(base_url, each) for each in view.ballots],
        "bookings": [_booking(base_url, actor, each) for each in view.bookings],
    }


def idea(base_url: str, row: Any) -> Json:
    """An idea of one's own."""
    return {
        "id": row.id,
        "url": f"{base_url}/ideas/{row.id}",
        "programme": row.programme_id,
        "challenge": row.challenge_id,
        **{name: getattr(row, name) for name in ("title", "language", "anonymous", "state", "version")},
        "created_at": clock.rfc3339(row.created_at),
        "updated_at": clock.rfc3339(row.updated_at),
    }


def notice(base_url: str, view: NoticeView, language: str) -> Json:
    """What someone was told, in their language."""
    return {
        "id": view.id,
        "url": base_url + view.path,
        "programme": view.programme_id,
        "kind": view.kind,
        "subject": said(language, view.subject, view.values),
        "message": said(language, view.message, view.values),
        "created_at": clock.rfc3339(view.created_at),
    }


def _ballot(base_url: str, view: BallotView) -> Json:
    return {
        "id": view.id,
        "url": f"{base_url}/ballots/{view.id}",
        "programme": view.programme_id,
        "challenge": view.challenge_id,
        "title": view.title,
        "closes_at": clock.rfc3339(view.closes_at),
    }


def _booking(base_url: str, actor: Actor, view: BookingView) -> Json:
    return {
        "id": view.id,
        "url": f"{base_url}/bookings/{view.id}",
        "programme": view.programme_id,
        "placement": view.placement_id,
        "title": view.placement_title,
        "first_day": view.first_day.isoformat(),
        "last_day": view.last_day.isoformat(),
        "state": view.state,
        "guest": view.guest,
        "roles": [role for role in roles_of(actor, view) if role in view.awaited],
        "expires_at": _instant(view.expires_at),
    }


def _instant(instant: datetime | None) -> str | None:
    return None if instant is None else clock.rfc3339(instant)
