"""Matches on pages: from wishes to a run, a plan, another to compare, and why, for each person."""

import re

import pytest

from app.integrations import queue
from app.jobs import matches as job
from app.jobs.workplace import Workplace
from app.services import match_publishing, matches, wishes
from app.services.wishes import WishView

PAGE = 8


@pytest.fixture(autouse=True)
def line(database_url):
    queue.migrate(database_url)


@pytest.fixture
def placement(site):
    """One place, for which Bob and Bea wish."""
    world = site.world
    world.rules(approvals=(), checklist=())
    made = world.placement(periods=[world.period(places=1)])
    for guest in (world.bob, world.bea):
        world.do(wishes.state, guest, world.programme, wishes=[WishView(placement_id=made)])
    return made


def form(site, **values):
    first, last = site.world.week(-3)[0], site.world.week(10)[1]
    days = {"first_day": first.isoformat(), "last_day": last.isoformat()}
    return {"name": "Spring", "aim": "most", "seed": "3", **days, **values}


def run(site, **values):
    """Start a run from the page and do it; its id."""
    answer = site.of(site.world.cora).post("/exchanges/matches", form(site, **values))
    assert answer.status_code == 303, answer.text
    match = int(answer.headers["location"].rpartition("/")[2])
    place = Workplace(site.world.database, "http://testserver", "no-reply@board.test", None)
    job.run(place, match_id=match)
    return match


def names(site, match):
    plan = site.world.ask(matches.find, site.world.cora, match).plan
    return {stay["person"] for stay in plan["stays"]}


# wishes


def test_wishes_are_stated_on_a_form_and_stand_in_it_again(site, placement):
    world = site.world
    period = world.periods(placement)[0].id
    only = [WishView(placement_id=placement, period_id=period)]
    world.do(wishes.state, world.bob, world.programme, wishes=only)
    bob = site.of(world.bob)
    page = bob.get("/exchanges/wishes").text
    assert f'value="placement-{placement}" selected' in page
    answer = bob.post(
        "/exchanges/wishes",
        {
            "wish_0": f"placement-{placement}",
            "period_0": f"{placement}-{period}",
            "wish_2": "competency-Law",
            "first_day_2": "2027-01-01",
            "away_first_0": "2027-02-01",
            "away_last_0": "2027-02-05",
            "offers_desk": "1",
        },
    )
    assert answer.status_code == 303
    kept = world.ask(wishes.of_person, world.bob, world.programme_id)
    assert [wish.competency for wish in kept.wishes] == [None, "Law"]
    assert kept.wishes[0].period_id == period, "a wish for one week stays one"
    assert (len(kept.unavailable), kept.offers_desk) == (1, True)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"wish_1": "placement-999"}, "wish_1"),
        ({"wish_0": "organisation-x"}, "wish_0"),
        ({"wish_0": "competency-Law", "first_day_0": "soon"}, "first_day_0"),
        (
            {"wish_0": "competency-Law", "away_first_0": "2027-02-05", "away_last_0": "2027-02-01"},
            "away_last_0",
        ),
    ],
)
def test_what_cannot_be_wished_is_named_beside_its_field(site, placement, given, field):
    answer = site.of(site.world.bob).post("/exchanges/wishes", {"offers_desk": "1", **given})
    assert answer.status_code == 422
    assert f'id="error-{field}"' in answer.text
    assert 'name="offers_desk" value="1" checked' in answer.text


def test_hosts_number_whom_they_would_rather_have(site, placement):
    world = site.world
    hana = site.of(world.hana)
    path = f"/placements/{placement}/preferences"
    one, two = world.bob.person_id, world.bea.person_id
    assert hana.get(path).status_code == 200
    for wrong in ({f"rank_{one}": "1", f"rank_{two}": "1"}, {f"rank_{one}": "first"}):
        answer = hana.post(path, wrong)
        assert answer.status_code == 422
        assert "Please give each number once" in answer.text
    assert hana.post(path, {f"rank_{one}": "2", f"rank_{two}": "1"}).status_code == 303
    assert re.search(rf'name="rank_{two}"[^>]* value="1"', hana.get(path).text)
    assert site.of(world.bob).get(path).status_code == 403


# runs


