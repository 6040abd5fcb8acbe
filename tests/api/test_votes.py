"""Votes through the API: one for each person, replaced while it is open, and led back to no one."""

import asyncio
import re
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from app.lib import clock
from app.lib.receipts import normal_receipt
from app.models import metadata
from app.schemas.votes import MyVoteItem, ReceiptItem
from app.services import counting
from tests.api.conftest import BASE, Api, Caller, is_problem, pointers


def voting(api: Api, name: str) -> Caller:
    return api.of(getattr(api.world, name), "read", "vote")


def keys(api: Api, ballot_id: int) -> list[str]:
    return [str(solution) for solution in api.bob.get(f"/ballots/{ballot_id}").json()["solutions"]]


def holding(api: Api, text: str) -> set[str]:
    """The tables in which a text stands, in whatever column."""
    rows = {
        table.name: api.ask(lambda connection, table=table: connection.execute(table.select()).all())
        for table in metadata.sorted_tables
    }
    return {name for name, found in rows.items() if any(text in _words(row) for row in found)}


def _words(row: Any) -> str:
    return " ".join(value.decode("latin-1") if isinstance(value, bytes) else str(value) for value in row)


def test_a_vote_is_cast_read_replaced_and_taken_back(api: Api) -> None:
    ballot_id = api.ballot()
    here, first = f"/ballots/{ballot_id}/vote", keys(api, ballot_id)
    bob = voting(api, "bob")
    assert is_problem(bob.get(here), 404, "not-found")
    answer = bob.put(here, json={"approved": [first[1], first[0]]})
    assert answer.status_code == 200
    receipt = answer.json()
    ReceiptItem.model_validate(receipt)
    assert normal_receipt(receipt["receipt"]) == receipt["receipt"]
    assert re.fullmatch("[0-9a-f]{128}", receipt["signature"])
    assert (receipt["choice"], receipt["replaced"]) == ({"approved": first[:2]}, False)
    mine = bob.get(here)
    MyVoteItem.model_validate(mine.json())
    assert mine.json() == {"receipt": receipt["receipt"], "choice": receipt["choice"]}
    assert bob.get(f"/ballots/{ballot_id}").json()["voted"] is True
    again = bob.put(here, json={"none": True}).json()
    assert (again["choice"], again["replaced"]) == ({"none": True}, True)
    assert again["receipt"] != receipt["receipt"]
    assert bob.get(here).json() == {"receipt": again["receipt"], "choice": {"none": True}}
    assert [bob.delete(here).status_code for _ in range(2)] == [204, 204]
    assert is_problem(bob.get(here), 404, "not-found")
    assert bob.get(f"/ballots/{ballot_id}").json()["voted"] is False


@pytest.mark.parametrize(
    ("method", "choice"),
    [
        ("score", {"scores": {"1": 5, "2": 1}}),
        ("ranked", {"ranking": [["2"], ["1"], ["none"], ["3"]]}),
        ("points", {"points": {"1": 9, "2": 1}}),
        ("quadratic", {"points": {"1": 3, "2": 1}}),
        ("budget", {"approved": ["1", "2"]}),
        ("approval", {"abstain": True}),
    ],
)
def test_each_method_has_its_choice(api: Api, method: str, choice: dict) -> None:
    ballot_id = api.ballot(method)
    assert keys(api, ballot_id) == ["1", "2", "3"]
    answer = voting(api, "bob").put(f"/ballots/{ballot_id}/vote", json=choice)
    assert answer.json()["choice"] == choice
    assert answer.status_code == 200, answer.json()
    ReceiptItem.model_validate(answer.json())


