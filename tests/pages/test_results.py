"""The result on pages: before and after counting, for each method, its files, and the check of a receipt."""

import csv
import html
import re
from io import StringIO

import pytest
from sqlalchemy import text

from app.integrations import seal
from app.methods import log_check, log_reader
from app.services import ballot_making, ballots, counting, solutions, votes

METHODS = ("approval", "score", "ranked", "points", "quadratic", "budget")


def texts(answer):
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", answer.text)).split())


def choice(method, keys, number):
    """A choice of the method over three solutions: all like the first best, every other one also likes the second."""
    first, second, third = keys
    marked = [first, second] if number % 2 else [first]
    return {
        "approval": {"approved": marked},
        "budget": {"approved": marked},
        "score": {"scores": {first: 5, second: 3, third: 1}},
        "ranked": {"ranking": [[first], [second, third]]},
        "points": {"points": {first: 6, second: 4}},
        "quadratic": {"points": {first: 3, second: 1}},
    }[method]


def voted(world, method="approval", *, each=6, close=True, **draft):
    """A closed ballot on which `each` people of both sectors have voted; their receipts."""
    people = [*world.people(each, "public"), *world.people(each, "business")]
    ballot = world.ballot(method, **draft)
    keys = [solution.key for solution in world.ask(ballots.find, world.cora, ballot).solutions]
    receipts = [
        world.do(votes.cast, person, ballot, choice(method, keys, number))
        for number, person in enumerate(people)
    ]
    if close:
        world.close_now(ballot)
    return ballot, receipts


def count(world, ballot):
    assert counting.finish(world.database, ballot, "https://partnership.example")


@pytest.mark.parametrize("method", METHODS)
def test_each_method_has_its_result_and_its_explanation(site, method):
    world = site.world
    ballot, _ = voted(world, method)
    count(world, ballot)
    page = site.of(world.olga).get(f"/ballots/{ballot}/result")
    assert page.status_code == 200
    said = texts(page)
    assert "Chosen: One form, once" in said
    assert "Support in each sector" in said
    explained = {
        "ranked": "prefer the solution on the left",
        "budget": "By support alone",
    }
    assert explained.get(method, "What each solution got") in said
    assert site.of(world.olga).get(f"/ballots/{ballot}/result/sheet").status_code == 200


def test_before_it_is_counted_the_page_says_when(site):
    world = site.world
    alice = site.of(world.alice)
    ballot, receipts = voted(world, each=1)
    counting_page = alice.get(f"/ballots/{ballot}/result")
    assert "The votes are being counted." in texts(counting_page)
    assert "Look again" in texts(counting_page)
    open_ballot = world.ballot()
    assert "There is no result yet." in texts(alice.get(f"/ballots/{open_ballot}/result"))
    for path in ("log", "result.csv"):
        assert alice.get(f"/ballots/{ballot}/{path}").status_code == 409
    for number in (ballot, open_ballot):
        assert alice.get(f"/ballots/{number}/receipt").status_code == 200
        answer = alice.post(f"/ballots/{number}/receipt", {"code": receipts[0].code})
        assert answer.status_code == 409
        assert "It is in the log" not in texts(answer)


def test_the_log_is_the_file_that_is_verified(site):
    world = site.world
    ballot, receipts = voted(world)
    count(world, ballot)
    answer = site.of(world.olga).get(f"/ballots/{ballot}/log")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-disposition"] == f'attachment; filename="ballot-{ballot}.json"'
    log = log_reader.read(answer.content.decode())
    page = texts(site.of(world.olga).get(f"/ballots/{ballot}/result"))
    root = re.search(r"--root ([0-9a-f]{64})", page)[1]
    assert log_check.check(log, expect_root=root, expect_ballot=ballot) == []
    assert {vote["receipt"] for vote in log.votes} == {receipt.code for receipt in receipts}


