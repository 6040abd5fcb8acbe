"""The pages over real HTTP, read by the people of the small world in browsers of their own."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import event
from starlette.testclient import TestClient

from app.main import create_app
from app.policies.actor import Actor
from app.settings import Settings
from tests.factories.world import World

BASE = "http://testserver"
OURS = {"Sec-Fetch-Site": "same-origin"}
HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}


class Browser:
    """Someone's browser: `get("/challenges/1")`, `post("/ideas/7/support", htmx=True)`."""

    def __init__(self, client: TestClient, cookie: str | None, language: str = "en") -> None:
        self.client = client
        self.headers = {"Accept-Language": language}
        if cookie:
            self.headers["Cookie"] = f"session={cookie}"

    def get(self, path: str, *, htmx: bool = False, **options: Any) -> Any:
        return self._send("GET", path, htmx=htmx, **options)

    def post(
        self, path: str, data: dict[str, Any] | None = None, *, htmx: bool = False, **options: Any
    ) -> Any:
        headers = OURS | options.pop("headers", {})
        return self._send("POST", path, htmx=htmx, data=data or {}, headers=headers, **options)

    def _send(self, method: str, path: str, *, htmx: bool, **options: Any) -> Any:
        headers = self.headers | (HTMX if htmx else {}) | options.pop("headers", {})
        return self.client.request(method, path, headers=headers, follow_redirects=False, **options)


class Site:
    """The small world and its application."""

    def __init__(self, world: World, client: TestClient, context: Any) -> None:
        self.world = world
        self.client = client
        self.context = context
        self.nobody = Browser(client, None)

    def of(self, actor: Actor, language: str = "en") -> Browser:
        return Browser(self.client, self.world.cookie(actor), language)

    @contextmanager
    def statements(self) -> Iterator[list[str]]:
        """The SQL statements that are run meanwhile, but for what begins, ends and locks."""
        seen: list[str] = []

        def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
            if not statement.startswith(("BEGIN", "SAVEPOINT", "RELEASE", "SELECT pg_advisory")):
                seen.append(statement)

        engines = (self.context.database.reads, self.context.database.writes)
        for engine in engines:
            event.listen(engine, "before_cursor_execute", note)
        try:
            yield seen
        finally:
            for engine in engines:
                event.remove(engine, "before_cursor_execute", note)


@pytest.fixture
def site(world: World, database_url: str) -> Iterator[Site]:
    settings = Settings(
        _env_file=None,
        database_url=SecretStr(database_url),
        base_url=BASE,
        allowed_hosts="testserver",
        rate_limit="100000/minute",
    )
    app = create_app(settings)
    with TestClient(app, base_url=BASE, raise_server_exceptions=False) as client:
        yield Site(world, client, app.app.state.context)
