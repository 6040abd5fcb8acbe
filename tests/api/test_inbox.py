"""What waits for the caller, and what is theirs, through the API."""

from datetime import timedelta

from app.lib import clock
from app.schemas.bookings import BookingList
from app.schemas.inbox import InboxItem, NoticeList, OwnIdeaList
from app.services import comments, merges, moderation, tokens
from tests.api.conftest import Api, Caller, is_problem
from tests.api.hosting import ask, booker, placement, week


def test_what_waits_for_someone_is_named(api: Api) -> None:
    world = api.world
    merge = world.do(merges.propose, world.bob, world.idea(world.bob, "One"), world.idea(world.bea, "Two"))
    ballot = api.ballot()
    world.ballot(opens_at=clock.now() + timedelta(days=1))
    asked = ask(api, placement(api), manager={"person": world.bea.person_id}).json()
    found = api.bea.get("/people/me/inbox")
    InboxItem.model_validate(found.json())
    told = found.json()
    assert [(each["id"], each["asked"]) for each in told["merges"]] == [(merge, True)]
    assert [each["id"] for each in told["ballots"]] == [ballot]
    assert [(each["id"], each["roles"], each["guest"]) for each in told["bookings"]] == [
        (asked["id"], ["manager"], "Bob Kos")
    ]
    assert (
        api.bea.get("/people/me/inbox", headers={"If-None-Match": found.headers["etag"]}).status_code == 304
    )
    api.of(world.bea, "vote").put(f"/ballots/{ballot}/vote", json={"none": True})
    api.bea.post(f"/merges/{merge}/acceptance")
    booker(api, world.bea).post(f"/bookings/{asked['id']}/decisions", {"approved": True})
    after = api.bea.get("/people/me/inbox").json()
    assert (after["merges"], after["ballots"], after["bookings"]) == ([], [], [])
    assert api.charlie.get("/people/me/inbox").json()["merges"] == []
    assert is_problem(api.nobody.get("/people/me/inbox"), 401, "not-signed-in")


def test_ones_own_stays_and_ideas_come_in_pages(api: Api) -> None:
    stays = [ask(api, placement(api, week(ahead))).json() for ahead in (3, 5, 7)]
    ask(api, placement(api, week(9)), api.world.bea)
    page = api.bob.get("/people/me/bookings?limit=2")
    BookingList.model_validate(page.json())
    rest = api.bob.get(page.links["next"]["url"]).json()
    assert [each["id"] for each in (*page.json()["items"], *rest["items"])] == [each["id"] for each in stays]
    assert api.alice.get("/people/me/bookings").json()["items"] == []
    assert booker(api, api.world.bob).delete(f"/bookings/{stays[1]['id']}", "*").status_code == 204
    held = api.bob.get("/people/me/bookings?state=held&sort=-first_day&limit=1")
    last = api.bob.get(held.links["next"]["url"]).json()
    assert [each["id"] for each in (*held.json()["items"], *last["items"])] == [
        stays[2]["id"],
        stays[0]["id"],
    ]
    assert last["next"] is None
    assert is_problem(api.bob.get("/people/me/bookings?state=lost"), 422, "invalid")
    quiet = api.world.challenge(anonymous_allowed=True)
    own = [api.idea(api.world.bob, "One"), api.idea(api.world.bob, "Two")]
    own.append(api.bob.post(f"/challenges/{quiet}/ideas", {"title": "Q", "anonymous": True}).json()["id"])
    api.idea(api.world.bea, "Noise")
    api.world.do(moderation.hide, api.world.fay, own[0], reason="r")
    page = api.bob.get("/people/me/ideas?limit=2")
    OwnIdeaList.model_validate(page.json())
    rest = api.bob.get(page.links["next"]["url"]).json()
    listed = [*page.json()["items"], *rest["items"]]
    assert [(each["id"], each["state"], each["anonymous"]) for each in listed] == [
        (own[0], "hidden", False),
        (own[1], "open", False),
        (own[2], "open", True),
    ]


def test_notices_are_read_up_to_the_one_that_was_seen(api: Api) -> None:
    idea = api.idea(api.world.alice)
    for body in ("One.", "Two.", "Three."):
        api.world.do(comments.post, api.world.bob, idea, body=body)
    page = api.alice.get("/people/me/notices?limit=2")
    NoticeList.model_validate(page.json())
    newest = page.json()["items"][0]
    assert newest["kind"] == "comment_posted"
    assert newest["url"].startswith(f"http://testserver/ideas/{idea}#comment-")
    assert "%(" not in newest["subject"] + newest["message"]
    (oldest,) = api.alice.get(page.links["next"]["url"]).json()["items"]
    reading = "/people/me/notices/reading"
    assert [api.alice.put(f"{reading}?up_to={oldest['id']}").status_code for _ in range(2)] == [204, 204]
    assert len(api.alice.get("/people/me/notices").json()["items"]) == 2
    assert api.bob.get("/people/me/notices").json()["items"] == []
    assert api.bob.put(reading).status_code == 204
    assert is_problem(api.of(api.world.alice, "read").put(reading), 403, "insufficient-scope")
    assert api.alice.put(reading).status_code == 204
    assert api.alice.get("/people/me/notices").json()["items"] == []
    assert is_problem(api.nobody.put(reading), 401, "not-signed-in")


def test_a_token_for_one_programme_learns_nothing_of_another(api: Api) -> None:
    world = api.world
    idea = api.idea(world.charlie, "Elsewhere", world.other_challenge_id)
    (dora,) = (world._person("Dora Elan", "participant", "public", world.other_programme_id),)
    world.do(comments.post, dora, idea, body="Yes.")
    assert len(api.charlie.get("/people/me/notices").json()["items"]) == 1
    made = world.do(
        tokens.create,
        world.charlie,
        name="T",
        scopes=["read", "write"],
        programme_id=world.other_programme_id,
    )
    bound = Caller(api.client, made.token)
    assert len(bound.get("/people/me/notices").json()["items"]) == 1
    assert len(bound.get("/people/me/ideas").json()["items"]) == 2
