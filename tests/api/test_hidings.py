"""What is hidden and what was objected to, through the API; for those who moderate."""

from app.schemas.comments import CommentItem
from app.schemas.moderation import HiddenList, ObjectionList
from app.services import comments, merges, support
from tests.api.conftest import Api, is_problem, pointers


def test_those_who_moderate_list_what_is_hidden(api: Api) -> None:
    hidings = f"/challenges/{api.challenge_id}/hidings"
    ideas = [api.idea(api.world.bob, f"Idea {number}") for number in range(3)]
    for idea in ideas:
        api.fay.post(f"/ideas/{idea}/hiding", {"reason": "It names someone."})
    api.bob.post(f"/ideas/{ideas[0]}/hiding/answer", {"answer": "No more."})
    page = api.fay.get(f"{hidings}?limit=2")
    HiddenList.model_validate(page.json())
    assert [each["idea"] for each in page.json()["items"]] == [ideas[2], ideas[1]]
    (first,) = api.cora.get(page.links["next"]["url"]).json()["items"]
    assert (first["idea"], first["reason"], first["answer"]) == (ideas[0], "It names someone.", "No more.")
    api.fay.delete(f"/ideas/{ideas[1]}/hiding")
    assert len(api.fay.get(hidings).json()["items"]) == 2
    for caller in (api.bob, api.sam):
        assert is_problem(caller.get(hidings), 403, "not-allowed")
    assert is_problem(api.charlie.get(hidings), 404, "not-found")


def test_a_comment_is_hidden_for_a_reason(api: Api) -> None:
    idea = api.idea(api.world.alice)
    comment = f"/comments/{api.world.do(comments.post, api.world.bob, idea, body='Rude.')}"
    for reason in ("", "x" * 1001):
        refused = api.fay.post(f"{comment}/hiding", {"reason": reason})
        assert is_problem(refused, 422, "invalid")
        assert pointers(refused) == ["/reason"]
    for caller in (api.bob, api.alice):
        assert is_problem(caller.post(f"{comment}/hiding", {"reason": "r"}), 403, "not-allowed")
    assert is_problem(api.charlie.post(f"{comment}/hiding", {"reason": "r"}), 404, "not-found")
    hidden = [api.fay.post(f"{comment}/hiding", {"reason": "It is rude."}) for _ in range(2)]
    assert [answer.status_code for answer in hidden] == [201, 201]
    CommentItem.model_validate(hidden[0].json())
    assert (hidden[0].json()["state"], hidden[0].json()["body"]) == ("hidden", "")
    assert hidden[0].content == hidden[1].content == api.alice.get(comment).content
    assert api.alice.get(f"/ideas/{idea}").json()["comments"] == 0


def test_those_who_moderate_read_who_objected_to_a_merge(api: Api) -> None:
    source, target = api.idea(api.world.bob, "One"), api.idea(api.world.bob, "Two")
    api.world.do(support.give, api.world.alice, source)
    merge = f"/merges/{api.world.do(merges.propose, api.world.bob, source, target)}"
    assert api.alice.post(f"{merge}/objection", {"reason": "Not the same."}).status_code == 200
    listed = api.fay.get(f"{merge}/objections").json()
    ObjectionList.model_validate(listed)
    assert [(each["name"], each["reason"]) for each in listed["items"]] == [("Alice Novak", "Not the same.")]
    assert is_problem(api.bob.get(f"{merge}/objections"), 403, "not-allowed")
    assert is_problem(api.charlie.get(f"{merge}/objections"), 404, "not-found")
