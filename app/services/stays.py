"""What can be asked for: by whom, at which placement, on which days."""

from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import select

from app.database import Transaction, present
from app.errors import FieldError, Invalid
from app.lib.days import Span
from app.lib.i18n import N_
from app.models import ConflictOfInterest
from app.models.base import table
from app.models.placement import OTHER
from app.services.exchange_rules import Rules
from app.services.placements import PeriodView, PlacementView

CONFLICT = table(ConflictOfInterest)

LATEST: Final = timedelta(days=731)
"""How far ahead a stay may begin."""


def unfit(placement: Any, organisation_id: int, sector_key: str) -> str | None:
    """Why someone of an organisation can be no guest at a placement (host_id, sector_key, open_to): a msgid."""
    if placement.host_id == organisation_id:
        return N_("This is your own organisation; an exchange leads to another one.")
    if placement.open_to == OTHER and placement.sector_key == sector_key:
        return N_("This placement is for guests of the other sector.")
    return None


def chosen(
    placement: PlacementView,
    rules: Rules,
    now: datetime,
    *,
    period_id: int,
    first_day: date | None,
    last_day: date | None,
) -> tuple[PeriodView, Span]:
    """The period and the days that are asked for; days left out are those of the period.

    :raises Invalid: the days cannot be taken; the error names the field
    """
    period = placement.period(period_id)
    if period is None:
        raise Invalid(FieldError("period_id", N_("Please choose one of the weeks that are offered.")))
    first, last = first_day or period.first_day, last_day or period.last_day
    errors = problems(placement, period, first, last)
    if not errors and first <= rules.today(now):
        errors = [
            FieldError("first_day", N_("This stay would have begun already. Please choose later days."))
        ]
    if not errors and first > rules.today(now) + LATEST:
        errors = [
            FieldError("first_day", N_("This is more than two years ahead. Please choose earlier days."))
        ]
    if errors:
        raise Invalid(*errors)
    return period, Span(first, last)


def problems(placement: Any, period: Any, first: date, last: date) -> list[FieldError]:
    """What is wrong with the days of a stay in a period (least_days, most_days are the placement's)."""
    if last < first:
        return [FieldError("last_day", N_("The last day is before the first one."))]
    stay = Span(first, last)
    if not period.span.holds(stay):
        name = "first_day" if first < period.first_day or first > period.last_day else "last_day"
        return [
            FieldError(
                name,
                N_("Please stay within %(first)s and %(last)s."),
                (("first", period.first_day), ("last", period.last_day)),
            )
        ]
    if not period.is_window and stay != period.span:
        return [FieldError("first_day", N_("This week is offered as a whole."))]
    if period.is_window and not placement.least_days <= stay.days <= placement.most_days:
        return [
            FieldError(
                "last_day",
                N_("A stay lasts from %(least)s to %(most)s days here; this one has %(days)s."),
                (("least", placement.least_days), ("most", placement.most_days), ("days", stay.days)),
            )
        ]
    return []


def is_conflicted(tx: Transaction, person_id: int, programme_id: int, organisation_id: int) -> bool:
    """Whether a person has declared that they must not be a guest of an organisation."""
    rows = tx.execute(
        select(CONFLICT.c.person_id).where(
            CONFLICT.c.programme_id == programme_id,
            CONFLICT.c.person_id == person_id,
            CONFLICT.c.organisation_id == organisation_id,
        )
    )
    return rows.first() is not None


def now(tx: Transaction) -> datetime:
    """The database's clock."""
    instant: datetime = tx.execute(select(present(tx.dialect))).scalar_one()
    return instant
