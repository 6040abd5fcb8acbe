"""Our application and an identity provider, each a real server, and browsers that go between them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from pydantic import SecretStr

from app.database import Database, Transaction
from app.main import create_app
from app.models import OrganisationIdentity
from app.settings import Settings
from tests.factories.world import World
from tests.identity.hostile import Hostile
from tests.identity.serving import free_port, serving

SECRET = "a test's own secret, of no use elsewhere"


class Site:
    """Our application, with its database and the small world in it."""

    def __init__(self, address: str, world: World, far: Hostile) -> None:
        self.address = address
        self.world = world
        self.far = far

    def browser(self, **headers: str) -> "Browser":
        return Browser(self.address, headers)

    def count(self, model: Any) -> int:
        """How many rows a table has."""
        from sqlalchemy import func, select

        return self.world.database.read_now(
            lambda connection: connection.execute(select(func.count()).select_from(model)).scalar_one()
        )

    def rows(self, model: Any) -> list[Any]:
        """The rows of a table, by id."""
        from sqlalchemy import select

        from app.models.base import table

        of = table(model)
        return list(
            self.world.database.read_now(
                lambda connection: connection.execute(select(of).order_by(of.c.id)).all()
            )
        )


class Browser(httpx2.Client):
    """What a browser does of itself: cookies, and headers that say where a request comes from."""

    def __init__(self, address: str, headers: dict[str, str]) -> None:
        super().__init__(
            base_url=address, trust_env=False, headers={"Accept-Language": "en"} | headers, timeout=30
        )
        self.address = address

    def submit(self, path: str, data: dict[str, str] | None = None, **headers: str) -> httpx2.Response:
        """Send a form of one of our own pages."""
        return self.post(path, data=data or {}, headers={"Sec-Fetch-Site": "same-origin"} | headers)

    def leave(self, provider: str = "ministry", next: str = "/") -> httpx2.Response:
        """Start to sign in; the answer leads to the provider."""
        return self.submit(f"/sign-in/{provider}", {"next": next})

    def come_back(self, departure: httpx2.Response) -> str:
        """Go where a departure leads, up to the address of our callback, which is not yet visited."""
        assert departure.status_code == 303, departure.text
        address = departure.headers["location"]
        for _ in range(8):
            if "/callback?" in address and address.startswith(self.address):
                return address
            address = str(self.get(address).headers["location"])
        raise AssertionError("the provider never sent us back")

    def sign_in(self, provider: str = "ministry", next: str = "/") -> httpx2.Response:
        return self.get(self.come_back(self.leave(provider, next)))

    @property
    def secret(self) -> str | None:
        return self.cookies.get("session")

    def name(self) -> str | None:
        """Whose own page this browser shows, or None."""
        answer = self.get("/me")
        return answer.text if answer.status_code == 200 else None


@pytest.fixture
def far() -> Iterator[Hostile]:
    port = free_port()
    hostile = Hostile(f"http://127.0.0.1:{port}")
    hostile.claims |= {"tid": "ministry"}
    with serving(hostile.app(), port):
        yield hostile


def providers_file(path: Path, **tables: dict[str, str]) -> Path:
    """A file of providers: strings as they are, everything else as TOML has it."""
    lines = []
    for id, table in tables.items():
        lines += [f"[providers.{id}]", *(f"{key} = {value}" for key, value in table.items())]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def table_for(issuer: str, **changes: str) -> dict[str, str]:
    return {
        "label": '{ en = "The Ministry", sl = "Ministrstvo" }',
        "side": '"public"',
        "issuer": f'"{issuer}"',
        "client_id": '"client"',
        "client_secret": '"secret"',
        "programme": '"here"',
        "organisation_claim": '"tid"',
    } | changes


def settings_for(database_url: str, port: int, **more: Any) -> Settings:
    return Settings(
        _env_file=None,
        database_url=SecretStr(database_url),
        base_url=f"http://127.0.0.1:{port}",
        secret_key=SecretStr(SECRET),
        rate_limit="100000/minute",
        sign_in_rate_limit="100000/minute",
        **more,
    )


@pytest.fixture
def site(database_url: str, database: Database, far: Hostile, tmp_path: Path) -> Iterator[Site]:
    world = World(database)
    known_as(world, far.issuer, "ministry", world.organisations["public"])
    file = providers_file(tmp_path / "providers.toml", ministry=table_for(far.issuer))
    port = free_port()
    with serving(create_app(settings_for(database_url, port, identity_providers=file)), port) as address:
        yield Site(address, world, far)


def known_as(world: World, issuer: str, value: str, organisation_id: int) -> None:
    """An organisation is what `issuer` names by `value`."""

    def work(tx: Transaction) -> None:
        tx.session.add(
            OrganisationIdentity(
                programme_id=world.programme_id, organisation_id=organisation_id, issuer=issuer, value=value
            )
        )

    world.database.write_now(work)


def path_of(response: httpx2.Response) -> str:
    """Where a redirect leads, without the host."""
    parts = urlsplit(response.headers["location"])
    return parts.path + (f"?{parts.query}" if parts.query else "")
