"""The API over real HTTP, on a real database, called by the people of the small world."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from starlette.testclient import TestClient

from app.database import Database
from app.main import create_app
from app.policies.actor import Actor
from app.settings import Settings
from app.web import operations
from tests.factories.world import World

BASE = "http://testserver"


class Caller:
    """Someone with a token: `get("/ideas/7")` and the like, below `/api/v1`."""

    def __init__(self, client: TestClient, token: str | None) -> None:
        self.client = client
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    def __call__(self, method: str, path: str, **options: Any) -> Any:
        headers = self.headers | options.pop("headers", {})
        address = path if path.startswith("http") else f"/api/v1{path}"
        answer = self.client.request(method, address, headers=headers, **options)
        assert answer.status_code != 201 or leads_on(method, answer), answer.headers
        return answer

    def get(self, path: str, **options: Any) -> Any:
        return self("GET", path, **options)

    def post(self, path: str, json: Any = None, **options: Any) -> Any:
        return self("POST", path, json=json, **options)

    def put(self, path: str, **options: Any) -> Any:
        return self("PUT", path, **options)

    def patch(self, path: str, json: Any, tag: str | None = None, **options: Any) -> Any:
        return self("PATCH", path, json=json, headers=_if(tag), **options)

    def delete(self, path: str, tag: str | None = None, **options: Any) -> Any:
        return self("DELETE", path, headers=_if(tag), **options)

    def tag(self, path: str) -> str:
        """The ETag of an item now."""
        return str(self.get(path).headers["etag"])


class Api:
    """The small world, each of its people as a caller."""

    def __init__(self, world: World, client: TestClient) -> None:
        self.world = world
        self.client = client
        self.nobody = Caller(client, None)

    @property
    def inside(self) -> FastAPI:
        """The application within its layers."""
        return innermost(self.client.app)

    @property
    def database(self) -> Database:
        """The application's own connections."""
        return self.inside.state.context.database

    def client_of(self, *scopes: str, **draft: Any) -> Any:
        """A client, made by Cora; as `World.client` makes it."""
        return self.world.client(*scopes, **draft)

    def of(self, actor: Actor, *scopes: str) -> Caller:
        return Caller(self.client, self.world.token(actor, *scopes))

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.world, name)
        if not isinstance(found, Actor):
            return found
        caller = self.of(found)
        setattr(self, name, caller)
        return caller


@pytest.fixture
def settings(database_url: str) -> Settings:
    return Settings(
        _env_file=None,
        database_url=SecretStr(database_url),
        base_url=BASE,
        secret_key=SecretStr("a test's own secret, of no use elsewhere"),
        rate_limit="100000/minute",
    )


@pytest.fixture
def world(database: Database) -> World:
    return World(database)


@pytest.fixture
def api(world: World, settings: Settings) -> Iterator[Api]:
    with TestClient(create_app(settings), base_url=BASE) as client:
        yield Api(world, client)


def innermost(application: Any) -> FastAPI:
    while not isinstance(application, FastAPI):
        application = application.app
    return application


def is_problem(answer: Any, status: int, code: str) -> bool:
    """Whether this is a problem document of that kind."""
    document = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, document["type"]) == (status, f"{BASE}/api/v1/problems/{code}"), document
    assert document["status"] == status
    assert document["title"]
    assert document["detail"]
    return True


def leads_on(method: str, answer: Any) -> bool:
    """Whether a `Location` is sent as the operation says, and only then."""
    made = (each for each in operations.declared() if each.method == method)
    path = answer.request.url.path.removeprefix(operations.PREFIX)
    operation = next((each for each in made if re.fullmatch(_pattern(each.path), path)), None)
    there = answer.headers.get("location", "").removeprefix(f"{BASE}{operations.PREFIX}")
    return operation is None or re.fullmatch(_pattern(operation.located), there) is not None


def _pattern(path: str) -> str:
    return re.sub(r"\{[a-z_]+\}", r"[^/]+", path)


def pointers(answer: Any) -> list[str]:
    return [error["pointer"] for error in answer.json()["errors"]]


def _if(tag: str | None) -> dict[str, str]:
    return {} if tag is None else {"If-Match": tag}
