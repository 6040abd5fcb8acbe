"""One change to 2,000 open boards: when the last reader has it, and what each reader costs, against a raw broadcast.

Three servers stand side by side, each with as many readers, and take turns in one run:

- `floor`: raw ASGI, one set of `send`s, the same bytes to each; it does nothing else
- `queues`: the same with a queue for each reader, as streaming responses are usually built
- `here`: the whole application; the change is a person's support, through the page, to its commit

What is compared is the time from sending the request that causes the change until the last reader has it.
"""

import argparse
import asyncio
import http.client
import json
import os
import re
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
AIMS = {"last_receipt": 2.5, "memory_kib": 20.0}
PAUSE_S = 0.3
"""Between two changes, so that each is sent at once: the application gathers what comes within a quarter second."""


def main() -> None:
    """Measure and print."""
    arguments = _arguments()
    if arguments.serve:
        _serve(arguments.serve, arguments.port)
        return
    found = measure(readers=arguments.readers, rounds=arguments.rounds)
    print(json.dumps(found) if arguments.json else _told(found))


def measure(*, readers: int = 2000, rounds: int = 15) -> dict[str, Any]:
    """The figures of one run: medians in milliseconds, ratios against the floor, KiB for each reader."""
    _allow_many_connections()
    with tempfile.TemporaryDirectory() as directory:
        url = f"sqlite:///{directory}/broadcast.db"
        os.environ |= {"PARTNERSHIP_DATABASE_URL": url, "PARTNERSHIP_RATE_LIMIT": "1000000/minute"}
        subprocess.run(
            [sys.executable, "-m", "app.cli", "migrate"], cwd=ROOT, check=True, capture_output=True
        )
        board = _fill(url, readers)
        contestants = [_Contestant(name, directory) for name in ("floor", "queues", "here")]
        try:
            return asyncio.run(_compare(contestants, board, readers, rounds))
        finally:
            for contestant in contestants:
                contestant.end()


async def _compare(
    contestants: list["_Contestant"], board: dict[str, Any], readers: int, rounds: int
) -> dict[str, Any]:
    floor, queues, here = contestants
    for contestant in contestants:
        await contestant.ready()
        contestant.change = contestant.raw_change
    here.change = _supporting(here, board)
    here.paths = [
        (f"/challenges/{board['challenge_id']}/stream", f"session={secret}") for secret in board["secrets"]
    ]
    for contestant in contestants:
        await contestant.connect(readers)
    await here.round()
    floor.payload = queues.payload = here.audience.last
    for contestant in contestants:
        contestant.start_counting()
    for number in range(rounds):
        for contestant in contestants[number % 3 :] + contestants[: number % 3]:
            await contestant.round()
            await asyncio.sleep(PAUSE_S)
    return _figures(contestants, readers, rounds)


def _figures(contestants: list["_Contestant"], readers: int, rounds: int) -> dict[str, Any]:
    floor, queues, here = contestants
    figures = {contestant.name: contestant.figures() for contestant in contestants}
    return {
        "readers": readers,
        "rounds": rounds,
        "bytes": len(floor.payload),
        **figures,
        "last_receipt": _ratio(here.lasts, floor.lasts),
        "last_receipt_of_queues": _ratio(queues.lasts, floor.lasts),
        "cpu": round(figures["here"]["cpu_ms"] / figures["floor"]["cpu_ms"], 2),
        "memory_kib": figures["here"]["memory_kib"],
        "aims": AIMS,
    }


def _ratio(ours: list[float], floor: list[float]) -> float:
    return round(statistics.median(ours) / statistics.median(floor), 2)


