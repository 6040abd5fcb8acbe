"""The pages of ballots: making one with a preview, reading it, and what coordinators do with it."""

import html
import re
from datetime import timedelta

import pytest

from app.lib import clock, i18n
from app.services import ballots, counting, votes

DAY = timedelta(days=1)


@pytest.fixture
def cora(site):
    return site.of(site.world.cora)


@pytest.fixture
def three(site):
    return [
        site.world.solution(title, cost=cost) for title, cost in (("Form", 30), ("Desk", 20), ("Reply", 10))
    ]


def local(**later):
    return i18n.local_input(clock.now() + timedelta(**later))


def good(three, **values):
    usual = {
        "title": "Which one first?",
        "explanation": "We have **money** for one.",
        "language": "en",
        "method": "approval",
        "rule": "",
        "mode": "secret",
        "closes_at": local(days=7),
        "reminder_hours": "24",
        "solutions": [str(each) for each in three],
    }
    return usual | values


def texts(answer):
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", answer.text)))


def making(site):
    return f"/challenges/{site.world.challenge_id}/ballots"


def made(site):
    return site.world.ask(ballots.on_challenge, site.world.cora, site.world.challenge_id)


def found(site, ballot, actor=None):
    return site.world.ask(ballots.find, actor or site.world.cora, ballot)


def hidden_fields(answer):
    """What the preview sends on, as a browser would."""
    fields = {}
    for name, value in re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', answer.text):
        fields.setdefault(name, []).append(html.unescape(value))
    fields.pop("csrf", None)
    return fields


# making


def test_a_ballot_is_seen_before_it_is_made(site, cora, three):
    site.world.people(3, "business")
    preview = cora.post(making(site), good(three, quorum="30", sectors=["public", "business"], preview="1"))
    assert preview.status_code == 200
    assert made(site) == []
    for said in (
        "Which one first?",
        "Public administration 4 people",
        "Business 6 people",
        "What the more sceptical sector carries",
        "at least 30% of those who may vote",
    ):
        assert said in texts(preview), said
    assert "<strong>money</strong>" in preview.text
    answer = cora.post(making(site), hidden_fields(preview) | {"make": "1"})
    assert answer.status_code == 303
    (ballot,) = made(site)
    assert answer.headers["location"] == f"/ballots/{ballot.id}"
    assert (ballot.state, ballot.settings.quorum, ballot.sectors) == ("open", 30, ("public", "business"))
    assert [solution.id for solution in found(site, ballot.id).solutions] == three


def test_enter_in_a_field_shows_the_preview_and_makes_nothing(site, cora, three):
    assert "Is it right like this?" in cora.post(making(site), good(three)).text
    assert made(site) == []


def test_back_from_the_preview_everything_stands_as_typed(site, cora, three):
    values = good(three, method="points", points="7", roles=["participant"], tallies_live="1", mode="open")
    preview = cora.post(making(site), values | {"preview": "1"})
    form = cora.post(making(site), hidden_fields(preview) | {"again": "1"}).text
    for kept in (
        r'name="method" value="points" checked',
        r'name="mode" value="open" checked',
        r'name="roles" value="participant" checked',
        r'name="tallies_live" value="1" checked',
        rf'name="solutions" value="{three[0]}" checked',
        r'name="points" type="number" value="7"',
        r"We have \*\*money\*\* for one\.",
    ):
        assert re.search(kept, form), kept


@pytest.mark.parametrize(
    "case",
    [
        ("approval", {"most": "2"}, "Mark at most 2."),
        ("score", {}, "You give each solution 0 to 5."),
        ("ranked", {}, "which of the two do more people prefer?"),
        ("ranked", {"seats": "2"}, "single transferable vote"),
        ("points", {"points": "7"}, "You have 7 points."),
        ("quadratic", {"points": "16"}, "You have 16 credits."),
        ("budget", {"budget": "50", "unit": "days"}, "Together it may take 50 days at most."),
    ],
)
def test_each_method_can_be_made_and_says_in_plain_words_what_it_does(site, cora, three, case):
    method, numbers, says = case
    answer = cora.post(making(site), good(three, method=method, make="1", **numbers))
    assert answer.status_code == 303, texts(answer)
    assert says in texts(site.of(site.world.alice).get(answer.headers["location"]))


