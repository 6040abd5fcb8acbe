"""What ideas said before, and which are alike, through the API."""

from app.schemas.versions import SimilarList, VersionList
from tests.api.conftest import Api, is_problem


def test_versions_come_newest_first_in_pages(api: Api) -> None:
    idea = f"/ideas/{api.idea(api.world.bob, 'First')}"
    assert api.alice.get(f"{idea}/versions").json() == {"items": [], "next": None}
    for title in ("Second", "Third", "Fourth"):
        assert api.bob.patch(idea, {"title": title}, "*").status_code == 200
    page = api.alice.get(f"{idea}/versions?limit=2")
    VersionList.model_validate(page.json())
    assert [each["title"] for each in page.json()["items"]] == ["Third", "Second"]
    rest = api.alice.get(page.links["next"]["url"]).json()
    assert [(each["number"], each["title"], each["editor"]) for each in rest["items"]] == [
        (1, "First", "Bob Kos")
    ]
    assert rest["next"] is None
    assert is_problem(api.charlie.get(f"{idea}/versions"), 404, "not-found")
    assert is_problem(api.nobody.get(f"{idea}/versions"), 401, "not-signed-in")


def test_of_an_anonymous_idea_it_is_not_told_who_edited_it(api: Api) -> None:
    challenge = api.world.challenge(anonymous_allowed=True)
    draft = {"title": "Quiet", "anonymous": True}
    idea = api.bob.post(f"/challenges/{challenge}/ideas", draft).json()["id"]
    api.bob.patch(f"/ideas/{idea}", {"title": "Quieter"}, "*")
    told = api.bob.get(f"/ideas/{idea}/versions")
    assert [each["editor"] for each in told.json()["items"]] == [None]
    assert "Bob" not in told.text


def test_similar_ideas_are_found_by_their_words(api: Api) -> None:
    board = f"/challenges/{api.challenge_id}"
    for title in ("One form for moving house", "Moving house by telephone", "Shorter meetings"):
        api.idea(title=title)
    found = api.bob.get(f"{board}/similar-ideas", params={"title": "moving a house", "limit": 1})
    SimilarList.model_validate(found.json())
    rest = api.bob.get(found.links["next"]["url"]).json()
    assert {each["title"] for each in (*found.json()["items"], *rest["items"])} == {
        "One form for moving house",
        "Moving house by telephone",
    }
    assert rest["next"] is None
    assert api.bob.get(f"{board}/similar-ideas").json()["items"] == []
    assert is_problem(api.bob.get(f"{board}/similar-ideas?title={'x' * 121}"), 422, "invalid")
    assert is_problem(api.charlie.get(f"{board}/similar-ideas?title=moving"), 404, "not-found")


def test_tags_count_in_however_many_lines_they_come(api: Api) -> None:
    idea, board = f"/ideas/{api.idea()}", f"/challenges/{api.challenge_id}/ideas"

    def lines(name: str, *tags: str) -> list[tuple[str, str]]:
        return [*api.alice.headers.items(), *((name, tag) for tag in tags)]

    for path in (idea, board):
        tag = api.alice.tag(path)
        sent = lines("If-None-Match", '"0-0000000000000000"', tag)
        assert api.client.get(f"/api/v1{path}", headers=sent).status_code == 304
    sent = lines("If-Match", '"99-0000000000000000"', api.alice.tag(idea))
    assert api.client.patch(f"/api/v1{idea}", json={"title": "Mended"}, headers=sent).status_code == 200
    assert is_problem(
        api.client.patch(f"/api/v1{idea}", json={"title": "x"}, headers=sent), 412, "version-moved-on"
    )
    sent = lines("If-Match", "*", api.alice.tag(idea))
    assert is_problem(
        api.client.patch(f"/api/v1{idea}", json={"title": "x"}, headers=sent), 400, "bad-request"
    )
