"""The administration: a hub for those entitled, people, roles, the audit log; and lending one's role."""

import csv
import html
import io
import json
import re
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from app.lib import clock
from app.models import AuditEntry, Membership
from app.models.base import table
from app.services import actors, administrators, audit, audit_log, roles, sessions, tokens
from app.services.roles import Wanted
from app.web.audit_words import AUDIT_ACTIONS

PLACES = ["/admin", "/admin/people", "/admin/roles", "/admin/audit"]


def texts(answer):
    return html.unescape(answer.text)


def now(site, person):
    return site.world.ask(actors.find, person.person_id)


def administrator(site):
    """Ida runs the installation and takes part nowhere."""
    world = site.world
    ida = world.people(1, "public")[0]
    world.do(administrators.name, None, ida.person_id)
    member = table(Membership)
    ended = update(member).where(member.c.person_id == ida.person_id)
    world.do(lambda tx: tx.execute(ended.values(ended_at=tx.now)))
    return world.ask(actors.find, ida.person_id)


def organisation_administrator(site):
    world = site.world
    wanted = Wanted("organisation_administrator", organisation_id=world.organisations["public"])
    world.do(roles.give, world.cora, world.programme_id, world.ana.person_id, wanted)
    return world.ana


@pytest.mark.parametrize("path", PLACES)
def test_it_is_for_those_who_run_something(site, path):
    assert site.nobody.get(path).status_code in (303, 401)
    for who in (site.world.alice, site.world.fay, site.world.sam, site.world.olga):
        assert site.of(who).get(path).status_code == 403, path
    assert site.of(site.world.cora).get(path).status_code == 200
    assert site.of(administrator(site)).get(path).status_code == 200


def ways(page):
    """Where the navigation of a page of the administration leads."""
    nav = re.search(r'<nav[^>]* aria-label="Administration">.*?</nav>', page.text, re.DOTALL)[0]
    return re.findall(r'href="(/admin[^"]*)"', nav)


def test_the_ways_are_those_that_are_open(site):
    ana = site.of(organisation_administrator(site))
    assert set(ways(ana.get("/admin"))) >= {"/admin/people", "/admin/audit"}
    assert "/admin/roles" not in ways(ana.get("/admin"))
    assert "/admin/roles" in ways(site.of(site.world.cora).get("/admin"))


def test_the_first_page_and_the_others_lead_to_the_same_pages_each_once(site):
    for reader in (site.of(organisation_administrator(site)), site.of(administrator(site))):
        first, others = ways(reader.get("/admin")), ways(reader.get("/admin/people"))
        assert ["/admin", *first] == others
        assert len(set(others)) == len(others)


def test_a_page_below_marks_the_way_that_it_belongs_to(site):
    world = site.world
    page = site.of(world.cora).get(f"/admin/people/{world.alice.person_id}").text
    assert re.findall(r'href="([^"]*)" aria-current="(\w+)"', page) == [("/admin/people", "true")]


def test_a_persons_page_leads_to_erasing_them_where_the_reader_may(site):
    alice = site.world.alice.person_id
    way = f'href="/admin/people/{alice}/erasure"'
    assert way in site.of(administrator(site)).get(f"/admin/people/{alice}").text
    assert way in site.of(organisation_administrator(site)).get(f"/admin/people/{alice}").text
    assert way not in site.of(site.world.cora).get(f"/admin/people/{alice}").text


def test_a_coordinator_finds_people_by_name_mail_role_and_organisation(site):
    world = site.world
    cora = site.of(world.cora)
    everyone = texts(cora.get("/admin/people"))
    assert "Alice Novak" in everyone
    assert "alice@example.org" in everyone
    assert "Charlie Oman" not in everyone
    for query, expected in (
        ("q=nov", {"Alice Novak"}),
        ("q=BOB%40example", {"Bob Kos"}),
        ("role=facilitator", {"Fay Zupan"}),
        (f"organisation={world.organisations['business']}&role=participant", {"Bob Kos", "Bea Čeh"}),
        ("q=%25", set()),
        (f"programme={world.other_programme_id}", set()),
    ):
        shown = texts(cora.get(f"/admin/people?{query}"))
        assert set(re.findall(r'href="/admin/people/\d+">([^<]*)<', shown)) == expected, query


def test_an_organisation_administrator_sees_their_own_people_alone(site):
    ana = site.of(organisation_administrator(site))
    shown = texts(ana.get("/admin/people"))
    assert "Alice Novak" in shown
    assert "Bob Kos" not in shown
    assert ana.get(f"/admin/people/{site.world.alice.person_id}").status_code == 200
    assert ana.get(f"/admin/people/{site.world.bob.person_id}").status_code == 404
    assert (
        ana.get(f"/admin/people/{site.world.alice.person_id}/roles/{site.world.programme_id}").status_code
        == 403
    )


