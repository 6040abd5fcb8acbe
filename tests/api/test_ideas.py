"""Ideas through the API: what an integrator can rely on."""

from datetime import datetime

import pytest

from app.schemas.ideas import IdeaItem, IdeaList
from tests.api.conftest import Api, is_problem, pointers


def test_an_idea_is_posted_and_read_as_promised(api: Api) -> None:
    cluster = api.clusters()[0]
    answer = api.alice.post(
        f"/challenges/{api.challenge_id}/ideas",
        {"title": "One *form*", "body": "Ask **once**.", "cluster": cluster},
    )
    assert answer.status_code == 201
    posted = answer.json()
    IdeaItem.model_validate(posted)
    assert posted["title"] == "One *form*"
    assert posted["body"] == "Ask **once**."
    assert posted["body_html"] == "<p>Ask <strong>once</strong>.</p>\n"
    assert posted["author"] == {"name": "Alice Novak", "organisation": "Public administration House of Here"}
    assert (posted["cluster"], posted["phase"], posted["version"]) == (cluster, "ideation", 1)
    assert posted["tally"] == {"total": 0, "sectors": {"public": 0, "business": 0}, "bridging": 0.5}
    assert posted["supported"] is False
    assert posted["url"] == f"http://testserver/ideas/{posted['id']}"
    assert posted["created_at"].endswith("Z")
    assert datetime.fromisoformat(posted["created_at"]).tzinfo is not None
    assert answer.headers["location"] == f"http://testserver/api/v1/ideas/{posted['id']}"

    read = api.bob.get(answer.headers["location"])
    assert read.json() == posted
    assert read.headers["etag"] == answer.headers["etag"]


def test_what_is_left_out_is_as_usual(api: Api) -> None:
    posted = api.alice.post(f"/challenges/{api.challenge_id}/ideas", {"title": "Only a title"}).json()
    assert (posted["body"], posted["cluster"], posted["anonymous"], posted["language"]) == (
        "",
        None,
        False,
        "en",
    )


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({}, "/title"),
        ({"title": ""}, "/title"),
        ({"title": "   "}, "/title"),
        ({"title": None}, "/title"),
        ({"title": 7}, "/title"),
        ({"title": ["x"]}, "/title"),
        ({"title": "x" * 121}, "/title"),
        ({"title": "bell \u0007"}, "/title"),
        ({"title": "nul \u0000"}, "/title"),
        ({"title": "t", "body": "b" * 10_001}, "/body"),
        ({"title": "t", "body": "\u001b[31m"}, "/body"),
        ({"title": "t", "cluster": 999_999}, "/cluster"),
        ({"title": "t", "cluster": 0}, "/cluster"),
        ({"title": "t", "cluster": -1}, "/cluster"),
        ({"title": "t", "cluster": 2**63}, "/cluster"),
        ({"title": "t", "cluster": 1.5}, "/cluster"),
        ({"title": "t", "cluster": True}, "/cluster"),
        ({"title": "t", "cluster": "1"}, "/cluster"),
        ({"title": "t", "anonymous": 1}, "/anonymous"),
        ({"title": "t", "anonymous": "true"}, "/anonymous"),
        ({"title": "t", "anonymous": True}, "/anonymous"),
        ({"title": "t", "language": "xx"}, "/language"),
        ({"titel": "t", "title": "t"}, "/titel"),
        ({"title": "t", "id": 5}, "/id"),
        ({"title": "t", "author_id": 5}, "/author_id"),
        ({"title": "t", "state": "open"}, "/state"),
    ],
)
def test_what_cannot_be_taken_is_told_with_a_pointer_and_nothing_is_saved(
    api: Api, body: dict, where: str
) -> None:
    answer = api.alice.post(f"/challenges/{api.challenge_id}/ideas", body)
    assert is_problem(answer, 422, "invalid")
    assert pointers(answer) == [where]
    assert answer.json()["errors"][0]["reason"]
    assert api.alice.get(f"/challenges/{api.challenge_id}/ideas").json()["items"] == []


