"""What holds for every operation of the API: its name, its conditions, and the problems that it tells of."""

import re
from collections import Counter
from typing import Any, get_args, get_type_hints

import pytest
from pydantic import TypeAdapter

from app.routers.api import ENDPOINTS
from app.schemas import examples
from app.schemas.included import Included
from app.schemas.problem import Problem
from app.web import openapi, operations, problems, shapes, validation
from app.web.operation_ids import derived, singular
from app.web.operations import PREFIX, Operation
from tests.guards import operations_list

DECLARED = [operations.of(endpoint) for endpoint in ENDPOINTS]
DOCUMENT = openapi.build("https://partnership.example")

UNTAGGED = {
    "get_vote": "one's own vote is kept nowhere, under no tag",
    "get_openapi": "the same for everyone, kept for five minutes",
    "get_docs": "a page",
    "list_problems": "the same for everyone, kept for five minutes",
    "get_problem": "the same for everyone, kept for five minutes",
    "get_export": "a file as it streams: its end is not known at its beginning",
    "get_event_stream": "it never ends",
    "verify_audit_log": "the answer of a check, which is made when it is asked for",
}
"""What is read without an `ETag`, and why."""

UNCONDITIONAL = {
    "set_support": "there or not, and nobody else's: twice is once",
    "delete_support": "there or not, and nobody else's: twice is once",
    "cast_vote": "one's own, and the last one counts",
    "delete_vote": "one's own: twice is once",
    "set_interest": "one's own, and the last word counts",
    "delete_interest": "one's own: twice is once",
    "pin_idea": "there or not: twice is once",
    "unpin_idea": "there or not: twice is once",
    "restore_idea": "there or not: twice is once",
    **dict.fromkeys(
        (
            "cancel_import",
            "deactivate_person",
            "declare_conflict",
            "delete_assignment",
            "delete_claim",
            "delete_client_token",
            "delete_delegation",
            "delete_domain",
            "delete_invitation",
            "delete_my_consent",
            "delete_my_session",
            "delete_my_sessions",
            "delete_my_token",
            "reactivate_person",
            "read_my_notices",
            "remove_co_author",
            "revoke_feed",
            "verify_domain",
            "withdraw_conflict",
            "withdraw_story_consent",
        ),
        "there or not, without versions: twice is once",
    ),
}
"""What changes something that is there without heeding `If-Match`, and why."""

UNKEYED = {"check_receipt": "it changes nothing, and its answer tells how someone voted"}
"""What takes no `Idempotency-Key`, and why."""

UNLOCATED = {
    "add_co_author": "it stands in the list alone",
    "create_feed": "its address is told once and never again",
    "hide_comment": "what it answers with was there before",
    "hide_idea": "it is read at the very address",
    "answer_hiding": "it is a part of the hiding",
}
"""What answers with 201 and no `Location`, and why."""

each = pytest.mark.parametrize("operation", DECLARED, ids=lambda operation: operation.id)


def test_names_are_published_and_stay() -> None:
    """`python -m tests.guards.operations_list` adds a new one; none that programs call goes or changes."""
    assert operations_list.declared() == operations_list.published()


def test_each_name_is_one_operations_and_reads_well() -> None:
    names = Counter(operation.id for operation in DECLARED)
    assert not [name for name, count in names.items() if count > 1], "declare a name of its own"
    assert not [name for name in names if not re.fullmatch(r"[a-z]+(_[a-z]+)+", name)]


@pytest.mark.parametrize(
    ("method", "path", "listed", "name"),
    [
        ("GET", "/programmes/{programme_id}/challenges", True, "list_challenges"),
        ("POST", "/programmes/{programme_id}/challenges", False, "create_challenge"),
        ("GET", "/challenges/{challenge_id}", False, "get_challenge"),
        ("PATCH", "/challenges/{challenge_id}", False, "update_challenge"),
        ("DELETE", "/challenges/{challenge_id}", False, "delete_challenge"),
        ("PUT", "/challenges/{challenge_id}/phases", False, "set_challenge_phases"),
        ("PUT", "/programmes/{programme_id}/wishes", False, "set_wishes"),
        ("GET", "/programmes/{programme_id}/exchange-rules", False, "get_exchange_rules"),
        ("POST", "/bookings/{booking_id}/closing-notes", False, "create_closing_note"),
        ("POST", "/ballots/{ballot_id}/closure", False, "create_ballot_closure"),
        ("DELETE", "/people/{person_id}", False, "delete_person"),
        ("GET", "/programmes", True, "list_programmes"),
        ("GET", "/people/me", False, "get_me"),
        ("GET", "/people/me/tokens", True, "list_my_tokens"),
        ("DELETE", "/people/me/tokens/{token_id}", False, "delete_my_token"),
    ],
)
def test_a_name_follows_from_method_and_path(method: str, path: str, listed: bool, name: str) -> None:
    assert derived(method, path, listed=listed) == name


