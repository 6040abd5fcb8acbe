"""Every column of every table, sent to every write of the API: none but the promised fields is taken.

And nothing, sent to every change: it changes nothing.
"""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app.lib import clock
from app.models import Event, metadata
from app.models.base import table
from app.services import comments, webhooks
from app.services.webhooks import Draft
from app.web import operations
from app.web.operations import Operation
from tests.api.conftest import Api, is_problem
from tests.api.hosting import ask, placement
from tests.api.test_administration import group

COLUMNS = sorted({column.name for table in metadata.sorted_tables for column in table.columns})
WRITES = [operation for operation in operations.declared() if operation.takes]
CHANGES = [operation for operation in WRITES if operation.method == "PATCH"]
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
    "PlacementDraft": {"title": "t", "description": "d"},
    "PlacementChange": {"title": "t"},
    "ReturnDraft": {"note": "n"},
    "BookingDraft": {"period": 1},
    "BookingChange": {"period": 1},
    "AcceptanceDraft": {},
    "PassingDraft": {},
    "AgreementDraft": {"mark": "m"},
    "DecisionDraft": {"approved": True},
    "WishesDraft": {"wishes": [{"placement": 1}]},
    "MatchDraft": {"first_day": "2026-05-04", "last_day": "2026-05-29"},
    "RulesChange": {"hold_days": 7},
    "CoAuthorDraft": {"person": 1},
    "ReceiptDraft": {"receipt": "r"},
    "ConflictDraft": {"statement": "s"},
    "PreferencesDraft": {"people": []},
    "ReflectionDraft": {"learned": "l", "surprised": "s", "next": "n"},
    "StoryDraft": {"title": "t", "body": "b"},
    "FeedDraft": {},
    "OpenDataDraft": {"publisher": "p", "contact": "data@example.org"},
    "WebhookDraft": {"name": "n", "address": "http://127.0.0.1:9/", "types": ["idea"]},
    "WebhookChange": {"name": "n"},
    "ReplayDraft": {"from": "2026-01-01T00:00:00Z"},
    "MeChange": {"language": "sl"},
    "TokenDraft": {"name": "n", "scopes": ["read"]},
    "PlaceChange": {"role": "observer"},
    "MoveDraft": {"organisation": 1},
    "AssignmentDraft": {"role": "sponsor"},
    "DelegationDraft": {"person": 1, "last_day": "2126-01-01"},
    "InvitationDraft": {"organisation": 1},
    "ApprovalDraft": {},
    "RefusalDraft": {"reason": "r"},
    "JoiningChange": {"joining": "approve"},
    "OrganisationDraft": {"name": "n", "sector": "public"},
    "OrganisationChange": {"name": "n"},
    "ClaimDraft": {"issuer": "https://login.example", "value": "v"},
    "DomainDraft": {"domain": "ministry.example"},
    "ClientDraft": {"name": "n"},
    "KeysDraft": {"keys": {}},
    "GroupChange": {"role": "sponsor"},
    "RetentionChange": {"months_unused": 12},
    "PhasesDraft": {"phases": [{"kind": "ideation", "starts_at": "2026-01-01T00:00:00Z"}]},
}

EVENT = table(Event)
HOOK = Draft("n", "http://127.0.0.1:9/", ["idea"])


def _address(api: Api, operation: Operation) -> str:
    placed = placement(api)
    ids = {
        "programme_id": api.programme_id,
        "challenge_id": api.challenge_id,
        "idea_id": api.idea(),
        "cluster_id": api.clusters()[0],
        "merge_id": 1,
        "solution_id": api.solution(),
        "placement_id": placed["id"],
        "booking_id": ask(api, placed).json()["id"],
        "item": "insurance",
        "comment_id": api.world.do(comments.post, api.world.bob, api.idea(), body="b"),
        "organisation_id": api.world.organisations["public"],
        "webhook_id": api.world.do(webhooks.create, api.world.cora, api.world.programme, HOOK).id,
        "membership_id": api.world.bob.memberships[api.programme_id].id,
        "request_id": 1,
        "client_id": 1,
        "group_id": group(api),
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


@pytest.mark.parametrize("operation", CHANGES, ids=lambda operation: operation.path)
def test_a_change_of_nothing_changes_nothing(api: Api, operation: Operation) -> None:
    address = _address(api, operation)
    caller = api.of(api.world.cora, "read", operation.scope)
    before, events = caller.get(address), _events(api)
    if operation.takes.model_json_schema().get("required"):
        assert is_problem(caller.patch(address, {}, "*"), 422, "invalid")
    else:
        answer = caller.patch(address, {}, "*")
        assert (answer.status_code, answer.headers["etag"]) == (200, before.headers["etag"])
    assert (caller.get(address).content, _events(api)) == (before.content, events)


def _events(api: Api) -> int:
    return int(
        api.world.ask(
            lambda connection: connection.execute(select(func.count()).select_from(EVENT)).scalar_one()
        )
    )
