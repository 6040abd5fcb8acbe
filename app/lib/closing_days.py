"""Public holidays of a country, which are its offices' closing days, in the reader's language."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from babel import Locale

from app.lib import i18n
from app.lib.days import Span

_NO_COUNTRY: Final = frozenset(
    {"AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"}
)
"""Two-letter codes that have a name but are no country of ISO 3166: unions, groups of islands, tests."""


@dataclass(frozen=True, slots=True, order=True)
class ClosingDay:
    """A day on which offices are closed, and why; two holidays on one day are one, with both names."""

    day: date
    name: str


def closing_days(
    country: str, span: Span, language: str, subdivision: str | None = None
) -> tuple[ClosingDay, ...]:
    """The public holidays within `span`, in order: those moved to a working day too, and those at weekends.

    `country` is an ISO 3166-1 code of two letters, `subdivision` the part of ISO 3166-2 after the dash; an unknown
    subdivision gives what holds in the whole country, an unknown country nothing. Names are in `language`
    where the library has it, else in English, else in the country's own.
    """
    if not is_country(country):
        return ()
    years = range(span.first_day.year, span.last_day.year + 1)
    of_years = (_of_year(country, subdivision or None, year, language) for year in years)
    return tuple(closing for of_year in of_years for closing in of_year if closing.day in span)


@lru_cache
def countries(language: str) -> Mapping[str, str]:
    """The name of each country by its code, in the order of an alphabet, for a list to choose from."""
    territories = Locale.parse(i18n.known(language) or i18n.DEFAULT).territories.items()
    names = {str(code): str(name) for code, name in territories if _may_be_country(str(code))}
    return MappingProxyType(dict(sorted(names.items(), key=lambda pair: i18n.sort_key(pair[1]))))


def is_country(code: str) -> bool:
    """Whether `code` is a country's, in capitals, as `countries` has it."""
    return code in countries(i18n.DEFAULT)


def _may_be_country(code: str) -> bool:
    return len(code) == 2 and code.isalpha() and code not in _NO_COUNTRY


@lru_cache(maxsize=512)
def _of_year(country: str, subdivision: str | None, year: int, language: str) -> tuple[ClosingDay, ...]:
    # Loaded with the first placement that somebody looks at: 0.1 s and 8 MB that a board does not need.
    import holidays

    entity = getattr(holidays, country)
    known = subdivision in {*entity.subdivisions, *entity.subdivisions_aliases}
    found = holidays.country_holidays(
        country,
        subdiv=subdivision if known else None,
        years=year,
        language=_spoken(language, entity.supported_languages) or entity.default_language or "",
        categories=holidays.PUBLIC,
    )
    return tuple(sorted(ClosingDay(day, name) for day, name in found.items()))


def _spoken(language: str, supported: tuple[str, ...]) -> str | None:
    """What the library calls `language` for this country, or English if it lacks it.

    One must always be named: without one the library takes that of the machine.
    """
    wanted = (language, "en_GB", "en_US")
    return next((name for name in wanted if name in supported), None)
