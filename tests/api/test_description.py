"""The API's document against the recommended rules of two programs that read such documents: no error, no warning."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from app.routers import api
from app.web import openapi
from tests.identity import node

MODULES = node.HERE / "node_modules"
QUIET = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"}


@pytest.fixture(scope="module")
def descriptions(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Our document, and one in which an operation has no name, no description, and a tag that is not there."""
    assert api.ENDPOINTS
    place = tmp_path_factory.mktemp("description")
    ours, broken = place / "ours.json", place / "broken.json"
    ours.write_bytes(openapi.document("https://partnership.example"))
    document = json.loads(ours.read_bytes())
    described = document["paths"]["/api/v1/people/me"]["get"]
    del described["operationId"], described["description"]
    described["tags"] = ["nowhere"]
    broken.write_text(json.dumps(document))
    return str(ours), str(broken)


def _run(program: Path, *arguments: str) -> Any:
    """What one of the programs found, as it writes it in JSON."""
    done = subprocess.run(
        [node.installed(), str(program), *arguments],
        cwd=node.HERE,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, **QUIET},
    )
    assert done.stdout.strip(), done.stderr
    return json.loads(done.stdout[done.stdout.index("[" if "spectral" in str(program) else "{") :])


def test_nothing_that_a_change_can_hold_declares_a_default(descriptions: tuple[str, str]) -> None:
    """A program made of the document sends each declared default, and with it resets what it was to leave as it is."""
    schemas = json.loads(Path(descriptions[0]).read_text())["components"]["schemas"]
    changes = {name for name in schemas if name.endswith("Change")}
    assert {"BallotChange", "PlacementChange"} <= changes
    reached, ahead = set(), set(changes)
    while ahead:
        reached |= ahead
        ahead = {name for each in ahead for name in _named(schemas[each])} - reached
    assert {"SettingsDraft", "EligibilityDraft", "PeriodDraft", "LinkDraft", "ManagerDraft"} <= reached
    declared = {
        f"{name}.{field}"
        for name in reached
        for field, shape in schemas[name].get("properties", {}).items()
        if "default" in shape
    }
    assert declared == set()


def _named(shape: Any) -> set[str]:
    """The shapes to which this one refers."""
    if isinstance(shape, list):
        return {name for each in shape for name in _named(each)}
    if not isinstance(shape, dict):
        return set()
    own = {shape["$ref"].rsplit("/", 1)[-1]} if isinstance(shape.get("$ref"), str) else set()
    return own | {name for each in shape.values() for name in _named(each)}


def test_spectral_finds_nothing(descriptions: tuple[str, str]) -> None:
    program = MODULES / "@stoplight/spectral-cli/dist/index.js"
    found = _run(program, "lint", *descriptions, "-r", "spectral.yaml", "-f", "json")
    assert [each for each in found if Path(each["source"]).name == "ours.json"] == []
    wrong = {each["code"] for each in found if Path(each["source"]).name == "broken.json"}
    assert wrong == {"operation-operationId", "operation-description", "operation-tag-defined"}


def test_redocly_finds_nothing(descriptions: tuple[str, str]) -> None:
    program = MODULES / "@redocly/cli/bin/cli.js"
    config = ("--config", "redocly.yaml", "--format", "json")
    ours, broken = (_run(program, "lint", path, *config)["problems"] for path in descriptions)
    assert ours == []
    assert {each["ruleId"] for each in broken} == {"operation-operationId"}
