"""Signing in once more before a step with consequences, through a provider that asks anew."""

import html
import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import update

from app.integrations.arrivals import Arrival
from app.integrations.provider_settings import ProviderSettings
from app.lib import clock
from app.models import AuditEntry, Ballot, BrowserSession, KeptForm, Login, Membership, Person
from app.models.base import table
from app.policies.rules import FRESH
from app.services import fresh_sign_ins, sign_in
from tests.identity.conftest import path_of

SESSION = table(BrowserSession)
LOGIN = table(Login)


def signed_in_long_ago(site, role="coordinator"):
    """Someone who coordinates, in a browser in which they signed in an hour ago."""
    browser = site.browser()
    browser.sign_in()
    site.far.changed_claims = lambda claims: {"auth_time": claims["iat"]} | claims
    person_id = site.rows(Person)[-1].id
    place = table(Membership)
    site.world.do(
        lambda tx: tx.execute(update(place).where(place.c.person_id == person_id).values(role=role))
    )
    let_time_pass(site)
    return browser


def let_time_pass(site, **values):
    long_ago = {"authenticated_at": clock.now() - FRESH - timedelta(minutes=1)}
    site.world.do(lambda tx: tx.execute(update(SESSION).values(**(long_ago | values))))


def close(site, browser, ballot_id, **headers):
    """Send the form that closes a ballot early."""
    form = {"reason": "All have voted & <agreed>", "csrf": "an old token"}
    referer = {"Referer": f"{site.address}/ballots/{ballot_id}/closure"}
    return browser.submit(f"/ballots/{ballot_id}/closure", form, **(referer | headers))


def hidden(page):
    """The hidden fields of the form in the main part."""
    main = page.text.partition("<main")[2].partition("</main")[0]
    pairs = re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', main)
    return {name: html.unescape(value) for name, value in pairs}


def step_up(site, browser, page, provider="ministry"):
    """Press the button of the page that asks for a fresh sign-in; the answer of our callback."""
    assert f'name="provider" value="{provider}"' in page.text
    departure = browser.submit("/me/fresh-sign-in", hidden(page) | {"provider": provider})
    assert departure.status_code == 303
    return browser.get(browser.come_back(departure))


def refusals(site):
    return [entry.data for entry in site.rows(AuditEntry) if entry.outcome == "refused"]


def test_a_dangerous_step_asks_for_a_fresh_sign_in_and_then_goes_on_with_what_was_typed(site):
    ballot = site.world.ballot()
    browser = signed_in_long_ago(site)
    asked = close(site, browser, ballot)
    assert asked.status_code == 403
    assert "Please sign in once more" in asked.text
    assert "The Ministry" in asked.text
    answer = step_up(site, browser, asked)
    assert answer.status_code == 303
    assert re.fullmatch(r"/me/fresh-sign-in/\d+", path_of(answer))
    waiting = browser.get(path_of(answer))
    assert waiting.status_code == 200
    assert "All have voted &amp; &lt;agreed&gt;" in waiting.text
    assert f'action="/ballots/{ballot}/closure"' in waiting.text
    assert f'href="/ballots/{ballot}/closure"' in waiting.text
    assert hidden(waiting)["csrf"] != "an old token"
    assert site.rows(Ballot)[-1].closes_at > clock.now(), "nothing is done before it is confirmed"
    done = browser.submit(f"/ballots/{ballot}/closure", hidden(waiting))
    assert (done.status_code, path_of(done)) == (303, f"/ballots/{ballot}")
    assert site.rows(Ballot)[-1].closes_at <= clock.now()


def test_right_after_a_sign_in_nobody_is_asked(site):
    ballot = site.world.ballot()
    browser = signed_in_long_ago(site)
    let_time_pass(site, authenticated_at=clock.now() - FRESH + timedelta(minutes=1))
    assert close(site, browser, ballot).status_code == 303


def test_the_provider_is_told_to_ask_anew(site):
    ballot = site.world.ballot()
    browser = signed_in_long_ago(site)
    page = close(site, browser, ballot)
    departure = browser.submit("/me/fresh-sign-in", hidden(page) | {"provider": "ministry"})
    asked = parse_qs(urlsplit(departure.headers["location"]).query)
    assert (asked["prompt"], asked["max_age"]) == (["login"], ["0"])


def test_a_fresh_sign_in_changes_the_cookie_and_keeps_the_session(site):
    ballot = site.world.ballot()
    browser = signed_in_long_ago(site)
    before, stolen = site.rows(BrowserSession)[-1], browser.secret
    step_up(site, browser, close(site, browser, ballot))
    after = site.rows(BrowserSession)[-1]
    assert browser.secret != stolen
    assert (after.id, after.created_at, after.expires_at) == (before.id, before.created_at, before.expires_at)
    assert clock.now() - after.authenticated_at < timedelta(minutes=1)
    thief = site.browser()
    thief.cookies.set("session", stolen)
    let_time_pass(site, rotated_at=clock.now() - timedelta(minutes=2))
    assert thief.name() is None
    assert browser.name()


def test_another_persons_login_changes_nothing_and_is_noted(site):
    ballot = site.world.ballot()
    stranger = site.browser()
    site.far.claims |= {"sub": "someone-else", "name": "Someone Else"}
    stranger.sign_in()
    site.far.claims |= {"sub": "ana-1", "name": "Ana Zupan"}
    browser = signed_in_long_ago(site)
    page = close(site, browser, ballot)
    for subject in ("someone-else", "never-seen"):
        before, secret = (site.rows(BrowserSession), site.rows(Person), site.rows(Login)), browser.secret
        site.far.claims |= {"sub": subject}
        answer = step_up(site, browser, page)
        assert answer.status_code == 403
        assert "another login than one of yours" in answer.text
        assert (site.rows(BrowserSession), site.rows(Person), site.rows(Login)) == before
        assert browser.secret == secret
        assert refusals(site)[-1]["reason"] == "other_person"
    assert close(site, browser, ballot).status_code == 403


