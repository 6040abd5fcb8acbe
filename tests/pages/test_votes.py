"""Voting on pages: choosing, looking over, sending, keeping a receipt; and what goes wrong on the way."""

import html
import re
from datetime import timedelta

import pytest
from sqlalchemy import text

from app.lib import clock
from app.services import ballots, votes
from tests.factories.world import World

CHOICES = {
    "approval": (["yes", "no", ""], "Supported:"),
    "score": (["5", "0", "3"], "What is not named here gets 0."),
    "ranked": (["1", "1", ""], "(equal)"),
    "points": (["4", "6", ""], "That makes 10 of 10 points; 0 are left."),
    "quadratic": (["3", "1", ""], "These votes cost 10 of 10 credits; 0 are left."),
    "budget": (["yes", "yes", "no"], "Together 50 of 50 days; 0 are left."),
}


def texts(answer):
    return " ".join(html.unescape(answer.text).split())


def keys(world: World, ballot: int) -> list[str]:
    return [solution.key for solution in world.ask(ballots.find, world.cora, ballot).solutions]


def filled(world: World, ballot: int, answers) -> dict[str, str]:
    return {
        f"at-{key}": answer for key, answer in zip(keys(world, ballot), answers, strict=True) if answer != ""
    }


def code_of(answer) -> str:
    return re.search(r'name="code" value="([^"]+)"', answer.text)[1]


@pytest.mark.parametrize("method", CHOICES)
def test_each_method_is_voted_on_reviewed_and_receipted(site, method):
    world = site.world
    alice, ballot = site.of(world.alice), world.ballot(method)
    answers, said = CHOICES[method]
    page = alice.get(f"/ballots/{ballot}/vote")
    assert page.status_code == 200
    assert page.headers["cache-control"] == "no-store"
    assert "None of these" in texts(page)
    form = filled(world, ballot, answers)
    review = alice.post(f"/ballots/{ballot}/vote/review", form)
    assert review.status_code == 200
    assert said in texts(review)
    for name, value in form.items():
        assert f'name="{name}" value="{value}"' in review.text
    receipt = alice.post(f"/ballots/{ballot}/vote", form)
    assert receipt.status_code == 200
    assert receipt.headers["cache-control"] == "no-store"
    assert said in texts(receipt)
    view = world.ask(ballots.find, world.alice, ballot)
    mine = world.ask(votes.mine, world.alice, view)
    assert mine.code == code_of(receipt)


@pytest.fixture
def ballot(site):
    return site.world.ballot()


@pytest.fixture
def alice(site):
    return site.of(site.world.alice)


def vote_of(world, actor, ballot):
    view = world.ask(ballots.find, actor, ballot)
    return world.ask(votes.mine, actor, view)


def test_the_cards_stand_in_ones_own_order_and_name_no_author(site, ballot):
    world = site.world
    orders = set()
    for person in (world.alice, world.bob, world.ana, world.bea, world.fay, world.cora):
        page = site.of(person).get(f"/ballots/{ballot}/vote").text
        orders.add(tuple(re.findall(r'class="panel vote-card" id="vote-card-(\d+)"', page)))
        assert world.fay.name not in re.search(r"<main.*</main>", page, re.DOTALL)[0]
    assert len(orders) > 1
    assert {tuple(sorted(order)) for order in orders} == {tuple(sorted(keys(world, ballot)))}


@pytest.mark.parametrize("instead", ["none", "abstain"])
@pytest.mark.parametrize("method", CHOICES)
def test_none_of_these_and_abstaining_are_choices_of_every_method(site, method, instead):
    world = site.world
    alice, ballot = site.of(world.alice), world.ballot(method)
    form = filled(world, ballot, CHOICES[method][0]) | {"instead": instead}
    review = alice.post(f"/ballots/{ballot}/vote/review", form)
    assert ("None of these." if instead == "none" else "I abstain.") in texts(review)
    alice.post(f"/ballots/{ballot}/vote", form)
    assert vote_of(world, world.alice, ballot).choice == {instead: True}
    again = texts(alice.get(f"/ballots/{ballot}/vote"))
    assert ("A vote that supports no solution." if instead == "none" else "You take part, and leave") in again


