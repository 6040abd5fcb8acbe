"""The pages of solutions: promoting ideas, reading, changing, taking back."""

import html
import re

import pytest

from app.services import solutions

GOOD = {
    "title": "One form, once",
    "summary": "**Once**, for all.",
    "cost": "30",
    "carrier": "The ministry",
    "language": "en",
    "link_url_0": "https://example.org/plan",
    "link_title_0": "The plan",
}


@pytest.fixture
def fay(site):
    return site.of(site.world.fay)


def texts(answer):
    return html.unescape(answer.text)


def on_challenge(site):
    return site.world.ask(solutions.on_challenge, site.world.alice, site.world.challenge_id)


def test_a_facilitator_makes_a_solution_of_an_idea(site, fay):
    world = site.world
    idea = world.idea(title="Ask me once <b>")
    challenge = f"/challenges/{world.challenge_id}"
    assert f"{challenge}/solutions/new?idea={idea}" in fay.get(f"/ideas/{idea}").text
    form = fay.get(f"{challenge}/solutions/new?idea={idea}")
    assert 'value="Ask me once &lt;b&gt;"' in form.text
    assert re.search(rf'name="idea_ids" value="{idea}" checked', form.text)
    answer = fay.post(f"{challenge}/solutions", GOOD | {"idea_ids": [str(idea)]})
    assert answer.status_code == 303
    page = site.of(world.bob).get(answer.headers["location"])
    assert "<strong>Once</strong>" in page.text
    for shown in (
        "One form, once",
        "The ministry",
        "The plan",
        "https://example.org/plan",
        "Ask me once <b>",
    ):
        assert shown in texts(page)
    index = site.of(world.bob).get(f"{challenge}/solutions")
    assert "One form, once" in texts(index)
    assert f'href="/ideas/{idea}"' in index.text


def test_the_most_supported_ideas_are_offered_first(site, fay):
    from app.services import support

    world = site.world
    liked, newer = world.idea(title="Liked"), world.idea(title="Newer")
    world.do(support.give, world.bob, liked)
    page = fay.get(f"/challenges/{world.challenge_id}/solutions/new").text
    assert page.index(f'name="idea_ids" value="{liked}"') < page.index(f'name="idea_ids" value="{newer}"')


def test_an_empty_list_offers_the_first_step_to_who_may_take_it(site, fay):
    address = f"/challenges/{site.world.challenge_id}/solutions"
    assert f"{address}/new" in fay.get(address).text
    alice = site.of(site.world.alice).get(address)
    assert "No solution yet." in texts(alice)
    assert f"{address}/new" not in alice.text


def test_who_does_not_moderate_is_not_offered_what_is_refused(site):
    world = site.world
    made, idea = world.solution(), world.idea()
    for actor in (world.alice, world.olga):
        browser = site.of(actor)
        assert "/edit" not in browser.get(f"/solutions/{made}").text
        assert "solutions/new" not in browser.get(f"/ideas/{idea}").text
        assert browser.get(f"/challenges/{world.challenge_id}/solutions/new").status_code == 403
        assert browser.get(f"/solutions/{made}/edit").status_code == 403
        assert browser.post(f"/challenges/{world.challenge_id}/solutions", GOOD).status_code == 403
        assert browser.post(f"/solutions/{made}/edit", GOOD).status_code == 403
        assert browser.post(f"/solutions/{made}/withdrawal").status_code == 403
    assert [solution.title for solution in on_challenge(site)] == ["One form, once"]


def test_signed_out_leads_to_the_sign_in_and_a_stranger_to_nothing(site):
    world = site.world
    made = world.solution()
    charlie = site.of(world.charlie)
    for path in (
        f"/challenges/{world.challenge_id}/solutions",
        f"/solutions/{made}",
        f"/solutions/{made}/edit",
    ):
        assert site.nobody.get(path).headers["location"].startswith("/sign-in?next=")
        assert charlie.get(path).status_code == 404, path
    for path in (
        f"/challenges/{world.challenge_id}/solutions",
        f"/solutions/{made}/edit",
        f"/solutions/{made}/withdrawal",
    ):
        assert charlie.post(path, GOOD).status_code == 404, path
        assert site.nobody.post(path, GOOD).status_code in (303, 401), path


