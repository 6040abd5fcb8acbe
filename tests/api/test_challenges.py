"""Programmes, organisations and challenges through the API."""

import pytest

from app.schemas.challenges import ChallengeItem, ChallengeList
from app.schemas.programmes import OrganisationList, ProgrammeItem, ProgrammeList
from tests.api.conftest import Api, is_problem, pointers


def test_programmes_are_those_that_are_open_to_one(api: Api) -> None:
    from app.models import Programme
    from app.models.base import table

    api.do(lambda tx: tx.execute(table(Programme).update().values(visibility="members")))
    listed = api.alice.get("/programmes").json()
    ProgrammeList.model_validate(listed)
    assert [item["slug"] for item in listed["items"]] == ["here"]
    answer = api.alice.get(f"/programmes/{api.programme_id}")
    ProgrammeItem.model_validate(answer.json())
    assert answer.json() == listed["items"][0]
    assert answer.json()["url"] == "http://testserver/programmes/here"
    tag = answer.headers["etag"]
    assert api.alice.get(f"/programmes/{api.programme_id}", headers={"If-None-Match": tag}).status_code == 304
    other = f"/programmes/{api.other_programme_id}"
    for path in (
        other,
        f"{other}/organisations",
        f"{other}/challenges",
        f"{other}/events",
        "/programmes/999",
    ):
        assert is_problem(api.alice.get(path), 404, "not-found")


def test_of_a_public_programme_a_stranger_reads_its_name_and_not_its_challenges(api: Api) -> None:
    here = f"/programmes/{api.programme_id}"
    assert api.charlie.get(here).json()["slug"] == "here"
    assert api.charlie.get(f"{here}/challenges").json()["items"] == []
    assert is_problem(api.charlie.get(f"{here}/events"), 403, "not-allowed")
    assert is_problem(api.charlie.post(f"{here}/challenges", {"title": "t"}), 404, "not-found")


def test_programmes_come_in_pages(api: Api) -> None:
    first = api.alice.get("/programmes?limit=1").json()
    assert len(first["items"]) == 1
    second = api.alice.get(f"/programmes?limit=1&cursor={first['next']}").json()
    assert second["items"][0]["id"] > first["items"][0]["id"]
    assert second["next"] is None


def test_organisations_carry_their_sector(api: Api) -> None:
    listed = api.bob.get(f"/programmes/{api.programme_id}/organisations").json()
    OrganisationList.model_validate(listed)
    assert sorted(item["sector"] for item in listed["items"]) == ["business", "public"]
    page = api.bob.get(f"/programmes/{api.programme_id}/organisations?limit=1").json()
    rest = api.bob.get(f"/programmes/{api.programme_id}/organisations?cursor={page['next']}").json()
    assert page["items"] + rest["items"] == listed["items"]


def test_a_challenge_is_set_read_changed_and_taken_away(api: Api) -> None:
    draft = {
        "title": "One address for all",
        "summary": "How?",
        "brief": "**Why**",
        "anonymous_allowed": True,
        "sponsor": api.organisations["public"],
        "phases": [
            {"kind": "ideation", "starts_at": "2026-01-05T08:00:00Z"},
            {
                "kind": "shaping",
                "starts_at": "2126-01-05T09:00:00+01:00",
                "ends_at": "2127-01-01T00:00:00Z",
                "posting": True,
            },
        ],
    }
    answer = api.sam.post(f"/programmes/{api.programme_id}/challenges", draft)
    assert answer.status_code == 201
    challenge = answer.json()
    ChallengeItem.model_validate(challenge)
    assert (challenge["phase"], challenge["sponsor"]) == ("ideation", api.organisations["public"])
    assert challenge["brief_html"] == "<p><strong>Why</strong></p>\n"
    assert (
        challenge["phases"][0]["ends_at"]
        == challenge["phases"][1]["starts_at"]
        == "2126-01-05T08:00:00.000000Z"
    )
    assert challenge["phases"][1]["posting"] is True

    address = answer.headers["location"]
    assert api.bob.get(address).json() == challenge
    tag = answer.headers["etag"]
    assert api.bob.get(address, headers={"If-None-Match": tag}).status_code == 304
    changed = api.sam.patch(address, {"summary": "", "sponsor": None}, tag)
    assert changed.status_code == 200
    assert (changed.json()["summary"], changed.json()["sponsor"], changed.json()["title"]) == (
        "",
        None,
        draft["title"],
    )
    again = api.sam.patch(address, {"summary": " ", "sponsor": None, "title": draft["title"]}, "*")
    assert again.headers["etag"] == changed.headers["etag"], "it was so already"
    assert is_problem(api.sam.patch(address, {"title": "x"}, tag), 412, "version-moved-on")
    assert is_problem(api.sam.patch(address, {"title": "x"}), 428, "precondition-required")
    assert is_problem(api.sam.delete(address, "*"), 403, "not-allowed")
    assert is_problem(api.cora.delete(address), 428, "precondition-required")
    assert is_problem(api.cora.delete(address, tag), 412, "version-moved-on")
    assert api.cora.delete(address, changed.headers["etag"]).status_code == 204
    assert is_problem(api.cora.get(address), 404, "not-found")
    assert is_problem(api.cora.delete(address, "*"), 404, "not-found")


