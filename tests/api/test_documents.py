"""What the API says of itself."""

import re
from datetime import datetime, timedelta
from html.parser import HTMLParser

import pytest

from app.schemas import base
from app.schemas.problem import Problem, ProblemKindList
from app.schemas.text import passage
from app.web import operations, problems
from tests.api.conftest import Api, is_problem


def test_the_document_is_open_to_everyone(api: Api) -> None:
    answer = api.nobody.get("/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    document = answer.json()
    assert document["openapi"].startswith("3.1")
    assert document["servers"] == [{"url": "http://testserver"}]
    assert "/api/v1/ideas/{idea_id}/support" in document["paths"]


def test_each_type_of_problem_leads_to_what_it_means(api: Api) -> None:
    listed = api.nobody.get("/problems").json()
    ProblemKindList.model_validate(listed)
    assert {item["type"].rsplit("/", 1)[-1] for item in listed["items"]} == set(problems.KINDS)
    for item in listed["items"]:
        assert api.nobody.get(item["type"]).json() == item
    assert is_problem(api.nobody.get("/problems/none"), 404, "not-found")


def test_an_address_that_is_none_and_a_method_that_is_none_are_problems(api: Api) -> None:
    assert is_problem(api.alice.get("/nothing"), 404, "not-found")
    assert is_problem(api.alice.get("/ideas/7/nothing"), 404, "not-found")
    assert is_problem(api.alice.get("/ideas/7.5"), 404, "not-found")
    assert is_problem(api.alice.get("/ideas/" + "9" * 5000), 404, "not-found")
    assert is_problem(api.alice.get("/ideas/0"), 404, "not-found")
    assert is_problem(api.alice.get("/ideas/-1"), 404, "not-found")
    assert is_problem(api.alice.get("/ideas/%00"), 404, "not-found")
    answer = api.alice.put("/ideas/7")
    assert is_problem(answer, 405, "method-not-allowed")
    assert answer.headers["allow"] == "DELETE, GET, PATCH"


def test_problems_are_as_their_schema_says_and_name_the_request(api: Api) -> None:
    answer = api.alice.post(f"/challenges/{api.challenge_id}/ideas", {})
    Problem.model_validate(answer.json())
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    assert answer.headers["cache-control"] == "no-store"


def test_a_failure_of_ours_is_a_problem_without_its_insides(api: Api) -> None:
    async def breaks() -> None:
        raise RuntimeError("canary-inside")

    api.inside.add_api_route("/api/v1/breaks", breaks)
    answer = api.alice.get("/breaks")
    assert is_problem(answer, 500, "internal")
    assert "canary" not in answer.text


def test_links_lead_to_calls_that_take_what_they_give(api: Api) -> None:
    document = api.nobody.get("/openapi.json").json()
    calls = {call["operationId"]: call for methods in document["paths"].values() for call in methods.values()}
    links = [
        (source, link)
        for source in calls.values()
        for answer in source["responses"].values()
        for link in answer.get("links", {}).values()
    ]
    assert len(links) > 100
    for source, link in links:
        taken = {f"{one['in']}.{one['name']}" for one in calls[link["operationId"]]["parameters"]}
        assert link["parameters"].keys() <= taken, (source["operationId"], link)
    made = document["paths"]["/api/v1/challenges/{challenge_id}/ideas"]["post"]["responses"]["201"]["links"]
    change = document["paths"]["/api/v1/ideas/{idea_id}"]["patch"]["operationId"]
    wanted = {"path.idea_id": "$response.body#/id", "header.If-Match": "$response.header.ETag"}
    assert made[change] == {"operationId": change, "parameters": wanted}


@pytest.mark.parametrize(
    "text",
    ["", " ", "\u3000\n", "a", " a ", "a\nb\tc", "a\x00", "\x7f", "a\x85b", "\u202f", "\u200b", "čš\r\nž"],
)
def test_what_the_document_says_of_texts_is_what_holds(text: str) -> None:
    assert bool(re.search(base.PRINTABLE, text)) == (passage("body", text, most=9)[1] == [])
    assert bool(re.search(base.WRITTEN, text)) == (passage("body", text, most=9, least=1)[1] == [])


class _Page(HTMLParser):
    """The addresses that a page loads, and what it has inline."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.inline: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = dict(attributes)
        if tag in ("script", "img", "iframe"):
            self.loaded.append(found.get("src") or "inline")
        if tag == "link" and found.get("rel") != "canonical":
            self.loaded.append(found.get("href") or "")
        self.inline += [name for name in found if name.startswith("on") or name == "style"]


@pytest.mark.parametrize("language", ["en", "sl"])
def test_the_page_tells_every_call_and_loads_nothing_from_elsewhere(api: Api, language: str) -> None:
    answer = api.nobody.get("/docs", headers={"Accept-Language": language})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    for operation in operations.declared():
        assert f"{operation.method} {operations.PREFIX}{operation.path}" in answer.text
    page = _Page(answer.text)
    assert page.inline == []
    assert all(address.startswith("/static/") for address in page.loaded)
    for address in page.loaded:
        assert api.client.get(address).status_code == 200
    assert "'unsafe" not in answer.headers["content-security-policy"]


def test_every_item_carries_what_all_items_carry(api: Api) -> None:
    idea_id = api.idea()
    api.bob.post(f"/ideas/{idea_id}/comments", {"body": "b"})
    here, board = f"/programmes/{api.programme_id}", f"/challenges/{api.challenge_id}"
    lists = ["/programmes", *(f"{here}/{noun}" for noun in ("organisations", "challenges", "events"))]
    lists += [f"{board}/ideas", f"/ideas/{idea_id}/comments"]
    shown = [item for address in lists for item in api.bob.get(address).json()["items"]]
    shown += [api.bob.get(address).json() for address in ("/people/me", here, board, f"/ideas/{idea_id}")]
    assert len(shown) >= 10
    for item in shown:
        assert item["id"] > 0
        assert item["url"].startswith("http://testserver/")
        for when in ("created_at", "updated_at"):
            assert datetime.fromisoformat(item[when]).utcoffset() == timedelta()
            assert item[when].endswith("Z")
