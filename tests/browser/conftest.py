"""Chromium, the running application with the demo and the small world in it, and people's browsers."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, Playwright, expect, sync_playwright

from tests.browser.browsing import PATIENCE_MS, Browsing, chromium_path, launched
from tests.browser.running import make, serving
from tests.browser.server import Server
from tests.factories.world import World
from tests.identity.serving import free_port

expect.set_options(timeout=PATIENCE_MS)


class Site(NamedTuple):
    """The running application, its address, and the small world that lives in it beside the demo."""

    server: Server
    world: World

    @property
    def url(self) -> str:
        return self.server.url


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("browser")


# For the length of this directory, not of the session: while Playwright's loop runs in this thread, no other may.
@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="package")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    path = chromium_path(playwright)
    if path is None:
        pytest.skip("Chromium: none is installed")
    with launched(playwright, path) as browser:
        yield browser


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    path, port = tmp_path_factory.mktemp("site") / "site.db", free_port()
    make(path, port)
    with serving(path, port) as (server, world):
        yield Site(server, world)


@pytest.fixture
def browsing(chromium: Browser, site: Site) -> Iterator[Browsing]:
    """Browsers for this test; at its end nothing must have happened in one that never should."""
    browsing = Browsing(chromium, site.url, site.world)
    try:
        yield browsing
        assert browsing.witness.problems() == []
    finally:
        browsing.close()


@pytest.fixture
def world(site: Site) -> World:
    """Alice, Bob, Fay and the others, in the running application."""
    return site.world
