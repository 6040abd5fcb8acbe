"""Calls of webhooks: signed, never where they must not go, and judged by what comes back."""

import os
import re
import socket
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app.integrations import hooks, seal
from app.integrations.hooks import Call, Caller, Outcome
from app.lib import clock, secrets
from tests.factories.receivers import Receiver, Reply, is_signed

pytestmark = pytest.mark.anyio

BODY = '{"type":"idea.posted","data":{"id":7,"č":1}}'.encode()


def call(address: str, *keys: str) -> Call:
    return Call(address, "msg_1_7", clock.now(), BODY, keys or (secrets.new_webhook_secret(),))


@pytest.fixture
def here() -> Caller:
    return Caller(allow_loopback=True, timeout_s=1.0)


async def test_a_message_carries_a_signature_of_each_secret_that_anyone_can_check(here):
    old, new = secrets.new_webhook_secret(), secrets.new_webhook_secret()
    with Receiver(lambda _: Reply(body=b"thanks\x00\xff" + b"x" * 5000)) as receiver:
        asked = call(receiver.url, new, old)
        outcome = await here.call(asked)
    received = receiver.received[0]
    assert is_signed(new, received.headers, received.body)
    assert is_signed(old, received.headers, received.body)
    assert not is_signed(secrets.new_webhook_secret(), received.headers, received.body)
    assert not is_signed(new, received.headers, received.body + b" ")
    assert not is_signed(new, {**received.headers, "webhook-id": "msg_1_8"}, received.body)
    assert not is_signed(new, {**received.headers, "webhook-timestamp": "1"}, received.body)
    assert received.headers["content-type"] == "application/json"
    assert {name: received.headers[name] for name in asked.headers} == asked.headers
    assert "webhook-signature" not in asked.headers
    assert new not in repr(asked)
    assert (outcome.status, outcome.error) == (200, None)
    assert outcome.body.startswith("thanks\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}x")
    assert len(outcome.body) <= hooks.KEPT_BYTES


@pytest.mark.parametrize(
    ("reply", "error", "status"),
    [
        (Reply(500), hooks.NOT_TAKEN, 500),
        (Reply(404), hooks.NOT_TAKEN, 404),
        (Reply(410), hooks.GONE, 410),
        (Reply(307, {"location": "/elsewhere"}), hooks.REDIRECTED, 307),
        (Reply(None), hooks.BROKEN, None),
        (Reply(200, delay_s=3), hooks.TIMED_OUT, None),
        (Reply(204, body=b""), None, 204),
        (Reply(200, {"content-encoding": "gzip"}, b"not packed at all"), None, 200),
        (Reply(200, {"content-length": "5000"}, b"it breaks off"), None, 200),
        (Reply(410, {"content-length": "5000"}, b"it breaks off"), hooks.GONE, 410),
    ],
)
async def test_what_comes_back_is_judged_by_its_status(here, reply, error, status):
    with Receiver(lambda _: reply) as receiver:
        outcome = await here.call(call(receiver.url))
    assert (outcome.error, outcome.status) == (error, status)
    assert outcome.took_ms < 2500
    assert len(receiver.received) == 1, "a redirect was followed"


async def test_headers_of_an_answer_are_kept_but_for_what_may_be_secret(here):
    with Receiver(lambda _: Reply(429, {"retry-after": "7", "set-cookie": "secret"})) as receiver:
        outcome = await here.call(call(receiver.url))
    assert "set-cookie" not in outcome.headers
    assert outcome.retry_after_s(clock.now()) == 7


async def test_a_receiver_that_is_not_there_or_speaks_no_tls(here):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert (await here.call(call(f"http://127.0.0.1:{port}/"))).error == hooks.UNREACHED
    with Receiver() as receiver:
        assert (await here.call(call(receiver.url.replace("http:", "https:")))).error == hooks.UNTRUSTED


@pytest.mark.parametrize(
    "address",
    [
        "https://10.0.0.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::ffff:10.0.0.1]/",
        "http://8.8.8.8/",
        "https://user@8.8.8.8/",
        "https://2130706433/",
        "ftp://8.8.8.8/",
    ],
)
async def test_what_is_private_or_unsafe_is_refused_before_and_at_the_call(address):
    outside = Caller(allow_loopback=False, timeout_s=5.0)
    assert await outside.check(address) == hooks.REFUSED
    assert (await outside.call(call(address))).error == hooks.REFUSED


async def test_a_name_that_turns_to_this_machine_after_it_was_looked_at_is_not_called(monkeypatch):
    """DNS rebinding: public when somebody looks, private when it is called."""
    found = ["8.8.8.8"]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(2, 1, 6, "", (found[0], 443))])
    outside = Caller(allow_loopback=False, timeout_s=5.0)
    with Receiver() as receiver:
        port = receiver.url.split(":")[2].partition("/")[0]
        address = f"https://rebound.example:{port}/"
        assert await outside.check(address) is None
        for turned in ("127.0.0.1", "192.168.1.1", "169.254.169.254", "::1"):
            found[0] = turned
            assert (await outside.call(call(address))).error == hooks.REFUSED
        assert receiver.received == []


async def test_retry_after_is_heeded_in_seconds_and_as_a_date_where_it_may_be_asked():
    now = clock.now().replace(microsecond=0)
    date = (now + timedelta(seconds=90)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    for status, text, expected in (
        (429, "5", 5),
        (503, date, 90),
        (503, "soon", None),
        (503, "-1", None),
        (500, "5", None),
        (429, "9" * 40, 999_999_999),
        (429, "", None),
    ):
        assert Outcome(1, "status", status, {"retry-after": text}).retry_after_s(now) == expected, text


async def test_what_the_handbook_shows_checks_our_signatures(here, tmp_path):
    """The very lines of docs/api/webhooks.md, in Python and by openssl."""
    page = (Path(__file__).parents[2] / "docs" / "api" / "webhooks.md").read_text()
    python, shell = (re.search(rf"```{name}\n(.*?)```", page, re.DOTALL)[1] for name in ("python", "sh"))
    secret = secrets.new_webhook_secret()
    with Receiver() as receiver:
        await here.call(call(receiver.url, secret, secrets.new_webhook_secret()))
    headers, body = receiver.received[0].headers, receiver.received[0].body
    shown: dict[str, Any] = {}
    exec(python, shown)
    assert shown["is_ours"](secret, headers, body)
    assert not shown["is_ours"](secret, headers, body + b" ")
    assert not shown["is_ours"](secret, {**headers, "webhook-timestamp": "1777887000"}, body)
    (tmp_path / "body.json").write_bytes(body)
    values = {"SECRET": secret, "ID": headers["webhook-id"], "TIMESTAMP": headers["webhook-timestamp"]}
    told = subprocess.run(  # noqa: ASYNC221 -- milliseconds, and nobody else waits
        ["/bin/sh", "-c", shell],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], **values},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "v1," + told.stdout.strip() == headers["webhook-signature"].split()[0]


async def test_a_secret_is_kept_sealed():
    secret = secrets.new_webhook_secret()
    sealed = seal.seal_webhook_secret(secret)
    assert secret.encode() not in sealed
    assert seal.seal_webhook_secret(secret) != sealed
    assert seal.unseal_webhook_secret(sealed) == secret
    assert seal.unseal_webhook_secret(sealed[:-1] + bytes([sealed[-1] ^ 1])) is None
