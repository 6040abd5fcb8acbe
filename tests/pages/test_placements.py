"""The pages of placements: finding one, offering one, reviewing, changing, taking back."""

import html
import re
from datetime import date, timedelta

import pytest

from app.lib import clock, i18n
from app.services import asking, bookings, placements

PAGE = 8


def texts(answer):
    return html.unescape(re.sub(r"\s+", " ", answer.text))


def form(world, **values):
    """A placement as a form sends it, with one week."""
    first_day, last_day = world.week()
    return {
        "title": "A week in public procurement",
        "description": "**You** see how we buy.",
        "language": "en",
        "competencies": "Procurement\n\nTenders",
        "spoken": "sl, en",
        "place": "Ljubljana",
        "open_to": "other",
        "least_days": "1",
        "most_days": "5",
        "contact_id": str(world.hana.person_id),
        "organisation_id": str(world.organisations["public"]),
        "first_day_0": first_day.isoformat(),
        "last_day_0": last_day.isoformat(),
        "places_0": "2",
        **values,
    }


def held_values(page):
    """What the fields of a form hold, by their names."""
    return dict(re.findall(r'<input[^>]*name="([^"]+)"[^>]*value="([^"]*)"', page.text))


def ask(world, actor, placement_id):
    return world.do(asking.ask, actor, placement_id, period_id=world.periods(placement_id)[0].id)


def days_of(world, number=0):
    return i18n.days(*world.week(number), "en")


# finding


def test_a_member_finds_what_is_published(site):
    world = site.world
    offered = world.placement(title="Buying <well>", place="Maribor", competencies=["Law"])
    world.placement(title="Not yet", published=False)
    page = site.of(world.bob).get("/exchanges")
    assert f'href="/placements/{offered}"' in page.text
    for shown in ("Buying <well>", "Maribor", "Law", days_of(world), "2 places free"):
        assert shown in texts(page)
    assert "Not yet" not in page.text


def test_a_search_leaves_out_what_does_not_fit(site):
    world = site.world
    world.rules(approvals=())
    world.placement(title="Early", place="Maribor", competencies=["Law"])
    world.placement(world.henk, title="Late", place="Koper", periods=[world.period(3, places=1)])
    full = world.placement(
        world.henk, title="Full", place="Koper", open_to="any", periods=[world.period(6, places=1)]
    )
    ask(world, world.alice, full)
    week = world.week(3)[0] + timedelta(days=2)
    bob = site.of(world.bob)
    for query, found in (
        ("words=EARLY", {"Early"}),
        ("words=early+nowhere", set()),
        ("place=koper", {"Late", "Full"}),
        ("competency=law", {"Early"}),
        ("sector=business", {"Late", "Full"}),
        ("free=1", {"Early", "Late"}),
        (f"week={week}", {"Late"}),
        ("week=nonsense", {"Early", "Late", "Full"}),
        ("sector=business&free=1", {"Late"}),
    ):
        page = bob.get(f"/exchanges?{query}")
        shown = {title for title in ("Early", "Late", "Full") if f">{title}</a>" in page.text}
        assert shown == found, query


def test_what_was_searched_stays_in_the_form(site):
    page = site.of(site.world.bob).get("/exchanges?words=%22%3Cb%3E&place=Koper&free=1")
    assert 'value="&#34;&lt;b&gt;"' in page.text
    assert "Nothing fits all of that." in page.text
    assert re.search(r'name="free" value="1" checked', page.text)


def test_the_calendar_shows_what_each_host_has_free_in_each_week(site):
    world = site.world
    offered = world.placement(title="Buying well")
    page = site.of(world.bob).get(f"/exchanges/calendar?from={world.week()[0]}")
    assert f'href="/placements/{offered}"' in page.text
    assert f"Buying well, {days_of(world)}: 2 places free" in texts(page)
    assert "Public administration House of Here" in texts(page)
    later = site.of(world.bob).get(f"/exchanges/calendar?from={world.week(1)[0]}")
    assert "Nothing is offered in these weeks." in later.text


def test_closing_days_of_the_country_are_named(site):
    world = site.world
    year = clock.now().year + 1
    christmas = date(year, 12, 25)
    week = christmas - timedelta(days=christmas.weekday())
    whole = world.period(first_day=week, last_day=week + timedelta(days=6))
    offered = world.placement(periods=[whole])
    where = f"/exchanges/calendar?from={week}"
    assert "Christmas Day" in site.of(world.bob).get(where).text
    assert "Christmas Day" in site.of(world.bob).get(f"/placements/{offered}").text
    world.rules(country="GB")
    assert "Boxing Day" in site.of(world.bob).get(where).text


