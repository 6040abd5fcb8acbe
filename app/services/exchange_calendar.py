"""The calendar of exchanges: weeks by hosts, with what is free in each at a glance."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy.engine import Connection

from app.errors import FieldError, Invalid
from app.lib import closing_days, i18n
from app.lib.closing_days import ClosingDay
from app.lib.days import Span, week_of
from app.lib.i18n import N_
from app.policies.actor import Actor
from app.policies.permissions import Permission
from app.policies.rules import require
from app.services import exchange_rules, placements
from app.services.exchange_rules import Rules
from app.services.placements import Filter, PeriodView, PlacementView

WEEKS: Final = 12
"""How many weeks a calendar shows."""

YEAR: Final = timedelta(days=365)
LONGEST: Final = 731
"""How many days can be looked at for closing days."""


@dataclass(frozen=True, slots=True)
class Host:
    """A host, as the first of its `placements` names it, with what they offer in each week, in the order of weeks."""

    placement: PlacementView
    offers: tuple[tuple[tuple[PlacementView, PeriodView], ...], ...]


@dataclass(frozen=True, slots=True)
class Calendar:
    """Weeks from Monday to Sunday, each with its closing days, and the hosts by name."""

    weeks: tuple[tuple[Span, tuple[ClosingDay, ...]], ...]
    hosts: tuple[Host, ...]
    earlier: date
    later: date


def of(
    connection: Connection, actor: Actor, programme: Any, *, start: date | None, now: datetime, language: str
) -> Calendar:
    """The calendar of a programme from the week of `start` on, or from this one. Four statements.

    :raises NotAllowed: the actor takes no part in the programme
    """
    rules = exchange_rules.find(connection, programme.id)
    today = rules.today(now)
    first = week_of(start or today)
    weeks = [_shifted(first, number) for number in range(WEEKS)]
    wanted = Filter(first_day=first.first_day, last_day=weeks[-1].last_day)
    found = placements.published(connection, actor, programme, wanted)
    return Calendar(
        tuple((week, closing(rules, week, language)) for week in weeks),
        tuple(_by_host(found, weeks, today)),
        _shifted(first, -WEEKS).first_day,
        _shifted(first, WEEKS).first_day,
    )


def closing_days_of(
    connection: Connection,
    actor: Actor,
    programme: Any,
    first_day: date | None,
    last_day: date | None,
    *,
    now: datetime,
    language: str,
) -> tuple[ClosingDay, ...]:
    """The closing days of a programme within some days, in order; unless they are named, within a year. One statement.

    :raises NotAllowed: the actor takes no part in the programme
    :raises Invalid: the days end before they begin, or are more than two years
    """
    require(actor, Permission.READ_EXCHANGES, programme)
    rules = exchange_rules.find(connection, programme.id)
    first_day = first_day or rules.today(now)
    last_day = last_day or first_day + YEAR
    if last_day < first_day:
        raise Invalid(FieldError("last_day", N_("The last day is before the first one.")))
    if (last_day - first_day).days > LONGEST:
        raise Invalid(FieldError("last_day", N_("Please choose at most two years.")))
    return closing(rules, Span(first_day, last_day), language)


def closing(rules: Rules, span: Span, language: str) -> tuple[ClosingDay, ...]:
    """The closing days within some days, by a programme's rules."""
    return closing_days.closing_days(rules.country, span, language, rules.region or None)


def _by_host(found: Sequence[PlacementView], weeks: Sequence[Span], today: date) -> list[Host]:
    hosts: dict[int, list[PlacementView]] = {}
    for placement in found:
        hosts.setdefault(placement.host_id, []).append(placement)
    in_order = sorted(hosts.values(), key=lambda offered: i18n.sort_key(offered[0].host))
    return [Host(offered[0], tuple(_in_week(offered, week, today) for week in weeks)) for offered in in_order]


def _in_week(
    offered: Sequence[PlacementView], week: Span, today: date
) -> tuple[tuple[PlacementView, PeriodView], ...]:
    """What placements offer in a week and can still be asked for, each with the period's part of that week."""
    return tuple(
        (placement, _part(period, week))
        for placement in offered
        for period in placement.open_periods(today)
        if period.span.overlaps(week)
    )


def _part(period: PeriodView, week: Span) -> PeriodView:
    """The same period; of a window, only its days in a week, so that it says what is free then."""
    if not period.is_window:
        return period
    first_day, last_day = max(period.first_day, week.first_day), min(period.last_day, week.last_day)
    return replace(period, first_day=first_day, last_day=last_day)


def _shifted(week: Span, number: int) -> Span:
    by = timedelta(weeks=number)
    return Span(week.first_day + by, week.last_day + by)
