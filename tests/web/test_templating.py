"""Templates: languages, plurals, dates, what is escaped."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from babel.messages.pofile import read_po
from jinja2 import UndefinedError

from app.lib import i18n
from app.services.programmes import SectorRef
from app.web import templating
from app.web.templating import LOCALES, Templates

NOON = datetime(2026, 5, 4, 10, 0, tzinfo=UTC)


@pytest.fixture
def rendered(tmp_path):
    def render(source, language="en", **values):
        (tmp_path / "page.html").write_text(source, encoding="utf-8")
        return Templates(tmp_path).render(language, "page.html", **values)

    return render


def test_a_text_comes_in_the_readers_language(rendered):
    assert rendered('{{ _("Cancel") }}') == "Cancel"
    assert rendered('{{ _("Cancel") }}', "sl") == "Prekliči"


@pytest.mark.parametrize(
    ("days", "phrase"),
    [
        (1, "še 1 dan"),
        (2, "še 2 dneva"),
        (3, "še 3 dni"),
        (4, "še 4 dni"),
        (5, "še 5 dni"),
        (102, "še 102 dneva"),
    ],
)
def test_slovene_counts_in_four_forms(rendered, days, phrase):
    source = "{% trans days %}{{ days }} day left{% pluralize %}{{ days }} days left{% endtrans %}"
    assert rendered(source, "sl", days=days) == phrase


def test_dates_are_written_as_people_write_them(rendered):
    assert (
        rendered("{{ at|day }}", at=NOON) == '<time datetime="2026-05-04T10:00:00.000000Z">4 May 2026</time>'
    )
    assert "4. maja 2026" in rendered("{{ at|day }}", "sl", at=NOON)


def test_times_are_those_of_ljubljana(rendered):
    assert "12:00" in rendered("{{ at|moment }}", "sl", at=NOON)
    assert rendered("{{ at|field_time }}", at=NOON) == "2026-05-04T12:00"


def test_what_people_wrote_is_escaped(rendered):
    assert rendered("{{ title }}", title="<script>") == "&lt;script&gt;"
    assert rendered('{{ _("New idea: %(title)s", title=title) }}', title="<b>") == "New idea: &lt;b&gt;"


def test_a_value_that_a_page_forgot_is_an_error(rendered):
    with pytest.raises(UndefinedError):
        rendered("{{ forgotten }}")


def test_a_form_carries_the_token_of_its_page(rendered):
    assert rendered("{{ csrf_field() }}", csrf='a"b') == '<input type="hidden" name="csrf" value="a&#34;b">'
    assert 'value=""' in rendered("{{ csrf_field() }}")


def test_default_sectors_are_translated_until_someone_renames_them(rendered):
    assert (
        rendered("{{ s|sector_name }}", "sl", s=SectorRef("public", "Public administration"))
        == "Javna uprava"
    )
    assert rendered("{{ s|sector_name }}", "sl", s=SectorRef("public", "Občine")) == "Občine"
    assert rendered("{{ s|sector_name }}", "sl", s=SectorRef("health", "Business")) == "Business"


def test_a_sector_shows_its_glyph_and_its_name():
    shown = (
        Templates()
        ._environments["en"]
        .filters["sector"](SimpleNamespace(key="business", name="Firms & more"))
    )
    assert "#g-business" in shown
    assert "Firms &amp; more" in shown


@pytest.mark.parametrize(
    ("name", "letters"), [("Ana Kos", "AK"), ("Špela", "Š"), ("Ana Marija Žagar", "AŽ"), ("", "")]
)
def test_initials(name, letters):
    assert templating.initials(name) == letters


def test_every_message_has_its_slovene_with_the_same_values_in_it():
    path = LOCALES / "sl" / "LC_MESSAGES" / "messages.po"
    with path.open("rb") as source:
        catalogue = read_po(source, locale="sl")
    assert catalogue.num_plurals == 4
    for message in catalogue:
        if message.id:
            said = message.string if isinstance(message.string, tuple) else (message.string,)
            assert all(said), message.id
            assert not list(message.check(catalogue)), message.id


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("sl-SI,sl;q=0.9,en;q=0.8", "sl"),
        ("de-DE,en;q=0.5,sl;q=0.7", "sl"),
        ("hr", "en"),
        ("", "en"),
        ("*", "en"),
        ("en-US", "en"),
        ("sl;q=0,en;q=0.1", "en"),
        ("sl;q=a,,;", "en"),
    ],
)
def test_a_browser_gets_the_language_that_it_likes_best(header, language):
    assert i18n.negotiated(header) == language


def test_names_are_sorted_as_slovenes_expect():
    names = ["Žiga", "Zora", "Črt", "Cene", "Špela", "Sara", "Ana"]
    assert sorted(names, key=i18n.sort_key) == ["Ana", "Cene", "Črt", "Sara", "Špela", "Zora", "Žiga"]


def test_people_are_listed_in_that_order_too(rendered):
    people = [SimpleNamespace(name=name, organisation="Občina") for name in ("Zala", "Čeda", "Cene")]
    assert rendered(
        '{{ people|in_order("organisation", "name")|map(attribute="name")|join(" ") }}', people=people
    ) == ("Cene Čeda Zala")
    assert rendered('{{ ["š", "t", "s"]|in_order|join }}') == "sšt"


def test_a_day_of_this_year_needs_no_year():
    assert i18n.short_day(NOON, "en", now=NOON) == "4 May"
    assert i18n.short_day(NOON, "sl", now=NOON) == "4. maja"
    assert i18n.short_day(NOON, "sl", now=NOON.replace(year=2027)) == "4. maja 2026"


def test_days_are_counted_by_midnights():
    assert (
        i18n.days_between(datetime(2026, 5, 4, 21, 59, tzinfo=UTC), datetime(2026, 5, 4, 22, 1, tzinfo=UTC))
        == 1
    )