def test_a_window_says_what_is_free_in_each_week(site):
    world = site.world
    world.rules(approvals=())
    first_day, last_day = world.week()
    window = world.period(is_window=True, places=1, last_day=last_day + timedelta(days=7))
    offered = world.placement(title="Open weeks", periods=[window])
    period = world.periods(offered)[0]
    world.do(asking.ask, world.bob, offered, period_id=period.id, first_day=first_day, last_day=last_day)
    page = texts(site.of(world.bea).get(f"/exchanges/calendar?from={first_day}"))
    assert (
        f"Open weeks, {i18n.days(first_day + timedelta(days=7), last_day + timedelta(days=7), 'en')}: 1 place free"
        in page
    )


def test_exchanges_are_for_members(site):
    world = site.world
    offered = world.placement()
    for page in ("/exchanges", "/exchanges/calendar", "/exchanges/offers", f"/placements/{offered}"):
        assert site.nobody.get(page).status_code in (303, 401)
    charlie = site.of(world.charlie)
    for page in (
        "/exchanges?programme=here",
        "/exchanges/calendar?programme=here",
        "/exchanges/offers?programme=here",
        f"/placements/{offered}",
        f"/placements/{offered}/edit",
    ):
        assert charlie.get(page).status_code == 404, page
    assert site.of(world.bob).get("/exchanges?programme=nowhere").status_code == 404
    for verb in ("edit", "publication", "return", "withdrawal"):
        assert charlie.post(f"/placements/{offered}/{verb}", form(world)).status_code == 404


# one placement


def test_a_placement_says_everything_and_how_to_ask(site):
    world = site.world
    offered = world.placement(
        title="Buying <well>",
        place="Maribor",
        competencies=["Law"],
        spoken=["sl"],
        accessibility="A lift",
        confidentiality="Tenders stay here",
    )
    period = world.periods(offered)[0]
    page = site.of(world.bob).get(f"/placements/{offered}")
    for shown in (
        "Buying <well>",
        "Maribor",
        "Law",
        "Slovenian",
        "A lift",
        "Tenders stay here",
        "Hana Vidmar",
    ):
        assert shown in texts(page)
    assert f'href="/placements/{offered}/bookings/new?period={period.id}"' in page.text
    assert f"Ask for a place: {days_of(world)}" in texts(page)
    assert "/edit" not in page.text
    assert "Take the placement back" not in page.text


def test_who_cannot_be_a_guest_reads_why_and_is_not_asked(site):
    world = site.world
    offered = world.placement()
    own = site.of(world.alice).get(f"/placements/{offered}")
    assert "your own organisation" in own.text
    assert "bookings/new" not in own.text
    world.rules(way="matching")
    matched = site.of(world.bob).get(f"/placements/{offered}")
    assert "bookings/new" not in matched.text
    assert "/exchanges/wishes" in matched.text


def test_a_full_week_offers_the_waiting_line(site):
    world = site.world
    world.rules(approvals=())
    offered = world.placement(periods=[world.period(places=1)])
    ask(world, world.bob, offered)
    page = texts(site.of(world.bea).get(f"/placements/{offered}"))
    assert "Wait in line" in page
    assert "Bob Kos" not in page
    assert "Bob Kos" in texts(site.of(world.hana).get(f"/placements/{offered}"))


# offering and reviewing


def test_a_host_offers_a_coordinator_returns_and_publishes(site):
    world = site.world
    hana, cora = site.of(world.hana), site.of(world.cora)
    assert hana.get("/programmes/here/placements/new").status_code == 200
    answer = hana.post("/programmes/here/placements", form(world))
    assert answer.status_code == 303
    where = answer.headers["location"]
    assert site.of(world.bob).get(where).status_code == 404
    assert hana.post(f"{where}/publication").status_code == 403
    empty = cora.post(f"{where}/return", {"note": " "})
    assert empty.status_code == 422
    assert "Please write something here." in empty.text
    assert cora.post(f"{where}/return", {"note": "Where is it?"}).status_code == 303
    assert "Where is it?" in hana.get(where).text
    edited = hana.get(f"{where}/edit")
    assert "A week in public procurement" in edited.text
    again = form(world, place="Koper", version="2", period_id_0=held_values(edited)["period_id_0"])
    assert hana.post(f"{where}/edit", again).status_code == 303
    assert cora.post(f"{where}/publication").status_code == 303
    assert "Koper" in site.of(world.bob).get(where).text
    found = world.ask(placements.find, world.bob, int(where.rpartition("/")[2]))
    assert found.competencies == ("Procurement", "Tenders")
    assert found.spoken == ("sl", "en")


