"""What surrounds stays, for the API: conflicts, preferences, reflections, stories, feeds, calendar, overview."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from app.lib import clock
from app.lib.closing_days import ClosingDay
from app.services.bookings import BookingView
from app.services.exchange_calendar import Calendar, Host
from app.services.exchange_overview import Overview
from app.services.placements import PlacementView
from app.services.programmes import ProgrammeView

Json = dict[str, Any]

_ANSWERS: Final = ("learned", "surprised", "next")
_PERIOD: Final = ("is_window", "places", "free", "waiting")


def conflict(row: Any) -> Json:
    """A declared conflict of interest."""
    return {
        "organisation": row.organisation_id,
        "name": row.organisation,
        "statement": row.statement,
        "declared_at": clock.rfc3339(row.declared_at),
    }


def preferences(base_url: str, placement: PlacementView, people: Sequence[Any]) -> Json:
    """Who wishes to come, and whom the host would rather have."""
    return {
        "placement": placement.id,
        "url": f"{base_url}/placements/{placement.id}/preferences",
        "people": [
            {
                "person": row.person_id,
                "name": row.name,
                "organisation": row.organisation,
                "rank": row.preferred,
            }
            for row in people
        ],
    }


def reflection(base_url: str, booking_id: int, party: str, row: Any | None) -> Json:
    """What one side takes from a stay; empty where it has written nothing yet."""
    return {
        "booking": booking_id,
        "url": f"{base_url}/bookings/{booking_id}#after",
        "party": party,
        "by": getattr(row, "by", None),
        **{name: getattr(row, name, "") for name in _ANSWERS},
        "language": getattr(row, "language", None),
        "written_at": _instant(getattr(row, "written_at", None)),
    }


def story(base_url: str, booking_id: int, row: Any | None) -> Json:
    """The story of a stay, for guest and host; empty where there is none yet."""
    instants = ("guest_consent_at", "host_consent_at", "published_at")
    return {
        "booking": booking_id,
        "url": f"{base_url}/bookings/{booking_id}#after",
        "title": getattr(row, "title", ""),
        "body": getattr(row, "text", ""),
        "body_html": getattr(row, "text_html", ""),
        "language": getattr(row, "language", None),
        **{name: _instant(getattr(row, name, None)) for name in instants},
        "version": getattr(row, "version", 0),
    }


def published_story(base_url: str, programme: ProgrammeView, row: Any) -> Json:
    """A story that may be told."""
    return {
        "id": row.id,
        "url": f"{base_url}/exchanges/stories?programme={programme.slug}",
        "programme": programme.id,
        "title": row.title,
        "body": row.text,
        "body_html": row.text_html,
        "language": row.language,
        "organisation": row.organisation,
        "host": row.host,
        "published_at": clock.rfc3339(row.published_at),
        "created_at": clock.rfc3339(row.created_at),
        "updated_at": clock.rfc3339(row.updated_at),
    }


def feed(base_url: str, programme: ProgrammeView, row: Any) -> Json:
    """A calendar address without its secret."""
    return {
        "id": row.id,
        "url": f"{base_url}/exchanges/feeds?programme={programme.slug}",
        "programme": programme.id,
        "organisation": row.organisation_id,
        "created_at": clock.rfc3339(row.created_at),
    }


def calendar(base_url: str, programme: ProgrammeView, view: Calendar) -> Json:
    """Weeks by hosts."""
    return {
        "programme": programme.id,
        "url": f"{base_url}/exchanges/calendar?programme={programme.slug}",
        "weeks": [
            {**_span(week), "closing_days": [closing_day(each) for each in closing]}
            for week, closing in view.weeks
        ],
        "hosts": [_host(each) for each in view.hosts],
    }


def closing_day(view: ClosingDay) -> Json:
    """A day on which offices are closed."""
    return {"day": view.day.isoformat(), "name": view.name}


def overview(base_url: str, programme: ProgrammeView, view: Overview) -> Json:
    """What a coordinator looks at."""
    return {
        "programme": programme.id,
        "url": f"{base_url}/exchanges/console?programme={programme.slug}",
        "weeks": [
            {**_span(each.span), "places": each.places, "taken": each.taken, "waiting": each.waiting}
            for each in view.weeks
        ],
        "stuck": [_stuck(base_url, each) for each in view.stuck],
        "waiting": [_stuck(base_url, each) for each in view.waiting],
        "to_review": [
            {"id": each.id, "url": f"{base_url}/placements/{each.id}", "title": each.title, "host": each.host}
            for each in view.to_review
        ],
        "directions": [
            {"home": each.home.key, "host": each.host.key, "asked": each.asked, "settled": each.settled}
            for each in view.directions
        ],
        "imbalance": view.imbalance,
    }


def _host(view: Host) -> Json:
    return {
        "organisation": view.placement.host_id,
        "name": view.placement.host,
        "sector": view.placement.sector_key,
        "offers": [
            {
                "week": number,
                "placement": placement.id,
                "title": placement.title,
                "period": period.id,
                **_span(period),
                **{name: getattr(period, name) for name in _PERIOD},
            }
            for number, offered in enumerate(view.offers)
            for placement, period in offered
        ],
    }


def _stuck(base_url: str, view: BookingView) -> Json:
    return {
        "id": view.id,
        "url": f"{base_url}/bookings/{view.id}",
        "placement": view.placement_id,
        "title": view.placement_title,
        "guest": view.guest,
        **_span(view),
        "state": view.state,
        "awaited": list(view.awaited),
        "updated_at": clock.rfc3339(view.updated_at),
    }


def _span(days: Any) -> Json:
    return {"first_day": days.first_day.isoformat(), "last_day": days.last_day.isoformat()}


def _instant(instant: datetime | None) -> str | None:
    return None if instant is None else clock.rfc3339(instant)
