"""`?fields=` and `?include=`: less of each item, and its neighbours beside it, for items and for lists alike."""

from typing import Any

import pytest

from app.schemas.included import Included
from app.web import operations
from app.web.including import MOST_COMMENTS, NEIGHBOURS
from tests.api.conftest import Api, Caller, is_problem, pointers
from tests.api.hosting import ask, placement


def _board(api: Api) -> dict[str, str]:
    """The addresses of one of everything that has neighbours."""
    sponsored = f"/challenges/{api.challenge_id}"
    tag = api.cora.tag(sponsored)
    api.cora.patch(sponsored, {"sponsor": api.world.organisations["public"]}, tag)
    ideas = [api.idea(title=f"Idea {number}", cluster_id=api.world.clusters()[0]) for number in range(2)]
    comments = [
        api.bob.post(f"/ideas/{ideas[0]}/comments", {"body": f"Comment {number}"}).json()["id"]
        for number in range(MOST_COMMENTS + 1)
    ]
    solution = api.solution(idea_ids=ideas)
    api.alice.delete(f"/ideas/{ideas[1]}", "*")
    ballot = api.ballot(solutions=[solution, api.solution("Another")])
    other = api.idea(api.world.bob, "Much the same")
    merge = api.alice.post(f"/ideas/{ideas[0]}/merges", {"target": other}).json()["id"]
    placed = placement(api)
    booking = ask(api, placed).json()["id"]
    return {
        "challenge": sponsored,
        "idea": f"/ideas/{ideas[0]}",
        "comment": f"/comments/{comments[0]}",
        "cluster": f"/clusters/{api.world.clusters()[0]}",
        "solution": f"/solutions/{solution}",
        "ballot": f"/ballots/{ballot}",
        "merge": f"/merges/{merge}",
        "placement": f"/placements/{placed['id']}",
        "booking": f"/bookings/{booking}",
        "me": "/people/me",
    }


def _beside(caller: Caller, path: str, include: str, wanted: dict[str, int]) -> dict[str, Any]:
    """What comes along: so many of each noun, and each of them as its own address gives it."""
    answer = caller.get(f"{path}{'&' if '?' in path else '?'}include={include}")
    assert answer.status_code == 200, answer.json()
    included: dict[str, Any] = answer.json()["included"]
    Included.model_validate(included)
    assert {noun: len(things) for noun, things in included.items()} == wanted
    for noun, things in included.items():
        if noun != "organisations":
            assert [caller.get(f"/{noun}/{thing['id']}").json() for thing in things[:2]] == things[:2]
    return included


def test_neighbours_come_along_as_their_own_addresses_give_them(api: Api) -> None:
    at = _board(api)
    bob = api.of(api.world.bob, "read", "book", "write")
    listed = bob.get(f"/programmes/{api.programme_id}/organisations").json()["items"]
    by_id = {item["id"]: item for item in listed}
    public, business = (api.world.organisations[key] for key in ("public", "business"))
    board = f"/challenges/{api.challenge_id}"

    found = _beside(bob, at["challenge"], "programme,sponsor", {"programmes": 1, "organisations": 1})
    assert found["organisations"] == [by_id[public]]
    everything = "challenge,cluster,comments&include=programme"
    counts = {"programmes": 1, "challenges": 1, "clusters": 1, "comments": MOST_COMMENTS}
    found = _beside(bob, at["idea"], everything, counts)
    assert [comment["body"] for comment in found["comments"][:2]] == ["Comment 0", "Comment 1"]
    _beside(bob, f"{board}/ideas", everything, counts)
    for path in (at["comment"], f"{at['idea']}/comments"):
        _beside(bob, path, "idea", {"ideas": 1})
    for path in (at["cluster"], f"{board}/clusters"):
        _beside(bob, path, "challenge", {"challenges": 1})
    _beside(bob, at["solution"], "challenge,ideas", {"challenges": 1, "ideas": 1})  # one was taken back
    _beside(api.alice, at["solution"], "ideas", {"ideas": 2})  # whose author still reads it
    for path in (at["ballot"], f"{board}/ballots"):
        _beside(bob, path, "challenge,solutions", {"challenges": 1, "solutions": 2})
    for path in (at["merge"], f"{at['idea']}/merges"):
        _beside(bob, path, "source,target", {"ideas": 2})
    for path in (at["placement"], f"/programmes/{api.programme_id}/placements"):
        found = _beside(bob, path, "host,programme", {"organisations": 1, "programmes": 1})
        assert found["organisations"] == [by_id[public]]
    lists = (f"/programmes/{api.programme_id}", at["placement"], "/people/me")
    for path in (at["booking"], *(f"{each}/bookings" for each in lists)):
        found = _beside(bob, path, "placement,host,guest.organisation", {"placements": 1, "organisations": 2})
        assert found["organisations"] == [by_id[id] for id in sorted((public, business))]
    everywhere = "memberships.programme,memberships.organisation"
    _beside(bob, at["me"], everywhere, {"programmes": 1, "organisations": 1})
    own = f"/programmes/{api.programme_id}/organisations"
    for path in (own, f"/organisations/{public}"):
        _beside(bob, path, "programme", {"programmes": 1})
    assert _beside(bob, f"{board}/ideas?q=nothing", "cluster", {"clusters": 0}) == {"clusters": []}


