"""Pages from templates: one environment per language, texts through gettext, dates as people write them."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from fractions import Fraction
from functools import lru_cache, partial
from io import BytesIO
from pathlib import Path
from typing import Any, Final, cast

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from app.lib import clock, i18n
from app.services.cards import Card
from app.services.phases import PhaseView
from app.web import assets as static
from app.web import words

HERE = Path(__file__).parent.parent
TEMPLATES = HERE / "templates"
LOCALES = HERE / "locales"


CARDS_KEPT: Final = 4096
"""Drawn cards that are kept for each language, about 2.5 kB each."""


@dataclass(frozen=True, slots=True)
class Blank:
    """A form that nobody has filled in: what a template sees where a page gives it none."""

    values: Mapping[str, Any] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)


class Templates:
    """Renders a template in one of our languages. Templates are compiled once and kept."""

    def __init__(
        self, directory: Path = TEMPLATES, *, assets: static.Assets | None = None, auto_reload: bool = False
    ) -> None:
        served = assets or static.load()
        self._environments = {
            language: _environment(directory, language, served, auto_reload=auto_reload)
            for language in i18n.LANGUAGES
        }

    def render(self, language: str, name: str, **values: Any) -> str:
        """Template `name`, such as `ideas/show.html`, in `language`, filled with `values`."""
        return self._environments[language].get_template(name).render(values)

    def stream(self, language: str, name: str, **values: Any) -> Iterator[str]:
        """The same in parts, for what is long: its values are read as they are shown."""
        return self._environments[language].get_template(name).generate(values)

    def card(self, language: str, card: Card, phase: PhaseView, *, supported: bool) -> str:
        """One card, as the page and the live update show it."""
        show = cast(
            "Callable[[Card, bool, PhaseView], str]", self._environments[language].globals["show_card"]
        )
        return show(card, supported, phase)


@lru_cache
def translations(language: str, directory: Path = LOCALES) -> NullTranslations:
    """The catalogue of `language`, compiled in memory; the source language needs none."""
    path = directory / language / "LC_MESSAGES" / "messages.po"
    if not path.exists():
        return NullTranslations()
    compiled = BytesIO()
    with path.open("rb") as source:
        write_mo(compiled, read_po(source, locale=language, abort_invalid=True))
    compiled.seek(0)
    return Translations(compiled)


def _environment(directory: Path, language: str, assets: static.Assets, *, auto_reload: bool) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(directory),
        extensions=["jinja2.ext.i18n"],
        autoescape=True,
        auto_reload=auto_reload,
        cache_size=-1,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.policies["ext.i18n.trimmed"] = True
    catalogue = translations(language)
    environment.install_gettext_translations(catalogue, newstyle=True)  # type: ignore[attr-defined]
    environment.filters |= _filters(language, catalogue) | _drawn_once(environment)
    environment.globals |= _globals(language, assets)
    environment.globals["show_card"] = _card_painter(environment)
    return environment


def _card_painter(environment: Environment) -> Callable[[Card, bool, PhaseView], Markup]:
    """The function that shows a card. What it shows depends on its arguments alone, so it is drawn once and kept."""

    @lru_cache(maxsize=CARDS_KEPT)
    def show(card: Card, supported: bool, board_open: PhaseView) -> Markup:  # noqa: FBT001 -- a template's call
        template = environment.get_template("ideas/_card.html")
        return Markup(template.render(card=card, supported=supported, board_open=board_open))  # noqa: S704 -- escaped by the template

    return show


def _drawn_once(environment: Environment) -> dict[str, Callable[..., Markup]]:
    """The parts that stand on every card, each drawn by its macro once and then kept: a card has no time for macros."""

    @lru_cache(maxsize=1024)
    def part(macro: str, *values: str) -> Markup:
        module: Any = environment.get_template("macros/parts.html").module
        return Markup(getattr(module, macro)(*values))  # noqa: S704 -- the macro has escaped its values

    return {
        "icon": lambda name: part("icon", name),
        "glyph": lambda key: part("glyph", key),
        "drawn": part,
        "sector": lambda sector: part("named_sector", sector.key, sector.name),
    }


def _filters(language: str, catalogue: NullTranslations) -> dict[str, Callable[..., Any]]:
    named = {name: partial(_word, catalogue, table) for name, table in words.WORDS.items()}
    return named | {
        "said": partial(_said, catalogue),
        "day": partial(_time, i18n.day, language),
        "last_day": lambda instant: i18n.day(instant - timedelta(seconds=1), language),
        "moment": partial(_time, i18n.moment, language),
        "short_day": partial(_short_day, language),
        "field_time": i18n.local_input,
        "stay_days": lambda first, last: i18n.days(first, last, language),
        "date": lambda day: i18n.date_of(day, language),
        "iso_date": date.fromisoformat,
        "number": partial(_with_language, i18n.number, language),
        "percent": partial(_with_language, i18n.percent, language),
        "sector_name": partial(_sector_name, catalogue),
        "initials": initials,
        "in_order": in_order,
        "cluster_option": lambda cluster: (cluster.id, cluster.title),
        "brief_date": lambda value: i18n.brief_date(value, language),
        "spoken_name": lambda code: i18n.language_name(code, language),
        "named_option": lambda row: (row.id, row.name),
        "sector_option": lambda sector: (sector.key, _sector_name(catalogue, sector)),
        "idea_option": lambda idea: (idea.id, idea.title),
        "solution_option": lambda solution: (solution.id, solution.title),
        "amount": partial(_amount, language),
        "share": lambda value: float(Fraction(value)),
        "instant": datetime.fromisoformat,
        "vote_label": lambda solution: (f"at-{solution.key}", solution.title),
        "zip_with": zip,
        "cluster_column": lambda cluster: (cluster.id, cluster.title, cluster.language),
        "pair": lambda row: (row.id, row.name),
        "person_option": lambda person: (person.person_id, f"{person.name}, {person.organisation}"),
    }


def _globals(language: str, assets: static.Assets) -> dict[str, Any]:
    return {
        "asset": assets.url,
        "blank_form": Blank(),
        "csrf_field": _csrf_field,
        "days_until": lambda instant: i18n.days_between(clock.now(), instant),
        "language": language,
        "language_names": words.LANGUAGES,
    }


@pass_context
def _csrf_field(context: Context) -> Markup:
    """The hidden field of every form that changes something; the page gives its token as `csrf`."""
    return Markup('<input type="hidden" name="csrf" value="{}">').format(context.get("csrf") or "")


def initials(name: str) -> str:
    """The first letters of the first and the last word of a name: `AK` for `Ana Kos`."""
    parts = name.split()
    ends = parts[:1] + parts[-1:] if len(parts) > 1 else parts
    return "".join(part[0].upper() for part in ends)


def in_order(names: Iterable[Any], *attributes: str) -> list[Any]:
    """Names, or things by some of their attributes, in the order of the Slovene alphabet."""
    if not attributes:
        return sorted(names, key=i18n.sort_key)
    return sorted(names, key=lambda one: [i18n.sort_key(getattr(one, attribute)) for attribute in attributes])


def _time(phrase: Callable[[datetime, str], str], language: str, instant: datetime) -> Markup:
    return Markup('<time datetime="{}">{}</time>').format(clock.rfc3339(instant), phrase(instant, language))


def _short_day(language: str, instant: datetime) -> Markup:
    return _time(partial(i18n.short_day, now=clock.now()), language, instant)


def _with_language(phrase: Callable[[float, str], str], language: str, value: float) -> str:
    return phrase(value, language)


def _amount(language: str, value: float | str) -> str:
    """An exact number as a result holds it (whole, or text such as `7/3`), with two decimals at most."""
    exact = Fraction(value)
    return i18n.number(int(exact) if exact.denominator == 1 else round(float(exact), 2), language)


def _word(catalogue: NullTranslations, table: Mapping[str, str], key: str) -> str:
    return str(catalogue.gettext(table[key])) if key in table else key


def _said(catalogue: NullTranslations, text: str) -> str:
    """A text that is our own sentence or someone's words: translated if it is ours, and never taken for a pattern or
    markup, as `_()` would.
    """
    return str(catalogue.gettext(text)) if text else ""


def _sector_name(catalogue: NullTranslations, sector: Any) -> str:
    """A sector's name; the two default sectors are translated as long as nobody has renamed them.

    `sector` has a key and a name, as attributes or as a mapping.
    """
    key, name = (sector["key"], sector["name"]) if isinstance(sector, Mapping) else (sector.key, sector.name)
    return str(catalogue.gettext(name)) if words.SECTORS.get(key) == name else str(name)
