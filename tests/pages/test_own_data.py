"""One's own data on pages: seen, corrected, taken along, agreed to, erased."""

import io
import json
import zipfile
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from html import unescape

import pytest
from sqlalchemy import select, update
from sqlalchemy import text as sql

from app.errors import Conflict
from app.integrations import queue
from app.jobs import data_exports as job
from app.jobs.workplace import Workplace
from app.lib import clock
from app.models import BrowserSession, DataExport, Person
from app.models.base import table
from app.services import data_exports, erasure, notices, personal_data
from tests.factories import traces

EXPORT = table(DataExport)


@pytest.fixture
def zvezdana(site):
    return traces.someone(site.world)


@pytest.fixture
def line(site, database_url):
    """The tables in which jobs wait."""
    queue.migrate(database_url)


def work(site):
    """What the worker does."""
    place = Workplace(site.world.database, "http://testserver", "no-reply@here.example", None)
    waiting = select(EXPORT.c.id).where(EXPORT.c.state == "waiting")
    for id in site.world.ask(lambda connection: connection.execute(waiting).scalars().all()):
        assert job.make(place, export_id=id) == "made"


def _speaks_english(world, actor):
    of = table(Person)
    world.do(lambda tx: tx.execute(update(of).where(of.c.id == actor.person_id).values(language="en")))


def stale(site, actor):
    """The actor's sessions are of some hours ago."""
    before = {"authenticated_at": clock.now() - timedelta(hours=3)}
    of = table(BrowserSession)
    site.world.do(lambda tx: tx.execute(update(of).where(of.c.person_id == actor.person_id).values(before)))


def test_the_page_says_of_each_kind_what_why_and_how_long(site, zvezdana):
    traces.everywhere(site.world, zvezdana)
    _speaks_english(site.world, zvezdana)
    page = unescape(site.of(zvezdana).get("/me/data").text)
    counts = site.world.ask(personal_data.counts, zvezdana)
    for kind in personal_data.KINDS:
        for text in (kind.title, kind.holds, kind.why, kind.kept, kind.ground):
            assert text in page
        assert counts[kind.key], kind.key
    assert "/me/data" in site.of(zvezdana).get("/me").text


def test_it_is_ones_own_page_alone(site, zvezdana):
    for path in ("/me/data", "/me/data/erasure", "/me/data/copies/1"):
        answer = site.nobody.get(path)
        assert (answer.status_code, answer.headers["location"][:8]) == (303, "/sign-in")
    for path in ("corrections", "copies", "consents", "consents/withdrawal", "erasure"):
        assert site.nobody.post(f"/me/data/{path}").status_code == 401


def test_a_copy_is_made_fetched_and_gone_after_a_week(site, zvezdana, line):
    traces.everywhere(site.world, zvezdana)
    _speaks_english(site.world, zvezdana)
    site.world.do(lambda tx: tx.execute(EXPORT.delete()))
    browser = site.of(zvezdana)
    assert browser.post("/me/data/copies").status_code == 303
    assert "Your copy is being made." in browser.get("/me/data").text
    assert browser.post("/me/data/copies").status_code == 409
    work(site)
    copy = site.world.ask(data_exports.newest, zvezdana)
    answer = browser.get(f"/me/data/copies/{copy.id}")
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["cache-control"] == "no-store, no-transform"
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    assert set(archive.namelist()) == {f"{kind.key}.json" for kind in personal_data.KINDS} | {
        "index.html",
        "schema.json",
    }
    told = next(each for each in site.world.ask(notices.waiting, zvezdana) if each.kind == "data_ready")
    assert told.path == "/me/data#copy"
    assert "seven days" in told.message
    later = update(EXPORT).values(expires_at=clock.now() - timedelta(seconds=1))
    site.world.do(lambda tx: tx.execute(later))
    assert browser.get(f"/me/data/copies/{copy.id}").status_code == 410
    assert site.world.do(data_exports.expire) == 1
    row = site.world.ask(lambda connection: connection.execute(select(EXPORT)).one())
    assert (row.content, row.state) == (None, "expired")
    assert site.world.do(data_exports.expire) == 0


def test_only_its_owner_fetches_a_copy_and_freshly_signed_in(site, zvezdana, line):
    site.world.do(data_exports.ask, zvezdana)
    work(site)
    copy = site.world.ask(data_exports.newest, zvezdana)
    assert site.of(site.world.alice).get(f"/me/data/copies/{copy.id}").status_code == 404
    assert site.of(site.world.cora).get(f"/me/data/copies/{copy.id}").status_code == 404
    browser = site.of(zvezdana)
    stale(site, zvezdana)
    assert browser.get(f"/me/data/copies/{copy.id}").status_code == 403
    assert site.of(zvezdana).get(f"/me/data/copies/{copy.id}").status_code == 200