class _Contestant:
    """One server process with its readers."""

    def __init__(self, name: str, directory: str) -> None:
        self.name = name
        self.port = _free_port()
        self.payload = b"id: 1\ndata: x\n\n"
        self.audience = _Audience()
        self.paths: list[tuple[str, str]] = [("/stream", "")]
        self.change: Callable[[], Any] = self.raw_change
        self.lasts: list[float] = []
        self.cpu_began = 0.0
        self.memory_kib = 0.0
        self._errors = Path(directory, f"{name}.err")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.broadcast", "--serve", name, "--port", str(self.port)],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=self._errors.open("w"),
            env=os.environ | {"PARTNERSHIP_PORT": str(self.port)},
        )

    async def ready(self) -> None:
        for _ in range(600):
            if self._process.poll() is not None:
                raise SystemExit(self._errors.read_text())
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                await asyncio.sleep(0.05)
            else:
                return
        raise SystemExit(f"{self.name} does not start")

    async def connect(self, readers: int) -> None:
        """Open the streams. A tenth comes first, so that what is kept once for all is not counted for each."""
        first = readers // 10
        await self._connect(0, first)
        before = self._memory_kib()
        await self._connect(first, readers)
        self.memory_kib = (self._memory_kib() - before) / (readers - first)

    async def _connect(self, first: int, last: int) -> None:
        loop = asyncio.get_running_loop()
        for number in range(first, last):
            path, cookie = self.paths[number % len(self.paths)]
            _, reader = await loop.create_connection(lambda: _Reader(self.audience), "127.0.0.1", self.port)
            reader.ask(path, cookie, self.port)
            if number % 50 == 49:
                await self.audience.connected(number + 1)
        await self.audience.connected(last)
        await asyncio.sleep(4)  # until everyone has been told who is here

    async def round(self) -> None:
        self.audience.begin()
        began = time.perf_counter()
        await asyncio.to_thread(self.change)
        self.lasts.append(await self.audience.all_have_it() - began)

    def raw_change(self) -> None:
        _post(self.port, "/change", self.payload, {})

    def start_counting(self) -> None:
        self.lasts.clear()
        self.cpu_began = self._cpu_s()

    def figures(self) -> dict[str, float]:
        cpu_s = self._cpu_s() - self.cpu_began
        return {
            "last_receipt_ms": round(1000 * statistics.median(self.lasts), 1),
            "worst_ms": round(1000 * max(self.lasts), 1),
            "cpu_ms": round(1000 * cpu_s / len(self.lasts), 1),
            "memory_kib": round(self.memory_kib, 1),
        }

    def end(self) -> None:
        self._process.kill()
        self._process.wait()

    def _memory_kib(self) -> float:
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return float(re.search(r"VmRSS:\s+(\d+) kB", status)[1])  # type: ignore[index]

    def _cpu_s(self) -> float:
        tasks = Path(f"/proc/{self._process.pid}/task").glob("*/schedstat")
        return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


class _Audience:
    """Those who read from one server: who has connected, and who has the present change."""

    def __init__(self) -> None:
        self.size = 0
        self.have_it = 0
        self._grown = asyncio.Event()
        self.last = b""
        self.done_at = 0.0
        self._done = asyncio.Event()

    def begin(self) -> None:
        self.have_it = 0
        self._done.clear()

    async def connected(self, number: int) -> None:
        async with asyncio.timeout(60):
            while self.size < number:
                self._grown.clear()
                await self._grown.wait()

    def joined(self) -> None:
        self.size += 1
        self._grown.set()

    async def all_have_it(self) -> float:
        async with asyncio.timeout(30):
            await self._done.wait()
        return self.done_at

    def received(self, message: bytes) -> None:
        self.have_it += 1
        if self.have_it == self.size:
            self.done_at = time.perf_counter()
            self.last = message
            self._done.set()


class _Reader(asyncio.Protocol):
    """One reader: notes when a whole message with an event's id has come."""

    def __init__(self, audience: _Audience) -> None:
        self._audience = audience
        self._seen = b""
        self._is_greeted = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def ask(self, path: str, cookie: str, port: int) -> None:
        head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept-Language: en\r\nCookie: {cookie}\r\n\r\n"
        self._transport.write(head.encode())  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        seen = self._seen + data if self._seen else data
        if not seen.endswith(b"\n\n\r\n"):
            self._seen = seen
            return
        self._seen = b""
        if not self._is_greeted:
            if b" 200 OK" not in seen:
                raise SystemExit(seen.decode())
            self._is_greeted = True
            self._audience.joined()
        elif b"\nid: " in seen:
            self._audience.received(seen[seen.index(b"\nid: ") + 1 : -2])


def _supporting(here: _Contestant, board: dict[str, Any]) -> Callable[[], None]:
    """A change as the page makes it: support for an idea, given and taken back in turn."""
    ways = [f"/ideas/{board['idea_id']}/support", f"/ideas/{board['idea_id']}/support/withdrawal"]
    headers = {
        "Cookie": f"session={board['secrets'][0]}",
        "Origin": f"http://127.0.0.1:{here.port}",
        "Content-Type": "application/x-www-form-urlencoded",
        "HX-Request": "true",
        "HX-Request-Type": "partial",
    }

    def change() -> None:
        _post(here.port, ways[0], b"", headers)
        ways.reverse()

    return change


def _post(port: int, path: str, body: bytes, headers: dict[str, str]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("POST", path, body, headers)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    if answer.status != 200:
        raise SystemExit(f"{path}: {answer.status} {text[:500]!r}")


# the servers


def _serve(name: str, port: int) -> None:
    _allow_many_connections()
    if name == "here":
        from app.settings import settings
        from app.web import server

        server.serve("app.main:create_app", settings(), server.Place("127.0.0.1", port), leave_s=0)
        return
    import uvicorn

    app = _floor if name == "floor" else _queues
    uvicorn.run(app, port=port, log_level="error", access_log=False, lifespan="off", backlog=4096)


_SENDS: set[Callable[[dict[str, Any]], Any]] = set()
_QUEUES: set["asyncio.Queue[bytes]"] = set()
_START = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]}
_HELLO = {"type": "http.response.body", "body": b": hello\n\n", "more_body": True}