@pytest.mark.parametrize(
    "case",
    [
        ("least_sector", "50", "more than half of the votes in each sector"),
        ("both_sectors", "60", "at least 60% of the votes in each sector"),
        ("bridging", "40", "as if 40% of each sector supported it"),
        ("equal_weight", "50", "more than half of the votes, with each sector weighing the same"),
        ("one_person", "50", "more than half of all votes"),
        ("one_person", "0", "No least support is asked for."),
    ],
)
def test_each_rule_says_in_plain_words_what_it_asks_for(site, cora, three, case):
    rule, threshold, says = case
    answer = cora.post(making(site), good(three, rule=rule, threshold=threshold, make="1"))
    assert says in texts(cora.get(answer.headers["location"]))


@pytest.mark.parametrize(
    "case",
    [
        ({"title": ""}, "title", "Please write something here."),
        ({"solutions": []}, "solutions", "Please choose the solutions that are decided on."),
        ({"solutions": ["x"]}, "solutions", "Please choose solutions of this challenge."),
        ({"roles": ["sponsor"]}, "sectors", "Nobody of the sector “business” may vote."),
        ({"closes_at": "2020-01-01T10:00"}, "closes_at", "Please give an end that lies ahead."),
        ({"closes_at": ""}, "closes_at", "Please say when the ballot closes."),
        ({"closes_at": "soon"}, "closes_at", "Please write the date and time like 2026-05-04T09:30."),
        ({"opens_at": "9999-99-99"}, "opens_at", "Please write the date and time like 2026-05-04T09:30."),
        ({"quorum": "101"}, "quorum", "Give a whole number of per cent from 0 to 100."),
        ({"sector_quorum": "half"}, "sector_quorum", "Give a whole number of per cent from 0 to 100."),
        ({"threshold": "-1"}, "threshold", "Give a whole number of per cent from 0 to 100."),
        ({"seats": "4"}, "seats", "Choose a number of winners from 1 to 3"),
        ({"method": "budget", "unit": "days"}, "budget", "Give a budget: a whole number, 1 or more."),
        ({"method": "dice"}, "method", "Choose one of these methods"),
        ({"mode": ""}, "mode", "Please choose secret or open."),
        ({"rule": "equal_split"}, "rule", "For this method choose one of these rules"),
        ({"organisations": ["999999"]}, "organisations", "Please choose organisations of this programme."),
        ({"reminder_hours": "721"}, "reminder_hours", "Please give 0 to 720 hours."),
    ],
)
def test_what_cannot_be_made_comes_back_named_with_all_that_was_typed(site, cora, three, case):
    bad, field, message = case
    for button in ("preview", "make"):
        answer = cora.post(making(site), good(three, **bad) | {button: "1"})
        assert answer.status_code == 422
        assert message in texts(answer)
        assert f'href="#field-{field}"' in answer.text
        assert f'id="field-{field}"' in answer.text
        assert "We have **money** for one." in texts(answer)
    assert made(site) == []


def test_it_closes_after_it_opens(site, cora, three):
    answer = cora.post(making(site), good(three, opens_at=local(days=3), closes_at=local(days=2), make="1"))
    assert answer.status_code == 422
    assert "Please let the ballot close after it opens." in texts(answer)


def test_numbers_of_another_method_are_not_looked_at(site, cora, three):
    values = good(three, method="score", budget="x", points="x", least="9", make="1")
    assert cora.post(making(site), values).status_code == 303


def test_without_solutions_the_form_leads_to_them(site, cora):
    page = cora.get(f"{making(site)}/new")
    assert "There is no solution to decide on yet." in texts(page)
    assert f"/challenges/{site.world.challenge_id}/solutions" in page.text


def test_only_coordinators_and_sponsors_are_offered_to_make_one(site, three):
    world = site.world
    board = f"/challenges/{world.challenge_id}"
    for actor in (world.alice, world.fay, world.olga):
        browser = site.of(actor)
        assert f"{board}/ballots/new" not in browser.get(board).text
        assert browser.get(f"{board}/ballots/new").status_code == 403
        assert browser.post(f"{board}/ballots", good(three, make="1")).status_code == 403
    sam = site.of(world.sam)
    assert f"{board}/ballots/new" in sam.get(board).text
    assert sam.post(f"{board}/ballots", good(three, make="1")).status_code == 303


