"""The form of a placement: what it holds, and what it says to the service."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from app.errors import DomainError, FieldError, Invalid
from app.lib import days
from app.lib.i18n import N_
from app.policies.actor import Actor
from app.services.placement_drafts import MOST_PERIODS
from app.services.placements import PlacementView
from app.services.programmes import ProgrammeView
from app.web import pages

LEAST_ROOM: Final = 3
SPARE_ROOM: Final = 2
"""A form has room for so many weeks and windows at least, and for so many more than there are."""

TEXTS: Final = ("title", "description", "language", "place", "accessibility", "confidentiality", "open_to")


def blank(actor: Actor, programme: ProgrammeView, language: str) -> dict[str, Any]:
    """What a new form holds."""
    own = actor.memberships[programme.id]
    return {
        "language": language,
        "organisation_id": str(own.organisation_id),
        "contact_id": str(actor.person_id),
        "open_to": "other",
        "least_days": "1",
        "most_days": "5",
        "spoken": language,
    }


def values_of(placement: PlacementView) -> dict[str, Any]:
    """What the form holds of a placement that is there."""
    values: dict[str, Any] = {name: getattr(placement, name) for name in TEXTS}
    values |= {
        "competencies": "\n".join(placement.competencies),
        "spoken": ", ".join(placement.spoken),
        "least_days": placement.least_days,
        "most_days": placement.most_days,
        "organisation_id": str(placement.host_id),
        "contact_id": str(placement.contact_id),
        "version": placement.version,
    }
    for place, period in enumerate(placement.periods):
        values |= {
            f"period_id_{place}": period.id,
            f"first_day_{place}": period.first_day.isoformat(),
            f"last_day_{place}": period.last_day.isoformat(),
            f"is_window_{place}": "1" if period.is_window else "",
            f"places_{place}": period.places,
        }
    return values


def room(values: Mapping[str, Any]) -> range:
    """The numbers of the weeks and windows for which the form has room."""
    filled = [place for place in range(MOST_PERIODS) if _is_filled(values, place)]
    return range(min(MOST_PERIODS, max(LEAST_ROOM, (filled[-1] + 1 if filled else 0) + SPARE_ROOM)))


def written(values: Mapping[str, Any]) -> dict[str, Any]:
    """What a form says of a placement, as `placement_making.offer` and `change` take it. Empty rows are left out."""
    return {
        **{name: str(values.get(name, "")) for name in TEXTS},
        "competencies": [line for line in str(values.get("competencies", "")).splitlines() if line.strip()],
        "spoken": str(values.get("spoken", "")).replace(",", " ").lower().split(),
        "least_days": _whole(values.get("least_days", "")),
        "most_days": _whole(values.get("most_days", "")),
        "contact_id": pages.number(str(values.get("contact_id", ""))) or 0,
        "periods": [
            {
                "id": pages.number(str(values.get(f"period_id_{place}", ""))),
                "first_day": days.parse_day(str(values.get(f"first_day_{place}", ""))),
                "last_day": days.parse_day(str(values.get(f"last_day_{place}", ""))),
                "is_window": bool(values.get(f"is_window_{place}")),
                "places": _whole(values.get(f"places_{place}", "")),
            }
            for place in _places(values)
        ]
        + _weeks(values),
    }


def _weeks(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The weeks, from Monday to Friday, that are asked for as so many one after another.

    :raises Invalid: it is not clear from when, or how many
    """
    asked = {
        name: str(values.get(name, "")).strip() for name in ("weeks_from", "weeks_number", "weeks_places")
    }
    if not any(asked.values()):
        return []
    day, number = days.parse_day(asked["weeks_from"]), _whole(asked["weeks_number"])
    if day is None:
        raise Invalid(FieldError("weeks_from", N_("Please write the day like 2026-05-04.")))
    if not 1 <= number <= MOST_PERIODS:
        message = N_("Please give a whole number from %(least)s to %(most)s.")
        raise Invalid(FieldError("weeks_number", message, (("least", 1), ("most", MOST_PERIODS))))
    monday = days.week_of(day).first_day
    mondays = [monday + timedelta(weeks=each) for each in range(number)]
    return [
        {
            "id": None,
            "first_day": each,
            "last_day": each + timedelta(days=4),
            "is_window": False,
            "places": _whole(asked["weeks_places"]),
        }
        for each in mondays
    ]


def by_fields(error: DomainError, values: Mapping[str, Any]) -> DomainError:
    """The same error by the names of the form's fields: `periods/0/last_day` is `last_day_0`, rows left out counted.

    What is wrong with weeks that were asked for together is said once, where they were.
    """
    if not isinstance(error, Invalid):
        return error
    places = _places(values)
    return Invalid(
        *(FieldError(_field(wrong.field, places), wrong.message, wrong.values) for wrong in error.errors)
    )


def _field(name: str, places: list[int]) -> str:
    parts = name.split("/")
    if parts[0] != "periods" or len(parts) != 3:
        return name
    place = int(parts[1])
    if place >= len(places):
        return "weeks_places" if parts[2] == "places" else "weeks_from"
    return f"{parts[2]}_{places[place]}"


def _places(values: Mapping[str, Any]) -> list[int]:
    """The rows that are filled in. One with an id and no days any more is taken away."""
    return [place for place in range(MOST_PERIODS) if _is_filled(values, place)]


def _is_filled(values: Mapping[str, Any], place: int) -> bool:
    return any(str(values.get(f"{name}_{place}", "")).strip() for name in ("first_day", "last_day"))


def _whole(text: Any) -> int:
    """The number, or one that cannot be taken, so that the service says what would be right."""
    number = pages.number(str(text).strip())
    return -1 if number is None else number
