"""The same request twice has one effect."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import httpx2
import pytest
import time_machine
from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response
from starlette.testclient import TestClient

from app.jobs import answers as job
from app.jobs.workplace import Workplace
from app.lib import clock
from app.main import create_app
from app.models import KeptAnswer
from app.models.base import table
from app.services import tokens
from app.settings import Settings
from app.web import idempotency, operations
from app.web.idempotency import Answer
from tests.api.conftest import BASE, Api, Caller, is_problem

KEPT = table(KeptAnswer)


def _ideas(api: Api) -> list[str]:
    return [item["title"] for item in api.alice.get(f"/challenges/{api.challenge_id}/ideas").json()["items"]]


def _post(api: Api, caller, key: str, title: str = "Once"):
    return caller.post(
        f"/challenges/{api.challenge_id}/ideas", {"title": title}, headers={"Idempotency-Key": key}
    )


def test_the_same_key_and_body_give_the_first_answer_again(api: Api) -> None:
    first = _post(api, api.alice, "key-1")
    assert first.status_code == 201
    assert "idempotency-replayed" not in first.headers
    api.bob.put(f"/ideas/{first.json()['id']}/support")
    again = _post(api, api.alice, "key-1")
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["location"] == first.headers["location"]
    assert again.headers["etag"] == first.headers["etag"]
    assert again.headers["idempotency-replayed"] == "true"
    assert _ideas(api) == ["Once"]


def test_another_body_under_the_same_key_is_refused(api: Api) -> None:
    _post(api, api.alice, "key-1")
    assert is_problem(_post(api, api.alice, "key-1", "Twice"), 422, "idempotency-key-reused")
    answer = api.alice.post(
        f"/ideas/{api.idea(title='Other')}/comments", {"body": "x"}, headers={"Idempotency-Key": "key-1"}
    )
    assert is_problem(answer, 422, "idempotency-key-reused")
    assert _ideas(api) == ["Other", "Once"]


def test_a_key_belongs_to_one_person(api: Api) -> None:
    assert _post(api, api.alice, "key-1").json()["id"] != _post(api, api.bob, "key-1").json()["id"]


def test_a_key_belongs_to_the_place_to_which_a_token_is_bound(api: Api) -> None:
    world = api.world
    organisation = {"organisation_id": world.organisations["public"]}
    bound = [
        Caller(
            api.client, world.do(tokens.create, world.alice, name="T", scopes=["read", "write"], **to).token
        )
        for to in ({"programme_id": world.programme_id}, {"programme_id": world.programme_id}, organisation)
    ]
    assert _post(api, api.alice, "key-1").status_code == 201
    for caller in bound:
        assert is_problem(_post(api, caller, "key-1"), 422, "idempotency-key-reused")
    first = [_post(api, caller, "key-2") for caller in bound[:2]]
    assert first[0].content == first[1].content
    assert _ideas(api) == ["Once", "Once"]


def test_a_refused_request_may_come_again_with_its_key(api: Api) -> None:
    assert is_problem(_post(api, api.alice, "key-1", ""), 422, "invalid")
    assert _post(api, api.alice, "key-1", "Mended").status_code == 201


def test_without_a_key_each_request_counts(api: Api) -> None:
    for _ in range(2):
        api.alice.post(f"/challenges/{api.challenge_id}/ideas", {"title": "Twice"})
    assert _ideas(api) == ["Twice", "Twice"]


@pytest.mark.parametrize("key", ["", " ", "x" * 201, "x" * 10_240, "with space", "caf\xe9"])
def test_what_is_no_key_is_told(api: Api, key: str) -> None:
    answer = api.client.post(
        f"/api/v1/challenges/{api.challenge_id}/ideas",
        json={"title": "t"},
        headers=[
            (b"Idempotency-Key", key.encode("latin-1")),
            (b"Authorization", api.alice.headers["Authorization"].encode()),
        ],
    )
    assert is_problem(answer, 422, "invalid")
    assert answer.json()["errors"][0]["in"] == "header"


def test_two_keys_are_refused_and_one_sent_twice_is_one(api: Api) -> None:
    def post(*keys: str) -> Any:
        headers = [*api.alice.headers.items(), *(("Idempotency-Key", key) for key in keys)]
        return api.client.post(
            f"/api/v1/challenges/{api.challenge_id}/ideas", json={"title": "Once"}, headers=headers
        )

    refused = post("key-1", "key-2")
    assert is_problem(refused, 422, "invalid")
    assert refused.json()["errors"][0]["in"] == "header"
    assert [post("key-1", "key-1").status_code, post("key-1").status_code] == [201, 201]
    assert _ideas(api) == ["Once"]


def test_the_same_key_at_the_same_moment_has_one_effect(api: Api) -> None:
    """Eight at once, over one application: one idea, eight times the same answer."""

    async def all_at_once() -> list[httpx2.Response]:
        transport = httpx2.ASGITransport(api.client.app)
        async with httpx2.AsyncClient(transport=transport, base_url=BASE) as client:
            headers = api.alice.headers | {"Idempotency-Key": "at-once"}
            address = f"/api/v1/challenges/{api.challenge_id}/ideas"
            return await asyncio.gather(
                *(client.post(address, json={"title": "Once"}, headers=headers) for _ in range(8))
            )

    answers = asyncio.run(all_at_once())
    assert [answer.status_code for answer in answers] == [201] * 8
    assert len({answer.content for answer in answers}) == 1
    assert _ideas(api) == ["Once"]


def test_comments_and_challenges_heed_the_key_too(api: Api) -> None:
    idea_id = api.idea()
    for _ in range(2):
        api.bob.post(f"/ideas/{idea_id}/comments", {"body": "Yes"}, headers={"Idempotency-Key": "c"})
        api.sam.post(
            f"/programmes/{api.programme_id}/challenges", {"title": "New"}, headers={"Idempotency-Key": "c"}
        )
    assert len(api.bob.get(f"/ideas/{idea_id}/comments").json()["items"]) == 1
    titles = [
        item["title"] for item in api.bob.get(f"/programmes/{api.programme_id}/challenges").json()["items"]
    ]
    assert titles.count("New") == 1


def test_the_same_key_at_two_processes_at_the_same_moment_has_one_effect(
    api: Api, settings: Settings
) -> None:
    """Two applications on one database, as two processes have them; eight callers at once."""
    address = f"/api/v1/challenges/{api.challenge_id}/ideas"
    headers = api.alice.headers | {"Idempotency-Key": "two-doors"}
    with TestClient(create_app(settings), base_url=BASE) as other, ThreadPoolExecutor(8) as callers:
        doors = [api.client, other] * 4
        answers = list(
            callers.map(lambda door: door.post(address, json={"title": "Once"}, headers=headers), doors)
        )
    assert [answer.status_code for answer in answers] == [201] * 8
    assert len({answer.content for answer in answers}) == 1
    assert _ideas(api) == ["Once"]


def test_each_machine_has_keys_of_its_own(api: Api) -> None:
    """Client credentials: what one machine did is not what another one did under the same key."""

    def machine() -> Caller:
        made = api.client_of("read", "write")
        form = {
            "grant_type": "client_credentials",
            "client_id": made.client_id,
            "client_secret": made.secret,
        }
        return Caller(api.client, api.client.post("/oauth/token", data=form).json()["access_token"])

    one, other = machine(), machine()
    first = _post(api, one, "nightly", "By one")
    assert first.status_code == 201
    again = _post(api, one, "nightly", "By one")
    assert (again.content, again.headers["idempotency-replayed"]) == (first.content, "true")
    assert is_problem(_post(api, one, "nightly", "Otherwise"), 422, "idempotency-key-reused")
    assert _post(api, other, "nightly", "By another").status_code == 201
    assert _ideas(api) == ["By another", "By one"]


def test_an_answer_that_tells_a_secret_is_not_kept(api: Api) -> None:
    """The first answer tells it. Afterwards there is what is kept in place of it, or the word that it is done."""
    told = iter(range(10))

    def answered(kept: bytes | None) -> Any:
        async def endpoint(request: Request) -> Response:
            actor = await operations.known(request)
            answer = Answer(201, b'{"secret": "s3cret-%d"}' % next(told), kept=kept)
            return await idempotency.once(request, actor, lambda _: answer, secret=True)

        return endpoint

    api.inside.add_api_route("/api/v1/secrets", answered(None), methods=["POST"], response_model=None)
    api.inside.add_api_route("/api/v1/keys", answered(b'{"id": 1}'), methods=["POST"], response_model=None)

    def ask(path: str) -> Any:
        return api.alice.post(path, {}, headers={"Idempotency-Key": path})

    assert ask("/secrets").json() == {"secret": "s3cret-0"}
    assert is_problem(ask("/secrets"), 409, "conflict")
    assert ask("/keys").json() == {"secret": "s3cret-2"}
    again = ask("/keys")
    assert (again.json(), again.headers["idempotency-replayed"]) == ({"id": 1}, "true")
    rows = api.database.read_now(lambda connection: connection.execute(select(KEPT)).all())
    assert len(rows) == 2
    assert not [row for row in rows if "s3cret" in repr(row)]


def test_a_key_is_forgotten_after_a_day(api: Api) -> None:
    first = _post(api, api.alice, "daily").json()
    place = Workplace(database=api.world.database, base_url="", mail_from="", smtp_url=None)
    with time_machine.travel(clock.now() + timedelta(hours=23, minutes=59), tick=False):
        assert job.forget(place) == 0
    assert _post(api, api.alice, "daily").json() == first
    with time_machine.travel(clock.now() + timedelta(hours=24, minutes=1), tick=False):
        assert job.forget(place) == 1
    assert _post(api, api.alice, "daily").json()["id"] != first["id"]