@pytest.mark.parametrize(
    ("bad", "field", "message"),
    [
        ({"title": ""}, "title", "Please write something here."),
        ({"cost": "a lot"}, "cost", "Please give a whole number, 0 or more."),
        ({"cost": "1.5"}, "cost", "Please give a whole number, 0 or more."),
        ({"link_url_0": "example.org"}, "link_url_0", "Please give a whole address"),
        ({"idea_ids": ["999999"]}, "idea_ids", "Please choose ideas that stand on this challenge's board."),
        ({"language": "xx"}, "language", "Please choose one of the languages in the list."),
    ],
)
def test_what_cannot_be_taken_comes_back_named_with_all_that_was_typed(site, fay, bad, field, message):
    answer = fay.post(f"/challenges/{site.world.challenge_id}/solutions", GOOD | {"title": "Kept"} | bad)
    assert answer.status_code == 422
    assert message in texts(answer)
    assert f'href="#field-{field}"' in answer.text
    assert f'id="field-{field}"' in answer.text
    assert "**Once**, for all." in texts(answer)
    assert "The plan" in texts(answer)
    assert on_challenge(site) == []


def test_a_wrong_link_is_marked_where_it_stands_although_room_was_left_before_it(site, fay):
    links = {
        "link_url_0": "",
        "link_title_0": "",
        "link_url_1": "https://example.org/good",
        "link_title_1": "Good",
        "link_url_2": "ftp://example.org",
        "link_title_2": "Bad",
    }
    answer = fay.post(f"/challenges/{site.world.challenge_id}/solutions", GOOD | links)
    wrong = re.search(r'<input[^>]*id="field-link_url_1"[^>]*>', answer.text)[0]
    assert 'value="ftp://example.org"' in wrong
    assert 'aria-invalid="true"' in wrong


def test_an_edit_keeps_what_the_form_does_not_show(site, fay):
    from app.services import moderation

    world = site.world
    shown, hidden = world.idea(title="Shown"), world.idea(title="Hidden")
    links = [{"title": f"Link {number}", "url": f"https://example.org/{number}"} for number in range(7)]
    made = world.solution(idea_ids=[shown, hidden], links=links)
    world.do(moderation.hide, world.fay, hidden, reason="Rude")
    form = fay.get(f"/solutions/{made}/edit").text
    links = re.findall(r'<input[^>]*name="(link_[^"]*)"[^>]*value="([^"]*)"', form)
    sent = {name: html.unescape(value) for name, value in links}
    ideas = re.findall(r'name="idea_ids" value="(\d+)"', form)
    assert set(ideas) == {str(shown), str(hidden)}
    answer = fay.post(
        f"/solutions/{made}/edit", GOOD | sent | {"title": "Changed", "idea_ids": ideas, "version": "1"}
    )
    assert answer.headers["location"] == f"/solutions/{made}"
    view = world.ask(solutions.find, world.alice, made)
    assert (view.title, view.idea_ids, len(view.links)) == ("Changed", (shown, hidden), 7)


def test_an_edit_of_a_version_that_moved_on_comes_back_with_the_text(site, fay):
    world = site.world
    made = world.solution()
    world.do(solutions.change, world.fay, made, title="Second")
    answer = fay.post(f"/solutions/{made}/edit", GOOD | {"title": "Third", "version": "1"})
    assert answer.status_code == 412
    assert "Someone has changed this solution in the meantime." in texts(answer)
    assert 'value="Third"' in answer.text
    assert world.ask(solutions.find, world.alice, made).title == "Second"


def test_a_solution_on_an_open_ballot_says_so_and_stays(site, fay):
    world = site.world
    made = world.solution()
    world.ballot(solutions=[made])
    page = fay.get(f"/solutions/{made}")
    assert "This solution is on a ballot" in texts(page)
    assert f"/solutions/{made}/edit" not in page.text
    assert "on a ballot" in fay.get(f"/challenges/{world.challenge_id}/solutions").text
    answer = fay.post(f"/solutions/{made}/edit", GOOD | {"title": "Better", "version": "1"})
    assert answer.status_code == 409
    assert "what is decided on stands as it is" in texts(answer)
    assert 'value="Better"' in answer.text
    assert fay.post(f"/solutions/{made}/withdrawal").status_code == 409


def test_a_solution_that_was_taken_back_leaves_the_list_and_can_still_be_read(site, fay):
    made = site.world.solution()
    assert fay.post(f"/solutions/{made}/withdrawal").status_code == 303
    assert "This solution was taken back." in texts(fay.get(f"/solutions/{made}"))
    assert on_challenge(site) == []
    assert fay.post(f"/solutions/{made}/withdrawal").status_code == 409


def test_what_people_write_is_text_in_its_language(site, fay):
    hostile = "<script>alert(1)</script>"
    made = site.world.solution(hostile, summary=hostile, carrier=hostile, language="sl")
    for path in (
        f"/solutions/{made}",
        f"/challenges/{site.world.challenge_id}/solutions",
        f"/solutions/{made}/edit",
    ):
        page = fay.get(path).text
        assert "<script>alert" not in page
    assert '<h1 lang="sl">' in fay.get(f"/solutions/{made}").text
