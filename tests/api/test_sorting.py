"""`?sort=` and filters: every order page by page without repeating or hiding, and narrowed to what is asked for."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from app.lib import clock
from app.models import Booking, Challenge, Comment, Idea, Organisation, Placement
from app.models.base import table
from app.policies.actor import Actor
from app.services import ideas, moderation
from tests.api.conftest import Api, Caller, is_problem, pointers
from tests.api.hosting import ask, booker, placement, week

INSTANTS = ("created_at", "-created_at", "updated_at", "-updated_at")


def _walk(caller: Caller, path: str, size: int = 2) -> list[dict[str, Any]]:
    """All of a list, in pages, by the `Link` header."""
    found: list[dict[str, Any]] = []
    address = f"{path}{'&' if '?' in path else '?'}limit={size}"
    while address:
        answer = caller.get(address)
        assert answer.status_code == 200, answer.json()
        found += answer.json()["items"]
        address = answer.headers.get("link", "").removeprefix("<").partition(">")[0]
    return found


def _age(api: Api, model: Any, ids: list[int]) -> None:
    """Let them differ by when they were made and changed, two of them alike, in another order than their ids."""
    row = table(model)
    for place, number in enumerate(ids):
        made = clock.now() - timedelta(days=40 - (place * 3) % 5)
        changed = clock.now() - timedelta(hours=40 - (place // 2) * 7 % 5)
        aged = update(row).where(row.c.id == number).values(created_at=made, updated_at=changed)
        api.world.do(lambda tx, aged=aged: tx.execute(aged))


def _check(caller: Caller, path: str, ids: list[int], sorts: tuple[str, ...]) -> None:
    """Each order is that of its field and then of ids, in pages of any size, whichever way."""
    for sort in sorts:
        rows = _walk(caller, f"{path}{'&' if '?' in path else '?'}sort={sort}")
        field, is_descending = sort.removeprefix("-"), sort.startswith("-")
        assert sorted(row["id"] for row in rows) == sorted(ids), sort
        expected = sorted(rows, key=lambda row: (row[field], row["id"]), reverse=is_descending)
        assert [row["id"] for row in rows] == [row["id"] for row in expected], sort


def test_lists_are_sorted_by_what_is_asked_page_by_page(api: Api) -> None:
    bob = booker(api, api.world.bob)
    programme = f"/programmes/{api.programme_id}"
    challenges = [api.challenge_id, *(api.world.challenge(title=title) for title in ("b", "a", "č", "a"))]
    _age(api, Challenge, challenges)
    _check(bob, f"{programme}/challenges", challenges, INSTANTS)
    titles = [row["title"] for row in _walk(bob, f"{programme}/challenges?sort=title")]
    assert titles.index("a") + 1 == titles.index("b") - (titles.count("a") - 1)
    assert titles == [row["title"] for row in _walk(bob, f"{programme}/challenges?sort=-title")][::-1]

    posted = [api.idea(title=f"Idea {number}") for number in range(5)]
    _age(api, Idea, posted)
    _check(bob, f"/challenges/{api.challenge_id}/ideas", posted, INSTANTS)
    comments = [
        api.bob.post(f"/ideas/{posted[0]}/comments", {"body": f"{number}"}).json()["id"]
        for number in range(5)
    ]
    _age(api, Comment, comments)
    _check(bob, f"/ideas/{posted[0]}/comments", comments, INSTANTS)

    _age(api, Organisation, list(api.world.organisations.values()))
    named = [row["id"] for row in bob.get(f"{programme}/organisations").json()["items"]]
    _check(bob, f"{programme}/organisations", named, (*INSTANTS, "name", "-name"))

    offered = [placement(api, week(3 + number), title=f"{5 - number}") for number in range(5)]
    _age(api, Placement, [each["id"] for each in offered])
    _check(bob, f"{programme}/placements", [each["id"] for each in offered], (*INSTANTS, "title", "-title"))
    _check(bob, f"{programme}/placements?words=week", [], ("title",))
    stays = [ask(api, each).json()["id"] for each in offered[::-1]]
    _age(api, Booking, stays)
    _check(bob, f"{programme}/bookings", stays, (*INSTANTS, "first_day", "-first_day"))
    _check(bob, f"/placements/{offered[0]['id']}/bookings", stays[-1:], ("created_at",))


def test_what_comes_meanwhile_neither_repeats_nor_hides_others(api: Api) -> None:
    posted = [api.idea(title=f"Idea {number}") for number in range(5)]
    board = f"/challenges/{api.challenge_id}/ideas?sort=-created_at"
    first = api.bob.get(f"{board}&limit=2").json()
    api.idea(title="Meanwhile")
    rest = _walk(api.bob, f"{board}&cursor={first['next']}")
    assert [row["id"] for row in first["items"] + rest] == posted[::-1]


def _ids(caller: Caller, path: str) -> set[int]:
    return {row["id"] for row in _walk(caller, path)}


def test_lists_are_narrowed_to_what_is_asked_for(api: Api) -> None:
    programme = f"/programmes/{api.programme_id}/challenges"
    voting = api.world.challenge("voting")
    slovene = api.world.challenge("voting", language="sl", sponsor_id=api.world.organisations["public"])
    coming = api.world.challenge("closed", starts_at=clock.now() + timedelta(days=9))
    over = api.world.challenge("learning", ends_at=clock.now() - timedelta(days=1))
    assert _ids(api.bob, f"{programme}?phase=voting") == {voting, slovene}
    assert _ids(api.bob, f"{programme}?phase=voting&language=en") == {voting}
    assert _ids(api.bob, f"{programme}?sponsor={api.world.organisations['public']}") == {slovene}
    assert _ids(api.bob, f"{programme}?phase=framing") == {coming}
    assert _ids(api.bob, f"{programme}?phase=learning") == {over}
    for kind in ("voting", "framing", "learning"):
        for row in _walk(api.bob, f"{programme}?phase={kind}&sort=-title"):
            assert row["phase"] == kind

    idea = api.idea()
    said = [
        getattr(api, name).post(f"/ideas/{idea}/comments", {"body": "x"}).json()["id"]
        for name in ("bob", "ana")
    ]
    assert _ids(api.bob, f"/ideas/{idea}/comments?sector=business&sort=-created_at") == {said[0]}
    assert _ids(api.bob, f"/ideas/{idea}/comments?sector=none") == set()
    business = _walk(api.bob, f"/programmes/{api.programme_id}/organisations?sector=business")
    assert {row["sector"] for row in business} == {"business"}


def test_ideas_are_narrowed_by_state_language_and_author(api: Api) -> None:
    world, board = api.world, f"/challenges/{api.challenge_id}/ideas"
    own = api.idea(language="sl")
    shared, hidden, gone, other = (
        api.idea(world.bob, title) for title in ("Shared", "Hidden", "Gone", "Other")
    )
    _write_along(api, shared, world.alice)
    _write_along(api, gone, world.alice)
    world.do(moderation.hide, world.fay, hidden, reason="Names someone")
    world.do(ideas.withdraw, world.bob, gone)
    assert _ids(api.alice, f"{board}?author=me") == {own, shared}
    assert _ids(api.bob, f"{board}?author=me&sort=updated_at") == {shared, other}
    assert _ids(api.bob, f"{board}?author=me&state=hidden") == {hidden}
    assert _ids(api.ana, f"{board}?language=sl") == {own}
    assert _ids(api.ana, board) == {own, shared, other}
    # the moderators' list first, so that it would be found again if it were kept for all
    assert _ids(api.fay, f"{board}?state=hidden") == {hidden}
    assert _ids(api.ana, f"{board}?state=hidden") == set()
    assert _ids(api.bob, f"{board}?state=hidden") == {hidden}
    assert _ids(api.fay, f"{board}?state=withdrawn") == {gone}
    assert _ids(api.alice, f"{board}?state=withdrawn") == {gone}
    assert _ids(api.ana, f"{board}?state=withdrawn") == set()
    for state in ("hidden", "withdrawn"):  # exactly what its own address would give
        for name in ("alice", "ana", "bob", "fay"):
            caller = getattr(api, name)
            readable = {id for id in (hidden, gone) if caller.get(f"/ideas/{id}").status_code == 200}
            listed = _ids(caller, f"{board}?state={state}")
            assert listed == readable & ({hidden} if state == "hidden" else {gone})
    assert is_problem(api.charlie.get(f"{board}?author=me"), 404, "not-found")


def _write_along(api: Api, idea_id: int, actor: Actor) -> None:
    found = api.world.ask(ideas.find, api.world.bob, idea_id)
    assert found.id == idea_id
    api.world.do(ideas.add_co_author, api.world.bob, idea_id, actor.person_id)


def test_while_tallies_are_hidden_no_order_tells_them(api: Api) -> None:
    quiet = api.world.challenge(tallies=False)
    first, second = (api.idea(challenge_id=quiet, title=title) for title in ("First", "Second"))
    api.bob.put(f"/ideas/{first}/support")
    board = f"/challenges/{quiet}/ideas"
    for sort in ("new", "supported", "bridging", "-created_at"):
        assert [row["id"] for row in _walk(api.ana, f"{board}?sort={sort}", 1)] == [second, first]
    assert [row["id"] for row in _walk(api.ana, f"{board}?sort=created_at", 1)] == [first, second]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_cursor_belongs_to_one_list_its_filters_and_its_order(api: Api) -> None:
    for number in range(3):
        api.idea(title=f"Idea {number}")
    board = f"/challenges/{api.challenge_id}/ideas"
    cursor = api.bob.get(f"{board}?limit=1&sort=created_at").json()["next"]
    for query in ("", "sort=-created_at&", "sort=created_at&language=en&", "sort=created_at&author=me&"):
        answer = api.bob.get(f"{board}?{query}cursor={cursor}")
        assert is_problem(answer, 422, "invalid")
        assert pointers(answer) == ["/cursor"]
    for path in (
        f"/challenges/{api.other_challenge_id}/ideas",
        f"/programmes/{api.programme_id}/challenges",
    ):
        assert is_problem(api.bob.get(f"{path}?sort=created_at&cursor={cursor}"), 422, "invalid")
    assert is_problem(api.bob.get(f"{board}?sort=title"), 422, "invalid")
    long = api.world.challenge(title="😀" * 120)
    api.world.challenge(title="😀" * 120)
    answer = api.bob.get(f"/programmes/{api.programme_id}/challenges?sort=-title&limit=1")
    assert answer.json()["items"][0]["id"] > long  # the widest title there can be fits into a cursor
    assert api.bob.get(answer.headers["link"][1:].partition(">")[0]).json()["items"][0]["id"] == long
