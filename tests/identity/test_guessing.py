"""Guessing tokens and secrets of a running server: counted for each address, told in the same way, never quicker."""

import statistics
import time
from collections.abc import Iterator

import httpx2
import pytest
from sqlalchemy import select

from app.database import Database
from app.lib import secrets
from app.main import create_app
from app.models import AuditEntry, Membership, Person
from app.models.base import table
from tests.factories.world import World
from tests.identity.conftest import settings_for
from tests.identity.serving import free_port, serving

LIMIT = 30


@pytest.fixture
def world(database: Database) -> World:
    return World(database)


@pytest.fixture
def server(database_url: str, world: World) -> Iterator[str]:
    port = free_port()
    settings = settings_for(database_url, port).model_copy(update={"sign_in_rate_limit": f"{LIMIT}/minute"})
    with serving(create_app(settings), port) as address:
        yield address


def bearer(client: httpx2.Client, token: str, path: str = "/api/v1/people/me") -> httpx2.Response:
    return client.get(path, headers={"Authorization": f"Bearer {token}"})


def refusals(world: World, action: str) -> list[str]:
    entry = table(AuditEntry)
    found = select(entry.c.data).where(entry.c.action == action, entry.c.outcome == "refused")
    return [row.data["reason"] for row in world.ask(lambda connection: connection.execute(found).all())]


def people(world: World) -> tuple[int, int]:
    return tuple(
        len(world.ask(lambda connection, of=of: connection.execute(select(of)).all()))
        for of in (table(Person), table(Membership))
    )


@pytest.mark.parametrize("path", ["/api/v1/people/me", "/scim/v2/Users"])
def test_an_address_guesses_so_often_and_no_more(server: str, world: World, path: str) -> None:
    before = people(world)
    with httpx2.Client(base_url=server, trust_env=False) as client:
        answers = [bearer(client, secrets.new_token(), path) for _ in range(LIMIT + 5)]
        assert {answer.status_code for answer in answers[: LIMIT - 1]} == {401}
        assert {answer.status_code for answer in answers[-4:]} == {429}
        assert int(answers[-1].headers["retry-after"]) > 0
        assert len({answer.json()["detail"] for answer in answers[: LIMIT - 1]}) == 1
        good = world.token(world.alice)
        assert bearer(client, good).status_code == 200, "whoever has a token of their own is not locked out"
    assert refusals(world, "token.refused") in (["unknown"], ["unknown", "unknown"]), "one a minute, no flood"
    assert people(world) == before


def test_secrets_of_clients_are_guessed_no_better(server: str, world: World) -> None:
    made = world.client()
    with httpx2.Client(base_url=server, trust_env=False) as client:

        def ask(secret: str) -> httpx2.Response:
            form = {"grant_type": "client_credentials", "client_id": made.client_id, "client_secret": secret}
            return client.post("/oauth/token", data=form)

        answers = [ask(secrets.new_token(secrets.CLIENT_SECRET_PREFIX)) for _ in range(LIMIT + 5)]
        assert answers[0].status_code == 401
        assert answers[-1].status_code == 429
        assert answers[-1].headers["content-type"] == "application/json"
        assert set(answers[-1].json()) == {"error", "error_description"}
    assert refusals(world, "client.refused") in (["secret"], ["secret", "secret"])


def test_what_is_nearly_right_is_refused_no_later_than_what_is_all_wrong(world: World) -> None:
    """The database compares digests, of which a guesser can steer no letter: so time tells nothing of a token."""
    from app.services import tokens

    real = world.token(world.alice)
    near = [_with_checksum(real[:-8] + first) for first in "ABCDEFGH"]
    far = [secrets.new_token() for _ in near]
    times: dict[str, list[float]] = {"near": [], "far": []}
    for _ in range(40):
        for name, guesses in (("near", near), ("far", far)):
            begun = time.perf_counter()
            for guess in guesses:
                assert not world.ask(tokens.find, guess)[0].is_known
            times[name].append(time.perf_counter() - begun)
    ratio = statistics.median(times["near"]) / statistics.median(times["far"])
    assert 0.6 < ratio < 1.6, ratio


def _with_checksum(token: str) -> str:
    """A guess that passes for one of ours."""
    body = token.removeprefix(secrets.TOKEN_PREFIX)[:32].ljust(32, "0")
    return f"{secrets.TOKEN_PREFIX}{body}{secrets._checksum(body)}"