def test_one_of_several() -> None:
    several = (
        "matches",
        "wishes",
        "ballots",
        "policies",
        "addresses",
        "progress",
        "status",
        "people",
        "vote",
    )
    one = ("match", "wish", "ballot", "policy", "address", "progress", "status", "person", "vote")
    assert tuple(map(singular, several)) == one


@each
def test_what_is_read_is_tagged(operation: Operation) -> None:
    if operation.method == "GET":
        assert (operation.tagged or operation.paged) == (operation.id not in UNTAGGED)


@each
def test_what_is_written_is_conditional_or_keyed(operation: Operation) -> None:
    if operation.method == "POST":
        assert operation.keyed == (operation.id not in UNKEYED)
    if operation.method in ("PATCH", "PUT", "DELETE"):
        assert (operation.conditional or operation.weighed) == (operation.id not in UNCONDITIONAL)


@each
def test_its_numbers_in_an_address_are_digits_alone(operation: Operation) -> None:
    for name, type in get_type_hints(operation.endpoint).items():
        if type is int or int in get_args(type):
            declared = get_type_hints(operation.endpoint, include_extras=True)[name]
            assert validation.DIGITS in get_args(declared), name


def test_no_exception_has_outlived_its_operation() -> None:
    assert {*UNTAGGED, *UNCONDITIONAL, *UNKEYED, *UNLOCATED} <= {operation.id for operation in DECLARED}


@each
def test_a_location_leads_to_what_can_be_read(operation: Operation) -> None:
    paths = DOCUMENT["paths"]
    answers = paths[PREFIX + operation.path][operation.method.lower()]["responses"]
    telling = [status for status, each in answers.items() if "Location" in each.get("headers", ())]
    is_located = operation.status == 201 and operation.id not in UNLOCATED
    assert telling == (["201"] if is_located else [])
    assert not is_located or "get" in paths[PREFIX + operation.located]


@each
def test_it_tells_of_its_problems(operation: Operation) -> None:
    answers = DOCUMENT["paths"][PREFIX + operation.path][operation.method.lower()]["responses"]
    wanted = {"400", "422", "500", "503"}
    wanted |= {"401", "403", "429"} if operation.scope else set()
    wanted |= {"404"} if "{" in operation.path else set()
    wanted |= {"413", "415"} if operation.takes else set()
    wanted |= {"412", "428"} if operation.conditional else set()
    wanted |= {"409"} if operation.conflicts else set()
    wanted |= {"304"} if operation.tagged or operation.paged else set()
    assert wanted <= answers.keys()


def test_each_problem_is_shown_by_an_example_that_is_one() -> None:
    kinds = set()
    for answer in DOCUMENT["components"]["responses"].values():
        for code, example in answer["content"][problems.MEDIA_TYPE]["examples"].items():
            TypeAdapter(Problem).validate_python(example["value"])
            assert example["value"]["status"] == problems.KINDS[code].status
            kinds.add(code)
    assert kinds >= problems.KINDS.keys() - {"method-not-allowed"}


def test_examples_fit_the_shapes_that_the_document_gives_them() -> None:
    """Also the parts, and what comes along: the very shapes of the document."""
    told = {shape.__name__: shape for shape in examples.OF}
    for operation in DECLARED:
        for shape in (operation.takes, operation.gives):
            assert shape is None or shape.__name__ in told
    schemas: dict[str, Any] = DOCUMENT["components"]["schemas"]
    for operation in DECLARED:
        if operation.gives and operation.is_sparse:
            assert "required" not in schemas[_item(operation) + shapes.PART]
        if operation.gives and operation.includes:
            properties = schemas[operation.gives.__name__]["properties"]
            assert properties["included"] == {"$ref": "#/components/schemas/Included"}
    assert schemas["Included"]["properties"].keys() == Included.model_fields.keys()


def _item(operation: Operation) -> str:
    assert operation.gives is not None
    item = shapes.fields.item_of(operation.gives)
    return item.__name__ if item else operation.gives.__name__
