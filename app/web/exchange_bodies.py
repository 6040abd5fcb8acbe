"""Bodies of exchanges: how they become what services take, and how errors find their way back to them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from app.errors import FieldError, Invalid
from app.lib.days import Span
from app.lib.i18n import N_
from app.schemas.base import Taken
from app.schemas.bookings import BookingChange, ManagerDraft
from app.schemas.wishes import WishesDraft
from app.services.bookings import BookingView
from app.services.exchange_rules import Item
from app.services.home_managers import NOBODY, Manager
from app.services.wishes import WishView
from app.web.validation import pointing

_WHERE: Final = {
    "manager_id": "manager/person",
    "manager_name": "manager/name",
    "manager_email": "manager/email",
}
"""Where in a body those fields stand that services call by another name than its own with `_id` behind it."""


def manager(draft: ManagerDraft | None) -> Manager:
    """The manager that a body names.

    :raises Invalid: it names one in two ways
    """
    if draft is None:
        return NOBODY
    if draft.person is not None and (draft.name or draft.email):
        message = N_("Please give a person, or a name and a mail address, not both.")
        raise Invalid(FieldError("manager", message))
    return Manager(draft.person, draft.name, draft.email)


def days_of(booking: BookingView, change: BookingChange) -> dict[str, Any] | None:
    """The days that a change asks for, as `moving.move` takes them; None where it names none.

    What is left out stays; with another period its own days stand in.
    """
    given = change.given()
    if not given.keys() & {"period", "first_day", "last_day"}:
        return None
    stays = given.get("period", booking.period_id) == booking.period_id
    before = {"first_day": booking.first_day, "last_day": booking.last_day} if stays else {}
    named = {name: given[name] for name in ("first_day", "last_day") if given.get(name) is not None}
    return {"period_id": given.get("period", booking.period_id), **before, **named}


def placement(body: Taken) -> dict[str, Any]:
    """A placement, or what is changed of one, as `placement_making` takes it. A null is as if left out."""
    given = {name: value for name, value in body.given().items() if value is not None}
    for name in ("organisation", "contact"):
        if name in given:
            given[f"{name}_id"] = given.pop(name)
    if "periods" in given:
        given["periods"] = [each.model_dump() for each in given["periods"]]
    return given


def wishes(body: WishesDraft) -> dict[str, Any]:
    """Wishes as `wishes.state` takes them.

    :raises Invalid: days on which one cannot go end before they begin
    """
    backwards = [place for place, each in enumerate(body.unavailable) if each.last_day < each.first_day]
    if backwards:
        message = N_("The last day is before the first one.")
        raise Invalid(*(FieldError(f"unavailable/{place}/last_day", message) for place in backwards))
    stated = [
        WishView(
            each.placement, each.period, each.organisation, each.competency, each.first_day, each.last_day
        )
        for each in body.wishes
    ]
    spans = [Span(each.first_day, each.last_day) for each in body.unavailable]
    return {"wishes": stated, "unavailable": spans, "offers_desk": body.offers_desk}


def rules(change: Taken) -> dict[str, Any]:
    """What a body changes of a programme's rules, as `exchange_rules.set_rules` takes it."""
    given = change.given()
    if "approvals" in given:
        given["approvals"] = tuple(given["approvals"])
    if "checklist" in given:
        given["checklist"] = tuple(Item(each.item, each.party, each.text) for each in given["checklist"])
    return given


@contextmanager
def places() -> Iterator[None]:
    """Let errors of a placement or a booking point to where its fields stand in the body."""
    with pointing(_place):
        yield


@contextmanager
def places_of_rules() -> Iterator[None]:
    """Let errors of the rules point to where their fields stand in the body."""
    with pointing(_place_of_rule):
        yield


def _place(field: str) -> str:
    return "answer" if field.startswith("answer_") else _WHERE.get(field, field)


def _place_of_rule(field: str) -> str:
    return (
        f"{field.removesuffix('/key')}/item"
        if field.startswith("checklist/") and field.endswith("/key")
        else field
    )
