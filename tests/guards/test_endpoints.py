"""Every endpoint of the API is documented, declares its scope and holds to it, and stands in its place."""

import re
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic import SecretStr, TypeAdapter

from app.main import create_app
from app.routers import api as doors
from app.schemas import examples
from app.settings import Settings
from app.web import openapi, operations
from app.web.operations import PREFIX, Operation
from tests.api.conftest import innermost

ROOT = Path(__file__).parents[2]
DECLARED = operations.declared()
DOCUMENT = openapi.build("https://partnership.example")
GUIDE = (ROOT / "docs/api/README.md").read_text()
CONTRACT = {
    "GET /programmes",
    "GET /programmes/{programme_id}",
    "GET /programmes/{programme_id}/organisations",
    "GET /people/me",
    "GET /programmes/{programme_id}/challenges",
    "POST /programmes/{programme_id}/challenges",
    "GET /challenges/{challenge_id}",
    "PATCH /challenges/{challenge_id}",
    "DELETE /challenges/{challenge_id}",
    "GET /challenges/{challenge_id}/ideas",
    "POST /challenges/{challenge_id}/ideas",
    "GET /ideas/{idea_id}",
    "PATCH /ideas/{idea_id}",
    "DELETE /ideas/{idea_id}",
    "GET /ideas/{idea_id}/comments",
    "POST /ideas/{idea_id}/comments",
    "PUT /ideas/{idea_id}/support",
    "DELETE /ideas/{idea_id}/support",
    "GET /challenges/{challenge_id}/ballots",
    "POST /challenges/{challenge_id}/ballots",
    "GET /ballots/{ballot_id}",
    "PATCH /ballots/{ballot_id}",
    "PUT /ballots/{ballot_id}/vote",
    "GET /ballots/{ballot_id}/vote",
    "DELETE /ballots/{ballot_id}/vote",
    "GET /ballots/{ballot_id}/result",
    "GET /ballots/{ballot_id}/log",
    "POST /ballots/{ballot_id}/closure",
    "GET /programmes/{programme_id}/placements",
    "POST /programmes/{programme_id}/placements",
    "GET /placements/{placement_id}",
    "PATCH /placements/{placement_id}",
    "DELETE /placements/{placement_id}",
    "GET /placements/{placement_id}/bookings",
    "POST /placements/{placement_id}/bookings",
    "GET /bookings/{booking_id}",
    "POST /bookings/{booking_id}/decisions",
    "DELETE /bookings/{booking_id}",
    "GET /programmes/{programme_id}/events",
}

BOOKED = re.compile(r"/bookings|/wishes|/conflicts|/feeds")
RUN = re.compile(r"/exchange-rules$|/open-data$|/publication$|/return$|/matches|/imports")
READ_BY_COORDINATORS = re.compile(r"/webhooks|/deliveries")
"""What takes the scope `book`, and what `admin`: where it changes something, and webhooks for reading too."""

ADMINISTERED = re.compile(
    r"^/(people$|people/\{person_id\}|administrators|memberships|invitations|join-requests|clients"
    r"|directories|directory-groups|audit|providers)"
    r"|^/programmes/\{programme_id\}/(assignments|delegations|invitations|join-requests|joining|clients|retention)$"
)
"""What takes the scope `admin`, also to read it: what those do who run a programme, and other people's affairs."""

GOVERNED = re.compile(r"organisations(/|$)|^/assignments|^/people/me/tokens$")
"""What takes the scope `admin` where it changes something: who takes part, roles, and other tokens."""

OPEN_TO_ALL = {
    "GET /openapi.json",
    "GET /docs",
    "GET /problems",
    "GET /problems/{code}",
}


def _name(operation: Operation) -> str:
    return f"{operation.method} {operation.path}"


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    url = f"sqlite:///{tmp_path_factory.mktemp('guard')}/guard.db"
    return innermost(create_app(Settings(_env_file=None, database_url=SecretStr(url))))


each = pytest.mark.parametrize("operation", DECLARED, ids=_name)


def test_what_is_promised_is_there() -> None:
    assert {_name(operation) for operation in DECLARED} >= CONTRACT


def test_every_declared_endpoint_is_served_and_nothing_else() -> None:
    assert set(doors.ENDPOINTS) == {operation.endpoint for operation in DECLARED}
    assert len(doors.ENDPOINTS) == len(set(doors.ENDPOINTS))


