"""Languages: which one a reader gets, and dates, times and names as people write them in it."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from babel import Locale, negotiate_locale
from babel.dates import format_date, format_skeleton, format_time
from babel.numbers import format_decimal, format_percent

LANGUAGES: Final = ("en", "sl")
DEFAULT: Final = "en"
ZONE: Final = ZoneInfo("Europe/Ljubljana")

DASH: Final = "\N{EN DASH}"

_SLOVENE_ALPHABET: Final = "abcčćdđefghijklmnopqrsštuvwxyzž"
_SLOVENE_MONTHS: Final = (
    "januarja",
    "februarja",
    "marca",
    "aprila",
    "maja",
    "junija",
    "julija",
    "avgusta",
    "septembra",
    "oktobra",
    "novembra",
    "decembra",
)
_PLACE: Final = {letter: index for index, letter in enumerate(_SLOVENE_ALPHABET)}


def N_(message: str) -> str:  # noqa: N802 -- the name that gettext's extraction looks for
    """`message` itself: marks a text that is translated later, where the reader's language is known."""
    return message


def known(language: str | None) -> str | None:
    """`language` if it is one that we speak, such as `sl` for `sl-SI`; else None."""
    if not language:
        return None
    base = language.replace("_", "-").split("-", 1)[0].lower()
    return base if base in LANGUAGES else None


@lru_cache(maxsize=512)
def negotiated(accept_language: str) -> str:
    """The language that an `Accept-Language` header likes best among ours; else the default."""
    wanted = [tag for tag, _ in sorted(_weighed(accept_language), key=lambda pair: -pair[1])]
    return negotiate_locale(wanted, LANGUAGES, sep="-") or next(
        (spoken for tag in wanted if (spoken := known(tag))), DEFAULT
    )


def sort_key(name: str) -> tuple[tuple[int, str], ...]:
    """A key that sorts names as a Slovene reader expects: č after c, š after s, ž last."""
    return tuple((_PLACE.get(letter, -1), letter) for letter in name.casefold())


def day(instant: datetime, language: str) -> str:
    """The day as people write it in a sentence: `4 May 2026`, `4. maja 2026`."""
    if language == "sl":
        return f"{_slovene_day(instant)} {_local(instant).year}"
    return format_date(_local(instant), format="long", locale=_locale(language))


def short_day(instant: datetime, language: str, *, now: datetime) -> str:
    """The day without its year while that is the present year: `4 May`, `4. maja`."""
    local = _local(instant)
    if local.year != _local(now).year:
        return day(instant, language)
    if language == "sl":
        return _slovene_day(instant)
    return format_skeleton("MMMMd", local, locale=_locale(language))


def days(first: date, last: date, language: str) -> str:
    """Whole days as people write them, with a dash between the first and the last: `4 May 2026`, `4. maja 2026`."""
    if first == last:
        return _date(first, language)
    if (first.year, first.month) == (last.year, last.month):
        stop = "." if language == "sl" else ""
        return f"{first.day}{stop}{DASH}{_date(last, language)}"
    start = _date_without_year(first, language) if first.year == last.year else _date(first, language)
    return f"{start} {DASH} {_date(last, language)}"


def date_of(value: date, language: str) -> str:
    """A day without a clock time, in full: `4 May 2026`, `4. maja 2026`."""
    return _date(value, language)


def brief_date(value: date, language: str) -> str:
    """A day where there is little room, such as the head of a narrow column: `4 May`, `4. maj`."""
    return format_skeleton("MMMd", value, locale=_locale(language))


def language_name(code: str, language: str) -> str:
    """What a language is called in another, by its code: `slovenščina`; the code itself where nobody knows it."""
    return str(_locale(language).languages.get(code, code))


def time_of_day(instant: datetime, language: str) -> str:
    """Hours and minutes: `09:30`."""
    return format_time(_local(instant), format="short", locale=_locale(language))


def moment(instant: datetime, language: str) -> str:
    """The day and the time of day, in full: what stands behind a shorter phrase."""
    return f"{day(instant, language)}, {time_of_day(instant, language)}"


def local_input(instant: datetime) -> str:
    """An instant as a `datetime-local` form field holds it, in our zone."""
    return _local(instant).strftime("%Y-%m-%dT%H:%M")


def days_between(earlier: datetime, later: datetime) -> int:
    """How many midnights of our zone lie between two instants."""
    return (_local(later).date() - _local(earlier).date()) // timedelta(days=1)


def number(value: float, language: str) -> str:
    """A number with the reader's separators."""
    return format_decimal(value, locale=_locale(language))


def percent(value: float, language: str) -> str:
    """A share between 0 and 1 as whole per cent."""
    return format_percent(value, locale=_locale(language))


def _date(value: date, language: str) -> str:
    return f"{_date_without_year(value, language)} {value.year}"


def _date_without_year(value: date, language: str) -> str:
    if language == "sl":
        return f"{value.day}. {_SLOVENE_MONTHS[value.month - 1]}"
    return format_skeleton("MMMMd", value, locale=_locale(language))


def _slovene_day(instant: datetime) -> str:
    """Babel has the months in the nominative; "do 4. maj" would be wrong, "do 4. maja" is right everywhere."""
    return _date_without_year(_local(instant).date(), "sl")


def _local(instant: datetime) -> datetime:
    return instant.astimezone(ZONE)


@lru_cache
def _locale(language: str) -> Locale:
    # Plain `en` writes dates the American way; here they are read in Europe.
    return Locale.parse("en_GB" if language == "en" else language)


def _weighed(header: str) -> Sequence[tuple[str, float]]:
    return [pair for part in header[:400].split(",") if (pair := _weigh(part)) is not None]


def _weigh(part: str) -> tuple[str, float] | None:
    tag, _, rest = part.strip().partition(";")
    quality = rest.strip().removeprefix("q=") or "1"
    try:
        weight = float(quality)
    except ValueError:
        return None
    return (tag.strip(), weight) if tag.strip() and weight > 0 else None
