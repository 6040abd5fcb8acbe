"""The demo on a server of its own, a token for each role in it, and schemathesis let loose on it."""

import json
import os
import re
import subprocess
import sys
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from sqlalchemy import Connection, select

from app.database import Database, Transaction
from app.demo import fill
from app.integrations import queue
from app.lib import secrets
from app.models import AccessToken, Membership
from app.models.base import table
from app.services import clients, people, programmes, tokens
from tests.durability.servers import ROOT, ServerProcess
from tests.factories.world import fresh

SCOPES = ("read", "write", "vote", "book", "admin")
MACHINE = "machine"
ROLES = (
    "public",
    "business",
    "facilitator",
    "host",
    "sponsor",
    "coordinator",
    "observer",
    MACHINE,
)
"""Those of the demo by the first part of their addresses; the first two are participants of its sectors."""

CONFIGURATION = Path(__file__).with_name("schemathesis.toml")


@dataclass(frozen=True, slots=True)
class Run:
    """What schemathesis did: how it ended, what it printed, and each call with its status."""

    status: int
    printed: str
    calls: list[tuple[str, int, list[list[str]]]]

    @property
    def statuses(self) -> Counter[int]:
        """How often each status came."""
        return Counter(status for _, status, _ in self.calls)

    @property
    def links(self) -> int:
        """How many kinds of links it followed from one answer to the next call."""
        return int((re.findall(r"API Links: +(\d+) covered", self.printed) or ["0"])[0])

    @property
    def seed(self) -> str:
        """What `--seed` would make the same calls again."""
        return self.printed.rpartition("Seed: ")[2].partition("\n")[0]

    @property
    def succeeded(self) -> set[str]:
        """The operations that did what was asked at least once."""
        return {operation for operation, status, _ in self.calls if 200 <= status < 300}


class Place:
    """A running server with the demo in it, and a token for each role."""

    def __init__(
        self,
        server: ServerProcess,
        tokens: dict[str, str],
        own: dict[str, dict[str, int]],
        notes: Path,
    ) -> None:
        self.base_url = server.base_url
        self.environment = server.environment
        self.tokens = tokens
        self._own = own
        self._notes = notes

    @cached_property
    def operations(self) -> list[str]:
        """All that the document declares, by method and path."""
        with urlopen(f"{self.base_url}/api/v1/openapi.json") as answer:
            paths = json.load(answer)["paths"]
        return sorted(
            f"{method.upper()} {path}"
            for path, methods in paths.items()
            for method in methods
            if not path.endswith("/stream")
        )

    def fuzz(self, role: str, *options: str, operations: Sequence[str] = ()) -> Run:
        """Let schemathesis call these operations, or every one, as someone of this role."""
        self._notes.write_bytes(b"")
        command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIGURATION), "run"]
        command += [
            f"{self.base_url}/api/v1/openapi.json",
            "-H",
            f"Authorization: Bearer {self.tokens[role]}",
        ]
        # A stream of events never ends, so that no answer of it can be looked at.
        command += ["--exclude-path-regex", "/stream$"]
        command += ["--no-color", "--generation-database", "none", *options]
        command += [part for operation in operations for part in ("--include-name", operation)]
        ended = subprocess.run(
            command,
            cwd=ROOT,
            env=os.environ
            | {
                "FUZZ_NOTES": str(self._notes),
                "FUZZ_OWN": json.dumps(self._own[role]),
                "PYTHONPATH": str(ROOT),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        calls = [json.loads(line) for line in self._notes.read_text(encoding="utf-8").splitlines()]
        return Run(ended.returncode, ended.stdout + ended.stderr, calls)


@contextmanager
def running(database_url: str, place: Path) -> Iterator[Place]:
    """The demo in the migrated database, served until the end."""
    queue.migrate(database_url)
    server = ServerProcess(database_url, place / "server.log", jobs=True, sign_in_rate_limit="1000000/minute")
    with closing(Database(database_url, readers=1)) as database:
        fill.fill(database, base_url=server.base_url)
        held = {role: database.write_now(lambda tx, role=role: _token(tx, role)) for role in ROLES[:-1]}
        machine = database.write_now(_machine)
        server.start()
        try:
            held[MACHINE] = _token_of(machine, server.base_url)
            own = {role: database.read_now(partial(_own, secret=held[role])) for role in ROLES}
            yield Place(server, held, own, place / "notes")
        finally:
            server.kill()


def _person(tx: Transaction, role: str) -> Any:
    return fresh(people.with_email(tx.connection, f"{role}@demo.example"))


def _token(tx: Transaction, role: str) -> str:
    return tokens.create(tx, _person(tx, role), name="fuzz", scopes=SCOPES).token


def _own(connection: Connection, secret: str) -> dict[str, int]:
    """The ids of a token, of whose it is and of their place, by the names that addresses have for them."""
    token, member = table(AccessToken), table(Membership)
    found = connection.execute(
        select(token.c.id.label("token_id"), token.c.person_id, member.c.id.label("membership_id"))
        .join(member, member.c.person_id == token.c.person_id)
        .where(token.c.token_hash == secrets.digest(secret))
    ).mappings()
    return dict(found.one())


def _machine(tx: Transaction) -> clients.NewClient:
    coordinator = _person(tx, "coordinator")
    programme = programmes.by_slug(tx.connection, coordinator, "demo")
    draft = clients.Draft("Robot", role="participant", scopes=("read", "write"))
    return clients.create(tx, coordinator, programme.id, None, draft)


def _token_of(client: clients.NewClient, base_url: str) -> str:
    proof = b64encode(f"{client.client_id}:{client.secret}".encode()).decode()
    asked = Request(
        f"{base_url}/oauth/token",
        b"grant_type=client_credentials&scope=read%20write",
        {"Authorization": f"Basic {proof}"},
    )
    with urlopen(asked) as answer:
        return str(json.load(answer)["access_token"])
