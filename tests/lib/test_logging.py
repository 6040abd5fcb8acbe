"""What the log says, and what it never says."""

import io
import json
import logging as standard
from collections.abc import Iterator

import pytest
import structlog

from app.lib import logging

CANARY = "canary-3f9a1c"


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    logging.configure("json", stream=stream)
    yield stream
    logging.configure("json")


def lines(stream: io.StringIO) -> list[dict]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_event_is_one_line_with_its_request(written: io.StringIO) -> None:
    held = logging.request_id.set("abc-1")
    structlog.get_logger("app.x").warning("something_happened", count=3)
    logging.request_id.reset(held)
    [line] = lines(written)
    assert (line["event"], line["count"], line["level"], line["request_id"]) == (
        "something_happened",
        3,
        "warning",
        "abc-1",
    )
    assert line["timestamp"].endswith("Z")


@pytest.mark.parametrize(
    "fields",
    [
        {"token": CANARY},
        {"access_token": CANARY},
        {"client_secret": CANARY},
        {"Authorization": f"Bearer {CANARY}"},
        {"cookie": CANARY},
        {"password": CANARY},
        {"id_token": CANARY},
        {"code": CANARY},
        {"email": f"{CANARY}@example.com"},
        {"headers": {"Cookie": CANARY, "x": {"set-cookie": CANARY}}},
        {"why": f"pfc_pat_{CANARY.replace('-', '')}"},
        {"why": f"got Bearer {CANARY}"},
        {"url": f"postgresql://user:{CANARY}@host/db"},
        {"url": f"/callback?code={CANARY}&state={CANARY}"},
        {"why": [f"session={CANARY}; path=/"]},
        {"who": f"Ana <{CANARY}@example.com>"},
        {"why": ValueError(f"password={CANARY}")},
    ],
)
def test_secrets_and_addresses_are_blotted_out(written: io.StringIO, fields: dict) -> None:
    structlog.get_logger("app.x").warning("something", **fields)
    text = written.getvalue()
    assert CANARY not in text
    assert CANARY.replace("-", "") not in text
    assert logging.HIDDEN in text


def test_what_is_no_secret_stays(written: io.StringIO) -> None:
    structlog.get_logger("app.x").warning(
        "x", route="/ideas/{id}", status=503, seconds=1.5, token=None, done=True
    )
    [line] = lines(written)
    assert (line["route"], line["status"], line["seconds"], line["token"], line["done"]) == (
        "/ideas/{id}", 503, 1.5, None, True,
    )  # fmt: skip


def test_an_exception_tells_its_way_and_not_its_words(written: io.StringIO) -> None:
    def fail() -> None:
        raise ValueError(CANARY)

    try:
        try:
            fail()
        except ValueError as error:
            raise RuntimeError(CANARY) from error
    except RuntimeError:
        structlog.get_logger("app.x").exception("it_broke")
    [line] = lines(written)
    assert CANARY not in written.getvalue()
    assert [link["class"] for link in line["exception"]] == ["builtins.RuntimeError", "builtins.ValueError"]
    assert any("fail" in place for place in line["exception"][1]["at"])


def test_libraries_speak_in_the_same_form_and_only_when_it_matters(written: io.StringIO) -> None:
    standard.getLogger("httpx2").info("GET https://login.example/?code=%s", CANARY)
    standard.getLogger("uvicorn.error").warning("password=%s", CANARY)
    [line] = lines(written)
    assert line["logger"] == "uvicorn.error"
    assert CANARY not in written.getvalue()
