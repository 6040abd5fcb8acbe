"""Ways in, as people see them: an invitation without scripts and by phone, and the pages of those who let people in."""

import os
import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import insert, select, update

from app.lib import clock, secrets
from app.models import (
    BrowserSession,
    JoinRequest,
    Login,
    Membership,
    Organisation,
    OrganisationDomain,
    Person,
)
from app.models.base import table
from app.policies.actor import Actor
from app.services import actors, invitations, join_requests, people
from tests.browser.audit import findings, looked_at, overflow, speaking
from tests.browser.browsing import COMPANIES, PHONE, Browsing
from tests.factories.world import World

COORDINATOR = "coordinator@demo.example"
SESSION = table(BrowserSession)
MEMBERSHIP = table(Membership)


def someone(world: World, skip: int = 0) -> tuple[Actor, str]:
    """A participant of the demo from a company, and the name of that."""
    login, person, organisation = table(Login), table(Person), table(Organisation)
    row = world.ask(
        lambda connection: connection.execute(
            select(person.c.id, organisation.c.name)
            .join(login, login.c.person_id == person.c.id)
            .join(MEMBERSHIP, MEMBERSHIP.c.person_id == person.c.id)
            .join(organisation, organisation.c.id == MEMBERSHIP.c.organisation_id)
            .where(
                login.c.issuer.like("%/company"),
                MEMBERSHIP.c.role == "participant",
                person.c.email.not_like("%@demo.example"),
            )
            .order_by(login.c.id)
            .offset(skip)
        ).first()
    )
    return world.ask(actors.find, row.id), row.name


def invited_by(page: Page, organisation: str, role: str) -> str:
    """A coordinator invites to a role of an organisation; the address."""
    page.goto("/admin/invitations?programme=demo")
    page.get_by_label("Organisation").select_option(label=organisation)
    page.get_by_label("Role").select_option(label=role)
    page.get_by_role("button", name="Invite", exact=True).click()
    return page.locator("#new-address").inner_text()


@pytest.mark.parametrize("device", ["without scripts", "phone"])
def test_an_invitation_leads_to_its_place(device: str, browsing: Browsing) -> None:
    world = browsing.world
    guest, organisation = someone(world, skip=0 if device == "phone" else 1)
    options: dict[str, Any] = PHONE if device == "phone" else {"java_script_enabled": False}
    address = invited_by(browsing.page_of_demo(COORDINATOR, **options), organisation, "Sponsor")
    page = browsing.page(**options)
    page.goto(address)
    expect(page.get_by_role("heading", name="You are invited")).to_be_visible()
    expect(page.get_by_text(organisation)).to_be_visible()
    page.get_by_role("button", name=COMPANIES).click()
    page.get_by_role("button").filter(has_text=guest.name).first.click()
    expect(page).to_have_url(re.compile("/programmes/demo$"))
    programme_id = next(iter(guest.memberships))
    assert world.ask(actors.find, guest.person_id).role_in(programme_id) == "sponsor"
    page.goto(address)
    expect(page.get_by_text("has been used already")).to_be_visible()
    browsing.witness.expects("status of 410")


def test_a_link_and_a_merge_are_proved_at_the_provider_and_decided_here(browsing: Browsing) -> None:
    world = browsing.world
    other, _ = someone(world, skip=2)
    page = browsing.arrives("business@demo.example", java_script_enabled=False)
    page.goto("/me/logins")
    page.locator("form[action='/me/merging/company'] button").click()
    page.get_by_role("button").filter(has_text=other.name).first.click()
    expect(page.get_by_role("heading", name="Put two accounts together")).to_be_visible()
    expect(page.get_by_text("Both accounts take part in")).to_be_visible()
    page.get_by_role("link", name="Leave both as they are").click()
    assert world.ask(actors.find, other.person_id) == other


