"""The calendar of exchanges, closing days and the overview through the API."""

from app.schemas.overviews import CalendarItem, ClosingDayList, OverviewItem
from tests.api.conftest import Api, is_problem, pointers
from tests.api.hosting import ask, monday, placement, week, window


def test_the_calendar_tells_what_is_free_in_which_week(api: Api) -> None:
    placed = placement(api, week(3), window(10, weeks=1))
    ask(api, placed)
    here = f"/programmes/{api.programme_id}/exchange-calendar"
    first = api.bob.get(here)
    CalendarItem.model_validate(first.json())
    assert len(first.json()["weeks"]) == 12
    (host,) = first.json()["hosts"]
    assert host["organisation"] == api.world.organisations["public"]
    told = [(each["week"], each["first_day"], each["free"], each["is_window"]) for each in host["offers"]]
    assert told == [(3, monday(3).isoformat(), 0, False), (10, monday(10).isoformat(), 1, True)]
    assert api.bob.get(here, headers={"If-None-Match": first.headers["etag"]}).status_code == 304
    later = api.bob.get(f"{here}?start={monday(10)}").json()
    assert (later["weeks"][0]["first_day"], later["hosts"][0]["offers"][0]["week"]) == (
        monday(10).isoformat(),
        0,
    )
    assert api.bob.get(f"{here}?start={monday(40)}").json()["hosts"] == []
    assert is_problem(api.bob.get(f"{here}?start=soon"), 422, "invalid")
    assert is_problem(api.charlie.get(here), 403, "not-allowed")


def test_closing_days_are_those_of_the_country(api: Api) -> None:
    here = f"/programmes/{api.programme_id}/closing-days"
    year = {"first_day": "2026-01-01", "last_day": "2026-12-31"}
    found = api.bob.get(here, params=year)
    ClosingDayList.model_validate(found.json())
    days = [each["day"] for each in found.json()["items"]]
    assert {"2026-01-01", "2026-02-08", "2026-05-01", "2026-12-25"} <= set(days)
    assert days == sorted(days)
    page, seen = api.bob.get(here, params={**year, "limit": 4}), []
    while True:
        seen += [each["day"] for each in page.json()["items"]]
        if not page.links:
            break
        page = api.bob.get(page.links["next"]["url"])
    assert seen == days
    assert api.bob.get(here).json()["items"]
    for last in ("2025-01-01", "2029-01-01"):
        wrong = api.bob.get(here, params={**year, "last_day": last})
        assert is_problem(wrong, 422, "invalid")
        assert pointers(wrong) == ["/last_day"]
    api.world.rules(country="")
    assert api.bob.get(here, params=year).json()["items"] == []
    assert is_problem(api.charlie.get(here), 403, "not-allowed")


def test_coordinators_see_what_waits_and_how_full_the_weeks_are(api: Api) -> None:
    placed = placement(api)
    proposed = placement(api, published=False, title="Not yet")
    for actor in (api.world.bob, api.world.bea):
        ask(api, placed, actor)
    here = f"/programmes/{api.programme_id}/exchange-overview"
    found = api.cora.get(here)
    OverviewItem.model_validate(found.json())
    told = found.json()
    assert [each["guest"] for each in told["waiting"]] == ["Bea Čeh"]
    assert [each["id"] for each in told["to_review"]] == [proposed["id"]]
    assert told["directions"] == [{"home": "business", "host": "public", "asked": 2, "settled": 0}]
    busy = next(each for each in told["weeks"] if each["first_day"] == monday(3).isoformat())
    assert (busy["places"], busy["taken"], busy["waiting"]) == (1, 1, 1)
    for caller in (api.bob, api.hana, api.fay):
        assert is_problem(caller.get(here), 403, "not-allowed")
    assert api.charlie.get(here).status_code in (403, 404)


def test_placements_are_narrowed_by_what_can_be_learnt_and_what_is_free(api: Api) -> None:
    full = placement(api, title="Full", competencies=["Procurement"])
    free = placement(api, title="Free", competencies=["Permits"])
    ask(api, full)
    here = f"/programmes/{api.programme_id}/placements"
    assert [each["id"] for each in api.bob.get(f"{here}?competency=procurement").json()["items"]] == [
        full["id"]
    ]
    assert [each["id"] for each in api.bob.get(f"{here}?free=true").json()["items"]] == [free["id"]]
    assert api.bob.get(f"{here}?free=perhaps").status_code == 422
