"""The whole flow against a second implementation, written in C by others: Debian's glewlwyd."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from app.database import Database
from app.models import AuditEntry, BrowserSession, Login, Person
from tests.identity.conftest import Browser, Site
from tests.identity.glewlwyd import PASSWORD, Glewlwyd, await_end_of, glewlwyd, led_to
from tests.identity.serving import free_port
from tests.identity.test_attacks import dump


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Glewlwyd]:
    with glewlwyd(tmp_path, free_port()) as provider:
        yield provider


@pytest.fixture
def site(there: Glewlwyd, database_url: str, database: Database, tmp_path: Path) -> Iterator[Site]:
    with led_to(there, database_url, database, tmp_path) as site:
        yield site


def callback(browser: Browser, there: Glewlwyd) -> str:
    """Leave, sign in and consent there as its pages do by its API, and give the address of our callback."""
    onward = browser.leave(next="/me").headers["location"]
    page = browser.get(onward)
    if "/login.html" in page.headers["location"]:
        onward = parse_qs(urlsplit(page.headers["location"]).query)["callback_url"][0]
        browser.post(f"{there.address}/api/auth/", json={"username": "ana", "password": PASSWORD})
        browser.put(f"{there.address}/api/auth/grant/partnership", json={"scope": "openid"})
        page = browser.get(f"{onward}&g_continue")
    return str(page.headers["location"])


def test_a_civil_servant_signs_in(site, there):
    there.set_up(site.address)
    browser = site.browser()
    assert browser.get(callback(browser, there)).headers["location"] == "/me"
    assert "Ana Zupan" in browser.name()
    assert site.rows(Login)[-1].issuer == there.issuer
    assert site.rows(Person)[-1].email == "ana@ministry.example"


def test_the_same_person_is_known_again(site, there):
    there.set_up(site.address)
    for _ in range(2):
        browser = site.browser()
        browser.get(callback(browser, there))
    assert len({session.person_id for session in site.rows(BrowserSession)}) == 1


def test_an_answer_is_taken_once(site, there):
    there.set_up(site.address)
    browser = site.browser()
    address = callback(browser, there)
    assert browser.get(address).status_code == 303
    assert browser.get(address).status_code == 409


def test_keys_change_between_two_sign_ins(site, there):
    there.set_up(site.address)
    first, second = site.browser(), site.browser()
    assert first.get(callback(first, there)).status_code == 303
    there.change_keys()
    assert second.get(callback(second, there)).status_code == 303


def test_signing_out_there_ends_the_session_here_and_no_other(site, there):
    there.set_up(site.address)
    browser, other = site.browser(), site.browser()
    for one in (browser, other):
        one.get(callback(one, there))
    session = next(one for one in site.rows(BrowserSession) if one.sid)
    answer = browser.delete(f"{there.issuer}/session/{session.sid}/")
    assert answer.status_code == 200
    await_end_of(site, session.sid)
    assert browser.name() is None
    assert other.name() is not None
    assert "ended_at_provider" in [entry.data.get("reason") for entry in site.rows(AuditEntry)]


def test_signing_out_here_leads_there_with_what_it_wants(site, there):
    there.set_up(site.address)
    browser = site.browser()
    browser.get(callback(browser, there))
    onward = browser.submit("/sign-out").headers["location"]
    assert urlsplit(onward).path.endswith("/api/oidc/end_session")
    page = browser.get(onward)
    assert page.status_code == 302
    assert "prompt=end_session" in page.headers["location"]


def test_pairwise_subjects_that_userinfo_contradicts_are_refused(site, there):
    """Its pairwise mode gives another subject in userinfo than in the id_token: someone else, for all we know."""
    there.set_up(site.address, subjects="pairwise")
    before = dump(site)
    browser = site.browser()
    answer = browser.get(callback(browser, there))
    assert answer.status_code == 403
    assert dump(site) == before
    assert site.rows(AuditEntry)[-1].data["reason"] == "userinfo_sub"


def test_requests_are_pushed_ahead_to_it(site, there):
    there.set_up(site.address)
    address = site.browser().leave().headers["location"]
    assert set(parse_qs(urlsplit(address).query)) == {"client_id", "request_uri"}
    assert httpx2.get(address, trust_env=False).status_code == 302