def test_what_is_called_most_stands_first() -> None:
    first = [_name(operations.of(endpoint)) for endpoint in doors.ENDPOINTS[:4]]
    assert first == [
        "PUT /ideas/{idea_id}/support",
        "GET /challenges/{challenge_id}/ideas",
        "GET /ideas/{idea_id}",
        "PUT /ballots/{ballot_id}/vote",
    ]


def test_the_application_serves_them_and_finds_the_hot_ones_soon(application: FastAPI) -> None:
    paths = [getattr(route, "path", None) for route in application.routes]
    assert paths.index(f"{PREFIX}/ideas/{{idea_id}}/support") < 8
    assert paths.index(f"{PREFIX}/challenges/{{challenge_id}}/ideas") < 9
    assert paths.index(f"{PREFIX}/ballots/{{ballot_id}}/vote") < 11
    served = {
        (method, route.path)
        for route in application.routes
        if isinstance(route, APIRoute) and route.path.startswith("/api/")
        for method in route.methods
    }
    assert served == {(operation.method, PREFIX + operation.path) for operation in DECLARED}


@each
def test_it_is_documented(operation: Operation) -> None:
    described = DOCUMENT["paths"][PREFIX + operation.path][operation.method.lower()]
    assert described["summary"]
    assert operation.endpoint.__doc__
    assert described["tags"][0] in openapi.TAGS
    success = described["responses"][str(operation.status)]
    if operation.gives:
        assert success["content"]["application/json"]["example"]
    for media_type in operation.gives_files if operation.scope else ():
        kind = media_type.partition(";")[0]
        assert "example" in success["content"][kind] or "spreadsheetml" in kind
    if operation.takes:
        assert described["requestBody"]["content"]["application/json"]["example"]
    assert set(re.findall(r"{(\w+)}", operation.path)) == {
        parameter["name"] for parameter in described["parameters"] if parameter["in"] == "path"
    }


@each
def test_it_stands_in_the_guide(operation: Operation) -> None:
    if _name(operation) not in OPEN_TO_ALL:
        short = re.sub(r"{(\w+)_id}", "{id}", operation.path)
        row = next((line for line in GUIDE.splitlines() if line.startswith("|") and f"{short}`" in line), "")
        assert operation.method in row, f"docs/api/README.md does not tell of {operation.method} {short}"


@each
def test_it_declares_a_scope(operation: Operation) -> None:
    described = DOCUMENT["paths"][PREFIX + operation.path][operation.method.lower()]
    if operation.scope is None:
        assert _name(operation) in OPEN_TO_ALL
        assert described["security"] == []
        return
    assert operation.scope == _usual_scope(operation)
    ways = ["token", "client"] if operation.scope in ("read", "write", "admin") else ["token"]
    assert described["security"] == [{"token": []}, {"client": [operation.scope]}][: len(ways)]
    assert described[openapi.SCOPE] == operation.scope
    assert f"Scope: `{operation.scope}`" in described["description"]


def _usual_scope(operation: Operation) -> str:
    if operation.path.endswith("/vote"):
        return "vote"
    if READ_BY_COORDINATORS.search(operation.path) or ADMINISTERED.search(operation.path):
        return "admin"
    if operation.method == "GET" or (operation.method == "POST" and not operation.keyed):
        return "read"
    if GOVERNED.search(operation.path):
        return "admin"
    if RUN.search(operation.path):
        return "admin"
    return "book" if BOOKED.search(operation.path) else "write"


@each
def test_what_it_takes_is_taken_strictly(operation: Operation) -> None:
    if operation.takes:
        assert operation.takes.model_config["extra"] == "forbid"
        assert operation.takes.model_config["strict"]


@pytest.mark.parametrize("shape", examples.OF, ids=lambda shape: shape.__name__)
def test_each_example_is_one(shape: Any) -> None:
    TypeAdapter(shape).validate_python(examples.OF[shape])


def test_the_document_refers_to_nothing_that_is_missing() -> None:
    references = set(re.findall(r"'\$ref': '#/components/(\w+)/([\w-]+)'", str(DOCUMENT)))
    assert references
    for kind, name in references:
        assert name in DOCUMENT["components"][kind]
