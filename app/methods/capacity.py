"""Capacity: whether one more stay fits in, day by day."""

from collections.abc import Iterable

from app.lib.days import Span


def fits(stay: Span, taken: Iterable[Span], places: int) -> bool:
    """Whether `stay` has a place on each of its days, beside the stays in `taken`.

    Taken stays are counted where they begin, which is where a day is fullest: no walk over the days themselves.
    """
    return most_taken(stay, taken) < places


def most_taken(stay: Span, taken: Iterable[Span]) -> int:
    """How many of `taken` there are on the fullest day of `stay`."""
    beside = [each for each in taken if each.overlaps(stay)]
    days = {stay.first_day, *(max(each.first_day, stay.first_day) for each in beside)}
    return max(sum(each.first_day <= day <= each.last_day for each in beside) for day in days)


def most_at_once(taken: Iterable[Span]) -> int:
    """How many of `taken` there are on the fullest day of all; 0 of none."""
    stays = list(taken)
    return max(
        (sum(each.first_day <= one.first_day <= each.last_day for each in stays) for one in stays), default=0
    )
