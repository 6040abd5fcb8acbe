"""Hostile texts in every field, everywhere they show: nothing runs, nothing is fetched, nothing becomes markup."""

import re
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from app.services import (
    ballot_making,
    ballots,
    clusters,
    comments,
    ideas,
    merges,
    moderation,
    support,
    tokens,
    votes,
)
from tests.browser.board import card, expect_live, support_button
from tests.browser.browsing import Browsing
from tests.browser.deciding import count, soon

E = "https://elsewhere.example"
TEXTS = (
    "<script>hit(1)</script>",
    "<ScRiPt src=//elsewhere.example/x.js></sCrIpT>",
    "</title><script>hit(2)</script>",
    "</textarea><script>hit(3)</script>",
    "</template><script>hit(4)</script>",
    "--><script>hit(5)</script>",
    "<img src=x onerror=hit(6)>",
    f"<img src={E}/pixel.png>",
    '"><img src=x onerror=hit(7)>',
    "'><svg onload=hit(8)>",
    "<svg><script>hit(9)</script></svg>",
    "<svg><animate onbegin=hit(10) attributeName=x dur=1s>",
    "<math><mtext><script>hit(11)</script></mtext></math>",
    "<iframe srcdoc='<script>parent.hit(12)</script>'>",
    f"<iframe src={E}></iframe>",
    "<object data=data:text/html,<script>hit(13)</script>>",
    f"<link rel=stylesheet href={E}/x.css>",
    f"<style>@import '{E}/x.css';</style>",
    f"<base href={E}/>",
    f"<meta http-equiv=refresh content='0;url={E}'>",
    f"<form action={E}><button>Support</button></form>",
    "<details open ontoggle=hit(14)>",
    "<input autofocus onfocus=hit(15)>",
    "<body onload=hit(16)>",
    "<a href=javascript:hit(17)>press me</a>",
    "[press me](javascript:hit(18))",
    "[press me](  jAvAsCrIpT:hit(19))",
    "[press me](data:text/html,<script>hit(20)</script>)",
    f"![a picture]({E}/picture.png)",
    "<javascript:hit(21)>",
    "[one]\n\n[one]: javascript:hit(22)",
    "{{ 7 * 7 }}{% include '/etc/passwd' %}${7*7}",
    "<button hx-get=/sign-out hx-trigger=load>press</button>",
    "<div hx-on:click=hit(23) hx-trigger=load hx-post=/sign-out>press</div>",
    "<hx-partial hx-target=#live hx-swap=innerHTML><b>in</b></hx-partial>",
    '<i data-gone="1" data-card="1" data-item="flash"></i>',
    "%(title)s %s {title} $1 $& $`",
    "\u202eevil\u202c \u200b\u2066text\u2069",
    "`</code><script>hit(24)</script>`",
    "&lt;script&gt;hit(25)&lt;/script&gt; &#60;img src=x onerror=hit(26)&#62;",
)
TRAP = 'window.hit = (number) => console.error("a hostile text ran: " + number);'
FOREIGN = """() => [...document.querySelectorAll(
    "main :is(script, iframe, object, embed, img, link, style, base, meta, math)"
  ), ...[...document.querySelectorAll("body *")].filter((one) =>
    [...one.attributes].some(({ name, value }) => /^on|^hx-on/i.test(name) || (name === "srcdoc"))
    || (one.matches("a[href], form[action], [formaction]") && !/^(https?:|mailto:|\\/(?!\\/)|#)/.test(
      one.getAttribute("href") ?? one.getAttribute("action") ?? one.getAttribute("formaction")))
    || (one.matches("form[action]") && !/^\\/(?!\\/)/.test(one.getAttribute("action")))
  )].map((one) => one.outerHTML.slice(0, 200))"""


