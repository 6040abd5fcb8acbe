"""The API's page: each call can be tried on it with a token, by keyboard, and the token stays in the window."""

import json

from playwright.sync_api import Locator, Page, expect

from app.integrations import queue
from tests.browser.audit import findings, overflow
from tests.browser.browsing import Browsing

READ, POST = "GET /api/v1/people/me", "POST /api/v1/challenges/{challenge_id}/ideas"


def _opened(page: Page, call: str) -> Locator:
    """The form of a call, opened by keyboard."""
    row = page.locator("details").filter(
        has=page.get_by_role("form", name=f"Try {call}", exact=True, include_hidden=True)
    )
    row.locator("summary").focus()
    page.keyboard.press("Enter")
    return row.get_by_role("form", name=f"Try {call}", exact=True)


def _sent(form: Locator) -> str:
    """What comes back once it is sent, by keyboard."""
    form.get_by_role("button").focus()
    form.page.keyboard.press("Enter")
    expect(form.locator("[data-answer]")).to_contain_text("ratelimit")
    return form.locator("[data-answer]").inner_text()


def test_calls_are_tried_with_a_token_that_is_kept_nowhere(browsing: Browsing) -> None:
    world = browsing.world
    token = world.token(world.alice)
    page = browsing.page()
    page.goto("/api/v1/docs")
    page.get_by_label("Your access token").fill(token)

    me = _sent(_opened(page, READ))
    assert me.startswith("200")
    assert '"name": "Alice Novak"' in me

    post = _opened(page, POST)
    post.get_by_label("challenge_id").fill(str(world.challenge_id))
    post.get_by_label("Body").fill(json.dumps({"title": "Tried on the page"}))
    assert "201" in _sent(post)
    browsing.witness.expects("422")
    post.get_by_label("Body").fill('{"titel": "A mistake"}')
    assert '"pointer": "/titel"' in _sent(post)

    assert findings(page) + overflow(page) == []
    kept = page.evaluate(
        "() => JSON.stringify([localStorage, sessionStorage, document.cookie, location.href])"
    )
    assert token not in kept
    page.reload()
    expect(page.get_by_label("Your access token")).to_have_value("")


def test_files_and_streams_are_shown_as_what_they_are(browsing: Browsing) -> None:
    world = browsing.world
    idea = world.idea(world.alice, "Seen in a file")
    queue.migrate(str(world.database.url))
    page = browsing.page()
    page.goto("/api/v1/docs")
    page.get_by_label("Your access token").fill(world.token(world.cora, "read", "write", "admin"))

    brought = _opened(page, "POST /api/v1/programmes/{programme_id}/imports")
    assert brought.get_by_label("Body").input_value().startswith("name,sector")
    for name, value in {
        "programme_id": str(world.programme_id),
        "kind": "organisations",
        "dry_run": "true",
    }.items():
        brought.get_by_label(name, exact=True).fill(value)
    assert _sent(brought).startswith("201")

    file = _opened(page, "GET /api/v1/programmes/{programme_id}/exports/{kind}")
    for name, value in {"programme_id": str(world.programme_id), "kind": "ideas", "format": "jsonl"}.items():
        file.get_by_label(name, exact=True).fill(value)
    assert f'{{"id":{idea},' in _sent(file)
    file.get_by_label("format", exact=True).fill("xlsx")
    assert _sent(file).endswith(" bytes")

    stream = _opened(page, "GET /api/v1/programmes/{programme_id}/events/stream")
    stream.get_by_label("programme_id").fill(str(world.programme_id))
    stream.get_by_label("after", exact=True).fill("0")
    assert _sent(stream).startswith("200")
    expect(stream.locator("[data-answer]")).to_contain_text(f"/ideas/{idea}")
    with page.expect_event("requestfailed"):
        stream.locator("xpath=ancestor::details/summary").click()


def test_without_scripts_it_is_a_page_to_read(browsing: Browsing) -> None:
    page = browsing.page(java_script_enabled=False)
    page.goto("/api/v1/docs")
    expect(page.get_by_label("Your access token")).to_be_hidden()
    call = page.locator("details").filter(has=page.get_by_text(READ, exact=True))
    call.locator("summary").click()
    expect(call.get_by_text("Scope: read")).to_be_visible()
    expect(call.get_by_role("button")).to_have_count(0)
