"""Ways in through a real provider: an invitation, a request that waits, a second login, two accounts made one."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import update

from app.lib import clock
from app.models import (
    AuditEntry,
    BrowserSession,
    Invitation,
    JoinRequest,
    Login,
    Membership,
    Person,
    Programme,
)
from app.models.base import table
from app.services import invitations, join_requests
from tests.identity.conftest import path_of

EVERYONE = (Person, Login, Membership)


def state_of(site):
    return {model: site.rows(model) for model in EVERYONE}


def invite(site, **values):
    there = site.world.organisations["business"]
    return site.world.do(
        invitations.invite, None, there, programme_id=site.world.programme_id, **values
    ).token


def unknown(site, subject="nika-1", tenant="elsewhere", **claims):
    """From now on somebody whom nobody knows sits at the provider, of a tenant that means nothing here."""
    site.far.claims |= {"sub": subject, "name": "Nika Novak", "tid": tenant} | claims


def choose(site, joining):
    site.world.do(lambda tx: tx.execute(update(table(Programme)).values(joining=joining)))


def leave_with(browser, token, provider="ministry"):
    return browser.submit(f"/sign-in/{provider}", {"invitation": token, "next": "/programmes/here"})


def test_whoever_is_invited_signs_in_and_has_the_place(site):
    unknown(site)
    token = invite(site, role="sponsor")
    browser = site.browser()
    page = browser.get(f"/invitations/{token}").text
    assert 'action="/sign-in/ministry"' in page
    answer = browser.get(browser.come_back(leave_with(browser, token)))
    assert path_of(answer) == "/programmes/here"
    place = site.rows(Membership)[-1]
    assert (place.role, place.organisation_id) == ("sponsor", site.world.organisations["business"])
    assert "Nika Novak" in browser.name()
    assert "Nika Novak" in (site.browser().sign_in() and browser.name())


def test_an_invitation_is_used_once(site):
    unknown(site)
    token = invite(site)
    first, second = site.browser(), site.browser()
    back, late = (each.come_back(leave_with(each, token)) for each in (first, second))
    first.get(back)
    unknown(site, "someone-else")
    before = state_of(site)
    assert second.get(late).status_code == 200 or state_of(site) == before
    third = site.browser()
    assert leave_with(third, token).status_code == 410
    assert state_of(site) == before


@pytest.mark.parametrize("token", ["1", "x", "1." + "A" * 43, "999999999999.x"])
def test_a_forged_invitation_leads_nowhere(site, token):
    before = state_of(site)
    assert leave_with(site.browser(), token).status_code == 404
    assert state_of(site) == before


def test_an_invitation_for_another_provider_leads_nowhere(site):
    token = invite(site, provider="company")
    before = state_of(site)
    assert leave_with(site.browser(), token).status_code == 403
    assert state_of(site) == before


def test_an_invitation_taken_back_on_the_way_gives_nothing_and_is_noted(site):
    unknown(site)
    browser = site.browser()
    back = browser.come_back(leave_with(browser, invite(site)))
    site.world.do(lambda tx: tx.execute(update(table(Invitation)).values(revoked_at=clock.now())))
    before = state_of(site)
    answer = browser.get(back)
    assert answer.status_code == 410
    assert state_of(site) == before
    assert site.rows(AuditEntry)[-1].action == "sign_in.refused"
    assert browser.name() is None


def test_someone_unknown_waits_is_let_in_and_signs_in(site):
    choose(site, "approve")
    unknown(site)
    before = state_of(site)
    browser = site.browser()
    for _ in range(2):
        answer = browser.sign_in()
        assert path_of(answer) == "/sign-in/waiting"
        assert "Your request waits" in browser.get("/sign-in/waiting").text
    assert state_of(site) == before
    assert browser.name() is None
    (request,) = site.rows(JoinRequest)
    there = site.world.organisations["business"]
    site.world.do(join_requests.approve, site.world.cora, request.id, organisation_id=there)
    browser.sign_in()
    assert "Nika Novak" in browser.name()


def test_someone_declined_reads_why(site):
    choose(site, "approve")
    unknown(site)
    browser = site.browser()
    browser.sign_in()
    (request,) = site.rows(JoinRequest)
    site.world.do(join_requests.decline, site.world.cora, request.id, reason="Not this year.")
    answer = browser.sign_in()
    assert answer.status_code == 403
    assert "Not this year." in answer.text


@pytest.mark.parametrize("verified", [True, False])
def test_the_mail_of_someone_else_does_not_make_one_them(site, verified):
    """The “nOAuth” attack: a tenant of the attacker's own says whatever address it likes."""
    unknown(site, "attacker", email=site.world.alice.email, email_verified=verified)
    before = state_of(site)
    answer = site.browser().sign_in()
    assert answer.status_code == 403
    assert state_of(site) == before


# logins


def signed_in(site):
    browser = site.browser()
    browser.sign_in()
    return browser


def test_a_second_login_is_linked_and_leads_to_the_same_person(site):
    browser = signed_in(site)
    person = site.rows(Person)[-1]
    unknown(site, "ana-at-home")
    answer = browser.get(browser.come_back(browser.submit("/me/logins/ministry")))
    assert path_of(answer) == "/me/logins"
    assert [row.person_id for row in site.rows(Login)[-2:]] == [person.id, person.id]
    assert site.count(table(Person)) == person.id
    ids = re.findall(r"/me/logins/(\d+)/removal", browser.get("/me/logins").text)
    assert len(ids) == 2
    assert browser.submit(f"/me/logins/{ids[1]}/removal").status_code == 303
    assert len(re.findall(r"/me/logins/(\d+)/removal", browser.get("/me/logins").text)) == 0


def test_an_answer_to_our_link_in_another_browser_links_nothing(site):
    """Sign-in CSRF at its worst: the victim's browser would link the attacker's login."""
    browser, victim = signed_in(site), signed_in(site)
    unknown(site, "attackers-own")
    back = browser.come_back(browser.submit("/me/logins/ministry"))
    before = site.rows(Login)
    assert victim.get(back).status_code == 409
    assert site.rows(Login) == before
    # And in the attacker's own browser once it has signed in anew, as someone else.
    browser.cookies.set("session", victim.secret or "", domain="127.0.0.1")
    browser.submit("/sign-out")
    assert browser.get(back).status_code in (403, 409)
    assert site.rows(Login) == before


def test_a_stale_session_links_nothing(site):
    browser = signed_in(site)
    old = {"authenticated_at": clock.now() - timedelta(hours=1)}
    site.world.do(lambda tx: tx.execute(update(table(BrowserSession)).values(**old)))
    answer = browser.submit("/me/logins/ministry")
    assert site.far.issuer not in answer.headers.get("location", "")


def test_two_accounts_become_one_by_both_logins_and_a_click(site):
    other = signed_in(site)
    site.far.claims |= {"sub": "ana-2", "name": "Ana the Second"}
    browser = signed_in(site)
    first, second = site.rows(Person)[-2:]
    site.far.claims |= {"sub": "ana-1"}
    site.far.changed_claims = lambda claims: {"auth_time": claims["iat"]} | claims
    answer = browser.get(browser.come_back(browser.submit("/me/merging/ministry")))
    assert path_of(answer) == "/me/merging"
    page = browser.get("/me/merging").text
    assert "Put them together for good" in page
    assert other.name() is not None, "nothing is done before the click"
    assert browser.submit("/me/merging", {"other_id": str(first.id)}).status_code == 303
    assert other.name() is None
    assert {row.person_id for row in site.rows(Login)[-2:]} == {second.id}
    assert "Ana the Second" in browser.name()
