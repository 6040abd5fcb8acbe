"""Limits: more calls than allowed are told when to come back."""

import pytest
from pydantic import SecretStr

from app.settings import Settings
from tests.api.conftest import BASE, Api, is_problem


@pytest.fixture
def settings(database_url: str) -> Settings:
    return Settings(_env_file=None, database_url=SecretStr(database_url), base_url=BASE, rate_limit="3/hour")


def test_one_token_too_many_calls_does_not_stop_another(api: Api) -> None:
    answers = [api.alice.get("/people/me") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert is_problem(answers[-1], 429, "too-many-requests")
    assert int(answers[-1].headers["retry-after"]) > 0
    assert answers[-1].headers["ratelimit"].startswith('"default";r=0;')
    assert api.bob.get("/people/me").status_code == 200


def test_guessing_tokens_is_limited_too(api: Api) -> None:
    answers = [
        api.nobody.get("/people/me", headers={"Authorization": f"Bearer {n}"}).status_code for n in range(5)
    ]
    assert answers == [401, 401, 401, 429, 429]
