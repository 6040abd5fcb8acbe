"""Capacity, against counting day by day."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.lib.days import Span
from app.methods import capacity

FIRST = date(2027, 12, 20)


def span(begin, days):
    first_day = FIRST + timedelta(days=begin)
    return Span(first_day, first_day + timedelta(days=days - 1))


spans = st.builds(span, st.integers(0, 20), st.integers(1, 9))


def counted(stay, taken):
    """The most on any day of `stay`, by looking at each of its days."""
    days = [stay.first_day + timedelta(days=number) for number in range(stay.days)]
    return max(sum(day in each for each in taken) for day in days)


@given(spans, st.lists(spans, max_size=12))
def test_the_fullest_day_is_the_one_that_counting_finds(stay, taken):
    assert capacity.most_taken(stay, taken) == counted(stay, taken)


@given(st.lists(spans, max_size=12))
def test_the_most_at_once_is_that_of_the_fullest_day_of_all(taken):
    whole = span(0, 40)
    assert capacity.most_at_once(taken) == counted(whole, taken)


@given(spans, st.lists(spans, max_size=12), st.integers(0, 4))
def test_a_stay_fits_where_it_leaves_no_day_too_full(stay, taken, places):
    assert capacity.fits(stay, taken, places) == (counted(stay, [*taken, stay]) <= places)


def test_stays_that_follow_each_other_share_a_place():
    assert capacity.fits(span(5, 5), [span(0, 5), span(10, 5)], 1)
    assert not capacity.fits(span(4, 5), [span(0, 5)], 1)


def test_two_short_stays_beside_a_long_one_take_one_place_of_two():
    assert capacity.fits(span(0, 10), [span(0, 3), span(5, 3)], 2)
    assert not capacity.fits(span(0, 10), [span(0, 3), span(5, 3)], 1)