@pytest.mark.parametrize(
    ("method", "choice", "where"),
    [
        ("approval", {}, [""]),
        ("approval", [], [""]),
        ("approval", "abstain", [""]),
        ("approval", {"approved": ["1"], "none": True}, [""]),
        ("approval", {"scores": {"1": 5}}, [""]),
        ("approval", {"choice": {"approved": ["1"]}}, ["/choice"]),
        ("approval", {"approved": ["1"], "weight": 2}, ["/weight"]),
        ("approval", {"abstain": False}, ["/abstain"]),
        ("approval", {"none": 1}, ["/none"]),
        ("approval", {"approved": []}, ["/approved"]),
        ("approval", {"approved": None}, ["/approved"]),
        ("approval", {"approved": ["999"]}, ["/approved"]),
        ("approval", {"approved": [1]}, ["/approved"]),
        ("approval", {"approved": ["1", "1"]}, ["/approved"]),
        ("approval", {"approved": ["1"] * 10_000}, ["/approved"]),
        ("approval", {"approved": [[["1"]]]}, ["/approved"]),
        ("budget", {"approved": ["1", "2", "3"]}, ["/approved"]),
        ("score", {"scores": {"1": 6}}, ["/scores/1"]),
        ("score", {"scores": {"1": -1}}, ["/scores/1"]),
        ("score", {"scores": {"1": 2.5}}, ["/scores/1"]),
        ("score", {"scores": {"1": True}}, ["/scores/1"]),
        ("score", {"scores": {"1": "5"}}, ["/scores/1"]),
        ("score", {"scores": {"999": 5}}, ["/scores/999"]),
        ("score", {"scores": {"<script>": 5}}, ["/scores"]),
        ("score", {"scores": {"a/b~c": 5}}, ["/scores"]),
        ("score", {"scores": ["1"]}, ["/scores"]),
        ("score", {"scores": {str(number): 5 for number in range(10_000)}}, ["/scores"]),
        ("ranked", {"ranking": [["1"], []]}, ["/ranking"]),
        ("ranked", {"ranking": [["1"], ["1"]]}, ["/ranking"]),
        ("ranked", {"ranking": ["1", "2"]}, ["/ranking"]),
        ("ranked", {"ranking": [["1"]] * 10_000}, ["/ranking"]),
        ("points", {"points": {"1": 11}}, ["/points"]),
        ("points", {"points": {"1": -1}}, ["/points/1"]),
        ("points", {"points": {"1": 10**29}}, ["/points"]),
        ("quadratic", {"points": {"1": 4}}, ["/points"]),
    ],
)
def test_a_choice_that_cannot_be_counted_is_refused(
    api: Api, method: str, choice: Any, where: list[str]
) -> None:
    ballot_id = api.ballot(method)
    assert keys(api, ballot_id) == ["1", "2", "3"]
    bob, here = voting(api, "bob"), f"/ballots/{ballot_id}/vote"
    kept = bob.put(here, json={"none": True}).json()["receipt"]
    answer = bob.put(here, json=choice)
    assert is_problem(answer, 422, "invalid")
    assert pointers(answer) == where
    assert "<script>" not in answer.text
    assert bob.get(here).json() == {"receipt": kept, "choice": {"none": True}}


def test_a_body_that_is_no_json_is_refused(api: Api) -> None:
    bob, here = voting(api, "bob"), f"/ballots/{api.ballot()}/vote"
    json = {"Content-Type": "application/json"}
    assert is_problem(bob.put(here, content=b"{", headers=json), 400, "bad-request")
    assert is_problem(bob.put(here, content=b'{"none":true,"none":true}', headers=json), 400, "bad-request")
    assert is_problem(bob.put(here, content=b'{"none":true}'), 415, "unsupported-media-type")
    large = b'{"approved":["' + b"1" * 300_000 + b'"]}'
    assert is_problem(bob.put(here, content=large, headers=json), 413, "too-large")
    assert is_problem(bob.get(here), 404, "not-found")


def test_who_may_not_vote_is_told_why(api: Api) -> None:
    ballot_id = api.ballot(sectors=["public"])
    here, choice = f"/ballots/{ballot_id}/vote", {"none": True}
    for method in ("PUT", "GET", "DELETE"):
        body = {"json": choice} if method == "PUT" else {}
        assert is_problem(api.nobody(method, here, **body), 401, "not-signed-in")
        assert is_problem(voting(api, "charlie")(method, here, **body), 404, "not-found")
        # A token for reports, and one that may write, learn and change nothing of a vote.
        other = api.of(api.world.alice, "read", "write", "book", "admin")
        assert is_problem(other(method, here, **body), 403, "insufficient-scope")
    assert is_problem(voting(api, "olga").put(here, json=choice), 403, "not-allowed")
    assert is_problem(voting(api, "olga").delete(here), 403, "not-allowed")
    refused = voting(api, "bob").put(here, json=choice)
    assert is_problem(refused, 403, "not-allowed")
    assert refused.json()["detail"] == "Your sector does not vote here."
    assert api.bob.get(f"/ballots/{ballot_id}").json()["why_not"] == refused.json()["detail"]
    assert is_problem(voting(api, "bob").put("/ballots/999/vote", json=choice), 404, "not-found")
    assert holding(api, '"none"') == set()


def test_before_it_opens_and_after_it_closes_no_vote_is_taken(api: Api) -> None:
    scheduled = f"/ballots/{api.ballot(opens_at=clock.now() + timedelta(hours=1))}/vote"
    bob = voting(api, "bob")
    assert is_problem(bob.put(scheduled, json={"none": True}), 409, "conflict")
    ballot_id = api.ballot(mode="open")
    here = f"/ballots/{ballot_id}/vote"
    kept = bob.put(here, json={"none": True}).json()
    api.world.close_now(ballot_id)
    assert is_problem(bob.put(here, json={"abstain": True}), 409, "conflict")
    assert is_problem(bob.delete(here), 409, "conflict")
    assert bob.get(here).json()["receipt"] == kept["receipt"]
    assert counting.finish(api.world.database, ballot_id, BASE)
    assert is_problem(bob.put(here, json={"abstain": True}), 409, "conflict")
    (vote,) = api.bob.get(f"/ballots/{ballot_id}/log").json()["votes"]
    assert (vote["receipt"], vote["choice"]) == (kept["receipt"], {"none": True})