def test_only_the_fields_that_are_asked_for_come(api: Api) -> None:
    idea = f"/ideas/{api.idea()}"
    api.idea(title="Another")
    board = f"/challenges/{api.challenge_id}/ideas"
    assert api.bob.get(f"{idea}?fields=title,author").json().keys() == {"title", "author"}
    assert api.bob.get(f"{idea}?fields=title&fields=id").json().keys() == {"title", "id"}
    answer = api.bob.get(f"{board}?fields=id,title&limit=1&include=challenge")
    assert [item.keys() for item in answer.json()["items"]] == [{"id", "title"}]
    assert len(answer.json()["included"]["challenges"]) == 1
    following = answer.headers["link"].removeprefix("<").partition(">")[0]
    assert api.bob.get(following).json()["items"][0].keys() == {"id", "title"}
    both = api.bob.get(f"{idea}?fields=title&include=challenge").json()
    assert both.keys() == {"title", "included"}
    assert api.bob.get(f"/programmes/{api.programme_id}?fields=slug").json() == {"slug": "here"}
    assert api.bob.get(f"/programmes/{api.programme_id}/events?fields=type").json()["items"][0] == {
        "type": "idea.posted"
    }
    # a cursor is of a list and its order, not of what is shown of its items
    cursor = answer.json()["next"]
    assert len(api.bob.get(f"{board}?limit=1&cursor={cursor}").json()["items"]) == 1


NOT_THERE = {
    "fields=titel": "/fields/titel",
    "fields=id,,title": "/fields",
    "fields=": "/fields",
    "fields=included": "/fields/included",
    "fields=%3Cb%3E": "/fields",
    "include=author": "/include/author",
    "include=": "/include",
    "feilds=title": "/feilds",
    "%3Cb%3E=1": "",
}
"""Where each of these queries is wrong; what is no name is not repeated."""


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_name_that_is_not_there_is_told(api: Api) -> None:
    idea = api.idea()
    for path in (f"/ideas/{idea}", f"/challenges/{api.challenge_id}/ideas"):
        for query, pointer in NOT_THERE.items():
            answer = api.bob.get(f"{path}?{query}")
            assert is_problem(answer, 422, "invalid")
            assert pointers(answer) == [pointer]
            assert answer.json()["errors"][0]["in"] == "query"


def test_each_representation_has_a_tag_of_its_own(api: Api) -> None:
    idea = f"/ideas/{api.idea()}"
    tags = {
        query: api.alice.get(f"{idea}{query}").headers["etag"]
        for query in ("", "?fields=title", "?fields=title,id", "?include=challenge")
    }
    assert len(set(tags.values())) == len(tags)
    for query, tag in tags.items():
        again = api.alice.get(f"{idea}{query}", headers={"If-None-Match": tag})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    sparse = tags["?fields=title"]
    assert api.alice.get(idea, headers={"If-None-Match": sparse}).status_code == 200
    assert api.alice.patch(idea, {"title": "Mended"}, sparse).status_code == 200  # its version is the item's


def test_a_list_is_tagged_as_a_whole(api: Api) -> None:
    api.idea()
    for path in (f"/challenges/{api.challenge_id}/ideas", f"/programmes/{api.programme_id}/challenges"):
        first = api.bob.get(path)
        tag = first.headers["etag"]
        assert tag.startswith('W/"')
        again = api.bob.get(path, headers={"If-None-Match": tag})
        assert (again.status_code, again.content) == (304, b"")
        assert api.bob.get(f"{path}?fields=id").headers["etag"] != tag
    board = f"/challenges/{api.challenge_id}/ideas"
    tag = api.bob.get(board).headers["etag"]
    api.idea(title="Another")
    assert api.bob.get(board, headers={"If-None-Match": tag}).status_code == 200


def test_every_neighbour_is_an_operations() -> None:
    assert {name for each in operations.declared() for name in each.includes} == NEIGHBOURS.keys()
