"""docs/api/tutorial.md as a reader takes it: its commands run in a shell, and what it shows held against what comes."""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/api/tutorial.md"
ADDRESS = "http://127.0.0.1:8000"

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Step:
    """Commands, and the answer that the page shows to them: `kind` is `json`, `http`, or empty where there is none."""

    commands: str
    kind: str = ""
    shown: str = ""


def steps() -> list[Step]:
    """The steps of the page, in order."""
    found: list[Step] = []
    for kind, text in _BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        if kind == "sh":
            found.append(Step(text))
        else:
            found[-1] = Step(found[-1].commands, kind, text)
    return found


class Shell:
    """One shell, in a directory of its own, in which the commands of the page run one after another."""

    def __init__(self, place: Path, base_url: str, environment: dict[str, str], *, own: bool) -> None:
        tools, installed = place / "bin", place / ".venv/bin"
        tools.mkdir()
        installed.mkdir(parents=True)
        for command, line in (
            (installed / "partnership", f'exec "{sys.executable}" -P -m app.cli "$@"'),
            (tools / "curl", f'exec "{sys.executable}" "{Path(__file__).with_name("curl.py")}" "$@"'),
            (tools / "jq", f'exec "{sys.executable}" "{Path(__file__).with_name("jq.py")}" "$@"'),
        ):
            command.write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
            command.chmod(0o755)
        self._place = place
        self._base_url = base_url
        self._state = place / "variables"
        self._state.touch()
        # The system's curl and jq, and ours where it has none; or ours, to know that they can stand in.
        paths = [os.environ["PATH"], str(tools)]
        path = os.pathsep.join(reversed(paths) if own else paths)
        self._environment = os.environ | environment | {"PATH": path, "PYTHONPATH": str(ROOT)}

    def run(self, commands: str) -> str:
        """What the commands print. Variables stay for those that follow."""
        here = commands.replace(ADDRESS, self._base_url)
        script = f". {self._state}\n{here}\nset | grep -E '^[A-Z]+=' | grep -vE '^(PATH|PWD|IFS|PS.)=' > {self._state}"
        ended = subprocess.run(
            ["sh", "-c", script],
            cwd=self._place,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stdout.replace(self._base_url, ADDRESS)


def differences(step: Step, answered: str) -> list[str]:
    """What the page shows and the answer is not."""
    if step.kind == "json":
        return unlike(json.loads(step.shown), json.loads(answered), "")
    shown_head, _, shown_body = step.shown.partition("\n\n")
    head, _, body = answered.replace("\r\n", "\n").partition("\n\n")
    status, *headers = shown_head.splitlines()
    came = dict(line.lower().split(": ", 1) for line in head.splitlines()[1:])
    wrong = [] if head.startswith(status) else [f"{status} is {head.splitlines()[0]}"]
    for header in headers:
        name, wanted = header.split(": ", 1)
        wrong += unlike(wanted.lower(), came.get(name.lower(), ""), name)
    return wrong + unlike(json.loads(shown_body), json.loads(body), "")


def unlike(shown: Any, came: Any, where: str) -> list[str]:
    """Where `came` is not as `shown`: fields may be left out, any whole number stands for another, `…` for any text."""
    if isinstance(shown, dict) and isinstance(came, dict):
        missing = [f"{where}/{name} is not there" for name in shown.keys() - came.keys()]
        common = shown.keys() & came.keys()
        return missing + [
            found for name in common for found in unlike(shown[name], came[name], f"{where}/{name}")
        ]
    if isinstance(shown, list) and isinstance(came, list):
        if len(shown) != len(came):
            return [f"{where} has {len(came)} items"]
        pairs = enumerate(zip(_sorted(shown), _sorted(came), strict=True))
        return [found for place, pair in pairs for found in unlike(*pair, f"{where}/{place}")]
    if isinstance(shown, str) and isinstance(came, str):
        pattern = ".+".join(re.escape(piece) for piece in shown.split("…"))
        return [] if re.fullmatch(pattern, came, re.DOTALL) else [f"{where} is {came!r}"]
    is_number = type(shown) is int and type(came) is int
    return [] if is_number or shown == came else [f"{where} is {came!r}"]


def _sorted(items: list[Any]) -> list[Any]:
    """Words in one order: a set of them, such as scopes, has none."""
    return sorted(items) if all(isinstance(item, str) for item in items) else items
