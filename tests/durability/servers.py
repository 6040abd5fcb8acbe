"""Server processes of our own for tests that kill them: `partnership serve` on a free port."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

ROOT = Path(__file__).parent.parent.parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class ServerProcess:
    """One server, started, killed and started again on the same port."""

    def __init__(self, database_url: str, log: Path, *, jobs: bool = False, **settings: str) -> None:
        self.port = free_port()
        self.base_url = f"http://127.0.0.1:{self.port}"
        self._log = log
        self._jobs = "--jobs" if jobs else "--no-jobs"
        self._process: subprocess.Popen[bytes] | None = None
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("PARTNERSHIP_")},
            "PARTNERSHIP_DATABASE_URL": database_url,
            "PARTNERSHIP_PORT": str(self.port),
            "PARTNERSHIP_RATE_LIMIT": "1000000/minute",
            **{f"PARTNERSHIP_{name.upper()}": value for name, value in settings.items()},
        }

    def start(self) -> "ServerProcess":
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "app.cli", "serve", self._jobs],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._wait_until_ready()
        return self

    def kill(self) -> None:
        """End the process as a power switch would: no signal that it could answer."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                with urlopen(f"{self.base_url}/health/ready", timeout=2) as answer:
                    if answer.status == 200:
                        return
            except (URLError, OSError):
                time.sleep(0.05)
        raise AssertionError(f"the server did not start: {self._log.read_text()[-2000:]}")