@pytest.mark.parametrize("mode", ["secret", "open"])
def test_once_counted_nobody_reads_their_vote_here(api: Api, mode: str) -> None:
    ballot_id = api.ballot(mode=mode)
    here = f"/ballots/{ballot_id}/vote"
    bob = voting(api, "bob")
    bob.put(here, json={"none": True})
    api.world.close_now(ballot_id)
    assert bob.get(here).status_code == 200
    counting.finish(api.world.database, ballot_id, BASE)
    assert is_problem(bob.get(here), 410, "gone")
    assert is_problem(voting(api, "alice").get(here), 410, "gone")


def test_eight_votes_of_one_person_at_once_leave_one(api: Api) -> None:
    ballot_id = api.ballot(mode="open")
    here, chosen = f"/ballots/{ballot_id}/vote", keys(api, ballot_id)
    bob = voting(api, "bob")

    async def all_at_once() -> list[httpx2.Response]:
        transport = httpx2.ASGITransport(api.client.app)
        async with httpx2.AsyncClient(transport=transport, base_url=BASE) as client:
            bodies = [{"approved": [chosen[number % 3]]} for number in range(8)]
            return await asyncio.gather(
                *(client.put(f"/api/v1{here}", json=body, headers=bob.headers) for body in bodies)
            )

    answers = asyncio.run(all_at_once())
    assert [answer.status_code for answer in answers] == [200] * 8
    assert sorted(answer.json()["replaced"] for answer in answers) == [False] + [True] * 7
    mine = bob.get(here).json()
    assert mine in [{name: answer.json()[name] for name in ("receipt", "choice")} for answer in answers]
    api.world.close_now(ballot_id)
    counting.finish(api.world.database, ballot_id, BASE)
    votes = api.bob.get(f"/ballots/{ballot_id}/log").json()["votes"]
    assert [(vote["receipt"], vote["choice"]) for vote in votes] == [(mine["receipt"], mine["choice"])]


def test_an_answer_to_a_vote_is_kept_nowhere(api: Api) -> None:
    ballot_id = api.ballot()
    bob, here = voting(api, "bob"), f"/ballots/{ballot_id}/vote"
    key = {"Idempotency-Key": "the-same"}
    answer = bob.put(here, json={"none": True}, headers=key)
    code = answer.json()["receipt"]
    for given in (answer, bob.get(here)):
        assert given.headers["cache-control"] == "no-store"
        assert "etag" not in given.headers
    assert "idempotency-replayed" not in answer.headers
    assert holding(api, code) == {"vote"}
    assert holding(api, answer.json()["signature"]) == set()
    again = bob.put(here, json={"none": True}, headers=key)
    assert again.json()["receipt"] != code
    assert "idempotency-replayed" not in again.headers
    assert holding(api, code) == set()


def test_once_counted_nothing_links_a_person_to_a_receipt(api: Api) -> None:
    ballot_id = api.ballot()
    receipts = [
        voting(api, name).put(f"/ballots/{ballot_id}/vote", json={"none": True}).json()["receipt"]
        for name in ("alice", "ana", "bob", "bea", "fay", "sam")
    ]
    before = rows(api, "vote")
    assert [vote.person_id for vote in before] == [None] * 6
    (key,) = rows(api, "ballot_key")
    api.cora.post(f"/ballots/{ballot_id}/closure", {"reason": "r"})
    assert [holding(api, code) for code in receipts] == [{"published_vote"}] * 6
    assert [holding(api, vote.pseudonym.decode("latin-1")) for vote in before] == [set()] * 6
    assert holding(api, key.secret.decode("latin-1")) == set()
    published = rows(api, "published_vote")
    assert sorted(vote.receipt for vote in published) == sorted(receipts)
    assert [vote.voter for vote in published] == [None] * 6
    assert rows(api, "vote") == []


def test_no_log_line_tells_a_choice_or_a_receipt(api: Api, caplog: Any, capfd: Any) -> None:
    ballot_id = api.ballot()
    bob, here = voting(api, "bob"), f"/ballots/{ballot_id}/vote"
    code = bob.put(here, json={"none": True}).json()["receipt"]
    bob.put(here, json={"approved": ["hidden-words"]})
    api.cora.post(f"/ballots/{ballot_id}/closure", {"reason": "r"})
    said = caplog.text + "".join(capfd.readouterr())
    assert code not in said
    assert "hidden-words" not in said
    assert '"none"' not in said


def rows(api: Api, name: str) -> list[Any]:
    table = metadata.tables[name]
    return list(api.ask(lambda connection: connection.execute(table.select()).all()))
