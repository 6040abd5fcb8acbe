"""What is looked at on each page: axe-core's rules, in both themes, and that nothing is wider than a narrow phone."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.resources import files
from typing import Any

from playwright.sync_api import Page

NARROW = {"width": 320, "height": 640}

BY_THEME = ["color-contrast", "link-in-text-block"]
"""The rules whose answer the theme changes."""

BEST = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def findings(page: Page, *, themes: bool = True) -> list[str]:
    """What axe finds on this page in the light theme and, by the rules on colour, in the dark one."""
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    found = _axe(page, {"runOnly": {"type": "tag", "values": BEST}})
    if themes:
        page.emulate_media(color_scheme="dark")
        found += [f"dark: {text}" for text in _axe(page, {"runOnly": {"type": "rule", "values": BY_THEME}})]
        page.emulate_media(color_scheme="light")
    return found


def overflow(page: Page) -> list[str]:
    """What sticks out of the page at 320 px, which is also 1280 px at 400 %."""
    before = page.viewport_size
    page.set_viewport_size(NARROW)
    wide = page.evaluate(_STICKING_OUT)
    if before:
        page.set_viewport_size(before)
    return [f"320 px: {text}" for text in wide]


@contextmanager
def speaking(page: Page, language: str) -> Iterator[None]:
    """The person's own language, which is English again afterwards."""
    _choose(page, language)
    try:
        yield
    finally:
        _choose(page, "en")


def _choose(page: Page, language: str) -> None:
    answer = page.request.post(
        "/me/language",
        form={"language": language},
        headers={"Sec-Fetch-Site": "same-origin"},
        max_redirects=0,
    )
    assert answer.status == 303


def looked_at(page: Page, path: str, language: str, *, is_refused: bool = False) -> list[str]:
    """What is found on a page, with all that is folded opened; it answers well, in this language, unless refused.

    Structure and colours are those of English in every language; what another changes is how long words are.
    """
    answer = page.goto(path)
    assert answer is not None
    assert answer.ok != is_refused, path
    found = [] if page.locator("html").get_attribute("lang") == language else ["is in another language"]
    for summary in page.locator("main summary:visible").all():
        summary.click()
    return found + (findings(page) if language == "en" else []) + overflow(page)


def _axe(page: Page, options: dict[str, Any]) -> list[str]:
    """Run axe-core by the debugger's own evaluation, which the page's policy neither allows nor forbids."""
    session = page.context.new_cdp_session(page)
    try:
        _evaluate(session, _source())
        answer = _evaluate(session, f"axe.run({options}).then(JSON_OF)".replace("JSON_OF", _SHORT))
    finally:
        session.detach()
    return list(answer)


def _evaluate(session: Any, expression: str) -> Any:
    answer = session.send(
        "Runtime.evaluate", {"expression": expression, "awaitPromise": True, "returnByValue": True}
    )
    assert "exceptionDetails" not in answer, answer["exceptionDetails"]
    return answer["result"].get("value")


@cache
def _source() -> str:
    return files("axe_playwright_python").joinpath("axe.min.js").read_text() + ";undefined"


_SHORT = """(all) => all.violations.flatMap((rule) => rule.nodes.map((node) =>
    `${rule.id}: ${node.target.join(" ")} ${node.failureSummary.replace(/\\s+/g, " ").slice(0, 200)}`))"""

_STICKING_OUT = """() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  return [...document.body.querySelectorAll("*")]
    .filter((one) => one.getBoundingClientRect().right > width + 1)
    .slice(-5)
    .map((one) => `${one.tagName} ${one.className} ${one.id} ${Math.round(one.getBoundingClientRect().right)}`);
}"""
