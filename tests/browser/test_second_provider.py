"""The flow in a browser against a second implementation. Its own sign-in page needs scripts that Debian ships apart, so
the password goes to its API from within that page; all the ways between are the browser's.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from app.database import Database
from app.models import BrowserSession
from tests.browser.browsing import DESK, PATIENCE_MS
from tests.identity.conftest import Site
from tests.identity.glewlwyd import PASSWORD, Glewlwyd, await_end_of, glewlwyd, led_to
from tests.identity.serving import free_port

SIGN_IN = """async ([password]) => {
  const send = (method, path, body) =>
    fetch(path, { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  const signed = await send("POST", "/api/auth/", { username: "ana", password });
  const granted = await send("PUT", "/api/auth/grant/partnership", { scope: "openid" });
  return [signed.status, granted.status];
}"""


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Glewlwyd]:
    with glewlwyd(tmp_path, free_port()) as provider:
        yield provider


@pytest.fixture
def here(there: Glewlwyd, database_url: str, database: Database, tmp_path: Path) -> Iterator[Site]:
    with led_to(there, database_url, database, tmp_path) as site:
        there.set_up(site.address)
        yield site


@pytest.fixture
def context(chromium: Browser, here: Site) -> Iterator[BrowserContext]:
    context = chromium.new_context(viewport=DESK, locale="en-GB", base_url=here.address)
    context.set_default_timeout(PATIENCE_MS)
    yield context
    context.close()


def leave(context: BrowserContext) -> Page:
    page = context.new_page()
    page.goto("/sign-in?next=/me")
    page.get_by_role("button", name="The Ministry").click()
    expect(page).to_have_url(re.compile("/login.html"))
    return page


def arrive(page: Page) -> None:
    assert page.evaluate(SIGN_IN, [PASSWORD]) == [200, 200]
    onward = parse_qs(urlsplit(page.url).query)["callback_url"][0]
    page.goto(f"{onward}&g_continue")
    expect(page).to_have_url(re.compile("/me$"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Ana Zupan")


def test_two_tabs_sign_in_at_once(context: BrowserContext) -> None:
    first, second = leave(context), leave(context)
    arrive(first)
    arrive(second)
    first.reload()
    expect(first.get_by_role("heading", level=1)).to_have_text("Ana Zupan")


def test_keys_change_between_two_sign_ins(context: BrowserContext, there: Glewlwyd) -> None:
    arrive(leave(context))
    there.change_keys()
    context.clear_cookies()
    arrive(leave(context))


def test_signing_out_there_signs_out_here(context: BrowserContext, here: Site, there: Glewlwyd) -> None:
    page = leave(context)
    arrive(page)
    sid = here.rows(BrowserSession)[-1].sid
    other = context.new_page()
    other.goto(f"{there.address}/login.html")
    ended = other.evaluate(
        "async (path) => (await fetch(path, { method: 'DELETE' })).status", f"/api/oidc/session/{sid}/"
    )
    assert ended == 200
    await_end_of(here, sid)
    page.goto("/me")
    expect(page).to_have_url(re.compile("/sign-in"))


def test_signing_out_here_leads_there(context: BrowserContext) -> None:
    page = leave(context)
    arrive(page)
    page.get_by_role("contentinfo").get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(re.compile(r"/login\.html.*prompt=end_session"))
    page.goto("/me")
    expect(page).to_have_url(re.compile("/sign-in"))