@pytest.mark.parametrize("who", ["an organisation's", "a coordinator"])
def test_the_address_and_sign_ins_of_whoever_has_left_are_not_told(site, who):
    world = site.world
    reader = site.of(organisation_administrator(site) if who == "an organisation's" else world.cora)
    mail, page = world.alice.email, f"/admin/people/{world.alice.person_id}"
    assert mail in texts(reader.get(page))
    world.cookie(world.alice)
    member = table(Membership)
    left = update(member).where(member.c.person_id == world.alice.person_id)
    world.do(lambda tx: tx.execute(left.values(ended_at=tx.now)))
    shown = texts(reader.get(page))
    assert "Alice Novak" in shown
    assert mail not in shown
    assert "in 1 browser" not in shown
    assert mail not in texts(reader.get("/admin/people?state=left"))
    assert "Alice Novak" in texts(reader.get("/admin/people?state=left&q=Alice"))
    assert "Alice Novak" not in texts(reader.get(f"/admin/people?state=left&q={mail}"))
    assert mail in texts(site.of(administrator(site)).get(page))


def test_an_instance_administrator_sees_everyone_also_those_without_a_place(site):
    ida = site.of(administrator(site))
    assert "Charlie Oman" in texts(ida.get("/admin/people"))
    assert "Public1 Rus" in texts(ida.get("/admin/people?state=nowhere"))
    assert "Public1 Rus" not in texts(site.of(site.world.cora).get("/admin/people?state=nowhere"))
    assert ida.get(f"/admin/people/{site.world.charlie.person_id}").status_code == 200


def test_people_come_in_pages(site):
    site.world.people(60, "public")
    cora = site.of(site.world.cora)
    first = cora.get("/admin/people")
    more = html.unescape(re.search(r'href="(/admin/people\?[^"]*cursor=[^"]*)"', first.text)[1])
    second = cora.get(more)
    names = [re.findall(r">(Public\d+ Rus)<", page.text) for page in (first, second)]
    assert len(names[0]) == 50
    assert not set(names[0]) & set(names[1])
    assert cora.get(more.replace("cursor=", "cursor=x")).status_code in (400, 422)


def test_a_person_is_shown_with_places_roles_sessions_and_tokens(site):
    world = site.world
    world.do(tokens.create, world.alice, name="A", scopes=["read"])
    world.cookie(world.alice)
    world.do(
        roles.give,
        world.cora,
        world.programme_id,
        world.alice.person_id,
        Wanted("facilitator", challenge_id=world.challenge_id),
    )
    shown = texts(site.of(world.cora).get(f"/admin/people/{world.alice.person_id}"))
    for expected in ("Alice Novak", "Participant", "for “Forms that ask once”", "in 1 browser", "Take back"):
        assert expected in shown
    assert site.of(world.cora).get(f"/admin/people/{world.charlie.person_id}").status_code == 404


def roles_page(site, person):
    return f"/admin/people/{person.person_id}/roles/{site.world.programme_id}"


def version_on(page):
    return re.search(r'name="version" value="(\d+)"', page.text)[1]


def test_a_role_is_changed_given_and_taken_back_on_pages(site):
    world = site.world
    cora = site.of(world.cora)
    page = roles_page(site, world.alice)
    answer = cora.post(f"{page}/place", {"role": "observer", "version": version_on(cora.get(page))})
    assert (answer.status_code, now(site, world.alice).role_in(world.programme_id)) == (303, "observer")
    given = {"besides": "facilitator", "challenge": str(world.challenge_id), "last_day": "2126-01-01"}
    assert cora.post(f"{page}/assignments", {**given, "version": "2"}).status_code == 303
    (held,) = now(site, world.alice).assignments
    assert held.challenge_id == world.challenge_id
    assert "Alice Novak" in texts(cora.get("/admin/roles"))
    assert (
        cora.post(f"/admin/assignments/{held.id}/ending", {"person": str(world.alice.person_id)}).status_code
        == 303
    )
    assert now(site, world.alice).assignments == ()


def test_who_comes_second_gets_what_they_typed_and_the_news_that_it_moved(site):
    world = site.world
    cora, ida = site.of(world.cora), site.of(administrator(site))
    page = roles_page(site, world.alice)
    version = version_on(cora.get(page))
    assert ida.post(f"{page}/place", {"role": "host", "version": version}).status_code == 303
    answer = cora.post(f"{page}/place", {"role": "sponsor", "version": version})
    assert answer.status_code == 412
    assert "Someone has changed the roles of this person" in texts(answer)
    assert re.search(r'value="sponsor" selected', answer.text)
    assert version_on(answer) != version
    assert now(site, world.alice).role_in(world.programme_id) == "host"
    again = cora.post(f"{page}/place", {"role": "sponsor", "version": version_on(answer)})
    assert again.status_code == 303