async def _floor(
    scope: dict[str, Any], receive: Callable[[], Any], send: Callable[[dict[str, Any]], Any]
) -> None:
    """Raw ASGI: who has news sends it to each."""
    if scope["method"] == "POST":
        message = {"type": "http.response.body", "body": (await receive())["body"], "more_body": True}
        for other in _SENDS:
            await other(message)
        await _answer(send)
        return
    await send(_START)
    await send(_HELLO)
    _SENDS.add(send)
    while (await receive())["type"] != "http.disconnect":
        pass
    _SENDS.discard(send)


async def _queues(
    scope: dict[str, Any], receive: Callable[[], Any], send: Callable[[dict[str, Any]], Any]
) -> None:
    """Raw ASGI with a queue for each reader."""
    if scope["method"] == "POST":
        body = (await receive())["body"]
        for queue in _QUEUES:
            queue.put_nowait(body)
        await _answer(send)
        return
    await send(_START)
    await send(_HELLO)
    own: asyncio.Queue[bytes] = asyncio.Queue(64)
    _QUEUES.add(own)
    while True:
        await send({"type": "http.response.body", "body": await own.get(), "more_body": True})


async def _answer(send: Callable[[dict[str, Any]], Any]) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


# the board


def _fill(url: str, readers: int) -> dict[str, Any]:
    """A board with ideas, and as many people as there are readers, each signed in."""
    from app.database import Database

    database = Database(url)
    try:
        return database.write_now(lambda tx: _write(tx, readers))
    finally:
        database.close()


def _write(tx: Any, readers: int) -> dict[str, Any]:
    from app.models import Challenge, Membership, Organisation, Person, Phase, Programme, Sector
    from app.policies.actor import Actor
    from app.policies.actor import Membership as Place
    from app.services import ideas, sessions

    def saved(*rows: Any) -> Any:
        tx.session.add_all(rows)
        tx.session.flush()
        return rows[0]

    programme = saved(Programme(slug="bench", name="Bench"))
    sector = saved(Sector(programme_id=programme.id, key="public", name="Public"))
    saved(Sector(programme_id=programme.id, key="business", name="Business", position=1))
    house = saved(Organisation(programme_id=programme.id, sector_id=sector.id, name="A house"))
    board = saved(Challenge(programme_id=programme.id, title="A question"))
    saved(
        Phase(
            programme_id=programme.id, challenge_id=board.id, kind="ideation", posting=True, supporting=True
        )
    )
    people = [Person(name=f"Ana {number}") for number in range(readers)]
    saved(*people)
    places = [
        Membership(
            programme_id=programme.id, person_id=person.id, organisation_id=house.id, sector_id=sector.id
        )
        for person in people
    ]
    saved(*places)
    own = Place(places[0].id, programme.id, "participant", house.id, sector.id, "public")
    author = Actor(person_id=people[0].id, memberships={programme.id: own})
    body = "What we would do, in a few sentences that somebody wrote over a coffee. " * 4
    posted = [ideas.post(tx, author, board.id, title=f"An idea {number}", body=body) for number in range(50)]
    opened = [
        sessions.open_for(
            tx, person.id, provider="bench", issuer="https://id.example", subject=str(person.id)
        )
        for person in people
    ]
    return {"challenge_id": board.id, "idea_id": posted[-1], "secrets": opened}


# odds and ends


def _told(found: dict[str, Any]) -> str:
    lines = [
        f"One change to {found['readers']} readers, {found['bytes']} bytes, median of {found['rounds']}:"
    ]
    for name in ("floor", "queues", "here"):
        figures = found[name]
        lines.append(
            f"  {name:7} last receipt {figures['last_receipt_ms']:6.1f} ms (worst {figures['worst_ms']:.1f}), "
            f"CPU {figures['cpu_ms']:6.1f} ms, memory {figures['memory_kib']:5.1f} KiB a reader"
        )
    lines += [
        f"last receipt against the floor: {found['last_receipt']} (aim: at most {AIMS['last_receipt']})",
        f"the same with a queue for each reader and nothing else to do: {found['last_receipt_of_queues']}",
        f"CPU against the floor: {found['cpu']}",
        f"memory a reader: {found['memory_kib']} KiB (aim: at most {AIMS['memory_kib']:.0f})",
    ]
    return "\n".join(lines)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def _allow_many_connections() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--readers", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--serve", choices=["floor", "queues", "here"], help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, default=0, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
