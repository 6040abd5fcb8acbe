"""Whole flows in a browser against a certified provider with two tenants: in, out on both ways, two tabs, new keys."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from app.database import Database
from app.main import create_app
from app.models import Login
from tests.browser.browsing import DESK, PATIENCE_MS
from tests.factories.world import World
from tests.identity.conftest import Site, known_as, providers_file, settings_for, table_for
from tests.identity.node import certified
from tests.identity.serving import free_port, serving
from tests.identity.test_certified_provider import ANA, BOB, tenant

SIDES = {"ministry": "public", "company": "business"}


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
def here(
    tenants: dict[str, dict[str, Any]], database_url: str, database: Database, tmp_path: Path
) -> Iterator[Site]:
    world, tables = World(database), {}
    for name, side in SIDES.items():
        one = tenants[name]
        known_as(world, one["issuer"], one["tid"], world.organisations[side])
        tables[name] = table_for(
            one["issuer"],
            label=f'"The {name}"',
            side=f'"{side}"',
            client_id=f'"{one["client_id"]}"',
            client_secret=f'"{one["client_secret"]}"',
            client_auth=f'"{one["client_auth"]}"',
        )
    port = tenants["here"]["port"]
    file = providers_file(tmp_path / "providers.toml", **tables)
    with serving(create_app(settings_for(database_url, port, identity_providers=file)), port) as address:
        yield Site(address, world, None)


@pytest.fixture
def context(chromium: Browser, here: Site) -> Iterator[BrowserContext]:
    context = chromium.new_context(viewport=DESK, locale="en-GB", base_url=here.address)
    context.set_default_timeout(PATIENCE_MS)
    yield context
    context.close()


def leave(page: Page, provider: str = "ministry") -> None:
    page.goto("/sign-in?next=/me")
    page.get_by_role("button", name=f"The {provider}").click()


def arrive(page: Page, account: str = "1") -> None:
    page.locator("input[name=account]").fill(account)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(re.compile("/me$"))


def signed_in(context: BrowserContext, provider: str = "ministry") -> Page:
    page = context.new_page()
    leave(page, provider)
    arrive(page)
    return page


def test_each_signs_in_where_they_work(context: BrowserContext, chromium: Browser, here: Site) -> None:
    expect(signed_in(context).get_by_role("heading", level=1)).to_have_text("Ana Zupan")
    other = chromium.new_context(base_url=here.address, locale="en-GB")
    expect(signed_in(other, "company").get_by_role("heading", level=1)).to_have_text("Bob Kos")
    other.close()
    assert len({login.person_id for login in here.rows(Login)[-2:]}) == 2


def test_two_tabs_sign_in_at_once(context: BrowserContext) -> None:
    first, second = context.new_page(), context.new_page()
    leave(first)
    leave(second)
    arrive(first)
    arrive(second)
    for page in (first, second):
        page.reload()
        expect(page.get_by_role("heading", level=1)).to_have_text("Ana Zupan")


def test_a_tab_for_each_provider_ends_with_the_one_that_came_last(context: BrowserContext) -> None:
    first, second = context.new_page(), context.new_page()
    leave(first, "ministry")
    leave(second, "company")
    arrive(second)
    arrive(first)
    second.reload()
    expect(second.get_by_role("heading", level=1)).to_have_text("Ana Zupan")


@pytest.mark.parametrize("kid", ["renewed", "ministry"])
def test_keys_change_while_someone_signs_in(
    context: BrowserContext, chromium: Browser, here: Site, tenants: dict[str, dict[str, Any]], kid: str
) -> None:
    """A new key under a new name, and one under the name that we know already."""
    signed_in(context)
    other = chromium.new_context(base_url=here.address, locale="en-GB")
    page = other.new_page()
    leave(page)
    assert httpx2.post(f"{tenants['ministry']['issuer']}/-/keys/{kid}", trust_env=False).text == "renewed"
    arrive(page)
    other.close()


def test_signing_out_here_signs_out_there(context: BrowserContext) -> None:
    page = signed_in(context)
    page.get_by_role("contentinfo").get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="Yes, sign me out").click()
    expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()
    leave(page)
    expect(page.locator("input[name=account]")).to_be_visible()


def test_signing_out_there_signs_out_here(
    context: BrowserContext, tenants: dict[str, dict[str, Any]]
) -> None:
    page = signed_in(context)
    there = context.new_page()
    there.goto(f"{tenants['ministry']['issuer']}/session/end")
    there.get_by_role("button", name="Yes, sign me out").click()
    expect(there.get_by_text(re.compile("sign-?out success", re.IGNORECASE)).first).to_be_visible()
    page.goto("/me")
    expect(page).to_have_url(re.compile("/sign-in"))


def test_breaking_off_there_says_so_here(context: BrowserContext) -> None:
    page = context.new_page()
    leave(page)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("main")).to_contain_text("broken off")
