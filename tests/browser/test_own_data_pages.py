"""The pages of one's own data in each state: nothing that axe-core finds, nothing wider than a phone."""

import io
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from app.integrations import queue
from app.jobs import data_exports as job
from app.jobs.workplace import Workplace
from app.lib import clock
from app.models import DataExport, Person
from app.models.base import table
from app.services import consents, data_exports
from tests.browser.audit import findings, looked_at, overflow, speaking
from tests.browser.browsing import Browsing
from tests.factories import traces
from tests.factories.world import World

LANGUAGES = ("en", "sl")
EXPORT, PERSON = table(DataExport), table(Person)


def copied(world: World, actor: Any, state: str) -> None:
    """A copy of someone's data in this state, and none besides."""
    gone = EXPORT.delete().where(EXPORT.c.person_id == actor.person_id)
    world.do(lambda tx: tx.execute(gone))
    ends = clock.now() + timedelta(days=7)
    traces.insert(world, DataExport, person_id=actor.person_id, state=state, content=b"zip", expires_at=ends)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("state", ["waiting", "ready", "failed"])
def test_the_page_is_whole_in_each_state(state: str, language: str, browsing: Browsing) -> None:
    world = browsing.world
    copied(world, world.ana, state)
    world.do(consents.give, world.ana, world.programme_id, "research")
    page = browsing.page_of(world.ana)
    with speaking(page, language):
        assert looked_at(page, "/me/data", language) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_erasing_someone_else_is_whole(language: str, browsing: Browsing) -> None:
    world = browsing.world
    made = PERSON.update().where(PERSON.c.id == world.olga.person_id)
    world.do(lambda tx: tx.execute(made.values(administrator_since=tx.now)))
    page = browsing.page_of(world.olga)
    with speaking(page, language):
        assert looked_at(page, f"/admin/people/{world.bea.person_id}/erasure", language) == []
    world.do(lambda tx: tx.execute(made.values(administrator_since=None)))


def test_a_copy_is_asked_for_and_fetched(browsing: Browsing) -> None:
    world = browsing.world
    queue.migrate(str(world.database.url))
    (someone,) = world.people(1, "public")
    page = browsing.page_of(someone)
    page.goto("/me/data")
    page.get_by_role("button", name="Make a copy of my data").click()
    expect(page.get_by_text("Your copy is being made.")).to_be_visible()
    place = Workplace(world.database, "http://here.example", "no-reply@here.example", None)
    job.make(place, export_id=world.ask(data_exports.newest, someone).id)
    page.reload()
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Fetch the copy").click()
    content = waiting.value.path().read_bytes()
    assert "index.html" in zipfile.ZipFile(io.BytesIO(content)).namelist()


def test_the_copys_own_page_is_whole(browsing: Browsing, tmp_path: Any) -> None:
    world = browsing.world
    queue.migrate(str(world.database.url))
    (someone,) = world.people(1, "public")
    world.idea(someone, "A " + "very" * 25)
    asked = world.do(data_exports.ask, someone)
    place = Workplace(world.database, "http://here.example", "no-reply@here.example", None)
    job.make(place, export_id=asked)
    content = world.do(data_exports.fetch, traces.fresh(someone), asked)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        archive.extract("index.html", tmp_path)
    page = browsing.page()
    page.goto(f"file://{tmp_path}/index.html")
    assert findings(page, themes=False) + overflow(page) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_erasing_oneself_is_done_by_hand_and_the_answer_is_whole(language: str, browsing: Browsing) -> None:
    browsing.witness.expects("status of 422")
    (someone,) = browsing.world.people(1, "public")
    page = browsing.page_of(someone)
    with speaking(page, language):
        page.goto("/me/data/erasure")
        _erase(page)
        expect(page.locator(".problems")).to_be_visible()
        found = findings(page) + overflow(page)
        page.locator("#field-confirmed").check()
        _erase(page)
        expect(page.locator("main .note-ok")).to_be_visible()
        assert found + findings(page) + overflow(page) == []
        page.goto("/me")
        assert "/sign-in" in page.url


def _erase(page: Page) -> None:
    page.locator("main form .button-danger").click()