def test_phases_are_set_whole(api: Api) -> None:
    challenge = f"/challenges/{api.challenge_id}"
    phases = {"phases": [{"kind": "voting", "starts_at": "2026-01-01T00:00:00Z", "tallies": True}]}
    assert is_problem(api.fay.put(f"{challenge}/phases", json=phases), 428, "precondition-required")
    answer = api.fay.put(f"{challenge}/phases", json=phases, headers={"If-Match": api.fay.tag(challenge)})
    assert answer.status_code == 200
    assert answer.json()["phase"] == "voting"
    assert answer.json()["version"] == 2
    assert is_problem(
        api.alice.put(f"{challenge}/phases", json=phases, headers={"If-Match": "*"}), 403, "not-allowed"
    )


@pytest.mark.parametrize(
    ("draft", "where"),
    [
        ({}, "/title"),
        ({"title": "x" * 121}, "/title"),
        ({"title": "t", "summary": "x" * 301}, "/summary"),
        ({"title": "t", "brief": "x" * 10_001}, "/brief"),
        ({"title": "t", "language": "fr"}, "/language"),
        ({"title": "t", "sponsor": 999}, "/sponsor"),
        ({"title": "t", "phases": []}, "/phases"),
        (
            {"title": "t", "phases": [{"kind": "party", "starts_at": "2026-01-01T00:00:00Z"}]},
            "/phases/0/kind",
        ),
        ({"title": "t", "phases": [{"kind": "framing"}]}, "/phases/0/starts_at"),
        ({"title": "t", "phases": [{"kind": "framing", "starts_at": "yesterday"}]}, "/phases/0/starts_at"),
        (
            {"title": "t", "phases": [{"kind": "framing", "starts_at": "2026-01-01T00:00:00"}]},
            "/phases/0/starts_at",
        ),
        ({"title": "t", "phases": [{"kind": "framing", "starts_at": "2026-01-01"}]}, "/phases/0/starts_at"),
        ({"title": "t", "phases": [{"kind": "framing", "starts_at": 1767225600}]}, "/phases/0/starts_at"),
        (
            {"title": "t", "phases": [{"kind": "framing", "starts_at": "0001-01-01T00:00:00+14:00"}]},
            "/phases/0/starts_at",
        ),
        (
            {"title": "t", "phases": [{"kind": "framing", "starts_at": "9999-12-31T23:59:59-12:00"}]},
            "/phases/0/starts_at",
        ),
        (
            {"title": "t", "phases": [{"kind": "framing", "starts_at": "2026-01-01T00:00:00Z", "open": 1}]},
            "/phases/0/open",
        ),
        (
            {
                "title": "t",
                "phases": [
                    {"kind": "shaping", "starts_at": "2026-01-01T00:00:00Z"},
                    {"kind": "framing", "starts_at": "2026-02-01T00:00:00Z"},
                ],
            },
            "/phases",
        ),
        ({"title": "t", "programme": 2}, "/programme"),
    ],
)
def test_a_challenge_that_cannot_be_taken_is_not_set(api: Api, draft: dict, where: str) -> None:
    answer = api.cora.post(f"/programmes/{api.programme_id}/challenges", draft)
    assert is_problem(answer, 422, "invalid")
    assert pointers(answer) == [where]
    listed = api.cora.get(f"/programmes/{api.programme_id}/challenges").json()
    ChallengeList.model_validate(listed)
    assert [item["id"] for item in listed["items"]] == [api.challenge_id]


def test_participants_do_not_set_challenges(api: Api) -> None:
    for caller in (api.alice, api.bob, api.fay, api.olga):
        answer = caller.post(f"/programmes/{api.programme_id}/challenges", {"title": "t"})
        assert is_problem(answer, 403, "not-allowed")
    for caller in (api.alice, api.olga):
        assert is_problem(
            caller.patch(f"/challenges/{api.challenge_id}", {"title": "t"}, "*"), 403, "not-allowed"
        )


def test_challenges_come_in_pages(api: Api) -> None:
    for _ in range(4):
        api.world.challenge()
    seen: list[int] = []
    address = f"/programmes/{api.programme_id}/challenges?limit=2"
    while address:
        answer = api.alice.get(address)
        seen += [item["id"] for item in answer.json()["items"]]
        address = answer.links["next"]["url"] if answer.links else ""
    assert len(seen) == 5
    assert seen == sorted(set(seen))
