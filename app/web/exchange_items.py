"""Placements, bookings, their steps, the rules of exchanges and the ledger as the API shows them."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, Final

from app.lib import clock
from app.models.exchange import COORDINATOR, GUEST
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import may
from app.services import agreements
from app.services.bookings import AgreementView, BookingView, DecisionView, roles_of
from app.services.exchange_rules import Item, Rules
from app.services.ledger import Ledger
from app.services.placements import PeriodView, PlacementView
from app.services.programmes import ProgrammeView
from app.services.wishes import WishListView
from app.web.problems import said

Json = dict[str, Any]

_PLACEMENT: Final = (
    "title",
    "description",
    "description_html",
    "language",
    "place",
    "accessibility",
    "confidentiality",
    "open_to",
    "least_days",
    "most_days",
)
_RULES: Final = (
    "way",
    "in_order",
    "hold_days",
    "offer_days",
    "link_days",
    "remind_days",
    "country",
    "region",
    "zone",
    "aim",
)


def placement(base_url: str, actor: Actor, view: PlacementView) -> Json:
    """A placement, for one caller: a coordinator's note is for those who can mend it."""
    mends = may(actor, Permission.CHANGE_PLACEMENT, view)
    return {
        "id": view.id,
        "url": f"{base_url}/placements/{view.id}",
        "programme": view.programme_id,
        "organisation": view.host_id,
        "host": view.host,
        "sector": view.sector_key,
        **{name: getattr(view, name) for name in _PLACEMENT},
        "competencies": list(view.competencies),
        "spoken": list(view.spoken),
        "contact": {"person": view.contact_id, "name": view.contact},
        "periods": [_period(each) for each in view.periods],
        "state": view.state,
        "note": view.note if mends and view.note else None,
        "published_at": _instant(view.published_at),
        "version": view.version,
        "created_at": clock.rfc3339(view.created_at),
        "updated_at": clock.rfc3339(view.updated_at),
    }


def booking(base_url: str, actor: Actor, view: BookingView, place: int | None, language: str) -> Json:
    """A booking, for one caller. `place`: the one in line, while it waits."""
    return {
        "id": view.id,
        "url": f"{base_url}/bookings/{view.id}",
        "programme": view.programme_id,
        "placement": view.placement_id,
        "title": view.placement_title,
        "period": view.period_id,
        "first_day": view.first_day.isoformat(),
        "last_day": view.last_day.isoformat(),
        "state": view.state,
        "guest": {
            "person": view.person_id,
            "name": view.guest,
            "organisation": view.organisation_id,
            "organisation_name": view.organisation,
            "sector": view.sector_key,
        },
        "host": {
            "organisation": view.host_id,
            "name": view.host,
            "sector": view.host_sector_key,
            "contact": view.contact,
        },
        "manager": _manager(actor, view),
        "message": view.message,
        "awaited": list(view.awaited),
        "asked": list(view.asked),
        "place_in_line": place,
        "expires_at": _instant(view.expires_at),
        "decisions": [_decision(each) for each in view.decisions],
        "open_items": _open_items(view, language),
        "agreements": [_agreement(each) for each in view.agreements],
        "reflected": list(view.reflected),
        "match": view.match_id,
        "confirmed_at": _instant(view.confirmed_at),
        "version": view.version,
        "created_at": clock.rfc3339(view.created_at),
        "updated_at": clock.rfc3339(view.updated_at),
    }


def step(row: Any) -> Json:
    """A step of a booking."""
    return {
        "id": row.id,
        "action": row.action,
        "state": row.state,
        "role": row.role,
        "by": row.by,
        "reason": row.reason,
        "first_day": row.first_day.isoformat(),
        "last_day": row.last_day.isoformat(),
        "taken_at": clock.rfc3339(row.taken_at),
    }


def rules(base_url: str, slug: str, view: Rules, language: str) -> Json:
    """The rules of a programme; what is usual is told in the caller's language."""
    return {
        "programme": view.programme_id,
        "url": f"{base_url}/exchanges/rules?programme={slug}",
        **{name: getattr(view, name) for name in _RULES},
        "approvals": list(view.approvals),
        "checklist": _checklist(view.checklist, language),
        "version": view.version,
    }


def ledger(base_url: str, programme: ProgrammeView, view: Ledger) -> Json:
    """Who went where, by organisation and sector."""
    return {
        "programme": programme.id,
        "url": f"{base_url}/exchanges/ledger?programme={programme.slug}",
        "stays": view.stays,
        "organisations": [
            {
                "id": each.id,
                "name": each.name,
                "sector": each.sector.key,
                "went": each.went,
                "came": each.came,
            }
            for each in view.accounts
        ],
        "flows": [{"home": each.home_id, "host": each.host_id, "stays": each.stays} for each in view.flows],
        "directions": [
            {"home": each.home.key, "host": each.host.key, "stays": each.stays} for each in view.directions
        ],
    }


def wishes(base_url: str, programme: ProgrammeView, view: WishListView) -> Json:
    """One's own wishes."""
    return {
        "programme": programme.id,
        "url": f"{base_url}/exchanges/wishes?programme={programme.slug}",
        "wishes": [
            {
                "placement": each.placement_id,
                "period": each.period_id,
                "organisation": each.organisation_id,
                "competency": each.competency,
                "first_day": _day(each.first_day),
                "last_day": _day(each.last_day),
            }
            for each in view.wishes
        ],
        "unavailable": [
            {"first_day": each.first_day.isoformat(), "last_day": each.last_day.isoformat()}
            for each in view.unavailable
        ],
        "offers_desk": view.offers_desk,
        "version": view.version,
    }


def _period(view: PeriodView) -> Json:
    return {
        "id": view.id,
        "first_day": view.first_day.isoformat(),
        "last_day": view.last_day.isoformat(),
        "is_window": view.is_window,
        "places": view.places,
        "free": view.free,
        "waiting": view.waiting,
    }


def _manager(actor: Actor, view: BookingView) -> Json | None:
    """The home manager; the address is for those who gave it, and for coordinators."""
    if view.manager_id is None and not view.manager_email:
        return None
    knows = {GUEST, COORDINATOR} & set(roles_of(actor, view)) or actor.person_id == view.person_id
    return {
        "person": view.manager_id,
        "name": view.manager_name,
        "email": (view.manager_email or None) if knows else None,
    }


def _decision(view: DecisionView) -> Json:
    return {
        "role": view.role,
        "approved": view.approved,
        "reason": view.reason,
        "by": view.by,
        "decided_at": clock.rfc3339(view.decided_at),
    }


def _agreement(view: AgreementView) -> Json:
    return {
        "item": view.item,
        "party": view.party,
        "statement": view.statement,
        "answer": view.answer,
        "by": view.by,
        "agreed_at": clock.rfc3339(view.agreed_at),
    }


def _checklist(items: Iterable[Item], language: str) -> list[Json]:
    return [{"item": item.key, "party": item.party, "text": said(language, item.text)} for item in items]


def _open_items(view: BookingView, language: str) -> list[Json]:
    """What is not agreed to yet, as whoever agrees reads it."""
    items = view.open_items if view.is_live else ()
    return [
        {
            "item": item.key,
            "party": item.party,
            "text": _whole(agreements.statement(view, item), language),
            "mark": agreements.mark(view, item),
        }
        for item in items
    ]


def _whole(statement: str, language: str) -> str:
    """The text of an item; what is usual is told in the caller's language."""
    return "\n\n".join(said(language, part) for part in statement.split("\n\n"))


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _instant(instant: datetime | None) -> str | None:
    return None if instant is None else clock.rfc3339(instant)
