"""Writing together, through the API."""

from app.schemas.versions import CoAuthorItem, CoAuthorList
from tests.api.conftest import Api, is_problem, pointers


def test_an_author_lets_someone_write_along_and_ends_it(api: Api) -> None:
    idea = f"/ideas/{api.idea(api.world.bob)}"
    body = {"person": api.world.bea.person_id}
    key = {"Idempotency-Key": "once"}
    first, again = (api.bob.post(f"{idea}/co-authors", body, headers=key) for _ in range(2))
    assert (first.status_code, again.content) == (201, first.content)
    CoAuthorItem.model_validate(first.json())
    assert api.bob.post(f"{idea}/co-authors", body).status_code == 201
    listed = api.alice.get(f"{idea}/co-authors").json()
    CoAuthorList.model_validate(listed)
    assert listed["items"] == [first.json()]
    assert api.bea.patch(idea, {"title": "Ours"}, "*").status_code == 200
    there = f"{idea}/co-authors/{api.world.bea.person_id}"
    assert is_problem(api.alice.delete(there), 403, "not-allowed")
    assert [api.bea.delete(there).status_code for _ in range(2)] == [204, 204]
    assert is_problem(api.bea.patch(idea, {"title": "Mine"}, "*"), 403, "not-allowed")
    assert api.bob.get(f"{idea}/co-authors").json()["items"] == []


def test_nobody_else_and_nobody_from_elsewhere(api: Api) -> None:
    idea = f"/ideas/{api.idea(api.world.bob)}"
    body = {"person": api.world.bea.person_id}
    assert is_problem(api.alice.post(f"{idea}/co-authors", body), 403, "not-allowed")
    assert is_problem(api.charlie.post(f"{idea}/co-authors", body), 404, "not-found")
    assert is_problem(api.nobody.post(f"{idea}/co-authors", body), 401, "not-signed-in")
    for person in (api.world.bob.person_id, api.world.charlie.person_id, 999_999, "Bea", None):
        refused = api.bob.post(f"{idea}/co-authors", {"person": person})
        assert is_problem(refused, 422, "invalid")
        assert pointers(refused) == ["/person"]
    api.bob.delete(idea, "*")
    assert is_problem(api.bob.post(f"{idea}/co-authors", body), 409, "conflict")


def test_a_page_goes_on_where_it_stood_when_its_last_one_writes_along_no_more(api: Api) -> None:
    there = f"/ideas/{api.idea(api.world.bob)}/co-authors"
    people = [each.person_id for each in (api.world.fay, api.world.bea, api.world.alice)]
    for person in people:
        assert api.bob.post(there, {"person": person}).status_code == 201
    first = api.bob.get(f"{there}?limit=2")
    assert [item["person"] for item in first.json()["items"]] == people[:2]
    assert api.bob.delete(f"{there}/{people[1]}").status_code == 204
    rest = api.bob.get(first.links["next"]["url"]).json()
    assert ([item["person"] for item in rest["items"]], rest["next"]) == (people[2:], None)
