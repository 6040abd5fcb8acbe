"""The forms of bookings: what they say to the services."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from app.lib import days
from app.services.home_managers import NOBODY, Manager
from app.web import pages


def manager_of(values: Mapping[str, Any]) -> Manager:
    """The home manager that a form names: a colleague with an account, or a name and an address."""
    person_id = pages.number(str(values.get("manager_id", "")))
    if person_id is not None:
        return Manager(person_id)
    name, email = (str(values.get(field, "")).strip() for field in ("manager_name", "manager_email"))
    return Manager(None, name, email) if name or email else NOBODY


def stay_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """The days that a form names; left out, those of the period."""
    return {
        "period_id": pages.number(str(values.get("period_id", ""))) or 0,
        "first_day": _day(values, "first_day"),
        "last_day": _day(values, "last_day"),
    }


def _day(values: Mapping[str, Any], name: str) -> date | None:
    """A day; one that cannot be read is the first that there is, so that the service says what would be right."""
    written = str(values.get(name, "")).strip()
    return (days.parse_day(written) or date.min) if written else None