def test_what_was_sent_is_never_repeated(api: Api) -> None:
    canary = "canary-5f2a"
    answer = api.alice.post(
        f"/challenges/{api.challenge_id}/ideas", {"title": [canary], "cluster": canary, f"{canary} <b>": 1}
    )
    assert is_problem(answer, 422, "invalid")
    assert canary not in answer.text
    assert sorted(pointers(answer)) == ["", "/cluster", "/title"]


def test_an_anonymous_idea_names_nobody_anywhere(api: Api) -> None:
    challenge_id = api.world.challenge(anonymous_allowed=True)
    answer = api.alice.post(f"/challenges/{challenge_id}/ideas", {"title": "Secret", "anonymous": True})
    assert answer.json()["author"] is None
    idea = f"/ideas/{answer.json()['id']}"
    for caller in (api.alice, api.ana, api.fay, api.cora):
        assert "Alice" not in caller.get(idea).text
        assert "Alice" not in caller.get(f"/challenges/{challenge_id}/ideas").text
    for event in api.cora.get(f"/programmes/{api.programme_id}/events").json()["items"]:
        assert event["challenge"] != challenge_id or event["actor"] is None


def test_who_may_not_see_a_challenge_finds_nothing_there(api: Api) -> None:
    for caller in (api.charlie,):
        assert is_problem(caller.get(f"/challenges/{api.challenge_id}/ideas"), 404, "not-found")
        assert is_problem(
            caller.post(f"/challenges/{api.challenge_id}/ideas", {"title": "t"}), 404, "not-found"
        )
    idea_id = api.idea()
    for answer in (
        api.charlie.get(f"/ideas/{idea_id}"),
        api.charlie.patch(f"/ideas/{idea_id}", {"title": "mine"}, "*"),
        api.charlie.delete(f"/ideas/{idea_id}", "*"),
        api.charlie.put(f"/ideas/{idea_id}/support"),
        api.charlie.post(f"/ideas/{idea_id}/comments", {"body": "b"}),
    ):
        assert is_problem(answer, 404, "not-found")
    missing = api.charlie.get("/ideas/999999")
    there = api.charlie.get(f"/ideas/{idea_id}")
    assert {**missing.json(), "request_id": ""} == {**there.json(), "request_id": ""}


def test_an_observer_reads_and_does_not_post(api: Api) -> None:
    assert api.olga.get(f"/challenges/{api.challenge_id}/ideas").status_code == 200
    assert is_problem(
        api.olga.post(f"/challenges/{api.challenge_id}/ideas", {"title": "t"}), 403, "not-allowed"
    )


def test_posting_in_a_phase_that_is_closed_for_it_is_a_conflict(api: Api) -> None:
    challenge_id = api.world.challenge("voting", posting=False)
    assert is_problem(api.alice.post(f"/challenges/{challenge_id}/ideas", {"title": "t"}), 409, "conflict")


def test_an_edit_keeps_what_is_left_out_and_moves_the_version_on(api: Api) -> None:
    idea = f"/ideas/{api.idea(body='Once.')}"
    answer = api.alice.patch(idea, {"title": "Changed"}, api.alice.tag(idea))
    assert answer.status_code == 200
    changed = answer.json()
    assert (changed["title"], changed["body"], changed["version"]) == ("Changed", "Once.", 2)
    assert api.alice.tag(idea) == answer.headers["etag"]


def test_an_edit_says_which_version_it_means(api: Api) -> None:
    idea = f"/ideas/{api.idea()}"
    old = api.alice.tag(idea)
    assert is_problem(api.alice.patch(idea, {"title": "x"}), 428, "precondition-required")
    assert api.alice.patch(idea, {"title": "first"}, old).status_code == 200
    for tag in (old, '"1-0000000000000000"', f"W/{api.alice.tag(idea)}", '"nonsense"'):
        assert is_problem(api.alice.patch(idea, {"title": "second"}, tag), 412, "version-moved-on")
    assert is_problem(api.alice.patch(idea, {"title": "second"}, "no tag"), 400, "bad-request")
    assert api.alice.get(idea).json()["title"] == "first"
    assert api.alice.patch(idea, {"title": "third"}, f'"x", {api.alice.tag(idea)}').json()["title"] == "third"
    assert api.alice.patch(idea, {"title": "any"}, "*").json()["title"] == "any"


