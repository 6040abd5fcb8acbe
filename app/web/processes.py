"""Processes beside this one: started, started again when they fall, and gone when this one goes."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn

import structlog

log = structlog.get_logger(__name__)

ROOT: Final = Path(__file__).parent.parent.parent

FIRST_DELAY_S: Final = 0.5
LONGEST_DELAY_S: Final = 30.0
STEADY_S: Final = 60.0
"""A process that has stood for so long is started again at once when it falls."""

GRACE_S: Final = 20.0
"""How long it may take to end after it was told to."""

WATCH_S: Final = 0.5


class Child(threading.Thread):
    """One `partnership` command as a process of its own, kept alive."""

    def __init__(self, name: str, arguments: Sequence[str], *, descriptors: Sequence[int] = ()) -> None:
        super().__init__(name=name, daemon=True)
        self._arguments = [sys.executable, "-m", "app.cli", *arguments, "--parent", str(os.getpid())]
        self._descriptors = tuple(descriptors)
        self._is_ending = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._starting = threading.Lock()

    def run(self) -> None:
        """Start it, and start it again whenever it falls, more slowly the more often."""
        delay_s = FIRST_DELAY_S
        while (process := self._begin()) is not None:
            since = time.monotonic()
            status = process.wait()
            if self._is_ending.is_set():
                return
            if time.monotonic() - since > STEADY_S:
                delay_s = FIRST_DELAY_S
            log.error("process_fell", process=self.name, status=status, again_in_s=delay_s)
            self._is_ending.wait(delay_s)
            delay_s = min(2 * delay_s, LONGEST_DELAY_S)

    def tell_to_end(self) -> None:
        """Ask it to end, and start it no more."""
        with self._starting:
            self._is_ending.set()
            if self._process is not None and self._process.poll() is None:
                self._process.terminate()

    def wait_for_end(self) -> None:
        """Wait until it has ended, and make it end if it does not by itself."""
        if self._process is None:
            return
        try:
            self._process.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            log.warning("process_killed", process=self.name)
            self._process.kill()
            self._process.wait()

    def _begin(self) -> "subprocess.Popen[bytes] | None":
        with self._starting:
            if self._is_ending.is_set():
                return None
            self._process = subprocess.Popen(  # noqa: S603 -- our own command
                self._arguments,
                env=os.environ | {"PYTHONPATH": str(ROOT)},
                stdin=subprocess.DEVNULL,
                pass_fds=self._descriptors,
                start_new_session=True,  # Ctrl+C is for us; we pass it on in order
            )
            return self._process


def end(children: Sequence[Child]) -> None:
    """Let all end, side by side."""
    for child in children:
        child.tell_to_end()
    for child in children:
        child.wait_for_end()


def leave_on_signal() -> None:
    """End this process in order on SIGTERM and SIGINT: as an exception, so that what is open gets closed."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)


def wait_for_signal() -> NoReturn:
    """Do nothing until told to end."""
    while True:
        signal.pause()


def end_with(parent: int) -> None:
    """End this process as soon as `parent` is no longer its parent: who was killed takes us along."""
    threading.Thread(target=_watch, args=(parent,), name="parent-watch", daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(WATCH_S)
    os._exit(1)


def _leave(_: int, __: FrameType | None) -> NoReturn:
    raise SystemExit(0)