def test_signed_out_leads_to_the_sign_in_and_a_stranger_to_nothing(site, three):
    world = site.world
    ballot = world.ballot(solutions=three)
    charlie = site.of(world.charlie)
    for path in (
        f"/ballots/{ballot}",
        f"/ballots/{ballot}/edit",
        f"/ballots/{ballot}/extension",
        f"/ballots/{ballot}/closure",
        f"{making(site)}/new",
    ):
        assert site.nobody.get(path).headers["location"].startswith("/sign-in?next="), path
        assert charlie.get(path).status_code == 404, path
    for path in ("edit", "cancellation", "extension", "closure", "reminder", "interests"):
        data = good(three, reason="x", closes_at=local(days=9), solution_id=str(three[0]), statement="x")
        assert charlie.post(f"/ballots/{ballot}/{path}", data).status_code == 404, path
        assert site.nobody.post(f"/ballots/{ballot}/{path}", data).status_code in (303, 401), path
    assert charlie.post(making(site), good(three, make="1")).status_code == 404
    assert found(site, ballot).version == 1


# changing


def test_before_it_opens_a_ballot_changes_by_the_same_form(site, cora, three):
    ballot = site.world.ballot(solutions=three, opens_at=clock.now() + DAY, numbers={"quorum": 20})
    page = cora.get(f"/ballots/{ballot}")
    assert f"/ballots/{ballot}/edit" in page.text
    form = cora.get(f"/ballots/{ballot}/edit").text
    assert 'name="quorum" type="number" value="20"' in form
    assert 'name="version" value="1"' in form
    values = good(three, opens_at=local(days=2), version="1", method="score")
    preview = cora.post(f"/ballots/{ballot}/edit", values)
    assert "Save the ballot" in preview.text
    assert found(site, ballot).method == "approval"
    answer = cora.post(f"/ballots/{ballot}/edit", hidden_fields(preview) | {"make": "1"})
    assert answer.headers["location"] == f"/ballots/{ballot}"
    assert found(site, ballot).method == "score"


def test_a_changed_rule_after_opening_is_refused_with_what_was_typed(site, cora, three):
    ballot = site.world.ballot(solutions=three)
    assert f"/ballots/{ballot}/edit" not in cora.get(f"/ballots/{ballot}").text
    assert "nothing of it can change any more" in texts(cora.get(f"/ballots/{ballot}/edit"))
    answer = cora.post(f"/ballots/{ballot}/edit", good(three, rule="one_person", version="1", make="1"))
    assert answer.status_code == 409
    assert "This ballot has opened, so nothing of it can change any more." in texts(answer)
    assert found(site, ballot).rule == "least_sector"


def test_a_change_of_a_version_that_moved_on_comes_back(site, cora, three):
    ballot = site.world.ballot(solutions=three, opens_at=clock.now() + DAY)
    values = good(three, opens_at=local(days=2), version="1", make="1")
    assert cora.post(f"/ballots/{ballot}/edit", values).status_code == 303
    answer = cora.post(f"/ballots/{ballot}/edit", values | {"title": "Mine"})
    assert answer.status_code == 412
    assert "Someone has changed this ballot in the meantime." in texts(answer)
    assert 'value="Mine"' in answer.text


def test_a_ballot_is_taken_back_before_it_opens_and_says_so(site, cora, three):
    ballot = site.world.ballot(solutions=three, opens_at=clock.now() + DAY)
    for _ in range(2):
        assert cora.post(f"/ballots/{ballot}/cancellation").status_code == 303
    assert "This ballot was taken back before it opened." in texts(cora.get(f"/ballots/{ballot}"))
    opened = site.world.ballot(solutions=three)
    assert cora.post(f"/ballots/{opened}/cancellation").status_code == 409


# reading


def test_a_ballot_says_first_whether_one_may_vote_and_why_not(site, three):
    world = site.world
    ballot = world.ballot(solutions=three, sectors=["public"])
    later = world.ballot(solutions=three, opens_at=clock.now() + DAY)
    for actor, address, says in (
        (world.alice, ballot, "You may vote here. One vote each."),
        (world.bob, ballot, "You do not vote here. Your sector does not vote here."),
        (world.olga, ballot, "Observers follow a ballot and check its result; they do not vote."),
        (world.alice, later, "You may vote here. Voting opens"),
    ):
        page = site.of(actor).get(f"/ballots/{address}")
        assert says in texts(page)
        offered = f"/ballots/{address}/vote" in page.text
        assert offered == (actor is world.alice and address == ballot), actor.name


def test_who_has_voted_can_change_it(site, three):
    world = site.world
    ballot = world.ballot(solutions=three)
    world.do(votes.cast, world.alice, ballot, {"approved": [str(three[0])]})
    page = site.of(world.alice).get(f"/ballots/{ballot}")
    assert "Your vote is in." in texts(page)
    assert "Change my vote" in texts(page)


