"""Every page for everyone: nothing that axe-core finds, nothing wider than a phone, no error, no violated policy."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from joserfc.jwk import ECKey
from playwright.sync_api import Page, expect

from app.integrations.hooks import NOT_TAKEN, Call, Outcome
from app.jobs import open_data as jobs
from app.jobs.workplace import Workplace
from app.lib import clock
from app.lib.receipts import new_receipt
from app.models import Import, ImportRow, ScimGroup
from app.services import (
    ballot_making,
    ballots,
    clients,
    comments,
    counting,
    deliveries,
    import_runs,
    merges,
    moderation,
    open_data,
    votes,
    webhook_clock,
    webhook_log,
    webhooks,
)
from tests.browser.audit import findings, looked_at, overflow, speaking
from tests.browser.board import card, expect_live, fresh, post
from tests.browser.browsing import COMPANIES, Browsing
from tests.browser.deciding import (
    ANSWERED,
    METHODS,
    chosen,
    counted,
    give,
    keys_of,
    mapped,
    solution_card,
    soon,
)
from tests.factories.world import World
from tests.factories.world import fresh as just_now

LANGUAGES = ("en", "sl")


@dataclass(frozen=True)
class Things:
    """What the pages show: the demo's boards, and things of the small world."""

    board: int
    idea: int
    hidden: int
    merge: int
    solution: int
    free: int
    ballot: int
    later: int
    voting: Mapping[str, int]
    results: Mapping[str, int]
    cancelled: int
    counting: int
    programme: int
    member: int
    clients: tuple[int, ...]
    imports: tuple[int, ...]
    webhooks: tuple[int, int]


@pytest.fixture(scope="module")
def things(site: object) -> Things:
    world: World = site.world  # type: ignore[attr-defined]
    board = world.challenge(anonymous_allowed=True)
    idea = world.idea(
        world.alice, "One form", board, body="**Once**, for all:\n\n- name\n- address\n\n> quoted `code`"
    )
    other = world.idea(world.bob, "Ena vloga", board, body="Besedilo.", language="sl", anonymous=True)
    hidden = world.idea(world.alice, "A hidden one", board)
    world.do(comments.post, world.bob, idea, body="Yes, and [more](https://example.org).", language="en")
    world.do(moderation.hide, world.fay, hidden, reason="It names a person.")
    world.do(moderation.answer, world.alice, hidden, answer="I take the name out.")
    merge = world.do(merges.propose, world.alice, idea, other)
    links = [{"title": "The estimate", "url": "https://example.org/estimate"}]
    solution = world.solution("One form", board, 30, summary="**Once**", links=links, idea_ids=[idea])
    more = world.solution("Skupno okence", board, 20, language="sl", carrier="Mestna občina")
    ballot = world.ballot("approval", [solution, more], board, unit="days", explanation="For *all*.")
    world.do(votes.declare_interest, world.bob, ballot, solution, statement="We would build it.")
    closes_at = clock.now() + timedelta(days=9)
    world.do(ballot_making.extend, world.cora, ballot, closes_at=closes_at, reason="Holidays")
    later = world.ballot("budget", None, board, opens_at=clock.now() + timedelta(days=2))
    free = world.solution("Answers in a week", board)
    _open_data(world)
    decided = _decided(world, board) | {"clients": _machines(world), "imports": _imports(world)}
    decided |= {"webhooks": _webhook(world)}
    return Things(board, idea, hidden, merge, solution, free, ballot, later, **decided)


def _open_data(world: World) -> None:
    """The data of the programme is open, and its files are there."""
    told = {"publisher": "Office", "contact": "office@example.org", "description": "What we work on."}
    world.do(open_data.set_up, just_now(world.cora), world.programme, **told)
    jobs.make(Workplace(world.database, "http://board.test", "", None), world.programme_id)


def _machines(world: World) -> tuple[int, ...]:
    """A machine with a secret, one with a key, and a directory with its token and a group."""
    keys = json.dumps({"keys": [ECKey.generate_key("P-256").as_dict(private=False)]})
    directory = world.client("scim", sector="business", role="observer")
    world.do(clients.make_token, just_now(world.cora), directory.id)
    place = {"programme_id": world.programme_id, "organisation_id": world.organisations["business"]}
    world.do(lambda tx: tx.session.add(ScimGroup(display_name="Facilitators", **place)))
    return world.client().id, world.client(method=clients.KEYS, keys=keys).id, directory.id


