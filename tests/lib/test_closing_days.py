"""Closing days: the right days, in the reader's language, and nothing where there is no country."""

from datetime import date

import holidays
import pytest

from app.lib import closing_days as closing
from app.lib.closing_days import ClosingDay, closing_days, countries, is_country
from app.lib.days import Span

MAY = Span(date(2026, 5, 1), date(2026, 5, 31))
YEAR = Span(date(2026, 1, 1), date(2026, 12, 31))


def test_the_holidays_of_a_country_are_named_in_the_readers_language():
    assert closing_days("SI", MAY, "sl") == (
        ClosingDay(date(2026, 5, 1), "praznik dela"),
        ClosingDay(date(2026, 5, 2), "praznik dela"),
        ClosingDay(date(2026, 5, 24), "binkoštna nedelja"),
    )
    assert [one.name for one in closing_days("SI", MAY, "en")] == ["Labor Day", "Labor Day", "Pentecost"]


def test_only_days_within_the_span_and_both_its_ends():
    assert [one.day.day for one in closing_days("SI", Span(date(2026, 5, 2), date(2026, 5, 24)), "en")] == [
        2,
        24,
    ]
    assert closing_days("SI", Span(date(2026, 5, 3), date(2026, 5, 23)), "en") == ()


def test_a_span_over_the_years_end_has_the_days_of_both_years_in_order():
    span = Span(date(2026, 12, 24), date(2027, 1, 4))
    days = [one.day for one in closing_days("SI", span, "sl")]
    assert days == [date(2026, 12, 25), date(2026, 12, 26), date(2027, 1, 1), date(2027, 1, 2)]


def test_days_that_are_remembered_at_work_are_no_closing_days():
    assert date(2026, 11, 23) not in [one.day for one in closing_days("SI", YEAR, "sl")]


def test_a_holiday_that_moves_to_a_working_day_closes_that_day():
    week = Span(date(2026, 12, 28), date(2026, 12, 31))
    assert [one.day for one in closing_days("GB", week, "en")] == [date(2026, 12, 28)]


def test_a_part_of_a_country_has_days_of_its_own():
    january = Span(date(2026, 1, 2), date(2026, 1, 31))
    assert [one.day for one in closing_days("GB", january, "en", "SCT")] == [date(2026, 1, 2)]
    assert closing_days("GB", january, "en") == ()


@pytest.mark.parametrize("subdivision", ["", "XX", "__class__", "s" * 500])
def test_an_unknown_part_of_a_country_has_the_days_of_the_whole(subdivision):
    assert closing_days("GB", YEAR, "en", subdivision) == closing_days("GB", YEAR, "en") != ()


@pytest.mark.parametrize(
    "code",
    ["", "XX", "si", "SVN", "Slovenia", "EU", "ZZ", "HolidayBase", "registry", "__name__", "S\x00", "ŠI"],
)
def test_what_is_no_country_has_no_closing_days(code):
    assert closing_days(code, YEAR, "en") == ()
    assert not is_country(code)


@pytest.mark.parametrize("language", ["sl", "en", "tlh", ""])
def test_the_language_of_the_machine_is_never_taken(language, monkeypatch):
    monkeypatch.setenv("LANGUAGE", "uk")
    closing._of_year.cache_clear()
    first = closing_days("AT", YEAR, language)[0]
    closing._of_year.cache_clear()
    assert first == ClosingDay(date(2026, 1, 1), "New Year's Day")


def test_every_country_can_be_asked_for_its_days_in_every_language():
    for code in countries("en"):
        for language in ("en", "sl"):
            found = closing_days(code, YEAR, language)
            assert list(found) == sorted(found)
            assert all(one.day in YEAR and one.name for one in found)


@pytest.mark.parametrize("language", ["en", "sl"])
def test_the_countries_to_choose_from_are_those_that_have_closing_days(language):
    assert set(countries(language)) == set(holidays.list_supported_countries(include_aliases=False))


def test_countries_are_named_and_ordered_for_the_reader():
    assert countries("sl")["HR"] == "Hrvaška"
    assert countries("en")["HR"] == "Croatia"
    names = [name for name in countries("sl").values() if name[0] in "CČDZŽ"]
    assert [name[0] for name in names] == sorted((name[0] for name in names), key="CČDZŽ".index)
    assert countries("tlh") == countries("en")


def test_the_list_of_countries_cannot_be_changed_by_who_reads_it():
    with pytest.raises(TypeError):
        countries("en")["XX"] = "Nowhere"


@pytest.mark.parametrize("year", [1970, 2100, 9998])
def test_far_years_have_what_is_known_of_them(year):
    assert isinstance(closing_days("SI", Span(date(year, 1, 1), date(year, 12, 31)), "sl"), tuple)