def test_a_ballot_tells_its_solutions_with_their_cost_in_its_unit(site, three):
    ballot = site.world.ballot(solutions=three, unit="days")
    page = texts(site.of(site.world.alice).get(f"/ballots/{ballot}"))
    for said in ("Form", "30 days", "Desk", "20 days", "Reply", "10 days", "What decides a tie"):
        assert said in page


def test_a_closed_ballot_says_that_it_is_counted_and_then_leads_to_the_result(site, three):
    world = site.world
    ballot = world.ballot(solutions=three)
    world.close_now(ballot)
    alice = site.of(world.alice)
    page = alice.get(f"/ballots/{ballot}")
    assert "The votes are being counted" in texts(page)
    assert f"/ballots/{ballot}/vote" not in page.text
    counting.finish(world.database, ballot, "http://testserver")
    page = alice.get(f"/ballots/{ballot}")
    assert f'href="/ballots/{ballot}/result"' in page.text
    assert f"/ballots/{ballot}/vote" not in page.text


def test_a_live_tally_shows_support_by_sector_where_votes_are_open(site, three):
    world = site.world
    people = world.people(5, "public") + world.people(5, "business")
    ballot = world.ballot(solutions=three, tallies_live=True, mode="open")
    alice = site.of(world.alice)
    assert "Support is shown here as votes come in" in texts(alice.get(f"/ballots/{ballot}"))
    for person in people[:-1]:
        world.do(votes.cast, person, ballot, {"approved": [str(three[0])]})
    world.do(votes.cast, people[-1], ballot, {"approved": [str(three[1])]})
    counting.refresh(world.database, ballot)
    page = alice.get(f"/ballots/{ballot}")
    assert "5 of 5" in texts(page)
    assert "4 of 5" in texts(page)


# what coordinators do


def test_an_extension_with_its_reason_is_shown_to_all(site, cora, three):
    ballot = site.world.ballot(solutions=three)
    assert cora.get(f"/ballots/{ballot}/extension").status_code == 200
    for bad, message in (
        ({"reason": "", "closes_at": local(days=9)}, "Please write something here."),
        ({"reason": "Holidays", "closes_at": local(days=1)}, "later than the present one"),
        ({"reason": "Holidays", "closes_at": "later"}, "Please write the date and time"),
    ):
        answer = cora.post(f"/ballots/{ballot}/extension", bad)
        assert answer.status_code == 422
        assert message in texts(answer)
        assert bad["reason"] in texts(answer)
    assert (
        cora.post(
            f"/ballots/{ballot}/extension", {"reason": "Holidays", "closes_at": local(days=9)}
        ).status_code
        == 303
    )
    page = texts(site.of(site.world.olga).get(f"/ballots/{ballot}"))
    assert "Cora Golob moved the end from" in page
    assert "“Holidays”" in page


def test_an_early_closure_has_a_reason_and_is_counted_at_once(site, cora, three):
    world = site.world
    ballot = world.ballot(solutions=three)
    world.do(votes.cast, world.alice, ballot, {"approved": [str(three[0])]})
    assert cora.get(f"/ballots/{ballot}/closure").status_code == 200
    assert cora.post(f"/ballots/{ballot}/closure", {"reason": " "}).status_code == 422
    assert found(site, ballot).state == "open"
    assert cora.post(f"/ballots/{ballot}/closure", {"reason": "All have voted"}).status_code == 303
    assert found(site, ballot).state == "closed"
    page = texts(site.of(world.alice).get(f"/ballots/{ballot}"))
    assert "See the result" in page
    assert "“All have voted”" in page
    again = cora.post(f"/ballots/{ballot}/closure", {"reason": "Again"})
    assert again.status_code == 409
    assert "This ballot is not open." in texts(again)


def test_a_large_ballot_is_left_to_the_worker(site, cora, three, monkeypatch):
    monkeypatch.setattr("app.web.closing.AT_ONCE", 0)
    ballot = site.world.ballot(solutions=three)
    site.world.do(votes.cast, site.world.alice, ballot, {"abstain": True})
    assert cora.post(f"/ballots/{ballot}/closure", {"reason": "Enough"}).status_code == 303
    assert found(site, ballot).state == "counting"
    assert "being counted" in texts(cora.get(f"/ballots/{ballot}"))


def test_a_reminder_is_sent_once_an_hour(site, cora, three):
    ballot = site.world.ballot(solutions=three)
    assert cora.post(f"/ballots/{ballot}/reminder").status_code == 303
    assert "Last reminder" in texts(cora.get(f"/ballots/{ballot}"))
    again = cora.post(f"/ballots/{ballot}/reminder")
    assert again.status_code == 409
    assert "less than an hour ago" in texts(again)


