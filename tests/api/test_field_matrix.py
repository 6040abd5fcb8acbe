"""Every column of every table, sent to every write of the API: none but the promised fields is taken."""

from datetime import timedelta

import pytest

from app.lib import clock
from app.models import metadata
from app.web import operations
from app.web.operations import Operation
from tests.api.conftest import Api, is_problem

COLUMNS = sorted({column.name for table in metadata.sorted_tables for column in table.columns})
WRITES = [operation for operation in operations.declared() if operation.takes]
GOOD = {
    "IdeaDraft": {"title": "t"},
    "IdeaChange": {"title": "t"},
    "CommentDraft": {"body": "b"},
    "ChallengeDraft": {"title": "t"},
    "ClusterDraft": {"title": "t"},
    "ClusterChange": {"title": "t"},
    "HidingDraft": {"reason": "r"},
    "HidingAnswer": {"answer": "a"},
    "MergeDraft": {"target": 1},
    "ObjectionDraft": {"reason": "r"},
    "ChallengeChange": {"title": "t"},
    "SolutionDraft": {"title": "t"},
    "SolutionChange": {"title": "t"},
    "BallotDraft": {"title": "t", "solutions": [1], "closes_at": "2126-01-01T00:00:00Z"},
    "BallotChange": {"title": "t"},
    "ExtensionDraft": {"closes_at": "2126-01-01T00:00:00Z", "reason": "r"},
    "ClosureDraft": {"reason": "r"},
    "VoteChoice": {"abstain": True},
    "InterestDraft": {"statement": "s"},
    "PhasesDraft": {"phases": [{"kind": "ideation", "starts_at": "2026-01-01T00:00:00Z"}]},
}


def _address(api: Api, operation: Operation) -> str:
    ids = {
        "programme_id": api.programme_id,
        "challenge_id": api.challenge_id,
        "idea_id": api.idea(),
        "cluster_id": api.clusters()[0],
        "merge_id": 1,
        "solution_id": api.solution(),
        "ballot_id": api.ballot(opens_at=clock.now() + timedelta(days=1)),
    }
    return operation.path.format(**ids)


@pytest.mark.parametrize("operation", WRITES, ids=lambda operation: f"{operation.method} {operation.path}")
def test_no_column_is_taken_that_is_not_promised(api: Api, operation: Operation) -> None:
    address = _address(api, operation)
    unpromised = [name for name in COLUMNS if name not in operation.takes.model_fields]
    caller = api.of(api.world.cora, "read", operation.scope)
    before = caller.get(address).json() if operation.method == "PATCH" else None
    for name in unpromised:
        body = GOOD[operation.takes.__name__] | {name: 1}
        answer = caller(operation.method, address, json=body, headers={"If-Match": "*"})
        assert is_problem(answer, 422, "invalid"), name
        assert [error["pointer"] for error in answer.json()["errors"]] == [f"/{name}"]
    if before is not None:
        assert caller.get(address).json() == before