def test_a_coordinator_publishes_what_they_have_read_and_not_what_came_after(site):
    world = site.world
    hana, cora = site.of(world.hana), site.of(world.cora)
    where = hana.post("/programmes/here/placements", form(world)).headers["location"]
    read = {"version": held_values(cora.get(where))["version"]}
    edited = held_values(hana.get(f"{where}/edit"))
    changed = form(world, place="Koper", version="1", period_id_0=edited["period_id_0"])
    assert hana.post(f"{where}/edit", changed).status_code == 303
    late = cora.post(f"{where}/publication", read)
    assert late.status_code == 412
    assert "Someone has changed this placement in the meantime." in late.text
    assert "Koper" in late.text
    assert site.of(world.bob).get(where).status_code == 404
    assert cora.post(f"{where}/publication", {"version": held_values(late)["version"]}).status_code == 303
    assert site.of(world.bob).get(where).status_code == 200


def test_a_host_who_has_answered_otherwise_hands_it_in_anew_by_saving_it_as_it_is(site):
    world = site.world
    hana, cora = site.of(world.hana), site.of(world.cora)
    where = hana.post("/programmes/here/placements", form(world)).headers["location"]
    cora.post(f"{where}/return", {"note": "Is it by the sea?"})
    edited = hana.get(f"{where}/edit")
    again = form(world, version="2", period_id_0=held_values(edited)["period_id_0"])
    assert hana.post(f"{where}/edit", again).status_code == 303
    assert world.ask(placements.find, world.hana, int(where.rpartition("/")[2])).state == placements.PROPOSED


def test_others_do_not_offer(site):
    for actor in (site.world.bob, site.world.olga):
        browser = site.of(actor)
        assert browser.get("/programmes/here/placements/new").status_code == 403
        assert browser.post("/programmes/here/placements", form(site.world)).status_code == 403
        assert "/placements/new" not in browser.get("/exchanges/offers").text


def test_a_coordinator_chooses_the_host(site):
    world = site.world
    cora = site.of(world.cora)
    page = cora.get("/programmes/here/placements/new")
    assert 'name="organisation_id"' in page.text
    wrong = cora.post("/programmes/here/placements", form(world, contact_id=str(world.cora.person_id)))
    assert wrong.status_code == 422
    assert f'<option value="{world.hana.person_id}"' in wrong.text
    assert cora.post("/programmes/here/placements", form(world)).status_code == 303