def test_a_run_says_how_far_it_is_and_can_be_cancelled(site, placement):
    cora = site.of(site.world.cora)
    answer = cora.post("/exchanges/matches", form(site))
    path = answer.headers["location"]
    page = cora.get(path).text
    assert "The run is on its way" in page
    assert cora.post(f"{path}/cancellation").status_code == 303
    assert "This run was cancelled." in cora.get(path).text


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"first_day": "2027-02-05", "last_day": "2027-02-01"}, "The last day is before the first one."),
        ({"first_day": ""}, "Please write the day like 2026-05-04."),
        ({"first_day": "0001-01-01", "last_day": "9999-12-31"}, "Please write the day like 2026-05-04."),
        ({"seed": "999999999999999"}, "Please give a whole number from 1 to"),
        ({"aim": "best"}, "Please choose one of the list."),
        ({"pins": ["1 nothing"]}, "Please name offers as the plan names them."),
    ],
)
def test_a_run_that_cannot_be_is_refused_and_what_was_typed_stays(site, placement, given, said):
    answer = site.of(site.world.cora).post("/exchanges/matches", form(site, **given))
    assert answer.status_code == 422
    assert said in answer.text
    assert 'value="Spring"' in answer.text


def test_what_is_kept_and_what_is_ruled_out_makes_another_plan_to_compare(site, placement):
    world = site.world
    cora = site.of(world.cora)
    one = run(site)
    page = cora.get(f"/matches/{one}").text
    key = re.search(r'name="pins" value="\d+ ([^"]+)"', page)[1]
    (served,) = names(site, one)
    other = next(each.person_id for each in (world.bob, world.bea) if each.person_id != served)
    two = run(site, pins=[f"{other} {key}"])
    assert names(site, two) == {other}
    compared = cora.get(f"/matches/{one}/compare/{two}").text
    assert "2 people go elsewhere" in compared
    refused = cora.post("/exchanges/matches", form(site, pins=[f"{served} {key}", f"{other} {key}"]))
    assert refused.status_code == 422
    assert "which has places for 1" in refused.text


def test_what_no_plan_can_do_is_said_in_words_on_the_page_of_the_run(site, placement):
    world = site.world
    one = run(site)
    key = re.search(r'name="pins" value="\d+ ([^"]+)"', site.of(world.cora).get(f"/matches/{one}").text)[1]
    answer = site.of(world.cora).post("/exchanges/matches", form(site, pins=[f"{world.bob.person_id} {key}"]))
    match = int(answer.headers["location"].rpartition("/")[2])
    world.do(wishes.withdraw, world.bob, world.programme)
    place = Workplace(world.database, "http://testserver", "no-reply@board.test", None)
    assert job.run(place, match_id=match) == "impossible"
    page = site.of(world.cora).get(f"/matches/{match}")
    assert page.status_code == 200
    assert "Bob Kos is to be kept in the plan" in page.text


def test_a_published_plan_is_offered_and_each_reads_why(site, placement):
    world = site.world
    match = run(site)
    cora = site.of(world.cora)
    assert site.of(world.bob).get(f"/matches/{match}/mine").status_code == 404, "not published"
    assert cora.post(f"/matches/{match}/publication").status_code == 303
    answer = cora.post(f"/matches/{match}/publication")
    assert answer.status_code == 409
    assert "This plan is published already." in answer.text
    (served,) = names(site, match)
    for actor in (world.bob, world.bea):
        page = site.of(actor).get(f"/matches/{match}/mine")
        assert page.status_code == 200
        said = "your wish number 1, of 1" if actor.person_id == served else "All places went to others"
        assert said in page.text
        assert site.of(actor, "sl").get(f"/matches/{match}/mine").status_code == 200
    left = world.bea if served == world.bob.person_id else world.bob
    assert f"/matches/{match}/mine" in site.of(left).get("/me").text
    for actor in (world.alice, world.cora, world.charlie):
        assert site.of(actor).get(f"/matches/{match}/mine").status_code == 404


def test_what_could_not_be_kept_is_shown_to_both(site, placement):
    world = site.world
    match = run(site)
    (served,) = names(site, match)
    guest = world.bob if served == world.bob.person_id else world.bea
    world.do(wishes.declare_conflict, guest, world.programme, organisation_id=world.organisations["public"])
    world.do(match_publishing.publish, world.cora, match)
    assert "it was no longer possible" in site.of(world.cora).get(f"/matches/{match}").text
    assert "this was no longer possible" in site.of(guest).get(f"/matches/{match}/mine").text


def test_runs_are_for_coordinators_and_reading_costs_little(site, placement):
    world = site.world
    one, two = run(site), run(site, aim="stable")
    paths = (f"/matches/{one}", f"/matches/{one}/compare/{two}", "/exchanges/matches", "/exchanges/wishes")
    cora = site.of(world.cora)
    for path in paths:
        cora.get(path)
        with site.statements() as seen:
            assert cora.get(path).status_code == 200, path
        assert len(seen) <= PAGE, path
    for actor in (world.bob, world.hana, world.olga, world.charlie):
        for path in paths[:2]:
            assert site.of(actor).get(path).status_code == 404
        for what in ("publication", "cancellation"):
            assert site.of(actor).post(f"/matches/{one}/{what}").status_code == 404
