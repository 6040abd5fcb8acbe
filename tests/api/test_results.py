"""Results and logs through the API: what was counted, for everyone of the programme to count again."""

import json
from pathlib import Path
from typing import Any

from app.lib.signatures import fingerprint
from app.methods.log_check import Expected
from app.schemas.votes import LogItem, ResultItem
from app.services import counting, verification, votes
from tests.api.conftest import BASE, Api, is_problem


def counted(api: Api, **draft: Any) -> int:
    """A ballot that six people of each sector have voted on; the first solution has won."""
    voters = api.people(6, "public") + api.people(6, "business")
    ballot_id = api.ballot(**draft)
    first, second, _ = (str(key) for key in api.bob.get(f"/ballots/{ballot_id}").json()["solutions"])
    for number, voter in enumerate(voters):
        api.do(votes.cast, voter, ballot_id, {"approved": [first] if number % 3 else [first, second]})
    api.world.close_now(ballot_id)
    assert counting.finish(api.world.database, ballot_id, BASE)
    return ballot_id


def test_a_result_tells_who_won_by_which_rule(api: Api) -> None:
    ballot_id = counted(api)
    here = f"/ballots/{ballot_id}/result"
    answer = api.bob.get(here)
    assert answer.status_code == 200
    result = answer.json()
    ResultItem.model_validate(result)
    first = str(api.bob.get(f"/ballots/{ballot_id}").json()["solutions"][0])
    assert (result["passed"], result["winners"], result["rule"]) == (True, [first], "least_sector")
    assert result["standings"][0]["support"] == [
        {"sector": "public", "yes": 6, "votes": 6},
        {"sector": "business", "yes": 6, "votes": 6},
    ]
    assert set(result["beside"]["rules"]) >= {"least_sector", "one_person"}
    assert (result["id"], result["ballot"]) == (ballot_id, ballot_id)
    assert result["url"] == f"{BASE}/ballots/{ballot_id}/result"
    assert result["seal"]["root"] == api.bob.get(result["log"]).json()["tree"]["root"]
    tag = {"If-None-Match": answer.headers["etag"]}
    assert api.olga.get(here, headers=tag).status_code == 304


def test_the_log_is_the_very_file_that_verify_reads(api: Api, tmp_path: Path) -> None:
    ballot_id = counted(api)
    here = f"/ballots/{ballot_id}/log"
    answer = api.olga.get(here)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    LogItem.model_validate(answer.json())
    assert len(answer.json()["votes"]) == 12
    tag = {"If-None-Match": answer.headers["etag"]}
    assert api.olga.get(here, headers=tag).status_code == 304
    seal = api.olga.get(f"/ballots/{ballot_id}/result").json()["seal"]
    expected = Expected(root=seal["root"], key=fingerprint(bytes.fromhex(seal["key"])), ballot=ballot_id)
    file = tmp_path / "log.json"
    file.write_bytes(answer.content)
    receipt = answer.json()["votes"][3]["receipt"]
    report = verification.verify(file, expected, receipt)
    assert report.is_whole, report.findings
    assert report.receipt is not None
    changed = answer.content.replace(b'"approved":["1"]', b'"approved":["2"]', 1)
    assert changed != answer.content
    file.write_bytes(changed)
    assert not verification.verify(file, expected).is_whole


def test_an_open_ballot_names_who_voted(api: Api) -> None:
    secret, named = counted(api), counted(api, mode="open")
    assert "voter" not in json.dumps(api.bob.get(f"/ballots/{secret}/log").json()["votes"])
    entries = api.bob.get(f"/ballots/{named}/log").json()["votes"]
    assert all(entry["voter"]["organisation"] for entry in entries)


def test_a_small_sector_is_never_told_apart(api: Api) -> None:
    ballot_id = api.ballot()
    for voter in (api.world.alice, api.world.ana, api.world.fay, api.world.bob, api.world.bea):
        api.do(votes.cast, voter, ballot_id, {"none": True})
    api.world.close_now(ballot_id)
    counting.finish(api.world.database, ballot_id, BASE)
    result = api.bob.get(f"/ballots/{ballot_id}/result").json()
    ResultItem.model_validate(result)
    assert result["sectors"] == [""]
    assert {hour["sector"] for hour in result["beside"]["turnout"]} == {""}
    entries = api.bob.get(f"/ballots/{ballot_id}/log").json()["votes"]
    assert [entry["sector"] for entry in entries] == [""] * 5


def test_a_handful_of_votes_is_kept_back(api: Api) -> None:
    ballot_id = api.ballot()
    api.do(votes.cast, api.world.bob, ballot_id, {"none": True})
    api.world.close_now(ballot_id)
    counting.finish(api.world.database, ballot_id, BASE)
    result = api.bob.get(f"/ballots/{ballot_id}/result").json()
    ResultItem.model_validate(result)
    assert (result["passed"], result["seal"]["size"]) == (False, 0)
    assert api.bob.get(f"/ballots/{ballot_id}/log").json()["votes"] == []


def test_before_it_is_counted_there_is_nothing(api: Api) -> None:
    ballot_id = api.ballot()
    for _ in range(2):
        for what in ("result", "log"):
            assert is_problem(api.bob.get(f"/ballots/{ballot_id}/{what}"), 409, "conflict")
        api.world.close_now(ballot_id)


def test_who_may_not_read_it_is_told_why(api: Api) -> None:
    ballot_id = counted(api)
    for what in ("result", "log"):
        here = f"/ballots/{ballot_id}/{what}"
        assert is_problem(api.nobody.get(here), 401, "not-signed-in")
        assert is_problem(api.charlie.get(here), 404, "not-found")
        assert is_problem(api.of(api.world.bob, "write", "vote").get(here), 403, "insufficient-scope")
        assert is_problem(api.bob.get(f"/ballots/999/{what}"), 404, "not-found")