def test_someones_support_in_between_does_not_refuse_an_edit(api: Api) -> None:
    idea = f"/ideas/{api.idea()}"
    tag = api.alice.tag(idea)
    api.bob.put(f"{idea}/support")
    assert api.alice.tag(idea) != tag
    assert api.alice.patch(idea, {"title": "Changed"}, tag).status_code == 200


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"title": ""}, "/title"),
        ({"title": None}, "/title"),
        ({"body": "b" * 10_001}, "/body"),
        ({"cluster": 999_999}, "/cluster"),
        ({"language": "xx"}, "/language"),
        ({"language": None}, "/language"),
        ({"anonymous": False}, "/anonymous"),
        ({"state": "open"}, "/state"),
        ({"version": 9}, "/version"),
        ({"challenge": 1}, "/challenge"),
    ],
)
def test_an_edit_that_cannot_be_taken_changes_nothing(api: Api, change: dict, where: str) -> None:
    idea = f"/ideas/{api.idea()}"
    before = api.alice.get(idea).json()
    answer = api.alice.patch(idea, change, api.alice.tag(idea))
    assert is_problem(answer, 422, "invalid")
    assert pointers(answer) == [where]
    assert api.alice.get(idea).json() == before


def test_only_its_authors_edit_an_idea(api: Api) -> None:
    idea = f"/ideas/{api.idea()}"
    for other in (api.ana, api.bob, api.fay):
        assert is_problem(other.patch(idea, {"title": "Mine now"}, "*"), 403, "not-allowed")
        assert is_problem(other.delete(idea, "*"), 403, "not-allowed")


def test_a_colleague_moves_a_card_between_clusters(api: Api) -> None:
    now, later = api.clusters()
    idea = f"/ideas/{api.idea(cluster_id=now)}"
    assert api.bob.patch(idea, {"cluster": later}, api.bob.tag(idea)).json()["cluster"] == later
    assert api.bob.patch(idea, {"cluster": None}, api.bob.tag(idea)).json()["cluster"] is None


def test_nothing_to_change_changes_nothing(api: Api) -> None:
    idea = f"/ideas/{api.idea()}"
    assert api.alice.patch(idea, {}, api.alice.tag(idea)).json()["version"] == 1


def test_what_an_idea_says_already_makes_no_version_of_it(api: Api) -> None:
    now, _ = api.clusters()
    idea = f"/ideas/{api.idea(title='The same', body='Once.', cluster_id=now)}"
    same = {"title": " The  same", "body": "Once.", "language": "en", "cluster": now}
    tag = api.alice.tag(idea)
    for changes in (same, {"title": "The same"}):
        answer = api.alice.patch(idea, changes, tag)
        assert (answer.status_code, answer.headers["etag"]) == (200, tag)
    assert api.alice.get(f"{idea}/versions").json()["items"] == []
    assert is_problem(api.bob.patch(idea, same, "*"), 403, "not-allowed")
    assert is_problem(api.alice.patch(idea, same, '"9-0000000000000000"'), 412, "version-moved-on")
    assert api.alice.patch(idea, same | {"cluster": None}, "*").json()["version"] == 2


def test_an_idea_is_said_to_be_in_another_language_by_its_authors(api: Api) -> None:
    idea = f"/ideas/{api.idea()}"
    changed = api.alice.patch(idea, {"language": "sl"}, api.alice.tag(idea))
    assert (changed.json()["language"], changed.json()["version"]) == ("sl", 2)
    assert api.bob.get(idea).json()["language"] == "sl"
    assert is_problem(api.bob.patch(idea, {"language": "en"}, "*"), 403, "not-allowed")


