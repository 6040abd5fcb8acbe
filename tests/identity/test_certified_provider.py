"""The whole flow against a certified provider: a ministry and a company, each a tenant of its own."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from app.database import Database
from app.lib import clock
from app.main import create_app
from app.models import BrowserSession, Login, Membership, Person
from app.models.base import table
from tests.factories.world import World
from tests.identity.conftest import Browser, Site, known_as, providers_file, settings_for
from tests.identity.node import certified
from tests.identity.serving import free_port, serving

ANA = {"name": "Ana Zupan", "email": "ana@ministry.example", "email_verified": True}
BOB = {"name": "Bob Kos", "email": "ana@ministry.example", "email_verified": True}


def tenant(name: str, our_port: int, **more: Any) -> dict[str, Any]:
    port = free_port()
    return {
        "name": name,
        "issuer": f"http://127.0.0.1:{port}",
        "port": port,
        "client_id": f"partnership-at-{name}",
        "client_secret": "s3cret-with-:-and-%-in-it",
        "redirect_uri": f"http://127.0.0.1:{our_port}/sign-in/{name}/callback",
        "post_logout_redirect_uri": f"http://127.0.0.1:{our_port}/sign-out/done",
        "backchannel_logout_uri": f"http://127.0.0.1:{our_port}/sign-in/{name}/back-channel-logout",
        "tid": f"tenant-of-{name}",
        **more,
    }


@pytest.fixture(scope="module")
def tenants() -> Iterator[dict[str, dict[str, Any]]]:
    port = free_port()
    made = [
        tenant(
            "ministry", port, client_auth="client_secret_basic", claims_in_userinfo=True, people={"1": ANA}
        ),
        tenant(
            "company", port, client_auth="client_secret_post", claims_in_userinfo=False, people={"1": BOB}
        ),
    ]
    with certified(made):
        yield {one["name"]: one for one in made} | {"here": {"port": port}}


@pytest.fixture
def site(
    tenants: dict[str, dict[str, Any]], database_url: str, database: Database, tmp_path: Path
) -> Iterator[Site]:
    world = World(database)
    tables = {}
    for name, side in (("ministry", "public"), ("company", "business")):
        one = tenants[name]
        known_as(world, one["issuer"], one["tid"], world.organisations[side])
        tables[name] = {
            "label": f'"{name}"',
            "side": f'"{side}"',
            "issuer": f'"{one["issuer"]}"',
            "client_id": f'"{one["client_id"]}"',
            "client_secret": f'"{one["client_secret"]}"',
            "client_auth": f'"{one["client_auth"]}"',
            "programme": '"here"',
            "organisation_claim": '"tid"',
        }
    port = tenants["here"]["port"]
    file = providers_file(tmp_path / "providers.toml", **tables)
    with serving(create_app(settings_for(database_url, port, identity_providers=file)), port) as address:
        yield Site(address, world, None)


def follow(browser: Browser, address: str) -> httpx2.Response:
    """Go along redirects as a browser does, up to a page or our own callback."""
    for _ in range(8):
        response = browser.get(address)
        if response.status_code not in (302, 303):
            return response
        address = str(httpx2.URL(str(response.url)).join(response.headers["location"]))
        if address.startswith(browser.address):
            return response
    raise AssertionError("redirects without end")


def callback(browser: Browser, provider: str, account: str = "1", next: str = "/") -> str:
    """Leave, sign in at the provider's page, and give the address at which we are called back."""
    page = follow(browser, browser.leave(provider, next).headers["location"])
    if page.status_code == 200:
        assert "Sign in" in page.text
        onward = browser.post(str(page.url), data={"account": account}).headers["location"]
        page = follow(browser, onward)
    address = str(page.headers["location"])
    assert "/callback?" in address
    return address


def test_a_civil_servant_and_an_employee_sign_in_each_at_their_own(site):
    ana, bob = site.browser(), site.browser()
    assert ana.get(callback(ana, "ministry", next="/me")).headers["location"] == "/me"
    assert bob.get(callback(bob, "company")).status_code == 303
    assert "Ana Zupan" in ana.name()
    assert "Bob Kos" in bob.name()
    sectors = [place.sector_id for place in site.rows(Membership)[-2:]]
    assert sectors == [site.world.sectors["public"], site.world.sectors["business"]]


def test_the_same_subject_and_mail_at_two_providers_are_two_people(site):
    for provider in ("ministry", "company"):
        browser = site.browser()
        browser.get(callback(browser, provider))
    first, second = site.rows(Login)[-2:]
    assert first.subject == second.subject == "1"
    assert first.person_id != second.person_id
    assert site.rows(Person)[-1].email == site.rows(Person)[-2].email