@pytest.mark.parametrize("method", CHOICES)
def test_who_has_voted_finds_it_filled_in_and_replaces_it(site, method):
    world = site.world
    alice, ballot = site.of(world.alice), world.ballot(method)
    form = filled(world, ballot, CHOICES[method][0])
    first = alice.post(f"/ballots/{ballot}/vote", form)
    page = alice.get(f"/ballots/{ballot}/vote")
    assert "Your vote now" in texts(page)
    assert "Take my vote back" in texts(page)
    choice = vote_of(world, world.alice, ballot).choice
    sent = _as_browsers_send(page.text)
    second = alice.post(f"/ballots/{ballot}/vote", sent)
    assert "The old receipt is void" in texts(second)
    assert code_of(second) != code_of(first)
    assert vote_of(world, world.alice, ballot).choice == choice


def _as_browsers_send(page):
    """The answers of the form as it stands."""
    form = re.search(r'<form class="vote".*?</form>', page, re.DOTALL)[0]
    found = {}
    for tag in re.findall(r"<input[^>]*>", form):
        name, value = (re.search(rf' {which}="([^"]*)"', tag) for which in ("name", "value"))
        if name and name[1].startswith("at-") and ('type="radio"' not in tag or " checked" in tag):
            found[name[1]] = value[1]
    for name, options in re.findall(r'<select[^>]* name="(at-\w+)"[^>]*>(.*?)</select>', form, re.DOTALL):
        found[name] = (re.findall(r'value="([^"]*)" selected', options) or [""])[0]
    return found


def test_a_vote_is_taken_back(site, alice, ballot):
    alice.post(f"/ballots/{ballot}/vote", filled(site.world, ballot, ["yes", "", ""]))
    answer = alice.post(f"/ballots/{ballot}/vote/withdrawal")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/ballots/{ballot}/vote")
    assert vote_of(site.world, site.world.alice, ballot) is None
    assert "Your vote now" not in texts(alice.get(f"/ballots/{ballot}/vote"))


def test_the_address_of_the_review_alone_leads_to_the_form(alice, ballot):
    answer = alice.get(f"/ballots/{ballot}/vote/review")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/ballots/{ballot}/vote")


def test_change_leads_back_to_what_was_chosen(site, alice, ballot):
    form = filled(site.world, ballot, ["yes", "no", ""])
    page = alice.post(f"/ballots/{ballot}/vote/review", form | {"again": "1"})
    assert page.status_code == 200
    assert _as_browsers_send(page.text) == form


@pytest.mark.parametrize(
    ("method", "answers", "message"),
    [
        ("approval", ["no", "no", ""], "Choose at least one solution, or say none of these."),
        ("approval", ["", "", ""], "Choose at least one solution, or say none of these."),
        ("score", ["6", "1", ""], "Give a whole number from 0 to 5."),
        ("score", ["", "", ""], "Give a number to at least one solution, or say none of these."),
        ("ranked", ["", "", ""], "Rank at least one solution, or say none of these."),
        ("ranked", ["first", "2", ""], "Choose a place from the list: 1 for the best."),
        ("ranked", ["0", "2", ""], "Choose a place from the list: 1 for the best."),
        ("points", ["7", "4", ""], "You have given 11 points, but there are 10. Take some away."),
        ("points", ["-1", "4", ""], "Give a whole number, 0 or more."),
        ("points", ["1.5", "4", ""], "Give a whole number, 0 or more."),
        ("quadratic", ["3", "2", ""], "Your votes cost 13 credits, but there are 10. Take some votes away."),
        ("budget", ["yes", "yes", "yes"], "costs 60, but there is only 50. Leave something out."),
    ],
)
@pytest.mark.parametrize("step", ["vote/review", "vote"])
def test_what_cannot_be_counted_comes_back_as_it_was_typed(site, method, answers, message, step):
    world = site.world
    alice, ballot = site.of(world.alice), world.ballot(method)
    form = filled(world, ballot, answers)
    answer = alice.post(f"/ballots/{ballot}/{step}", form)
    assert answer.status_code == 422
    assert message in texts(answer)
    kept = _as_browsers_send(answer.text)
    shown = {name: value for name, value in form.items() if value not in ("6", "first", "0")}
    assert {name: kept[name] for name in shown} == shown
    assert vote_of(world, world.alice, ballot) is None