def test_any_of_ones_logins_will_do(site):
    ballot = site.world.ballot()
    browser = signed_in_long_ago(site)
    mine = site.rows(Login)[-1]
    second = {"person_id": mine.person_id, "issuer": mine.issuer, "subject": "ana-2", "provider": "ministry"}
    times = {"created_at": clock.now(), "used_at": clock.now()}
    site.world.do(lambda tx: tx.execute(LOGIN.insert().values(**second, **times)))
    site.far.claims |= {"sub": "ana-2"}
    assert step_up(site, browser, close(site, browser, ballot)).status_code == 303
    assert site.rows(BrowserSession)[-1].subject == "ana-1", "the session stays the first login's"


def test_the_way_belongs_to_the_session_that_began_it(site):
    """Signed in as someone else meanwhile, in the same browser: nothing is renewed."""
    ballot = site.world.ballot()
    browser = signed_in_long_ago(site)
    page = close(site, browser, ballot)
    departure = browser.submit("/me/fresh-sign-in", hidden(page) | {"provider": "ministry"})
    callback = browser.come_back(departure)
    browser.submit("/sign-out")
    answer = browser.get(callback)
    assert answer.status_code == 409
    assert browser.secret is None
    assert refusals(site)[-1]["reason"] == "session_gone"


def test_a_form_waits_for_its_own_browser_alone_and_for_ten_minutes(site):
    ballot = site.world.ballot()
    browser = signed_in_long_ago(site)
    waiting = hidden(close(site, browser, ballot))["next"]
    assert browser.get(waiting).status_code == 200
    stranger = site.browser()
    assert stranger.get(waiting).status_code == 303
    other = site.browser()
    other.sign_in()
    assert other.get(waiting).status_code == 404, "the same person in another browser"
    past = {"expires_at": clock.now() - timedelta(seconds=1)}
    site.world.do(lambda tx: tx.execute(update(table(KeptForm)).values(**past)))
    assert browser.get(waiting).status_code == 404


def test_what_was_typed_cannot_be_read_in_the_database(site):
    ballot = site.world.ballot()
    browser = signed_in_long_ago(site)
    close(site, browser, ballot)
    assert "agreed" not in str(site.rows(KeptForm))


@pytest.mark.parametrize("referer", ["https://evil.example/me", "javascript:alert(1)", "//evil.example/", ""])
def test_the_way_back_is_a_page_of_ours(site, referer):
    ballot = site.world.ballot()
    browser = signed_in_long_ago(site)
    waiting = hidden(close(site, browser, ballot, Referer=referer))["next"]
    assert 'href="/me">' in browser.get(waiting).text
    assert "evil" not in browser.get(waiting).text


def test_the_next_page_of_a_fresh_sign_in_is_one_of_ours(site):
    browser = signed_in_long_ago(site)
    departure = browser.submit("/me/fresh-sign-in", {"provider": "ministry", "next": "https://evil.example/"})
    assert path_of(browser.get(browser.come_back(departure))) == "/"


def test_only_someone_signed_in_can_begin_it(site):
    assert site.browser().submit("/me/fresh-sign-in", {"provider": "ministry"}).status_code == 401
    browser = signed_in_long_ago(site)
    assert browser.submit("/me/fresh-sign-in", {"provider": "none-such"}).status_code == 404
    forged = browser.post(
        "/me/fresh-sign-in", data={"provider": "ministry"}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert forged.status_code == 403


def test_a_fragment_gets_the_buttons_too(site):
    ballot = site.world.ballot()
    browser = signed_in_long_ago(site)
    answer = close(site, browser, ballot, **{"HX-Request": "true", "HX-Request-Type": "partial"})
    assert answer.status_code == 403
    part = answer.text.partition("data-problem")[2].partition("</main>")[0]
    assert 'action="/me/fresh-sign-in"' in part


# what the provider says of the time


def test_a_provider_that_tells_no_time_renews_nothing(site):
    ballot = site.world.ballot()
    browser = signed_in_long_ago(site)
    site.far.changed_claims = lambda claims: claims
    before = site.rows(BrowserSession)
    assert step_up(site, browser, close(site, browser, ballot)).status_code == 403
    assert site.rows(BrowserSession) == before
    assert refusals(site)[-1]["reason"] == "auth_time_missing"


@pytest.mark.parametrize(
    ("age", "is_taken"), [(timedelta(0), True), (timedelta(minutes=4), True), (timedelta(minutes=6), False)]
)
def test_a_provider_that_did_not_ask_anew_renews_nothing(site, age, is_taken):
    browser = signed_in_long_ago(site)
    session = site.rows(BrowserSession)[-1]
    arrival = _arrival(site.far.issuer, clock.now() - age)
    ticket = sign_in.Ticket("n", "v", "/", clock.now(), purpose=fresh_sign_ins.PURPOSE, session_id=session.id)
    try:
        new = site.world.do(sign_in.complete, ticket, arrival, secret=browser.secret)
    except fresh_sign_ins.NotAnew:
        new = None
    assert (new is not None) is is_taken
    after = site.rows(BrowserSession)[-1]
    assert (after.authenticated_at > session.authenticated_at) is is_taken
    assert after.acr == ("high" if is_taken else None)


def _arrival(issuer, auth_time):
    provider = ProviderSettings.model_construct(id="ministry", issuer=issuer)
    told = {"name": None, "email": None, "organisation": None, "sid": None, "id_token": "t", "acr": "high"}
    return Arrival(provider=provider, subject="ana-1", auth_time=auth_time, **told)