def test_the_provider_remembers_and_still_our_session_is_new(site):
    browser = site.browser()
    browser.get(callback(browser, "ministry"))
    first = browser.secret
    browser.get(callback(browser, "ministry"))
    assert browser.secret != first
    assert len({session.person_id for session in site.rows(BrowserSession)}) == 1


@pytest.mark.parametrize("kid", ["another-name", "ministry"])
def test_keys_change_between_two_sign_ins(site, tenants, kid):
    """A new key under a new name, and one under the name that is known."""
    first, second = site.browser(), site.browser()
    assert first.get(callback(first, "ministry")).status_code == 303
    assert httpx2.post(f"{tenants['ministry']['issuer']}/-/keys/{kid}", trust_env=False).text == "renewed"
    assert second.get(callback(second, "ministry")).status_code == 303
    assert "Ana Zupan" in second.name()


@pytest.mark.parametrize("kid", ["a-third-name", "ministry"])
def test_keys_change_while_someone_is_at_the_provider(site, tenants, kid):
    early, late = site.browser(), site.browser()
    early.get(callback(early, "ministry"))
    address = callback(late, "ministry")
    httpx2.post(f"{tenants['ministry']['issuer']}/-/keys/{kid}", trust_env=False)
    assert late.get(address).status_code == 303


def test_signing_out_there_ends_the_session_here(site, tenants):
    """Back-channel logout: the provider itself tells us, whatever the browser does."""
    browser, other = site.browser(), site.browser()
    for one in (browser, other):
        one.get(callback(one, "ministry"))
    issuer = tenants["ministry"]["issuer"]
    page = browser.get(f"{issuer}/session/end")
    xsrf = re.search(r'name="xsrf" value="([^"]+)"', page.text)[1]
    action = re.search(r'action="([^"]+)"', page.text)[1]
    browser.post(action, data={"xsrf": xsrf, "logout": "yes"})
    assert browser.name() is None
    assert other.name() is not None


def test_an_answer_is_taken_once(site):
    browser = site.browser()
    address = callback(browser, "ministry")
    assert browser.get(address).status_code == 303
    assert browser.get(address).status_code == 409


def test_the_answer_of_one_provider_is_no_answer_of_the_other(site):
    browser = site.browser()
    address = callback(browser, "company")
    mixed = browser.get(address.replace("/sign-in/company/", "/sign-in/ministry/"))
    assert mixed.status_code == 409
    assert browser.secret is None


def test_breaking_off_at_the_provider_says_so_here(site):
    browser = site.browser()
    answer = browser.get(callback(browser, "ministry", account=""))
    assert answer.status_code == 403
    assert "broken off" in answer.text


def test_signing_in_once_more_asks_anew_there_and_renews_the_session_here(site):
    browser = site.browser()
    browser.get(callback(browser, "ministry"))
    session = table(BrowserSession)
    long_ago = clock.now() - timedelta(hours=1)
    site.world.do(lambda tx: tx.execute(session.update().values(authenticated_at=long_ago)))
    before = site.rows(BrowserSession)[-1]
    departure = browser.submit("/me/fresh-sign-in", {"provider": "ministry", "next": "/me"})
    page = follow(browser, departure.headers["location"])
    assert page.status_code == 200, "the provider did not ask anew"
    onward = browser.post(str(page.url), data={"account": "1"}).headers["location"]
    back = browser.get(str(follow(browser, onward).headers["location"]))
    assert (back.status_code, back.headers["location"]) == (303, "/me")
    after = site.rows(BrowserSession)[-1]
    assert after.id == before.id
    assert clock.now() - after.authenticated_at < timedelta(minutes=1)
    assert "Ana Zupan" in browser.name()


def test_signing_out_here_signs_out_there(site):
    browser = site.browser()
    browser.get(callback(browser, "ministry"))
    page = follow(browser, browser.submit("/sign-out").headers["location"])
    assert page.status_code == 200
    xsrf = re.search(r'name="xsrf" value="([^"]+)"', page.text)[1]
    action = re.search(r'action="([^"]+)"', page.text)[1]
    confirmed = browser.post(action, data={"xsrf": xsrf, "logout": "yes"})
    assert urlsplit(confirmed.headers["location"]).path == "/sign-out/done"
    assert "You are signed out" in browser.get(confirmed.headers["location"]).text
    assert browser.name() is None
    again = follow(browser, browser.leave("ministry").headers["location"])
    assert again.status_code == 200, "the provider still knew the browser"
