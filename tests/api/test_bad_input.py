"""Bad input over a real socket: a problem document with the right status, nothing written, the connection goes on."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import select
from sqlmodel import SQLModel

from app.database import Database
from app.main import create_app
from app.settings import Settings
from app.web import server
from tests.api.conftest import BASE
from tests.factories.world import World

PROBLEM = "application/problem+json"


@dataclass
class Answer:
    """One answer as it came."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def closes(self) -> bool:
        return self.headers.get("connection") == "close"


class Line:
    """One connection, on which requests are written byte by byte."""

    def __init__(self, port: int, token: str) -> None:
        self.token = token
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.settimeout(8)
        self._kept = b""

    def send(self, method: str, path: str, body: bytes = b"", **headers: str) -> None:
        """A request; a header is named with `_` for `-`, and left out where it is empty."""
        usual = {"Host": "testserver", "Authorization": f"Bearer {self.token}"}
        if body or method in ("POST", "PATCH", "PUT"):
            usual |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
        usual |= {name.replace("_", "-"): value for name, value in headers.items()}
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in usual.items() if value)]
        self.socket.sendall("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)

    def answer(self) -> Answer | None:
        """The next answer; None where the other side has ended without one."""
        while b"\r\n\r\n" not in self._kept:
            if not self._more():
                return None
        head, _, self._kept = self._kept.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = int(headers.get("content-length", "0"))
        while len(self._kept) < length and self._more():
            pass
        body, self._kept = self._kept[:length], self._kept[length:]
        return Answer(int(first.split()[1]), headers, body)

    def ask(self, *request: Any, **headers: str) -> Answer | None:
        self.send(*request, **headers)
        return self.answer()

    def is_usable(self) -> bool:
        """Whether the next request on this very connection is answered as ever."""
        found = self.ask("GET", "/api/v1/people/me")
        return found is not None and found.status == 200

    def _more(self) -> bool:
        try:
            piece = self.socket.recv(65536)
        except ConnectionResetError:
            return False
        self._kept += piece
        return bool(piece)


class Site:
    """The application on a real server, with a world in its database."""

    def __init__(self, world: World, port: int) -> None:
        self.world = world
        self.port = port
        self.token = world.token(world.alice, "read", "write")
        self.board = f"/api/v1/challenges/{world.challenge_id}/ideas"
        self.idea = f"/api/v1/ideas/{world.idea()}"
        self.line().is_usable()  # notes the token's use

    def line(self) -> Line:
        return Line(self.port, self.token)

    def fingerprint(self) -> str:
        """Of all that is in the database, but for when the token was used last."""

        def read(connection: Any) -> str:
            tables = [table for table in SQLModel.metadata.sorted_tables if table.name != "token"]
            rows = [sorted(map(repr, connection.execute(select(table)))) for table in tables]
            assert any(rows)
            return sha256(repr(rows).encode()).hexdigest()

        return self.world.database.read_now(read)


@pytest.fixture
def site(database: Database, database_url: str) -> Iterator[Site]:
    settings = Settings(
        _env_file=None, database_url=SecretStr(database_url), base_url=BASE, rate_limit="100000/minute"
    )
    running = server.Server(server.configuration(create_app(settings)))
    listening = server.listening("127.0.0.1", 0)
    thread = threading.Thread(target=running.run, args=([listening],))
    thread.start()
    while not running.started:
        assert thread.is_alive()
        time.sleep(0.01)
    try:
        yield Site(World(database), listening.getsockname()[1])
    finally:
        running.should_exit = True
        thread.join(15)


def _problem(answer: Answer | None, status: int, told: str) -> dict[str, Any]:
    assert answer is not None, told
    assert (answer.status, answer.headers.get("content-type")) == (status, PROBLEM), (told, answer)
    document: dict[str, Any] = json.loads(answer.body)
    assert document["status"] == status
    assert {"type", "title"} <= document.keys(), told
    return document


BODIES: list[tuple[bytes, int]] = [
    (b"", 400),
    (b"{", 400),
    (b'{"title": }', 400),
    (b'{"title": "t"} more', 400),
    (b"{'title': 't'}", 400),
    (b'\xef\xbb\xbf{"title": "t"}', 400),
    (b'{"title": "\xff\xfe"}', 400),
    ('{"title": "t"}'.encode("utf-16"), 400),
    (b'{"title": "t", "body": "\x00"}', 400),
    (b'{"title": "t", "title": "u"}', 400),
    (b'{"title": "t", "cluster": 1e400}', 400),
    (b'{"title": "t", "cluster": -1e400}', 400),
    (b'{"title": "t", "cluster": NaN}', 400),
    (b'{"title": "t", "cluster": -Infinity}', 400),
    (b'{"title": "t", "cluster": ' + b"9" * 5000 + b"}", 400),
    (b"[" * 100_000, 400),
    (b"[" * 100_000 + b"]" * 100_000, 400),
    (b'{"a":' * 40 + b"1" + b"}" * 40, 400),
    (b'{"title": "t\\u0000"}', 422),
    (b'{"title": "t", "body": "a\\u0000b"}', 422),
    (b'{"title": "\\ud800"}', 422),
    (b'{"title": "t", "\\udfff": 1}', 422),
    (b'{"title": "t", "cluster": 99999999999999999999}', 422),
    (b'{"title": "t", "cluster": 9223372036854775807}', 422),
    (b'{"title": "t", "cluster": 0}', 422),
    (b'{"title": "t", "cluster": 1.5}', 422),
    (b'{"title": "t", "cluster": "1"}', 422),
    (b'{"title": "t", "cluster": true}', 422),
    (b'{"title": 7}', 422),
    (b'{"title": null}', 422),
    (b'{"title": ["t"]}', 422),
    (b'{"title": {"t": 1}}', 422),
    (b'{"title": "t", "anonymous": "yes"}', 422),
    (b'{"title": "t", "anonymous": 1}', 422),
    (b'{"title": "t", "language": "xx"}', 422),
    (b'{"title": "t", "colour": "red"}', 422),
    (b'{"__proto__": {"title": "t"}, "title": "t"}', 422),
    (b"{}", 422),
    (b"[]", 422),
    (b'"t"', 422),
    (b"7", 422),
    (b"null", 422),
    (b'{"title": "' + b"x" * 121 + b'"}', 422),
    (b'{"title": "' + b"x" * (300 * 1024) + b'"}', 413),
    (b"{" + b",".join(b'"f%d": 1' % number for number in range(20_000)) + b"}", 422),
]

TYPES = (
    "",
    "text/plain",
    "application/xml",
    "multipart/form-data; boundary=x",
    "application/json; charset=latin-1",
)

QUERIES = (
    "limit=0",
    "limit=-1",
    "limit=201",
    "limit=1000000000",
    "limit=1e2",
    "limit=",
    "limit=9" + "9" * 400,
    "cursor=x",
    "cursor=" + "A" * 3000,
    "sort=title",
    "sort=-",
    "cluster=-1",
    "cluster=99999999999999999999",
    "sector=" + "x" * 41,
    "author=1",
    "state=deleted",
    "fields=nothing",
    "include=everything",
    "sotr=created_at",
)


def test_bad_input_is_told_and_changes_nothing(site: Site) -> None:
    site.world.idea(title="Another")
    line = site.line()
    _strangers(site, line)  # first: that a token was refused is noted, once a minute for each address
    before = site.fingerprint()
    for hostile in (_bodies, _addresses, _headers, _methods):
        hostile(site, line)
        assert line.is_usable(), hostile
        assert site.fingerprint() == before, hostile
    _framing(site)
    assert site.fingerprint() == before
    _goes_on(site)
    good = line.ask("POST", site.board, b'{"title": "After all that"}')
    assert good is not None
    assert good.status == 201
    assert site.fingerprint() != before


def _strangers(site: Site, line: Line) -> None:
    for scheme in ("Bearer x", "Bearer " + "x" * 5000, "Basic eDp4", "Bearer"):
        _problem(line.ask("GET", site.board, Authorization=scheme), 401, scheme[:12])


def _bodies(site: Site, line: Line) -> None:
    for body, status in BODIES:
        told = repr(body[:60])
        document = _problem(line.ask("POST", site.board, body), status, told)
        assert (status == 422) == bool(document.get("errors")), told
        assert "ud800" not in json.dumps(document)
    for kind in TYPES:
        _problem(line.ask("POST", site.board, b'{"title": "t"}', Content_Type=kind), 415, kind)
    found = line.ask("POST", site.board, b'{"title": "t"}', Content_Encoding="gzip")
    _problem(found, 415, "gzip")


def _addresses(site: Site, line: Line) -> None:
    for query in QUERIES:
        document = _problem(line.ask("GET", f"{site.board}?{query}"), 422, query)
        assert document["errors"][0]["in"] == "query"
    for query, status in (("q=%00", 400), ("q=%ff", 400), ("q=" + "x" * 9000, 414)):
        _problem(line.ask("GET", f"{site.board}?{query}"), status, query[:9])
    page = line.ask("GET", f"{site.board}?limit=1")
    assert page is not None
    cursor = json.loads(page.body)["next"]
    for place in (f"{site.idea}/comments?", f"{site.board}?sort=created_at&", "/api/v1/programmes?"):
        document = _problem(line.ask("GET", f"{place}cursor={cursor}"), 422, place)
        assert document["errors"][0]["pointer"] == "/cursor"
    for path in ("ideas/0", "ideas/-1", "ideas/x", "ideas/" + "9" * 60, "%00", "nothing"):
        _problem(line.ask("GET", f"/api/v1/{path}"), 404, path)
    id = int(site.idea.rpartition("/")[2])
    for spelling in (f"+{id}", f"%2B{id}", f"{id}.0", f"%20{id}", f"{id}%20", f"{id}_0", f"0_{id}", "%D9%A1"):
        _problem(line.ask("GET", f"{site.idea.rpartition('/')[0]}/{spelling}"), 404, spelling)
        _problem(line.ask("GET", f"{site.board}?limit={spelling}"), 422, spelling)
        _problem(line.ask("GET", f"{site.board}?cluster={spelling}"), 422, spelling)
        log = f"/api/v1/programmes/{site.world.programme_id}/events"
        _problem(line.ask("GET", f"{log}?after={spelling}"), 422, spelling)
    for header in ("+1", "1_0", " 1.0"):
        _problem(line.ask("GET", f"{log}/stream", Last_Event_ID=header), 422, header)
    page = line.ask("GET", f"/challenges/{'9' * 5000}/stream")
    assert page is not None
    assert page.status == 404


def _headers(site: Site, line: Line) -> None:
    for garbage in ("garbage", '"', '"a" b', "W/", ",", '"\xe9" \x80'):
        for method in ("PATCH", "DELETE"):
            _problem(line.ask(method, site.idea, b'{"title": "t"}', If_Match=garbage), 400, garbage)
    _problem(line.ask("PATCH", site.idea, b'{"title": "t"}'), 428, "no tag")
    for unknown in ('"1"', '"999-0123456789abcdef"', 'W/"1-0123456789abcdef"', '""'):
        _problem(line.ask("PATCH", site.idea, b'{"title": "t"}', If_Match=unknown), 412, unknown)
    for key in ("k" * 201, "k" * 10_240, "two words", "caf\xe9"):
        found = line.ask("POST", site.board, b'{"title": "t"}', Idempotency_Key=key)
        (wrong,) = _problem(found, 422, key[:9])["errors"]
        assert (wrong["in"], wrong["pointer"]) == ("header", "/Idempotency-Key")


def _methods(site: Site, line: Line) -> None:
    for method in ("PATCH", "PUT", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "PURGE", "LINK"):
        found = line.ask(method, site.board)
        _problem(found, 405, method)
        assert found is not None
        assert found.headers["allow"] == "GET, POST"


LYING: list[tuple[dict[str, str], bytes, set[int]]] = [
    ({"Content_Length": "5"}, b'{"title": "longer than it says"}', {400}),
    ({"Content_Length": "-1"}, b"{}", {400}),
    ({"Content_Length": "+2"}, b"{}", {400}),
    ({"Content_Length": "two"}, b"{}", {400}),
    ({"Content_Length": "2, 3"}, b"{}", {400}),
    ({"Content_Length": "9" * 40}, b"{}", {400, 413}),
    ({"Content_Length": "2", "Transfer_Encoding": "chunked"}, b"2\r\n{}\r\n0\r\n\r\n", {400}),
    ({"Content_Length": "", "Transfer_Encoding": "chunked"}, b"zz\r\n{}\r\n0\r\n\r\n", {400}),
    ({"Content_Length": "", "Transfer_Encoding": "gibberish"}, b"{}", {400}),
]
"""Requests that do not say truly how long they are: none is taken for more than it is."""


def _framing(site: Site) -> None:
    _lies(site)
    _stops(site)
    _too_much(site)
    for method in ("FOO", "get", "G=T", "POST\x00"):
        found = site.line().ask(method, site.board)
        assert found is not None, method
        assert found.status == 501, (method, found)
        assert found.headers["content-type"] == PROBLEM
        assert found.closes
    twice = site.line()
    twice.socket.sendall(b"GET /api/v1/programmes HTTP/1.1\r\nHost: testserver\r\nHost: other\r\n\r\n")
    _problem(twice.answer(), 400, "two hosts")


def _lies(site: Site) -> None:
    for headers, body, statuses in LYING:
        found = site.line().ask("POST", site.board, body, **headers)
        assert found is not None, headers
        assert found.status in statuses, (headers, found)
        assert found.headers["content-type"] == PROBLEM, (headers, found)


def _goes_on(site: Site) -> None:
    """A body that goes on after the length it declares: what was written is told."""
    body = b'{"title": "shorter than it is"}'
    for more in (b"}", b"garbage\r\n\r\n"):
        line = site.line()
        line.send("POST", site.board, body + more, Content_Length=str(len(body)))
        found = line.answer()
        assert found is not None, more
        assert (found.status, found.closes) == (201, True), (more, found)
        assert line.answer() is None


def _stops(site: Site) -> None:
    """Half a body, and then nothing more is sent: whoever still listens is told."""
    line = site.line()
    line.send("POST", site.board, b'{"title": "ha', Content_Length="400")
    line.socket.shutdown(socket.SHUT_WR)
    found = _problem(line.answer(), 400, "half a body")
    assert found["detail"] == "The request ended too early. Nothing was saved."


def _too_much(site: Site) -> None:
    for size in (300 * 1024, 10**12):  # refused by what it declares, before it has come
        line = site.line()
        line.send("POST", site.board, b"", Content_Length=str(size))
        _problem(line.answer(), 413, str(size))
    chunked = site.line()
    chunked.send("POST", site.board, b"", Content_Length="", Transfer_Encoding="chunked")
    chunked.socket.sendall((b"10000\r\n" + b"x" * 0x10000 + b"\r\n") * 5 + b"0\r\n\r\n")
    _problem(chunked.answer(), 413, "chunked")
    _problem(site.line().ask("GET", site.board, X_Long="x" * 40_000), 431, "a head of 40 kB")