@pytest.fixture(scope="module")
def board(site: Any) -> dict[str, Any]:
    """A board on which every text that people write is hostile."""
    world = site.world
    id = world.challenge(anonymous_allowed=True)
    found: dict[str, Any] = {"id": id, "ideas": [], "hidden": [], "merges": []}

    def fill(tx: Any) -> None:
        columns = [clusters.create(tx, world.fay, id, title=text[:80]) for text in TEXTS[:6]]
        for number, text in enumerate(TEXTS):
            title = _title(text)
            idea = ideas.post(tx, world.alice, id, title="before", body=text, cluster_id=columns[number % 6])
            ideas.edit(tx, world.alice, idea, version=1, title=title, body=f"{text}\n\n> {text}\n\n- {text}")
            comments.post(tx, world.bob, idea, body=text, language="en")
            found["ideas"].append(idea)

    world.do(fill)
    for number, text in enumerate(TEXTS):
        if number % 4 == 0:
            hidden = world.idea(world.alice, _title(text), id)
            world.do(moderation.hide, world.fay, hidden, reason=text)
            world.do(moderation.answer, world.alice, hidden, answer=text)
            found["hidden"].append(hidden)
            world.do(tokens.create, world.alice, name=text[:80], scopes=["read"], days=9)
        if number % 4 == 1:
            source, target = (
                world.idea(world.alice, _title(text), id),
                world.idea(world.bob, _title(text), id),
            )
            world.do(support.give, world.ana, source)
            found["merges"].append(world.do(merges.propose, world.alice, source, target))
            world.do(merges.accept, world.bob, found["merges"][-1])
            world.do(merges.object_to, world.ana, found["merges"][-1], reason=text)
        if number % 4 == 2:
            source, target = world.idea(world.alice, _title(text), id), found["ideas"][number]
            world.do(merges.propose, world.bob, world.idea(world.bob, _title(text), id), target)
    return found


@pytest.fixture(scope="module")
def decided(site: Any, board: dict[str, Any]) -> dict[str, Any]:
    """Solutions whose every field is hostile, and ballots over them, open and counted, by the methods that differ."""
    world, id = site.world, board["id"]
    named = [
        world.solution(
            _title(text),
            id,
            1 + number % 9,
            summary=f"{text}\n\n- {text}",
            carrier=text[:160],
            links=[{"title": _title(text), "url": f"{E}/{quote(text)[:300]}"}],
            idea_ids=[board["ideas"][number]],
        )
        for number, text in enumerate(TEXTS)
    ]
    voters = [*world.people(12, "public"), *world.people(12, "business")]
    found: dict[str, Any] = {"solutions": named, "open": {}, "closed": {}}
    for number, (method, mode) in enumerate((("budget", "secret"), ("ranked", "open"), ("points", "secret"))):
        text = TEXTS[number * 3]
        draft = {"title": _title(text), "explanation": text, "unit": text[:20], "mode": mode}
        draft["numbers"] = {"budget": 40} if method == "budget" else {}
        for state in ("open", "closed"):
            ballot = world.ballot(method, named, id, **draft)
            found[state][method] = ballot
            for place in range(0, len(named), 6):
                says = _title(TEXTS[place])
                world.do(votes.declare_interest, world.bob, ballot, named[place], statement=says)
            world.do(ballot_making.extend, world.cora, ballot, closes_at=soon(days=8), reason=text)
        for place, voter in enumerate(voters):
            world.do(votes.cast, voter, ballot, _choice(method, named, place))
        count(world, ballot)
    return found


