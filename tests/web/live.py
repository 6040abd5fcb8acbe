"""A small world with a board, a real server for its streams, and a reader that speaks the protocol."""

import asyncio
import contextlib
import json
import shutil
import signal
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest
import uvicorn
from fastapi import FastAPI
from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.database import Database, Transaction
from app.errors import DomainError
from app.integrations.bus import Bus, Change
from app.models import (
    Challenge,
    Idea,
    Membership,
    Organisation,
    Person,
    Phase,
    Programme,
    Sector,
)
from app.models.base import table
from app.policies.actor import Actor
from app.policies.actor import Membership as Place
from app.routers import streams as door
from app.services import ideas, sessions
from app.web.presence import Here
from app.web.streams import Streams

IDEA = table(Idea)


@dataclass
class World:
    """One programme with two boards; `people` are members, `stranger` is not."""

    database: Database
    challenge_id: int = 0
    other_challenge_id: int = 0
    people: list[Actor] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)
    stranger_secret: str = ""

    def post(self, title: str, *, who: int = 0, challenge_id: int | None = None) -> int:
        """Post an idea, as the service does it, from a thread that is not the event loop's."""
        board = challenge_id or self.challenge_id
        return self.database.write_now(lambda tx: ideas.post(tx, self.people[who], board, title=title))

    async def posted(self, title: str, *, who: int = 0, challenge_id: int | None = None) -> int:
        board = challenge_id or self.challenge_id
        return await self.database.write(lambda tx: ideas.post(tx, self.people[who], board, title=title))


def make_world(url: str, *, people: int = 4) -> World:
    database = Database(url)
    world = World(database)
    database.write_now(lambda tx: _fill(tx, world, people))
    return world


def _fill(tx: Transaction, world: World, people: int) -> None:
    session = tx.session
    programme = Programme(slug="live", name="Live")
    session.add(programme)
    session.flush()
    sectors = [
        Sector(programme_id=programme.id, key=key, name=key, position=place)
        for place, key in enumerate(("public", "business"))
    ]
    session.add_all(sectors)
    session.flush()
    organisations = [
        Organisation(programme_id=programme.id, sector_id=sector.id, name=f"House of {sector.key}")
        for sector in sectors
    ]
    boards = [Challenge(programme_id=programme.id, title=title) for title in ("First", "Second")]
    session.add_all([*organisations, *boards])
    session.flush()
    session.add_all(
        Phase(
            programme_id=programme.id,
            challenge_id=board.id,
            kind="ideation",
            posting=True,
            commenting=True,
            supporting=True,
        )
        for board in boards
    )
    world.challenge_id, world.other_challenge_id = (board.id for board in boards)
    for number in range(people):
        organisation = organisations[number % 2]
        name = f"Ana {chr(65 + number % 26)}"
        world.people.append(_person(tx, name, programme.id, organisation, sectors[number % 2]))
    stranger = Person(name="Stranger")
    session.add(stranger)
    session.flush()
    world.secrets = [_session(tx, actor.person_id) for actor in world.people]
    world.stranger_secret = _session(tx, stranger.id)


def _person(
    tx: Transaction, name: str, programme_id: int, organisation: Organisation, sector: Sector
) -> Actor:
    person = Person(name=name)
    tx.session.add(person)
    tx.session.flush()
    membership = Membership(
        programme_id=programme_id, person_id=person.id, organisation_id=organisation.id, sector_id=sector.id
    )
    tx.session.add(membership)
    tx.session.flush()
    place = Place(membership.id, programme_id, "participant", organisation.id, sector.id, sector.key)
    return Actor(person_id=person.id, name=name, memberships={programme_id: place})


def _session(tx: Transaction, person_id: int) -> str:
    return sessions.open_for(
        tx, person_id, provider="test", issuer="https://id.example", subject=str(person_id)
    )


class Rendering:
    """Renders titles; remembers what it was asked."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.asked: list[tuple[int, str, list[Change]]] = []
        self.fails = 0

    async def changes(self, challenge_id: int, language: str, changes: Sequence[Change]) -> str | None:
        self.asked.append((challenge_id, language, list(changes)))
        ids = sorted({change.idea_id for change in changes if change.idea_id})
        rows = await self.database.read(
            lambda connection: connection.execute(
                select(IDEA.c.id, IDEA.c.title).where(IDEA.c.id.in_(ids)).order_by(IDEA.c.id)
            ).all()
        )
        return "\n".join(
            f'<hx-partial hx-target="#idea-{row.id}">{language} {row.title}</hx-partial>' for row in rows
        )

    async def presence(self, challenge_id: int, language: str, here: Here) -> str:
        return f'<p id="here">{here.total}: {", ".join(visitor.name for visitor in here.shown)}</p>'


@dataclass
class Site:
    port: int
    streams: Streams
    bus: Bus
    rendering: Rendering
    server: uvicorn.Server
    stopping: "asyncio.Task[None]"

    async def stop(self) -> None:
        self.streams.close_all()
        self.server.should_exit = True
        await self.stopping


def make_app(database: Database, bus: Bus, rendering: Rendering, **options: int) -> tuple[FastAPI, Streams]:
    streams = Streams(database, bus, rendering.changes, rendering.presence, **options)
    app = FastAPI()
    app.router.routes.extend(door.routes)
    app.state.context = SimpleNamespace(
        database=database,
        streams=streams,
        settings=SimpleNamespace(secure=False, base_url="http://127.0.0.1"),
    )
    app.add_exception_handler(DomainError, _answer)
    app.add_middleware(_Language)
    return app, streams


class _Language:
    """Stands where the gateway stands: the language from the header."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] == "http":
            scope["state"]["language"] = dict(scope["headers"]).get(b"accept-language", b"en").decode()
        await self.app(scope, receive, send)