def test_the_field_that_is_wrong_is_named_and_marked(site):
    world = site.world
    ballot = world.ballot("score")
    key = keys(world, ballot)[0]
    answer = site.of(world.alice).post(f"/ballots/{ballot}/vote/review", {f"at-{key}": "9"})
    assert f'<a href="#field-at-{key}">One form, once: Give a whole number from 0 to 5.</a>' in answer.text
    assert (
        f'id="field-at-{key}" tabindex="-1" aria-describedby="error-at-{key}" aria-invalid="true"'
        in answer.text
    )


def test_a_gap_between_places_is_no_error_and_a_tie_is_said(site):
    world = site.world
    alice, ballot = site.of(world.alice), world.ballot("ranked")
    first, second, third = keys(world, ballot)
    form = {f"at-{first}": "4", f"at-{second}": "2", f"at-{third}": "4", "at-none": "3"}
    alice.post(f"/ballots/{ballot}/vote", form)
    choice = vote_of(world, world.alice, ballot).choice
    assert choice == {"ranking": [[second], ["none"], sorted([first, third])]}


def test_unknown_and_doubled_solutions_are_named(site, alice, ballot):
    first = keys(site.world, ballot)[0]
    unknown = alice.post(f"/ballots/{ballot}/vote", {"at-999": "yes"})
    assert (unknown.status_code, "999 is not a solution on this ballot." in texts(unknown)) == (422, True)
    for step in ("vote", "vote/review"):
        doubled = alice.post(f"/ballots/{ballot}/{step}", {f"at-{first}": ["yes", "no"]})
        assert doubled.status_code == 422
        assert "One form, once is named twice; name it once." in texts(doubled)
    assert vote_of(site.world, site.world.alice, ballot) is None


def test_ten_thousand_entries_are_refused(site, alice, ballot):
    form = {f"at-{number}": "yes" for number in range(10_000)}
    assert alice.post(f"/ballots/{ballot}/vote", form).status_code in (400, 413)
    assert vote_of(site.world, site.world.alice, ballot) is None


@pytest.mark.parametrize("step", ["vote/review", "vote"])
def test_after_the_end_what_was_chosen_is_shown_and_does_not_count(site, alice, ballot, step):
    form = filled(site.world, ballot, ["yes", "", ""])
    site.world.close_now(ballot)
    answer = alice.post(f"/ballots/{ballot}/{step}", form)
    assert answer.status_code == 409
    said = texts(answer)
    assert "What you had chosen" in said
    assert "One form, once" in said
    assert "It was not sent, so it does not count." in said
    assert '<form class="vote"' not in answer.text


@pytest.mark.parametrize(
    ("name", "said"),
    [("olga", "Observers follow a ballot"), ("bob", "Your sector does not vote here.")],
)
def test_who_may_not_vote_is_told_before_anything_is_filled_in(site, name, said):
    world = site.world
    actor, ballot = getattr(world, name), world.ballot(sectors=["public"])
    browser = site.of(actor)
    page = browser.get(f"/ballots/{ballot}/vote")
    assert page.status_code == 200
    assert said in texts(page)
    assert '<form class="vote"' not in page.text
    answer = browser.post(f"/ballots/{ballot}/vote", filled(world, ballot, ["yes", "", ""]))
    assert answer.status_code == 403


