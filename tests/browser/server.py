"""The application as an operator starts it, in a process of its own, at the same address each time."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
START_S = 60


class Server:
    """One server process over one SQLite file; it can be ended and started again."""

    def __init__(self, database: Path, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._port = port
        self._log = database.with_suffix(".log")
        self._process: subprocess.Popen[bytes] | None = None
        self._environment = os.environ | {
            "PARTNERSHIP_DATABASE_URL": f"sqlite:///{database}",
            "PARTNERSHIP_BASE_URL": self.url,
            "PARTNERSHIP_RATE_LIMIT": "100000/minute",
            "PARTNERSHIP_SIGN_IN_RATE_LIMIT": "100000/minute",
        }

    def start(self) -> None:
        """Start, and wait until requests are answered."""
        command = [sys.executable, "-m", "app.cli", "serve", "--no-jobs", "--port", str(self._port)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, cwd=ROOT, env=self._environment, stdout=log, stderr=log)
        end = time.monotonic() + START_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(self._log.read_text(errors="replace")[-2000:])
            time.sleep(0.05)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End: in good order, or with `SIGKILL` at once."""
        if self._process is None:
            return
        self._process.send_signal(how)
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self._port), 0.2).close()
        except OSError:
            return False
        return True