def test_after_anothers_erasure_a_copy_is_made(site, zvezdana, line):
    site.world.do(data_exports.ask, zvezdana)
    end_jobs(site)
    site.world.do(erasure.erase, zvezdana, zvezdana.person_id, confirmed=True)
    asked = site.world.do(data_exports.ask, site.world.bob)
    name = f"data-export-{asked}"
    assert site.world.ask(queue.unfinished, [name]) == {name}


def test_a_copy_that_no_job_makes_any_more_keeps_nobody_from_asking_again(site, zvezdana, line):
    for actor in (zvezdana, site.world.bob):
        site.world.do(data_exports.ask, actor)
        if actor is zvezdana:
            end_jobs(site)
    long_ago = update(EXPORT).values(created_at=clock.now() - 2 * data_exports.LOST_AFTER)
    site.world.do(data_exports.expire)
    assert states(site) == ["waiting", "waiting"], "not yet"
    site.world.do(lambda tx: tx.execute(long_ago))
    site.world.do(data_exports.expire)
    assert states(site) == ["failed", "waiting"], "the other is still in line"
    assert site.of(zvezdana).post("/me/data/copies").status_code == 303


def states(site):
    query = select(EXPORT.c.state).order_by(EXPORT.c.id)
    return site.world.ask(lambda connection: connection.execute(query).scalars().all())


def end_jobs(site):
    """Every job in line has ended, whatever came of it."""
    schema = "" if site.world.database.is_sqlite else "dbos."
    ended = sql(f"UPDATE {schema}workflow_status SET status = 'SUCCESS'")
    site.world.do(lambda tx: tx.execute(ended))


def test_five_copies_a_day_are_enough(site, zvezdana, line):
    browser = site.of(zvezdana)
    for _ in range(data_exports.MOST):
        assert browser.post("/me/data/copies").status_code == 303
        work(site)
    assert browser.post("/me/data/copies").status_code == 429
    kept = select(EXPORT.c.id).where(EXPORT.c.content.is_not(None))
    assert len(site.world.ask(lambda connection: connection.execute(kept).all())) == 1


def test_a_copy_has_all_of_ones_own_and_nobody_elses(site, zvezdana, line):
    world = site.world
    traces.everywhere(world, zvezdana)
    world.do(lambda tx: tx.execute(EXPORT.delete()))
    world.do(data_exports.ask, zvezdana)
    work(site)
    archive = _archive(site, zvezdana)
    kinds = {kind.key: json.loads(archive.read(f"{kind.key}.json")) for kind in personal_data.KINDS}
    assert [row["name"] for row in kinds["account"]["person"]] == [traces.NAME]
    assert kinds["account"]["login"][0]["subject"] == traces.SUBJECT
    assert {row["title"] for row in kinds["ideas"]["idea"]} == {"A form that asks once", "Hidden"}
    assert kinds["ideas"]["idea"][0]["programme_name"] == "Here"
    assert {row["message"] for row in kinds["stays"]["booking"]} == {traces.SAYS}
    whole = "".join(archive.read(name).decode() for name in archive.namelist())
    for other in ("Bob Kos", "bob@example.org", "Alice Novak", "Henk Jereb", "maja@example.org", "s" * 32):
        assert other not in whole
    schema = json.loads(archive.read("schema.json"))["$defs"]
    for key, tables in kinds.items():
        for name, found in tables.items():
            properties = set(schema[key]["properties"][name]["items"]["properties"])
            assert all(set(row) == properties for row in found)


def test_the_page_in_it_is_in_the_persons_language_and_needs_nothing_else(site, zvezdana, line):
    site.world.do(data_exports.ask, zvezdana)
    work(site)
    page = _archive(site, zvezdana).read("index.html").decode()
    assert '<html lang="sl">' in page
    assert "Vaši podatki" in page
    for outside in ("src=", "href=", "url(", "@import", "<script"):
        assert outside not in page


def test_what_people_wrote_is_text_in_the_page_and_no_code(site, zvezdana, line):
    site.world.idea(zvezdana, "<script>alert(1)</script>")
    site.world.do(data_exports.ask, zvezdana)
    work(site)
    page = _archive(site, zvezdana).read("index.html").decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script" not in page


def _archive(site, actor):
    copy = site.world.ask(data_exports.newest, actor)
    return zipfile.ZipFile(io.BytesIO(site.of(actor).get(f"/me/data/copies/{copy.id}").content))


def test_rows_are_read_in_pages_and_each_once(site, zvezdana):
    ideas = {site.world.idea(zvezdana, f"Idea {number}") for number in range(7)}
    source = next(each for kind in personal_data.KINDS for each in kind.sources if each.name == "idea")

    def read(connection):
        return [row["id"] for row in personal_data.rows(connection, source, zvezdana.person_id, at_once=3)]

    found = site.world.ask(read)
    assert found == sorted(ideas)