def test_a_withdrawn_idea_leaves_the_board_and_stays_with_its_author(api: Api) -> None:
    idea = f"/ideas/{api.idea()}"
    assert is_problem(api.alice.delete(idea), 428, "precondition-required")
    assert is_problem(api.alice.delete(idea, '"9-0000000000000000"'), 412, "version-moved-on")
    answer = api.alice.delete(idea, api.alice.tag(idea))
    assert (answer.status_code, answer.content) == (204, b"")
    assert api.alice.delete(idea, "*").status_code == 204
    assert api.alice.get(idea).json()["state"] == "withdrawn"
    assert is_problem(api.bob.get(idea), 404, "not-found")
    assert api.bob.get(f"/challenges/{api.challenge_id}/ideas").json()["items"] == []


def test_what_is_still_so_is_not_sent_again(api: Api) -> None:
    idea = f"/ideas/{api.idea()}"
    tag = api.alice.tag(idea)
    assert not tag.startswith("W/")
    for header in (tag, f'"other", {tag}', f"W/{tag}", "*"):
        answer = api.alice.get(idea, headers={"If-None-Match": header})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", tag)
    api.bob.put(f"{idea}/support")
    assert api.alice.get(idea, headers={"If-None-Match": tag}).status_code == 200


def test_two_callers_have_their_own_tag_where_what_they_see_differs(api: Api) -> None:
    idea = f"/ideas/{api.idea()}"
    api.bob.put(f"{idea}/support")
    assert api.bob.get(idea).json()["supported"] is True
    assert api.alice.get(idea).json()["supported"] is False
    assert api.alice.tag(idea) != api.bob.tag(idea)


def test_the_list_is_as_promised(api: Api) -> None:
    ids = [api.idea(title=f"Idea {number}") for number in range(3)]
    api.bob.put(f"/ideas/{ids[1]}/support")
    listed = api.bob.get(f"/challenges/{api.challenge_id}/ideas").json()
    IdeaList.model_validate(listed)
    assert [item["id"] for item in listed["items"]] == ids[::-1]
    assert [item["supported"] for item in listed["items"]] == [False, True, False]
    assert listed["next"] is None
    for item in listed["items"]:
        assert item == api.bob.get(f"/ideas/{item['id']}").json()


def test_pages_neither_repeat_nor_hide_what_is_posted_meanwhile(api: Api) -> None:
    ids = [api.idea(title=f"Idea {number}") for number in range(7)]
    seen: list[int] = []
    address = f"http://testserver/api/v1/challenges/{api.challenge_id}/ideas?limit=2"
    while address:
        answer = api.alice.get(address)
        seen += [item["id"] for item in answer.json()["items"]]
        api.idea(title="Posted meanwhile")
        address = answer.links["next"]["url"] if answer.links else None
        assert (answer.json()["next"] is None) == (address is None)
        assert address is None or answer.json()["next"] in address
    assert seen == ids[::-1]


@pytest.mark.parametrize("sort", ["new", "supported", "bridging"])
def test_every_order_reaches_every_idea_once(api: Api, sort: str) -> None:
    ids = [api.idea(title=f"Idea {number}") for number in range(5)]
    for idea_id in ids[1:4]:
        api.bob.put(f"/ideas/{idea_id}/support")
    api.alice.put(f"/ideas/{ids[2]}/support")
    seen: list[int] = []
    cursor = None
    while cursor or not seen:
        answer = api.alice.get(
            f"/challenges/{api.challenge_id}/ideas",
            params={"sort": sort, "limit": 2, **({"cursor": cursor} if cursor else {})},
        )
        seen += [item["id"] for item in answer.json()["items"]]
        cursor = answer.json()["next"]
    assert sorted(seen) == ids
    assert sort == "new" or seen[0] == ids[2]


def test_the_list_is_narrowed_as_on_the_page(api: Api) -> None:
    now, later = api.clusters()
    first = api.idea(title="Apples", cluster_id=now)
    second = api.idea(api.world.bob, "Pears", cluster_id=later)
    board = f"/challenges/{api.challenge_id}/ideas"
    for query, found in (
        (f"cluster={now}", [first]),
        ("cluster=0", []),
        ("sector=business", [second]),
        ("q=pears", [second]),
        ("q=%22%27)(*", [second, first]),
    ):
        assert [item["id"] for item in api.alice.get(f"{board}?{query}").json()["items"]] == found, query