def test_the_table_holds_no_formulas(site):
    world = site.world
    named = [world.solution(title, None, 1) for title in ("=1+1", "@sum", "Plain, with č")]
    ballot, _ = voted(world, solutions=named)
    count(world, ballot)
    answer = site.of(world.alice).get(f"/ballots/{ballot}/result.csv")
    assert answer.headers["content-type"].startswith("text/csv")
    assert "attachment" in answer.headers["content-disposition"]
    rows = list(csv.DictReader(StringIO(answer.content.decode("utf-8-sig"))))
    assert sorted(row["title"] for row in rows) == ["'=1+1", "'@sum", "Plain, with č"]
    assert rows[0]["chosen"] == "yes"
    assert (rows[0]["public_votes"], rows[0]["business_votes"]) == ("6", "6")


def test_a_receipt_is_found_in_the_log_and_a_void_one_is_not(site):
    world = site.world
    alice = site.of(world.alice)
    ballot, receipts = voted(world)
    count(world, ballot)
    code = receipts[0].code
    found = alice.post(f"/ballots/{ballot}/receipt", {"code": code.lower().replace("-", " ")})
    assert "It is in the log" in texts(found)
    assert code in texts(found)
    assert re.search(r"It stands in place \d+ of 12", texts(found))
    root = re.search(r"<dt>Root</dt><dd><code>([0-9a-f]{64})</code>", found.text)[1]
    assert root in alice.get(f"/ballots/{ballot}/result").text
    absent = alice.post(f"/ballots/{ballot}/receipt", {"code": seal.new_receipt()})
    assert "It is not in the log." in texts(absent)
    wrong = alice.post(f"/ballots/{ballot}/receipt", {"code": code[:-1] + ("A" if code[-1] != "A" else "B")})
    assert wrong.status_code == 422
    assert "This is no receipt; perhaps a letter is wrong or missing." in texts(wrong)
    assert 'value="' + code[:-1] in wrong.text


def test_a_transferable_vote_is_told_round_by_round(site):
    world = site.world
    ballot, _ = voted(world, "ranked", numbers={"seats": 2, "threshold": 0})
    count(world, ballot)
    said = texts(site.of(world.alice).get(f"/ballots/{ballot}/result"))
    assert "2 places for 12 votes: who reaches 5 is chosen." in said
    assert "Round 1 Chosen: One form, once" in said
    assert "Chosen: One form, once ·" in said


def test_it_says_when_nothing_is_chosen_and_why_and_that_rules_disagree(site):
    world = site.world
    people = [*world.people(8, "public"), *world.people(5, "business")]
    ballot = world.ballot()
    first, second, _ = (solution.key for solution in world.ask(ballots.find, world.cora, ballot).solutions)
    for person in people[:8]:
        world.do(votes.cast, person, ballot, {"approved": [first]})
    for person in people[8:]:
        world.do(votes.cast, person, ballot, {"approved": [second]})
    world.close_now(ballot)
    count(world, ballot)
    said = texts(site.of(world.alice).get(f"/ballots/{ballot}/result"))
    assert "Nothing was chosen." in said
    assert "No solution has the support that is needed." in said
    assert "In Business 0 of 5 votes support it; at least 3 are needed." in said
    assert "The rules disagree:" in said


def test_a_tie_is_told_with_what_decided_it(site):
    world = site.world
    people = [*world.people(5, "public"), *world.people(5, "business")]
    ballot = world.ballot()
    options = [solution.key for solution in world.ask(ballots.find, world.cora, ballot).solutions]
    for person in people:
        world.do(votes.cast, person, ballot, {"approved": options[:2]})
    world.close_now(ballot)
    count(world, ballot)
    said = texts(site.of(world.alice).get(f"/ballots/{ballot}/result"))
    assert "were exactly equal." in said
    assert "by the order that was drawn by lot when the ballot was made" in said


def test_a_small_sector_is_not_told_apart_and_the_page_says_so(site):
    world = site.world
    people = [*world.people(6, "public"), *world.people(2, "business")]
    ballot = world.ballot()
    first = world.ask(ballots.find, world.cora, ballot).solutions[0].key
    for person in people:
        world.do(votes.cast, person, ballot, {"approved": [first]})
    world.close_now(ballot)
    count(world, ballot)
    alice = site.of(world.alice)
    page = alice.get(f"/ballots/{ballot}/result")
    assert "Fewer than five people voted in Business." in texts(page)
    assert "All sectors together" in texts(page)
    assert "of 2" not in texts(page)
    assert alice.get(f"/ballots/{ballot}/result/sheet").status_code == 200
    assert "all_votes" in alice.get(f"/ballots/{ballot}/result.csv").text