def _imports(world: World) -> tuple[int, ...]:
    """Imports on their way, tried, refused in part and stopped."""
    brought = {"programme_id": world.programme_id, "format": "csv", "kind": "people"}
    brought |= dict.fromkeys(("made_by", "carried_by"), world.cora.person_id)
    lost = {"message": import_runs.RIGHT_LOST, "values": {}}
    of_each: tuple[dict[str, Any], ...] = (
        {"state": "running", "rows_total": 400, "rows_made": 150, "name": "people.csv"},
        {"state": "done", "dry_run": True, "rows_total": 2, "rows_fine": 1, "rows_refused": 1},
        {"state": "done", "rows_total": 2, "rows_made": 1, "rows_refused": 1},
        {"state": "stopped", "rows_total": 9, "reason": lost},
        {"state": "cancelled", "has_file": False},
    )

    def work(tx: Any) -> tuple[int, ...]:
        made = [Import(**brought, **each) for each in of_each]
        tx.session.add_all(made)
        tx.session.flush()
        about = {"programme_id": world.programme_id, "number": 1, "line": 2, "state": "refused"}
        wrong = {"field": "email", "message": "This is needed.", "values": {}}
        for each in made[1:3]:
            tx.session.add(ImportRow(import_id=each.id, errors=[wrong, {**wrong, "field": ""}], **about))
        return tuple(int(each.id or 0) for each in made)

    return tuple(world.do(work))


def _webhook(world: World) -> tuple[int, int]:
    """A webhook that does not get through, and a message that was given up."""
    draft = webhooks.Draft("Intranet", "https://intranet.example/partnership", ["idea", "ballot.closed"])
    hook = world.do(webhooks.create, world.cora, world.programme, draft).id
    delivery = world.do(deliveries.test, world.cora, hook)
    world.idea()
    world.do(webhook_log.fan_out, hook)
    call = Call(draft.address, "msg_1", clock.now(), b'{"type":"ping","data":{}}', ())
    failed = Outcome(41, NOT_TAKEN, 500, {"content-type": "text/plain"}, "out of order")
    world.do(webhook_clock.note, delivery, failed, call=call, waits_s=())
    world.do(deliveries.replay_range, world.cora, hook, from_at=clock.now() - timedelta(hours=1))
    return hook, delivery


def _decided(world: World, board: int) -> dict[str, Any]:
    """Ballots of each method, open and counted, and those that are neither."""
    results = {method: counted(world, method, challenge_id=board)[0] for method in METHODS}
    results["map"] = mapped(world, board)
    results["few"] = counted(world, "approval", 2, board, mode="open")[0]
    voting = {method: world.ballot(method, None, board) for method in METHODS}
    world.do(votes.cast, world.alice, voting["ranked"], chosen("ranked", keys_of(world, voting["ranked"])))
    cancelled = world.ballot("approval", None, board, opens_at=soon(days=1))
    world.do(ballot_making.cancel, world.cora, cancelled)
    counting = world.ballot("approval", None, board)
    world.close_now(counting)
    member = {"programme": world.programme_id, "member": world.alice.person_id}
    return {"results": results, "voting": voting, "cancelled": cancelled, "counting": counting, **member}


def of_nobody(_: Things) -> list[str]:
    return [
        "/",
        "/sign-in",
        "/sign-out/done",
        "/sign-in/waiting",
        "/accessibility",
        "/privacy",
        "/programmes/demo",
        "/programmes/here/open-data",
        "/nowhere",
    ]


def of_participant(things: Things) -> list[str]:
    return [
        "/",
        "/me",
        "/me/logins",
        "/me/sessions",
        "/me/delegations",
        "/me/tokens",
        "/delegations/new",
        "/me/data",
        "/me/data/erasure",
        "/programmes/here",
        "/programmes/here/people",
        "/programmes/here/exports",
        f"/challenges/{things.board}",
        f"/challenges/{things.board}?q=nothing-like-it",
        f"/challenges/{things.board}?sort=bridging&sector=public",
        f"/challenges/{things.board}/ideas/new",
        f"/ideas/{things.idea}",
        f"/ideas/{things.idea}/edit",
        f"/ideas/{things.idea}/versions",
        f"/ideas/{things.idea}/cluster",
        f"/ideas/{things.idea}/merges",
        f"/ideas/{things.hidden}",
        f"/merges/{things.merge}",
        f"/challenges/{things.board}/solutions",
        f"/solutions/{things.solution}",
        f"/ballots/{things.ballot}",
        f"/ballots/{things.later}",
        *(f"/ballots/{ballot}/vote" for ballot in (*things.voting.values(), things.later)),
        f"/ballots/{things.voting['ranked']}",
        f"/challenges/{things.board}/moderation",
        "/challenges/99999",
    ]


