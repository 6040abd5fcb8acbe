"""Probes and measurements, asked of the whole application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from app.main import create_app
from app.settings import Settings

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def running(
    url: str, client: tuple[str, int] = ("192.0.2.7", 5), **settings: Any
) -> AsyncIterator[Any]:
    gateway = create_app(Settings(_env_file=None, database_url=url, **settings))
    async with gateway.app.router.lifespan_context(gateway.app):
        transport = httpx2.ASGITransport(gateway, client=client)
        async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as asking:
            asking.gateway = gateway
            yield asking


async def test_a_running_process_is_alive_and_ready(database_url: str) -> None:
    async with running(database_url) as asking:
        assert (await asking.get("/health/live")).json() == {"status": "ok"}
        ready = await asking.get("/health/ready")
    assert ready.status_code == 200
    assert ready.json()["checks"] == {"database": "ok", "bus": "alone", "serving": "ok"}


async def test_who_is_about_to_leave_is_not_ready_but_alive(sqlite_url: str) -> None:
    async with running(sqlite_url) as asking:
        asking.gateway.state.is_leaving = True
        ready = await asking.get("/health/ready")
        assert (ready.status_code, ready.json()["checks"]["serving"]) == (503, "leaving")
        assert ready.headers["retry-after"]
        assert (await asking.get("/health/live")).status_code == 200


async def test_without_its_database_a_process_is_not_ready_but_alive() -> None:
    async with running("postgresql://nobody@127.0.0.1:1/none") as asking:
        ready = await asking.get("/health/ready")
        assert (ready.status_code, ready.json()["checks"]["database"]) == (503, "unavailable")
        assert (await asking.get("/health/live")).status_code == 200


async def test_a_lost_redis_is_told_but_keeps_nobody_away(sqlite_url: str) -> None:
    async with running(sqlite_url, redis_url="redis://127.0.0.1:1/0") as asking:
        ready = await asking.get("/health/ready")
    assert (ready.status_code, ready.json()["checks"]["bus"]) == (200, "polling")


async def test_measurements_are_for_this_machine_alone(sqlite_url: str) -> None:
    async with running(sqlite_url) as asking:
        assert (await asking.get("/metrics")).status_code == 404
    async with running(sqlite_url, client=("127.0.0.1", 5)) as asking:
        told = await asking.get("/metrics")
    assert told.status_code == 200
    assert told.headers["content-type"].startswith("text/plain; version=0.0.4")
    for name in (
        "requests_inside",
        "requests_waiting",
        "streams_open",
        "requests_shed_total",
        "writer_waiting",
        "webhooks_failing",
        "webhook_deliveries_dead",
    ):
        assert f"partnership_{name}{{" in told.text
    assert "process_resident_memory_bytes" in told.text


async def test_a_token_opens_measurements_to_others_and_closes_them_to_all_else(sqlite_url: str) -> None:
    async with running(sqlite_url, metrics_token="t" * 20, client=("127.0.0.1", 5)) as asking:
        assert (await asking.get("/metrics")).status_code == 404
        assert (await asking.get("/metrics", headers={"authorization": "Bearer wrong"})).status_code == 404
        assert (
            await asking.get("/metrics", headers={"authorization": "Bearer " + "t" * 20})
        ).status_code == 200


async def test_a_full_answer_shows_no_server_and_no_version(sqlite_url: str, tmp_path: Path) -> None:
    async with running(sqlite_url) as asking:
        headers = (await asking.get("/health/live")).headers
    assert "server" not in headers
    assert "x-powered-by" not in headers