def test_a_handful_of_votes_is_kept_back_and_the_page_says_so(site):
    world = site.world
    ballot, receipts = voted(world, each=1)
    count(world, ballot)
    alice = site.of(world.alice)
    assert "Only 2 people voted." in texts(alice.get(f"/ballots/{ballot}/result"))
    absent = alice.post(f"/ballots/{ballot}/receipt", {"code": receipts[0].code})
    assert "fewer than five people voted" in texts(absent)


def test_an_open_ballot_shows_names_beside_votes_and_a_secret_one_none(site):
    world = site.world
    for mode, is_named in (("open", True), ("secret", False)):
        people = [*world.people(6, "public"), *world.people(6, "business")]
        ballot = world.ballot(mode=mode)
        for person in people:
            world.do(votes.cast, person, ballot, {"none": True})
        world.close_now(ballot)
        count(world, ballot)
        said = texts(site.of(world.alice).get(f"/ballots/{ballot}/result"))
        assert ("Who voted how" in said) == is_named
        assert all((person.name in said) == is_named for person in people)


def test_what_was_declared_and_moved_is_shown(site):
    world = site.world
    ballot, _ = voted(world, close=False)
    first = int(world.ask(ballots.find, world.cora, ballot).solutions[0].key)
    world.do(votes.declare_interest, world.bob, ballot, first, statement="We print forms.")
    world.do(ballot_making.close, world.cora, ballot, reason="Everyone has voted.")
    count(world, ballot)
    said = texts(site.of(world.alice).get(f"/ballots/{ballot}/result"))
    assert "Bob Kos , Business House of Here: We print forms." in said
    assert "Cora Golob closed it early" in said
    assert "“Everyone has voted.”" in said


def test_enough_votes_on_enough_solutions_make_a_map(site):
    world = site.world
    people = [*world.people(15, "public"), *world.people(15, "business")]
    made = [world.solution(f"Solution {number}") for number in range(8)]
    ballot = world.ballot(solutions=made)
    options = [str(each) for each in made]
    for number, person in enumerate(people):
        half = options[:4] if number % 2 else options[4:]
        world.do(votes.cast, person, ballot, {"approved": half[: 2 + number % 3]})
    world.close_now(ballot)
    count(world, ballot)
    page = site.of(world.alice).get(f"/ballots/{ballot}/result")
    assert "One possible view" in texts(page)
    assert "What divides" in texts(page)
    assert "map-shape" in page.text


def test_the_result_costs_few_statements_whatever_the_votes(site):
    world = site.world
    alice = site.of(world.alice)
    for each in (5, 9):
        ballot, _ = voted(world, each=each, mode="open")
        count(world, ballot)
        for path in ("result", "result/sheet", "result.csv", "log"):
            alice.get(f"/ballots/{ballot}/{path}")
            with site.statements() as seen:
                alice.get(f"/ballots/{ballot}/{path}")
            assert len(seen) <= 8, (path, seen)


def test_the_result_in_slovene(site):
    world = site.world
    ballot, _ = voted(world)
    count(world, ballot)
    world.do(lambda tx: tx.execute(text("UPDATE person SET language = NULL")))
    for path in ("result", "result/sheet", "vote", "receipt"):
        page = site.of(world.alice, "sl").get(f"/ballots/{ballot}/{path}")
        assert page.status_code == 200
        assert '<html lang="sl">' in page.text


def test_solutions_are_called_as_they_were_when_counted(site):
    world = site.world
    ballot, receipts = voted(world)
    count(world, ballot)
    first = world.ask(ballots.find, world.cora, ballot).solutions[0]
    world.do(solutions.change, world.fay, first.id, title="Quite another thing", version=first.version)
    alice = site.of(world.alice)
    pages = [
        alice.get(f"/ballots/{ballot}/result"),
        alice.get(f"/ballots/{ballot}/result/sheet"),
        alice.get(f"/ballots/{ballot}/result.csv"),
        alice.post(f"/ballots/{ballot}/receipt", {"code": receipts[0].code}),
    ]
    for page in pages:
        assert "One form, once" in page.text
        assert "Quite another thing" not in page.text
