"""Everyone at every door: each address, called as each role, about one's own, others', and another programme's things.

What is expected comes from the policy: the permission that `web.doors` declares for the address, asked about the thing.
"""

import asyncio
import json
import re
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from pydantic import SecretStr

from app.database import Database
from app.main import create_app
from app.policies.actor import Actor
from app.policies.rules import may, somewhere
from app.schemas import examples
from app.settings import Settings
from app.web import doors, operations
from app.web.doors import DOORS, FOR_DIRECTORIES, LEAVING, OPEN, Door
from tests.factories.everything import COLUMNS, MACHINE, OWN, RELATIONS, SIGNED_OUT, Everything, Thing
from tests.factories.world import World

BASE = "http://testserver"
ENDLESS = "GET /challenges/{id:key}/stream"
REFUSED = (401, 403, 404)
BODIES = {shape.__name__: example for shape, example in examples.OF.items()}
OPERATIONS = {f"{each.method} {doors.API}{each.path}": each for each in operations.declared()}


def addresses(app: Any) -> Iterator[str]:
    """Every method and path that the application serves itself."""
    for route in app.routes:
        for each in [route, *getattr(getattr(route, "original_router", None), "routes", [])]:
            if getattr(each, "endpoint", None) is not None:
                yield from (f"{method} {each.path}" for method in (each.methods or {"GET"}) - {"HEAD"})


@pytest.fixture
def settings(tmp_path: Path, sqlite_template: Path) -> Settings:
    path = tmp_path / "matrix.db"
    path.write_bytes(sqlite_template.read_bytes())
    return Settings(
        _env_file=None,
        database_url=SecretStr(f"sqlite:///{path}"),
        base_url=BASE,
        rate_limit="1000000/minute",
        sign_in_rate_limit="1000000/minute",
    )


@pytest.fixture
def application(settings: Settings) -> Any:
    return create_app(settings)


def test_every_address_declares_what_it_asks_of_the_policy_or_is_open_with_a_reason(application: Any) -> None:
    served = set(addresses(application.app))
    known = {*DOORS, *OPEN, *LEAVING, *FOR_DIRECTORIES}
    assert served - known == set(), "declare it in app/web/doors.py"
    assert known - served == set(), "no longer served"
    assert set(DOORS) & set(OPEN) == set()
    assert all(reason.strip() for reason in OPEN.values())


class Matrix:
    """Calls cells of the matrix, and puts the world back after each that changed it."""

    def __init__(self, application: Any, everything: Everything, path: str) -> None:
        self.application = application
        self.everything = everything
        self.cells = 0
        self.surprises: list[str] = []
        self._cookies = {
            name: everything.world.cookie(person)
            for name, person in everything.people.items()
            if name not in (SIGNED_OUT, MACHINE)
        }
        self._tokens = {name: everything.token(name) for name in COLUMNS if name != SIGNED_OUT}
        self._kept = sqlite3.connect(path, timeout=10, isolation_level=None)
        self._kept.execute("PRAGMA synchronous=OFF")
        self._snapshot = sqlite3.connect(":memory:")
        self._kept.backup(self._snapshot)
        self._version = self._now()

    async def call_all(self, declared: Mapping[str, Door]) -> None:
        """Every address that is declared, as everyone."""
        for address, door in declared.items():
            for name in COLUMNS:
                asked_about: list[Any] = []
                for relation in RELATIONS if door.about else (OWN,):
                    thing = self._thing(door, name, relation)
                    if thing is not None and thing.fills not in asked_about:
                        asked_about.append(thing.fills)
                        await self._cell(address, door, name, relation, thing)

    async def call_as_directory(self) -> None:
        """What directories alone may call, as everyone else: all are refused."""
        thing = Thing({"id": "1", "name": "User", "urn": "urn:x"}, None)
        for address in FOR_DIRECTORIES:
            for name in COLUMNS:
                status, _, _ = await self._call(address, name, thing)
                self.cells += 1
                if status not in (401, 403):
                    self.surprises.append(f"{address} as {name}: refused, but {status}")
                self._put_back()

    async def _cell(self, address: str, door: Door, name: str, relation: str, thing: Thing) -> None:
        is_call = doors.API in address
        if name == MACHINE and not is_call:
            return
        expected = self._expected(door, name, relation, thing, is_call=is_call)
        status, location, code = await self._call(address, name, thing)
        self.cells += 1
        is_refused = status in REFUSED or location.startswith("/sign-in")
        if is_refused == expected or status >= 500 or status in (400, 405, 415, 428, 429):
            wanted = "allowed" if expected else "refused"
            self.surprises.append(f"{address} as {name}, {relation}: {wanted}, but {status} {location}{code}")
        self._put_back()

    def _thing(self, door: Door, name: str, relation: str) -> Thing | None:
        if not door.about:
            return Thing({"id": self.everything.world.bob.person_id, "kind": "people"}, None)
        things = self.everything.things.get((name, relation))
        return things.get(door.about) if things else None

    def _expected(self, door: Door, name: str, relation: str, thing: Thing, *, is_call: bool) -> bool:
        actor: Actor = self.everything.actors[name]
        if is_call and name == SIGNED_OUT:
            return False
        is_own = relation == OWN and actor.is_known
        if (door.own and not is_own) or (door.not_own and is_own):
            return False
        if door.somewhere:
            return any(somewhere(actor, permission) for permission in door.permissions)
        return (door.or_own and is_own) or any(
            may(actor, permission, thing.subject) for permission in door.permissions
        )

    async def _call(self, address: str, name: str, thing: Thing) -> tuple[int, str, str]:
        method, template = address.split(" ", 1)
        path = re.sub(r"{(\w+)(:\w+)?}", lambda found: str(thing.fills[found[1]]), template)
        query = ""
        if "slug" in thing.fills and path.startswith(("/exchanges", "/admin/")):
            query = urlencode({"programme": thing.fills["slug"]})
        headers = {"host": "testserver", "accept-language": "en"}
        body = b""
        if doors.API in address or address in FOR_DIRECTORIES:
            if name != SIGNED_OUT:
                headers["authorization"] = f"Bearer {self._tokens[name]}"
            if method in ("POST", "PUT", "PATCH", "DELETE"):
                headers |= {"if-match": "*", "content-type": "application/json"}
                takes = OPERATIONS[address].takes if address in OPERATIONS else None
                body = b"" if takes is None else json.dumps(example_of(takes, thing)).encode()
        else:
            if name != SIGNED_OUT:
                headers["cookie"] = f"session={self._cookies[name]}"
            if method == "POST":
                headers |= {
                    "sec-fetch-site": "same-origin",
                    "content-type": "application/x-www-form-urlencoded",
                }
                body = urlencode({**FIELDS, **thing.body}).encode()
        return await asked(self.application, (method, path, query), headers, body)

    def _put_back(self) -> None:
        if self._now() == self._version:
            return
        self._snapshot.backup(self._kept)
        self._version = self._now()

    def _now(self) -> int:
        return int(self._kept.execute("PRAGMA data_version").fetchone()[0])


