"""The list of personal data is complete: no table that refers to a person is forgotten."""

import re
from pathlib import Path

from app.models import metadata
from app.services import erasure_of_traces, personal_data
from app.web import data_words

ROOT = Path(__file__).parent.parent.parent
PEOPLE = ("person.id", "membership.id", "login.id", "session.id")

references = {
    f"{table.name}.{column.name}"
    for table in metadata.tables.values()
    for column in table.c
    if any(key.target_fullname in PEOPLE for key in column.foreign_keys)
}
sources = [source for kind in personal_data.KINDS for source in kind.sources]


def test_every_reference_to_a_person_is_taken_along_or_says_why_not():
    taken = {f"{source.name}.{name}" for source in sources for name in source.of}
    assert references - taken - set(personal_data.ELSEWHERE) == set()
    assert taken & set(personal_data.ELSEWHERE) == set()


def test_no_exception_outlives_its_column():
    assert set(personal_data.ELSEWHERE) <= references


def test_no_secret_is_taken_along():
    for source in sources:
        for name in source.columns:
            assert not re.search(r"hash|secret|token|pseudonym|nonce|verifier", name), (source.name, name)


def test_every_table_and_kind_has_words():
    assert {source.name for source in sources} == set(data_words.TABLES)
    shown = {name for source in sources for name in personal_data.fields(source)}
    assert set(data_words.COLUMNS) <= shown
    for source in sources:
        assert set(personal_data.fields(source)) & set(data_words.COLUMNS), source.name


def test_the_record_of_processing_names_every_table_that_holds_personal_data():
    """Each stands in docs/privacy.md, with what becomes of it at an erasure."""
    text = (ROOT / "docs" / "privacy.md").read_text()
    rows = {
        name
        for line in re.findall(r"^\| (`.*?) \|", text, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", line)
    }
    held = {reference.partition(".")[0] for reference in references} | {
        "person",
        "scim_user",
        "decision_link",
    }
    assert held - rows == set()
    assert rows <= set(metadata.tables)


def test_the_record_of_processing_has_each_kind_with_its_ground():
    text = (ROOT / "docs" / "privacy.md").read_text()
    for kind in personal_data.KINDS:
        assert f"`{kind.key}.json`" in text, kind.key


def test_what_is_only_someones_own_goes_with_them():
    """Tables whose every row is of use to one person alone are deleted from, and not kept by an oversight."""
    kept = {"person", "membership", "assignment", "support", "roll_entry", "interest", "objection"}
    own = {reference.partition(".")[0] for reference in references if reference.endswith(".person_id")} - kept
    elsewhere = {
        "booking",
        "vote",
        "co_author",
        "client",
        "erasure",
        "scim_user",
        "join_request",
        "data_export",
    }
    assert own - {each.name for each in erasure_of_traces.OWN} <= elsewhere
