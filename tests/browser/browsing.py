"""Browsers of people, and a witness who notes whatever should never happen in one."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Dialog, Page, Playwright, Request

from app.policies.actor import Actor
from app.services import people
from tests.factories.world import World

ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
DESK = {"width": 1280, "height": 900}
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "has_touch": True,
    "is_mobile": True,
    "device_scale_factor": 2,
}
PATIENCE_MS = 15_000
# What Chromium says of itself where it shows a page before it has the picture of the last one to fade from: nothing
# is lost but the fading, and no script of a page can answer it.
OF_THE_BROWSER = ("Transition was aborted because of invalid state. Page already revealed",)
GOVERNMENT, COMPANIES = "Government of Demoland", "Companies of Demoland"


def chromium_path(playwright: Playwright) -> str | None:
    """Where Chromium is: the system's, else the one that Playwright has loaded, if any.

    The headless shell is the same engine without a window around it, so that a new person's browser costs a third.
    """
    names = (
        "chromium-headless-shell",
        "chromium",
        "chromium-browser",
        "google-chrome",
        "google-chrome-stable",
    )
    found = next((path for name in names if (path := shutil.which(name))), None)
    return found or shutil.which(playwright.chromium.executable_path)


@contextmanager
def launched(playwright: Playwright, path: str) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
    try:
        yield browser
    finally:
        browser.close()


class Witness:
    """Notes errors, violations of the security policy, dialogs, and requests to elsewhere; `minds` ends what it
    has to look over, such as the answer 422 that a test provokes.
    """

    def __init__(self, url: str) -> None:
        self.seen: list[str] = []
        self.elsewhere: list[str] = []
        self._host = urlsplit(url).netloc
        self._expected = [*OF_THE_BROWSER]

    def watch(self, context: BrowserContext) -> None:
        context.on("console", self._heard)
        context.on("weberror", lambda error: self.seen.append(f"error: {error.error}"))
        context.on("dialog", self._asked)
        context.on("request", self._requested)

    def expects(self, *texts: str) -> None:
        """A message with one of `texts` in it is as it should be."""
        self._expected += texts

    def problems(self) -> list[str]:
        return [
            seen for seen in self.seen if not any(text in seen for text in self._expected)
        ] + self.elsewhere

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            where = message.location
            self.seen.append(f"{message.type}: {message.text} ({where.get('url')}:{where.get('lineNumber')})")

    def _asked(self, dialog: Dialog) -> None:
        self.seen.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _requested(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme in ("http", "https", "ws", "wss") and address.netloc != self._host:
            self.elsewhere.append(f"request to elsewhere: {request.url}")


class Browsing:
    """The browsers of one test, each with a witness: `page()`, `page_of(world.alice)`, `arrives(email, …)`."""

    def __init__(self, browser: Browser, url: str, world: World) -> None:
        self.url = url
        self.witness = Witness(url)
        self.world = world
        self._browser = browser
        self._contexts: list[BrowserContext] = []

    def page(self, **options: Any) -> Page:
        """A page of a browser of its own, signed out."""
        given = {"viewport": DESK, "locale": "en-GB", "base_url": self.url} | options
        context = self._browser.new_context(**given)
        context.set_default_timeout(PATIENCE_MS)
        self.witness.watch(context)
        self._contexts.append(context)
        return context.new_page()

    def page_of(self, actor: Actor, **options: Any) -> Page:
        """A page of someone who has signed in before."""
        page = self.page(**options)
        page.context.add_cookies([{"name": "session", "value": self.world.cookie(actor), "url": self.url}])
        return page

    def page_of_demo(self, email: str, **options: Any) -> Page:
        """A page of someone of the demo who has signed in before."""
        return self.page_of(self.world.ask(people.with_email, email), **options)

    def arrives(self, email: str, **options: Any) -> Page:
        """A page of someone of the demo who signs in now, on the way that everyone goes."""
        page = self.page(**options)
        sign_in(page, email)
        return page

    def close(self) -> None:
        for context in self._contexts:
            context.close()


def sign_in(page: Page, email: str) -> None:
    """Choose where one works, then who one is at the demo's identity provider."""
    page.goto("/sign-in")
    page.get_by_role("button", name=COMPANIES if email.startswith("business") else GOVERNMENT).click()
    page.get_by_role("button").filter(has_text=email).click()
    page.get_by_role("navigation", name="Site").get_by_role("link", name="My page").wait_for()