def test_what_cannot_be_given_comes_back_with_its_mend(site):
    cora = site.of(site.world.cora)
    page = roles_page(site, site.world.alice)
    for wrong in (
        {"besides": "king"},
        {"besides": "sponsor", "last_day": "soon"},
        {"besides": "coordinator", "challenge": "1"},
    ):
        answer = cora.post(f"{page}/assignments", wrong)
        assert (answer.status_code, 'class="problems"' in answer.text) == (422, True), wrong
    assert cora.post(f"{page}/place", {"role": ""}).status_code == 422


def test_others_change_nothing_by_the_same_addresses(site):
    world = site.world
    page = roles_page(site, world.bob)
    for who, status in ((world.alice, 404), (world.charlie, 404), (organisation_administrator(site), 404)):
        browser = site.of(who)
        assert browser.post(f"{page}/place", {"role": "observer"}).status_code == status
        assert browser.post(f"{page}/assignments", {"besides": "sponsor"}).status_code == status
        assert browser.post(f"/admin/people/{world.bob.person_id}/administrator").status_code == 403
    assert now(site, world.bob).role_in(world.programme_id) == "participant"
    assert not now(site, world.bob).is_administrator


def test_an_instance_administrator_puts_someone_out_of_action_and_back(site):
    world = site.world
    ida, cookie = administrator(site), site.world.cookie(world.bob)
    browser, page = site.of(ida), f"/admin/people/{world.bob.person_id}"
    assert f"{page}/deactivation" in browser.get(page).text
    for _ in range(2):
        assert browser.post(f"{page}/deactivation").status_code == 303
    assert not world.ask(sessions.find, cookie)[0].is_known
    shown = browser.get(page).text
    assert f'action="{page}/deactivation/ending"' in shown
    assert f'action="{page}/deactivation"' not in shown
    for _ in range(2):
        assert browser.post(f"{page}/deactivation/ending").status_code == 303
    assert now(site, world.bob).is_known
    own = f"/admin/people/{ida.person_id}"
    assert "deactivation" not in browser.get(own).text
    assert browser.post(f"{own}/deactivation").status_code == 409
    assert site.of(world.cora).post(f"{page}/deactivation").status_code == 403
    assert "deactivation" not in site.of(world.cora).get(page).text
    stale = update(table_of_sessions()).values(authenticated_at=clock.now() - timedelta(hours=1))
    world.do(lambda tx: tx.execute(stale))
    assert browser.post(f"{page}/deactivation").status_code in (303, 403)
    assert now(site, world.bob).is_known


def test_an_instance_administrator_names_another_after_a_fresh_sign_in_alone(site):
    world = site.world
    ida = administrator(site)
    browser = site.of(ida)
    path = f"/admin/people/{world.bob.person_id}/administrator"
    assert browser.post(path).status_code == 303
    assert now(site, world.bob).is_administrator
    assert browser.post(f"{path}/withdrawal").status_code == 303
    stale = update(table_of_sessions()).values(authenticated_at=clock.now() - timedelta(hours=1))
    world.do(lambda tx: tx.execute(stale))
    assert browser.post(path).status_code in (303, 403)
    assert not now(site, world.bob).is_administrator


def table_of_sessions():
    from app.models import BrowserSession

    return table(BrowserSession)


def test_the_log_is_read_in_words_and_that_is_an_entry(site):
    world = site.world
    world.do(roles.change, world.cora, world.programme_id, world.alice.person_id, "host")
    cora = site.of(world.cora)
    shown = texts(cora.get("/admin/audit"))
    assert "changed someone&#39;s role" in shown or "changed someone's role" in shown
    assert "Participant → Host" in shown
    assert "read the audit log" in texts(cora.get("/admin/audit"))
    entry = table(AuditEntry)
    last = world.ask(lambda c: c.execute(select(entry).order_by(entry.c.id.desc()).limit(1)).one())
    assert (last.action, last.actor_id, last.programme_id) == (
        "audit.read",
        world.cora.person_id,
        world.programme_id,
    )


def test_the_log_of_another_programme_is_refused(site):
    world = site.world
    for path in ("/admin/audit", "/admin/audit.csv", "/admin/audit.jsonl"):
        answer = site.of(world.cora).get(f"{path}?programme={world.other_programme_id}")
        assert answer.status_code == 403, path
        assert site.of(world.alice).get(path).status_code == 403
    ana = site.of(organisation_administrator(site))
    business = world.organisations["business"]
    assert ana.get(f"/admin/audit?programme={world.programme_id}&organisation={business}").status_code == 403
    assert ana.get("/admin/audit").status_code == 200


