"""Signing in through the demo's provider, and what signing out ends."""

import re

from playwright.sync_api import expect

from tests.browser.browsing import Browsing, sign_in


def test_signing_in_leads_back_to_the_page_that_was_wanted(browsing: Browsing) -> None:
    page = browsing.page()
    page.goto("/me")
    expect(page).to_have_url(re.compile("/sign-in"))
    page.get_by_role("button", name="Government of Demoland").click()
    page.get_by_role("button").filter(has_text="public@demo.example").click()
    expect(page).to_have_url(re.compile("/me$"))


def test_signing_out_ends_the_session_for_a_copied_cookie_and_for_the_back_button(browsing: Browsing) -> None:
    page = browsing.arrives("public@demo.example")
    page.goto("/me")
    stolen = page.context.cookies()
    page.get_by_role("contentinfo").get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()
    page.go_back()
    expect(page).to_have_url(re.compile("/sign-in"))
    thief = browsing.page()
    thief.context.add_cookies(stolen)
    thief.goto("/me")
    expect(thief).to_have_url(re.compile("/sign-in"))


def test_each_signing_in_has_a_cookie_of_its_own(browsing: Browsing) -> None:
    page = browsing.arrives("public@demo.example")
    first = _session(page)
    page.get_by_role("contentinfo").get_by_role("button", name="Sign out").click()
    page.get_by_role("heading", name="You are signed out").wait_for()
    sign_in(page, "public@demo.example")
    assert _session(page) != first


def _session(page):
    return next(cookie["value"] for cookie in page.context.cookies() if cookie["name"] == "session")
