"""The keyboard: where Tab leads, and whether one sees where one is."""

from collections.abc import Iterator
from typing import Any

from playwright.sync_api import Page

STOP = """() => {
  const one = document.activeElement;
  if (!one || one === document.body) return null;
  const style = getComputedStyle(one);
  const box = one.getBoundingClientRect();
  const [x, y] = [box.x + Math.min(box.width / 2, 20), box.y + box.height / 2];
  const top = document.elementFromPoint(x, y);
  const label = one.closest("label");
  const ring = [one, label, one.parentElement].some((part) => part
    && getComputedStyle(part).outlineStyle !== "none" && parseFloat(getComputedStyle(part).outlineWidth) >= 2);
  return {
    what: `${one.tagName} ${one.className} ${(one.getAttribute("aria-label") ?? one.textContent).trim().slice(0, 40)}`,
    ring,
    inView: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
    covered: !!top && !one.contains(top) && !top.contains(one) && !label?.contains(top),
    below: Math.round(box.bottom + scrollY),
    above: Math.round(box.top + scrollY),
    inMain: !!one.closest("main"),
  };
}"""


def stops(page: Page) -> Iterator[dict[str, Any]]:
    """Where Tab leads from the top of the page to its end."""
    for _ in range(120):
        page.keyboard.press("Tab")
        stop = page.evaluate(STOP)
        if stop is None:
            return
        yield stop


def unseen(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The stops at which one does not see where one is."""
    return [stop for stop in found if not (stop["ring"] and stop["inView"]) or stop["covered"]]


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until what is wanted has the focus."""
    wanted = page.locator(selector).first
    for _ in range(120):
        page.keyboard.press("Tab")
        if wanted.evaluate("(one) => one === document.activeElement"):
            return
    raise AssertionError(f"Tab does not lead to {selector}")
