"""Calendar addresses through the API: made, listed, revoked; the secret told once."""

from sqlalchemy import select

from app.models import KeptAnswer
from app.models.base import table
from app.schemas.calendar_feeds import FeedList, NewFeedItem
from tests.api.conftest import Api, is_problem
from tests.api.hosting import booker


def test_an_address_is_told_once_and_good_until_it_is_revoked(api: Api) -> None:
    feeds = f"/programmes/{api.programme_id}/feeds"
    bob = booker(api, api.world.bob)
    key = {"Idempotency-Key": "once"}
    made = bob.post(feeds, {}, headers=key)
    assert made.status_code == 201
    NewFeedItem.model_validate(made.json())
    address = made.json()["address"]
    assert api.client.get(address).text.startswith("BEGIN:VCALENDAR")
    again = bob.post(feeds, {}, headers=key)
    assert again.json() == made.json() | {"address": None}
    kept = api.world.ask(
        lambda connection: connection.execute(select(table(KeptAnswer).c.body)).scalars().all()
    )
    assert kept
    assert not any(address.rsplit("/", 1)[-1].removesuffix(".ics") in body for body in kept)
    listed = bob.get(feeds)
    FeedList.model_validate(listed.json())
    assert [each["id"] for each in listed.json()["items"]] == [made.json()["id"]]
    assert "address" not in listed.text
    there = f"/feeds/{made.json()['id']}"
    bea = booker(api, api.world.bea)
    assert bea.get(feeds).json()["items"] == []
    assert is_problem(bea.delete(there), 404, "not-found")
    assert [bob.delete(there).status_code for _ in range(2)] == [204, 204]
    assert api.client.get(address).status_code == 404
    assert bob.get(feeds).json()["items"] == []


def test_of_an_organisation_by_those_who_may_read_its_calendar(api: Api) -> None:
    feeds = f"/programmes/{api.programme_id}/feeds"
    body = {"organisation": api.world.organisations["public"]}
    assert booker(api, api.world.hana).post(feeds, body).json()["organisation"] == body["organisation"]
    assert is_problem(booker(api, api.world.bob).post(feeds, body), 403, "not-allowed")
    assert is_problem(booker(api, api.world.hana).post(feeds, {"organisation": 999_999}), 404, "not-found")
    assert is_problem(booker(api, api.world.charlie).post(feeds, {}), 403, "not-allowed")
    assert is_problem(api.charlie.get(feeds), 403, "not-allowed")
    assert is_problem(api.bob.post(feeds, {}), 403, "insufficient-scope")
    made = [booker(api, api.world.bob).post(feeds, {}) for _ in range(11)]
    assert [answer.status_code for answer in made] == [201] * 10 + [409]
    page = api.bob.get(f"{feeds}?limit=6")
    rest = api.bob.get(page.links["next"]["url"]).json()
    ids = [each["id"] for each in (*page.json()["items"], *rest["items"])]
    assert ids == sorted(ids, reverse=True)
    assert len(set(ids)) == 10
