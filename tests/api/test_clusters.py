"""Clusters through the API."""

import pytest

from app.schemas.clusters import ClusterItem, ClusterList
from tests.api.conftest import Api, is_problem, pointers


def test_a_cluster_is_added_renamed_and_taken_away(api: Api) -> None:
    board = f"/challenges/{api.challenge_id}/clusters"
    answer = api.fay.post(board, {"title": "Quick wins"})
    assert answer.status_code == 201
    ClusterItem.model_validate(answer.json())
    address, tag = answer.headers["location"], answer.headers["etag"]
    assert api.bob.get(address).json() == answer.json()
    listed = api.bob.get(board).json()
    ClusterList.model_validate(listed)
    assert [item["title"] for item in listed["items"]] == ["Now", "Later", "Quick wins"]

    renamed = api.fay.patch(address, {"title": "This year"}, tag)
    assert renamed.json()["title"] == "This year"
    assert is_problem(api.fay.patch(address, {"title": "x"}, tag), 412, "version-moved-on")
    assert is_problem(api.fay.patch(address, {"title": "x"}), 428, "precondition-required")

    idea = f"/ideas/{api.idea(cluster_id=answer.json()['id'])}"
    assert is_problem(api.fay.delete(address, tag), 412, "version-moved-on")
    assert api.fay.delete(address, renamed.headers["etag"]).status_code == 204
    assert api.bob.get(idea).json()["cluster"] is None
    assert is_problem(api.bob.get(address), 404, "not-found")
    assert is_problem(api.fay.delete(address, "*"), 404, "not-found")


def test_clusters_come_in_pages(api: Api) -> None:
    board = f"/challenges/{api.challenge_id}/clusters"
    first = api.bob.get(f"{board}?limit=1").json()
    rest = api.bob.get(f"{board}?cursor={first['next']}").json()
    assert [item["title"] for item in first["items"] + rest["items"]] == ["Now", "Later"]


def test_a_page_goes_on_where_it_stood_when_its_last_cluster_is_gone(api: Api) -> None:
    board = f"/challenges/{api.challenge_id}/clusters"
    api.fay.post(board, {"title": "Never"})
    first = api.bob.get(f"{board}?limit=2")
    assert api.fay.delete(f"/clusters/{first.json()['items'][-1]['id']}", "*").status_code == 204
    rest = api.bob.get(first.links["next"]["url"]).json()
    assert ([item["title"] for item in rest["items"]], rest["next"]) == (["Never"], None)


def test_who_may_not_arrange_a_board_is_told(api: Api) -> None:
    board, cluster = f"/challenges/{api.challenge_id}/clusters", f"/clusters/{api.clusters()[0]}"
    for caller, code in ((api.alice, 403), (api.olga, 403), (api.charlie, 404)):
        kind = "not-allowed" if code == 403 else "not-found"
        assert is_problem(caller.post(board, {"title": "t"}), code, kind)
        assert is_problem(caller.patch(cluster, {"title": "t"}, "*"), code, kind)
        assert is_problem(caller.delete(cluster, "*"), code, kind)
    assert is_problem(api.charlie.get(board), 404, "not-found")
    assert is_problem(api.charlie.get(cluster), 404, "not-found")


@pytest.mark.parametrize(
    ("draft", "where"), [({}, "/title"), ({"title": ""}, "/title"), ({"title": "x" * 81}, "/title")]
)
def test_a_cluster_that_cannot_be_taken_is_not_added(api: Api, draft: dict, where: str) -> None:
    assert pointers(api.fay.post(f"/challenges/{api.challenge_id}/clusters", draft)) == [where]
    assert len(api.clusters()) == 2
