"""The application with the demo and the small world in it, running for a while."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.database import Database
from app.demo import fill
from tests.browser.server import Server
from tests.conftest import migrate
from tests.factories.world import World
from tests.identity.serving import free_port


def make(path: Path, port: int) -> None:
    """A database at `path` with the demo, made for that port: its people's identity provider stands there."""
    migrate(f"sqlite:///{path}")
    database = Database(f"sqlite:///{path}", readers=1)
    fill.fill(database, base_url=f"http://127.0.0.1:{port}")
    database.close()


@contextmanager
def serving(path: Path, port: int) -> Iterator[tuple[Server, World]]:
    """The server over the database at `path`, and the world that is written into it."""
    database = Database(f"sqlite:///{path}", readers=1)
    server = Server(path, port)
    server.start()
    try:
        yield server, World(database)
    finally:
        server.stop()
        database.close()


@contextmanager
def running() -> Iterator[tuple[Server, World]]:
    """The same over a database of its own that is gone afterwards."""
    with tempfile.TemporaryDirectory() as place:
        path, port = Path(place) / "look.db", free_port()
        make(path, port)
        with serving(path, port) as found:
            yield found
