"""Comments through the API."""

import pytest

from app.schemas.comments import CommentItem, CommentList
from app.services import comments
from tests.api.conftest import Api, is_problem, pointers


def test_a_comment_is_posted_and_read(api: Api) -> None:
    idea = f"/ideas/{api.idea()}"
    answer = api.bob.post(f"{idea}/comments", {"body": "We **do** this."})
    assert answer.status_code == 201
    comment = answer.json()
    CommentItem.model_validate(comment)
    assert comment["author"] == {"name": "Bob Kos", "organisation": "Business House of Here"}
    assert comment["body_html"] == "<p>We <strong>do</strong> this.</p>\n"
    read = api.alice.get(answer.headers["location"])
    assert read.json() == comment
    assert read.headers["etag"] == answer.headers["etag"]
    listed = api.alice.get(f"{idea}/comments").json()
    CommentList.model_validate(listed)
    assert listed == {"items": [comment], "next": None}
    assert api.alice.get(idea).json()["comments"] == 1


@pytest.mark.parametrize(
    ("draft", "where"),
    [
        ({}, "/body"),
        ({"body": ""}, "/body"),
        ({"body": " \n "}, "/body"),
        ({"body": "x" * 4001}, "/body"),
        ({"body": "a\u0000b"}, "/body"),
        ({"body": 1}, "/body"),
        ({"body": "b", "idea": 1}, "/idea"),
        ({"body": "b", "language": "xx"}, "/language"),
    ],
)
def test_a_comment_that_cannot_be_taken_is_not_posted(api: Api, draft: dict, where: str) -> None:
    idea = f"/ideas/{api.idea()}"
    answer = api.bob.post(f"{idea}/comments", draft)
    assert is_problem(answer, 422, "invalid")
    assert pointers(answer) == [where]
    assert api.bob.get(f"{idea}/comments").json()["items"] == []


def test_who_may_not_comment_is_told_why(api: Api) -> None:
    idea_id = api.idea()
    assert is_problem(api.olga.post(f"/ideas/{idea_id}/comments", {"body": "b"}), 403, "not-allowed")
    assert is_problem(api.charlie.get(f"/ideas/{idea_id}/comments"), 404, "not-found")
    closed = api.idea(None, "Closed", api.world.challenge(commenting=False))
    assert is_problem(api.bob.post(f"/ideas/{closed}/comments", {"body": "b"}), 409, "conflict")


def test_what_was_taken_back_or_hidden_leaves_no_text(api: Api) -> None:
    idea = f"/ideas/{api.idea()}"
    own = api.bob.post(f"{idea}/comments", {"body": "canary-own"}).headers["location"]
    hidden = api.bob.post(f"{idea}/comments", {"body": "canary-hidden"}).json()
    assert is_problem(api.alice.delete(own, "*"), 403, "not-allowed")
    assert is_problem(api.charlie.delete(own, "*"), 404, "not-found")
    assert is_problem(api.bob.delete(own), 428, "precondition-required")
    assert is_problem(api.bob.delete(own, '"7-0000000000000000"'), 412, "version-moved-on")
    assert api.bob.delete(own, api.bob.tag(own)).status_code == 204
    api.do(comments.hide, api.world.fay, hidden["id"], reason="Rude")
    listed = api.alice.get(f"{idea}/comments")
    assert "canary" not in listed.text
    assert [item["state"] for item in listed.json()["items"]] == ["withdrawn", "hidden"]
    assert "canary" not in api.alice.get(own).text
    assert is_problem(api.charlie.get(own), 404, "not-found")


def test_comments_come_in_pages_the_oldest_first(api: Api) -> None:
    idea = f"/ideas/{api.idea()}"
    posted = [api.bob.post(f"{idea}/comments", {"body": str(number)}).json()["id"] for number in range(5)]
    seen: list[int] = []
    address = f"{idea}/comments?limit=2"
    while address:
        answer = api.alice.get(address)
        seen += [item["id"] for item in answer.json()["items"]]
        address = answer.links["next"]["url"] if answer.links else ""
    assert seen == posted