def _choice(method: str, named: list[int], number: int) -> dict[str, Any]:
    """What the voter of this number chooses: every second one the other half of the solutions."""
    keys = [str(each) for place, each in enumerate(named) if (place < len(named) // 2) == (number % 2 == 0)]
    return {
        "budget": {"approved": keys[:6]},
        "ranked": {"ranking": [keys[:2], *([key] for key in keys[2:])]},
        "points": {"points": dict.fromkeys(keys[:10], 1)},
    }[method]


def _title(text: str) -> str:
    return " ".join(text.split())[:110]


def _trapped(page: Page) -> Page:
    page.add_init_script(TRAP)
    return page


def _expect_harmless(page: Page) -> None:
    assert page.evaluate(FOREIGN) == []


def test_the_search_finds_what_is_foreign(browsing: Browsing) -> None:
    page = browsing.page()
    page.goto("/privacy")
    _expect_harmless(page)
    for tag, name, value in (
        ("img", "alt", ""),
        ("a", "href", "javascript:hit(0)"),
        ("form", "action", "//elsewhere.example"),
    ):
        page.evaluate(
            """([tag, name, value]) => {
              const wrong = document.createElement(tag);
              wrong.setAttribute(name, value);
              document.querySelector("main").replaceChildren(wrong);
            }""",
            [tag, name, value],
        )
        assert len(page.evaluate(FOREIGN)) == 1


def test_on_every_page_that_shows_them(browsing: Browsing, board: dict[str, Any]) -> None:
    world, id = browsing.world, board["id"]
    alice, fay, ana = (_trapped(browsing.page_of(who)) for who in (world.alice, world.fay, world.ana))
    last = board["ideas"][-1]
    visits = [
        (alice, f"/challenges/{id}?sort=bridging"),
        (alice, "/me"),
        (alice, "/"),
        (fay, "/me"),
        (ana, "/me"),
    ]
    visits += [(fay, f"/challenges/{id}/{page}") for page in ("moderation", "clusters")]
    visits += [(alice, f"/ideas/{last}/{page}") for page in ("edit", "versions", "cluster", "merges")]
    visits += [(alice, f"/ideas/{idea}") for idea in (*board["ideas"], *board["hidden"][:3])]
    visits += [(fay, f"/merges/{merge}") for merge in board["merges"]]
    visits += [(fay, f"/ideas/{board['hidden'][0]}/hiding")]
    for page, path in visits:
        page.goto(path, wait_until="domcontentloaded")
        assert page.locator("h1").count() == 1, path
        _expect_harmless(page)


def test_on_every_page_of_solutions_and_ballots(
    browsing: Browsing, board: dict[str, Any], decided: dict[str, Any]
) -> None:
    world, id = browsing.world, board["id"]
    alice, fay, cora = (_trapped(browsing.page_of(who)) for who in (world.alice, world.fay, world.cora))
    visits = [
        (alice, f"/challenges/{id}/solutions"),
        (alice, f"/challenges/{id}"),
        (alice, "/me"),
        (alice, "/"),
    ]
    visits += [(fay, f"/solutions/{solution}") for solution in decided["solutions"]]
    visits += [(fay, f"/challenges/{id}/solutions/new?idea={board['ideas'][0]}")]
    visits += [(cora, f"/challenges/{id}/ballots/new")]
    for state in ("open", "closed"):
        visits += [(alice, f"/ballots/{ballot}") for ballot in decided[state].values()]
    visits += [(alice, f"/ballots/{ballot}/vote") for ballot in decided["open"].values()]
    visits += [(cora, f"/ballots/{ballot}/extension") for ballot in decided["open"].values()]
    visits += [(cora, f"/ballots/{ballot}/closure") for ballot in decided["open"].values()]
    for page in ("result", "result/sheet", "receipt"):
        visits += [(alice, f"/ballots/{ballot}/{page}") for ballot in decided["closed"].values()]
    for page, path in visits:
        page.goto(path, wait_until="domcontentloaded")
        assert page.locator("h1").count() == 1, path
        _expect_harmless(page)


def test_where_one_votes_and_where_one_makes_a_ballot(browsing: Browsing, decided: dict[str, Any]) -> None:
    world = browsing.world
    page = _trapped(browsing.page_of(world.ana))
    for method, ballot in decided["open"].items():
        page.goto(f"/ballots/{ballot}/vote")
        keys = page.locator(".vote-card").evaluate_all("(cards) => cards.map((card) => card.dataset.key)")
        titles = [title.strip() for title in page.locator(".vote-title").all_text_contents()]
        assert {_title(text) for text in TEXTS} <= set(titles)
        if method == "ranked":
            for key, title in zip(keys, titles, strict=True):
                page.locator(f"#field-at-{key}").select_option("1")
                expect(page.locator("#rank-said")).to_have_text(f"{title}: place 1")
        elif method == "budget":
            page.locator("[data-all]").click()
            page.locator(f"#vote-card-{keys[0]} input[value='yes']").check()
            unit = TEXTS[0][:20]
            expect(page.locator("#vote-left")).to_have_text(
                re.compile(rf"Left: \d+ {re.escape(unit)} of 40 ")
            )
        else:
            page.locator(".vote-card [data-more]").first.click()
        _expect_harmless(page)
        if method == "points":
            page.locator("[data-all]").click()
        page.locator("[data-review]").click()
        expect(page.get_by_role("heading", name="Is this your vote?")).to_be_visible()
        _expect_harmless(page)
        page.get_by_role("button", name="Send my vote").click()
        expect(page.get_by_role("heading", name="Your vote is in")).to_be_visible()
        _expect_harmless(page)
        page.goto(f"/ballots/{ballot}/vote")
        expect(page.get_by_role("region", name="Your vote now")).to_be_visible()
        _expect_harmless(page)

    browsing.witness.expects("status of 422")
    coordinator = _trapped(browsing.page_of(world.cora))
    ballot = world.ask(ballots.find, world.cora, decided["open"]["budget"])
    coordinator.goto(f"/challenges/{ballot.challenge_id}/ballots/new")
    for number, label in enumerate(("Question", "Explanation")):
        coordinator.get_by_label(label, exact=True).fill(TEXTS[6 + number])
    coordinator.locator("#field-unit").fill(TEXTS[6][:20])
    coordinator.get_by_role("button", name="Preview").click()
    expect(coordinator.get_by_role("alert")).to_be_visible()
    expect(coordinator.get_by_label("Question", exact=True)).to_have_value(TEXTS[6])
    _expect_harmless(coordinator)
    for box in coordinator.locator("#field-solutions input").all():
        box.check()
    coordinator.get_by_role("button", name="Preview").click()
    expect(coordinator.get_by_role("heading", name="Is it right like this?")).to_be_visible()
    _expect_harmless(coordinator)


def test_in_the_address(browsing: Browsing, board: dict[str, Any]) -> None:
    browsing.witness.expects("status of 404", "status of 422")
    page = _trapped(browsing.page_of(browsing.world.alice))
    for text in TEXTS[::4]:
        for path in (
            f"/challenges/{board['id']}",
            "/sign-in",
            "/nowhere",
            f"/challenges/{board['id']}/ideas/new",
        ):
            names = ("q", "sort", "sector", "cluster", "cursor", "next", "title")
            page.goto(path + "?" + "&".join(f"{name}={_quoted(text)}" for name in names))
            _expect_harmless(page)
    page.goto(f"/challenges/{board['id']}?q={_quoted(TEXTS[0])}")
    expect(page.get_by_label("Search words")).to_have_value(TEXTS[0])


def test_in_live_updates_dialogs_and_hints(browsing: Browsing, board: dict[str, Any]) -> None:
    world, id = browsing.world, board["id"]
    page = _trapped(browsing.page_of(world.alice))
    page.goto(f"/challenges/{id}")
    expect_live(page)
    reading = _trapped(browsing.page_of(world.alice))
    reading.goto(f"/ideas/{board['ideas'][0]}")
    _expect_harmless(page)

    def write(tx: Any) -> list[int]:
        for text in TEXTS:
            comments.post(tx, world.bob, board["ideas"][0], body=f"live {text}", language="en")
        return [ideas.post(tx, world.bob, id, title=f"live {_title(text)}", body=text) for text in TEXTS]

    posted = world.do(write)
    expect(page.locator(f"#idea-{posted[-1]}")).to_be_visible()
    expect(reading.locator(".comment")).to_have_count(1 + len(TEXTS))
    titles = page.locator(".card-title").all_text_contents()
    assert {f"live {_title(text)}" for text in TEXTS} <= {title.strip() for title in titles}
    for idea in (posted[0], posted[8], posted[-1]):
        page.locator(f"#idea-{idea}").get_by_role("link", name="Move").click()
        page.get_by_role("dialog").get_by_label(_title(TEXTS[0])[:80]).check()
        page.keyboard.press("Enter")
        expect(page.get_by_role("dialog")).to_be_hidden()
        support_button(page.locator(f"#idea-{idea}")).click()
    field = page.get_by_label("Your idea")
    for text in (TEXTS[0], TEXTS[6]):
        field.fill(text)
        expect(page.locator("#similar")).to_contain_text(text)
    field.fill("mine <img src=x onerror=hit(30)>")
    field.press("Enter")
    expect(card(page, "mine <img src=x onerror=hit(30)>")).to_be_visible()
    for seen in (page, reading):
        _expect_harmless(seen)


def test_in_forms_that_come_back(browsing: Browsing, board: dict[str, Any]) -> None:
    browsing.witness.expects("status of 422")
    page = _trapped(browsing.page_of(browsing.world.alice))
    text = "</textarea>\"'><img src=x onerror=hit(31)>"
    page.goto(f"/challenges/{board['id']}/ideas/new")
    page.get_by_label("Text", exact=True).fill(text)
    page.get_by_role("button", name="Post idea").click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_label("Text", exact=True)).to_have_value(text)
    _expect_harmless(page)
    page.goto("/me/tokens")
    page.get_by_label("What it is for").fill(text)
    page.get_by_label("Valid for how many days").fill("0")
    page.get_by_role("button", name="Make the token").click()
    expect(page.get_by_label("What it is for")).to_have_value(text)
    _expect_harmless(page)


def _quoted(text: str) -> str:
    return quote(text, safe="")
