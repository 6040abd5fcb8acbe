"""Signing in once more before a step with consequences, through the demo's provider; and ending sessions."""

import re
from datetime import timedelta

from playwright.sync_api import Page, expect
from sqlalchemy import select, update

from app.lib import clock
from app.models import Ballot, BrowserSession, Programme
from app.models.base import table
from tests.browser.audit import findings, overflow, speaking
from tests.browser.browsing import Browsing
from tests.factories.world import World

COORDINATOR = "coordinator@demo.example"


def open_ballot(world: World) -> int:
    """An open ballot of the demo."""
    ballot, programme = table(Ballot), table(Programme)
    wanted = (
        select(ballot.c.id)
        .join(programme, programme.c.id == ballot.c.programme_id)
        .where(programme.c.slug == "demo", ballot.c.closes_at > clock.now(), ballot.c.opens_at < clock.now())
        .where(ballot.c.counted_at.is_(None), ballot.c.cancelled_at.is_(None))
    )
    return int(world.ask(lambda connection: connection.execute(wanted.limit(1)).scalar_one()))


def let_time_pass(world: World) -> None:
    session, long_ago = table(BrowserSession), clock.now() - timedelta(hours=1)
    world.do(lambda tx: tx.execute(update(session).values(authenticated_at=long_ago)))


def ask_to_close(page: Page, ballot: int) -> None:
    page.goto(f"/ballots/{ballot}/closure")
    page.locator("#field-reason").fill("Everyone has voted.")
    page.locator("main form button").last.click()
    expect(page.locator("main form[action='/me/fresh-sign-in']").first).to_be_visible()


def test_what_was_typed_waits_while_one_signs_in_once_more(browsing: Browsing) -> None:
    browsing.witness.expects("status of 403")
    page = browsing.arrives(COORDINATOR)
    ballot = open_ballot(browsing.world)
    let_time_pass(browsing.world)
    for language in ("en", "sl"):
        with speaking(page, language):
            ask_to_close(page, ballot)
            assert findings(page) + overflow(page) == []
    ask_to_close(page, ballot)
    page.locator("main form[action='/me/fresh-sign-in'] button").first.click()
    page.get_by_role("button").filter(has_text=COORDINATOR).click()
    expect(page).to_have_url(re.compile(r"/me/fresh-sign-in/\d+$"))
    for language in ("en", "sl"):
        with speaking(page, language):
            page.reload()
            expect(page.get_by_text("Everyone has voted.")).to_be_visible()
            assert findings(page) + overflow(page) == []
    page.reload()
    page.get_by_role("link", name="Do not, go back").click()
    expect(page).to_have_url(re.compile(f"/ballots/{ballot}/closure$"))


def test_someone_elses_login_changes_nothing(browsing: Browsing) -> None:
    browsing.witness.expects("status of 403")
    page = browsing.arrives(COORDINATOR)
    let_time_pass(browsing.world)
    ask_to_close(page, open_ballot(browsing.world))
    page.locator("main form[action='/me/fresh-sign-in'] button").first.click()
    page.get_by_role("button").filter(has_text="public@demo.example").click()
    expect(page.get_by_text("another login than one of yours")).to_be_visible()
    page.goto("/me")
    expect(page.get_by_text(COORDINATOR).first).to_be_visible()


def test_one_ends_a_lost_browser_from_another(browsing: Browsing) -> None:
    here, lost = browsing.arrives("sponsor@demo.example"), browsing.arrives("sponsor@demo.example")
    here.goto("/me")
    here.get_by_role("link", name="Where you are signed in").click()
    expect(here.locator("#sessions > li").first).to_contain_text("this browser")
    for others in here.get_by_role("button", name=re.compile("^End:")).all()[:1]:
        others.click()
    here.get_by_role("button", name=re.compile("^End")).first.wait_for(state="detached", timeout=15_000)
    lost.goto("/me")
    expect(lost).to_have_url(re.compile("/sign-in"))
