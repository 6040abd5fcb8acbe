"""When things happened in the demo: phases around the present, and hours in which people write."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from random import Random
from typing import NamedTuple

from app.demo.story import Phase
from app.lib.i18n import ZONE

BEGIN = time(9)
"""The hour of the day at which phases begin."""


class Stretch(NamedTuple):
    """A phase with its dates; the last one has no end."""

    phase: Phase
    starts_at: datetime
    ends_at: datetime | None


def stretches(phases: Sequence[Phase], current: str, days: int, now: datetime) -> list[Stretch]:
    """The dates of `phases`, one after the other, if the one called `current` began `days` days before `now`."""
    kinds = [phase.kind for phase in phases]
    before = sum(phase.days for phase in phases[: kinds.index(current)])
    first_day = now.astimezone(ZONE).date() - timedelta(days=days + before)
    starts = []
    for phase in phases:
        starts.append(datetime.combine(first_day, BEGIN, ZONE).astimezone(UTC))
        first_day += timedelta(days=phase.days)
    return [Stretch(*of_phase) for of_phase in zip(phases, starts, [*starts[1:], None], strict=True)]


def some(random: Random, start: datetime, end: datetime, *, early: float = 1.0) -> datetime:
    """A moment between `start` and `end` at which people write: mostly on weekdays, mostly by day.

    The greater `early`, the nearer to the start. The last try counts however unlikely its hour is.
    """
    length = max((end - start).total_seconds(), 0)
    for _ in range(8):
        moment = start + timedelta(seconds=length * random.random() ** early)
        if random.random() < _likelihood(moment):
            break
    return moment


def series(random: Random, count: int, start: datetime, end: datetime) -> list[datetime]:
    """`count` moments between `start` and `end`, in their order, more of them early."""
    return sorted(some(random, start, end, early=2.0) for _ in range(count))


def _likelihood(moment: datetime) -> float:
    local = moment.astimezone(ZONE)
    by_hour = 1.0 if 7 <= local.hour < 17 else 0.2 if 17 <= local.hour < 23 else 0.01
    return by_hour if local.weekday() < 5 else by_hour * 0.15