def test_a_stranger_finds_nothing_and_nobody_signs_in_first(site, ballot):
    paths = ("vote", "result", "result/sheet", "result.csv", "log", "receipt")
    charlie = site.of(site.world.charlie)
    for path in paths:
        assert charlie.get(f"/ballots/{ballot}/{path}").status_code == 404
        assert site.nobody.get(f"/ballots/{ballot}/{path}").status_code == 303
    for path in ("vote", "vote/review", "vote/withdrawal", "receipt/file"):
        assert charlie.post(f"/ballots/{ballot}/{path}", {"at-1": "yes"}).status_code == 404
    assert site.nobody.post(f"/ballots/{ballot}/vote", {"at-1": "yes"}).status_code in (303, 401, 403)


def test_a_ballot_that_is_not_open_yet_says_when(site, alice):
    ballot = site.world.ballot(opens_at=clock.now() + timedelta(days=1))
    page = alice.get(f"/ballots/{ballot}/vote")
    assert "Voting opens" in texts(page)
    assert '<form class="vote"' not in page.text


def test_the_receipt_stands_in_no_address_and_can_be_kept_as_a_file(site, alice, ballot):
    answer = alice.post(f"/ballots/{ballot}/vote", filled(site.world, ballot, ["yes", "", ""]))
    code = code_of(answer)
    for address in re.findall(r'(?:href|action|src)="([^"]*)"', answer.text):
        assert code not in address
    fields = dict(
        re.findall(r'<input type="hidden" name="(code|signature|choice)" value="([^"]*)"', answer.text)
    )
    fields = {name: html.unescape(value) for name, value in fields.items()}
    file = alice.post(f"/ballots/{ballot}/receipt/file", fields)
    assert file.status_code == 200
    assert file.headers["content-disposition"] == f'attachment; filename="receipt-{ballot}.txt"'
    assert file.headers["cache-control"] == "no-store"
    assert file.headers["content-type"].startswith("text/plain")
    assert code in file.text
    assert fields["signature"] in file.text
    site.world.do(lambda tx: tx.execute(text("UPDATE person SET language = 'sl'")))
    slovene = site.of(site.world.alice).post(f"/ballots/{ballot}/receipt/file", fields).text
    assert slovene.startswith("Potrdilo o glasu: ")
    assert code in slovene
    for changed in (
        {"code": "K" + code[1:]},
        {"choice": '{"none":true}'},
        {"signature": "zz"},
        {"choice": "["},
    ):
        assert alice.post(f"/ballots/{ballot}/receipt/file", fields | changed).status_code == 422
    other = site.world.ballot()
    assert alice.post(f"/ballots/{other}/receipt/file", fields).status_code == 422


def test_what_people_wrote_is_shown_and_never_run(site):
    world = site.world
    hostile = "<img src=x onerror=alert(1)>"
    ballot = world.ballot(
        "ranked", [world.solution(hostile), world.solution('"><script>1</script>')], title=hostile
    )
    alice = site.of(world.alice)
    form = filled(world, ballot, ["1", "1"])
    pages = [
        alice.get(f"/ballots/{ballot}/vote"),
        alice.post(f"/ballots/{ballot}/vote/review", form),
        alice.post(f"/ballots/{ballot}/vote", form),
        alice.post(f"/ballots/{ballot}/vote", {f"at-{hostile}": "1"}),
    ]
    for page in pages:
        assert "<img" not in page.text
        assert "<script>" not in page.text


def test_a_vote_costs_the_same_few_statements_whatever_its_page_shows(site, alice, ballot):
    form = filled(site.world, ballot, ["yes", "", ""])
    costs = []
    for _ in range(3):
        with site.statements() as seen:
            assert alice.post(f"/ballots/{ballot}/vote", form).status_code == 200
        costs.append(len(seen))
        writes = [one for one in seen if not one.startswith("SELECT")]
        assert len(writes) <= 4, writes
    assert costs[1] == costs[2] <= 9
    for path in ("vote", "receipt"):
        with site.statements() as seen:
            alice.get(f"/ballots/{ballot}/{path}")
        assert len(seen) <= 8, path