@pytest.mark.parametrize(
    ("query", "where"),
    [
        ("limit=0", "/limit"),
        ("limit=201", "/limit"),
        ("limit=-1", "/limit"),
        ("limit=ten", "/limit"),
        ("limit=", "/limit"),
        ("limit=1e3", "/limit"),
        ("cursor=", "/cursor"),
        ("cursor=abc", "/cursor"),
        ("sort=best", "/sort"),
        ("cluster=x", "/cluster"),
    ],
)
def test_a_query_that_cannot_be_taken_is_told(api: Api, query: str, where: str) -> None:
    answer = api.alice.get(f"/challenges/{api.challenge_id}/ideas?{query}")
    assert is_problem(answer, 422, "invalid")
    assert pointers(answer) == [where]
    assert answer.json()["errors"][0]["in"] == "query"


def test_a_nul_in_the_query_is_told(api: Api) -> None:
    assert is_problem(api.alice.get(f"/challenges/{api.challenge_id}/ideas?cursor=%00"), 400, "bad-request")


def test_a_cursor_serves_only_its_own_list(api: Api) -> None:
    for number in range(3):
        api.idea(title=f"Idea {number}")
    board = f"/challenges/{api.challenge_id}/ideas"
    cursor = api.alice.get(f"{board}?limit=1").json()["next"]
    assert api.alice.get(f"{board}?limit=1&cursor={cursor}").status_code == 200
    changed = cursor[:-2] + ("AA" if cursor[-2:] != "AA" else "BB")
    elsewhere = api.world.challenge()
    for address in (
        f"{board}?cursor={changed}",
        f"{board}?sort=supported&cursor={cursor}",
        f"/challenges/{elsewhere}/ideas?cursor={cursor}",
    ):
        assert is_problem(api.alice.get(address), 422, "invalid")


def test_an_hidden_idea_shows_to_nobody_who_may_not_see_it(api: Api) -> None:
    from app.services import moderation

    idea_id = api.idea(title="canary-77aa", body="canary-77aa")
    api.do(moderation.hide, api.world.fay, idea_id, reason="Off topic")
    assert is_problem(api.bob.get(f"/ideas/{idea_id}"), 404, "not-found")
    assert "canary-77aa" not in api.bob.get(f"/challenges/{api.challenge_id}/ideas").text
    assert "canary-77aa" not in api.bob.get(f"/challenges/{api.challenge_id}/ideas?q=canary").text
    assert "canary-77aa" not in api.bob.get(f"/programmes/{api.programme_id}/events").text
    assert api.alice.get(f"/ideas/{idea_id}").json()["state"] == "hidden"


def test_tallies_are_null_while_the_phase_hides_them(api: Api) -> None:
    challenge_id = api.world.challenge(tallies=False)
    idea_id = api.idea(None, "Quiet", challenge_id)
    assert api.bob.put(f"/ideas/{idea_id}/support").json() == {
        "idea": idea_id,
        "supported": True,
        "tally": None,
    }
    assert api.bob.get(f"/ideas/{idea_id}").json()["tally"] is None
    assert api.bob.get(f"/challenges/{challenge_id}/ideas").json()["items"][0]["tally"] is None


def test_a_strong_tag_is_of_the_very_bytes_that_come(api: Api) -> None:
    idea = f"/ideas/{api.idea(body='word ' * 1500)}"
    plain = api.alice.get(idea, headers={"Accept-Encoding": "identity"})
    packed = api.alice.get(idea, headers={"Accept-Encoding": "gzip, br, zstd"})
    assert plain.headers["etag"] == packed.headers["etag"]
    assert "content-encoding" not in packed.headers
    listed = api.alice.get(f"/challenges/{api.challenge_id}/ideas", headers={"Accept-Encoding": "gzip"})
    assert listed.headers["content-encoding"] == "gzip"
    assert listed.json()["items"] == [plain.json()]
