"""Looking after people's data on pages: how long it is kept, a programme's people as a file, erasing someone."""

import csv
import io
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from app.lib import clock
from app.models import AuditEntry, BrowserSession, Membership, Person, RetentionRules
from app.models.base import table
from tests.factories import traces

PERSON = table(Person)
RULES = {
    "months_after_leaving": "12",
    "months_unused": "24",
    "days_of_requests": "30",
    "months_of_audit": "24",
    "version": "0",
}


def stale(site, actor):
    """The actor's sessions are of some hours ago."""
    of = table(BrowserSession)
    before = {"authenticated_at": clock.now() - timedelta(hours=3)}
    site.world.do(lambda tx: tx.execute(update(of).where(of.c.person_id == actor.person_id).values(before)))


def make(site, actor, **values):
    site.world.do(
        lambda tx: tx.execute(update(PERSON).where(PERSON.c.id == actor.person_id).values(**values))
    )


def entries(site, action):
    of = table(AuditEntry)
    return site.world.ask(lambda c: c.execute(select(of).where(of.c.action == action)).all())


def test_coordinators_decide_how_long_data_is_kept(site):
    browser = site.of(site.world.cora)
    page = browser.get("/admin/retention").text
    assert 'value="24"' in page
    assert "How many agree" in page
    assert browser.post("/admin/retention?programme=here", RULES).status_code == 303
    rules = site.world.ask(lambda c: c.execute(select(table(RetentionRules))).one())
    assert (rules.months_after_leaving, rules.months_unused, rules.days_of_requests) == (12, 24, 30)
    assert browser.post("/admin/retention?programme=here", RULES).status_code == 412
    wrong = RULES | {"version": "1", "months_unused": "x"}
    answer = browser.post("/admin/retention?programme=here", wrong)
    assert answer.status_code == 422
    assert "Please give a whole number from 6 to 120." in answer.text
    assert len(entries(site, "retention.changed")) == 1
    first = browser.get("/admin").text
    assert 'href="/admin/retention"' in first
    assert 'href="/admin/people.csv?programme=here"' in first


@pytest.mark.parametrize("path", ["/admin/retention?programme=here", "/admin/people.csv?programme=here"])
def test_nobody_else_looks_after_a_programmes_data(site, path):
    world = site.world
    for actor in (world.alice, world.fay, world.sam, world.olga, world.charlie):
        assert site.of(actor).get(path).status_code in (403, 404)
    assert site.nobody.get(path).status_code == 303
    assert site.of(world.cora).get(path.replace("here", "there")).status_code in (403, 404)
    assert site.of(world.alice).post("/admin/retention?programme=here", RULES).status_code == 403


def test_people_leave_as_a_file_without_addresses_and_formulas_and_it_is_audited(site):
    world = site.world
    make(site, world.alice, name="=HYPERLINK(1)")
    make(site, world.bea, disabled_at=clock.now())
    ended = update(table(Membership)).where(table(Membership).c.person_id == world.fay.person_id)
    world.do(lambda tx: tx.execute(ended.values(ended_at=clock.now())))
    answer = site.of(world.cora).get("/admin/people.csv?programme=here")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer.headers["content-disposition"]
    rows = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert rows[0] == ["name", "organisation", "sector", "role", "since"]
    assert [row[0] for row in rows[1:]] == [
        "Bob Kos",
        "Cora Golob",
        "'=HYPERLINK(1)",
        "Ana Žagar",
        "Olga Kralj",
        "Sam Hribar",
    ]
    assert "@" not in answer.text
    (entry,) = entries(site, "people.exported")
    assert (entry.actor_id, entry.programme_id, entry.data) == (
        world.cora.person_id,
        world.programme_id,
        {"people": 6},
    )


def test_taking_people_along_wants_a_fresh_sign_in(site):
    browser = site.of(site.world.cora)
    stale(site, site.world.cora)
    assert browser.get("/admin/people.csv?programme=here").status_code == 403
    assert entries(site, "people.exported") == []


def test_an_administrator_erases_someone_and_reads_before_what_goes(site):
    world = site.world
    someone = traces.someone(world)
    traces.everywhere(world, someone)
    make(site, world.olga, administrator_since=clock.now())
    browser, path = site.of(world.olga), f"/admin/people/{someone.person_id}/erasure"
    page = browser.get(path)
    assert traces.NAME in page.text
    assert "What stays with the name" in page.text
    assert browser.post(path).status_code == 422
    assert browser.post(path, {"confirmed": "1", "with_texts": "1"}).status_code == 303
    assert traces.found(world) == []
    assert browser.get(path).status_code == 404
    (entry,) = entries(site, "person.erased")
    assert (entry.actor_id, entry.subject_id) == (world.olga.person_id, someone.person_id)


def test_nobody_else_erases_anyone(site):
    world = site.world
    path = f"/admin/people/{world.alice.person_id}/erasure"
    for actor in (world.bob, world.cora, world.charlie):
        assert site.of(actor).get(path).status_code == 403
        assert site.of(actor).post(path, {"confirmed": "1"}).status_code == 403
    assert site.nobody.post(path, {"confirmed": "1"}).status_code == 401
    make(site, world.olga, administrator_since=clock.now())
    browser = site.of(world.olga)
    stale(site, world.olga)
    assert browser.post(path, {"confirmed": "1"}).status_code == 403
    assert entries(site, "person.erased") == []