async def _answer(_: Request, error: Exception) -> Response:
    return JSONResponse({"code": error.code, "message": error.message}, error.status)


@contextlib.asynccontextmanager
async def serving(database: Database, redis_url: str | None = None, **options: int) -> AsyncIterator[Site]:
    """A server in this event loop."""
    bus = Bus(database, redis_url)
    rendering = Rendering(database)
    app, streams = make_app(database, bus, rendering, **options)
    database.after_commit(bus.committed)
    bus.start()
    streams.start()
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=5)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server._serve([listening]))
    site = Site(listening.getsockname()[1], streams, bus, rendering, server, task)
    try:
        yield site
    finally:
        await site.stop()
        await streams.close()
        await bus.close()


@dataclass
class Message:
    event: str
    data: str
    id: str


class Reader:
    """One open stream, read line by line."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._rest = b""
        self.status = 0
        self.headers: dict[str, str] = {}
        self.comments = 0
        self.last_id = ""
        self.is_over = False

    async def begin(self) -> None:
        self.status = int((await self._reader.readline()).split()[1])
        while line := (await self._reader.readline()).strip():
            name, _, value = line.decode().partition(": ")
            self.headers[name.lower()] = value

    async def body(self) -> str:
        return (await self._reader.readexactly(int(self.headers["content-length"]))).decode()

    async def next(self, event: str = "", *, within_s: float = 15.0) -> Message:
        """The next message of this kind; others are passed over."""
        async with asyncio.timeout(within_s):
            while True:
                message = await self._message()
                if message.event == event and (event or message.id):  # without an id: who is here
                    return message

    async def presence(self, *, within_s: float = 15.0) -> str:
        async with asyncio.timeout(within_s):
            while True:
                message = await self._message()
                if message.data.startswith('<p id="here">'):
                    return message.data.removeprefix('<p id="here">').removesuffix("</p>")

    async def until_over(self, *, within_s: float = 15.0) -> list[Message]:
        """What still comes until the server ends the stream."""
        messages = []
        async with asyncio.timeout(within_s):
            with contextlib.suppress(EOFError):
                while True:
                    messages.append(await self._message())
        return messages

    async def _message(self) -> Message:
        fields: dict[str, list[str]] = {"event": [], "data": [], "id": []}
        while True:
            line = await self._line()
            if line.startswith(":"):
                self.comments += 1
            elif line:
                name, _, value = line.partition(": ")
                fields.setdefault(name.removesuffix(":"), []).append(value)
            elif fields["data"] or fields["event"]:
                self.last_id = (fields["id"] or [self.last_id])[-1]
                return Message("".join(fields["event"]), "\n".join(fields["data"]), "".join(fields["id"]))

    async def _line(self) -> str:
        while b"\n" not in self._rest:
            size = int((await self._reader.readline()) or b"0", 16)
            if size == 0:
                self.is_over = True
                raise EOFError
            self._rest += (await self._reader.readexactly(size + 2))[:-2]
        line, _, self._rest = self._rest.partition(b"\n")
        return line.decode()

    async def leave(self) -> None:
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()


async def read(
    port: int,
    secret: str,
    challenge_id: int,
    *,
    after: object = None,
    last: str | None = None,
    language: str = "en",
    buffer_bytes: int | None = None,
) -> Reader:
    """Open a stream; `buffer_bytes` makes the reader's own buffer small."""
    connection = socket.socket()
    if buffer_bytes is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_bytes)
    connection.setblocking(False)
    await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", port))
    limit = {} if buffer_bytes is None else {"limit": 1024}
    stream, writer = await asyncio.open_connection(sock=connection, **limit)
    query = "" if after is None else f"?after={after}"
    lines = [
        f"GET /challenges/{challenge_id}/stream{query} HTTP/1.1",
        "Host: 127.0.0.1",
        f"Accept-Language: {language}",
        f"Cookie: session={secret}",
    ]
    if last is not None:
        lines.append(f"Last-Event-ID: {last}")
    writer.write("\r\n".join([*lines, "", ""]).encode())
    reader = Reader(stream, writer)
    async with asyncio.timeout(10):
        await reader.begin()
    return reader


async def until(true, *, within_s: float = 15.0) -> None:
    """Wait until the condition holds."""
    async with asyncio.timeout(within_s):
        while not true():
            await asyncio.sleep(0.01)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


class RedisServer:
    """A Redis of one's own, to be killed and started again."""

    def __init__(self, directory: Path) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}"
        self._program = shutil.which("redis-server") or shutil.which("valkey-server")
        if self._program is None:
            pytest.skip("Redis: no redis-server and no valkey-server is installed")
        self._directory = directory
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            *(self._program, "--bind", "127.0.0.1", "--port", str(self.port)),
            *("--save", "", "--dir", str(self._directory)),
            stdout=asyncio.subprocess.DEVNULL,
        )
        async with asyncio.timeout(10):
            while True:
                with contextlib.suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                    writer.close()
                    return
                await asyncio.sleep(0.02)

    def pause(self) -> None:
        """Let it hang: connections stay open, and nothing is answered."""
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    async def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            await self._process.wait()
            self._process = None


async def _serve_alone(url: str, redis_url: str = "") -> None:
    """A process of its own: prints its port, and serves until it is ended."""
    database = Database(url)
    async with serving(database, redis_url or None) as site:
        print(json.dumps({"port": site.port}), flush=True)
        await site.stopping
    database.close()


if __name__ == "__main__":
    asyncio.run(_serve_alone(*sys.argv[1:]))