def test_only_coordinators_extend_close_and_remind(site, three):
    world = site.world
    ballot = world.ballot(solutions=three)
    for actor in (world.alice, world.fay, world.sam, world.olga):
        browser = site.of(actor)
        page = browser.get(f"/ballots/{ballot}").text
        for path in ("extension", "closure"):
            assert f"/ballots/{ballot}/{path}" not in page
            assert browser.get(f"/ballots/{ballot}/{path}").status_code == 403
        data = {"reason": "Mine", "closes_at": local(days=9)}
        for path in ("extension", "closure", "reminder"):
            assert browser.post(f"/ballots/{ballot}/{path}", data).status_code == 403
    assert found(site, ballot).version == 1


# interests


def test_a_declared_interest_is_shown_replaced_and_taken_back(site, three):
    world = site.world
    ballot = world.ballot(solutions=three)
    bob, alice = site.of(world.bob), site.of(world.alice)
    address = f"/ballots/{ballot}/interests"
    for statement in ("We would build it.", "My <i>company</i> would build it."):
        data = {"solution_id": str(three[1]), "statement": statement}
        assert bob.post(address, data).headers["location"] == f"/ballots/{ballot}#interests"
    page = alice.get(f"/ballots/{ballot}")
    assert "My &lt;i&gt;company&lt;/i&gt; would build it." in page.text
    assert "We would build it." not in page.text
    assert "Bob Kos" in page.text
    assert bob.post(address, {"solution_id": str(three[1]), "statement": ""}).status_code == 303
    assert "Nobody has declared a stake" in texts(alice.get(f"/ballots/{ballot}"))


def test_an_interest_that_cannot_be_taken_comes_back(site, three):
    world = site.world
    ballot = world.ballot(solutions=three)
    bob = site.of(world.bob)
    answer = bob.post(f"/ballots/{ballot}/interests", {"solution_id": str(three[0]), "statement": "x" * 501})
    assert answer.status_code == 422
    assert "x" * 501 in answer.text
    unknown = bob.post(f"/ballots/{ballot}/interests", {"solution_id": "999999", "statement": "x"})
    assert unknown.status_code == 404
    olga = site.of(world.olga).post(
        f"/ballots/{ballot}/interests", {"solution_id": str(three[0]), "statement": "x"}
    )
    assert olga.status_code == 403
    world.close_now(ballot)
    late = bob.post(f"/ballots/{ballot}/interests", {"solution_id": str(three[0]), "statement": "Late"})
    assert late.status_code == 409


# where it is found


def test_an_open_ballot_waits_on_the_board_the_start_my_page_and_in_the_header(site, three):
    world = site.world
    ballot = world.ballot(solutions=three)
    alice = site.of(world.alice)
    vote = f'href="/ballots/{ballot}/vote"'
    assert vote in alice.get(f"/challenges/{world.challenge_id}").text
    assert f'href="/ballots/{ballot}"' in alice.get("/").text
    mine = alice.get("/me").text
    assert vote in mine
    assert re.search(r'class="waiting"[^>]*>1<', mine)
    world.do(votes.cast, world.alice, ballot, {"none": True})
    assert vote not in alice.get("/me").text
    assert 'class="waiting"' not in alice.get("/").text
    board = alice.get(f"/challenges/{world.challenge_id}")
    assert "You have voted" in texts(board)


def test_a_board_without_ballots_shows_none(site):
    page = site.of(site.world.alice).get(f"/challenges/{site.world.challenge_id}")
    assert "ballots-title" not in page.text


def test_a_board_offers_to_vote_only_to_those_who_may(site, three):
    world = site.world
    ballot = world.ballot(solutions=three, sectors=["public"])
    for actor, offered in ((world.alice, True), (world.bob, False), (world.olga, False)):
        page = site.of(actor).get(f"/challenges/{world.challenge_id}").text
        assert (f'href="/ballots/{ballot}/vote"' in page) == offered, actor.name
        assert f'href="/ballots/{ballot}"' in page


def test_what_people_write_is_text_in_its_language(site, cora, three):
    hostile = "<script>alert(1)</script>"
    ballot = site.world.ballot(solutions=three, title=hostile, explanation=hostile, language="sl")
    for path in (f"/ballots/{ballot}", f"/challenges/{site.world.challenge_id}", "/me", "/"):
        assert "<script>alert" not in cora.get(path).text, path
    assert '<h1 lang="sl">' in cora.get(f"/ballots/{ballot}").text