def test_the_log_comes_in_pages_and_by_filters(site):
    world = site.world
    for _ in range(60):
        world.do(audit.refused, "test.tried", world.bob, "r", programme_id=world.programme_id)
    cora = site.of(world.cora)
    first = cora.get("/admin/audit?outcome=refused")
    more = html.unescape(re.search(r'href="(/admin/audit\?[^"]*cursor=[^"]*)"', first.text)[1])
    assert first.text.count("test.tried") == 50
    assert cora.get(more).text.count("test.tried") == 10
    assert "test.tried" not in cora.get("/admin/audit?outcome=done").text
    assert "test.tried" not in cora.get("/admin/audit?last_day=2026-01-01").text


def test_the_files_hold_every_entry_with_its_hash_and_can_be_checked(site):
    world = site.world
    for _ in range(30):
        world.do(audit.refused, "test.tried", world.bob, "=1+1", programme_id=world.programme_id)
    ida = site.of(administrator(site))
    lines = ida.get("/admin/audit.jsonl")
    assert lines.headers["content-type"].startswith("application/jsonl")
    assert "attachment" in lines.headers["content-disposition"]
    found = audit_log.walk(audit_log.of_lines(lines.text.splitlines()))
    assert found.is_whole
    assert json.loads(lines.text.splitlines()[-1])["action"] == "audit.exported"
    sheet = ida.get("/admin/audit.csv")
    assert (
        audit_log.walk(audit_log.of_table(csv.DictReader(io.StringIO(sheet.text)))).entries
        == found.entries + 1
    )


def test_a_role_is_lent_and_ended_on_pages(site):
    world = site.world
    fay, bob = site.of(world.fay), site.of(world.bob)
    assert f'value="{world.programme_id}"' in fay.get("/delegations/new").text
    tomorrow = (clock.now() + timedelta(days=9)).date().isoformat()
    sent = {"what": str(world.programme_id), "person_id": str(world.bob.person_id), "last_day": tomorrow}
    assert fay.post("/delegations", sent).headers["location"] == "/me/delegations"
    assert "Bob Kos stands in for you" in texts(fay.get("/me/delegations"))
    assert "You stand in for Fay Zupan" in texts(bob.get("/me/delegations"))
    assert bob.get(f"/challenges/{world.challenge_id}/clusters").status_code == 200
    assert "Bob Kos" in texts(site.of(world.cora).get("/admin/roles"))
    again = fay.post("/delegations", sent)
    assert (again.status_code, "You lend them this role already" in texts(again)) == (409, True)
    (held,) = now(site, world.bob).assignments
    assert site.of(world.alice).post(f"/delegations/{held.id}/ending").status_code == 404
    assert bob.post(f"/delegations/{held.id}/ending").status_code == 303
    assert bob.get(f"/challenges/{world.challenge_id}/clusters").status_code == 403


def test_a_form_to_lend_that_is_wrong_comes_back_as_typed(site):
    world = site.world
    fay = site.of(world.fay)
    for wrong in (
        {},
        {"what": "x"},
        {"what": str(world.programme_id), "person_id": "1", "last_day": "never"},
        {"what": str(world.programme_id), "person_id": str(world.bob.person_id), "last_day": "2126-01-01"},
    ):
        answer = fay.post("/delegations", wrong)
        assert (answer.status_code, 'class="problems"' in answer.text) == (422, True), wrong
    assert 'value="2126-01-01"' in answer.text
    assert site.nobody.post("/delegations", {}).status_code in (303, 401)
    assert fay.post("/delegations", {"what": str(world.other_programme_id)}).status_code == 404


def test_everything_that_is_audited_has_words():
    from pathlib import Path

    app = Path(__file__).parents[2] / "app"
    written = {
        found
        for path in app.rglob("*.py")
        for found in re.findall(r'(?:write_down|refused)\(\s*tx,\s*"([a-z_]+\.[a-z_]+)"', path.read_text())
    }
    assert written | audit.AUDITED | {audit_log.READ, audit_log.EXPORTED, audit_log.PRUNED} <= set(
        AUDIT_ACTIONS
    )


def test_a_place_is_ended_on_its_page_by_those_who_may(site):
    world = site.world
    place = now(site, world.alice).membership_in(world.programme_id)
    path = f"/admin/memberships/{place.id}/ending"
    assert site.of(world.bob).post(path).status_code == 403
    cora = site.of(world.cora)
    assert "End the place" in cora.get(f"/admin/people/{world.alice.person_id}").text
    assert cora.post(path, {"version": "9"}).status_code == 412
    assert cora.post(path, {"version": "1"}).status_code == 303
    assert now(site, world.alice).memberships == {}
    own = now(site, world.cora).membership_in(world.programme_id)
    assert cora.post(f"/admin/memberships/{own.id}/ending").status_code == 409