BAD = {
    "no title": ({"title": " "}, "title", "Please write something here."),
    "no first day": ({"first_day_0": ""}, "first_day_0", "Please write the day"),
    "no day": ({"last_day_0": "2027-02-30"}, "last_day_0", "Please write the day"),
    "end before start": ({"last_day_0": "2020-01-01"}, "last_day_0", "The last day is before the first one."),
    "years long": ({"first_day_0": "2020-01-01"}, "last_day_0", "days long"),
    "past": ({"first_day_0": "2020-01-06", "last_day_0": "2020-01-10"}, "first_day_0", "begun already"),
    "far": ({"first_day_0": "2090-01-01", "last_day_0": "2090-01-04"}, "first_day_0", "two years"),
    "no places": ({"places_0": "0"}, "places_0", "from 1 to 500"),
    "half a place": ({"places_0": "1.5"}, "places_0", "from 1 to 500"),
    "a stay of 0 days": ({"least_days": "0"}, "least_days", "from 1 to 184"),
    "a stay of 400 days": ({"most_days": "400"}, "most_days", "from 1 to 184"),
    "a foreign contact": ({"contact_id": "999"}, "contact_id", "of the host organisation"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_named_beside_its_field_and_kept(site, case):
    values, field, message = BAD[case]
    world = site.world
    sent = form(world, **{"place": "Koper & co", **values})
    answer = site.of(world.hana).post("/programmes/here/placements", sent)
    assert answer.status_code == 422
    assert f'id="error-{field}"' in answer.text
    assert f'href="#field-{field}"' in answer.text
    assert message in texts(answer)
    kept = held_values(answer)
    assert html.unescape(kept["place"]) == "Koper & co"
    assert kept["first_day_0"] == sent["first_day_0"]
    assert not world.ask(placements.of_host, world.hana, world.programme)


def test_rows_that_are_left_out_do_not_shift_what_is_wrong(site):
    world = site.world
    first_day, _ = world.week(2)
    sent = form(world, first_day_4=first_day.isoformat(), last_day_4="2020-01-01", places_4="1")
    answer = site.of(world.hana).post("/programmes/here/placements", sent)
    assert 'id="error-last_day_4"' in answer.text
    assert held_values(answer)["first_day_4"] == first_day.isoformat()


def test_several_weeks_are_offered_at_once(site):
    world = site.world
    hana = site.of(world.hana)
    monday, _ = world.week(2)
    weeks = {"weeks_from": str(monday + timedelta(days=2)), "weeks_number": "3", "weeks_places": "4"}
    sent = form(world) | weeks
    where = hana.post("/programmes/here/placements", sent).headers["location"]
    found = world.periods(int(where.rpartition("/")[2]))
    assert [(each.first_day, each.last_day, each.places) for each in found] == [
        (*world.week(0), 2),
        *((*world.week(number), 4) for number in (2, 3, 4)),
    ]
    for wrong, field in (
        ({"weeks_from": ""}, "weeks_from"),
        ({"weeks_from": "2020-01-01"}, "weeks_from"),
        ({"weeks_number": "0"}, "weeks_number"),
        ({"weeks_places": ""}, "weeks_places"),
    ):
        answer = hana.post("/programmes/here/placements", sent | wrong)
        assert answer.status_code == 422
        assert f'id="error-{field}"' in answer.text


# changing and taking back


def test_a_change_that_touches_bookings_names_them_and_keeps_what_was_typed(site):
    world = site.world
    world.rules(approvals=())
    offered = world.placement()
    for person in (world.bob, world.bea):
        ask(world, person, offered)
    hana = site.of(world.hana)
    held = held_values(hana.get(f"/placements/{offered}/edit"))
    sent = form(world, title="New title", version=held["version"], period_id_0=held["period_id_0"])
    answer = hana.post(f"/placements/{offered}/edit", sent | {"places_0": "1"})
    assert answer.status_code == 409
    assert f"Bob Kos, {days_of(world)}; Bea Čeh, {days_of(world)}" in texts(answer)
    assert 'value="New title"' in answer.text
    gone = hana.post(f"/placements/{offered}/edit", sent | {"first_day_0": "", "last_day_0": ""})
    assert gone.status_code == 409
    assert world.periods(offered)[0].places == 2
    assert hana.post(f"/placements/{offered}/edit", sent | {"places_0": "3"}).status_code == 303
    late = hana.post(f"/placements/{offered}/edit", sent)
    assert late.status_code == 412
    assert site.of(world.bob).post(f"/placements/{offered}/edit", sent).status_code == 403


def test_taking_back_with_bookings_on_it_asks_first(site):
    world = site.world
    world.rules(approvals=())
    offered = world.placement()
    booking = ask(world, world.bob, offered)
    hana = site.of(world.hana)
    assert site.of(world.bob).post(f"/placements/{offered}/withdrawal").status_code == 403
    refused = hana.post(f"/placements/{offered}/withdrawal", {"reason": "We move"})
    assert refused.status_code == 409
    assert f"Bob Kos, {days_of(world)}" in texts(refused)
    assert "We move</textarea>" in refused.text
    unsaid = hana.post(f"/placements/{offered}/withdrawal", {"cancel_bookings": "1"})
    assert unsaid.status_code == 422
    assert 'id="error-reason"' in unsaid.text
    agreed = {"reason": "We move", "cancel_bookings": "1"}
    assert hana.post(f"/placements/{offered}/withdrawal", agreed).status_code == 303
    assert world.ask(bookings.find, world.bob, booking).state == "cancelled"
    page = site.of(world.bea).get(f"/placements/{offered}")
    assert "bookings/new" not in page.text
    assert f'href="/placements/{offered}"' not in site.of(world.bea).get("/exchanges").text


def test_pages_cost_the_same_however_much_is_offered(site):
    world = site.world
    world.rules(approvals=())
    for number in range(6):
        made = world.placement(periods=[world.period(week) for week in range(5)], title=f"Number {number}")
        if number == 0:
            ask(world, world.bob, made)
    browsers = {name: site.of(getattr(world, name)) for name in ("bob", "hana", "cora")}
    costs = {}
    for name, page in (
        ("bob", "/exchanges"),
        ("bob", "/exchanges?free=1&words=number"),
        ("bob", "/exchanges/calendar"),
        ("hana", "/exchanges/offers"),
        ("bob", f"/placements/{made}"),
        ("hana", "/placements/1"),
        ("cora", "/placements/1"),
        ("hana", f"/placements/{made}/edit"),
        ("cora", "/programmes/here/placements/new"),
    ):
        browsers[name].get(page)
        with site.statements() as seen:
            assert browsers[name].get(page).status_code == 200
        costs[name, page] = len(seen)
    assert {page: cost for page, cost in costs.items() if cost > PAGE} == {}