def of_facilitator(things: Things) -> list[str]:
    return [
        f"/challenges/{things.board}",
        f"/challenges/{things.board}/moderation",
        f"/challenges/{things.board}/clusters",
        f"/challenges/{things.board}/phases",
        f"/ideas/{things.idea}",
        f"/ideas/{things.idea}/hiding",
        f"/ideas/{things.hidden}",
        f"/merges/{things.merge}",
        f"/challenges/{things.board}/solutions/new?idea={things.idea}",
        f"/solutions/{things.free}",
        f"/solutions/{things.free}/edit",
    ]


def of_coordinator(things: Things) -> list[str]:
    return [
        "/",
        "/admin",
        "/admin/invitations",
        "/admin/join-requests",
        "/admin/organisations",
        "/admin/people",
        "/admin/people?q=nobody-is-called-so",
        f"/admin/people/{things.member}",
        f"/admin/people/{things.member}/roles/{things.programme}",
        "/admin/roles",
        "/admin/audit",
        "/admin/audit?last_day=2020-01-01",
        "/admin/providers",
        "/admin/clients",
        *(f"/admin/clients/{client}" for client in things.clients),
        "/admin/webhooks",
        f"/admin/webhooks/{things.webhooks[0]}",
        f"/admin/webhooks/{things.webhooks[0]}/deliveries/{things.webhooks[1]}",
        "/admin/directory",
        "/admin/retention",
        "/admin/open-data?programme=here",
        "/admin/imports",
        *(f"/admin/imports/{each}" for each in things.imports),
        "/me/data/erasure",
        f"/challenges/{things.board}/solutions",
        f"/challenges/{things.board}/ballots/new",
        f"/ballots/{things.ballot}",
        f"/ballots/{things.ballot}/extension",
        f"/ballots/{things.ballot}/closure",
        f"/ballots/{things.later}",
        f"/ballots/{things.later}/edit",
    ]


def of_observer(things: Things) -> list[str]:
    results = things.results.values()
    return [
        f"/ballots/{things.ballot}",
        f"/ballots/{things.ballot}/vote",
        f"/ballots/{things.ballot}/result",
        f"/ballots/{things.ballot}/receipt",
        f"/ballots/{things.cancelled}",
        f"/ballots/{things.cancelled}/result",
        f"/ballots/{things.counting}",
        f"/ballots/{things.counting}/result",
        f"/ballots/{things.results['map']}",
        f"/ballots/{things.results['map']}/receipt",
        f"/ballots/{things.results['map']}/vote",
        *(f"/ballots/{ballot}/result" for ballot in results),
        f"/ballots/{things.results['map']}/result/sheet",
        f"/ballots/{things.results['budget']}/result/sheet",
    ]


def of_demo(_: Things) -> list[str]:
    return ["/", "/challenges/1", "/challenges/4", "/challenges/5", "/ideas/1"]


def of_demo_coordinator(_: Things) -> list[str]:
    return ["/admin/providers"]


PEOPLE: dict[str, Callable[[Things], list[str]]] = {
    "nobody": of_nobody,
    "alice": of_participant,
    "fay": of_facilitator,
    "cora": of_coordinator,
    "olga": of_observer,
    "business@demo.example": of_demo,
    "coordinator@demo.example": of_demo_coordinator,
}


