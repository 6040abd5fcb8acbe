"""Pictures of every page, to be looked at: `python -m tests.browser.look [name]` writes them to tests/screenshots.

What axe-core does not see: tiny text, squeezed tables, one answer drawn heavier than another, a line too long.
"""

import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.browser.browsing import Browsing, chromium_path, launched
from tests.browser.running import running

PLACE = Path(__file__).parents[1] / "screenshots"
WIDTHS = {"phone": {"width": 390, "height": 844}, "desk": {"width": 1440, "height": 900}}
THEMES = ("light", "dark")


def main(only: str = "") -> None:
    PLACE.mkdir(exist_ok=True)
    with sync_playwright() as playwright, running() as (server, world):
        path = chromium_path(playwright)
        if path is None:
            sys.exit("Chromium: none is installed")
        idea = world.idea(world.alice, "One form", body="**Once**, for all.\n\n- name\n- address")
        board = world.challenge_id
        pages = {
            "home": ("", "/"),
            "sign-in": ("", "/sign-in"),
            "privacy": ("", "/privacy"),
            "not-found": ("", "/nowhere"),
            "my-start": ("business@demo.example", "/"),
            "programme": ("business@demo.example", "/programmes/demo"),
            "people": ("business@demo.example", "/programmes/demo/people"),
            "board": ("business@demo.example", "/challenges/1"),
            "board-bridging": ("business@demo.example", "/challenges/1?sort=bridging"),
            "board-voting": ("business@demo.example", "/challenges/4"),
            "board-empty": ("business@demo.example", "/challenges/1?q=nothing-like-it"),
            "idea": ("business@demo.example", "/ideas/1"),
            "new": ("business@demo.example", "/challenges/1/ideas/new"),
            "move": ("business@demo.example", "/ideas/1/cluster"),
            "me": ("business@demo.example", "/me"),
            "idea-mine": ("alice", f"/ideas/{idea}"),
            "edit": ("alice", f"/ideas/{idea}/edit"),
            "merge": ("alice", f"/ideas/{idea}/merges"),
            "hide": ("fay", f"/ideas/{idea}/hiding"),
            "moderation": ("facilitator@demo.example", "/challenges/1/moderation"),
            "clusters": ("fay", f"/challenges/{board}/clusters"),
            "phases": ("fay", f"/challenges/{board}/phases"),
            "solutions": ("public@demo.example", "/challenges/4/solutions"),
            "ballot": ("public@demo.example", "/ballots/2"),
            "vote": ("public@demo.example", "/ballots/2/vote"),
            "vote-budget": ("public@demo.example", "/ballots/3/vote"),
            "result": ("public@demo.example", "/ballots/1/result"),
            "result-sheet": ("public@demo.example", "/ballots/1/result/sheet"),
            "ballot-new": ("cora", f"/challenges/{board}/ballots/new"),
            "console": ("coordinator@demo.example", "/admin"),
            "providers": ("coordinator@demo.example", "/admin/providers"),
        }
        with launched(playwright, path) as browser:
            browsing = Browsing(browser, server.url, world)
            for name, (who, address) in pages.items():
                if only in name:
                    page = _page_of(browsing, who)
                    page.goto(address)
                    _take(page, name)
                    page.context.close()


def _page_of(browsing: Browsing, who: str) -> Page:
    if not who:
        return browsing.page()
    return browsing.page_of_demo(who) if "@" in who else browsing.page_of(getattr(browsing.world, who))


def _take(page: Page, name: str) -> None:
    for theme in THEMES:
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        for width, size in WIDTHS.items():
            page.set_viewport_size(size)  # type: ignore[arg-type]
            page.wait_for_timeout(400)
            page.screenshot(path=PLACE / f"{name}-{width}-{theme}.png")


if __name__ == "__main__":
    main(*sys.argv[1:2])