@pytest.mark.parametrize("language", ["en", "sl"])
def test_pages_of_those_who_let_people_in_are_whole(language: str, browsing: Browsing) -> None:
    world = browsing.world
    browsing.witness.expects("status of 410")
    coordinator = world.ask(people.with_email, COORDINATOR)
    (programme_id,) = coordinator.memberships
    organisation_id = coordinator.memberships[programme_id].organisation_id
    _, organisation = someone(world)
    made = world.do(
        invitations.invite, coordinator, organisation_id, programme_id=programme_id, name="Nika Novak"
    )
    taken = world.do(invitations.invite, None, organisation_id, programme_id=programme_id)
    world.do(invitations.revoke, coordinator, taken.id)
    waiting, declined = (request(world, programme_id, name) for name in ("Nika Novak", "Jan Kranjc"))
    world.do(join_requests.decline, coordinator, declined, reason="We do not know you.")
    domain(world, programme_id, organisation_id)
    assert organisation
    page = browsing.page_of(coordinator)
    with speaking(page, language):
        found = [
            f"{path}: {text}"
            for path in (
                "/admin/invitations",
                "/admin/join-requests",
                f"/admin/join-requests/{waiting}",
                f"/admin/join-requests/{declined}",
                "/admin/organisations",
                f"/admin/organisations/{organisation_id}",
                f"/invitations/{made.token}",
                f"/invitations/{taken.token}",
                "/me",
                "/me/logins",
            )
            for text in look(page, path, language)
        ]
    assert found == []
    stranger = browsing.page(locale=language)
    stranger.goto(f"/invitations/{made.token}")
    shoot(stranger, "invitation-open", language)
    assert findings(stranger) + overflow(stranger) == []
    stranger.goto("/sign-in/waiting")
    shoot(stranger, "waiting", language)


@pytest.mark.parametrize("language", ["en", "sl"])
def test_the_page_that_says_what_comes_together_is_whole(language: str, browsing: Browsing) -> None:
    world = browsing.world
    own, other = world.alice, world.bob
    page = browsing.page_of(own)
    cookie = next(each["value"] for each in page.context.cookies() if each["name"] == "session")
    is_it = SESSION.c.token_hash == secrets.digest(cookie)
    proof = {"other_person_id": other.person_id, "other_proved_at": clock.now()}
    world.do(lambda tx: tx.execute(update(SESSION).where(is_it).values(**proof)))
    with speaking(page, language):
        assert look(page, "/me/merging", language) == []


def look(page: Page, path: str, language: str) -> list[str]:
    is_refused = path.startswith("/invitations/") and "410" in str(page.request.get(path).status)
    found = looked_at(page, path, language, is_refused=is_refused)
    shoot(page, path.strip("/").replace("/", "-")[:30], language)
    return found


def shoot(page: Page, name: str, language: str) -> None:
    """Keep a picture where someone asks for it."""
    place = os.environ.get("PARTNERSHIP_TEST_PICTURES")
    for width in (390, 1440) if place else ():
        page.set_viewport_size({"width": width, "height": 900})
        page.screenshot(path=f"{place}/{name}-{language}-{width}.png", full_page=True)


def request(world: World, programme_id: int, name: str) -> int:
    values = {
        "programme_id": programme_id,
        "provider": "company",
        "issuer": "https://login.company.example",
        "subject": secrets.new_hex(),
        "name": name,
        "email": "nika.novak@company.example",
        "organisation_claim": "4711",
        "state": "waiting",
        "reason": "",
        "created_at": clock.now(),
        "updated_at": clock.now(),
        "version": 1,
    }
    of = table(JoinRequest)
    return int(world.do(lambda tx: tx.execute(insert(of).values(values).returning(of.c.id)).scalar_one()))


def domain(world: World, programme_id: int, organisation_id: int) -> None:
    values = {"programme_id": programme_id, "organisation_id": organisation_id}
    values |= {"domain": f"d{secrets.new_hex()[:8]}.example"}
    world.do(lambda tx: tx.execute(insert(table(OrganisationDomain)).values(values)))
