"""What a placement may say, and for which days: the checks of what hosts describe."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Final

from sqlalchemy.engine import Connection

from app.errors import FieldError
from app.lib import markdown
from app.lib.days import Span
from app.lib.i18n import LANGUAGES, N_
from app.models.placement import OPEN_TO
from app.schemas import text
from app.services import placements, stays
from app.services.placements import PeriodView

MOST_PERIODS: Final = 60
MOST_PLACES: Final = 500
MOST_DAYS: Final = 184
"""How long a stay may be at the most: half a year."""

LONGEST_WINDOW: Final = 731
MOST_COMPETENCIES: Final = 12


def checked(
    connection: Connection, programme_id: int, host_id: int, fields: Mapping[str, Any]
) -> tuple[dict[str, Any], list[FieldError]]:
    """The columns of what a host describes (`placement_making.FIELDS`), and what is wrong with it, by field."""
    title, errors = text.line("title", fields["title"], most=120)
    description, wrong = text.passage("description", fields["description"], most=4000, least=1)
    errors += wrong
    values: dict[str, Any] = {
        "title": title,
        "description": description,
        "description_html": markdown.render(description),
        "language": fields["language"],
        "spoken": list(dict.fromkeys(fields["spoken"])),
        "open_to": fields["open_to"],
        "least_days": fields["least_days"],
        "most_days": fields["most_days"],
        "contact_id": fields["contact_id"],
    }
    for name, most in (("place", 160),):
        values[name], wrong = text.line(name, fields[name], most=most, least=0)
        errors += wrong
    for name, most in (("accessibility", 1000), ("confidentiality", 2000)):
        values[name], wrong = text.passage(name, fields[name], most=most)
        errors += wrong
    values["competencies"], wrong = _competencies(fields["competencies"])
    errors += wrong + _choice_problems(fields)
    known = {row.id for row in placements.contacts(connection, programme_id, host_id)}
    if fields["contact_id"] not in known:
        errors.append(FieldError("contact_id", N_("Please choose someone of the host organisation.")))
    return values, errors


def _choice_problems(fields: Mapping[str, Any]) -> list[FieldError]:
    errors: list[FieldError] = []
    if fields["language"] not in LANGUAGES:
        errors.append(FieldError("language", N_("Please choose one of the languages in the list.")))
    if fields["open_to"] not in OPEN_TO:
        errors.append(FieldError("open_to", N_("Please choose one of the list.")))
    codes = fields["spoken"]
    if len(codes) > 8 or any(not (code.isascii() and code.isalpha() and len(code) <= 8) for code in codes):
        message = N_("Please name languages by their codes, such as sl or en, and at most eight.")
        errors.append(FieldError("spoken", message))
    for name in ("least_days", "most_days"):
        if not 1 <= fields[name] <= MOST_DAYS:
            message = N_("Please give a whole number from %(least)s to %(most)s.")
            errors.append(FieldError(name, message, (("least", 1), ("most", MOST_DAYS))))
    if not errors and fields["least_days"] > fields["most_days"]:
        errors.append(FieldError("most_days", N_("The longest stay is shorter than the shortest one.")))
    return errors


def _competencies(names: Iterable[str]) -> tuple[list[str], list[FieldError]]:
    kept: dict[str, str] = {}
    errors: list[FieldError] = []
    for name in names:
        cleaned, wrong = text.line("competencies", name, most=80)
        errors += wrong
        kept.setdefault(placements.folded(cleaned), cleaned)
    if len(kept) > MOST_COMPETENCIES:
        message = N_("Please name at most %(most)s competencies.")
        errors.append(FieldError("competencies", message, (("most", MOST_COMPETENCIES),)))
    return list(kept.values()), errors[:1]


def checked_periods(
    given: Sequence[Mapping[str, Any]], present: Sequence[PeriodView], today: date
) -> tuple[list[dict[str, Any]], list[FieldError]]:
    """The columns of weeks and windows, and what is wrong with them, such as `periods/0/last_day`.

    `present`: those that are there; one whose days stay as they are may have begun.
    """
    if len(given) > MOST_PERIODS:
        message = N_("Please give at most %(most)s weeks and windows.")
        return [], [FieldError("periods", message, (("most", MOST_PERIODS),))]
    by_id: dict[Any, PeriodView] = {each.id: each for each in present}
    kept: list[dict[str, Any]] = []
    errors: list[FieldError] = []
    seen: set[tuple[Any, ...]] = set()
    for place, period in enumerate(given):
        row = {name: period.get(name) for name in ("id", "first_day", "last_day", "is_window", "places")}
        row["is_window"] = bool(row["is_window"])
        wrong = _period_problems(f"periods/{place}", row, by_id, today)
        by_id.pop(row["id"], None)
        errors += wrong
        shape = (row["first_day"], row["last_day"], row["is_window"])
        if shape in seen and None not in shape:
            errors.append(FieldError(f"periods/{place}/first_day", N_("These days stand here twice.")))
        seen.add(shape)
        kept.append(row)
    return kept, errors


def _period_problems(
    at: str, row: Mapping[str, Any], present: Mapping[int, PeriodView], today: date
) -> list[FieldError]:
    before = present.get(row["id"]) if row["id"] is not None else None
    if row["id"] is not None and before is None:
        return [FieldError(f"{at}/id", N_("There are no such days at this placement."))]
    errors: list[FieldError] = []
    if row["places"] is None or not 1 <= row["places"] <= MOST_PLACES:
        message = N_("Please give a whole number from %(least)s to %(most)s.")
        errors.append(FieldError(f"{at}/places", message, (("least", 1), ("most", MOST_PLACES))))
    first, last = row["first_day"], row["last_day"]
    if first is None or last is None:
        name = "first_day" if first is None else "last_day"
        return [*errors, FieldError(f"{at}/{name}", N_("Please write the day like 2026-05-04."))]
    if last < first:
        return [*errors, FieldError(f"{at}/last_day", N_("The last day is before the first one."))]
    if before is not None and (first, last) == (before.first_day, before.last_day):
        return errors
    return errors + _day_problems(at, Span(first, last), today, is_window=row["is_window"])


def _day_problems(at: str, span: Span, today: date, *, is_window: bool) -> list[FieldError]:
    most = LONGEST_WINDOW if is_window else MOST_DAYS
    if span.days > most:
        message = N_("This is %(days)s days long; at most %(most)s are possible.")
        return [FieldError(f"{at}/last_day", message, (("days", span.days), ("most", most)))]
    if (span.last_day if is_window else span.first_day) <= today:
        return [FieldError(f"{at}/first_day", N_("These days have begun already. Please choose later ones."))]
    if span.first_day > today + stays.LATEST:
        return [
            FieldError(
                f"{at}/first_day", N_("This is more than two years ahead. Please choose earlier days.")
            )
        ]
    return []
