"""Chromium, the running application with the demo and the small world in it, and people's browsers."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, Playwright, expect, sync_playwright

from app.database import Database
from app.demo import fill
from tests.browser.browsing import PATIENCE_MS, Browsing, chromium_path, launched
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


@pytest.fixture(scope="session")
def filled(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """A template with the demo, and the port for which it is made: its people's identity provider stands there."""
    path, port = tmp_path_factory.mktemp("demo") / "demo.db", free_port()
    shutil.copy(sqlite_template, path)
    database = Database(f"sqlite:///{path}", readers=1)
    fill.fill(database, base_url=f"http://127.0.0.1:{port}")
    database.close()
    return path, port


@pytest.fixture(scope="package")
def site(filled: tuple[Path, int], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    template, port = filled
    path = tmp_path_factory.mktemp("site") / "site.db"
    shutil.copy(template, path)
    database = Database(f"sqlite:///{path}", readers=1)
    server = Server(path, port)
    server.start()
    try:
        yield Site(server, World(database))
    finally:
        server.stop()
        database.close()


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
