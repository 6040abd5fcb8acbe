"""Real servers for a measurement: started in processes of their own, pinned to a core, and asked what they used."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).parent.parent
START_S = 120.0

CORES = sorted(os.sched_getaffinity(0))
"""The first core serves, the last one asks."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server under measurement."""

    port: int
    process: psutil.Process

    def cpu_s(self) -> float:
        """Seconds of processor time that it has used so far, in all its threads."""
        used = self.process.cpu_times()
        return float(used.user + used.system)

    def memory_bytes(self) -> int:
        """What it holds in memory."""
        return int(self.process.memory_info().rss)


@contextmanager
def application(directory: Path, database_url: str) -> Iterator[Server]:
    """The application as it is served, its limits out of the way: one person here stands for thousands."""
    port = free_port()
    settings = {
        "DATABASE_URL": database_url,
        "BASE_URL": f"http://127.0.0.1:{port}",
        "RATE_LIMIT": "1000000000/minute",
        "ENVIRONMENT": "demo",
        "REDIS_URL": "",
    }
    named = {f"PARTNERSHIP_{name}": value for name, value in settings.items() if value}
    command = [sys.executable, "-m", "app.cli", "serve", "--no-jobs", "--port", str(port)]
    with _running(command, port, directory, named) as server:
        yield server


@contextmanager
def floor(name: str, directory: Path, database: str = "") -> Iterator[Server]:
    """A program of `bench/floors` under uvicorn, with the same loop, the same parser and no access log."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", f"bench.floors.{name}:app", "--port", str(port)]
    command += ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"]
    with _running(command, port, directory, {"BENCH_DATABASE": database}) as server:
        yield server


def pin() -> None:
    """Keep this process, which asks, away from the core that serves, where there are two."""
    os.sched_setaffinity(0, CORES[-1:])


@contextmanager
def unpinned() -> Iterator[None]:
    """Give the processes that are started meanwhile every core."""
    os.sched_setaffinity(0, CORES)
    try:
        yield
    finally:
        pin()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def _running(command: list[str], port: int, directory: Path, extra: Mapping[str, str]) -> Iterator[Server]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PARTNERSHIP_")}
    with (directory / f"server-{port}.log").open("wb") as log:
        child = subprocess.Popen(
            command,
            cwd=directory,
            env={**inherited, "PYTHONPATH": str(ROOT), **extra},
            stdout=log,
            stderr=log,
        )
    try:
        process = psutil.Process(child.pid)
        process.cpu_affinity(CORES[:1])
        _wait(child, port, directory)
        yield Server(port, process)
    finally:
        child.terminate()
        try:
            child.wait(10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _wait(child: subprocess.Popen[bytes], port: int, directory: Path) -> None:
    ends = time.monotonic() + START_S
    while time.monotonic() < ends:
        if child.poll() is not None:
            break
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    log = (directory / f"server-{port}.log").read_text(errors="replace")
    raise RuntimeError(f"the server did not start:\n{log[-3000:]}")