def example_of(takes: Any, thing: Thing) -> dict[str, Any]:
    """The example of a body, with the ids of the thing where it names any; what is text is for forms."""
    told = {
        name: value
        for name, value in thing.body.items()
        if name in takes.model_fields and not isinstance(value, str)
    }
    return BODIES[takes.__name__] | told


FIELDS = {
    "title": "T",
    "body": "B",
    "reason": "R",
    "answer": "A",
    "note": "N",
    "statement": "S",
    "closes_at": "2126-01-01T10:00",
    "item": "insurance",
    "agreed": "1",
    "answer_insurance": "Yes",
}
"""What every form is sent: enough to be understood, whatever it is for."""


async def asked(
    application: Any, target: tuple[str, str, str], headers: Mapping[str, str], body: bytes
) -> tuple[int, str, str]:
    """The status of the answer, where it leads, and of a problem what it is; as a server would call the application."""
    method, path, query = target
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [
            (k.encode(), v.encode()) for k, v in {**headers, "content-length": str(len(body))}.items()
        ],
        "client": ("127.0.0.1", 50000),
        "server": ("testserver", 80),
        "state": {},
    }
    begun: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    said = bytearray()
    given = False

    async def receive() -> Any:
        nonlocal given
        if not given:
            given = True
            return {"type": "http.request", "body": body, "more_body": False}
        await asyncio.sleep(30)
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            begun.set_result(message)
        else:
            said.extend(message.get("body", b""))

    task = asyncio.ensure_future(application(scope, receive, send))
    await asyncio.wait({task, begun}, return_when=asyncio.FIRST_COMPLETED)
    start = await begun
    found = {name.lower(): value.decode() for name, value in start["headers"]}
    if found.get(b"content-type", "").startswith("text/event-stream"):
        task.cancel()
        await asyncio.wait({task})
    else:
        await task
    code = ""
    if found.get(b"content-type", "") == "application/problem+json":
        code = json.loads(bytes(said))["type"].rsplit("/", 1)[-1]
    return start["status"], urlsplit(found.get(b"location", "")).path, code


KINDS = ("pages", "calls")


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=pytest.mark.xdist_group(f"matrix-{kind}")) for kind in KINDS]
)
def test_every_cell_answers_as_the_policy_says(
    kind: str, application: Any, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    declared = {
        address: door for address, door in DOORS.items() if (doors.API in address) == (kind == "calls")
    }
    database = Database(settings.database)
    everything = Everything(World(database))
    database.close()
    matrix = Matrix(application, everything, settings.database.removeprefix("sqlite:///"))

    async def run() -> None:
        inner = application.app
        async with inner.router.lifespan_context(inner):
            await matrix.call_all(declared)
            if kind == "calls":
                await matrix.call_as_directory()

    asyncio.run(run())
    with capsys.disabled():
        print(
            f"\nmatrix of {kind}: {len(declared)} addresses, {len(COLUMNS)} roles, {matrix.cells} cells called"
        )
    assert not matrix.surprises, "\n".join(matrix.surprises)
    assert matrix.cells > 3000
