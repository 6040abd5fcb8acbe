"""In templates `_()` takes what it gets for a pattern: values go into it, and are not filled in after it."""

import re

import pytest

from tests.conftest import ROOT

TEMPLATES = sorted((ROOT / "app" / "templates").rglob("*.html"))
FILLED_IN_AFTER = re.compile(r"_\((?!\s*[\"'])[^{}]*?\)\s*\|\s*format\(")


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_sentence_is_filled_in_after_it_is_translated(path):
    assert FILLED_IN_AFTER.findall(path.read_text()) == []


def test_this_would_be_seen():
    assert FILLED_IN_AFTER.search("{{ _(problem.message)|format(**values) }}")
    assert FILLED_IN_AFTER.search("{{ _(words[each.code])|format(**values) }}")
