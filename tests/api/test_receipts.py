"""Receipts checked through the API, and ballots looked at before they are made."""

from datetime import timedelta

from sqlalchemy import func, select

from app.lib import clock
from app.models import Ballot
from app.models.base import table
from app.schemas.receipts import BallotPreview, ReceiptCheck
from tests.api.conftest import Api, is_problem, pointers


def test_a_receipt_leads_to_the_vote_in_the_log(api: Api) -> None:
    voters = [*api.world.people(3, "public"), *api.world.people(3, "business")]
    ballot = api.ballot()
    choice = {"approved": [str(api.alice.get(f"/ballots/{ballot}").json()["solutions"][0])]}
    given = [api.of(voter, "read", "vote").put(f"/ballots/{ballot}/vote", json=choice) for voter in voters]
    receipt = given[0].json()["receipt"]
    void = (
        api.of(voters[0], "read", "vote")
        .put(f"/ballots/{ballot}/vote", json={"none": True})
        .json()["receipt"]
    )
    check = f"/ballots/{ballot}/receipt-checks"
    assert is_problem(api.alice.post(check, {"receipt": void}), 409, "conflict")
    api.cora.post(f"/ballots/{ballot}/closure", {"reason": "r"})
    typed = void.lower().replace("-", " ")
    found = api.alice.post(check, {"receipt": typed}, headers={"Idempotency-Key": "a"})
    assert found.status_code == 200
    ReceiptCheck.model_validate(found.json())
    told = found.json()
    assert (told["receipt"], told["found"], told["choice"], told["size"]) == (void, True, {"none": True}, 6)
    assert told["root"] == api.alice.get(f"/ballots/{ballot}/result").json()["seal"]["root"]
    assert found.headers["cache-control"] == "no-store"
    missing = api.alice.post(check, {"receipt": receipt}, headers={"Idempotency-Key": "a"})
    ReceiptCheck.model_validate(missing.json())
    assert (missing.json()["found"], missing.json()["choice"], missing.json()["path"]) == (False, None, None)
    refused = api.alice.post(check, {"receipt": "no receipt"})
    assert is_problem(refused, 422, "invalid")
    assert pointers(refused) == ["/receipt"]
    assert is_problem(api.charlie.post(check, {"receipt": void}), 404, "not-found")
    assert is_problem(api.nobody.post(check, {"receipt": void}), 401, "not-signed-in")


def test_a_ballot_is_looked_at_without_being_made(api: Api) -> None:
    solution = api.solution()
    preview = f"/challenges/{api.challenge_id}/ballot-previews"
    draft = {
        "title": "Which?",
        "solutions": [solution, api.solution()],
        "settings": {"quorum": 10},
        "closes_at": (clock.now() + timedelta(days=3)).isoformat(),
    }
    looked = api.cora.post(preview, draft)
    assert looked.status_code == 200
    BallotPreview.model_validate(looked.json())
    told = looked.json()
    assert (told["settings"]["quorum"], told["rule"]) == (10, "least_sector")
    assert set(told["eligible"]) == {"public", "business"}
    assert api.world.ask(_count, Ballot) == 0
    assert is_problem(api.bob.post(preview, draft), 403, "not-allowed")
    assert is_problem(api.charlie.post(preview, draft), 404, "not-found")
    refused = api.cora.post(preview, draft | {"settings": {"seats": 0}, "title": ""})
    assert is_problem(refused, 422, "invalid")
    assert pointers(refused) == ["/title", "/settings/seats"]


def _count(connection, model) -> int:
    return connection.execute(select(func.count()).select_from(table(model))).scalar_one()