def test_the_audit_finds_what_is_wrong(browsing: Browsing) -> None:
    page = browsing.page()
    page.goto("/privacy")
    page.evaluate(
        """() => {
          const wrong = document.createElement("p");
          wrong.textContent = "hard to read";
          wrong.style.cssText = "color: #999; background: #aaa; inline-size: 500px";
          document.querySelector("main").append(wrong, document.createElement("button"));
        }"""
    )
    found = "\n".join(findings(page) + overflow(page))
    for problem in ("button-name", "color-contrast", "dark: color-contrast", "320 px: P"):
        assert problem in found


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("who", PEOPLE)
def test_pages_are_whole_for(who: str, language: str, browsing: Browsing, things: Things) -> None:
    browsing.witness.expects("status of 404", "status of 403")
    page = _page_of(who, browsing)
    with speaking(page, language):
        found = [
            f"{path}: {text}"
            for path in PEOPLE[who](things)
            for text in _looked_at(page, path, language, moderates=who == "fay")
        ]
    assert found == []


def _page_of(who: str, browsing: Browsing) -> Page:
    if who == "nobody":
        return browsing.page()
    return browsing.page_of_demo(who) if "@" in who else browsing.page_of(getattr(browsing.world, who))


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_a_voter_looks_over_and_keeps_is_whole(
    language: str, browsing: Browsing, things: Things
) -> None:
    page = browsing.page_of(browsing.world.bea)
    with speaking(page, language):
        found = [text for method, id in things.voting.items() for text in _voted(page, method, id)]
    assert found == []


def _voted(page: Page, method: str, ballot_id: int) -> list[str]:
    """What is found on the way from the answers to the receipt."""
    page.goto(f"/ballots/{ballot_id}/vote")
    if method != "ranked":
        page.locator("[data-all]").click()
    for title, answer in ANSWERED[method].items():
        give(solution_card(page, title), method, answer)
    found = findings(page) + overflow(page)
    page.locator("[data-review]").click()
    page.wait_for_url("**/review")
    found += findings(page) + overflow(page)
    page.locator("main .button-primary").click()
    expect(page.locator(".receipt-code")).to_be_visible()
    return [f"{method}: {text}" for text in found + findings(page) + overflow(page)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_check_of_a_receipt_is_whole(language: str, browsing: Browsing, things: Things) -> None:
    browsing.witness.expects("status of 422")
    world = browsing.world
    page = browsing.page_of(world.bea)
    ballot = world.ask(ballots.find, world.bea, things.results["approval"])
    ours = world.ask(counting.log, ballot)["votes"][0]["receipt"]
    with speaking(page, language):
        for code in (ours, new_receipt(), "no receipt"):
            page.goto(f"/ballots/{ballot.id}/receipt")
            page.locator("#field-code").fill(code)
            page.locator("main .button-primary").click()
            expect(page.locator("main [data-focus]")).to_be_visible()
            for summary in page.locator("main summary").all():
                summary.click()
            assert findings(page) + overflow(page) == [], code


def test_dialogs_hints_and_what_came_live_are_whole(browsing: Browsing, things: Things) -> None:
    world = browsing.world
    page = browsing.page_of(world.alice)
    page.goto(f"/challenges/{things.board}")
    expect_live(page)
    title = fresh("One form for each of us")
    post(page, title)
    page.get_by_label("Your idea").fill("one form")
    expect(page.locator("#similar").get_by_role("link").first).to_be_visible()
    found = findings(page) + overflow(page)
    page.keyboard.press("Escape")
    card(page, title).get_by_role("link", name="Move").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert found + findings(page) + overflow(page) == []


def test_the_page_for_programs_is_whole(browsing: Browsing) -> None:
    page = browsing.page()
    page.goto("/api/v1/docs")
    assert findings(page) + overflow(page) == []


def test_the_demos_list_of_people_is_whole(browsing: Browsing) -> None:
    page = browsing.page()
    page.goto("/sign-in")
    page.get_by_role("button", name=COMPANIES).click()
    expect(page.get_by_role("heading", name=COMPANIES)).to_be_visible()
    assert findings(page) + overflow(page) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_trial_of_a_provider_is_whole(language: str, browsing: Browsing) -> None:
    page = browsing.page_of_demo("coordinator@demo.example")
    with speaking(page, language):
        page.goto("/admin/providers")
        page.locator("#provider-company form button").click()
        page.get_by_role("button", name="business@demo.example").click()
        expect(page.locator("#mapped-title")).to_be_visible()
        assert findings(page) + overflow(page) == []


def _looked_at(page: Page, path: str, language: str, *, moderates: bool) -> list[str]:
    is_refused = path in ("/nowhere", "/challenges/99999") or (path.endswith("/moderation") and not moderates)
    return looked_at(page, path, language, is_refused=is_refused)
