"""Every template keeps the house: title and heading, whole HTML, no code in attributes, every word translated."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from jinja2 import nodes

from app.web.templating import HERE, LOCALES, TEMPLATES, Templates

ALL = sorted(path.relative_to(TEMPLATES).as_posix() for path in TEMPLATES.rglob("*.html"))
VOID = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}
SHAPES = {"path", "circle", "rect", "use"}
ENVIRONMENT = Templates()._environments["en"]
NAMES = {"openapi", "json", "lang", "narrow", "medium", "wide", "xxx"}


class Balance(HTMLParser):
    """Notes every tag that is closed without being open, or left open."""

    def __init__(self):
        super().__init__()
        self.open, self.wrong, self.ids = [], [], []

    def handle_starttag(self, tag, attributes):
        self.ids += [value for name, value in attributes if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        if tag not in SHAPES:
            self.wrong.append(f"<{tag}/>")

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"</{tag}> at {self.getpos()}")

    @classmethod
    def of(cls, html):
        balance = cls()
        balance.feed(html)
        balance.close()
        balance.wrong += [f"<{tag}> left open" for tag in balance.open]
        return balance


def source(name):
    return (TEMPLATES / name).read_text(encoding="utf-8")


def bare(text):
    """The HTML of a template, with a nought for each thing that it prints."""
    shown = {"data": lambda value: value, "variable_begin": lambda _: " 0 "}
    return "".join(shown[kind](value) for _, kind, value in ENVIRONMENT.lex(text) if kind in shown)


def pages():
    for name in ALL:
        tree = ENVIRONMENT.parse(source(name))
        parent = tree.find(nodes.Extends)
        if parent is not None and not name.startswith("layouts/"):
            yield name


@pytest.mark.parametrize("name", list(pages()))
def test_a_page_has_a_layout_a_title_and_a_heading(name):
    text = source(name)
    assert re.search(r'\{% extends "layouts/(narrow|medium|wide)\.html" %\}', text)
    assert "{% block title %}" in text
    assert "<h1" in text


@pytest.mark.parametrize("name", ALL)
def test_a_template_says_at_its_head_what_it_is_and_needs(name):
    assert source(name).startswith("{#")


@pytest.mark.parametrize("name", ALL)
def test_every_tag_is_closed_where_it_was_opened(name):
    assert Balance.of(bare(source(name))).wrong == []


@pytest.mark.parametrize("name", ALL)
def test_no_code_and_no_style_stands_in_a_page(name):
    text = source(name)
    for forbidden in ("hx-on", "js:", " style=", "javascript:", "|safe(", "autoescape"):
        assert forbidden not in text, forbidden
    assert not re.search(r"\son[a-z]+=", text)
    assert not re.search(r"<script(?![^>]* src=)(?! type=\"application/ld\+json\">{{ data\|tojson }}<)", text)


@pytest.mark.parametrize("name", ALL)
def test_only_html_that_was_cleaned_when_it_was_written_goes_unescaped(name):
    for printed in re.findall(r"\{\{\s*([^}]*?)\s*\|\s*safe\b", source(name)):
        assert printed.endswith("_html"), printed


@pytest.mark.parametrize("name", ALL)
def test_a_form_that_changes_something_carries_the_token(name):
    for form in re.findall(r'<form[^>]*method="post".*?</form>', source(name), re.DOTALL):
        assert "csrf_field()" in form


@pytest.mark.parametrize("name", ALL)
def test_ids_are_words_joined_by_hyphens_and_stand_once(name):
    ids = [found for found in re.findall(r'\sid="([^"]*)"', source(name)) if "{" not in found]
    assert all(re.fullmatch(r"[a-z]+(-[a-z_]+)*", found) for found in ids), ids
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("name", ALL)
def test_no_template_names_a_role_or_shows_an_emoji(name):
    text = source(name)
    assert not re.search(r"role\s*==", text)
    assert not re.search("[\U0001f300-\U0001faff\u2600-\u27bf]", text)


@pytest.mark.parametrize("name", [name for name in ALL if not name.startswith("api/")])
def test_every_word_goes_through_gettext(name):
    without = re.sub(r"\{% trans.*?\{% endtrans %\}", "", source(name), flags=re.DOTALL)
    without = re.sub(r"\{% macro [^<]*?\{%-? endmacro %\}", "", without)
    text = re.sub(r"<(code|svg)[^>]*>.*?</\1>", "", bare(without), flags=re.DOTALL)
    words = re.findall(r"[^\W\d_]{3,}", re.sub(r"<[^>]*>", " ", text))
    assert [word for word in words if word not in NAMES] == []


def test_every_message_of_the_house_is_in_the_slovene_catalogue():
    with (LOCALES / "sl" / "LC_MESSAGES" / "messages.po").open("rb") as po:
        known = {
            message.id if isinstance(message.id, str) else message.id[0]
            for message in read_po(po, locale="sl")
        }
    method_map = [("**.py", "python"), ("templates/**.html", "jinja2")]
    options = {"templates/**.html": {"trimmed": "true", "newstyle_gettext": "true", "silent": "false"}}
    found = {
        message if isinstance(message, str) else message[0]
        for _, _, message, _, _ in extract_from_dir(HERE, method_map, options)
    }
    assert len(found) > 400
    assert found - known == set()


@pytest.mark.parametrize("language", ["en", "sl"])
@pytest.mark.parametrize(
    ("status", "code"),
    [(404, "not-found"), (401, "not-signed-in"), (412, "version-moved-on"), (503, "unavailable")],
)
def test_a_failure_shows_a_whole_page_although_nothing_is_known_of_the_reader(language, status, code):
    html = Templates().render(
        language,
        "errors/show.html",
        status=status,
        code=code,
        title="<Title>",
        detail="Detail",
        request_id="abc",
    )
    page = Balance.of(html)
    assert page.wrong == []
    assert len(page.ids) == len(set(page.ids))
    assert f'<html lang="{language}">' in html
    assert "&lt;Title&gt;" in html
    assert html.count("<h1") == 1


def test_this_guard_sees_what_is_wrong():
    assert Balance.of("<p><b>x</p></b>").wrong
    assert Balance.of("<p>").wrong
    assert not Balance.of('<p>x<br><svg><use href="#a"/></svg></p>').wrong


def test_vendored_files_are_named_with_version_and_licence():
    vendor = Path(TEMPLATES).parent / "static" / "vendor"
    told = (vendor / "README.md").read_text(encoding="utf-8")
    for path in vendor.iterdir():
        assert path.name in told or path.name in ("README.md", "__pycache__")
