"""The forms of wishes and matches: what they hold, and what they say to the services."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from app.errors import DomainError, FieldError, Invalid
from app.lib import days
from app.lib.days import Span
from app.lib.i18n import N_
from app.services.wishes import MOST_SPANS, MOST_WISHES, WishListView, WishView
from app.web import pages

LEAST_ROOM: Final = 4
SPARE_ROOM: Final = 2
ROOM_AWAY: Final = 3


def values_of(stated: WishListView) -> dict[str, Any]:
    """What the form of wishes holds of those that are stated."""
    values: dict[str, Any] = {"offers_desk": "1" if stated.offers_desk else "", "version": stated.version}
    for place, wish in enumerate(stated.wishes):
        values[f"wish_{place}"] = _target(wish)
        values[f"period_{place}"] = f"{wish.placement_id}-{wish.period_id}" if wish.period_id else ""
        values[f"first_day_{place}"] = wish.first_day.isoformat() if wish.first_day else ""
        values[f"last_day_{place}"] = wish.last_day.isoformat() if wish.last_day else ""
    for place, span in enumerate(stated.unavailable):
        values[f"away_first_{place}"] = span.first_day.isoformat()
        values[f"away_last_{place}"] = span.last_day.isoformat()
    return values


def room(values: Mapping[str, Any]) -> tuple[range, range]:
    """The numbers of the wishes and of the days away for which the form has room."""
    wishes = [place for place in range(MOST_WISHES) if values.get(f"wish_{place}")]
    away = [place for place in range(MOST_SPANS) if values.get(f"away_first_{place}")]
    return (
        range(min(MOST_WISHES, max(LEAST_ROOM, (wishes[-1] + 1 if wishes else 0) + SPARE_ROOM))),
        range(min(MOST_SPANS, max(ROOM_AWAY, (away[-1] + 1 if away else 0) + 1))),
    )


def stated(values: Mapping[str, Any]) -> dict[str, Any]:
    """What a form says of wishes, as `wishes.state` takes it. Empty rows are left out.

    :raises Invalid: a day cannot be read
    """
    unreadable = [
        FieldError(f"{name}_{place}", N_("Please write the day like 2026-05-04."))
        for place in _filled(values)
        for name in ("first_day", "last_day")
        if (written := str(values.get(f"{name}_{place}", "")).strip()) and days.parse_day(written) is None
    ]
    if unreadable:
        raise Invalid(*unreadable)
    return {
        "wishes": [_wish(values, place) for place in _filled(values)],
        "unavailable": _away(values),
        "offers_desk": bool(values.get("offers_desk")),
        "version": pages.number(str(values.get("version", ""))),
    }


def by_fields(error: DomainError, values: Mapping[str, Any]) -> DomainError:
    """The same error by the names of the form's fields: `wishes/1` is the second row that is filled in."""
    if not isinstance(error, Invalid):
        return error
    places = _filled(values)
    return Invalid(
        *(FieldError(_field(wrong.field, places), wrong.message, wrong.values) for wrong in error.errors)
    )


def ranked(values: Mapping[str, Any]) -> list[int]:
    """The people whom a host has numbered, in the order of the numbers.

    :raises Invalid: what stands there is no number, or a number stands twice
    """
    written = {name: str(text).strip() for name, text in values.items() if name.startswith("rank_")}
    numbers = {name: pages.number(text) for name, text in written.items() if text}
    if None in numbers.values() or len(set(numbers.values())) < len(numbers):
        raise Invalid(FieldError("people", N_("Please give each number once, as a whole number.")))
    order = sorted(numbers, key=lambda name: numbers[name] or 0)
    return [pages.number(name.removeprefix("rank_")) or 0 for name in order]


def demand(text: str) -> tuple[int, str] | None:
    """A person and an offer, as a button of a plan names them: `12 34:2026-05-04:2026-05-08`."""
    person, _, key = text.partition(" ")
    number = pages.number(person)
    return (number, key) if number is not None and key else None


def _field(name: str, places: Sequence[int]) -> str:
    list_name, _, place = name.partition("/")
    return f"wish_{places[int(place)]}" if list_name == "wishes" and place else name


def _filled(values: Mapping[str, Any]) -> list[int]:
    return [place for place in range(MOST_WISHES) if str(values.get(f"wish_{place}", "")).strip()]


def _wish(values: Mapping[str, Any], place: int) -> WishView:
    """A wish as a select names it: `placement-3`, `organisation-4`, `competency-User research`."""
    kind, _, rest = str(values[f"wish_{place}"]).partition("-")
    within: dict[str, Any] = {
        name: days.parse_day(str(values.get(f"{name}_{place}", ""))) for name in ("first_day", "last_day")
    }
    if kind == "competency":
        return WishView(competency=rest, **within)
    number = pages.number(rest) or 0
    if kind == "organisation":
        return WishView(organisation_id=number, **within)
    # The form offers whole placements; a period that was wished for before stays with its placement.
    placement, _, period = str(values.get(f"period_{place}", "")).partition("-")
    period_id = pages.number(period) if placement == rest else None
    return WishView(placement_id=number, period_id=period_id, **within)


def _target(wish: WishView) -> str:
    if wish.placement_id is not None:
        return f"placement-{wish.placement_id}"
    if wish.organisation_id is not None:
        return f"organisation-{wish.organisation_id}"
    return f"competency-{wish.competency}"


def _away(values: Mapping[str, Any]) -> list[Span]:
    spans: list[Span] = []
    errors: list[FieldError] = []
    for place in range(MOST_SPANS):
        written = [str(values.get(f"away_{end}_{place}", "")).strip() for end in ("first", "last")]
        if not any(written):
            continue
        first, last = (days.parse_day(text or written[0]) for text in written)
        if first is None or last is None:
            errors.append(FieldError(f"away_first_{place}", N_("Please write the day like 2026-05-04.")))
        elif last < first:
            errors.append(FieldError(f"away_last_{place}", N_("The last day is before the first one.")))
        else:
            spans.append(Span(first, last))
    if errors:
        raise Invalid(*errors)
    return spans
