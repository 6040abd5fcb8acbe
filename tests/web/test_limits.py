"""Rate limits: announced, held, shared through Redis, and never absent."""

import os

import pytest
import time_machine
from starlette.requests import Request

from app.errors import TooMany
from app.policies.actor import ANONYMOUS, Actor
from app.settings import Settings
from app.web import limits
from app.web.limits import Limiter

pytestmark = pytest.mark.anyio

NOON = "2026-05-04T12:00:10Z"


def limiter(rate: str = "3/minute", redis_url: str | None = None) -> Limiter:
    return Limiter(
        Settings(_env_file=None, rate_limit=rate, sign_in_rate_limit="2/minute", redis_url=redis_url)
    )


def request(host: str = "192.0.2.7") -> Request:
    return Request({"type": "http", "headers": [], "client": (host, 5), "state": {}})


async def test_what_is_left_is_announced_before_it_is_used_up() -> None:
    with time_machine.travel(NOON, tick=False):
        asked = request()
        await limiter().hold(asked, Actor(person_id=7))
    headers = dict(asked.state.allowance.headers())
    assert headers[b"ratelimit-policy"] == b'"default";q=3;w=60'
    assert headers[b"ratelimit"] == b'"default";r=2;t=51'


async def test_one_too_many_is_told_when_to_come_back() -> None:
    with time_machine.travel(NOON, tick=False):
        held = limiter()
        for _ in range(3):
            await held.hold(request(), Actor(person_id=7))
        asked = request()
        with pytest.raises(TooMany) as told:
            await held.hold(asked, Actor(person_id=7))
    assert told.value.retry_after_s == 51
    assert asked.state.allowance.remaining == 0


async def test_the_next_window_begins_anew() -> None:
    held = limiter("1/minute")
    with time_machine.travel(NOON, tick=False):
        await held.take(limits.DEFAULT, "x")
        with pytest.raises(TooMany):
            await held.take(limits.DEFAULT, "x")
    with time_machine.travel("2026-05-04T12:01:00Z", tick=False):
        await held.take(limits.DEFAULT, "x")


async def test_tokens_people_and_addresses_are_counted_apart() -> None:
    held = limiter("1/hour")
    await held.hold(request(), Actor(person_id=7, token_id=1))
    await held.hold(request(), Actor(person_id=7, token_id=2))
    await held.hold(request(), Actor(person_id=7))
    await held.hold(request(), Actor(person_id=8))
    await held.hold(request("192.0.2.8"), ANONYMOUS)
    await held.hold(request("192.0.2.9"), ANONYMOUS)
    with pytest.raises(TooMany):
        await held.hold(request(), Actor(person_id=7, token_id=1))


async def test_an_ipv6_customer_is_one_address_however_many_they_use() -> None:
    held = limiter("1/hour")
    await held.hold(request("2001:db8:1:2::1"), ANONYMOUS)
    await held.hold(request("2001:db8:1:3::1"), ANONYMOUS)
    with pytest.raises(TooMany):
        await held.hold(request("2001:db8:1:2:ffff::9"), ANONYMOUS)


async def test_sign_ins_have_a_limit_of_their_own() -> None:
    held = limiter()
    for _ in range(2):
        await held.hold_address(request())
    with pytest.raises(TooMany):
        await held.hold_address(request())
    await held.hold(request(), ANONYMOUS)


async def test_a_flood_of_addresses_does_not_fill_the_memory(monkeypatch) -> None:
    monkeypatch.setattr(limits, "_MOST_KEPT", 10)
    held = limiter()
    for number in range(100):
        await held.take(limits.DEFAULT, f"address:{number}")
    assert len(held._here) <= 10


async def test_without_redis_each_process_counts_for_itself() -> None:
    held = limiter("2/hour", "redis://127.0.0.1:1/0")
    for _ in range(2):
        await held.take(limits.DEFAULT, "x")
    with pytest.raises(TooMany):
        await held.take(limits.DEFAULT, "x")
    await held.close()


async def test_processes_count_together_in_redis() -> None:
    url = os.environ.get("PARTNERSHIP_TEST_REDIS_URL")
    if not url:
        pytest.skip("Redis: PARTNERSHIP_TEST_REDIS_URL is not set")
    one, other = limiter("2/hour", url), limiter("2/hour", url)
    subject = f"test:{os.urandom(8).hex()}"
    await one.take(limits.DEFAULT, subject)
    await other.take(limits.DEFAULT, subject)
    with pytest.raises(TooMany):
        await one.take(limits.DEFAULT, subject)
    await one.close()
    await other.close()
