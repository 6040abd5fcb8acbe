"""Reflections and stories through the API: by guest and host, once a stay is over."""

from typing import Any

import pytest
from sqlalchemy import update

from app.models import Booking
from app.schemas.reflections import PublishedStoryList, ReflectionItem, ReflectionList, StoryItem
from app.services import asking, deciding
from tests.api.conftest import Api, Caller, is_problem, pointers
from tests.api.hosting import booker

TAKEN = {"learned": "How they decide.", "surprised": "The telephone.", "next": "We mend the form."}
STORY = {"title": "A week at the ministry", "body": "We **met**. <script>alert(1)</script>"}


def confirmed(api: Api) -> int:
    world = api.world
    world.rules(approvals=("host",), checklist=())
    placement = world.placement()
    booking = world.do(asking.ask, world.bob, placement, period_id=world.periods(placement)[0].id)
    world.do(deciding.decide, world.hana, booking, approved=True)
    return int(booking)


@pytest.fixture
def over(api: Api) -> str:
    booking = confirmed(api)
    ended = update(Booking).where(Booking.id == booking).values(state="completed")
    api.world.do(lambda tx: tx.execute(ended))
    return f"/bookings/{booking}"


def put(caller: Caller, path: str, body: Any, tag: str = "*") -> Any:
    return caller.put(path, json=body, headers={"If-Match": tag})


def test_both_sides_reflect(api: Api, over: str) -> None:
    guest, host = booker(api, api.world.bob), booker(api, api.world.hana)
    empty = guest.get(f"{over}/reflection")
    ReflectionItem.model_validate(empty.json())
    assert (empty.json()["party"], empty.json()["learned"], empty.json()["written_at"]) == ("guest", "", None)
    written = put(guest, f"{over}/reflection", TAKEN, empty.headers["etag"])
    assert written.status_code == 200
    ReflectionItem.model_validate(written.json())
    assert guest.get(f"{over}/reflection").headers["etag"] == written.headers["etag"]
    late = put(guest, f"{over}/reflection", TAKEN | {"next": "Nothing."}, empty.headers["etag"])
    assert is_problem(late, 412, "version-moved-on")
    again = put(guest, f"{over}/reflection", TAKEN | {"next": "More."}, written.headers["etag"])
    assert again.json()["next"] == "More."
    assert put(host, f"{over}/reflection", TAKEN | {"language": "sl"}).status_code == 200
    assert guest.get(over).json()["state"] == "reflected"
    listed = api.cora.get(f"{over}/reflections").json()
    ReflectionList.model_validate(listed)
    assert [(each["party"], each["by"]) for each in listed["items"]] == [
        ("guest", "Bob Kos"),
        ("host", api.world.hana.name),
    ]
    first = api.cora.get(f"{over}/reflections?limit=1")
    assert api.cora.get(first.links["next"]["url"]).json()["items"] == listed["items"][1:]
    cora = booker(api, api.world.cora)
    for answer in (cora.get(f"{over}/reflection"), put(cora, f"{over}/reflection", TAKEN)):
        assert is_problem(answer, 403, "not-allowed")
    assert is_problem(api.alice.get(f"{over}/reflections"), 404, "not-found")
    refused = put(guest, f"{over}/reflection", {"learned": "", "surprised": "x" * 1001, "next": "n"})
    assert is_problem(refused, 422, "invalid")
    assert pointers(refused) == ["/learned", "/surprised"]
    assert is_problem(guest.put(f"{over}/reflection", json=TAKEN), 428, "precondition-required")
    assert is_problem(put(api.bob, f"{over}/reflection", TAKEN), 403, "insufficient-scope")


def test_a_story_is_told_while_both_consent_to_its_very_text(api: Api, over: str) -> None:
    guest, host = booker(api, api.world.bob), booker(api, api.world.hana)
    stories = f"/programmes/{api.programme_id}/stories"
    empty = host.get(f"{over}/story")
    StoryItem.model_validate(empty.json())
    assert (empty.json()["title"], empty.json()["version"]) == ("", 0)
    assert is_problem(put(host, f"{over}/story/consent", None), 404, "not-found")
    written = put(guest, f"{over}/story", STORY, empty.headers["etag"])
    assert written.status_code == 200
    StoryItem.model_validate(written.json())
    assert "<script" not in written.json()["body_html"]
    assert is_problem(put(host, f"{over}/story", STORY, empty.headers["etag"]), 412, "version-moved-on")
    read = host.get(f"{over}/story")
    changed = put(guest, f"{over}/story", STORY | {"title": "A better week"}, written.headers["etag"])
    stale = put(host, f"{over}/story/consent", None, read.headers["etag"])
    assert is_problem(stale, 412, "version-moved-on")
    assert api.olga.get(stories).json()["items"] == []
    told = put(host, f"{over}/story/consent", None, changed.headers["etag"])
    assert told.json()["published_at"] is not None
    assert put(host, f"{over}/story/consent", None, told.headers["etag"]).json() == told.json()
    listed = api.olga.get(stories).json()
    PublishedStoryList.model_validate(listed)
    assert [each["title"] for each in listed["items"]] == ["A better week"]
    assert is_problem(api.charlie.get(stories), 403, "not-allowed")
    assert is_problem(booker(api, api.world.cora).delete(f"{over}/story/consent"), 403, "not-allowed")
    assert [guest.delete(f"{over}/story/consent").status_code for _ in range(2)] == [204, 204]
    assert api.olga.get(stories).json()["items"] == []
    assert host.get(f"{over}/story").json()["guest_consent_at"] is None
    refused = put(guest, f"{over}/story", {"title": "", "body": "b", "language": "de"})
    assert is_problem(refused, 422, "invalid")
    assert is_problem(api.alice.get(f"{over}/story"), 404, "not-found")


def test_before_a_stay_is_over_nothing_is_written(api: Api) -> None:
    here = f"/bookings/{confirmed(api)}"
    guest = booker(api, api.world.bob)
    assert is_problem(put(guest, f"{here}/reflection", TAKEN), 409, "conflict")
    assert is_problem(put(guest, f"{here}/story", STORY), 409, "conflict")
    assert is_problem(put(guest, f"{here}/story/consent", None), 409, "conflict")
    assert is_problem(guest.delete(f"{here}/story/consent"), 409, "conflict")
