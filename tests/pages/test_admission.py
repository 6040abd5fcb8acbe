"""Pages of those who let people in, and of those who are invited: over real HTTP, by people who may and who may not."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import update

from app.lib import clock
from app.models import AuditEntry, BrowserSession, Invitation, JoinRequest, Membership, Programme
from app.models.base import table
from tests.services.test_invitations import invite
from tests.services.test_joining import choose, claiming, rows, wait
from tests.services.test_memberships import again, assign

SESSION = table(BrowserSession)


def everything(world):
    return {model: rows(world, model) for model in (Invitation, JoinRequest, Membership, AuditEntry)}


# invitations


def test_a_coordinator_invites_and_sees_the_address_once(site):
    here = site.world.organisations["public"]
    form = {"organisation_id": str(here), "role": "participant", "days": "7", "name": "Nika"}
    browser = site.of(site.world.cora)
    page = browser.post("/admin/invitations", form)
    assert page.status_code == 201
    (address,) = re.findall(r"http://testserver(/invitations/[^<]+)<", page.text)
    assert site.nobody.get(address).status_code == 200
    again_ = browser.get("/admin/invitations").text
    assert "Nika" in again_
    assert address not in again_


def test_what_is_wrong_stands_at_its_field_and_nothing_is_sent(site):
    form = {"organisation_id": str(site.world.organisations["public"]), "role": "participant", "days": "999"}
    page = site.of(site.world.cora).post("/admin/invitations", form | {"email": "nobody"})
    assert page.status_code == 422
    assert "Please choose between 1 and 60 days." in page.text
    assert 'value="nobody"' in page.text
    assert rows(site.world, Invitation) == []


def test_an_invitation_is_taken_back_on_its_page(site):
    made = invite(site.world)
    answer = site.of(site.world.cora).post(f"/admin/invitations/{made.id}/revocation")
    assert (answer.status_code, answer.headers["location"]) == (303, "/admin/invitations?programme=here")
    page = site.nobody.get(f"/invitations/{made.token}")
    assert page.status_code == 410
    assert "was taken back" in page.text


def test_an_organisations_administrator_sees_their_own_alone(site):
    world = site.world
    assign(world, world.ana, "organisation_administrator", organisation_id=world.organisations["public"])
    invite(world, sector="business", name="Someone of the company")
    invite(world, sector="public", name="Someone of ours")
    page = site.of(world.ana).get("/admin/invitations").text
    assert "Someone of ours" in page
    assert "Someone of the company" not in page
    assert "Business House of Here" not in page


def test_its_page_says_who_invites_to_what_and_changes_nothing(site):
    made = invite(site.world, site.world.cora, role="sponsor")
    before = everything(site.world)
    for _ in range(2):
        page = site.nobody.get(f"/invitations/{made.token}")
    assert page.status_code == 200
    for text in ("Cora Golob invites you", "Business House of Here", "Sponsor", "Nothing has happened yet"):
        assert text in page.text
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "strict-origin"
    assert everything(site.world) == before


def test_its_page_speaks_slovene(site):
    made = invite(site.world)
    page = site.client.get(f"/invitations/{made.token}", headers={"Accept-Language": "sl"})
    assert "Povabljeni ste" in page.text


def test_who_is_signed_in_accepts_by_a_click(site):
    made = invite(site.world, sector="public")
    browser = site.of(site.world.charlie)
    assert "You are signed in as Charlie Oman." in browser.get(f"/invitations/{made.token}").text
    answer = browser.post(f"/invitations/{made.token}")
    assert (answer.status_code, answer.headers["location"]) == (303, "/programmes/here")
    assert again(site.world, site.world.charlie).role_in(site.world.programme_id) == "participant"


def test_what_is_used_is_told_so_and_gives_nothing(site):
    made = invite(site.world, sector="public")
    site.of(site.world.charlie).post(f"/invitations/{made.token}")
    answer = site.of(site.world.alice).post(f"/invitations/{made.token}")
    assert answer.status_code in (303, 410)
    assert "has been used already" in site.nobody.get(f"/invitations/{made.token}").text


def test_a_forged_address_is_no_page(site):
    for token in ("1", "1." + "A" * 43, "x.y", "99999.", "%00"):
        assert site.nobody.get(f"/invitations/{token}").status_code == 404


def test_accepting_asks_who_is_there_first(site):
    made = invite(site.world)
    before = everything(site.world)
    assert site.nobody.post(f"/invitations/{made.token}").status_code in (303, 401)
    site.client.post(f"/invitations/{made.token}", headers={"Sec-Fetch-Site": "cross-site"})
    assert everything(site.world) == before


# requests to join


def test_a_coordinator_looks_and_lets_someone_in(site):
    world = site.world
    choose(world, "approve")
    id = wait(world, claiming("4711"))
    browser = site.of(world.cora)
    assert "Someone waits to join" in browser.get("/me").text
    assert "Nika Novak" in browser.get("/admin/join-requests").text
    page = browser.get(f"/admin/join-requests/{id}").text
    assert "4711" in page
    refused = browser.post(f"/admin/join-requests/{id}/approval", {"version": "1"})
    assert refused.status_code == 422
    assert "Please choose the organisation." in refused.text
    chosen = {"organisation_id": str(world.organisations["business"]), "version": "1"}
    assert browser.post(f"/admin/join-requests/{id}/approval", chosen).status_code == 303
    late = browser.post(f"/admin/join-requests/{id}/approval", chosen)
    assert late.status_code == 412
    assert "has decided on this request" in late.text


def test_a_no_takes_a_reason(site):
    world = site.world
    choose(world, "approve")
    id = wait(world)
    browser = site.of(world.cora)
    refused = browser.post(f"/admin/join-requests/{id}/refusal", {"reason": "", "version": "1"})
    assert refused.status_code == 422
    assert browser.post(f"/admin/join-requests/{id}/refusal", {"reason": "No place."}).status_code == 303
    assert rows(world, JoinRequest)[0].reason == "No place."
    assert "No place." in browser.get(f"/admin/join-requests/{id}").text


def test_the_choice_what_becomes_of_unknown_people_is_kept(site):
    browser = site.of(site.world.cora)
    answer = browser.post("/admin/joining?programme=here", {"joining": "approve"})
    assert answer.headers["location"] == "/admin/join-requests?programme=here"
    assert rows(site.world, Programme)[0].joining == "approve"
    assert browser.post("/admin/joining", {"joining": "all"}).status_code == 422


def test_the_page_after_a_sign_in_says_that_one_waits_and_what_comes_next(site):
    page = site.nobody.get("/sign-in/waiting")
    assert page.status_code == 200
    assert "What happens next" in page.text


# organisations


def test_a_coordinator_adds_an_organisation_and_says_what_providers_call_it(site):
    browser = site.of(site.world.cora)
    answer = browser.post("/admin/organisations", {"name": "City of X", "sector": "public", "number": "7"})
    there = answer.headers["location"]
    assert re.fullmatch(r"/admin/organisations/\d+", there)
    assert "City of X" in browser.get(there).text
    refused = browser.post(f"{there}/claims", {"issuer": "https://evil.example", "value": "1"})
    assert refused.status_code == 422
    assert browser.post(f"{there}/domains", {"domain": "city.example"}).status_code == 303
    page = browser.get(there).text
    assert "not looked at" in page
    (domain,) = re.findall(r"/domains/(\d+)/verification", page)
    browser.post(f"{there}/domains/{domain}/verification")
    assert "made sure" in browser.get(there).text
    browser.post(f"{there}/domains/{domain}/removal")
    assert "city.example" not in browser.get(there).text
    renamed = browser.post(there, {"name": "", "number": "", "version": "1"})
    assert renamed.status_code == 422
    assert browser.post(there, {"name": "City of Y", "number": "", "version": "1"}).status_code == 303


# who may not


PAGES = (
    "/admin/invitations",
    "/admin/join-requests",
    "/admin/join-requests/1",
    "/admin/organisations",
    "/admin/organisations/1",
)


@pytest.mark.parametrize("who", ["alice", "fay", "sam", "olga"])
def test_who_lets_nobody_in_sees_none_of_this(site, who):
    choose(site.world, "approve")
    wait(site.world)
    browser = site.of(getattr(site.world, who))
    assert {browser.get(path).status_code for path in PAGES} <= {403, 404}


def test_who_coordinates_elsewhere_sees_nothing_of_it(site):
    choose(site.world, "approve")
    id = wait(site.world)
    made = invite(site.world)
    before = everything(site.world)
    browser = site.of(site.world.charlie)
    for path in PAGES[:2]:
        assert browser.get(f"{path}?programme=here").status_code == 404
    for path in (
        "/admin/joining?programme=here",
        f"/admin/invitations/{made.id}/revocation?programme=here",
        f"/admin/invitations/{made.id}/revocation",
        f"/admin/join-requests/{id}/approval",
        f"/admin/join-requests/{id}/refusal",
        "/admin/organisations/1",
        "/admin/organisations/1/claims",
        "/admin/organisations/1/domains",
    ):
        assert browser.post(path, {"joining": "join", "reason": "x", "name": "x"}).status_code == 404, path
    assert everything(site.world) == before


def test_the_signed_out_are_led_to_the_sign_in(site):
    for path in (*PAGES, "/me/merging"):
        assert site.nobody.get(path).status_code in (303, 401)


# one's own logins


def test_the_page_lists_my_logins_and_keeps_the_last_one(site):
    browser = site.of(site.world.alice)
    page = browser.get("/me/logins").text
    assert "How you sign in" in page
    assert "/removal" not in page


def test_linking_and_merging_ask_for_a_fresh_sign_in(site):
    world = site.world
    stale = world.cookie(world.alice)
    old = {"authenticated_at": clock.now() - timedelta(hours=1)}
    world.do(lambda tx: tx.execute(update(SESSION).values(**old)))
    for path in ("/me/logins/company", "/me/merging/company", "/me/logins/1/removal"):
        answer = site.client.post(
            path,
            headers={"Cookie": f"session={stale}", "Sec-Fetch-Site": "same-origin"},
            follow_redirects=False,
        )
        assert answer.status_code in (303, 403)
        assert "login.company.example" not in answer.headers.get("location", "")


def test_there_is_nothing_to_merge_before_a_proof(site):
    browser = site.of(site.world.alice)
    assert browser.get("/me/merging").status_code == 409
    assert browser.post("/me/merging", {"other_id": str(site.world.bob.person_id)}).status_code == 409
