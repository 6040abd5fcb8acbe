"""A client of the API as openapi-python-client makes it from the document that is served, called by method and path."""

import importlib
import json
import re
import subprocess
import sys
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.request import urlopen

import pytest

PREFIX = "/api/v1"
METHODS = ("get", "post", "put", "patch", "delete")
NAME = "partnership_client"
AS_BYTES = ("application/atom+xml", "application/jsonl", "application/x-ndjson", "text/csv")
CONFIGURATION = {
    "post_hooks": [],
    "content_type_overrides": dict.fromkeys(AS_BYTES, "application/octet-stream"),
}
"""Files are taken and given as bytes; the generator knows but one media type for that."""


class Client:
    """The package, generated into a directory, imported from there, and used with a token."""

    def __init__(self, base_url: str, token: str, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        with urlopen(f"{base_url}{PREFIX}/openapi.json") as answer:
            self.document: dict[str, Any] = json.load(answer)
        generate(self.document, place)
        monkeypatch.syspath_prepend(str(place))
        for name in [name for name in sys.modules if name.partition(".")[0] == NAME]:
            monkeypatch.delitem(sys.modules, name)
        package = importlib.import_module(NAME)
        self._client = package.AuthenticatedClient(base_url=base_url, token=token)

    def __call__(self, method: str, path: str, *, body: Any = None, **named: Any) -> Any:
        """The answer, with what the client made of it as `parsed`."""
        module = self._module(method.lower(), path)
        if body is not None:
            shape = self._described(method.lower(), path)["requestBody"]["content"]["application/json"][
                "schema"
            ]
            named["body"] = self.shape(shape["$ref"].rsplit("/", 1)[-1]).from_dict(body)
        return module.sync_detailed(client=self._client, **named)

    def shape(self, name: str) -> Any:
        """What the package has for a shape of the document."""
        return getattr(self._models, name)

    def missing(self) -> list[str]:
        """The calls of the document that the package does not have."""
        found = []
        for path, methods in self.document["paths"].items():
            for method in methods.keys() & set(METHODS):
                try:
                    self._module(method, path.removeprefix(PREFIX))
                except ModuleNotFoundError:
                    found.append(f"{method} {path}")
        return found

    @cached_property
    def _models(self) -> ModuleType:
        return importlib.import_module(f"{NAME}.models")

    def _described(self, method: str, path: str) -> dict[str, Any]:
        found: dict[str, Any] = self.document["paths"][PREFIX + path][method]
        return found

    def _module(self, method: str, path: str) -> ModuleType:
        described = self._described(method, path)
        tag, name = _snake(described["tags"][0]), _snake(described["operationId"])
        return importlib.import_module(f"{NAME}.api.{tag}.{name}")


def generate(document: dict[str, Any], place: Path) -> None:
    """Generate the package into `place`. A warning is a failure: the generator leaves out what it cannot read."""
    (place / "openapi.json").write_text(json.dumps(document), encoding="utf-8")
    (place / "configuration.json").write_text(json.dumps(CONFIGURATION), encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "openapi_python_client",
        "generate",
        "--fail-on-warning",
        "--meta",
        "none",
    ]
    command += ["--path", "openapi.json", "--config", "configuration.json", "--output-path", NAME]
    ended = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def _snake(name: str) -> str:
    """A name as the generator writes it."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return re.sub(r"[^a-z0-9]+", "_", spaced.lower()).strip("_")