def test_a_name_is_corrected_and_an_address_that_the_provider_tells_is_not(site, zvezdana):
    browser = site.of(zvezdana)
    given = {"name": "Zvezda Q.", "email": traces.EMAIL}
    assert browser.post("/me/data/corrections", given).status_code == 303
    assert _person(site.world, zvezdana).name_is_own
    answer = browser.post("/me/data/corrections", given | {"email": "other@example.org"})
    assert answer.status_code == 409
    assert _person(site.world, zvezdana).email == traces.EMAIL
    assert browser.post("/me/data/corrections", given | {"name": "x" * 121}).status_code == 422


def test_an_address_is_given_where_the_provider_tells_none(site, zvezdana):
    of = table(Person)
    none = update(of).where(of.c.id == zvezdana.person_id).values(email=None)
    site.world.do(lambda tx: tx.execute(none))
    browser = site.of(zvezdana)
    for wrong in ("no address", "a@b, c@d", "@"):
        assert browser.post("/me/data/corrections", {"name": "Z", "email": wrong}).status_code == 422
    assert browser.post("/me/data/corrections", {"name": "Z", "email": "z@example.org"}).status_code == 303
    person = _person(site.world, zvezdana)
    assert (person.name, person.email, person.email_is_own) == ("Z", "z@example.org", True)
    assert browser.post("/me/data/corrections", {"name": "Z", "email": ""}).status_code == 303
    assert _person(site.world, zvezdana).email is None


def _person(world, actor):
    of = table(Person)
    return world.ask(lambda c: c.execute(select(of).where(of.c.id == actor.person_id)).one())


def test_erasing_says_before_what_it_does_and_then_does_it(site, zvezdana):
    traces.everywhere(site.world, zvezdana)
    browser = site.of(zvezdana)
    page = browser.get("/me/data/erasure")
    assert page.status_code == 200
    assert browser.post("/me/data/erasure").status_code == 422
    done = browser.post("/me/data/erasure", {"confirmed": "1"})
    assert done.status_code == 200
    assert 'session=""' in done.headers["set-cookie"]
    assert traces.NAME not in done.text
    assert browser.get("/me/data").status_code == 303
    assert traces.found(site.world) == []


def test_erasing_wants_a_fresh_sign_in(site, zvezdana):
    browser = site.of(zvezdana)
    stale(site, zvezdana)
    assert browser.get("/me/data/erasure").status_code == 403
    assert browser.post("/me/data/erasure", {"confirmed": "1"}).status_code == 403
    assert _person(site.world, zvezdana).erased_at is None


def test_the_last_coordinator_reads_what_to_do_first(site):
    browser = site.of(site.world.cora)
    page = browser.get("/me/data/erasure").text
    assert "Nobody else coordinates Here." in page
    assert "Erase now" not in page
    answer = browser.post("/me/data/erasure", {"confirmed": "1"})
    assert answer.status_code == 409


def test_privacy_and_accessibility_are_open_to_all_in_both_languages(site):
    for path in ("/privacy", "/accessibility"):
        for headers in ({"Accept-Language": "en"}, {"Accept-Language": "sl"}):
            assert site.nobody.get(path, headers=headers).status_code == 200
    page = unescape(site.nobody.get("/privacy").text)
    assert all(kind.title in page for kind in personal_data.KINDS)


def test_of_two_askings_at_the_same_moment_one_copy_is_made(site, zvezdana, line):
    with ThreadPoolExecutor(2) as both:
        asked = [both.submit(site.world.do, data_exports.ask, zvezdana) for _ in range(2)]
    failed = [one.exception() for one in asked if one.exception() is not None]
    assert [type(error) for error in failed] == [Conflict]


def test_nothing_is_made_for_who_was_erased_meanwhile(site, zvezdana, line):
    asked = site.world.do(data_exports.ask, zvezdana)
    site.world.do(erasure.erase_by_operator, zvezdana.person_id)
    place = Workplace(site.world.database, "http://testserver", "no-reply@here.example", None)
    assert job.make(place, export_id=asked) == "nothing to do"
    site.world.do(data_exports.finish, asked, b"late")
    assert traces.found(site.world) == []


def test_a_copy_that_cannot_be_made_is_told_and_can_be_asked_for_again(site, zvezdana, line):
    asked = site.world.do(data_exports.ask, zvezdana)
    site.world.do(data_exports.finish, asked, None)
    assert site.world.ask(data_exports.newest, zvezdana).state == "failed"
    browser = site.of(zvezdana)
    assert browser.get(f"/me/data/copies/{asked}").status_code == 404
    assert browser.post("/me/data/copies").status_code == 303
